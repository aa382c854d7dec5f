#!/bin/bash
# Debian's riscv64 kernel on the board virt: harts, firmwares, disks, network, ways to end.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/full/linux.sh
. "$top/tests/full/linux.sh"

guest riscv64 -arch riscv64 -M virt -m 512M
opensbi=/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.elf
uboot=/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf

echo 1..18
boot "one hart, power off" myna.run=cpus,poweroff "cpus: 1" -smp 1
boot "four harts" myna.run=cpus,poweroff "cpus: 4" -smp 4
boot "reboot ends it with -no-reboot" myna.run=reboot "MYNA-RUN reboot"
reboots "reboot boots again"
boot "one hart on the interpreter" myna.run=cpus,poweroff "cpus: 1" -accel interp
boot "four harts on the interpreter" myna.run=cpus,poweroff "cpus: 4" -smp 4 -accel interp

if [ -e "$opensbi" ]; then
    boot "OpenSBI" myna.run=cpus,poweroff OpenSBI -bios "$opensbi"
    boot "OpenSBI, four harts" myna.run=cpus,poweroff "cpus: 4" -bios "$opensbi" -smp 4
    for harts in 1 4; do
        boot "OpenSBI on the interpreter, $harts harts" myna.run=cpus,poweroff "cpus: $harts" \
            -bios "$opensbi" -smp "$harts" -accel interp
    done
else
    for name in "OpenSBI" "OpenSBI, four harts" "on the interpreter, 1" "on the interpreter, 4"; do
        echo "ok $((number += 1)) - $name # SKIP no package opensbi"
    done
fi

on_disk "ext4 root over MMIO" virtio-blk-device
on_disk "ext4 root over PCI" virtio-blk-pci

download virtio-net-device
download virtio-net-pci

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
    for how in "1 tcg" "4 tcg" "1 interp"; do
        run -bios "${opensbi/jump/dynamic}" -kernel "$uboot" -smp "${how% *}" -accel "${how#* }" \
            -drive "file=$work/disk,format=raw,if=none,id=d0" -device virtio-blk-device,drive=d0 &&
            says U-Boot MYNA-UP "cpus: ${how% *}"
        result $? "U-Boot, $how"
    done
else
    for how in "1 tcg" "4 tcg" "1 interp"; do
        echo "ok $((number += 1)) - U-Boot, $how # SKIP no package u-boot-qemu"
    done
fi

# What the guest is told of the time is this machine's; Linux adds half a second to what its clock says.
# shellcheck disable=SC2016 # the guest's shell expands it
script=$(echo 'echo "now $(date +%s)"' | base64 -w 0)
before=$(date +%s)
run "${linux[@]}" -append "console=ttyS0 quiet myna.run=exec,poweroff myna.exec=$script" &&
    now=$(tr -d '\r' < "$work/out" | sed -n 's/^now //p') &&
    [ "$now" -ge "$before" ] && [ "$now" -le "$(($(date +%s) + 1))" ]
result $? "the time of day"
