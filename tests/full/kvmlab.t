#!/bin/bash
# KVM where this machine's CPU has no virtualisation, or a slow one: Debian's kernel with kvm-amd
# boots in an emulator of AMD's (QEMU's translator), and this program runs inside with -accel kvm.
# The script of the cases is tests/full/kvmlab.sh; each prints "LAB-OK name" or "LAB-FAIL name".
top=$(cd "$(dirname "$0")/../.." && pwd)
qemu=${LAB_QEMU:-qemu-system-x86_64}
cc=${CC:-gcc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
    echo "1..0 # SKIP $*"
    exit 0
}

[ "$(uname -m)" = x86_64 ] || skip "KVM of x86 alone is tested"
command -v "$qemu" > /dev/null || skip "no $qemu"
why=$("$top/scripts/fetch-guest" amd64 2>&1) || skip "$why"
guest=${MYNA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/myna}/amd64
source=$top/tests/guest/x86/corners
{ "$cc" -m32 -c -o "$work/corners.o" "$source.S" &&
    ld -m elf_i386 -T "$source.ld" --oformat binary -o "$work/corners.bin" "$work/corners.o"; } 2> /dev/null ||
    skip "no assembler for i386"

lab=$work/root/lab # what the lab finds besides Debian's files: our program with its libraries
mkdir -p "$lab/lib"
cp "$MYNA" "$lab/myna"
ldd "$MYNA" | grep -o '/[^ ]*' | while read -r library; do
    cp -L "$library" "$lab/lib/"
done
cp "$work/corners.bin" "$top/tests/full/kvmlab.sh" "$lab/"
cp "$top/tests/guest/x86/boot-probe.bin" "$lab/probe.bin"
cp "$guest/Image" "$lab/kernel"
cp "$guest/initrd.gz" "$lab/initrd.gz"
"$top/scripts/newc" "$work/root" | gzip -1 > "$work/extra.gz"
cat "$guest/initrd.gz" "$work/extra.gz" > "$work/initrd"

script=$(echo "sh /lab/kvmlab.sh $*" | base64 -w 0)
# Where the emulator's own threads hinder each other Linux may panic before the lab is up.
for _ in 1 2 3; do
    timeout "${MYNA_TEST_LIMIT:-3000}" "$qemu" -accel tcg,thread=multi -cpu max,+svm,+npt -smp "${LAB_CPUS:-1}" -m 2G \
        -nographic -no-reboot -nic none -kernel "$guest/Image" -initrd "$work/initrd" \
        -append "console=ttyS0 quiet panic=-1 no_timer_check myna.run=exec myna.exec=$script" \
        < /dev/null > "$work/out" 2>&1
    tr -d '\r' < "$work/out" > "$work/text"
    grep -qa '^MYNA-RUN exec' "$work/text" && break
done
number=0
while read -r word name; do
    [ "$word" = LAB-OK ] || printf 'not '
    echo "ok $((number += 1)) - $name"
done < <(grep -a '^LAB-\(OK\|FAIL\) ' "$work/text")
grep -qa '^LAB-END' "$work/text" || printf 'not '
echo "ok $((number += 1)) - the lab runs to its end"
grep -qa '^LAB-FAIL' "$work/text" || grep -qa '^LAB-END' "$work/text" ||
    tail -n 40 "$work/text" | sed 's/^/# /'
grep -a '^LAB-NOTE' "$work/text" | sed 's/^LAB-NOTE/#/'
echo "1..$number"
