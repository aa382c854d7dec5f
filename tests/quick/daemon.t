#!/bin/sh
# -daemonize, -pidfile and signals: who is told what, and that nothing is left behind.
. "$srcdir/tests/lib/tap.sh"
"$MYNA" -accel help | grep -q ^qtest || skip_all "no -accel qtest in this build"

rv="-arch riscv64 -M virt -accel qtest -display none"
pidfile=$tap_dir/pid

# Until the condition holds; gives up after a while that only a hung program needs.
wait_for() {
	tries=0
	until eval "$1"; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || return 1
		sleep 0.1
	done
}

"$MYNA" $rv -daemonize -pidfile "$pidfile" </dev/null >"$tap_dir/out" 2>&1
is "$? $(cat "$tap_dir/out")" "0 " "-daemonize returns once everything is set up"
pid=$(cat "$pidfile")
kill -0 "$pid"
ok $? "the process of -pidfile runs"
is "$(readlink "/proc/$pid/fd/1") $(readlink "/proc/$pid/cwd")" "/dev/null /" "it has left terminal and folder"
refuses "*-pidfile: '$pidfile' belongs to another running process" $rv -pidfile "$pidfile"
is "$(cat "$pidfile")" "$pid" "the second one leaves the file alone"
kill -TERM "$pid"
wait_for '! kill -0 "$pid" 2>/dev/null'
ok $? "SIGTERM ends it"
is "$(ls "$tap_dir" | grep pid)" "" "its pidfile is gone"

refuses "*-M*: there is no *" -daemonize -arch riscv64 -Mx
refuses "*-machine: there is no machine 'x'*" -daemonize -arch riscv64 -M x -display none

"$MYNA" $rv -pidfile "$pidfile" </dev/null >"$tap_dir/out" 2>&1 &
job=$!
wait_for '[ -s "$pidfile" ]'
is "$(cat "$pidfile")" "$job" "-pidfile in the foreground"
kill -INT "$job"
wait "$job"
is "$?" 0 "SIGINT ends it in order"
like "$(cat "$tap_dir/out")" "*ended by signal 2*" "and it says so"

# Spawning is given up, but nothing that the machine needs is.
"$MYNA" $rv -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny \
	-pidfile "$pidfile" </dev/null >"$tap_dir/out" 2>&1 &
job=$!
wait_for '[ -s "$pidfile" ]'
wait_for 'grep -q "^Seccomp:.*2" /proc/$job/status'
ok $? "-sandbox installs a filter"
kill -TERM "$job"
wait "$job"
is "$?" 0 "and the program ends in order under it"

done_testing
