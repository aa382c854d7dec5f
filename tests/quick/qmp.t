#!/bin/sh
# QMP as a script uses it: on stdin, on a socket, twice at once; answers compared as text, so that
# their shape stays what clients know.
. "$srcdir/tests/lib/tap.sh"

bare="-M virt -accel qtest -qtest null -display none -serial null"

# qmp OPTIONS... <COMMANDS: what a client on stdio gets, time stamps made equal
qmp() {
	timeout 20 $MYNA -arch riscv64 $bare -qmp stdio "$@" 2>&1 |
		sed 's/"seconds": [0-9]*, "microseconds": [0-9]*/T/' | tr -d '\r'
}

got=$(
	qmp -name box -S <<-'END'
		{"execute":"qmp_capabilities"}
		{"execute":"query-status","id":7}
		{"execute":"cont"}
		{"execute":"stop"}
		{"execute":"query-name"}
		{"execute":"system_powerdown"}
		{"execute":"human-monitor-command","arguments":{"command-line":"info status"}}
		{"execute":"nosuch","id":"x"}
		{"execute":"quit"}
	END
)
is "$(printf '%s\n' "$got" | sed 1d)" '{"return": {}}
{"return": {"status": "prelaunch", "singlestep": false, "running": false}, "id": 7}
{"timestamp": {T}, "event": "RESUME"}
{"return": {}}
{"timestamp": {T}, "event": "STOP"}
{"return": {}}
{"return": {"name": "box"}}
{"return": {}}
{"timestamp": {T}, "event": "POWERDOWN"}
{"return": "VM status: paused\r\n"}
{"id": "x", "error": {"class": "CommandNotFound", "desc": "The command nosuch has not been found"}}
{"return": {}}
{"timestamp": {T}, "event": "SHUTDOWN", "data": {"guest": false, "reason": "host-qmp-quit"}}' \
	"a session on stdio"
like "$got" '{"QMP": {"version": {"qemu": {"micro": [0-9]*, "minor": [0-9]*, "major": [0-9]*}, "package": "*"}, "capabilities": []}}*' \
	"greeting"

got=$(printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"quit"}' | qmp -no-shutdown)
like "$got" '*"SHUTDOWN"*' "quit ends it in spite of -no-shutdown"

head -c 65536 /dev/zero >"$tap_dir/disk"
got=$(
	qmp -drive "file=$tap_dir/disk,format=raw,if=none,id=d0" -device virtio-blk-device,drive=d0,id=vd <<-'END'
		{"execute":"qmp_capabilities"}
		{"execute":"query-block"}
		{"execute":"query-blockstats"}
		{"execute":"human-monitor-command","arguments":{"command-line":"info pic"}}
		{"execute":"human-monitor-command","arguments":{"command-line":"info block"}}
		{"execute":"quit"}
	END
)
like "$got" '*"return": \[{"device": "d0", *"inserted": {*"drv": "raw"*"virtual-size": 65536*"qdev": "vd"*' \
	"query-block"
like "$got" '*"device": "d0", "stats": {*"wr_bytes": 0*' "query-blockstats"
like "$got" '*/machine/plic:\\r\\n  context 0: threshold 0, enabled:\\r\\n*' "info pic"
like "$got" "*d0: $tap_dir/disk (raw)\\\\r\\\\n    Attached to:      *" "info block"

got=$(
	qmp -netdev user,id=n0 -device virtio-net-device,netdev=n0,id=nic <<-'END'
		{"execute":"qmp_capabilities"}
		{"execute":"set_link","arguments":{"name":"nic","up":false}}
		{"execute":"human-monitor-command","arguments":{"command-line":"info network"}}
		{"execute":"set_link","arguments":{"name":"nosuch","up":false}}
		{"execute":"quit"}
	END
)
case $got in
*QMP*) like "$got" '*nic: link down\\r\\n \\\\ n0: index=0,type=user*"DeviceNotFound"*nosuch*' "set_link, info network" ;;
*) like "$got" "myna: -netdev: *" "no user network in this program" ;;
esac

