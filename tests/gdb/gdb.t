#!/bin/sh
# Debugging with the real gdb, on the translator and on the interpreter: a loop that is written into
# memory by gdb itself, and the built-in guest.
. "$srcdir/tests/lib/tap.sh"

GDB=${GDB:-gdb-multiarch}
command -v "$GDB" >/dev/null || skip_all "no $GDB"
"$MYNA" -arch riscv64 -machine help 2>/dev/null | grep -q '^virt' || skip_all "no machine virt"
hello=$srcdir/tests/guest/riscv/hello/hello.elf
sock=$tap_dir/gdb

# start OPTION...: the emulator, stopped, waiting for gdb
start() {
	"$MYNA" -arch riscv64 -M virt -m 64M -display none -serial null -monitor none -S \
		-gdb "unix:$sock" "$@" 2>"$tap_dir/stderr" &
	pid=$!
	for _ in $(seq 200); do
		[ -S "$sock" ] && return
		sleep 0.05
	done
}

# ask <COMMANDS: what gdb prints in one session
ask() {
	{
		printf '%s\n' "set confirm off" "set pagination off" "set osabi none" "set remotetimeout 20" \
			"target remote $sock"
		cat
	} >"$tap_dir/cmd"
	timeout 100 "$GDB" -nx -batch -x "$tap_dir/cmd" 2>&1
}

# finish: ends it, its status in $status
finish() {
	[ -z "$1" ] || kill "$pid" 2>/dev/null
	status=0
	wait "$pid" || status=$?
	rm -f "$sock"
}

# between MARK TEXT: the lines after the one that is MARK, up to the next mark
between() {
	printf '%s\n' "$2" | sed -n "/^== $1\$/,/^== /{/^== /d;p}" | grep -v '^$'
}

# 1: a1++; *a0 = a1; a2 = *a0; a3++; goto 1
program='set *(int *)0x80000000 = 0x00158593
set *(int *)0x80000004 = 0x00b53023
set *(int *)0x80000008 = 0x00053603
set *(int *)0x8000000c = 0x00168693
set *(int *)0x80000010 = 0xff1ff06f
set *(int *)0x80000100 = 0x0000006f
set $pc = 0x80000000
set $a0 = 0x80001000
set $a1 = 0
set $a3 = 0'

points() {
	start -smp 2 -bios none -cpu rv64,v=on "$@"
	out=$(
		ask <<-END
			thread 2
			set \$pc = 0x80000100
			thread 1
			$program
			echo == step\n
			stepi
			stepi
			x/gx 0x80001000
			echo == break\n
			break *0x80000010
			continue
			info registers a1
			continue
			info registers a1
			delete
			echo == hbreak\n
			hbreak *0x80000004
			continue
			delete
			echo == watch\n
			watch *(long *)0x80001000
			continue
			continue
			delete
			echo == rwatch\n
			rwatch *(long *)0x80001000
			continue
			continue
			delete
			echo == awatch\n
			awatch *(long *)0x80001000
			continue
			continue
			delete
			echo == half\n
			rwatch *(char *)0x80001007
			continue
			info registers a3
			delete
			echo == threads\n
			info threads
			thread 2
			stepi
			echo == both\n
			set *(int *)0x80000104 = 0x00000013
			set \$pc = 0x80000104
			set *(int *)0x80000108 = 0xffdff06f
			break *0x80000108
			continue
			info threads
			delete
			echo == vector\n
			set \$v3.w[1] = 0x12345678
			p/x \$v3.b[5]
			p/x \$vlenb
			p sizeof(\$v3)
			p \$priv
			set \$mscratch = 0x77
			p/x \$mscratch
			set \$fa0 = 1.5
			p \$fa0.double
			echo == end\n
		END
	)
	finish kill
	is "$(between step "$out")" "0x0000000080000004 in ?? ()
0x0000000080000008 in ?? ()
0x80001000:	0x0000000000000001" "single steps ($*)"
	is "$(between break "$out" | grep -v ^Breakpoint)" \
		"Thread 1 hit Breakpoint 1, 0x0000000080000010 in ?? ()
a1             0x1	1
Thread 1 hit Breakpoint 1, 0x0000000080000010 in ?? ()
a1             0x2	2" "a breakpoint, each time round ($*)"
	like "$(between hbreak "$out")" "*Thread 1 hit *2, 0x0000000080000004 in*" "a hardware breakpoint ($*)"
	is "$(between watch "$out" | grep -v watchpoint)" "Old value = 2
New value = 3
0x0000000080000008 in ?? ()
Old value = 3
New value = 4
0x0000000080000008 in ?? ()" "a write watchpoint: each write, none twice ($*)"
	is "$(between rwatch "$out" | grep -v watchpoint)" "Value = 4
0x000000008000000c in ?? ()
Value = 5
0x000000008000000c in ?? ()" "a read watchpoint ($*)"
	is "$(between awatch "$out" | grep -v watchpoint)" "Old value = 5
New value = 6
0x0000000080000008 in ?? ()
Value = 6
0x000000008000000c in ?? ()" "an access watchpoint: the write, then the read ($*)"
	like "$(between half "$out")" "*Value = 0*0x000000008000000c in*" "part of what an access touches ($*)"
	like "$(between threads "$out")" "*Thread 1 (CPU#0 *Thread 2 (CPU#1 *0x0000000080000100 in*" "threads are CPUs ($*)"
	like "$(between both "$out")" "*Thread 2 hit Breakpoint *0x0000000080000108 in*\* 2 *" "a breakpoint that another CPU meets ($*)"
	is "$(between vector "$out")" '$1 = 0x56
$2 = 0x10
$3 = 16
$4 = 3
$5 = 0x77
$6 = 1.5' "vectors, CSRs, floating point ($*)"
	is "$(printf '%s\n' "$out" | grep -i -e 'warning: [^N]' -e error -e cannot)" "" "nothing that gdb minds ($*)"
}
points -accel tcg
points -accel interp

