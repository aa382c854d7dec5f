#!/bin/bash
# A kernel that wants page tables of five levels is started with them where the CPU has them, whoever
# runs it; a host's KVM may have fewer features than the model that was asked for.
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0

run() { # ACCELERATOR CPU WORDS: prints the status
    timeout 60 "$MYNA" -arch x86_64 -M pc -m 64M -accel "$1" -cpu "$2" -kernel "$work/kernel" -append "$3" \
        -display none -nodefaults -device isa-debug-exit,iobase=0x501 > "$work/err" 2>&1
    echo $?
}

expect() { # NAME STATUS... -- ACCELERATOR CPU WORDS
    local name=$1 wanted=" " got
    shift
    while [ "$1" != -- ]; do wanted+="$1 " && shift; done
    shift
    got=$(run "$@")
    [[ $wanted = *" $got "* ]] || printf 'not '
    echo "ok $((number += 1)) - $name"
    [[ $wanted = *" $got "* ]] || sed "s/^/# status $got: /" "$work/err"
}

if ! { "${CC:-gcc}" -c -o "$work/kernel.o" "$top/tests/guest/x86/la57.S" &&
    ld -Ttext=0 -e start --oformat binary -o "$work/kernel" "$work/kernel.o"; } 2> "$work/err"; then
    echo "1..0 # SKIP no assembler for x86_64"
    exit 0
fi
echo 1..4
expect "tcg, a CPU with five levels" 3 -- tcg max ""
expect "tcg, a CPU without" 1 -- tcg qemu64 ""
expect "tcg, four levels on wish" 1 -- tcg max no5lvl
if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
    expect "kvm, as many as its CPU says" 1 3 -- kvm max ""
else
    echo "ok 4 - kvm, as many as its CPU says # SKIP no /dev/kvm"
fi
