# kvmlab.sh [CASE...] - the cases of kvmlab.t, run by the lab's shell (busybox) as root.
cd /tmp || exit
lab=/lab
modprobe kvm-amd
run() { # ARCH-OPTIONS...: our program, with its own libraries
    timeout "${limit:-400}" $lab/lib/ld-linux-x86-64.so.2 --library-path $lab/lib $lab/myna -arch x86_64 -M pc \
        -display none "$@" < /dev/null
}

check() { # STATUS NAME
    if [ "$1" = 0 ]; then echo "LAB-OK $2"; else
        echo "LAB-FAIL $2"
        tail -n 15 out | sed 's/^/LAB-NOTE /'
    fi
}

corners() { # ACCELERATOR OUTPUT
    run -m 64M -accel "$1" -bios $lab/corners.bin -nodefaults -chardev "file,id=d,path=$2" \
        -device isa-debugcon,iobase=0xe9,chardev=d -device isa-debug-exit,iobase=0x501 > out 2>&1
    [ $? = 7 ]
}

same() {
    corners tcg said.tcg
    for chips in split on off; do
        corners "kvm,kernel-irqchip=$chips" said.kvm && cmp said.tcg said.kvm >> out 2>&1
        check $? "corners, kernel-irqchip=$chips: the same as on tcg"
    done
}

# QEMU's translator (7.2) now and then gives the guest of its guest wrong flags behind an interrupt
# between CPUs, after which Linux panics: such a boot is done again.
boot() { # NAME WORDS TEXT OPTION...: Debian's kernel to its end, with status 0
    local name=$1 words=$2 text=$3 try status
    shift 3
    for try in 1 2 3 4; do
        run -m 256M -accel "${accel:-kvm}" -no-reboot -nodefaults -serial stdio -kernel $lab/kernel \
            -initrd $lab/initrd.gz -append "console=ttyS0 quiet panic=-1 $words" "$@" > out 2>&1 &&
            grep -q "$text" out
        status=$?
        grep -q "Kernel panic" out || break
    done
    check $status "$name"
}

kernels() {
    truncate -s 8M disk
    boot "kernel, 1 CPU" myna.run=cpus,poweroff "cpus: 1"
    boot "kernel, 2 CPUs" myna.run=cpus,poweroff "cpus: 2" -smp 2
    boot "kernel, -cpu host" myna.run=cpus,poweroff "cpus: 1" -cpu host
    accel=kvm,kernel-irqchip=off
    boot "kernel, kernel-irqchip=off, 2 CPUs" myna.run=cpus,poweroff "cpus: 2" -smp 2
    accel=
    mke2fs -q disk 2> /dev/null || mkfs.ext2 disk > /dev/null 2>&1
    boot "virtio-blk and virtio-net" myna.run=net,disk,poweroff "MYNA-OK disk" \
        -drive file=disk,format=raw,if=none,id=d -device virtio-blk-pci,drive=d \
        -netdev user,id=n -device virtio-net-pci,netdev=n
    grep -q "MYNA-OK net" out
    check $? "virtio-net: an address by DHCP"
    boot "IDE and e1000" myna.run=cpus,poweroff "cpus: 1" -drive file=disk,format=raw \
        -netdev user,id=n -device e1000,netdev=n
}

probe() { # ACCELERATOR: our BIOS starts the boot sector that says what the BIOS tells it
    run -m 64M -accel "$1" -nodefaults -drive file=image,format=raw -device VGA \
        -device isa-debug-exit,iobase=0x501 -chardev "file,id=d,path=said.$1" \
        -device isa-debugcon,iobase=0xe9,chardev=d > out 2>&1
}

disks() {
    cp $lab/probe.bin image
    truncate -s 1M image
    probe tcg
    probe kvm
    [ -s said.tcg ] && cmp said.tcg said.kvm >> out 2>&1
    check $? "our BIOS boots a disk, and says what it says on tcg"
}

[ $# -gt 0 ] || set -- same kernels disks
for case; do
    "$case"
done
echo LAB-END
