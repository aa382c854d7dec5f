# shellcheck shell=bash disable=SC2034
# Tests that talk to a running machine over QMP, for bash: . "$top/tests/lib/vm.sh" with $top, the sources, set.
# $MYNA is the program. A folder for files is $work, removed at the end, as is a machine that still runs.
work=$(mktemp -d)
vm_pid=    # of the program, as long as nobody has waited for it
vm_said=   # descriptor of what it says: bash closes a coprocess's own when that ends, unread
trap '' PIPE # a program that ends is a result, not the script's end
trap '[ -z "$VM_PID" ] || kill "$VM_PID" 2> /dev/null; rm -rf "$work"' EXIT
number=0

result() { # STATUS NAME
    [ "$1" = 0 ] || printf 'not '
    echo "ok $((number += 1)) - $2"
}

# build_image NAME [OPTION...]: tests/guest/x86/NAME.S as $work/NAME.bin, or the whole script is skipped
build_image() {
    local source=$top/tests/guest/x86/$1.S
    "${CC:-gcc}" -m32 "${@:2}" -c -o "$work/$1.o" "$source" 2> "$work/err" &&
        ld -m elf_i386 -Ttext=0 -e start --oformat binary -o "$work/$1.bin" "$work/$1.o" 2> "$work/err" && return
    echo "1..0 # SKIP no assembler for i386"
    exit 0
}

# start_vm NAME ACCELERATOR OPTION...: a PC with that image; what it says at its debug console goes to $work/said
start_vm() {
    local image=$work/$1.bin accelerator=$2
    shift 2
    : > "$work/said"
    coproc VM { exec "$MYNA" -arch x86_64 -M pc -m 32M -accel "$accelerator" -bios "$image" -display none -nodefaults \
        -qmp stdio -chardev "file,id=d,path=$work/said" -device isa-debugcon,iobase=0xe9,chardev=d "$@" \
        2> "$work/err"; }
    vm_pid=$VM_PID
    [ -z "$vm_said" ] || exec {vm_said}<&-
    exec {vm_said}<&"${VM[0]}"
    ask '{"execute":"qmp_capabilities"}'
}

stop_vm() {
    [ -z "$vm_pid" ] || ask '{"execute":"quit"}'
    vm_ended
}

# Waits for the program's end, and says how it was where it was none in peace.
vm_ended() {
    local status
    [ -n "$vm_pid" ] || return
    wait "$vm_pid"
    status=$?
    vm_pid=
    [ $status != 0 ] || return 0
    if [ $status -gt 128 ]; then
        echo "# the program was ended by SIG$(kill -l $status)"
    else
        echo "# the program ended with status $status"
    fi
    return 1
}

ask() { # COMMAND: until it is answered, a minute at most; the answer is in $answer
    local status=0 until=$((SECONDS + 60))
    { echo "$1" >&"${VM[1]}"; } 2> "$work/ask"
    while [ $status = 0 ] && [ $SECONDS -lt $until ]; do
        read -r -t 60 answer <&"$vm_said"
        status=$?
        case $status$answer in
        0*'"return"'*) return 0 ;;
        0*'"error"'*) return 1 ;;
        esac
    done 2> "$work/ask"
    if [ $status = 0 ] || [ $status -gt 128 ]; then
        echo "# no answer to $1 within a minute"
    elif vm_ended; then
        echo "# the program ended in peace before it answered $1"
    fi
    return 1
}

hmp() { # COMMAND of the human monitor
    ask '{"execute":"human-monitor-command","arguments":{"command-line":"'"$1"'"}}'
}

has_kvm() {
    [ "$(uname -m)" = x86_64 ] && [ -r /dev/kvm ] && [ -w /dev/kvm ]
}
