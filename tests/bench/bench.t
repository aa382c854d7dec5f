#!/bin/bash
# The benchmark itself: every piece of work is repeatable, and the report's arithmetic is right.
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

result() { # STATUS NUMBER NAME
    [ "$1" = 0 ] || printf 'not '
    echo "ok $2 - $3"
}

echo 1..4
${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -ffp-contract=off -pthread \
    -o "$work/program" "$top"/bench/src/*.c -lm
result $? 1 "the program builds without warnings"

for name in $("$work/program" list | cut -s -d ' ' -f 2-); do
    for _ in 1 2; do "$work/program" run "$name" 1 | sed "s/[^ ]*/$name/"; done
done > "$work/sums"
sort "$work/sums" | uniq -c | awk '$1 != 2 { print "# differs: " $0; bad = 1 } END { exit bad || NR < 40 }'
result $? 2 "a piece of work gives the same result twice"

[ -z "$("$work/program" run nothing 2> /dev/null)" ]
result $? 3 "work that does not exist gives no result"

if ! command -v python3 > /dev/null; then
    echo "ok 4 - ratios and means # SKIP no python3"
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
                     "percent": 100, "machine": "m", "kernel": "k"}))
END
grep -qxF '| g x | 1.000 | 4.000 | 2.000 | 4.00 | 2.00 | 2.00 |' "$work/report" &&
    grep -qxF '| **g: geometric mean** |  |  |  | 2.00 | 2.83 | 1.41 |' "$work/report" &&
    grep -qxF -- '- y: results differ: 1 2' "$work/report"
good=$?
result $good 4 "ratios and means"
[ $good = 0 ] || sed 's/^/# /' "$work/report"
