#!/bin/bash
# Stops, resets and looks at registers, over and over, leave no descriptor, no thread and no memory
# behind, on the translator and on KVM where there is one. MYNA_CYCLES says how many.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cycles=${MYNA_CYCLES:-60}
number=0

result() { # STATUS NAME
    [ "$1" = 0 ] || printf 'not '
    echo "ok $((number += 1)) - $2"
}

ask() { # COMMAND: until it is answered
    local line
    echo "$1" >&"${VM[1]}" || return
    while read -r -t 60 line <&"${VM[0]}"; do
        case $line in
        *'"return"'*) return 0 ;;
        *'"error"'*) return 1 ;;
        esac
    done
    return 1
}

cycle() { # COUNT
    local i
    for ((i = 0; i < $1; i++)); do
        ask '{"execute":"stop"}' && ask '{"execute":"cont"}' && ask '{"execute":"system_reset"}' &&
            ask '{"execute":"human-monitor-command","arguments":{"command-line":"info registers -a"}}' || return
    done
}

held() { # what the process has: descriptors and threads
    echo "$(ls "/proc/$VM_PID/fd" | wc -l) descriptors, $(ls "/proc/$VM_PID/task" | wc -l) threads"
}

resident() { # KiB
    sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$VM_PID/status"
}

case_of() { # ACCELERATOR
    local before after kib
    coproc VM { exec "$MYNA" -arch x86_64 -M pc -m 32M -smp 4 -accel "$1" -bios "$work/spin.bin" \
        -display none -nodefaults -qmp stdio 2> "$work/err"; }
    ask '{"execute":"qmp_capabilities"}' && cycle 20
    result $? "$1: runs, stops and resets"
    before=$(held)
    kib=$(resident)
    cycle "$cycles"
    result $? "$1: $cycles times more"
    after=$(held)
    [ "$before" = "$after" ]
    result $? "$1: $before, and then $after"
    [ "$(resident)" -le $((kib + 2048)) ]
    result $? "$1: no more than 2 MiB grown"
    ask '{"execute":"quit"}'
    wait "$VM_PID"
}

# A BIOS that counts for ever: inc %eax; jmp, from the reset vector on.
{ head -c 65520 /dev/zero; printf '\x66\x40\xeb\xfc'; head -c 12 /dev/zero; } > "$work/spin.bin"
accels=tcg
[ "$(uname -m)" = x86_64 ] && [ -r /dev/kvm ] && [ -w /dev/kvm ] && accels="tcg kvm kvm,kernel-irqchip=on"
for accel in $accels; do
    case_of "$accel"
done
echo "1..$number"
