#!/bin/bash
# As many CPUs as a board takes start, whoever runs them: tests/guest/x86/count.S.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"

count() { # ACCELERATOR CPUS EXPECTED
    rm -f "$work/said"
    timeout 100 "$MYNA" -arch x86_64 -M pc -m 32M -smp "$2" -accel "$1" -bios "$work/count.bin" -display none -nodefaults \
        -chardev "file,id=d,path=$work/said" -device isa-debugcon,iobase=0xe9,chardev=d \
        -device isa-debug-exit,iobase=0x501 > "$work/err" 2>&1
    [ $? = 7 ] && [ "$(cat "$work/said")" = "$3" ]
    result $? "$1: $2 CPUs"
}

build_image count
for n in 1 2 64; do
    count tcg $n "$(printf %02x $n)"
done
if has_kvm; then
    for place in split on off; do
        count "kvm,kernel-irqchip=$place" 64 40
    done
fi
echo "1..$number"
