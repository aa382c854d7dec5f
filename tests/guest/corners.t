#!/bin/bash
# The same guests say the same, byte for byte, whoever runs them: tests/guest/x86/corners.S, and
# tests/guest/x86/corners/ in 32-bit and 64-bit code, on the translator, the interpreter, and KVM
# where there is one that is worth it.
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source=$top/tests/guest/x86/corners
cc=${CC:-gcc}
number=0

result() { # STATUS NAME
    [ "$1" = 0 ] || printf 'not '
    echo "ok $((number += 1)) - $2"
    [ "$1" = 0 ] || sed 's/^/# /' "$work/err"
}

skip() { # NAME WHY
    echo "ok $((number += 1)) - $1 # SKIP $2"
}

run() { # OUTPUT ACCELERATOR...
    local out=$1
    shift
    timeout 60 "$MYNA" -arch x86_64 -M pc -m 64M "$@" -bios "$work/corners.bin" -display none -nodefaults \
        -chardev "file,id=d,path=$out" -device isa-debugcon,iobase=0xe9,chardev=d \
        -device isa-debug-exit,iobase=0x501 > "$work/err" 2>&1
    [ $? = 7 ]
}

if ! { "$cc" -m32 -c -o "$work/corners.o" "$source.S" &&
    ld -m elf_i386 -T "$source.ld" --oformat binary -o "$work/corners.bin" "$work/corners.o"; } 2> "$work/err"; then
    echo "1..0 # SKIP no assembler for i386"
    exit 0
fi
# The other guest; lines with "~" are of what is not there without a local APIC in the kernel.
more() { # BITS OUTPUT ACCELERATOR
    timeout 100 "$MYNA" -arch x86_64 -M pc -m 64M -smp 2 -cpu qemu64,+x2apic,+tsc-deadline -accel "$3" \
        -kernel "$work/corners$1" -display none -nodefaults -no-reboot -device VGA -serial null \
        -chardev "file,id=d,path=$2" -device isa-debugcon,iobase=0xe9,chardev=d \
        -device isa-debug-exit,iobase=0x501 > "$work/err" 2>&1
    [ $? = 7 ]
}

agree() { # EXPECTED OUTPUT OF-ALL
    if [ "$3" = off ]; then
        diff <(grep -av '^~' "$1") <(grep -av '^~' "$2")
    else
        diff "$1" "$2"
    fi > "$work/err"
}

echo 1..16
run "$work/tcg" -accel tcg && grep -q '^again$' "$work/tcg"
result $? "tcg: runs to its end"
run "$work/interp" -accel interp && cmp "$work/tcg" "$work/interp" 2> "$work/err"
result $? "interp: the same"
# Whether KVM is missing or slow, the fall-back's line says so.
run "$work/choice" -accel kvm:tcg
why=$(sed -n 's/.*cannot use -accel kvm: //p' "$work/err")
for chips in split on off; do
    if [ -n "$why" ]; then
        skip "kvm, kernel-irqchip=$chips: the same" "$why"
        continue
    fi
    run "$work/kvm" -accel "kvm,kernel-irqchip=$chips" && cmp "$work/tcg" "$work/kvm" 2> "$work/err"
    result $? "kvm, kernel-irqchip=$chips: the same"
done

for bits in 32 64; do
    if ! CC=$cc "$source/build" $bits "$work/corners$bits" 2> "$work/err"; then
        for name in tcg interp split on off; do
            skip "$bits bits, $name" "no compiler for it"
        done
        continue
    fi
    more $bits "$work/tcg" tcg && grep -qa '^end$' "$work/tcg"
    result $? "$bits bits, tcg: runs to its end"
    more $bits "$work/interp" interp && agree "$work/tcg" "$work/interp"
    result $? "$bits bits, interp: the same"
    for chips in split on off; do
        if [ -n "$why" ]; then
            skip "$bits bits, kvm, kernel-irqchip=$chips: the same" "$why"
            continue
        fi
        more $bits "$work/kvm" "kvm,kernel-irqchip=$chips" && agree "$work/tcg" "$work/kvm" $chips
        result $? "$bits bits, kvm, kernel-irqchip=$chips: the same"
    done
done

# The BIOS and the boot sector that says what it was told: short enough for a slow KVM, too.
probe() { # OUTPUT ACCELERATOR
    timeout 100 "$MYNA" -arch x86_64 -M pc -m 64M -accel "$2" -nodefaults -display none -device VGA \
        -drive "file=$work/disk,format=raw" -device isa-debug-exit,iobase=0x501 \
        -chardev "file,id=d,path=$1" -device isa-debugcon,iobase=0xe9,chardev=d > "$work/err" 2>&1
    [ $? = 1 ]
}

name="kvm: the BIOS starts a disk and tells it the same"
cp "$top/tests/guest/x86/boot-probe.bin" "$work/disk"
truncate -s 1M "$work/disk"
if [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then
    skip "$name" "/dev/kvm cannot be opened"
else
    probe "$work/tcg" tcg && probe "$work/kvm" kvm && cmp "$work/tcg" "$work/kvm" 2> "$work/err"
    result $? "$name"
fi
