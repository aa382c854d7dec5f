#!/bin/sh
# -object: help, refusals, and what comes of each type.
. "$srcdir/tests/lib/tap.sh"

bare="-arch riscv64 -M virt -accel qtest -display none -serial null"

run() {
	timeout 20 $MYNA $bare "$@" 2>&1 | tr -d '\r'
}

like "$($MYNA -object help)" '*iothread *a thread*memory-backend-ram *rng-random *secret *' "-object help"
like "$($MYNA -object rng-random,help)" '*filename=<str> - * (default: /dev/urandom)*' "-object rng-random,help"

refuses "*-object: there is no object type 'rgn-random'; did you mean 'rng-random'?" $bare -object rgn-random,id=r
refuses "*-object: there is no object type 'rgn-random'; did you mean 'rng-random'?" -object rgn-random,help
refuses "*rng-random: there is no property 'filenam'; did you mean 'filename'?" $bare -object rng-random,id=r,filenam=x
refuses "*rng-random: cannot open '/nonexistent': No such file*" $bare -object rng-random,id=r,filename=/nonexistent
refuses "*-object: id= is missing" $bare -object iothread
refuses "*-object: id '1' must begin with a letter*" $bare -object '{"qom-type":"iothread","id":"1"}'
refuses "*-object: id 't' is taken" $bare -object iothread,id=t -object iothread,id=t
refuses "*memory-backend-ram: size is missing" $bare -object memory-backend-ram,id=m
refuses "*memory-backend-memfd: hugetlbsize needs hugetlb=on" $bare -object memory-backend-memfd,id=m,size=2M,hugetlbsize=2M
refuses "*memory-backend-file: mem-path is missing" $bare -object memory-backend-file,id=m,size=2M
refuses "*-machine: memory-backend: there is no object 'n'*" $bare -object memory-backend-ram,id=m,size=128M -machine memory-backend=n
refuses "*-machine: memory-backend: object 't' is of type iothread, not memory-backend" $bare -object iothread,id=t -machine memory-backend=t
refuses "*memory-backend=m has 67108864 bytes, and -m asks for 134217728" $bare -m 128 -object memory-backend-ram,id=m,size=64M -machine memory-backend=m
refuses "*virtio-rng-pci.rng: there is no object 'rng1'; did you mean 'rng0'?" $bare -object rng-builtin,id=rng0 -device virtio-rng-pci,rng=rng1
refuses "*virtio-rng-pci.rng: object 't' is of type iothread, not rng-backend" $bare -object iothread,id=t -device virtio-rng-pci,rng=t
refuses "*secret 's': give one of data and file" $bare -object secret,id=s
refuses "*secret 's': that is not base64" $bare -object 'secret,id=s,data=a$b=,format=base64'
refuses "*secret 's': cannot read '/nonexistent'*" $bare -object secret,id=s,file=/nonexistent
refuses "*rng-egd: chardev is missing" $bare -object rng-egd,id=r

# qtest COMMAND OPTIONS...: the reply; the machine ends behind it
mkfifo "$tap_dir/to" "$tap_dir/from"
qtest() {
	command=$1
	shift
	timeout 20 $MYNA $bare -qtest stdio "$@" <"$tap_dir/to" >"$tap_dir/from" 2>"$tap_dir/err" &
	exec 3>"$tap_dir/to" 4<"$tap_dir/from"
	printf '%s\n' "$command" >&3
	read -r reply <&4
	kill $!
	wait $! 2>/dev/null || :
	exec 3>&- 4<&-
	printf '%s\n' "$reply"
}

# Machines of which something is left after the run, or that would have to have more than they got.
write='writeq 0x82000000 0x1122334455667788'
qtest "$write" -machine memory-backend=m -object \
	"memory-backend-file,id=m,size=64M,mem-path=$tap_dir/ram,share=on,prealloc=on" >/dev/null
is "$(od -An -tx8 -j33554432 -N8 "$tap_dir/ram" | tr -d ' ')" 1122334455667788 "a shared file holds the RAM"
is "$(($(stat -c %s "$tap_dir/ram")))" 67108864 "and is as long as it"
# Somebody cuts the file while the machine runs: it ends, and says why.
timeout 20 $MYNA $bare -qtest stdio -machine memory-backend=m -object \
	"memory-backend-file,id=m,size=64M,mem-path=$tap_dir/ram,share=on" <"$tap_dir/to" >"$tap_dir/from" 2>"$tap_dir/err" &
