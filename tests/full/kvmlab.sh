# kvmlab.sh [CASE...] - the cases of kvmlab.t, run by the lab's shell (busybox) as root. /lab has
# what it brought: our program, kernels, firmware, gdb.
cd /tmp || exit
export HOME=/tmp
lab=/lab
modprobe kvm-amd
loader="$lab/lib/ld-linux-x86-64.so.2 --library-path $lab/lib"

run() { # OPTION...: our program, with its own libraries
    timeout "${limit:-600}" $loader $lab/myna -arch x86_64 -M pc -display none "$@" < /dev/null
}

check() { # STATUS NAME
    if [ "$1" = 0 ]; then echo "LAB-OK $2"; else
        echo "LAB-FAIL $2"
        tail -n 200 out | sed 's/^/LAB-NOTE /'
    fi
}

# ---- a guest of its own (tests/guest/x86/corners.S) ----

corners() { # ACCELERATOR OUTPUT
    run -m 64M -accel "$1" -bios $lab/corners.bin -nodefaults -chardev "file,id=d,path=$2" \
        -device isa-debugcon,iobase=0xe9,chardev=d -device isa-debug-exit,iobase=0x501 > out 2>&1
    [ $? = 7 ]
}

# The other one, of BITS (tests/guest/x86/corners/); "~" marks lines of what is not always there,
# "=" those of what the lab's CPU or KVM does its own way. A guest's guest that writes CR8 ends QEMU (11.1).
more() { # BITS ACCELERATOR OUTPUT
    run -m 64M -smp 2 -cpu qemu64,+x2apic,+tsc-deadline -accel "$2" -kernel $lab/corners$1 -append "no-cr8 no-cr3" -nodefaults -no-reboot \
        -device VGA -serial null -chardev "file,id=d,path=$3" -device isa-debugcon,iobase=0xe9,chardev=d \
        -device isa-debug-exit,iobase=0x501 > out 2>&1
    grep -v '^=' $3 > $3.all
    grep -v '^~' $3.all > $3
}

more_same() { # BITS
    local chips
    limit=100
    more $1 tcg said.tcg
    for chips in split on off; do
        more $1 "kvm,kernel-irqchip=$chips" said.kvm
        [ $chips = off ] || cp said.kvm.all said.kvm
        [ $chips = off ] || cp said.tcg.all said.tcg
        [ $chips != off ] || grep -v '^~' said.tcg.all > said.tcg
        diff said.tcg said.kvm > differ && grep -q '^end$' said.kvm
        status=$?
        grep 'cannot go on' out > why
        head -n 200 differ | cat why - | cut -c 1-150 > out
        check $status "corners, $1 bits, kernel-irqchip=$chips: the same as on tcg"
    done
    limit=
}

image() { # NAME ACCELERATOR OUTPUT
    run -m 32M -accel "$2" -bios $lab/$1.bin -nodefaults -chardev "file,id=d,path=$3" \
        -device isa-debugcon,iobase=0xe9,chardev=d -device isa-debug-exit,iobase=0x501 > out 2>&1
    [ $? = 7 ]
}

image_same() { # NAME TEXT
    local chips
    limit=100
    image $1 tcg said.tcg
    for chips in split on off; do
        image $1 "kvm,kernel-irqchip=$chips" said.kvm && diff said.tcg said.kvm >> out 2>&1
        check $? "$2, kernel-irqchip=$chips: the same as on tcg"
    done
    limit=
}

corners64() {
    more_same 64
}

corners32() {
    more_same 32
}

same() {
    image_same smm "system management mode"
    image_same resets "five ways to reset"
    corners tcg said.tcg
    for chips in split on off; do
        corners "kvm,kernel-irqchip=$chips" said.kvm && cmp said.tcg said.kvm >> out 2>&1
        check $? "corners, kernel-irqchip=$chips: the same as on tcg"
    done
}

# ---- Debian's kernel ----

linux() { # WORDS OPTION...: to its end; the console is in out
    local words=$1
    shift
    run -m 256M -accel "${accel:-kvm}" -no-reboot -nodefaults -serial stdio -kernel "${kernel:-$lab/kernel}" \
        -initrd "${initrd:-$lab/initrd.gz}" -append "console=ttyS0 quiet panic=-1 $words" "$@" > out 2>&1
}

