#!/bin/bash
# What firmware must be able to start, with our BIOS and with SeaBIOS, seen on the VGA: GRUB from CD
# and floppy, memtest86+ for a whole pass, Debian's installers up to their first dialog, and iPXE on
# every network card up to its address. GRUB, memtest86+ and the installers are Debian's, fetched.
. "$srcdir/tests/lib/tap.sh"
. "$srcdir/tests/lib/screen.sh"
offline=${MYNA_TEST_OFFLINE:+--offline}
sea=/usr/share/seabios/bios-256k.bin
slow=${MYNA_TEST_SLOW:-1} # times the patience

bioses="ours"
[ -r "$sea" ] && bioses="$bioses seabios"

# bios NAME: its option
bios() {
	[ "$1" = ours ] && echo "-bios default" || echo "-bios $sea"
}

# ---- GRUB ----

# grub_line TEXT REGEX KEY...: a line typed at the prompt, until it is what is seen
grub_line() {
	local text=$1
	shift
	for _ in 1 2 3 4; do
		screen_type "$@"
		screen_shows 5 "grub> $text *\$" >/dev/null && break
		screen_type ctrl-u
	done
	screen_type ret
}

# grub_prompt NAME OPTION...: leaves the machine running at GRUB's prompt
grub_prompt() {
	local name=$1
	shift
	screen_start -nodefaults -vga std "$@"
	screen_shows $((60 * slow)) 'GNU GRUB'
	ok $? "$name: GRUB's menu is on the screen"
	screen_type c
	screen_shows $((20 * slow)) 'grub> *$'
	ok $? "$name: GRUB's prompt"
}

test_grub() {
	grub_prompt "$@"
	grub_line ls l s
	screen_shows $((30 * slow)) '\((cd|fd|hd|memdisk|proc)[0-9]*\)'
	ok $? "$1: ls lists devices"
	screen_stop
}

# ---- from GRUB's prompt: what is on a disk made for it ----

# make_disk: kernels and files for GRUB's configfile command
make_disk() {
	local files=$1 dir=$tap_dir/files images=$1/usr/lib/debian-installer/images/12
	mkdir "$dir"
	cp "$files/boot/memtest86+x64.bin" "$dir/memtest"
	printf 'set root=hd0\nlinux /memtest\nboot\n' >"$dir/m"
	for arch in amd64 i386; do
		cp "$images/$arch/text/debian-installer/$arch/linux" "$dir/linux-$arch"
		cp "$images/$arch/text/debian-installer/$arch/initrd.gz" "$dir/initrd-$arch"
		# the console of the VGA itself, which can be read
		printf 'set root=hd0\nset gfxpayload=text\nlinux /linux-%s fb=false nomodeset\ninitrd /initrd-%s\nboot\n' \
			$arch $arch >"$dir/${arch%86}"
	done
	mv "$dir/amd64" "$dir/a"
	mv "$dir/i3" "$dir/i"
	/sbin/mke2fs -q -t ext2 -d "$dir" "$tap_dir/disk" 160M >"$tap_dir/log" 2>&1
}

# boot_from_grub NAME LETTER OPTION...
boot_from_grub() {
	local name=$1 letter=$2
	shift 2
	grub_prompt "$name" "$@" -boot d -drive if=ide,index=0,format=raw,file="$tap_dir/disk" \
		-drive if=ide,index=2,media=cdrom,format=raw,file="$rescue/grub-rescue-cdrom.iso"
	grub_line "configfile \\(hd0\\)/$letter" c o n f i g f i l e spc shift-9 h d 0 shift-0 slash "$letter"
}

# ---- iPXE ----

test_ipxe() {
	local name=$1
	shift
	screen_start -m 64 -nodefaults -vga std -boot n -netdev user,id=n "$@"
	screen_shows $((60 * slow)) 'net0: 10\.0\.2\.15/255\.255\.255\.0 gw 10\.0\.2\.2'
	ok $? "$name: iPXE gets an address"
	screen_stop
}

for b in $bioses; do
	if [ -r /usr/lib/ipxe/qemu/efi-e1000.rom ]; then
		for card in e1000 ne2k_pci rtl8139 pcnet i82559er virtio-net-pci; do
			test_ipxe "$b, $card" $(bios $b) -device $card,netdev=n
		done
	else
		ok 0 "iPXE # SKIP package ipxe-qemu is not installed"
	fi
done

if ! rescue=$("$srcdir/scripts/fetch-grub" $offline 2>"$tap_dir/why") ||
	! files=$("$srcdir/scripts/fetch-debs" $offline bookworm memtest86+ \
		debian-installer-12-netboot-amd64 debian-installer-12-netboot-i386 2>"$tap_dir/why"); then
	ok 0 "GRUB, memtest86+, installers # SKIP $(cat "$tap_dir/why")"
	done_testing
fi
cp "$rescue/grub-rescue-floppy.img" "$tap_dir/floppy"
make_disk "$files"
for b in $bioses; do
	test_grub "$b, GRUB's CD" $(bios $b) -m 64 -boot d \
		-drive if=ide,index=2,media=cdrom,format=raw,file="$rescue/grub-rescue-cdrom.iso"
	test_grub "$b, GRUB's floppy" $(bios $b) -m 64 -boot a \
		-drive if=floppy,format=raw,file="$tap_dir/floppy"

	boot_from_grub "$b, memtest86+" m $(bios $b) -m 64
	screen_shows $((800 * slow)) 'Pass: *[1-9][0-9]* .*Errors: *0'
	ok $? "$b: memtest86+ completes a pass over 64 MiB without an error"
	screen_stop

	boot_from_grub "$b, installer for amd64" a $(bios $b) -m 1024
	screen_shows $((300 * slow)) 'Select a language'
	ok $? "$b: the installer for amd64 asks for a language"
	screen_stop

	screen_arch=i386 boot_from_grub "$b, installer for i386" i $(bios $b) -m 1024
	screen_shows $((300 * slow)) 'Select a language'
	ok $? "$b: the installer for i386 asks for a language"
	screen_stop
done
done_testing
