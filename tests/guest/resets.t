#!/bin/bash
# A reset leaves the same behind in each way and on each accelerator: tests/guest/x86/resets.S.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"

run() { # ACCELERATOR OUTPUT
    timeout 60 "$MYNA" -arch x86_64 -M pc -m 32M -accel "$1" -bios "$work/resets.bin" -display none -nodefaults \
        -chardev "file,id=d,path=$work/$2" -device isa-debugcon,iobase=0xe9,chardev=d \
        -device isa-debug-exit,iobase=0x501 > "$work/err" 2>&1
    [ $? = 7 ]
}

build_image resets
run tcg tcg && [ "$(wc -l < "$work/tcg")" = 7 ]
result $? "tcg: five ways to reset, and A20"
[ "$(grep -v '^[0-9a-f ]\{1,40\}$' "$work/tcg" | sed 1d | sort -u | wc -l)" = 1 ]
result $? "tcg: each way leaves the same"
# KVMs that emulate privileged code do not know all of this.
"$MYNA" -arch x86_64 -M pc -accel kvm:tcg -display none -nodefaults -S -monitor stdio <<< quit > "$work/out" 2> "$work/err"
kvm="kvm kvm,kernel-irqchip=on kvm,kernel-irqchip=off"
! grep -q 'cannot use -accel kvm' "$work/err" || kvm=
for accelerator in interp $kvm; do
    run "$accelerator" said && cmp "$work/tcg" "$work/said" > "$work/err"
    result $? "$accelerator: the same"
done
echo "1..$number"
