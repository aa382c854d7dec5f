#!/bin/bash
# Every network card of the PC carries 32 MiB each way, through the user network, under Debian's
# own drivers; what arrives is compared by its hash.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/full/linux.sh
. "$top/tests/full/linux.sh"

# offer: a server of $work/data by HTTP at $port; what is sent to $sink ends up as a hash in $work/server.
offer() {
    head -c 32M /dev/urandom > "$work/data"
    hash=$(sha256sum < "$work/data" | cut -d ' ' -f 1)
    python3 -u - "$work/data" > "$work/server" 2>&1 << 'END' &
import hashlib, http.server, socket, sys, threading
data = open(sys.argv[1], "rb").read()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
sink = socket.create_server(("127.0.0.1", 0))
print("ports", server.server_port, sink.getsockname()[1])
while True:
    peer, _ = sink.accept()
    got = hashlib.sha256()
    while part := peer.recv(1 << 16):
        got.update(part)
    print("got", got.hexdigest())
    peer.close()
END
    server=$!
    for _ in $(seq 100); do
        read -r _ port sink < <(grep '^ports' "$work/server") && break
        sleep 0.1
    done
}

carries() { # DRIVER DEVICE [COMMAND]: COMMAND goes before the network is set up
    local script before
    before=$(grep -c "^got $hash" "$work/server")
    script=$(printf '%s\n' "${3:-true}" \
        'udhcpc -q -n -f -i eth0 -s /etc/udhcpc || exit' \
        'readlink /sys/class/net/eth0/device/driver' \
        "wget -q -O /tmp/got http://10.0.2.2:$port/data" \
        'sha256sum /tmp/got' \
        "nc 10.0.2.2 $sink < /tmp/got" | base64 -w 0)
    run "${linux[@]}" -append "console=ttyS0 quiet myna.run=exec myna.exec=$script" \
        -netdev user,id=n0 ${thread:-} -device "$2,netdev=n0" && says "/drivers/$1" "$hash  /tmp/got" &&
        [ "$(grep -c "^got $hash" "$work/server")" = $((before + 1)) ]
    result $? "$2: 32 MiB each way by $1"
}

guest i386 # both are needed
guest amd64-all -arch x86_64 -M pc -m 512M
echo 1..13
offer
carries e1000 e1000
carries 8139cp rtl8139
carries 8139too rtl8139,c-plus=off
carries pcnet32 pcnet
carries ne2k-pci ne2k_pci
carries e100 i82557b
carries e100 i82559er
# The driver insists on microcode, which Debian has in non-free and the card does not run.
carries e100 i82551 'd=/lib/firmware/e100; mkdir -p $d; head -c 539 /dev/zero > $d/d102e_ucode.bin'
carries virtio_net virtio-net-pci-non-transitional
carries virtio_net virtio-net-pci-transitional
carries virtio_net virtio-net-pci,disable-modern=on
thread="-object iothread,id=io" carries virtio_net virtio-net-pci,iothread=io
guest i386 -arch i386 -M pc -m 512M
carries ne ne2k_isa,irq=5 'modprobe ne io=0x300 irq=5' # by default both it and ACPI are at 9
