#!/bin/bash
# The PC BIOS boots from every kind of medium, and its services answer: tests/guest/x86/boot-probe.S
# says on the serial console what it was told. GRUB's rescue media, from Debian, reach the prompt.
# PC_EMULATOR names another program with the same command line, to tell the BIOS's faults from ours.
. "$srcdir/tests/lib/tap.sh"
emulator=${PC_EMULATOR:-$MYNA -arch x86_64 -accel tcg}
probe=$srcdir/tests/guest/x86/boot-probe.bin
bios=$srcdir/bios/pc-bios.bin

# run SECONDS OPTION...: serial output in $tap_dir/serial
run() {
	local limit=$1
	shift
	rm -f "$tap_dir/serial" "$tap_dir/log"
	timeout "$limit" $emulator -machine pc -m 64 -bios "$bios" -display none -vga none -net none \
		-no-reboot -monitor none -device isa-debug-exit,iobase=0x501 \
		-chardev file,id=log,path="$tap_dir/log" -device isa-debugcon,iobase=0x402,chardev=log \
		-serial file:"$tap_dir/serial" "$@" </dev/null >"$tap_dir/out" 2>"$tap_dir/err"
	status=$?
	tr -d '\r' <"$tap_dir/serial" >"$tap_dir/text" 2>/dev/null || : >"$tap_dir/text"
}

lacks_drive() {
	grep -q 'has no disks of if=' "$tap_dir/err"
}

# probes NAME DRIVE EDD OPTION...: the probe runs to its end from this drive
probes() {
	local name=$1 drive=$2 edd=$3
	shift 3
	run 60 "$@"
	if lacks_drive; then
		ok 0 "$name # SKIP $(cat "$tap_dir/err")"
		return
	fi
	is "$status" 1 "$name: the probe ends the machine"
	like "$(cat "$tap_dir/text")" "*PROBE $drive*low 0000027F ext 0000FA80*PROBE-END*" \
		"$name: drive's number and memory"
	like "$(cat "$tap_dir/text")" "*map 00100000 03EA0000 00000001*" "$name: memory map"
	like "$(cat "$tap_dir/text")" "*chs good $edd*" "$name: sectors are read"
	like "$(cat "$tap_dir/text")" "*pci 00000210*" "$name: PCI BIOS 2.1"
	[ "$tap_failed" = 0 ] || tail -n 5 "$tap_dir/err" "$tap_dir/log" | sed 's/^/# /'
}

# A CD of one boot image: descriptors, El Torito's catalog in block 19, the image from block 20 on.
# make_cd IMAGE MEDIA BLOCKS-OF-512 FILE
make_cd() {
	local sum
	truncate -s $((40 * 2048)) "$4"
	put() { printf "$2" | dd of="$cd" bs=1 seek="$1" conv=notrunc status=none; }
	cd=$4
	put $((16 * 2048)) '\1CD001\1'
	put $((17 * 2048)) '\0CD001\1EL TORITO SPECIFICATION'
	put $((17 * 2048 + 71)) '\23\0\0\0'
	put $((18 * 2048)) '\377CD001\1'
	# validation: 1, zeros, 0x55aa; the checksum makes the words' sum zero: 0x10000 - 0xaa55 - 1
	put $((19 * 2048)) '\1'
	put $((19 * 2048 + 28)) '\252\125\125\252'
	put $((19 * 2048 + 32)) "\\210\\$2\\0\\0\\0\\0\\$3\\0\\24\\0\\0\\0"
	dd if="$1" of="$4" bs=2048 seek=20 conv=notrunc status=none
}

truncate -s 8M "$tap_dir/disk"
truncate -s 1440K "$tap_dir/floppy"
truncate -s 1M "$tap_dir/empty"
for medium in disk floppy; do
	dd if="$probe" of="$tap_dir/$medium" conv=notrunc status=none
done
make_cd "$probe" 2 1 "$tap_dir/cd-floppy"

probes disk 00000080 "edd good" -drive if=ide,format=raw,file="$tap_dir/disk"
probes virtio 00000080 "edd good" -drive if=virtio,format=raw,file="$tap_dir/disk"
probes floppy 00000000 "" -drive if=floppy,format=raw,file="$tap_dir/floppy" -boot a
probes "CD, floppy emulated" 00000000 "" -drive if=ide,media=cdrom,format=raw,file="$tap_dir/cd-floppy" \
	-boot d
like "$(cat "$tap_dir/log")" "bios: start*8086:1237 class 600*" "the log names PCI functions"

run 60 -machine isapc -drive if=floppy,format=raw,file="$tap_dir/floppy" -boot a
lacks_drive || like "$(cat "$tap_dir/text")" "*chs good*PROBE-END*" "isapc: floppy"

# What INT 10h writes is seen on the serial port beside the VGA, and bootindex= counts more than -boot.
probes "VGA, terminal beside it" 00000080 "edd good" -machine pc,graphics=off -vga std -boot menu=on,splash-time=10 \
	-drive if=none,id=d,format=raw,file="$tap_dir/disk" -device ide-hd,drive=d,bootindex=0 \
	-drive if=floppy,format=raw,file="$tap_dir/floppy"