boot() { # NAME WORDS TEXT OPTION...: ends with status 0, and has said TEXT
    local name=$1 words=$2 text=$3
    shift 3
    linux "$words" "$@" && grep -q "$text" out
    check $? "$name"
}

kernels() {
    boot "kernel, 1 CPU" myna.run=cpus,poweroff "cpus: 1"
    boot "kernel, -cpu host" myna.run=cpus,poweroff "cpus: 1" -cpu host
    for chips in split on off; do
        accel=kvm,kernel-irqchip=$chips
        boot "kernel, 2 CPUs, kernel-irqchip=$chips" myna.run=cpus,poweroff "cpus: 2" -smp 2
    done
    accel=
}

encode() { # SCRIPT: for myna.exec=
    printf '%s' "$1" | base64 | tr -d '\n'
}

# The kernel for clouds has no driver for e1000: the one for all machines has.
devices() {
    local chips read
    truncate -s 8M disk
    mke2fs -F disk > out 2>&1
    read=$(encode "dd if=/dev/sda bs=64k count=16 2> /dev/null | sha256sum")
    dd if=$lab/kernel of=ide bs=64k count=16 2> /dev/null
    ip link set lo up
    httpd -p 127.0.0.1:8080 -h .
    for chips in split on; do
        accel=kvm,kernel-irqchip=$chips
        boot "virtio-blk, kernel-irqchip=$chips" myna.run=net,disk,poweroff "MYNA-OK disk" \
            -drive file=disk,format=raw,if=none,id=d -device virtio-blk-pci,drive=d \
            -netdev user,id=n -device virtio-net-pci,netdev=n
        grep -q "MYNA-OK net" out
        check $? "virtio-net, kernel-irqchip=$chips: an address by DHCP"
        boot "virtio-blk in an iothread, kernel-irqchip=$chips" "myna.run=exec,poweroff myna.exec=$(encode \
            "dd if=/dev/vda bs=64k count=16 2> /dev/null | sha256sum")" "$(sha256sum ide | cut -d ' ' -f 1)" \
            -object iothread,id=io -drive file=ide,format=raw,if=none,id=d -device virtio-blk-pci,drive=d,iothread=io
        boot "virtio-net in an iothread, kernel-irqchip=$chips" \
            "myna.run=get,poweroff myna.url=http://10.0.2.2:8080/ide" "$(sha256sum ide | cut -d ' ' -f 1)" \
            -object iothread,id=io -netdev user,id=n -device virtio-net-pci,netdev=n,iothread=io
        kernel=$lab/kernel-all initrd=$lab/initrd-all.gz
        boot "IDE, kernel-irqchip=$chips" "myna.run=net,exec,poweroff myna.exec=$read" \
            "$(sha256sum ide | cut -d ' ' -f 1)" -drive file=ide,format=raw -netdev user,id=n -device e1000,netdev=n
        grep -q "MYNA-OK net" out
        check $? "e1000, kernel-irqchip=$chips: an address by DHCP"
        kernel='' initrd=''
    done
    accel=
}

# What tests/full/kvmlab.work prints is what it printed on the translator, outside of the lab.
work() {
    linux "myna.run=exec,poweroff myna.exec=$(encode "$(cat $lab/work)")"
    tr -d '\r' < out | sed -n '/^WORK-BEGIN/,/^WORK-END/p' > said.kvm
    [ "$(wc -l < $lab/work.said)" -ge 8 ] && cmp $lab/work.said said.kvm >> out 2>&1
    check $? "the same work says the same as on tcg"
}

# ---- disks ----

probe() { # ACCELERATOR OPTION...: firmware starts the boot sector that says what it was told
    local accel=$1
    shift
    run -m 64M -accel "$accel" -nodefaults -drive file=image,format=raw -device VGA \
        -device isa-debug-exit,iobase=0x501 -chardev "file,id=d,path=said.$accel" \
        -device isa-debugcon,iobase=0xe9,chardev=d "$@" > out 2>&1
}

probes() { # NAME OPTION...
    local name=$1
    shift
    cp $lab/probe.bin image
    truncate -s 1M image
    rm -f said.tcg said.kvm
    probe tcg "$@"
    probe kvm "$@"
    [ -s said.tcg ] && cmp said.tcg said.kvm >> out 2>&1
    check $? "$name boots a disk, and says what it says on tcg"
}

