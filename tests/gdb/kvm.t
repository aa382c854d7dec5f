#!/bin/bash
# gdb on KVM: steps, and more breakpoints than the CPU has registers for. The guest is a BIOS of NOPs.
work=$(mktemp -d)
trap 'rm -rf "$work"; [ -z "$vm" ] || kill "$vm" 2> /dev/null' EXIT
gdb=$(command -v gdb-multiarch || command -v gdb)
vm=
skip() {
    echo "1..0 # SKIP $*"
    exit 0
}
[ "$(uname -m)" = x86_64 ] || skip "KVM of x86 alone is tested"
[ -r /dev/kvm ] && [ -w /dev/kvm ] || skip "/dev/kvm cannot be opened"
[ -n "$gdb" ] || skip "no gdb"
{ head -c 65520 /dev/zero | tr '\000' '\220'; printf '\xea\0\0\0\xf0'; head -c 11 /dev/zero; } > "$work/nop.bin"
"$MYNA" -arch x86_64 -M pc -m 32M -accel kvm -bios "$work/nop.bin" -display none -nodefaults -S \
    -chardev "socket,id=g,path=$work/gdb,server=on,wait=off" -gdb chardev:g > "$work/vm" 2>&1 &
vm=$!
for _ in {1..50}; do [ -S "$work/gdb" ] && break; sleep 0.1; done
places="f0010 f0020 f0030 f0040 f0050"
{
    echo "set remotetimeout 50"
    echo "target remote $work/gdb"
    echo stepi
    echo 'printf "at %x\n", $rip'
    echo stepi
    echo 'printf "at %x\n", $rip'
    for at in $places; do echo "break *0x$at"; done
    for _ in $places; do
        echo continue
        echo 'printf "at %x\n", $rip'
    done
    echo 'printf "code %x\n", *(unsigned char *) 0xf0050'
    echo kill
} > "$work/script"
timeout 60 "$gdb" -q -nx -batch -x "$work/script" > "$work/said" 2>&1
number=0
for want in "at f0000" "at f0001" $(printf 'at_%s ' $places) "code 90"; do
    grep -qx "${want/_/ }" "$work/said" || printf 'not '
    echo "ok $((number += 1)) - ${want/_/ }"
done
grep -qx "code 90" "$work/said" || sed 's/^/# /' "$work/said" "$work/vm"
echo "1..$number"
