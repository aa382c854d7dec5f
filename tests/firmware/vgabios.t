#!/bin/bash
# The VGA BIOS, called by tests/guest/x86/vga-probe.c in every mode it has, under our BIOS and under
# SeaBIOS, as a PCI and as an ISA card's, and as the GD5446's; pictures that it shows by VBE.
. "$srcdir/tests/lib/tap.sh"
probe=$srcdir/tests/guest/x86/vga-probe.bin
cp "$probe" "$tap_dir/disk"
truncate -s 4M "$tap_dir/disk"

# probe OPTION...: what it said is in $tap_dir/said
probe() {
	: >"$tap_dir/said"
	timeout 40 "$MYNA" -arch x86_64 -m 64 -display none -nodefaults -monitor none \
		-device isa-debug-exit,iobase=0x501 -chardev file,id=said,path="$tap_dir/said" \
		-device isa-debugcon,iobase=0xe9,chardev=said \
		-drive if=ide,format=raw,file="$tap_dir/disk" "$@" 2>"$tap_dir/err" </dev/null
	status=$?
	sed 's/^/# /' "$tap_dir/err"
}

# mode NUMBER COLUMNS ROWS-1 HEIGHT: what the probe says of a mode of dots; of text, with an attribute
mode() {
	local char=0041
	case $1 in 00 | 01 | 02 | 03 | 07) char=1e41 ;; esac
	printf 'mode %s %s%s 0000 00%s 00%s\n char %s 0000 0000 0000\n' "$1" "$2" "$1" "$3" "$4" $char
	printf ' %s 0000 0000 0000\n' 'none 0020' 'up 0041' 'down 0041'
	[ $char = 1e41 ] || printf ' %s 0000 0000 0000\n' 'pixel 0001' 'beside 0000'
}

expected() {
	mode 00 28 18 10
	mode 01 28 18 10
	mode 02 50 18 10
	mode 03 50 18 10
	mode 04 28 18 08
	mode 05 28 18 08
	mode 06 50 18 08
	mode 07 50 18 10
	mode 0d 28 18 08
	mode 0e 50 18 08
	mode 0f 50 18 0e
	mode 10 50 18 0e
	mode 11 50 1d 10
	mode 12 50 1d 10
	mode 13 28 18 08
	cat <<-END
		cursor 0300 0000 0607 1804
		rows 0074 006d 0007 0000
		page 0058 0001 0000 0010
		rows50 0031 0008 0000 0000
		lines350 0018 000e 0000 0000
		lines400 0018 0010 0000 0000
		font 0002 0001 00ff 0000
		font 0003 0001 00ff 0000
		font 0006 0001 00ff 0000
		ega 1200 0003 0f09 0000
		dcc 1a1a 0008 0000 0000
		dac 1015 0005 1122 3300
		attr 1007 3901 0000 0000
		state 001b 0003 0050 0019
		save 001c 000e 0000 0000
		back 5003 0000 0000 0000
	END
}

# expected_vbe MEMORY LINES DAC COLOR...: what differs between chips
expected_vbe() {
	cat <<-END
		vesa 004f 4556 0300 $1
		window 004f 0100 0000 0003
		line 004f 0400 0400 $2
		start 004f 0001 0008 0064
		dac8 004f $3 0000 0000
		palette 004f $4 $5 0000
		vsave 004f 000f 000f 0000
		vback 004f 0103 0000 0000
		pm 004f 0001 0000 0000
		edid 004f ff00 00ff 0000
		text 004f 0003 0000 0000
		end
	END
}

# answers NAME MODES OPTION...: MODES is the number of VBE's; $chip is what expected_vbe gets
answers() {
	local name=$1 modes=$2
	shift 2
	probe "$@"
	is "$status" 1 "$name: the probe ends the machine"
	sed '/^vesa/,$d' "$tap_dir/said" >"$tap_dir/ibm"
	expected >"$tap_dir/wanted"
	is "$(diff "$tap_dir/wanted" "$tap_dir/ibm")" "" "$name: IBM's modes and services"
	is "$(sed -n '/^vesa/,$p' "$tap_dir/said" | grep -v '^vbe')" "$(expected_vbe $chip)" "$name: VBE's services"
	is "$(grep -c '^vbe ... 004f' "$tap_dir/said")" "$modes" "$name: every mode of VBE is there and can be set"
	like "$(grep '^vbe' "$tap_dir/said")" "*vbe 115 004f 0320 0258 0018*vbe 143 004f 0320 0258 0020*" \
		"$name: modes are of the size that their numbers mean"
}

chip="0100 4000 0800 b2c3 00a1"
answers "our BIOS" 70 -machine pc -vga std
answers "isapc" 70 -machine isapc -vga std
sea=/usr/share/seabios/bios-256k.bin
if [ -r "$sea" ]; then
	answers "SeaBIOS" 70 -machine pc -vga std -bios "$sea"
else
	ok 0 "SeaBIOS # SKIP $sea is not there (package seabios)"
fi

probe -machine pc -device VGA,vgamem_mb=1
is "$(grep -c '^vbe ... 004f' "$tap_dir/said")" 19 "with 1 MiB there are the modes that fit"

chip="0040 1000 0600 3203 0021"
answers "GD5446" 43 -machine pc -vga cirrus
answers "GD5446 on ISA" 43 -machine isapc -vga cirrus
probe -machine pc -device cirrus-vga,vgamem_mb=2
is "$(grep -c '^vbe ... 004f' "$tap_dir/said")" 29 "GD5446 with 2 MiB: the modes that fit"

# dot FILE WIDTH X Y: of a PPM
dot() {
	tail -c "+$((3 * ($4 * $2 + $3) + 1 + $(head -n 3 "$1" | wc -c)))" "$1" | head -c 3 | od -An -v -tx1 | tr -d ' '
}

# shows MODE WIDTH HEIGHT OPTION...
shows() {
	local mode=$1 width=$2 height=$3
	shift 3
	cp "$probe" "$tap_dir/picture"
	printf "\\$(printf %o "0x${mode#?}")\\001" | dd of="$tap_dir/picture" bs=1 seek=508 conv=notrunc status=none
	truncate -s 4M "$tap_dir/picture"
	: >"$tap_dir/said"
	{
		for _ in $(seq 200); do
			grep -q shown "$tap_dir/said" && break
			sleep 0.1
		done
		echo "screendump $tap_dir/shot"
		echo quit
	} | timeout 40 "$MYNA" -arch x86_64 -machine pc -m 64 -display none -nodefaults -monitor stdio \
		-chardev file,id=said,path="$tap_dir/said" -device isa-debugcon,iobase=0xe9,chardev=said \
		-drive if=ide,format=raw,file="$tap_dir/picture" "$@" >"$tap_dir/out" 2>&1
	is "$(sed -n 2p "$tap_dir/shot")" "$width $height" "$*: mode $mode has $width by $height dots"
	is "$(for at in "0 0" "15 15" "16 0" "0 16" "$((width - 1)) $((height - 1))" "$((width - 2)) $((height - 1))"; do
		dot "$tap_dir/shot" "$width" $at
	done | tr '\n' ' ')" "ffffff ffffff 000000 000000 ffffff 000000 " "$*: mode $mode shows what was written"
}

shows 103 800 600 -vga std
for m in "101 640 480" "103 800 600" "110 640 480" "111 640 480" "112 640 480" "142 640 480" \
	"11b 1280 1024" "11e 1600 1200"; do
	shows $m -vga cirrus
done
done_testing
