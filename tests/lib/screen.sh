# PCs seen through their monitor: . "$srcdir/tests/lib/screen.sh" after tap.sh. What a VGA shows as
# text is read from its memory; keys are typed by sendkey.
#
#   screen_start -m 64 -cdrom grub.iso
#   screen_shows 60 'GNU GRUB'; ok $? "the menu comes"
#   screen_type c l s ret
#   screen_stop

# screen_start OPTION...: with the monitor at the test; stops with the test's end at the latest
screen_start() {
	rm -f "$tap_dir/keys" "$tap_dir/monitor"
	mkfifo "$tap_dir/keys"
	timeout "${screen_limit:-900}" "$MYNA" -arch "${screen_arch:-x86_64}" -machine pc -display none \
		-monitor stdio "$@" <"$tap_dir/keys" >"$tap_dir/monitor" 2>"$tap_dir/err" &
	screen_pid=$!
	exec 7>"$tap_dir/keys"
}

# screen_text: the 32 KiB at 0xb8000 as lines of 80 characters; what is not ASCII is a dot
screen_text() {
	local from
	from=$(wc -c <"$tap_dir/monitor")
	echo 'xp /16384xh 0xb8000' >&7
	for _ in $(seq 100); do
		tail -c "+$((from + 1))" "$tap_dir/monitor" | tr -d '\r' | grep -E '^[0-9a-f]+: 0x' >"$tap_dir/cells"
		[ "$(wc -w <"$tap_dir/cells")" -lt 18432 ] || break
		sleep 0.1
	done
	awk 'function digit(c) { return index("0123456789abcdef", c) - 1 }
		{
			for (i = 2; i <= NF; i++) {
				v = digit(substr($i, 5, 1)) * 16 + digit(substr($i, 6, 1))
				line = line (v >= 32 && v < 127 ? sprintf("%c", v) : v ? "." : " ")
				if (length(line) == 80) { print line; line = "" }
			}
		}' "$tap_dir/cells"
}

# screen_shows SECONDS REGEX: waits for it; the text is left in $tap_dir/screen
screen_shows() {
	local end=$((SECONDS + $1))
	while [ $SECONDS -lt $end ]; do
		screen_text >"$tap_dir/screen"
		grep -qE "$2" "$tap_dir/screen" && return 0
		kill -0 "$screen_pid" 2>/dev/null || break
		sleep 1
	done
	sed -n '{s/ *$//;/./s/^/# /p}' "$tap_dir/screen" | tail -n 60
	head -n 3 "$tap_dir/err" | sed 's/^/# /'
	return 1
}

# screen_type KEY...: by QEMU's names
screen_type() {
	for key; do
		echo "sendkey $key" >&7
		sleep 0.2
	done
}

screen_stop() {
	echo quit >&7
	exec 7>&-
	wait "$screen_pid" 2>/dev/null
}
