# linux.sh - boots of Debian's kernel, each of which is a test case: read by the tests beside it.
# Each case's init does what myna.run says (scripts/guest/init).
#
# The script that reads this calls
#   guest DEBIAN-ARCH OPTION...   first: fetches the guest (or skips all) and says the machine
# and then has the folder of the guest in $guest, the options of the kernel in the array linux.
# shellcheck shell=bash disable=SC2154

PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
server=
trap 'rm -rf "$work"; [ -z "$server" ] || kill "$server" 2> /dev/null' EXIT
limit=${MYNA_TEST_LIMIT:-300}
number=0

result() { # STATUS NAME
    [ "$1" = 0 ] || printf 'not '
    echo "ok $((number += 1)) - $2"
    [ "$1" = 0 ] || tail -n 20 "$work/out" | tr -d '\r\033' | sed 's/^/# /'
}

guest() { # DEBIAN-ARCH OPTION...
    local why
    if ! why=$("$top/scripts/fetch-guest" --rootfs "$1" 2>&1); then
        echo "1..0 # SKIP $why"
        exit 0
    fi
    guest=${MYNA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/myna}/$1
    linux=(-kernel "$guest/Image" -initrd "$guest/initrd.gz")
    shift
    machine=("$@")
}

run() { # OPTION...: a boot to its end, fed from $input; the console's text ends up in $work/out
    timeout "$limit" "$MYNA" "${machine[@]}" -nographic -no-reboot "$@" \
        > "$work/out" 2>&1 < "${input:-/dev/null}"
}

says() { # TEXT...: each is in the output
    for text; do grep -qaF -- "$text" "$work/out" || return 1; done
}

boot() { # NAME WORDS TEXT OPTION...: boots with WORDS, says TEXT, ends with status 0
    local name=$1 words=$2 text=$3
    shift 3
    run "${linux[@]}" -append "console=ttyS0 quiet $words" "$@" && says MYNA-UP "$text"
    result $? "$name"
}

reboots() { # NAME: reboots once, and is ended behind the second boot
    local name=$1 input=$work/keys pid waited=0
    mkfifo "$input"
    : > "$work/out"
    timeout "$limit" "$MYNA" "${machine[@]}" -nographic "${linux[@]}" \
        -append "console=ttyS0 quiet myna.run=reboot" < "$input" > "$work/out" 2>&1 &
    pid=$!
    exec 7> "$input"
    until [ "$(grep -ac MYNA-UP "$work/out")" -ge 2 ] || ! kill -0 $pid 2> /dev/null ||
        [ $((waited += 1)) -gt $((limit * 5)) ]; do
        sleep 0.2
    done
    printf '\001x' >&7
    wait $pid && [ "$(grep -ac MYNA-UP "$work/out")" -ge 2 ]
    result $? "$name"
    exec 7>&-
    rm "$input"
}

on_disk() { # NAME DEVICE: write inside, check the file's hash and the file system outside
    local hash script
    script=$(printf '%s\n' 'dd if=/dev/urandom of=/written bs=64k count=100' \
        'sha256sum /written' 'grep -c " / ext4 " /proc/mounts' | base64 -w 0)
    cp "$guest/rootfs.ext4" "$work/disk"
    run "${linux[@]}" -append "console=ttyS0 quiet root=/dev/vda myna.run=exec myna.exec=$script" \
        -drive "file=$work/disk,format=raw,if=none,id=d0" -device "$2,drive=d0" &&
        hash=$(tr -d '\r' < "$work/out" | sed -n 's,^\([0-9a-f]*\)  /written$,\1,p') &&
        [ -n "$hash" ] && [ "$(debugfs -R 'cat /written' "$work/disk" 2> /dev/null |
        sha256sum | cut -d ' ' -f 1)" = "$hash" ] && e2fsck -fn "$work/disk" >> "$work/out" 2>&1
    result $? "$1"
}

# serve: offer 64 MiB by HTTP, their hash in $hash, the server's port in $port.
serve() {
    mkdir "$work/www"
    head -c 64M /dev/urandom > "$work/www/data"
    hash=$(sha256sum < "$work/www/data" | cut -d ' ' -f 1)
    python3 -u -m http.server -d "$work/www" -b 127.0.0.1 0 > "$work/server" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$work/server")
        [ -z "$port" ] || break
        sleep 0.1
    done
}

download() { # DEVICE: what serve offers, through the user network
    [ -n "$server" ] || serve
    boot "64 MiB through the user network, $1" \
        "myna.run=get,poweroff myna.url=http://10.0.2.2:$port/data" "$hash" \
        -netdev user,id=n0 -device "$1,netdev=n0"
}

prompt() { # NAME OPTION...: types at the shell's prompt, and leaves it
    local name=$1 input=$work/keys pid waited=0
    shift
    mkfifo "$input"
    : > "$work/out"
    run "${linux[@]}" -append "console=ttyS0 quiet" "$@" &
    pid=$!
    exec 7> "$input"
    until says '/ # ' || ! kill -0 $pid 2> /dev/null || [ $((waited += 1)) -gt $((limit * 5)) ]; do
        sleep 0.2
    done
    # shellcheck disable=SC2016 # the guest's shell expands it
    printf 'echo "it is $((6 * 7))"\nexit\n' >&7
    wait $pid && says "it is 42"
    result $? "$name"
    exec 7>&-
    rm "$input"
}
