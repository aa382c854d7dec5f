#!/bin/bash
# What a guest has set in the interrupt controllers and the timer stays while the machine is stopped
# and looked at, and goes at a reset, wherever these chips are: tests/guest/x86/chips.S.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"

said() { # WORD COUNT: waits until the guest has said it so often
    local i
    for ((i = 0; i < 600; i++)); do
        [ "$(grep -c "^$1\$" "$work/said")" -ge "$2" ] && return 0
        sleep 0.1
    done
    return 1
}

chips() { # FILE: what the monitor shows of them, without what comes and goes, and the version
    hmp "info pic" &&
        sed 's/\\r\\n/\n/g; s/irr=[0-9a-f]*//g; s/ver=0x[0-9a-f]*//; s/sel=0x[0-9a-f]*//' <<< "$answer" |
        grep -E '^(pic|ioapic0|  pin)|pic0' > "$work/$1"
}

case_of() { # ACCELERATOR FILE
    local i
    start_vm chips "$1" && said set 1 && chips "$2"
    result $? "$1: the guest sets them"
    for i in 1 2 3 4 5 6 7 8; do
        ask '{"execute":"stop"}' && chips stopped && cmp "$work/$2" "$work/stopped" > "$work/err" &&
            ask '{"execute":"cont"}' && chips again && cmp "$work/$2" "$work/again" > "$work/err" || break
    done
    [ "$i" = 8 ] && sleep 0.2 && ! grep -q lost "$work/said"
    result $? "$1: they stay while it is stopped"
    ask '{"execute":"stop"}' && ask '{"execute":"system_reset"}' && chips reset && ! cmp -s "$work/$2" "$work/reset" &&
        ask '{"execute":"cont"}' && said set 2 && chips again && cmp "$work/$2" "$work/again" > "$work/err" &&
        ! grep -q lost "$work/said"
    result $? "$1: they go at a reset, and are set again"
    stop_vm
}

build_image chips
case_of tcg tcg
if has_kvm; then
    for place in on split off; do
        case_of "kvm,kernel-irqchip=$place" "$place"
        [ -s "$work/tcg" ] && cmp "$work/tcg" "$work/$place" > "$work/err"
        result $? "kvm,kernel-irqchip=$place: the monitor shows what it shows on tcg"
    done
    "$MYNA" -arch i386 -M pc -accel kvm -bios "$work/chips.bin" -display none -nodefaults -S -monitor stdio <<< quit \
        > "$work/out" 2> "$work/err" && ! grep -q warning "$work/err"
    result $? "kvm: where no model is named, one is taken that the host can give"
fi
echo "1..$number"
