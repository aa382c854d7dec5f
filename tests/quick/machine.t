#!/bin/sh
# Options that shape the machine: bad values are one line each. No guest runs here.
. "$srcdir/tests/lib/tap.sh"

like "$($MYNA -arch riscv64 -machine help)" "Machines for riscv64:*virt*" "-machine help"
like "$($MYNA -M help)" "Machines for *:*" "-M help without a guest"
like "$($MYNA -arch riscv64 -M virt,help)" "Properties of machine virt:*" "-machine virt,help"
like "$($MYNA -arch riscv64 -cpu help)" "CPUs for riscv64:*" "-cpu help"
like "$($MYNA -accel help)" "Accelerators:*" "-accel help"
"$MYNA" -device help >"$tap_dir/out"
is "$?" 0 "-device help"
ln -s "$MYNA" "$tap_dir/qemu-system-riscv32"
like "$("$tap_dir/qemu-system-riscv32" -machine help)" "Machines for riscv32:*" "the program's name says the guest"

rv="-arch riscv64 -M virt -accel qtest -display none"
refuses "*-arch: guest 'vax' is not there; there are: *riscv64*" -arch vax
refuses "*-arch: there is no guest 'riscv46'; did you mean 'riscv64'?" -arch riscv46
refuses "*-machine: there is no machine 'vrit'; did you mean 'virt'?" -arch riscv64 -M vrit
refuses "*-machine virt: there is no property 'aclnt'*" -arch riscv64 -M virt,aclnt=on
refuses "*-smp: cpus=0 is out of range*" $rv -smp 0
refuses "*-smp: cpus=x: that is not a number" $rv -smp x
refuses "*-smp: 1000 CPUs are too many*" $rv -smp 1000
refuses "*-smp: cpus=4 is more than maxcpus=2" $rv -smp 4,maxcpus=2
refuses "*-smp: 3 sockets of 2 cores of 1 threads do not make maxcpus=4" $rv -smp 4,maxcpus=4,sockets=3,cores=2
refuses "*-smp: there is no parameter 'cpu'; did you mean 'cpus'?" $rv -smp cpu=2
refuses "*-smp: dies=2 is out of range*" $rv -smp 4,dies=2
refuses "*-bios: machine 'none' has no CPU to run it" -M none -arch riscv64 -display none -bios /dev/null
refuses "*-cpu: machine 'none' has no CPU*" -M none -arch riscv64 -display none -cpu rv64
refuses "*-m: size=1X: a size ends in one of *" $rv -m 1X
refuses "*-m: size=99999999999G is out of range*" $rv -m 99999999999G
refuses "*-m: *MiB is not what machine 'virt' takes*" $rv -m 1K
refuses "*-uuid: 'abc' is not of the form *" $rv -uuid abc
refuses "*-seed=x: that is not a number" $rv -seed x
refuses "*-name: there is no parameter 'gest'; did you mean 'guest'?" $rv -name gest=x
refuses "*-rtc: base=tomorrow is not utc*" $rv -rtc base=tomorrow
refuses "*-rtc: clock=hots is not known; did you mean 'host'?" $rv -rtc clock=hots
refuses "*-icount: shift=11 is out of range*" $rv -icount 11
refuses "*-append: there is no -kernel*" $rv -append quiet
refuses "*-accel: there is no accelerator 'tgc'; did you mean 'tcg'?" -arch riscv64 -M virt -display none -accel tgc
refuses "*-kernel*/nonexistent*No such file*" $rv -kernel /nonexistent
refuses "*-bios*/nonexistent*" $rv -bios /nonexistent
refuses "*-device: there is no device 'virtio-blk-pic'*" $rv -device virtio-blk-pic
refuses "*rtl8139: bootindex=1 is another device's already" -arch x86_64 -M pc -display none -device e1000,bootindex=1 \
	-device rtl8139,bootindex=1
