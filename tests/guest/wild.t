#!/bin/sh
# A guest that jumps to devices and runs off the end of RAM (riscv/wild/wild.S).
. "$srcdir/tests/lib/tap.sh"
cc=${RISCV_CC:-riscv64-linux-gnu-gcc}
command -v "$cc" >/dev/null || skip_all "no riscv64 compiler"

# build WIDTH ABI LINKER-MODE LOAD WORD
build() {
	"$cc" -nostdlib -static -Wl,-Ttext=0x80000000 -Wl,--build-id=none "-march=rv${1}gc" "-mabi=$2" "-Wl,-m$3" \
		"-DLOAD=$4" "-DWORD=$5" "-DSIZE=$(($1 / 8))" -o "$tap_dir/elf" "$srcdir/tests/guest/riscv/wild/wild.S" &&
		"${cc%gcc}objcopy" -O binary -j .text "$tap_dir/elf" "$tap_dir/wild$1"
}
build 64 lp64 elf64lriscv ld .dword && build 32 ilp32 elf32lriscv lw .word
ok $? "it builds"
for width in 64 32; do
	for accel in tcg interp; do
		timeout 30 $MYNA -arch "riscv$width" -M virt -m 128 -accel $accel -bios "$tap_dir/wild$width" -display none -serial null
		is $? 0 "RV$width on $accel: each try is an access fault"
	done
done

# Without a handler it faults for ever, and everything around the CPU goes on.
printf '\267\002\000\020\202\202' >"$tap_dir/lost" # lui t0, 0x10000; jr t0
for accel in tcg interp; do
	got=$({
		echo '{"execute":"qmp_capabilities"}'
		for i in 1 2 3; do
			printf '{"execute":"human-monitor-command","arguments":{"command-line":"%s"}}\n' 'info registers' 'x/i $pc'
			echo '{"execute":"system_reset"}'
		done
		echo '{"execute":"quit"}'
	} | timeout 30 $MYNA -arch riscv64 -M virt -accel $accel -bios "$tap_dir/lost" -display none -serial null -qmp stdio)
	is "$(printf '%s\n' "$got" | grep -c '^{"return"')" 11 "$accel: the monitor answers while the guest is lost"
done
done_testing
