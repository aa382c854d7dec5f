#!/bin/bash
# A display shows what the guest has drawn, step by step, whoever runs it: tests/guest/x86/picture.S.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"

step() { # N LETTER: the guest does the next thing; the picture is in FOLDER/N
    local i before
    before=$(wc -c < "$work/said")
    printf x >&8
    for ((i = 0; i < 600; i++)); do
        [ "$(wc -c < "$work/said")" -gt "$before" ] && [ "$(tail -c 1 "$work/said")" = "$2" ] && break
        sleep 0.1
    done
    [ "$i" -lt 600 ] && ask '{"execute":"screendump","arguments":{"filename":"'"$work/$3/$1"'"}}'
}

case_of() { # ACCELERATOR FOLDER
    local n=0 letter
    mkdir "$work/$2"
    rm -f "$work"/pipe.*
    mkfifo "$work/pipe.in" "$work/pipe.out"
    exec 8<> "$work/pipe.in"
    start_vm picture "$1" -device VGA \
        -chardev "pipe,id=s,path=$work/pipe" -serial chardev:s
    for letter in b b b b p c; do
        step $((n += 1)) $letter "$2" || break
    done
    result $? "$1: it draws to the end"
    cp "$work/said" "$work/$2/said"
    stop_vm
}

build_image picture
case_of tcg tcg
[ "$(cat "$work/tcg/said")" = bbbbe4p5aa5c ]
result $? "planes and CMOS give back what was written"
[ "$(sha256sum "$work"/tcg/[1-5] | cut -d ' ' -f 1 | sort -u | wc -l)" = 5 ]
result $? "each step is another picture"
if has_kvm; then
    for how in kvm kvm,kernel-irqchip=on; do
        case_of "$how" "${how//,/-}"
        diff -rq "$work/tcg" "$work/${how//,/-}" > "$work/err"
        result $? "$how: the same pictures"
    done
fi
echo "1..$number"
