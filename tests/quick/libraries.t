#!/bin/sh
# Libraries that few runs use are opened when they are needed: the program starts without them, and
# one that cannot be had costs one line, or only what it was for.
. "$srcdir/tests/lib/tap.sh"

soname() { sed -n "s/^#define SONAME_$1 \"\(.*\)\"/\1/p" "$MYNA_BUILD/config.h"; }
has() { [ -n "$(soname "$1")" ]; }
pc="-arch x86_64 -M pc -accel qtest -nodefaults"

# The log of a guest that only powers off.
hello() {
	printf '\rpoweroff\rpoweroff\r' | timeout 60 "$MYNA" -arch riscv64 -M virt -accel tcg -nographic -d out_asm \
		-D "$tap_dir/log" -kernel "$srcdir/tests/guest/riscv/hello/hello.elf" >/dev/null
}

# A picture as PNG, from a machine that gave up all system calls that -sandbox denies.
screendump() {
	rm -f "$tap_dir/png"
	printf 'screendump %s -f png\nquit\n' "$tap_dir/png" |
		"$MYNA" $pc -vga std -display none -monitor stdio \
			-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny 2>&1
}

linked=$(ldd "$MYNA")
for name in CAPSTONE GNUTLS JPEG LIBPNG NETTLE SDL2; do
	has $name || continue
	case $linked in
	*"$(soname $name)"*) ok 1 "the program starts without $(soname $name)" ;;
	*) ok 0 "the program starts without $(soname $name)" ;;
	esac
done

if has LIBPNG; then
	out=$(screendump)
	is "$(head -c 4 "$tap_dir/png" | tail -c 3)" PNG "a picture as PNG, from within the sandbox"
fi
if has CAPSTONE; then
	hello
	like "$(grep -m 1 mov "$tap_dir/log")" "0x*:  mov*" "host code in logs is disassembled"
fi

# From here on none of them can be opened: there are files of these names, but no libraries.
mkdir "$tap_dir/lib"
for name in CAPSTONE GNUTLS JPEG LIBPNG NETTLE SDL2; do
	has $name && : >"$tap_dir/lib/$(soname $name)"
done
LD_LIBRARY_PATH=$tap_dir/lib
export LD_LIBRARY_PATH

if has SDL2; then
	refuses "myna: -display: sdl: *$(soname SDL2)*(Debian package: libsdl2*" $pc -display sdl
fi
echo quit | DISPLAY=:4711 timeout 20 "$MYNA" $pc -monitor stdio >"$tap_dir/out" 2>&1
is "$?" 0 "without a word, and no window to be had, the machine runs without one"
has GNUTLS && refuses "myna: -vnc: TLS: *$(soname GNUTLS)*(Debian package: libgnutls*" $pc \
	-object tls-creds-anon,id=t,endpoint=server -vnc "unix:$tap_dir/vnc,tls-creds=t"
has NETTLE && refuses "myna: -vnc: passwords: *$(soname NETTLE)*(Debian package: libnettle*" $pc \
	-vnc "unix:$tap_dir/vnc,password=on"
has JPEG && refuses "myna: -vnc: lossy=on: *$(soname JPEG)*(Debian package: libjpeg*" $pc \
	-vnc "unix:$tap_dir/vnc,lossy=on"
if has LIBPNG; then
	out=$(screendump)
	like "$out" "*screendump: *$(soname LIBPNG)*(Debian package: libpng*" "no PNG: the monitor says why"
	[ ! -e "$tap_dir/png" ]
	ok $? "and no file is left"
fi
if has CAPSTONE; then
	hello
	like "$(cat "$tap_dir/log")" "*no disassembly: *$(soname CAPSTONE)*(Debian package: libcapstone*
0x*:  [0-9a-f][0-9a-f] [0-9a-f][0-9a-f]*" "no disassembly: the log says why, and has bytes"
fi

# Another's library of the same name.
if has JPEG && [ -e "$(printf '%s' "$linked" | sed -n 's/.*=> \(.*libz[.]so[^ ]*\).*/\1/p')" ]; then
	cp "$(printf '%s' "$linked" | sed -n 's/.*=> \(.*libz[.]so[^ ]*\).*/\1/p')" "$tap_dir/lib/$(soname JPEG)"
	refuses "myna: -vnc: lossy=on: $(soname JPEG) is not the one that is needed, it has no jpeg_*" $pc \
		-vnc "unix:$tap_dir/vnc,lossy=on"
fi

done_testing
