#!/bin/bash
# A display shows what the guest has drawn, step by step, whoever runs it: tests/guest/x86/picture.S.
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap '[ -z "$VM_PID" ] || kill "$VM_PID" 2> /dev/null; rm -rf "$work"' EXIT
source=$top/tests/guest/x86/picture.S
cc=${CC:-gcc}
number=0

result() { # STATUS NAME
    [ "$1" = 0 ] || printf 'not '
    echo "ok $((number += 1)) - $2"
}

ask() { # COMMAND: until it is answered
    local answer
    echo "$1" >&"${VM[1]}" || return
    while read -r -t 60 answer <&"${VM[0]}"; do
        case $answer in
        *'"return"'*) return 0 ;;
        *'"error"'*) return 1 ;;
        esac
    done
    return 1
}

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
    : > "$work/said"
    coproc VM { exec "$MYNA" -arch x86_64 -M pc -m 32M -accel "$1" -bios "$work/picture.bin" -display none \
        -nodefaults -device VGA -qmp stdio -chardev "pipe,id=s,path=$work/pipe" -serial chardev:s \
        -chardev "file,id=d,path=$work/said" -device isa-debugcon,iobase=0xe9,chardev=d 2> "$work/err"; }
    ask '{"execute":"qmp_capabilities"}'
    for letter in b b b b p c; do
        step $((n += 1)) $letter "$2" || break
    done
    result $? "$1: it draws to the end"
    cp "$work/said" "$work/$2/said"
    ask '{"execute":"quit"}'
    wait
}

if ! { "$cc" -m32 -c -o "$work/picture.o" "$source" &&
    ld -m elf_i386 -Ttext=0 -e start --oformat binary -o "$work/picture.bin" "$work/picture.o"; } 2> "$work/err"; then
    echo "1..0 # SKIP no assembler for i386"
    exit 0
fi
case_of tcg tcg
[ "$(cat "$work/tcg/said")" = bbbbe4p5aa5c ]
result $? "planes and CMOS give back what was written"
[ "$(sha256sum "$work"/tcg/[1-5] | cut -d ' ' -f 1 | sort -u | wc -l)" = 5 ]
result $? "each step is another picture"
if [ "$(uname -m)" = x86_64 ] && [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
    for how in kvm kvm,kernel-irqchip=on; do
        case_of "$how" "${how//,/-}"
        diff -rq "$work/tcg" "$work/${how//,/-}" > "$work/err"
        result $? "$how: the same pictures"
    done
fi
echo "1..$number"
