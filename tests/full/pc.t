#!/bin/bash
# Debian's kernels on the board pc: the one for clouds (64 bits) and the one of 32 bits for PAE.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/full/linux.sh
. "$top/tests/full/linux.sh"

kernel_cases() { # NAME
    prompt "$1: one CPU, to the shell's prompt"
    boot "$1: four CPUs" myna.run=cpus,poweroff "cpus: 4" -smp 4
    boot "$1: reboot ends it with -no-reboot" myna.run=reboot "MYNA-RUN reboot"
    boot "$1: interpreter" myna.run=cpus,poweroff "cpus: 1" -accel interp
    boot "$1: four CPUs on the interpreter" myna.run=cpus,poweroff "cpus: 4" -smp 4 -accel interp
    on_disk "$1: ext4 root over PCI" virtio-blk-pci
    download virtio-net-pci
}

# Whether the kernel's code begins where it is linked, as its own table of symbols says.
kernel_at() { # NAME WORDS TEXT
    local script='grep -q "^ffffffff81000000 T _text" /proc/kallsyms && echo "at home" || echo "moved"'
    boot "$1" "$2 myna.run=exec,poweroff myna.exec=$(base64 -w 0 <<< "$script")" "$3" -seed 1
}

guest i386 # both are needed
guest amd64 -arch x86_64 -M pc,accel=tcg -m 512M
echo 1..16
kernel_cases amd64
kernel_at "amd64: nokaslr: where it is linked" nokaslr "at home"
kernel_at "amd64: elsewhere by chance" "" moved
guest i386 -arch i386 -M pc,accel=tcg -m 512M
kernel_cases i386
