#!/bin/bash
# The built-in guest: hello.elf is what its source gives, and it runs to its own power off.
here=$(cd "$(dirname "$0")" && pwd)/riscv/hello
cc=${RISCV_CC:-riscv64-linux-gnu-gcc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

result() { # STATUS NUMBER NAME
    [ "$1" = 0 ] || printf 'not '
    echo "ok $2 - $3"
}

echo 1..5
[ "$(stat -c %s "$here/hello.elf")" -lt 16384 ]
result $? 1 "hello.elf is smaller than 16 KiB"

made_with=$(tr '\0' '\n' < "$here/hello.elf" | grep -a -m 1 '^GCC: ')
if ! command -v "$cc" > /dev/null; then
    echo "ok 2 - hello.elf builds # SKIP no riscv64 compiler"
    echo "ok 3 - it is what the source gives # SKIP no riscv64 compiler"
else
    RISCV64_CC=$cc "$here/build" "$work/hello.elf"
    result $? 2 "hello.elf builds"
    if tr '\0' '\n' < "$work/hello.elf" | grep -aqxF "$made_with"; then
        cmp "$here/hello.elf" "$work/hello.elf" >&2
        result $? 3 "it is what the source gives"
    else
        echo "ok 3 - it is what the source gives # SKIP another compiler than $made_with"
    fi
fi

if ! "$MYNA" -arch riscv64 -machine help 2> /dev/null | grep -q '^virt'; then
    echo "ok 4 - it runs and powers off # SKIP no machine virt"
    echo "ok 5 - it answers # SKIP no machine virt"
    exit 0
fi
printf 'inof\033[D\b\b\033[Cfo\010\010\025info\rpoweroff\r' |
    timeout 60 "$MYNA" -arch riscv64 -M virt -m 64M -nographic -kernel "$here/hello.elf" \
        > "$work/out" 2> "$work/err"
result $? 4 "it runs and powers off"
grep -q '^memory    64 MiB at 0x80000000' "$work/out"
answered=$?
result $answered 5 "it answers"
[ $answered = 0 ] || sed 's/^/# /' "$work/out" "$work/err"