got=$(
	qmp -device e1000,id=nic,addr=3 -device pci-bridge,id=b0,addr=5 -device virtio-rng-pci,bus=b0,addr=1 <<-'END'
		{"execute":"qmp_capabilities"}
		{"execute":"query-pci"}
		{"execute":"human-monitor-command","arguments":{"command-line":"info pci"}}
		{"execute":"quit"}
	END
)
like "$got" '*"slot": 3, "function": 0, "class_info": {"class": 512, "desc": "Ethernet controller"}, "id": {"device": 4110, "vendor": 32902, *"qdev_id": "nic", "regions": \[{"bar": 0, "type": "memory", "address": -1, "size": 131072, *"pci_bridge": {"bus": {"number": 0, "secondary": 0, *}, "devices": \[{"bus": 0, "slot": 1, *"id": {"device": 4101,*' \
	"query-pci, also behind a bridge"
like "$got" '*device   3, function 0:\\r\\n    Ethernet controller: PCI device 8086:100e\\r\\n*PCI bridge*device   1, function 0:*1af4:1005*' \
	"info pci"

# KVM is there or not; what is said of it agrees with what -accel does.
for accel in tcg kvm:tcg; do
	got=$(printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"query-kvm"}' '{"execute":"quit"}' |
		timeout 20 $MYNA -arch x86_64 -M none -nodefaults -accel $accel -display none -qmp stdio)
	usable=false
	[ $accel = tcg ] || ! printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"quit"}' |
		timeout 20 $MYNA -arch x86_64 -M isapc -accel kvm -nodefaults -display none -S -qmp stdio >/dev/null 2>&1 || usable=true
	like "$got" "*\"enabled\": $usable, *" "query-kvm with -accel $accel"
done

# What programs ask before they make a machine of their own.
got=$(
	qmp -M none -nodefaults <<-'END'
		{"execute":"qmp_capabilities"}
		{"execute":"query-cpus-fast"}
		{"execute":"human-monitor-command","arguments":{"command-line":"info registers"}}
		{"execute":"query-command-line-options","arguments":{"option":"smp-opts"}}
		{"execute":"query-command-line-options","arguments":{"option":"nosuch"}}
		{"execute":"query-hotpluggable-cpus"}
		{"execute":"query-balloon"}
		{"execute":"query-tpm-models"}
		{"execute":"query-vnc"}
		{"execute":"query-current-machine"}
		{"execute":"set-action","arguments":{"panic":"none","watchdog":"nosuch"}}
		{"execute":"watchdog-set-action","arguments":{"action":"pause"}}
		{"execute":"quit"}
	END
)
is "$(printf '%s\n' "$got" | sed '1,2d; /SHUTDOWN/d')" '{"return": []}
{"return": "this machine has no CPU\r\n"}
{"return": [{"option": "smp-opts", "parameters": [{"name": "cpus", "type": "number"}, {"name": "maxcpus", "type": "number"}, {"name": "sockets", "type": "number"}, {"name": "cores", "type": "number"}, {"name": "threads", "type": "number"}]}]}
{"error": {"class": "GenericError", "desc": "invalid option name: nosuch"}}
{"error": {"class": "GenericError", "desc": "The feature '"'query-hotpluggable-cpus'"' is not enabled"}}
{"error": {"class": "DeviceNotActive", "desc": "No balloon device has been activated"}}
{"return": []}
{"return": {"enabled": false}}
{"return": {"wakeup-suspend-support": false}}
{"error": {"class": "GenericError", "desc": "Parameter '"'watchdog'"' does not accept value '"'nosuch'"'"}}
{"return": {}}
{"return": {}}' "a machine without anything"

# A guest that powers off stays, since set-action said so.
mkfifo "$tap_dir/q.in" "$tap_dir/q.out" "$tap_dir/to"
timeout 20 $MYNA -arch riscv64 -M virt -accel qtest -display none -serial null -qtest "pipe:$tap_dir/q" -qmp stdio \
	<"$tap_dir/to" >"$tap_dir/answers" &
