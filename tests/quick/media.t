#!/bin/sh
# Disks that come and go by the monitors: eject, change, trays, and the events of it.
. "$srcdir/tests/lib/tap.sh"

bare="-M pc -accel qtest -qtest null -display none -serial null"

qmp() {
	timeout 20 $MYNA -arch x86_64 $bare -qmp stdio "$@" 2>&1 |
		sed 's/"seconds": [0-9]*, "microseconds": [0-9]*/T/' | tr -d '\r'
}

head -c 409600 /dev/zero >"$tap_dir/one.iso"
head -c 819200 /dev/zero >"$tap_dir/two.iso"
head -c 1474560 /dev/zero >"$tap_dir/floppy"

got=$(
	qmp <<-END
		{"execute":"qmp_capabilities"}
		{"execute":"human-monitor-command","arguments":{"command-line":"info block"}}
		{"execute":"human-monitor-command","arguments":{"command-line":"change ide1-cd0 $tap_dir/one.iso"}}
		{"execute":"human-monitor-command","arguments":{"command-line":"info block"}}
		{"execute":"quit"}
	END
)
like "$got" '*"ide1-cd0: \[not inserted\]\\r\\n*Removable device: not locked, tray closed*' \
	"a PC has an empty CD-ROM drive"
like "$got" '*"event": "DEVICE_TRAY_MOVED"*"tray-open": true*"tray-open": false*' \
	"change opens and closes the tray"
like "$got" "*ide1-cd0: $tap_dir/one.iso (raw, read-only)*" "the disc is in the drive"

got=$(
	qmp -cdrom "$tap_dir/one.iso" <<-END
		{"execute":"qmp_capabilities"}
		{"execute":"blockdev-remove-medium","arguments":{"id":"ide1-cd0"}}
		{"execute":"eject","arguments":{"device":"ide1-cd0"}}
		{"execute":"query-block"}
		{"execute":"blockdev-change-medium","arguments":{"device":"ide1-cd0","filename":"/nosuch"}}
		{"execute":"blockdev-change-medium","arguments":{"device":"ide1-cd0","filename":"$tap_dir/two.iso"}}
		{"execute":"query-block"}
		{"execute":"blockdev-open-tray","arguments":{"device":"ide1-cd0"}}
		{"execute":"blockdev-close-tray","arguments":{"device":"ide1-cd0"}}
		{"execute":"eject","arguments":{"device":"nosuch"}}
		{"execute":"eject"}
		{"execute":"quit"}
	END
)
like "$got" '*"removable": true, "locked": false*"tray_open": true*' "eject leaves the tray open"
like "$got" "*cannot open '/nosuch'*" "an image that is not there"
like "$got" '*"virtual-size": 819200*' "another disc"
like "$got" "*'nosuch'*" "a drive that is not there"
like "$got" "*exactly one of 'device' and 'id'*" "no drive"

got=$(
	qmp -hda "$tap_dir/one.iso" -fda "$tap_dir/floppy" <<-END
		{"execute":"qmp_capabilities"}
		{"execute":"eject","arguments":{"device":"ide0-hd0"}}
		{"execute":"blockdev-change-medium","arguments":{"device":"floppy0","filename":"$tap_dir/floppy"}}
		{"execute":"blockdev-change-medium","arguments":{"device":"floppy0","filename":"$tap_dir/one.iso"}}
		{"execute":"human-monitor-command","arguments":{"command-line":"info block"}}
		{"execute":"human-monitor-command","arguments":{"command-line":"eject floppy0"}}
		{"execute":"human-monitor-command","arguments":{"command-line":"info block"}}
		{"execute":"quit"}
	END
)
like "$got" "*Device 'ide0-hd0' is not removable*" "a hard disk"
like "$got" '*not removable"}}
{"return": {}}
*one.iso'"' is in use by another process\"}}
*floppy0: $tap_dir/floppy (raw)*" "a floppy disk by itself, and by a disk in use"
like "$got" '*floppy0: \[not inserted\]*' "a floppy disk"

done_testing
