#!/bin/sh
# The README's two commands on a machine that has nothing yet but make and git: a fresh Debian in a
# folder, and in it a fresh clone.  MYNA_FRESH_SUITE: which Debian.  MYNA_FRESH_ROOT: a folder with one
# that is there already; it is left as it is then, but for what the commands do.
. "$srcdir/tests/lib/tap.sh"
suite=${MYNA_FRESH_SUITE:-bookworm}
root=${MYNA_FRESH_ROOT:-$tap_dir/root}
mirror=$(bash -c '. "$0/scripts/packages.sh"; mirrors | sed -n 1p' "$srcdir")

[ "$(id -u)" = 0 ] || skip_all "only root can make a machine of a folder"
for tool in debootstrap expect git unshare; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
[ -e "$srcdir/.git" ] || skip_all "the sources are not a git repository"
if [ ! -x "$root/usr/bin/git" ]; then
	unshare -m debootstrap --variant=minbase --include=make,git,ca-certificates "$suite" "$root" "$mirror" \
		>"$tap_dir/debootstrap" 2>&1 || skip_all "debootstrap: $(tail -n 1 "$tap_dir/debootstrap")"
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
rm -rf "$root/root/myna"
git clone -q "$srcdir" "$root/root/myna"

cat >"$tap_dir/inside" <<'END'
# inside ROOT COMMAND: with devices, processes and terminals of its own, which end with it
exec unshare -mpf sh -c '
	mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" || exit 99
	exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=vt100 CI="$CI" \
		chroot "$0" sh -c "cd /root/myna && $1"' "$1" "$2"
END

cat >"$tap_dir/script" <<'END'
set start [clock seconds]
proc want {text name} {
	expect {
		-re $text { puts "\nok - $name" }
		timeout { puts "\nnot ok - $name: timeout"; exit 1 }
		eof { puts "\nnot ok - $name: end of output"; exit 1 }
	}
}
log_user 1
lassign $argv inside root
spawn sh $inside $root "make demo; echo STATUS \$?"
set timeout 600
want "\n/ # " "the prompt"
puts "\n# set up, built and booted in [expr [clock seconds] - $start] s"
set timeout 60
send "uname -m\r"
want "\nriscv64\r" "keys"
want "/ # " "prompt again"
send "echo abd\033\[D\033\[Dx\r"
want "\naxbd\r" "an arrow to the left"
want "/ # " "prompt again"
send "\033\[A\r"
want "\naxbd\r" "an arrow up"
want "/ # " "prompt again"
send "sleep 1000\r"
sleep 3
send "\003"
want "/ # " "C-c"
send "\001x"
want "STATUS 0\r" "C-a x"
END
expect "$tap_dir/script" "$tap_dir/inside" "$root" </dev/null >"$tap_dir/demo" 2>&1
grep '^# set up' "$tap_dir/demo"
is "$(grep -ac '^ok - ' "$tap_dir/demo")" 9 "make demo: keys and arrows work, C-c reaches the guest, C-a x ends it"
grep -aq '^not ok' "$tap_dir/demo" && tail -n 40 "$tap_dir/demo" | sed 's/^/# /'

s=0
sh "$tap_dir/inside" "$root" "make check" </dev/null >"$tap_dir/check" 2>&1 || s=$?
is "$s" 0 "make check"
like "$(tail -n 3 "$tap_dir/check")" "*Result: PASS*" "it ends in prove's summary"
[ "$s" = 0 ] || tail -n 60 "$tap_dir/check" | sed 's/^/# /'
tail -n 2 "$tap_dir/check" | sed 's/^/# /'

done_testing
