#!/bin/bash
# The corners of real mode are as the manuals have them, whoever runs them: tests/guest/x86/real.S.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"

run() { # IMAGE ACCELERATOR: what the guest says is in $work/said
    rm -f "$work/said"
    timeout 60 "$MYNA" -arch x86_64 -M pc -m 32M -accel "$2" -bios "$work/$1.bin" -display none -nodefaults \
        -chardev "file,id=d,path=$work/said" -device isa-debugcon,iobase=0xe9,chardev=d \
        -device isa-debug-exit,iobase=0x501 > "$work/err" 2>&1
    [ $? = 7 ]
}

same() { # NAME IMAGE ACCELERATOR EXPECTED
    run "$2" "$3" && diff "$4" "$work/said" > "$work/err"
    result $? "$1, $3"
    sed 's/^/# /' "$work/err"
}

for image in real; do
    build_image $image
    for accelerator in tcg interp; do
        same $image $image $accelerator "$top/tests/guest/x86/$image.said"
    done
    has_kvm || continue
    build_image $image -Wa,--defsym,KVM=1 # without what KVMs do in their own way
    run $image tcg
    cp "$work/said" "$work/tcg"
    [ "$(wc -l < "$work/tcg")" -gt 50 ]
    result $? "$image: most of it is for KVM, too"
    for place in split on off; do
        same $image $image "kvm,kernel-irqchip=$place" "$work/tcg"
    done
done
echo "1..$number"
