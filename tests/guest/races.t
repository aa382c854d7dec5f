#!/bin/bash
# Several harts, and code that changes, on both accelerators: races.elf is what its source gives,
# and none of its tests fails. MYNA_SEED begins its random numbers, MYNA_RACES_MS is the time for
# each of its tests (tests/full/races.t runs them longer).
top=$(cd "$(dirname "$0")/../.." && pwd)
here=$top/tests/guest/riscv/races
cc=${RISCV_CC:-riscv64-linux-gnu-gcc}
seed=${MYNA_SEED:-$RANDOM}
ms=${MYNA_RACES_MS:-20}
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"

sectors() { # sector n holds "lui a0, n + 1; ret"
    local n word
    for n in $(seq 64); do
        printf -v word '\\x%02x' $(((n << 4 & 0xf0) | 5)) $((n >> 4)) 0
        printf "\x37$word\x67\x80\0\0" | dd bs=512 conv=sync status=none
    done
}

limit=${MYNA_TEST_LIMIT:-300}
myna=("$MYNA" -arch riscv64 -M virt -smp 4 -m 64M -display none -kernel "$here/races.elf"
    -drive "file=$work/disk,format=raw,if=none,id=d0" -device virtio-blk-device,drive=d0
    -serial "file:$work/out")

echo 1..7
made_with=$(tr '\0' '\n' < "$here/races.elf" | grep -a -m 1 '^GCC: ')
if ! command -v "$cc" > /dev/null; then
    result 0 "races.elf builds # SKIP no riscv64 compiler"
    result 0 "it is what the source gives # SKIP no riscv64 compiler"
else
    RISCV64_CC=$cc "$here/build" "$work/races.elf"
    result $? "races.elf builds"
    if tr '\0' '\n' < "$work/races.elf" | grep -aqxF "$made_with"; then
        cmp "$here/races.elf" "$work/races.elf" >&2
        result $? "it is what the source gives"
    else
        result 0 "it is what the source gives # SKIP another compiler than $made_with"
    fi
fi

sectors > "$work/disk"
echo "# MYNA_SEED=$seed MYNA_RACES_MS=$ms"
for accel in tcg interp; do
    timeout "$limit" "${myna[@]}" -accel $accel -append "seed=$seed ms=$ms" \
        < /dev/null 2> "$work/err"
    result $? "$accel: it ends"
    tr -d '\r' < "$work/out" | sed 's/^/# /'
    sed 's/^/# /' "$work/err"
    tr -d '\r' < "$work/out" | grep -q '^1\.\.29$' && ! grep -q '^not ok\|Bail out' "$work/out"
    result $? "$accel: no test fails"
done

# Stores beside code cost their slow path, but no translation: what is removed is what the test puts
# there anew for each thousand of them.
jit() { # the number after a TEXT of `info jit`, of all CPUs
    sed -n "s/.*$1 \([0-9]*\).*/\1/p" "$work/jit" | awk '{ n += $1 } END { print n }'
}
rm "$work/out"
{
    for _ in $(seq 600); do
        ! grep -qs '^1\.\.1' "$work/out" || break
        sleep 0.1
    done
    echo info jit
    echo quit
} | timeout "$limit" "${myna[@]}" -monitor stdio -append "seed=$seed ms=$ms idle only=data-beside" \
    > "$work/jit" 2>&1
writes=$(jit "writes to code pages")
removed=$(jit "units removed *")
[ "${writes:-0}" -gt 1000 ] && [ $((removed * 50)) -lt "$writes" ]
result $? "data beside code is not taken for code"
echo "# $writes writes, $removed units removed"
