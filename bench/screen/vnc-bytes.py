#!/usr/bin/env python3
"""How much VNC servers send for the same session: vnc-bytes.py FRAMES EMULATOR...

FRAMES is a folder of pictures (PPM, of one size, shown in the order of their names), as `screendump`
writes them while somebody works:

    while screendump; do sleep 0.2; done      in the monitor of a desktop
    bench/screen/vnc-bytes.py frames build/myna qemu-system-x86_64

Each picture is put into the frame buffer of -vga std over qtest, and the client asks until it has it;
the machines have no processor that runs. Bytes are those that the client got for all of them.
"""
import base64, glob, json, os, socket, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../tests/display'))
sys.dont_write_bytecode = True
import rfb

LFB = 0xe0000000
COMPRESS_6 = -250
ENCODINGS = (('raw', rfb.RAW), ('hextile', rfb.HEXTILE), ('zlib', rfb.ZLIB), ('tight', rfb.TIGHT), ('zrle', rfb.ZRLE))


class Emulator:
    def __init__(self, program, path):
        own = 'qemu' not in program
        self.p = subprocess.Popen(
            [program] + (['-arch', 'x86_64', '-accel', 'qtest'] if own else ['-accel', 'tcg', '-S', '-qtest-log', '/dev/null']) +
            ['-M', 'pc', '-m', '64', '-nodefaults', '-vga', 'std', '-display', 'none', '-vnc', f'unix:{path}/vnc', '-qtest',
             f'unix:{path}/qtest,server=on,wait=off'], stderr=subprocess.DEVNULL)
        self.q = self.open(path + '/qtest').makefile('rw')
        self.vnc = self.open(path + '/vnc')

    def open(self, path):
        while True:
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(path)
                return s
            except OSError:
                time.sleep(0.05)

    def do(self, line):
        self.q.write(line + '\n')
        self.q.flush()
        while True:
            r = self.q.readline().strip()
            if r.startswith('OK'):
                return r[3:]

    def mode(self, w, h):
        for slot in range(32):
            self.do(f'outl 0xcf8 {0x80000000 | slot << 11:#x}')
            if int(self.do('inl 0xcfc'), 0) == 0x11111234:
                break
        for reg, v in ((0x10, LFB), (4, 7)):
            self.do(f'outl 0xcf8 {0x80000000 | slot << 11 | reg:#x}')
            self.do(f'outl 0xcfc {v:#x}')
        for reg, v in ((4, 0), (1, w), (2, h), (3, 32), (4, 0x41)):
            self.do(f'outw 0x1ce {reg:#x}')
            self.do(f'outw 0x1d0 {v:#x}')
        self.do('outb 0x3c0 0x20')

    def write(self, at, data):
        self.do(f'b64write {at:#x} {len(data):#x} {base64.b64encode(data).decode()}')


def read_frame(path):
    with open(path, 'rb') as f:
        head, size, _, pixels = f.read().split(b'\n', 3)
    w, h = map(int, size.split())
    return w, h, pixels


def ask(c, incremental, want):
    """Updates until the client has it: no request is open while the picture is written, so that all are whole."""
    while (c.width, c.height, bytes(c.pixels)) != want:
        c.request(incremental)
        c.update()
        incremental = True


def session(program, encoding, frames):
    with tempfile.TemporaryDirectory() as path:
        e = Emulator(program, path)
        w, h, _ = frames[0]
        e.mode(w, h)
        c = rfb.Client(e.vnc)
        c.handshake()
        c.set_encodings([encoding, COMPRESS_6, rfb.EXT_SIZE, rfb.DESKTOP_SIZE])
        before = bytes(3 * w * h)
        ask(c, False, (w, h, before))
        for _, _, pixels in frames:
            for y in range(h):
                row = pixels[3 * w * y:3 * w * (y + 1)]
                if row != before[3 * w * y:3 * w * (y + 1)]:
                    out = bytearray(4 * w)
                    out[0::4], out[1::4], out[2::4] = row[2::3], row[1::3], row[0::3]
                    e.write(LFB + 4 * w * y, bytes(out))
            before = pixels
            time.sleep(0.3)  # the server has looked
            ask(c, True, (w, h, pixels))
        e.p.terminate()
        e.p.wait()
        return c.bytes_in


def main():
    frames = [read_frame(name) for name in sorted(glob.glob(os.path.join(sys.argv[1], '*.ppm')))]
    if len({f[:2] for f in frames}) != 1:
        sys.exit('vnc-bytes.py: the pictures are not of one size')
    programs = sys.argv[2:]
    print(f'{len(frames)} pictures of {frames[0][0]}x{frames[0][1]}')
    for name, encoding in ENCODINGS:
        print(f'{name:8}' + ''.join(f'{session(p, encoding, frames):12} {os.path.basename(p)}' for p in programs), flush=True)


main()
