#!/bin/sh
# -nographic on a terminal: serial port and monitor share it, C-a switches, and it is given back.
. "$srcdir/tests/lib/tap.sh"
command -v expect >/dev/null || skip_all "expect is not installed"

cat >"$tap_dir/script" <<'END'
set timeout 20
log_user 0
proc step {name} { puts "ok - $name" }
proc want {text name} {
	expect {
		-ex $text { step $name }
		timeout { puts "not ok - $name: timeout"; exit 1 }
		eof { puts "not ok - $name: end of output"; exit 1 }
	}
}
eval spawn $env(MYNA) -arch riscv64 -M virt -accel qtest -qtest null -nographic
send "\001c"
want "monitor - type 'help'" "C-a c greets"
want "(qemu) " "prompt"
send "info sta\t\r"
want "VM status: running" "completion and answer"
want "(qemu) " "prompt again"
send "\001h"
want "C-a x    exit emulator" "C-a h"
send "\033\[A\r"
want "VM status: running" "history"
send "stop\r"
want "(qemu) " "prompt after stop"
send "\001c\001c"
want "(qemu) " "there and back"
send "info status\r"
want "VM status: paused" "stopped"
send "\001x"
want "Terminated" "C-a x"
expect eof
puts "status [lindex [wait] 3]"
END
expect "$tap_dir/script" >"$tap_dir/out" 2>&1
while read -r line; do
	case $line in
	"ok - "*) ok 0 "${line#ok - }" ;;
	"status 0") ok 0 "status 0" ;;
	*) ok 1 "$line" ;;
	esac
done <"$tap_dir/out"
is "$(grep -c ^ok "$tap_dir/out")" 10 "all steps were taken"

done_testing