exec 3>"$tap_dir/to"
printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"set-action","arguments":{"shutdown":"pause"}}' >&3
until [ "$(grep -c return "$tap_dir/answers")" = 2 ]; do sleep 0.05; done
echo 'writel 0x100000 0x5555' >"$tap_dir/q.in"
until grep -q SHUTDOWN "$tap_dir/answers"; do sleep 0.05; done
printf '%s\n' '{"execute":"query-status"}' '{"execute":"quit"}' >&3
wait $!
exec 3>&-
like "$(cat "$tap_dir/answers")" '*"guest": true, "reason": "guest-shutdown"*"status": "shutdown"*' "set-action"

# With CPUs: as the reset left them, and while they run.
hmp() {
	printf '{"execute":"human-monitor-command","arguments":{"command-line":"%s"}}\n' "$@"
}
cpus="-arch riscv64 -M virt -smp 2 -display none -serial null -qmp stdio"
got=$({
	echo '{"execute":"qmp_capabilities"}'
	hmp 'info registers 1' 'xp/i 0x1000' 'x/i $pc' 'p $mhartid' 'cpu 1' 'p $mhartid'
	echo '{"execute":"quit"}'
} | timeout 20 $MYNA $cpus -S | sed 1,2d | tr -d '\r')
like "$got" '*CPU#1*pc *0000000000001000*
{"return": "0x0000000000001000:  00000297          auipc           t0,0x0\\r\\n"}
{"return": "0x0000000000001000:  00000297          auipc           t0,0x0\\r\\n"}
{"return": "0\\r\\n"}
{"return": ""}
{"return": "0x1\\r\\n"}
*' "registers and code at reset"
got=$({
	echo '{"execute":"qmp_capabilities"}'
	for i in 1 2 3 4 5 6 7 8 9 10; do
		hmp 'info registers -a' 'x/4i $pc' 'info jit' 'info mem'
		printf '{"execute":"%s"}\n' stop cont system_reset query-cpus-fast
	done
	echo '{"execute":"quit"}'
} | timeout 20 $MYNA $cpus | tr -d '\r')
is "$(printf '%s\n' "$got" | grep -c '^{"return"')" 82 "every command is answered while CPUs run"
is "$(printf '%s\n' "$got" | grep -c '"event": "RESET"')" 10 "every reset is told of"

if command -v socat >/dev/null; then
	sock=$tap_dir/sock
	timeout 20 $MYNA -arch riscv64 $bare -qmp "unix:$sock,server=on,wait=off" -qmp "unix:$sock.2,server=on,wait=off" &
	pid=$!
	while [ ! -S "$sock.2" ]; do sleep 0.05; done
	mkfifo "$tap_dir/in"
	timeout 20 socat - "UNIX-CONNECT:$sock.2" <"$tap_dir/in" >"$tap_dir/two" &
	exec 3>"$tap_dir/in"
	echo '{"execute":"qmp_capabilities"}' >&3
	until grep -q return "$tap_dir/two"; do sleep 0.05; done
	for i in 1 2 3; do
		printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"query-chardev"}' |
			timeout 20 socat -t 5 - "UNIX-CONNECT:$sock" >"$tap_dir/one" &
		client=$!
		until grep -q '"return": \[' "$tap_dir/one"; do sleep 0.05; done
		kill $client 2>/dev/null
	done
	like "$(cat "$tap_dir/one")" "*unix:$sock,server=on*" "a server takes one client after another"
	head -c 200000 /dev/urandom >"$tap_dir/noise"
	timeout 20 socat -t 5 - "UNIX-CONNECT:$sock" <"$tap_dir/noise" >/dev/null
	echo '{"execute":"system_reset"}{"execute":"quit"}' >&3
	wait $pid
	is $? 0 "status 0 after quit, noise on another monitor or not"
	exec 3>&-
	wait
	like "$(cat "$tap_dir/two")" '*"RESET"*"reason": "host-qmp-system-reset"*"SHUTDOWN"*' \
		"events reach the client that is there"
	[ ! -e "$sock" ]
	ok $? "the socket's file is gone"
fi

done_testing
