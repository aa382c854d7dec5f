#!/bin/bash
# What starts a PC other than a Linux kernel, seen on the first serial port: OVMF from flash, with
# its variables kept; Xen's and GNU Mach's multiboot kernels; disks with Debian that boot by
# themselves, from IDE and virtio, with our BIOS, SeaBIOS and OVMF, up to a login and back.
PATH=$PATH:/usr/sbin:/sbin
. "$srcdir/tests/lib/tap.sh"
offline=${MYNA_TEST_OFFLINE:+--offline}
slow=${MYNA_TEST_SLOW:-1} # times the patience
sea=/usr/share/seabios/bios-256k.bin
code=/usr/share/OVMF/OVMF_CODE_4M.fd
vars=/usr/share/OVMF/OVMF_VARS_4M.fd

# ---- a machine at its serial port ----

# start OPTION...: with the first serial port at the test; stops with the test's end at the latest
start() {
	rm -f "$tap_dir/keys"
	mkfifo "$tap_dir/keys"
	: >"$tap_dir/serial"
	timeout $((900 * slow)) "$MYNA" -machine pc -nodefaults -display none -vga std -serial stdio \
		"$@" <"$tap_dir/keys" >"$tap_dir/serial" 2>"$tap_dir/err" &
	pid=$!
	exec 7>"$tap_dir/keys"
}

# text: what came, without the colours and positions of a terminal
text() {
	tr -d '\r\000' <"$tap_dir/serial" | sed 's/\x1b\[[0-9;=]*[A-Za-z]//g'
}

# says SECONDS REGEX: waits for it
says() {
	local end=$((SECONDS + $1 * slow))
	while [ $SECONDS -lt $end ]; do
		text | grep -qaE -- "$2" && return 0
		kill -0 "$pid" 2>/dev/null || break
		sleep 1
	done
	text | grep -qaE -- "$2" && return 0
	text | tail -n 12 | cut -c 1-200 | sed 's/^/# /'
	head -n 3 "$tap_dir/err" | sed 's/^/# /'
	return 1
}

send() { # TEXT: and the return key
	printf '%s\r' "$1" >&7
}

# ends SECONDS: waits for the machine's own end; its status
ends() {
	local end=$((SECONDS + $1 * slow)) status
	while kill -0 "$pid" 2>/dev/null && [ $SECONDS -lt $end ]; do sleep 1; done
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	status=$?
	exec 7>&-
	return $status
}

stop() {
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	exec 7>&-
}

# ---- flash ----

flash() { # FILE: options for OVMF with its variables there
	echo "-drive if=pflash,unit=0,readonly=on,format=raw,file=$code" \
		"-drive if=pflash,unit=1,format=raw,file=$1"
}

test_sizes() {
	head -c 5120 /dev/zero >"$tap_dir/odd"
	head -c 9M /dev/zero >"$tap_dir/big"
	head -c 6M /dev/zero >"$tap_dir/half"
	cp "$tap_dir/half" "$tap_dir/other"
	refuses "*5120*multiple of 4096*" -machine pc -drive if=pflash,format=raw,file="$tap_dir/odd"
	refuses "*9437184 bytes*" -machine pc -drive if=pflash,format=raw,file="$tap_dir/big"
	refuses "*2097152 are left*" -machine pc -drive if=pflash,format=raw,file="$tap_dir/half" \
		-drive if=pflash,format=raw,file="$tap_dir/other"
	refuses "*no pflash0*" -machine pc -drive if=pflash,unit=1,format=raw,file="$tap_dir/half"
	refuses "*give one of the two*" -machine pc -bios default \
		-drive if=pflash,format=raw,file="$tap_dir/half"
}