exec 3>"$tap_dir/to" 4<"$tap_dir/from"
echo "$write" >&3
read -r reply <&4
: >"$tap_dir/ram"
echo 'readq 0x82000000' >&3
wait $! && status=0 || status=$?
exec 3>&- 4<&-
is "$status $(cat "$tap_dir/err")" "1 myna: '$tap_dir/ram' was cut short while it was in use" "a file that somebody cuts"
rm "$tap_dir/ram"
truncate -s 64M "$tap_dir/ram"
qtest "$write" -machine memory-backend=m -object \
	"memory-backend-file,id=m,size=64M,mem-path=$tap_dir/ram,share=off" >/dev/null
is "$(od -An -tx8 -j33554432 -N8 "$tap_dir/ram" | tr -d ' ')" 0000000000000000 "a private one keeps what it held"
refuses "*has 67108864 bytes, size=134217728 is more" $bare -object "memory-backend-file,id=m,size=128M,mem-path=$tap_dir/ram"
for o in "memory-backend-file,mem-path=$tap_dir" memory-backend-memfd memory-backend-ram memory-backend-ram,share=on; do
	like "$(qtest 'readq 0x82000000' -machine memory-backend=m,dump-guest-core=off,usb=off \
		-object "$o,id=m,size=64M,prealloc=on,merge=off")" 'OK 0x0000000000000000*' "RAM of a $o"
done

got=$(
	run -qtest null -qmp stdio -object iothread,id=t0 -object rng-random,id=r0 -device virtio-rng-device,rng=r0 \
		-object memory-backend-memfd,id=m,size=64M -machine memory-backend=m <<-'END'
		{"execute":"qmp_capabilities"}
		{"execute":"query-iothreads"}
		{"execute":"query-memdev"}
		{"execute":"object-add","arguments":{"qom-type":"iothread","id":"t2"}}
		{"execute":"human-monitor-command","arguments":{"command-line":"info iothreads"}}
		{"execute":"object-del","arguments":{"id":"t2"}}
		{"execute":"object-del","arguments":{"id":"t2"}}
		{"execute":"object-del","arguments":{"id":"r0"}}
		{"execute":"object-del","arguments":{"id":"m"}}
		{"execute":"object-add","arguments":{"qom-type":"iothread","id":"t0"}}
		{"execute":"qom-get","arguments":{"path":"/objects/r0","property":"filename"}}
		{"execute":"qom-list","arguments":{"path":"/objects"}}
		{"execute":"qom-list-types","arguments":{"implements":"rng-backend"}}
		{"execute":"quit"}
	END
)
is "$(printf '%s\n' "$got" | sed '1,2d; s/id": [1-9][0-9]*/id": N/; s/=[1-9][0-9]*/=N/g; /SHUTDOWN/d')" \
	'{"return": [{"id": "t0", "thread-id": N, "poll-max-ns": 0, "poll-grow": 0, "poll-shrink": 0, "aio-max-batch": 0}]}
{"return": [{"id": "m", "size": 67108864, "merge": true, "dump": true, "prealloc": false, "share": true, "host-nodes": [], "policy": "default"}]}
{"return": {}}
{"return": "t0:\r\n  thread_id=N\r\nt2:\r\n  thread_id=N\r\n"}
{"return": {}}
{"error": {"class": "GenericError", "desc": "object '"'t2'"' not found"}}
{"error": {"class": "GenericError", "desc": "object '"'r0'"' is in use, can not be deleted"}}
{"error": {"class": "GenericError", "desc": "object '"'m'"' is in use, can not be deleted"}}
{"error": {"class": "GenericError", "desc": "object-add: id '"'t0'"' is taken"}}
{"return": "/dev/urandom"}
{"return": [{"name": "type", "type": "string"}, {"name": "t0", "type": "child<iothread>"}, {"name": "r0", "type": "child<rng-random>"}, {"name": "m", "type": "child<memory-backend-memfd>"}]}
{"return": [{"name": "rng-builtin", "parent": "rng-backend"}, {"name": "rng-egd", "parent": "rng-backend"}, {"name": "rng-random", "parent": "rng-backend"}]}
{"return": {}}' "objects over QMP"

done_testing
