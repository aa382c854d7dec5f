# TAP for shell scripts: . "$srcdir/tests/lib/tap.sh", then is, like, refuses, …, and done_testing last.
# $MYNA is the program, $srcdir the sources, $MYNA_BUILD the build folder.
: "${MYNA:?}" "${srcdir:?}"
tap_n=0
tap_failed=0
tap_dir=$(mktemp -d)
trap 'rm -rf "$tap_dir"' EXIT

# ok STATUS NAME
ok() {
	tap_n=$((tap_n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_n - $2"
	else
		echo "not ok $tap_n - $2"
		tap_failed=1
	fi
}

# is GOT EXPECTED NAME
is() {
	if [ "$1" = "$2" ]; then
		ok 0 "$3"
	else
		ok 1 "$3"
		printf '%s\n' "got:      $1" "expected: $2" | sed 's/^/# /'
	fi
}

# like TEXT PATTERN NAME: a shell pattern
like() {
	case $1 in
	$2) ok 0 "$3" ;;
	*)
		ok 1 "$3"
		printf '%s\n' "got:      $1" "expected: $2" | sed 's/^/# /'
		;;
	esac
}

# refuses PATTERN OPTION...: myna ends with status 1 and one line on stderr that matches; nothing on stdout
refuses() {
	tap_pattern=$1
	shift
	tap_status=0
	timeout 20 "$MYNA" "$@" </dev/null >"$tap_dir/out" 2>"$tap_dir/err" || tap_status=$?
	if [ "$tap_status" = 1 ] && [ "$(wc -l <"$tap_dir/err")" = 1 ] && [ ! -s "$tap_dir/out" ]; then
		like "$(cat "$tap_dir/err")" "$tap_pattern" "myna $* is refused"
	else
		ok 1 "myna $* is refused by one line and status 1"
		echo "# status $tap_status"
		head -c 2000 "$tap_dir/out" "$tap_dir/err" | sed 's/^/# /'
	fi
}

# skip_all REASON: for a whole script
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

done_testing() {
	echo "1..$tap_n"
	exit $tap_failed
}