disks() {
    probes "our BIOS"
    probes SeaBIOS -bios $lab/seabios.bin
}

# ---- Hyper-V's interface, which not every host has (tests/guest/x86/hyperv.S) ----

enlightened=hv_relaxed,hv_vapic,hv_spinlocks=0x1fff,hv_vpindex,hv_runtime,hv_synic,hv_stimer,hv_reset,hv_time,hv_crash
enlightened=$enlightened,hv_frequencies,hv_tlbflush,hv_ipi

hyperv_start() { # OPTION...: what it says is in said
    rm -f serial.* monitor.* qtest.* said
    mkfifo serial.in serial.out monitor.in monitor.out qtest.in qtest.out
    touch said
    (limit=200 && run -m 32M -smp 2 -cpu "qemu64,$enlightened" -bios $lab/hyperv.bin -nodefaults \
        -chardev pipe,id=s,path=serial -serial chardev:s -chardev pipe,id=m,path=monitor -mon m -chardev file,id=d,path=said \
        -chardev pipe,id=q,path=qtest -qtest chardev:q -device isa-debugcon,iobase=0xe9,chardev=d \
        -device isa-debug-exit,iobase=0x501 "$@" > out 2>&1) &
    exec 6<> serial.in 7<> monitor.in 8<> qtest.in 9<> qtest.out
}

hyperv_ask() { # COMMAND: the answer
    echo "$1" >&8
    head -n 1 <&9 | sed 's/^OK *//'
}

# It uses the interface; then its state goes on in another process.
hyperv() {
    local chips i state memory
    for chips in split on; do
        hyperv_start -accel "kvm,kernel-irqchip=$chips"
        for i in $(seq 100); do
            grep -q '^set' said && break
            sleep 1
        done
        echo stop >&7
        sleep 3
        state=$(hyperv_ask savestate)
        memory=$(hyperv_ask 'b64read 0 0x10000')
        echo quit >&7
        wait
        cp said before
        cat said >> out
        grep -q '^set' before && ! grep -q '^no' before && [ "$(grep -c '^[pcrt]' before)" = 4 ] && grep -q '^index 00000001' before
        check $? "Hyper-V's interface, kernel-irqchip=$chips: pages, counter, VP index, timer"
        hyperv_start -accel "kvm,kernel-irqchip=$chips" -S
        hyperv_ask "b64write 0 0x10000 $memory" > /dev/null
        hyperv_ask "loadstate $state" > /dev/null
        echo cont >&7
        printf x >&6
        wait
        cat said >> out
        [ "$(tr -d ' ' < said | tr '\n' ' ')" = "$hyperv_msrs" ]
        check $? "Hyper-V's interface, kernel-irqchip=$chips: its MSRs go on in another process"
    done
    rm serial.* monitor.* qtest.*
    # Linux prefers KVM's interface where it sees both.
    boot "Hyper-V's interface: Linux works by it" poweroff "Hypervisor detected: Microsoft Hyper-V" -smp 2 \
        -cpu "host,kvm=off,$enlightened" -append "console=ttyS0 panic=-1 myna.run=poweroff"
}
hyperv_msrs="400000000000000000001234 400000010000000000009001 40000021000000000000a001 400000800000000000000001 \
40000083000000000000b001 400000910000000000010000 400000920000000000000050 400000b00000000000020008 \
400000b20000000000020003 400000b3000000007fffffff "

# ---- which pages were written (tests/guest/x86/picture.S) ----

drawing() { # ACCELERATOR FOLDER: the display after each step, asked for by serial port
    mkdir -p $2
    rm -f serial.in serial.out monitor.in said
    mkfifo serial.in serial.out monitor.in
    touch said
    limit=300
    (run -m 32M -accel "$1" -bios $lab/picture.bin -nodefaults -device VGA -chardev pipe,id=s,path=serial \
        -serial chardev:s -chardev pipe,id=m,path=monitor -mon m -chardev file,id=d,path=said \
        -device isa-debugcon,iobase=0xe9,chardev=d > out 2>&1) &
    exec 8<> serial.in 9<> monitor.in
    for n in 1 2 3 4 5; do
        printf x >&8
        for i in $(seq 60); do
            [ "$(tr -d -c bp < said | wc -c)" -ge $n ] && break
            sleep 1
        done
        rm -f shot
        echo "screendump shot" >&9
        for i in $(seq 20); do
            sleep 1
            [ -s shot ] && break
        done
        sleep 1
        cp shot $2/$n
    done
    echo quit >&9
    wait
    exec 8>&- 9>&-
    limit=
}

