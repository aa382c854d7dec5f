#!/bin/sh
# Our riscv firmware answers every SBI call as the specification says, seen from a guest that makes
# them all; the guest prints TAP of its own, which comes out here as comments.
. "$srcdir/tests/lib/tap.sh"
guest=$srcdir/tests/guest/riscv/sbi

"$MYNA" -arch riscv64 -machine help 2>/dev/null | grep -q '^virt' || skip_all "no machine virt"

run() { # BITS NAME OPTION...
	bits=$1
	name=$2
	shift 2
	timeout 400 "$MYNA" -arch "riscv$bits" -M virt -m 256M -nographic \
		-bios "$srcdir/bios/riscv-virt-$bits.bin" -kernel "$guest/sbi-test-$bits.elf" "$@" \
		</dev/null >"$tap_dir/out" 2>"$tap_dir/err"
	status=$?
	tr -d '\r' <"$tap_dir/out" | sed 's/^/# /'
	sed 's/^/# /' "$tap_dir/err"
	is "$status" 0 "riscv$bits, $name: powers off with status 0"
	is "$(grep -c '^not ok' "$tap_dir/out")" 0 "riscv$bits, $name: no check fails"
	is "1..$(grep -c '^ok' "$tap_dir/out")" "$(tr -d '\r' <"$tap_dir/out" | grep '^1\.\.')" \
		"riscv$bits, $name: every check is made"
}

for bits in 64 32; do
	run $bits "1 hart"
	run $bits "4 harts" -smp 4
	run $bits "after a reboot" -append =reboot=
done
done_testing
