#!/bin/sh
# decodegen refuses tables that are wrong or mean two things.
. "$srcdir/tests/lib/tap.sh"

head='%name t
%exclusive RV32 RV64'

# refused NAME PATTERN LINES...: by one line that names file and line number
refused() {
	name=$1 pattern=$2
	shift 2
	printf '%s\n' "$head" "$@" >"$tap_dir/t.decode"
	out=$("$MYNA_BUILD/decodegen" "$tap_dir/t.decode" 2>&1 >/dev/null)
	is $? 1 "$name is refused"
	like "$out" "$tap_dir/t.decode:[0-9]*: $pattern" "... and said why"
	is "$(printf '%s\n' "$out" | wc -l)" 1 "... in one line"
}

taken() {
	name=$1
	shift
	printf '%s\n' "$head" "$@" >"$tap_dir/t.decode"
	"$MYNA_BUILD/decodegen" "$tap_dir/t.decode" >"$tap_dir/out" 2>"$tap_dir/err"
	ok $? "$name is taken"
	is "$(cat "$tap_dir/err")" "" "... in silence"
}

a='a  ........ rd:4 ..00  tr_a  I'
taken "a form" "$a"
refused "an overlap" 'b overlaps a of line 3' "$a" 'b  ........ ...1 ..00  tr_b  I'
taken "an overlap that is declared" "$a" 'b  ........ ...1 ..00  tr_b  I  over=a'
refused "a special case that is wider" 'b overlaps a of line 3' \
	"$a" 'b  ........ ...1 ...0  tr_b  I  over=a'
taken "one that an exception excludes" \
	'a  ........ rd:4 ..00  rd!=3  tr_a  I' 'b  ........ 0011 ..00  tr_b  I'
refused "one that it does not exclude" 'b overlaps a of line 3' \
	'a  ........ rd:4 ..00  rd!=3  tr_a  I' 'b  ........ 0.11 ..00  tr_b  I'
taken "one of another width of registers" \
	'a  ........ rd:4 ..00  tr_a  I&RV32' 'b  ........ rd:4 ..00  tr_b  I&RV64'
taken "forms of different lengths" "$a" 'b  ................ ........ rd:4 ..00  tr_b  I'
refused "a form of 15 bits" 'a has 15 bits*' 'a  ....... rd:4 ..00  tr_a  I'
refused "a form without handler" 'a: handler*' 'a  ........ rd:4 ..00  I'
refused "an unknown format" 'there is no format @x' 'a  ........ rd:4 ..00  @x tr_a  I'
refused "an operand that is there twice" 'operand rd is there twice' \
	'a  ........ rd:4 ..00  rd=3  tr_a  I'
refused "an exception for nothing" 'a: exception*' 'a  ........ rd:4 ..00  rs!=3  tr_a  I'
refused "a bad list of bits" 'list of operand imm*' 'a  ........ rd:4 ..00  imm=s(12;3)  tr_a  I'

done_testing