drawings() {
    mkfifo monitor.out
    drawing tcg drawn.tcg
    for how in kvm kvm,dirty-ring-size=4096; do
        drawing $how drawn.kvm
        [ -s drawn.tcg/5 ] && diff -r drawn.tcg drawn.kvm > differ
        status=$?
        sed 's/[^ -~]//g' differ | cut -c 1-100 >> out
        check $status "$how: the display shows what it shows on tcg"
    done
}

# ---- gdb ----

# Where the guest's kernel, which is the lab's own, has a function when it is not moved.
function_at() { # NAME
    local here text
    here=$(grep " $1\$" /proc/kallsyms | head -n 1 | cut -d ' ' -f 1)
    text=$(grep ' _text$' /proc/kallsyms | cut -d ' ' -f 1)
    printf '%x' $((0x$here - 0x$text + 0xffffffff81000000))
}

# A function that init calls, and then more of them than the CPU has registers for.
debugger() {
    local open uname at
    echo 0 > /proc/sys/kernel/kptr_restrict
    open=$(function_at do_sys_openat2)
    uname=$(function_at __x64_sys_newuname)
    {
        echo "set architecture i386:x86-64"
        echo "target remote /tmp/gdb.socket"
        echo "hbreak *0x$open"
        echo continue
        echo 'printf "first %lx\n", $rip'
        echo stepi
        echo 'printf "step %d\n", $rip != 0x'"$open"' && $rip - 0x'"$open"' < 16'
        echo delete
        for at in do_sys_openat2 __x64_sys_newuname __x64_sys_close ksys_read ksys_write do_exit; do
            echo "break *0x$(function_at $at)"
        done
        echo continue
        echo 'printf "then %lx\n", $rip'
        echo delete
        echo "break *0x$uname"
        echo continue
        echo 'printf "uname %lx\n", $rip'
        echo 'watch *(long *) ($rsp - 64)'
        echo continue
        echo 'printf "watched %d\n", $rip != 0x'"$uname"
        echo delete
        echo continue
    } > script
    (linux "nokaslr myna.run=exec,poweroff myna.exec=$(encode 'uname -r; echo "ran on"')" -S \
        -chardev socket,id=g,path=gdb.socket,server=on,wait=off -gdb chardev:g) &
    while [ ! -S gdb.socket ]; do sleep 1; done
    PYTHONHOME=$lab/python timeout 500 $loader $lab/gdb -q -nx -batch -x script > said 2>&1
    wait
    cat said >> out
    grep -q "^first $open" said
    check $? "gdb: a breakpoint in the kernel"
    grep -q "^step 1" said
    check $? "gdb: a step"
    grep -q "^then ffffffff8" said
    check $? "gdb: more breakpoints than registers"
    grep -q "^uname $uname" said
    check $? "gdb: a breakpoint at a system call"
    grep -q "^watched 1" said
    check $? "gdb: a watchpoint"
    grep -q "^ran on" out
    check $? "gdb: the guest goes on to its end"
}

# ---- speed, in turn with QEMU ----

qemu() { # OPTION...: as run() does it
    set -- -L $lab/qemu/usr/share/qemu -L $lab/qemu/usr/share/seabios -M pc -display none "$@"
    timeout "${limit:-600}" $lab/qemu/usr/lib64/ld-linux-x86-64.so.2 --library-path $lab/qemu/usr/lib/x86_64-linux-gnu \
        $lab/qemu/usr/bin/qemu-system-x86_64 "$@" < /dev/null
}

now() { # microseconds
    local _ __ ns
    read -r _ __ ns ___ << EOF
$(grep -m 1 '^now at' /proc/timer_list)
EOF
    echo $((ns / 1000))
}

until_said() { # TEXT COMMAND...: how long until it says so
    local text=$1 began=$(now) line
    shift
    echo $(($("$@" 2>&1 | while read -r line; do
        case $line in *"$text"*)
            now
            cat > /dev/null
            ;;
        esac
    done) - began))
}

best() { # FILE: the least number
    sort -n $1 | head -n 1
}