like "$(cat "$tap_dir/text")" "*myna BIOS*F12*Booting from Disk*PROBE*" "messages, menu's prompt"

# Suspended to RAM and woken up by the clock: memory as it was, PCI interrupts routed again.
cp "$srcdir/tests/guest/x86/boot-sleep.bin" "$tap_dir/sleep"
truncate -s 4M "$tap_dir/sleep"
for cpus in 1 3; do
	run 60 -smp $cpus -drive if=ide,format=raw,file="$tap_dir/sleep" -boot c \
		-chardev file,id=said,path="$tap_dir/said" -device isa-debugcon,iobase=0xe9,chardev=said
	is "$status $(tr '\n' ' ' <"$tap_dir/said")" "1 SLEEP WOKEN 12345678 12345678 00008400 0B0B0A0A END " \
		"$cpus CPUs: sleeps and wakes up"
	like "$(cat "$tap_dir/log")" "*bios: wake up*wake: vector 7c*" "and goes where the FACS says"
done

# A kernel, its initial disk and its command line, from fw_cfg, before any disk.
printf 'disk of 20 bytes....' >"$tap_dir/initrd"
run 60 -kernel "$srcdir/tests/guest/x86/boot-kernel.bin" -initrd "$tap_dir/initrd" -append "a command line" \
	-drive if=ide,format=raw,file="$tap_dir/disk" \
	-chardev file,id=said,path="$tap_dir/said" -device isa-debugcon,iobase=0xe9,chardev=said
is "$status $(tr '\n\0' ' ' <"$tap_dir/said")" \
	"1 KERNEL 1020 1000 1000 81FF 1234 6964 0014 a command line  END " "a kernel gets what it needs"

# An option ROM that lends memory of the BIOS, and brings a disk; see boot-rom.S. Its bytes' sum is 0.
rom=$tap_dir/rom
cp "$srcdir/tests/guest/x86/boot-rom.bin" "$rom"
sum=$(od -An -v -tu1 "$rom" | awk '{ for (i = 1; i <= NF; i++) s += $i } END { print (256 - s % 256) % 256 }')
printf "\\$(printf %o "$sum")" | dd of="$rom" bs=1 seek=$(($(stat -c %s "$rom") - 1)) conv=notrunc status=none
run 60 -device pci-testdev,romfile="$rom" -boot c
is "$status" 1 "a ROM's disk boots, the memory manager is gone"
like "$(cat "$tap_dir/text")" "*PMM good*Booting from Disk (ROM with a disk)*ROM-BOOT 0" "a ROM gets memory, has disk 80h"
run 60 -device pci-testdev,romfile="$rom" -boot c -drive if=ide,format=raw,file="$tap_dir/empty"
like "$(cat "$tap_dir/text")" "*Booting from Disk (*nothing*Booting from Disk (ROM with a disk)*ROM-BOOT 1" \
	"and 81h behind an IDE disk"

run 20 -boot c
like "$(cat "$tap_dir/log")" "*boot: nothing left*" "with nothing to boot it stops"

# grub NAME OPTION...: menu, then a command line that answers
grub() {
	local name=$1
	shift
	mkfifo "$tap_dir/keys"
	run_grub "$@" &
	exec 3>"$tap_dir/keys"
	# what to wait for, and what to type then
	for step in 'GNU GRUB@c' 'grub> @ls\r' '\((cd|fd|hd|proc|memdisk)@'; do
		for _ in $(seq 300); do
			lacks_drive && break
			grep -aqE "${step%@*}" "$tap_dir/serial" 2>/dev/null && break
			sleep 0.2
		done
		printf "${step#*@}" >&3
	done
	exec 3>&-
	kill %1 2>/dev/null
	wait
	rm "$tap_dir/keys"
	if lacks_drive; then
		ok 0 "$name # SKIP $(cat "$tap_dir/err")"
		return
	fi
	grep -aqE '\((fd|cd|hd|memdisk|proc)[0-9]*\)' "$tap_dir/serial"
	ok $? "$name: GRUB's command line lists devices"
}

run_grub() {
	rm -f "$tap_dir/serial"
	exec timeout 100 $emulator -machine pc -m 64 -bios "$bios" -display none -vga none -net none \
		-monitor none -serial stdio "$@" <"$tap_dir/keys" >"$tap_dir/serial" 2>"$tap_dir/err"
}

if rescue=$("$srcdir/scripts/fetch-grub" ${MYNA_TEST_OFFLINE:+--offline} 2>"$tap_dir/err"); then
	grub "GRUB's CD" -cdrom "$rescue/grub-rescue-cdrom.iso" -boot d
	grub "GRUB's floppy" -drive if=floppy,format=raw,file="$rescue/grub-rescue-floppy.img" -boot a
else
	ok 0 "GRUB # SKIP $(cat "$tap_dir/err")"
fi
done_testing
