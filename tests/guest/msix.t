#!/bin/bash
# MSI-X of a virtio device: destinations, masks and what waits behind them, delivery modes; each as the
# specifications have it, whoever runs the guest: tests/guest/x86/msix.S.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"

build_image msix
accelerators=(tcg interp)
has_kvm && accelerators+=(kvm,kernel-irqchip={split,on,off})
for accelerator in "${accelerators[@]}"; do
    rm -f "$work/said"
    timeout 100 "$MYNA" -arch x86_64 -M pc -m 32M -smp 4 -accel "$accelerator" -bios "$work/msix.bin" -display none \
        -nodefaults -chardev "file,id=d,path=$work/said" -device isa-debugcon,iobase=0xe9,chardev=d \
        -device isa-debug-exit,iobase=0x501 -device virtio-rng-pci,addr=5 > "$work/err" 2>&1
    [ $? = 7 ] && diff "$top/tests/guest/x86/msix.said" "$work/said" > "$work/err"
    result $? "$accelerator: each interrupt comes where it is sent, once"
    sed 's/^/# /' "$work/err"
done
echo "1..$number"
