#!/bin/bash
# No interrupt between CPUs is lost while the machine is stopped, goes on, and has its registers
# looked at from the monitor: tests/guest/x86/token.S.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"
rounds=${MYNA_ROUNDS:-25}

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
    start_vm token "$1" -smp 4 && goes_round
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
    stop_vm
}

build_image token
case_of tcg
if has_kvm; then
    for place in split on off; do
        case_of "kvm,kernel-irqchip=$place"
    done
fi
echo "1..$number"
