#!/bin/bash
# Nothing is lost while the machine is stopped, goes on, and has its registers looked at from the
# monitor: neither an interrupt that four CPUs hand round, two of which are halted
# (tests/guest/x86/token.S), nor anything of what four busy ones count (tests/guest/x86/busy.S).
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"
rounds=${MYNA_ROUNDS:-10}

goes_round() { # it comes again, and once more
    local i before
    before=$(wc -c < "$work/said")
    for ((i = 0; i < 300; i++)); do
        [ "$(wc -c < "$work/said")" -gt $((before + 1)) ] && return 0
        sleep 0.1
    done
    return 1
}

halted_case() { # ACCELERATOR
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

# Each CPU's interrupts, NMIs and ticks come, all twelve; no register has changed, and no time gone back.
all_come() {
    local i before letters
    before=$(wc -c < "$work/said")
    for ((i = 0; i < 300; i++)); do
        letters=$(tail -c +$((before + 1)) "$work/said" | fold -w 1 | LC_ALL=C sort -u | tr -d '\n')
        grep -q '[XY]' "$work/said" && break
        [ "$letters" = 0123ABCDabcd ] && return 0
        sleep 0.1
    done
    echo "# only '$letters' came"
    return 1
}

# $block[N]: words from 0x500 on; those of CPU N from 0x40 + 0x10 * N on
blocks() {
    hmp "xp /128xw 0x500" || return
    mapfile -t block < <(sed 's/.*"return": *"//; s/\\r\\n/\n/g; s/".*//' <<< "$answer" |
        sed 's/^[^:]*://' | grep -o '0x[0-9a-f]*')
    [ "${#block[@]}" = 128 ]
}

# What the CPUs have counted, while the machine is stopped: what was sent has come but for the last
# one, what all counted together is what each one counted, but for the one that it is at, and each
# one's register with its number is its own.
nothing_lost() {
    local n next sum=0 own all name sent got seen
    blocks && hmp "info registers -a" || return
    all=$((block[0]))
    for n in 0 1 2 3; do
        own=$((0x40 + 0x10 * n)) next=$((0x40 + 0x10 * ((n + 1) % 4)))
        sum=$((sum + block[own + 5]))
        for name in 0 2; do
            sent=$((block[own + name + 1])) got=$((block[next + name]))
            [ $((sent - got)) = 0 ] || [ $((sent - got)) = 1 ] ||
                { echo "# CPU $n sent $sent, $got came"; return 1; }
        done
    done
    [ $((sum - all)) -ge 0 ] && [ $((sum - all)) -le 4 ] || { echo "# $sum and $all loops"; return 1; }
    seen=$(grep -o 'EBP=[0-9a-f]*' <<< "$answer" | LC_ALL=C sort | tr '\n' ' ')
    [ "$seen" = "EBP=00005a5a EBP=01005a5a EBP=02005a5a EBP=03005a5a " ] || { echo "# $seen"; return 1; }
}

stands() { # nothing moves while the machine is stopped
    local before
    hmp "info registers -a" && before=$answer && blocks && set -- "${block[@]}" && blocks &&
        [ "$*" = "${block[*]}" ] && hmp "info registers -a" && [ "$answer" = "$before" ]
}

busy_case() { # ACCELERATOR
    local i
    start_vm busy "$1" -smp 4 && all_come
    result $? "$1: four CPUs are busy"
    for ((i = 0; i < rounds; i++)); do
        hmp "info registers -a" && hmp "info lapic" && hmp "info registers -a" || break
    done
    [ "$i" = "$rounds" ] && all_come
    result $? "$1: with all that they had, after registers were looked at"
    for ((i = 0; i < rounds; i++)); do
        ask '{"execute":"stop"}' && nothing_lost && ask '{"execute":"cont"}' || break
    done
    [ "$i" = "$rounds" ] && all_come
    result $? "$1: after the machine was stopped, too, and each time the counts agreed"
    ask '{"execute":"stop"}' && stands && ask '{"execute":"cont"}' && all_come
    result $? "$1: which do not move while it is stopped"
    stop_vm
}

build_image token
build_image busy
accelerators=(tcg)
has_kvm && accelerators+=(kvm,kernel-irqchip={split,on,off})
for accelerator in "${accelerators[@]}"; do
    halted_case "$accelerator"
    busy_case "$accelerator"
done
echo "1..$number"
