#!/usr/bin/env python3
# Clients that say anything: random bytes and messages that are nearly right, before and after the
# handshake, plain and in WebSocket frames, while pictures change. The server goes on for the others.
# MYNA_SEED repeats a run, MYNA_COUNT makes it longer.
import os, random, socket, struct, sys, zlib
sys.path.insert(0, os.path.join(os.environ['srcdir'], 'tests/display'))
sys.dont_write_bytecode = True
from guest import *
import rfb

t = Tap()
seed = int(os.environ.get('MYNA_SEED', random.randrange(1 << 30)))
print(f'# MYNA_SEED={seed}')
rnd = random.Random(seed)
m = Machine('-arch', 'x86_64', '-M', 'pc', '-vga', 'std', '-vnc', 'unix:{dir}/vnc,power-control=on,lossy=on',
            '-vnc', 'unix:{dir}/pw,id=pw,password=on', '-vnc', 'none,id=ws,websocket=unix:{dir}/ws')
vga = Vga(m)
vga.mode(160, 100)
picture = test_picture(160, 100)
vga.draw(0, 0, picture)


def n(bits):
    return rnd.choice((0, 1, 2, (1 << bits) - 1, 1 << bits - 1, rnd.getrandbits(bits), rnd.randrange(200) % (1 << bits)))


def junk(most=40):
    return bytes(rnd.getrandbits(8) for _ in range(rnd.randrange(most)))


ENCODINGS = (0, 1, 5, 6, 7, 16, -223, -224, -239, -257, -258, -261, -307, -308, -309, -314, rfb.CLIPBOARD, -23, -32, -256, -247)


def message():
    kind = rnd.randrange(12)
    if kind == 0:
        if rnd.random() < 0.6:
            return struct.pack('>BxxxBBBBHHHBBBxxx', 0, *rnd.choice(((32, 24, 0, 1, 255, 255, 255, 16, 8, 0),
                                                                    (16, 16, 1, 1, 31, 63, 31, 11, 5, 0),
                                                                    (8, 8, 0, 1, 7, 7, 3, 0, 3, 6), (8, 8, 0, 0, 0, 0, 0, 0, 0, 0))))
        return struct.pack('>BxxxBBBBHHHBBBxxx', 0, rnd.choice((8, 16, 32, n(8))), n(8), n(8), n(8), n(16), n(16), n(16), n(8),
                           n(8), n(8))
    if kind == 1:
        encs = [rnd.choice(ENCODINGS) if rnd.random() < 0.9 else n(31) for _ in range(rnd.randrange(12))]
        return struct.pack(f'>BxH{len(encs)}i', 2, len(encs) if rnd.random() < 0.95 else n(16), *encs)
    if kind in (2, 3, 4):
        return struct.pack('>BBHHHH', 3, n(8), *[rnd.choice((0, 10, 160, n(16))) for _ in range(4)])
    if kind == 5:
        return struct.pack('>BBxxI', 4, n(8), rnd.choice((n(32), 0xffe3, 0xffe9, 0x31, 0x39)))
    if kind == 6:
        return struct.pack('>BBHH', 5, n(8), n(16), n(16))
    if kind == 7:
        text = junk()
        return struct.pack('>BxxxI', 6, len(text) if rnd.random() < 0.9 else n(32)) + text
    if kind == 8:
        text = zlib.compress(struct.pack('>I', rnd.choice((3, n(32)))) + b'ab\0') if rnd.random() < 0.6 else junk()
        body = struct.pack('>I', rnd.choice((1, 1, n(16))) | 1 << rnd.randrange(24, 29)) + text
        return struct.pack('>Bxxxi', 6, -len(body)) + body
    if kind == 9:
        return struct.pack('>BxHHBx', 251, n(16), n(16), 1) + junk(17).ljust(16, b'\0')
    if kind == 10:
        return struct.pack('>BBHII', 255, rnd.choice((0, 0, n(8))), n(16), n(32), n(32))
    return struct.pack('>BxBB', 250, 1, 9) if rnd.random() < 0.5 else junk()


def drain(s):
    s.settimeout(0.01)
    try:
        while s.recv(65536):
            pass
    except (OSError, AttributeError):
        pass


def connect(name):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(m.path(name))
    return s


for i in range(int(os.environ.get('MYNA_COUNT', 60))):
    how = rnd.randrange(6)
    try:
        if how == 0:  # nothing is right
            s = connect(rnd.choice(('vnc', 'pw', 'ws')))
            s.sendall(junk(300))
        elif how == 1:  # the handshake goes wrong somewhere
            s = connect(rnd.choice(('vnc', 'pw')))
            s.sendall(b'RFB 003.00' + rnd.choice((b'3', b'7', b'8')) + b'\n' + bytes([rnd.choice((1, 2, 19, n(8)))]) + junk())
        elif how == 2:  # WebSocket frames of any kind
            s = connect('ws')
            w = rfb.WebSocket(s)
            for _ in range(rnd.randrange(20)):
                if rnd.random() < 0.8:
                    w.frame(rnd.choice((b'RFB 003.008\n', b'\1', junk(), message())), rnd.choice((0, 2, 2, 2, 9, 10, n(4))))
                else:
                    s.sendall(junk())
        else:
            name = 'vnc' if how < 5 else 'ws'
            s = connect(name)
            c = rfb.Client(rfb.WebSocket(s) if name == 'ws' else s)
            c.handshake(shared=rnd.random() < 0.95)
            for _ in range(rnd.randrange(60)):
                c.send(message())
                if rnd.random() < 0.1:
                    vga.draw(0, rnd.randrange(99), [[(rnd.getrandbits(8), 1, 2)] * 160])
                if rnd.random() < 0.05:
                    vga.mode(rnd.choice((160, 320, 64)), rnd.choice((100, 48)))
        if rnd.random() < 0.7:
            drain(s)
        s.close()
    except (OSError, rfb.Closed, AssertionError, PermissionError):
        pass
vga.mode(160, 100)
vga.draw(0, 0, picture)
c = rfb.Client(connect('vnc'))
c.handshake()
c.set_encodings([rfb.ZRLE, rfb.DESKTOP_SIZE])
m.hmp('info vnc')
want = m.screendump()
for k in (0xffe3, 0xffe9, ord('1')):
    c.key(k, 1)
for k in (0xffe3, 0xffe9, ord('1')):
    c.key(k, 0)
end = time.time() + 20
while c.ppm() != want and time.time() < end:
    c.request(False)
    c.update()
t.ok(c.ppm() == want, 'the next client sees the picture')
rc, err = m.stop()
t.ok(rc in (0, -15) and 'Sanitizer' not in err and 'runtime error' not in err, 'no complaint', err)
t.done()
