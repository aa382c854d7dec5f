#!/bin/bash
# System management mode, entered by port 0xb2, does the same on the translator, the interpreter and
# KVM, where the host's knows that mode: tests/guest/x86/smm.S.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"

run() { # ACCELERATOR: what the guest says is in $work/said
    rm -f "$work/said"
    timeout 60 "$MYNA" -arch x86_64 -M pc -m 32M -accel "$1" -d unimp -bios "$work/smm.bin" -display none -nodefaults \
        -chardev "file,id=d,path=$work/said" -device isa-debugcon,iobase=0xe9,chardev=d \
        -device isa-debug-exit,iobase=0x501 > "$work/err" 2>&1
    [ $? = 7 ] && cmp "$work/expected" "$work/said" >> "$work/err" 2>&1
}

# EBX with the number of the entry added, the first of which moved SMBASE; that number; what is left alone.
expected() {
    for n in 2 3 4 5 6 7 8 9; do
        printf '%08x %08x %08x \n' $((0x11223344 + n)) $n $((10 - n))
    done
    echo end
}

build_image smm
expected > "$work/expected"
for accelerator in tcg interp; do
    run $accelerator
    result $? "$accelerator: enters by port 0xb2, and returns"
done
if has_kvm; then
    for place in split on off; do
        name="kvm,kernel-irqchip=$place: the same"
        run "kvm,kernel-irqchip=$place"
        status=$?
        if grep -q 'host has no system management mode' "$work/err"; then
            result 0 "$name # SKIP the host's KVM has no system management mode"
        else
            result $status "$name"
        fi
    done
fi
echo "1..$number"
