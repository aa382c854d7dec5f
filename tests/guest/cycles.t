#!/bin/bash
# Stops, resets and looks at registers, over and over, leave no descriptor, no thread and no memory
# behind, and four busy CPUs (tests/guest/x86/busy.S) at work; on the translator and on KVM, where
# there is one, wherever interrupt controllers are. MYNA_CYCLES says how many. What a whole machine
# leaves behind is tests/unit/test-machine-lives.c.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"
cycles=${MYNA_CYCLES:-60}
warm_up=40

cycle() { # COUNT: every other one without a reset, so that the CPUs get on
    local i
    for ((i = 0; i < $1; i++)); do
        ask '{"execute":"stop"}' && ask '{"execute":"cont"}' && hmp "info registers -a" || return
        [ $((i % 2)) = 0 ] || ask '{"execute":"system_reset"}' || return
    done
}

works() { # after a reset all four CPUs send and get interrupts and NMIs, and their timers tick
    local i letters
    ask '{"execute":"stop"}' && ask '{"execute":"system_reset"}' && : > "$work/said" &&
        ask '{"execute":"cont"}' || return
    for ((i = 0; i < 300; i++)); do
        letters=$(tr -d '\0' < "$work/said" | fold -w 1 | LC_ALL=C sort -u | tr -d '\n')
        [ "$letters" = 0123ABCDabcd ] && return 0
        sleep 0.1
    done
    echo "# only '$letters' came"
    return 1
}

held() { # what the process has: descriptors, threads, mappings of /dev/kvm's
    echo "$(ls "/proc/$VM_PID/fd" | wc -l) descriptors, $(ls "/proc/$VM_PID/task" | wc -l) threads," \
        "$(grep -c kvm "/proc/$VM_PID/maps") of KVM's mappings"
}

private() { # KiB of memory that is no file's
    sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$VM_PID/status"
}

case_of() { # ACCELERATOR KIB, by which memory may grow
    local before after kib
    start_vm busy "$1" -smp 4 && cycle "$warm_up"
    result $? "$1: runs, stops and resets"
    before=$(held)
    kib=$(private)
    cycle "$cycles"
    result $? "$1: $cycles times more"
    after=$(held)
    [ "$before" = "$after" ]
    result $? "$1: $before, and then $after"
    after=$(private)
    [ "$after" -le $((kib + $2)) ]
    result $? "$1: $kib KiB, and then $after: no more than $2 grown"
    works
    result $? "$1: and works"
    stop_vm
    result $? "$1: and ends in peace"
    sed 's/^/# /' "$work/err"
}

build_image busy
case_of tcg,tb-size=8 2048 # each reset has some code translated anew, until there is no more room
if has_kvm; then
    for place in split on off; do
        case_of "kvm,kernel-irqchip=$place" 512
    done
fi
echo "1..$number"