# The built-in guest, from the firmware on.
start -smp 2 -kernel "$hello"
out=$(
	ask <<-END
		echo == entry\n
		break *0x80200000
		continue
		delete
		info registers priv
		echo == stepping\n
		stepi
		stepi
		stepi
		maintenance packet ?
		echo == memory\n
		x/2bx 0x80200000
		maintenance packet Qqemu.PhyMemMode:1
		x/2bx 0x80200000
		maintenance packet Qqemu.PhyMemMode:0
		maintenance packet m0,4
		echo == monitor\n
		monitor info status
		monitor info registers
		monitor nosuchcommand
		echo == left\n
		break *0x80200000
		detach
	END
)
like "$(between entry "$out")" "*Thread [12] hit Breakpoint 1, 0x0000000080200000*priv *1*" "a breakpoint where the kernel is yet to be loaded"
like "$(between stepping "$out")" '*in*in*in*received: "T05thread:[12];"*' "steps of the kernel"
is "$(between memory "$out" | grep -c '^0x80200000:')" 2 "memory, virtual and physical"
like "$(between memory "$out")" '*sending: m0,4*received: "E14"*' "no memory there"
like "$(between monitor "$out")" "VM status: paused (debug)*CPU#0* pc *unknown command: 'nosuchcommand'*" "monitor commands"
like "$(between left "$out")" "*detached*" "detach"

out=$(
	ask <<-END
		echo == again\n
		monitor info status
		info breakpoints
		kill
	END
)
like "$(between again "$out")" "VM status: paused*No breakpoints*Inferior 1 (*) killed*" "attach again to the running guest, and kill"
finish ""
is "$status" 0 "kill ends the emulator"

# A guest that switches itself off while gdb waits: *0x100000 = 0x5555
start -bios none
out=$(
	ask <<-END
		set *(int *)0x80000000 = 0x00b52023
		set \$pc = 0x80000000
		set \$a0 = 0x100000
		set \$a1 = 0x5555
		continue
	END
)
finish ""
like "$out" "*exited normally*" "gdb hears of the end"
is "$status" 0 "and the status is the guest's"

# wfi, then a jump to itself; a CPU that waits is stopped and stepped like any other
start -bios none
out=$(
	ask <<-END
		set *(int *)0x80000000 = 0x10500073
		set *(int *)0x80000004 = 0x0000006f
		set \$pc = 0x80000000
		echo == wfi\n
		stepi
		stepi
		set \$pc = 0x1
		echo == trap\n
		set \$mtvec = 0x80000004
		set *(int *)0x80000008 = 0
		set \$pc = 0x80000008
		stepi
		p/x \$mcause
		echo == end\n
	END
)
finish kill
is "$(between wfi "$out")" "0x0000000080000004 in ?? ()
0x0000000080000004 in ?? ()" "steps over wfi"
is "$(between trap "$out")" '0x0000000080000004 in ?? ()
$1 = 0x2' "a step into a trap"

# lr, sc: a watchpoint at the lock does not break the reservation
start -bios none
out=$(
	ask <<-END
		set *(int *)0x80000000 = 0x1005362f
		set *(int *)0x80000004 = 0x18b5362f
		set \$pc = 0x80000000
		set \$a0 = 0x80001000
		set \$a1 = 5
		awatch *(long *)0x80001000
		echo == sc\n
		continue
		continue
		p \$a2
		echo == end\n
	END
)
finish kill
is "$(between sc "$out" | grep -v watchpoint)" "Value = 0
0x0000000080000004 in ?? ()
Old value = 0
New value = 5
0x0000000080000008 in ?? ()
\$1 = 0" "load reserved and store conditional under a watchpoint"

# The stub switched on by the monitor, of a machine that runs
mkfifo "$tap_dir/monitor"
"$MYNA" -arch riscv64 -M virt -m 64M -display none -serial null -monitor stdio -bios none \
	<"$tap_dir/monitor" >"$tap_dir/stdout" 2>"$tap_dir/stderr" &
pid=$!
exec 3>"$tap_dir/monitor"
echo "gdbserver unix:$sock" >&3
for _ in $(seq 200); do
	[ -S "$sock" ] && break
	sleep 0.05
done
out=$(echo "monitor info status" | ask)
like "$out" "*VM status: paused*" "the machine stops for a gdb that connects"
echo "gdbserver none" >&3
echo "gdbserver tpc:x" >&3
echo "quit" >&3
exec 3>&-
finish ""
like "$(cat "$tap_dir/stdout")" "*Waiting for gdb connection on device 'unix:$sock'*Disabled gdbserver*did you mean 'tcp:'*" \
	"gdbserver in the monitor"
is "$status" 0 "and quit"

done_testing