refuses "*-object: there is no object type 'rgn-random'*" $rv -object rgn-random,id=r
refuses "*drive: cannot open '/nonexistent'*" $rv -drive file=/nonexistent,format=raw
refuses "*-cpu: there is no *'rv65'; did you mean 'rv64'?" -arch riscv64 -M virt -display none -cpu rv65
refuses "*-cpu*'vv'*" -arch riscv64 -M virt -display none -cpu rv64,vv=on
refuses "*-cpu*vlen=100*" -arch riscv64 -M virt -display none -cpu rv64,v=on,vlen=100
refuses "*-netdev: *" $rv -netdev usr,id=n0
refuses "*-nic: *" $rv -nic user,model=virtio-nte-device
refuses "*-global: there is no device 'x'*" $rv -global x.y=1
refuses "*-serial: *there is no kind of character device 'stdoi'; did you mean 'stdio'?" $rv -serial stdoi
refuses "*-mon: chardev=ID is missing" $rv -mon mode=control
refuses "*-mon: *c1*" $rv -mon c1
refuses "*-chardev: there is no backend 'soket'; did you mean 'socket'?" $rv -chardev soket,id=x
refuses "*-display: 'gtk' is not there; 'sdl' is a window*" -arch riscv64 -M virt -display gtk
refuses "*-nographic: the terminal is gone after -daemonize*" -arch riscv64 -M virt -nographic -daemonize
refuses "*-sandbox: spawn=dny is not known; did you mean 'deny'?" $rv -sandbox on,spawn=dny
refuses "*chardev 'x': port=65536 is not a number up to 65535" $rv -chardev socket,id=x,host=localhost,port=65536
refuses "*-gdb: *port=99999 is not a number up to 65535" $rv -gdb tcp::99999
refuses "*-serial: *cannot connect to 'tcp:127.0.0.1:1'*" $rv -serial tcp:127.0.0.1:1
refuses "*-serial: *cannot open '/nonexistent/x'*" $rv -serial file:/nonexistent/x
refuses "*virtio-blk-device.num-queues=0 is out of range, 1 to *" $rv -device virtio-blk-device,num-queues=0
refuses "*virtio-blk-device.queue-size: 3 is not a power of two from 4 to 1024" $rv -drive if=none,id=d0,file="$0",format=raw,readonly=on -device virtio-blk-device,drive=d0,queue-size=3
refuses "*virtio-blk-device: there is no property 'drvie'; did you mean 'drive'?" $rv -device virtio-blk-device,drvie=d0
refuses "*virtio-blk-device.iothread: there is no object 'io1'; did you mean 'io0'?" $rv -object iothread,id=io0 -device virtio-blk-device,iothread=io1
refuses "*virtio-rng-device: there is no property 'iothread'" $rv -object iothread,id=io0 -device virtio-rng-device,iothread=io0
refuses "*virtio-net-device.mac: 'xx' is not a MAC address*" $rv -device virtio-net-device,mac=xx
refuses "*virtio-net-pci.addr: '40' is not SLOT*" $rv -device virtio-net-pci,addr=40
refuses "*virtio-rng-pci.addr: 3 is taken by *" $rv -device virtio-net-pci,addr=3 -device virtio-rng-pci,addr=3
refuses "*-device: there is no bus 'nobus'" $rv -device virtio-net-pci,bus=nobus
refuses "*-device: 'uart16550' is part of boards*" $rv -device uart16550
refuses "*-drive: there is no block driver 'rwa'; did you mean 'raw'?" $rv -drive "file=$0,format=rwa,if=none"
refuses "*-drive: cache=nnone is not known; did you mean 'none'?" $rv -drive "file=$0,format=raw,cache=nnone"
refuses "*-cpu: v=maybe: that is neither on nor off" -arch riscv64 -M virt -display none -cpu rv64,v=maybe
refuses "*-gdb: *'c9'*" $rv -gdb chardev:c9
refuses "*-gdb: *there is no kind of character device 'tpc:'*" $rv -gdb tpc::1234
refuses "*-pidfile: cannot open '/nonexistent/pid'*" $rv -pidfile /nonexistent/pid

done_testing
