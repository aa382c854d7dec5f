#!/bin/bash
# Functions that are plugged into the PC's PCI slots while Debian runs, and taken out again: its
# kernel is told through ACPI, drives the disk and the network card, and lets them go.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/full/linux.sh
. "$top/tests/full/linux.sh"

# What the guest does: waits for each change, and says what it sees.
guest_script() {
    cat << 'END'
for m in virtio_pci virtio_blk virtio_net; do modprobe $m; done
await() { i=0; while ! "$@" && [ $i -lt 600 ]; do sleep 0.1; i=$((i + 1)); done; }
gone() { [ ! -e "$1" ]; }
echo STEP-1
await test -e /sys/block/vda; sha256sum < /dev/vda
echo STEP-2
await test -e /sys/class/net/eth0
udhcpc -q -n -f -i eth0 -s /etc/udhcpc && echo "has $(cat /sys/class/net/eth0/device/../vendor)"
echo STEP-3
await gone /sys/block/vda; await gone /sys/class/net/eth0
echo "left: $(ls /sys/block /sys/class/net | grep -c -e vda -e eth0)"
echo STEP-4
END
}

# step N COMMAND...: when the guest has come so far
step() {
    local n=$1
    shift
    for _ in $(seq "$limit"); do
        grep -qaF "STEP-$n" "$work/out" && break
        sleep 1
    done
    printf '%s\n' "$@" >&7 2> /dev/null
}

plugs() { # NAME OPTION...
    local name=$1 hash
    shift
    head -c 1M /dev/urandom > "$work/disk"
    hash=$(sha256sum < "$work/disk")
    rm -f "$work/keys"
    mkfifo "$work/keys"
    : > "$work/out"
    timeout "$limit" "$MYNA" "${machine[@]}" "$@" -nic none -display none -no-reboot \
        -serial file:"$work/out" -monitor stdio -netdev user,id=n \
        -drive if=none,id=d,format=raw,file="$work/disk" -append "console=ttyS0 quiet \
myna.run=exec,poweroff myna.exec=$(guest_script | base64 -w 0)" < "$work/keys" > "$work/mon" 2>&1 &
    exec 7> "$work/keys"
    step 1 "device_add virtio-blk-pci,drive=d,id=x"
    step 2 "device_add virtio-net-pci,netdev=n,id=y"
    step 3 "device_del x" "device_del y"
    step 4
    wait $!
    exec 7>&-
    says "$hash" "has 0x1af4" "left: 0" "Power down"
    result $? "$name: a disk and a network card come and go"
}

guest i386 # both are needed
guest amd64 -arch x86_64 -M pc,accel=tcg -m 512M
trap "" PIPE # keys for a machine that has ended
echo 1..3
plugs amd64 "${linux[@]}"
plugs "amd64, our BIOS" "${linux[@]}" -bios default -smp 2
guest i386 -arch i386 -M pc,accel=tcg -m 512M
plugs i386 "${linux[@]}"