test_ovmf() {
	local name=11112222-3333-4444-5555-666677778888
	cp $vars "$tap_dir/vars"
	# shellcheck disable=SC2046 # words
	start -m 256 $(flash "$tap_dir/vars")
	says 120 'Shell> *$'
	ok $? "OVMF boots its shell"
	send "setvar Kept -guid $name -bs -rt -nv =0x2a17"
	sleep 2
	send 'reset -s'
	ends 60
	ok $? "OVMF's shell switches off"

	start -m 256 -machine pflash0=code,pflash1=vars \
		-drive if=none,id=code,readonly=on,format=raw,file=$code \
		-drive if=none,id=vars,format=raw,file="$tap_dir/vars"
	says 120 'Shell> *$'
	send "setvar Kept -guid $name"
	says 30 '^17 2A'
	ok $? "OVMF's variables are kept over runs"
	stop
}

# ---- multiboot ----

test_xen() {
	local files
	if ! files=$("$srcdir/scripts/fetch-debs" $offline bookworm xen-hypervisor-4.17-amd64 2>&1); then
		ok 0 "Xen # SKIP $files"
		return
	fi
	gzip -dc "$files"/boot/xen-4.17-amd64.gz >"$tap_dir/xen"
	start -arch x86_64 -m 512 -kernel "$tap_dir/xen" -append "console=com1 com1=115200,8n1"
	says 60 'Xen version 4\.17' && says 60 'dom0 kernel not specified'
	ok $? "Xen reaches its banner, and misses its first domain"
	stop
}

test_mach() {
	local files
	if ! files=$("$srcdir/scripts/fetch-debs" $offline --arch i386 bookworm gnumach-image-1.8-486 2>&1); then
		ok 0 "GNU Mach # SKIP $files"
		return
	fi
	gzip -dc "$files"/boot/gnumach-1.8-486.gz >"$tap_dir/mach"
	start -arch i386 -m 256 -kernel "$tap_dir/mach" -append console=com0
	says 60 'GNU Mach 1\.8' && says 60 'DIRECTMAP: min'
	ok $? "GNU Mach reaches its banner"
	stop
}

# ---- disks ----

# log_in NAME OFFSET OPTION...: from power-on to power-off, on a copy of the disk at $tap_dir/disk,
# whose root file system starts at OFFSET
log_in() {
	local name=$1 root="$tap_dir/disk?offset=$2" hash
	shift 2
	start -arch x86_64 -m 512 "$@"
	says 300 'login: *$'
	ok $? "$name: boots to a login"
	send root
	says 60 'Password: *$'
	send myna
	says 60 '# *$'
	ok $? "$name: logs in"
	send 'dd if=/dev/urandom of=/written bs=64k count=100; sha256sum /written; poweroff'
	ends 300
	ok $? "$name: shuts down"
	hash=$(text | sed -n 's,^\([0-9a-f]*\)  /written$,\1,p')
	[ -n "$hash" ] && [ "$(debugfs -R 'cat /written' "$root" 2>/dev/null | sha256sum |
		cut -d ' ' -f 1)" = "$hash" ]
	ok $? "$name: what it wrote is on the disk"
	e2fsck -fn "$root" >"$tap_dir/fsck" 2>&1
	ok $? "$name: the file system is clean"
}

test_disks() {
	local disks bios
	if ! disks=$("$srcdir/scripts/make-disk" $offline 2>"$tap_dir/why"); then
		ok 0 "disks with Debian # SKIP $(cat "$tap_dir/why")"
		return
	fi
	for interface in ide virtio; do
		for bios in default $sea; do
			[ $bios = default ] || [ -r $bios ] || continue
			cp --sparse=always "$disks/disk.img" "$tap_dir/disk"
			log_in "Debian by $interface, BIOS ${bios##*/}" 1048576 -bios $bios \
				-drive if=$interface,format=raw,file="$tap_dir/disk"
		done
	done
	[ -r $code ] || return
	for interface in ide virtio; do
		cp --sparse=always "$disks/efi.img" "$tap_dir/disk"
		cp $vars "$tap_dir/vars"
		# shellcheck disable=SC2046 # words
		log_in "Debian by $interface, OVMF" 13631488 $(flash "$tap_dir/vars") \
			-drive if=$interface,format=raw,file="$tap_dir/disk"
	done
}

test_sizes
if [ -r $code ]; then
	test_ovmf
else
	ok 0 "OVMF # SKIP package ovmf is not installed"
fi
test_xen
test_mach
test_disks
done_testing
