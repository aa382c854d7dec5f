#!/bin/bash
# NMIs that the monitor injects reach each CPU whose LINT1 takes them, end its HLT, and wait for the end of
# the one before, of which there is room for one: tests/guest/x86/nmi.S.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"

# says LETTERS: those, in any order, and no others come next; they are forgotten then
says() {
    local i got
    for ((i = 0; i < 100; i++)); do
        got=$(tail -c +$((seen + 1)) "$work/said" | fold -w 1 | LC_ALL=C sort | tr -d '\n')
        [ ${#got} -ge ${#1} ] && break
        sleep 0.05
    done
    sleep 0.1
    got=$(tail -c +$((seen + 1)) "$work/said" | fold -w 1 | LC_ALL=C sort | tr -d '\n')
    seen=$(wc -c < "$work/said")
    [ "$got" = "$1" ] || echo "# '$got' came, not '$1'"
    [ "$got" = "$1" ]
}

nmi_case() { # ACCELERATOR
    seen=0
    start_vm nmi "$1" -smp 4 && says r
    result $? "$1: four CPUs wait"
    ask '{"execute":"inject-nmi"}' && says 01ABCabc
    result $? "$1: inject-nmi reaches three of them, and wakes those that are halted"
    hmp nmi && says 01ABCabc
    result $? "$1: nmi does, too"
    hmp "o /b 0x84 1" && hmp nmi && says ABC && hmp nmi && says "" && hmp nmi && says ""
    result $? "$1: none gets into the handler of another"
    hmp "info registers -a" && hmp "o /b 0x84 0" && says 01ABCaabbcc
    result $? "$1: one waits for its end"
    ask '{"execute":"stop"}' && hmp nmi && says "" && ask '{"execute":"cont"}' && says 01ABCabc
    result $? "$1: one comes when the machine goes on"
    stop_vm
}

build_image nmi
accelerators=(tcg interp)
has_kvm && accelerators+=(kvm,kernel-irqchip={split,on,off})
for accelerator in "${accelerators[@]}"; do
    nmi_case "$accelerator"
done
echo "1..$number"
