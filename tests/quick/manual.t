#!/bin/sh
# The manual and -help name the same options.
. "$srcdir/tests/lib/tap.sh"

"$MYNA" -help | sed -n 's/^  -\([^ ]*\).*/\1/p' | sort -u >"$tap_dir/help"
sed -n '/^\.SH OPTIONS/,/^\.SH EXIT/p' "$srcdir/docs/myna.1" |
	sed -n '/^\.TP/{n;p;}' | sed 's/\\-/-/g; s/[",]/ /g; s/^\.B[RI]* *//' |
	tr ' ' '\n' | sed -n 's/^-\(.*\)/\1/p' | sort -u >"$tap_dir/manual"
is "$(comm -23 "$tap_dir/help" "$tap_dir/manual")" "" "every option of -help is in the manual"
is "$(comm -13 "$tap_dir/help" "$tap_dir/manual")" "" "every option of the manual is in -help"
is "$(test "$(wc -l <"$tap_dir/help")" -gt 40 && echo many)" many "and they are many"

done_testing