# The guest measures itself: bench/lab/kvm.S and kick.c say what the quickest batch took.
ticks() { # PROGRAM KIND OPTION...
    local program=$1 kind=$2
    shift 2
    rm -f ticks
    $program -accel kvm -cpu qemu64,+x2apic -m 32 -nodefaults -device isa-debug-exit,iobase=0x501 \
        -chardev file,id=c,path=ticks -device isa-debugcon,iobase=0xe9,chardev=c "$@" > out 2>&1
    [ -s ticks ] && echo $((0x$(cat ticks))) >> $kind.$program
}

exit_rounds() { # ROUNDS
    local program round
    for round in $(seq $1); do
        for program in run qemu; do
            ticks $program pio -bios $lab/exits-0
            ticks $program mmio -bios $lab/exits-1
            ticks $program self -bios $lab/exits-2
            ticks $program irq -bios $lab/exits-4 -serial null
            ticks $program kick -kernel $lab/kick -drive file=blk,format=raw,if=none,id=d \
                -device virtio-blk-pci,drive=d,disable-legacy=on
        done
    done
}

# Memory that has held a guest's code is slow to write for the lab's emulator, and after that it is not.
scrub() {
    mkdir -p /scrub
    mount -t tmpfs -o size=1300m scrub /scrub
    dd if=/dev/zero of=/scrub/all bs=1M count=1200 2> /dev/null
    umount /scrub
}

kept() { # OPTION...: run() with what another start has kept of the kernel
    (export MYNA_KEEP=on && run "$@")
}

# Who goes first changes from round to round: a start is slower after some than after others.
guest_rounds() { # ROUNDS
    local program round
    export MYNA_KEEP=off
    speed_boot kept # something is, now
    rm boot.kept
    set -- $1 run kept qemu
    for round in $(seq $1); do
        set -- $1 $3 $4 $2
        for program in $2 $3 $4; do
            speed_boot $program
            [ $program = kept ] || speed_disk $program
        done
    done
    cp boot.kept kept.run
    cp boot.qemu kept.qemu
}

compare() { # KIND TEXT
    echo "LAB-NOTE $2: $(best $1.run), $(best $1.qemu)"
}

speed_boot() { # PROGRAM
    scrub
    until_said MYNA-UP $1 -m 256M -accel kvm -no-reboot -nodefaults -serial stdio -kernel $lab/kernel -initrd $lab/initrd.gz \
        -append "console=ttyS0 quiet panic=-1 myna.run=poweroff" >> boot.$1
}

speed_disk() { # PROGRAM: hundredths of a second that 4 KiB reads take, as the guest saw them
    $1 -m 256M -accel kvm -no-reboot -nodefaults -serial stdio -kernel $lab/kernel -initrd $lab/initrd.gz \
        -drive file=blk,format=raw,if=none,id=d -device virtio-blk-pci,drive=d -append "console=ttyS0 quiet panic=-1 \
myna.run=exec,poweroff myna.exec=$(encode 'read a b < /proc/uptime
dd if=/dev/vda of=/dev/null bs=4k count=4000 iflag=direct 2> /dev/null
read c d < /proc/uptime
echo "READ $(echo "($c - $a) * 100 / 1" | bc)"')" > out 2>&1
    sed -n 's/.*READ \([0-9]*\).*/\1/p' out >> disk.$1
}

exits() {
    truncate -s 16M blk
    limit=60
    exit_rounds 5
    limit=
    echo "LAB-NOTE the least of each: myna, QEMU; ticks of the time-stamp counter"
    compare pio "100 reads of a port"
    compare mmio "100 reads of a device's memory"
    compare self "100 interrupts to itself"
    compare irq "100 interrupts of a serial port, by the I/O APIC"
    compare kick "5 kicks of a virtio disk, up to its interrupt"
}

starts() {
    truncate -s 16M blk
    guest_rounds 6
    compare boot "start to init, nothing kept, microseconds"
    compare kept "start to init, with what is kept of the kernel"
    compare disk "4,000 reads of 4 KiB, virtio-blk, hundredths of a second"
}

bench() {
    exits
    starts
}

[ $# -gt 0 ] || set -- same corners32 corners64 kernels devices work disks hyperv drawings debugger
for case; do
    "$case"
done
echo LAB-END
