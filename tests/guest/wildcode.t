#!/bin/bash
# Random code, in real mode, and in 32-bit and 64-bit code with devices' addresses in registers, can do what it
# likes: the monitor answers, the machine stops, is reset, goes on, and ends when told.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"

image() { # SEED: $work/wild-SEED.bin
    head -c 511 "$work/wild.bin" > "$work/wild-$1.bin"
    LC_ALL=C awk -v seed="$1" 'BEGIN {
        srand(seed)
        printf "%c", seed
        for (i = 512; i < 65520; i++)
            printf "%c", 1 + int(rand() * 255)
        printf "\352%c%c%c\360", 0, 0, 0
        for (i = 0; i < 11; i++)
            printf "%c", 0
    }' >> "$work/wild-$1.bin"
}

ended() { # PID: soon, or by force
    local i
    for ((i = 0; i < 300; i++)); do
        kill -0 "$1" 2> /dev/null || break
        sleep 0.1
    done
    [ $i -lt 300 ] || kill -9 "$1"
    wait
    [ $i -lt 300 ]
}

wild() { # SEED ACCELERATOR
    local failed='' pid
    start_vm "wild-$1" "$2" -device VGA -serial null || failed="it does not start"
    pid=$VM_PID
    for _ in 1 2 3; do
        sleep 0.1
        for request in '{"execute":"query-status"}' '{"execute":"stop"}' '{"execute":"system_reset"}' '{"execute":"cont"}'; do
            [ -n "$failed" ] || ask "$request" || [[ $request == *cont* ]] || failed="$request"
        done
        [ -n "$failed" ] || hmp "info registers" || failed="info registers"
    done
    ask '{"execute":"quit"}' 2> /dev/null # it may be gone before its answer is read
    ended "$pid" || failed=${failed:-it goes on}
    [ -z "$failed" ]
    result $? "$2, seed $1: it stays in hand${failed:+ ($failed)}"
}

build_image wild
accelerators=tcg
! has_kvm || accelerators="tcg kvm,kernel-irqchip=on kvm,kernel-irqchip=off"
for seed in 1 2 3 4 5 6; do
    image $seed
    for accelerator in $accelerators; do
        wild $seed "$accelerator"
    done
done
# A signal ends it, too.
start_vm wild-1 "${accelerators##* }"
pid=$VM_PID
kill "$pid"
ended "$pid"
result $? "SIGTERM ends it"
echo "1..$number"
