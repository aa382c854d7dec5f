#!/bin/bash
# KVM where this machine's CPU has no virtualisation, or a slow one: Debian's kernel with kvm-amd
# boots in an emulator of AMD's (QEMU's translator), and this program runs inside with -accel kvm.
# The script of the cases is tests/full/kvmlab.sh; each prints "LAB-OK name" or "LAB-FAIL name".
#
#   kvmlab.t [CASE...]
#
# The case "bench", which is not among those without arguments, compares speed with QEMU's; "exits" is
# its first half. With LAB_COUNT=1 what is measured is not time but the instructions of the lab's only
# CPU, which are the same each time, however busy this machine is.
#
# LAB_QEMU names the emulator; without, it is Debian's newest, which is fetched. (7.2 gives guests
# of its guests wrong flags now and then.) LAB_CPUS: how many it has.
PATH=$PATH:/usr/sbin:/sbin
top=$(cd "$(dirname "$0")/../.." && pwd)
cc=${CC:-gcc}
sea=/usr/share/seabios/bios-256k.bin
cache=${MYNA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/myna}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
    echo "1..0 # SKIP $*"
    exit 0
}

[ "$(uname -m)" = x86_64 ] || skip "KVM of x86 alone is tested"
for guest in amd64 amd64-all; do
    why=$("$top/scripts/fetch-guest" "$guest" 2>&1) || skip "$why"
done
if [ -z "$LAB_QEMU" ]; then
    why=$("$top/scripts/fetch-qemu" 2>&1) || skip "$why"
    LAB_QEMU=$cache/qemu/qemu-system-x86_64
fi
[ -r $sea ] || skip "no $sea: install seabios"
command -v gdb > /dev/null || skip "no gdb"
command -v mke2fs > /dev/null || skip "no mke2fs: install e2fsprogs"
image() { # NAME
    "$cc" -m32 -c -o "$work/$1.o" "$top/tests/guest/x86/$1.S" &&
        ld -m elf_i386 -Ttext=0 -e start --oformat binary -o "$work/$1.bin" "$work/$1.o"
}

source=$top/tests/guest/x86/corners
{ "$cc" -m32 -c -o "$work/corners.o" "$source.S" &&
    ld -m elf_i386 -T "$source.ld" --oformat binary -o "$work/corners.bin" "$work/corners.o" &&
    image picture && image smm && image resets &&
    "$cc" -m32 -c -o "$work/hyperv.o" "$top/tests/guest/x86/hyperv.S" &&
    ld -m elf_i386 -Ttext=0 -e start --oformat binary -o "$work/hyperv.bin" "$work/hyperv.o" &&
    CC=$cc "$source/build" 32 "$work/corners32" && CC=$cc "$source/build" 64 "$work/corners64"; } 2> /dev/null ||
    skip "no assembler for i386"

# ---- what the lab finds besides Debian's files, on a disk ----

lab=$work/lab
mkdir -p "$lab/lib"
cp "$MYNA" "$lab/myna"
cp "$(command -v gdb)" "$lab/gdb"
python=$(ldd "$lab/gdb" | sed -n 's/.*lib\(python3\.[0-9]*\)\.so.*/\1/p' | head -n 1)
if [ -n "$python" ]; then # gdb does not start without its modules
    mkdir -p "$lab/python/lib/$python"
    (cd "/usr/lib/$python" && tar -c --exclude=test --exclude=__pycache__ --exclude=dist-packages .) |
        tar -x -C "$lab/python/lib/$python"
fi
for program in "$lab/myna" "$lab/gdb"; do
    ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
        cp -Lu "$library" "$lab/lib/"
    done
done
cp "$work"/*.bin "$work/corners32" "$work/corners64" "$top/tests/full/kvmlab.sh" "$lab/"
cp "$top/tests/guest/x86/boot-probe.bin" "$lab/probe.bin"
cp $sea "$lab/seabios.bin"
cp "$cache/amd64/Image" "$lab/kernel"
cp "$cache/amd64/initrd.gz" "$lab/initrd.gz"
cp "$cache/amd64-all/Image" "$lab/kernel-all"
cp "$cache/amd64-all/initrd.gz" "$lab/initrd-all.gz"
cp "$top/tests/full/kvmlab.work" "$lab/work"
timeout 300 "$MYNA" -arch x86_64 -M pc -m 256M -accel tcg -display none -no-reboot -nodefaults -serial stdio \
    -kernel "$lab/kernel" -initrd "$lab/initrd.gz" -append "console=ttyS0 quiet panic=-1 myna.run=exec,poweroff \
myna.exec=$(base64 -w 0 "$lab/work")" < /dev/null 2>&1 | tr -d '\r' | sed -n '/^WORK-BEGIN/,/^WORK-END/p' > "$lab/work.said"
case " $* " in
*" bench "* | *" exits "* | *" starts "*) # QEMU, to be measured in turn, and guests that leave for the host over and over
    mkdir -p "$lab/qemu/usr"
    (cd "$cache/qemu/root/usr" && tar -c --exclude='*riscv*' --exclude='qemu/edk2*' bin lib* share) |
        tar -x -C "$lab/qemu/usr"
    for kind in 0 1 2 4; do
        "$cc" -m32 -c "-Wa,--defsym,KIND=$kind,--defsym,ROUNDS=100,--defsym,BATCHES=50" -o "$work/exits.o" \
            "$top/bench/lab/kvm.S"
        ld -m elf_i386 -Ttext=0 -e start --oformat binary -o "$lab/exits-$kind" "$work/exits.o"
    done
    "$cc" -m32 -O2 -ffreestanding -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables -nostdlib -static \
        -Wl,-n,--build-id=none,-Ttext=0x100000,--no-warn-rwx-segments -DROUNDS=5 -DBATCHES=8 -o "$lab/kick" \
        "$top/bench/lab/kick.c"
    ;;
esac
why=$(mke2fs -q -t ext4 -O ^has_journal -d "$lab" "$work/disk" $(($(du -sk "$lab" | cut -f 1) * 5 / 4 + 4096))k 2>&1) ||
    skip "$why"

# ---- the lab ----

speed=(-accel "tcg,thread=multi" -smp "${LAB_CPUS:-1}")
[ -z "$LAB_COUNT" ] || speed=(-accel "tcg,thread=single" -icount "shift=0,sleep=off")
script="modprobe -q ext4; mkdir -p /lab; mount -t ext4 -o ro /dev/vda /lab && sh /lab/kvmlab.sh $*"
timeout "${MYNA_TEST_LIMIT:-3000}" "$LAB_QEMU" "${speed[@]}" -cpu max,+svm,+npt -m 2G \
    -display none -monitor none -serial stdio -no-reboot -nic none -kernel "$cache/amd64/Image" \
    -initrd "$cache/amd64/initrd.gz" -drive "file=$work/disk,format=raw,if=virtio,readonly=on" \
    -append "console=ttyS0 quiet panic=-1 no_timer_check myna.run=exec myna.exec=$(base64 -w 0 <<< "$script")" \
    < /dev/null > "$work/raw" 2>&1
tr -d '\r' < "$work/raw" > "$work/text"
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
[ -z "$LAB_LOG" ] || cp "$work/text" "$LAB_LOG"
echo "1..$number"
