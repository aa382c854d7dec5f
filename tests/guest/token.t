#!/bin/bash
# No interrupt between CPUs is lost while the machine is stopped, goes on, and has its registers
# looked at from the monitor: tests/guest/x86/token.S.
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap '[ -z "$VM_PID" ] || kill "$VM_PID" 2> /dev/null; rm -rf "$work"' EXIT
source=$top/tests/guest/x86/token.S
rounds=${MYNA_ROUNDS:-25}
cc=${CC:-gcc}
number=0

result() { # STATUS NAME
    [ "$1" = 0 ] || printf 'not '
    echo "ok $((number += 1)) - $2"
}

ask() { # COMMAND: until it is answered
    local answer
    echo "$1" >&"${VM[1]}" || return
    while read -r -t 60 answer <&"${VM[0]}"; do
        case $answer in
        *'"return"'*) return 0 ;;
        *'"error"'*) return 1 ;;
        esac
    done
    return 1
}

hmp() {
    ask '{"execute":"human-monitor-command","arguments":{"command-line":"'"$1"'"}}'
}

goes_round() { # it comes again, and once more
    local i before
    before=$(wc -c < "$work/said")
    for ((i = 0; i < 300; i++)); do
        [ "$(wc -c < "$work/said")" -gt $((before + 1)) ] && return 0
        sleep 0.1
    done
    return 1
}

case_of() { # ACCELERATOR
    local i
    : > "$work/said"
    coproc VM { exec "$MYNA" -arch x86_64 -M pc -m 32M -smp 4 -accel "$1" -bios "$work/token.bin" -display none \
        -nodefaults -qmp stdio -chardev "file,id=d,path=$work/said" -device isa-debugcon,iobase=0xe9,chardev=d \
        2> "$work/err"; }
    ask '{"execute":"qmp_capabilities"}' && goes_round
    result $? "$1: an interrupt goes round four CPUs"
    for ((i = 0; i < rounds; i++)); do
        hmp "info registers -a" && hmp "info lapic" && hmp "info registers -a" || break
    done
    [ "$i" = "$rounds" ] && goes_round
    result $? "$1: still, after registers were looked at"
    for ((i = 0; i < rounds; i++)); do
        ask '{"execute":"stop"}' && hmp "info registers -a" && ask '{"execute":"cont"}' || break
    done
    [ "$i" = "$rounds" ] && goes_round
    result $? "$1: still, after the machine was stopped"
    ask '{"execute":"quit"}'
    wait
}

if ! { "$cc" -m32 -c -o "$work/token.o" "$source" &&
    ld -m elf_i386 -Ttext=0 -e start --oformat binary -o "$work/token.bin" "$work/token.o"; } 2> "$work/err"; then
    echo "1..0 # SKIP no assembler for i386"
    exit 0
fi
case_of tcg
if [ "$(uname -m)" = x86_64 ] && [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
    for place in split on off; do
        case_of "kvm,kernel-irqchip=$place"
    done
fi
echo "1..$number"
