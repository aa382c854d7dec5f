#!/bin/sh
# The committed riscv firmware is what its source gives: images.sum names the source and the compiler
# each image was made from, and where that compiler is at hand a rebuild gives the same bytes.
. "$srcdir/tests/lib/tap.sh"
bios=$srcdir/bios
guest=$srcdir/tests/guest/riscv/sbi
sum=$bios/riscv/images.sum

small() { # LIMIT FILE
	size=$(wc -c <"$2")
	[ "$size" -gt 0 ] && [ "$size" -lt "$1" ]
	ok $? "$(basename "$2") is smaller than $1 bytes"
}

changed=$(cd "$srcdir" && grep -v '^#' bios/riscv/images.sum | sha256sum --quiet -c - 2>&1)
is "$changed" "" "images are newer than their source (else: make -C bios/riscv install)"
listed=$(sed -n 's,^[0-9a-f]*  \(bios/riscv/.*\),\1,p' "$sum" | LC_ALL=C sort)
there=$(cd "$srcdir" && ls bios/riscv/*.[chS] bios/riscv/Makefile | LC_ALL=C sort)
is "$listed" "$there" "every source file is listed"
for bits in 64 32; do
	small 65536 "$bios/riscv-virt-$bits.bin"
	small 16384 "$guest/sbi-test-$bits.elf"
done

cc=${RISCV_CC:-riscv64-linux-gnu-gcc}
if ! command -v "$cc" >/dev/null; then
	ok 0 "rebuild # SKIP no riscv64 compiler"
	done_testing
fi
cross=${cc%gcc*}
make -s -C "$bios/riscv" CROSS="$cross" O="$tap_dir/bios" >"$tap_dir/log" 2>&1
ok $? "it builds without a warning"
sed 's/^/# /' "$tap_dir/log"
tools="# $("${cross}gcc" --version | head -n 1)
# $("${cross}ld" --version | head -n 1)"
for bits in 64 32; do
	for file in "$bios/riscv-virt-$bits.bin" "$guest/sbi-test-$bits.elf"; do
		name=$(basename "$file")
		if [ "$tools" = "$(grep '^#' "$sum")" ]; then
			cmp "$tap_dir/bios/$name" "$file"
			ok $? "$name is rebuilt byte for byte"
		else
			ok 0 "$name is rebuilt byte for byte # SKIP another compiler made it"
		fi
	done
done
done_testing
