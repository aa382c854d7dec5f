#!/bin/bash
# Debian's riscv64 kernel on the board virt: harts, firmwares, disks, network, ways to end.
# Each case is one boot whose init does what myna.run says (scripts/guest/init).
top=$(cd "$(dirname "$0")/../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
server=
trap 'rm -rf "$work"; [ -z "$server" ] || kill "$server" 2> /dev/null' EXIT
limit=${MYNA_TEST_LIMIT:-300}

if ! why=$("$top/scripts/fetch-guest" --rootfs riscv64 2>&1); then
    echo "1..0 # SKIP $why"
    exit 0
fi
guest=${MYNA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/myna}/riscv64
opensbi=/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.elf
uboot=/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf
linux=(-kernel "$guest/Image" -initrd "$guest/initrd.gz")
number=0

result() { # STATUS NAME
    [ "$1" = 0 ] || printf 'not '
    echo "ok $((number += 1)) - $2"
    [ "$1" = 0 ] || tail -n 20 "$work/out" | tr -d '\r\033' | sed 's/^/# /'
}

run() { # OPTION...: a boot to its end; the console's text ends up in $work/out
    timeout "$limit" "$MYNA" -arch riscv64 -M virt -m 512M -nographic -no-reboot "$@" \
        > "$work/out" 2>&1 < /dev/null
}

says() { # TEXT...: each is in the output
    for text; do grep -qaF -- "$text" "$work/out" || return 1; done
}

boot() { # NAME WORDS TEXT OPTION...: boots with WORDS, says TEXT, ends with status 0
    local name=$1 words=$2 text=$3
    shift 3
    run "${linux[@]}" -append "console=ttyS0 quiet $words" "$@" && says MYNA-UP "$text"
    result $? "$name"
}

on_disk() { # NAME DEVICE: write inside, check the file's hash and the file system outside
    local hash
    cp "$guest/rootfs.ext4" "$work/disk"
    run "${linux[@]}" -append "console=ttyS0 quiet root=/dev/vda myna.run=exec myna.exec=$script" \
        -drive "file=$work/disk,format=raw,if=none,id=d0" -device "$2,drive=d0" &&
        hash=$(tr -d '\r' < "$work/out" | sed -n 's,^\([0-9a-f]*\)  /written$,\1,p') &&
        [ -n "$hash" ] && [ "$(debugfs -R 'cat /written' "$work/disk" 2> /dev/null |
        sha256sum | cut -d ' ' -f 1)" = "$hash" ] && e2fsck -fn "$work/disk" >> "$work/out" 2>&1
    result $? "$1"
}

echo 1..13
script=$(printf '%s\n' 'dd if=/dev/urandom of=/written bs=64k count=100' 'sha256sum /written' \
    'grep -c " / ext4 " /proc/mounts' | base64 -w 0)

boot "one hart, power off" myna.run=cpus,poweroff "cpus: 1" -smp 1
boot "four harts" myna.run=cpus,poweroff "cpus: 4" -smp 4
boot "reboot ends it with -no-reboot" myna.run=reboot "MYNA-RUN reboot"
boot "four harts on the interpreter" myna.run=cpus,poweroff "cpus: 4" -smp 4 -accel interp

if [ -e "$opensbi" ]; then
    boot "OpenSBI" myna.run=cpus,poweroff OpenSBI -bios "$opensbi"
    boot "OpenSBI, four harts" myna.run=cpus,poweroff "cpus: 4" -bios "$opensbi" -smp 4
else
    for name in "OpenSBI" "OpenSBI, four harts"; do
        echo "ok $((number += 1)) - $name # SKIP no package opensbi"
    done
fi

on_disk "ext4 root over MMIO" virtio-blk-device
on_disk "ext4 root over PCI" virtio-blk-pci

mkdir "$work/www"
head -c 64M /dev/urandom > "$work/www/data"
hash=$(sha256sum < "$work/www/data" | cut -d ' ' -f 1)
python3 -u -m http.server -d "$work/www" -b 127.0.0.1 0 > "$work/server" 2>&1 &
server=$!
for _ in $(seq 100); do
    port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$work/server")
    [ -z "$port" ] || break
    sleep 0.1
done
for device in virtio-net-device virtio-net-pci; do
    boot "64 MiB through the user network, $device" \
        "myna.run=get,poweroff myna.url=http://10.0.2.2:$port/data" "$hash" \
        -netdev user,id=n0 -device "$device,netdev=n0"
done

# U-Boot finds the kernel on a disk, by its extlinux.conf.
if [ -e "$uboot" ] && [ -e "$opensbi" ]; then
    mkdir -p "$work/boot/extlinux"
    cp "$guest/Image" "$guest/initrd.gz" "$work/boot/"
    printf '%s\n' 'default a' 'timeout 1' 'label a' ' kernel /Image' ' initrd /initrd.gz' \
        ' append console=ttyS0 quiet myna.run=cpus,poweroff' > "$work/boot/extlinux/extlinux.conf"
    mke2fs -q -t ext4 -d "$work/boot" -E offset=1048576 "$work/disk" 96M > "$work/log" 2>&1
    truncate -s 97M "$work/disk"
    # one active partition of type 83, 196608 sectors from sector 2048
    printf '\x80\0\0\0\x83\0\0\0\0\x08\0\0\0\0\x03\0' |
        dd of="$work/disk" bs=1 seek=446 conv=notrunc status=none
    printf '\x55\xaa' | dd of="$work/disk" bs=1 seek=510 conv=notrunc status=none
    for harts in 1 4; do
        run -bios "${opensbi/jump/dynamic}" -kernel "$uboot" -smp "$harts" \
            -drive "file=$work/disk,format=raw,if=none,id=d0" -device virtio-blk-device,drive=d0 &&
            says U-Boot MYNA-UP "cpus: $harts"
        result $? "U-Boot, $harts harts"
    done
else
    for harts in 1 4; do
        echo "ok $((number += 1)) - U-Boot, $harts harts # SKIP no package u-boot-qemu"
    done
fi

# What the guest is told of the time is this machine's.
# shellcheck disable=SC2016 # the guest's shell expands it
script=$(echo 'echo "now $(date +%s)"' | base64 -w 0)
before=$(date +%s)
run "${linux[@]}" -append "console=ttyS0 quiet myna.run=exec,poweroff myna.exec=$script" &&
    now=$(tr -d '\r' < "$work/out" | sed -n 's/^now //p') &&
    [ "$now" -ge "$before" ] && [ "$now" -le "$(date +%s)" ]
result $? "the time of day"
