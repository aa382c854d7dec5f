#!/bin/bash
# Virtio devices that are plugged in and taken out while three CPUs notify them over and over
# (tests/guest/x86/plug.S): a disk in an iothread, and a source of entropy in the main loop; on tcg
# and KVM. MYNA_CYCLES says how often.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"
cycles=${MYNA_CYCLES:-20}

add() { # OPTIONS of a device: once the one of before is gone
    local i
    for ((i = 0; i < 1200; i++)); do
        ask '{"execute":"device_add","arguments":{"id":"x","addr":"3",'"$1"'}}' && return
        [ -n "$vm_pid" ] || return
        sleep 0.05
    done
    return 1
}

come_and_go() { # OPTIONS
    local i
    for ((i = 0; i < cycles; i++)); do
        add "$1" && hmp "info registers -a" && ask '{"execute":"device_del","arguments":{"id":"x"}}' && continue
        echo "# $answer"
        return 1
    done
}

case_of() { # ACCELERATOR
    local i letters
    start_vm plug "$1" -smp 4 -object iothread,id=io -drive "if=none,id=d,format=raw,file=$work/disk"
    result $? "$1: runs"
    come_and_go '"driver":"virtio-blk-pci","drive":"d","iothread":"io"'
    result $? "$1: a disk in an iothread comes and goes $cycles times"
    come_and_go '"driver":"virtio-rng-pci"'
    result $? "$1: and a device of the main loop's"
    for ((i = 0; i < 300; i++)); do
        letters=$(tr -d '\0' < "$work/said" | fold -w 1 | LC_ALL=C sort -u | tr -d '\n')
        [ "$letters" != 0123 ] || break
        sleep 0.1
    done
    [ "$letters" = 0123 ]
    result $? "$1: all CPUs are at work"
    stop_vm
    result $? "$1: and it ends in peace"
    sed 's/^/# /' "$work/err"
}

build_image plug
head -c 1M /dev/zero > "$work/disk"
case_of tcg
! has_kvm || case_of kvm
echo "1..$number"
