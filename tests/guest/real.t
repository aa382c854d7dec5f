#!/bin/bash
# The corners of real mode are as the manuals have them, whoever runs them (tests/guest/x86/real.S), and those of
# virtual-8086 mode, which KVMs that emulate code do not know, on tcg and interp (tests/guest/x86/v86.S).
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"

run() { # IMAGE ACCELERATOR OPTION...: what the guest says is in $work/said
    rm -f "$work/said"
    timeout 60 "$MYNA" -arch x86_64 -M pc -m 32M -accel "$2" -bios "$work/$1.bin" -display none -nodefaults \
        -chardev "file,id=d,path=$work/said" -device isa-debugcon,iobase=0xe9,chardev=d \
        -device isa-debug-exit,iobase=0x501 "${@:3}" > "$work/err" 2>&1
    [ $? = 7 ]
}

same() { # IMAGE ACCELERATOR EXPECTED OPTION...
    run "$1" "$2" "${@:4}" && diff "$3" "$work/said" > "$work/err"
    result $? "$1, $2"
    sed 's/^/# /' "$work/err"
}

build_image real
build_image v86
for accelerator in tcg interp; do
    same real $accelerator "$top/tests/guest/x86/real.said"
    same v86 $accelerator "$top/tests/guest/x86/v86.said" -cpu max
done
if has_kvm; then
    build_image real -Wa,--defsym,KVM=1 # without what KVMs do in their own way
    run real tcg
    cp "$work/said" "$work/tcg"
    [ "$(wc -l < "$work/tcg")" -gt 50 ]
    result $? "most of real mode is for KVM, too"
    for place in split on off; do
        same real "kvm,kernel-irqchip=$place" "$work/tcg"
    done
fi
echo "1..$number"
