#!/bin/sh
# The committed firmware is what its source gives: images.sum names the source and the compiler
# each image was made from, and where that compiler is at hand a rebuild gives the same bytes.
. "$srcdir/tests/lib/tap.sh"

# committed DIR IMAGE...: bios/DIR/images.sum is of this tree
committed() {
	dir=$1
	shift
	sum=$srcdir/bios/$dir/images.sum
	changed=$(cd "$srcdir" && grep -v '^#' "$sum" | sha256sum --quiet -c - 2>&1)
	is "$changed" "" "$dir: images are newer than their source (else: make -C bios/$dir install)"
	listed=$(sed -n "s,^[0-9a-f]*  \(bios/$dir/.*\),\1,p" "$sum" | LC_ALL=C sort)
	there=$(cd "$srcdir" && find "bios/$dir" -name '*.[chS]' -o -name Makefile -o -name link.ld |
		LC_ALL=C sort)
	is "$listed" "$there" "$dir: every source file is listed"
	for image; do
		size=$(wc -c <"$srcdir/${image#*:}")
		[ "$size" -gt 0 ] && [ "$size" -le "${image%%:*}" ]
		ok $? "$(basename "$image") has at most ${image%%:*} bytes"
	done
}

# rebuilt DIR COMPILER IMAGE...
rebuilt() {
	dir=$1 cc=$2
	shift 2
	cross=${cc%gcc*}
	make -s -C "$srcdir/bios/$dir" CROSS="$cross" O="$tap_dir/$dir" >"$tap_dir/log" 2>&1
	ok $? "$dir: it builds without a warning"
	sed 's/^/# /' "$tap_dir/log"
	tools="# $("$cc" --version | head -n 1)
# $("${cross}ld" --version | head -n 1)"
	for image; do
		name=$(basename "$image")
		if [ "$tools" = "$(grep '^#' "$srcdir/bios/$dir/images.sum")" ]; then
			cmp "$tap_dir/$dir/$name" "$srcdir/${image#*:}"
			ok $? "$name is rebuilt byte for byte"
		else
			ok 0 "$name is rebuilt byte for byte # SKIP another compiler made it"
		fi
	done
}

riscv="65535:bios/riscv-virt-64.bin 65535:bios/riscv-virt-32.bin
	16383:tests/guest/riscv/sbi/sbi-test-64.elf 16383:tests/guest/riscv/sbi/sbi-test-32.elf"
vga="65536:bios/vga-bios.bin 65536:bios/cirrus-bios.bin 8704:tests/guest/x86/vga-probe.bin"
pc="131072:bios/pc-bios.bin 512:tests/guest/x86/boot-probe.bin
	512:tests/guest/x86/boot-sleep.bin 4096:tests/guest/x86/boot-kernel.bin"

committed riscv $riscv
committed pc $pc
committed vga $vga
cc=${RISCV_CC:-riscv64-linux-gnu-gcc}
if command -v "$cc" >/dev/null; then
	rebuilt riscv "$cc" $riscv
else
	ok 0 "riscv: rebuild # SKIP no riscv64 compiler"
fi
cc=${X86_CC:-gcc}
case $("$cc" -dumpmachine 2>/dev/null) in
x86_64-*gnu | i?86-*gnu) rebuilt pc "$cc" $pc && rebuilt vga "$cc" $vga ;;
*) ok 0 "pc, vga: rebuild # SKIP no compiler for PCs" ;;
esac
done_testing
