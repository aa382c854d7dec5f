#!/bin/bash
# An x86 processor as system software sees it: code that changes itself, page faults, single steps,
# breakpoints, two processors; in 32-bit and 64-bit code, on both accelerators. With
# -icount each run is the same, to the last bit of the time-stamp counter.
top=$(cd "$(dirname "$0")/../.." && pwd)
here=$top/tests/guest/x86/cpu
cc=${X86_CC:-gcc}
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"

run() { # OPTIONS...: leaves $work/out
    timeout 100 "$MYNA" -arch x86_64 -M pc -m 64M -display none -monitor none -kernel "$elf" "$@" \
        -serial "file:$work/out" -device isa-debug-exit,iobase=0x501 < /dev/null 2> "$work/err"
    local status=$?
    sed 's/^/# /' "$work/out" "$work/err"
    [ $status = 1 ] && grep -q '^1\.\.[78][0-9]' "$work/out" && ! grep -q '^not ok\|Bail out' "$work/out"
}

echo 1..16
for bits in 32 64; do
    elf=$here/cpu$bits.elf
    made_with=$(tr '\0' '\n' < "$elf" | grep -a -m 1 '^GCC: ')
    if [ "$(uname -m)" != x86_64 ] || ! command -v "$cc" > /dev/null; then
        result 0 "cpu$bits.elf is what its source gives # SKIP no compiler for x86"
    elif ! X86_CC=$cc "$here/build" $bits "$work/cpu.elf"; then
        result 1 "cpu$bits.elf builds"
    elif tr '\0' '\n' < "$work/cpu.elf" | grep -aqxF "$made_with"; then
        cmp "$elf" "$work/cpu.elf" >&2
        result $? "cpu$bits.elf is what its source gives"
    else
        result 0 "cpu$bits.elf is what its source gives # SKIP another compiler than $made_with"
    fi
    for accel in tcg interp; do
        run -accel $accel -smp 2
        result $? "$bits bits, -accel $accel"
        run -accel $accel -icount 2,sleep=off
        result $? "$bits bits, -accel $accel -icount"
        mv "$work/out" "$work/out-$accel"
        run -accel $accel -icount 2,sleep=off > /dev/null && cmp "$work/out" "$work/out-$accel" >&2
        result $? "$bits bits, -accel $accel -icount: the same once more"
    done
    cmp "$work/out-tcg" "$work/out-interp" >&2
    result $? "$bits bits, -icount: the same on both accelerators"
done
