#!/bin/bash
# The benchmark itself: every piece of work is repeatable, and the report's arithmetic is right.
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

result() { # STATUS NUMBER NAME
    [ "$1" = 0 ] || printf 'not '
    echo "ok $2 - $3"
}

echo 1..6
${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -ffp-contract=off -pthread \
    -o "$work/program" "$top"/bench/src/*.c -lm
result $? 1 "the program builds without warnings"

names=$("$work/program" list | cut -s -d ' ' -f 2- | tr ' ' '\n')
grep -qw avx2 /proc/cpuinfo || names=$(grep -v ^avx2_ <<< "$names")
for name in $names; do
    for _ in 1 2; do "$work/program" run "$name" 1 | sed "s/[^ ]*/$name/"; done
done > "$work/sums"
sort "$work/sums" | uniq -c | awk '$1 != 2 { print "# differs: " $0; bad = 1 } END { exit bad || NR < 40 }'
result $? 2 "a piece of work gives the same result twice"

[ -z "$("$work/program" run nothing 2> /dev/null)" ]
result $? 3 "work that does not exist gives no result"

for name in $(grep ^avx2_ <<< "$names"); do
    "$work/program" run "$name" 1 | cut -d ' ' -f 2 > "$work/long"
    "$work/program" run "${name#avx2_}" 1 | cut -d ' ' -f 2 | cmp -s - "$work/long" || echo "# $name"
done > "$work/unlike"
[ ! -s "$work/unlike" ]
result $? 4 "longer vectors give the same results"
cat "$work/unlike"

if ! command -v python3 > /dev/null; then
    echo "ok 5 - ratios and means # SKIP no python3"
    echo "ok 6 - the work of each guest # SKIP no python3"
    exit 0
fi
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$top/bench/lib python3 - > "$work/report" << 'END'
import report

def run(emulator, **seconds):
    work = {n: {"s": s, "sum": "1", "others": 0.0} for n, s in seconds.items()}
    return {"emulator": emulator, "part": "one", "run": 0, "up": {}, "work": work, "failed": False}

runs = [run("a", x=1.0, y=2.0), run("b", x=4.0, y=2.0), run("c", x=2.0, y=8.0)]
runs[1]["work"]["y"]["sum"] = "2"
print(report.tables({"emulators": ["a", "b", "c"], "groups": {"g": ["x", "y"]}, "runs": runs,
                     "percent": 100, "machine": "m", "kernel": "k", "guest": "q"}))
END
grep -qxF '| g x | 1.000 | 4.000 | 2.000 | 4.00 | 2.00 | 2.00 |' "$work/report" &&
    grep -qxF '| **g: geometric mean** |  |  |  | 2.00 | 2.83 | 1.41 |' "$work/report" &&
    grep -qxF -- '- y: results differ: 1 2' "$work/report"
good=$?
result $good 5 "ratios and means"
[ $good = 0 ] || sed 's/^/# /' "$work/report"

PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$top/bench/lib python3 - "$work/program" > "$work/groups" << 'END'
import sys
import guest

for name in guest.ARCHES:
    groups = guest.works(name, sys.argv[1])
    print(name, "rvv" in groups, "avx2" in groups, all(groups.values()))
END
printf 'riscv64 True False True\namd64 False True True\n' | cmp -s - "$work/groups"
good=$?
result $good 6 "the work of each guest"
[ $good = 0 ] || sed 's/^/# /' "$work/groups"
