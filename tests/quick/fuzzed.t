#!/bin/bash
# Every device that -device takes has its registers fuzzed: its name is in one of the tests that do.
. "$srcdir/tests/lib/tap.sh"

for arch in x86_64 riscv64; do
	timeout 60 "$MYNA" -arch "$arch" -device help >"$tap_dir/help"
	missing=
	for name in $(sed -n 's/^name "\([^"]*\)".*/\1/p' "$tap_dir/help"); do
		# it ends the program, which is all it does
		[ "$name" != isa-debug-exit ] || continue
		grep -qE -- "[ \"]$name([ ,\"]|\$)" "$srcdir"/tests/unit/test-qtest-fuzz*.c || missing="$missing $name"
	done
	echo "# not fuzzed:${missing:- none}"
	[ "$(grep -c '^name' "$tap_dir/help")" -gt 10 ] && [ -z "$missing" ]
	ok $? "all of $arch"
done
done_testing
