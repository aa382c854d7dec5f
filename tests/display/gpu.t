#!/usr/bin/env python3
# The virtio GPU and input devices by a driver over qtest, seen by screendump and by a VNC client:
# pictures in every format, transfers, scanouts, blobs, cursors, sizes, EDID; keys and pointers.
import os, struct, sys
sys.path.insert(0, os.path.join(os.environ['srcdir'], 'tests/display'))
sys.dont_write_bytecode = True
from guest import *
import rfb

t = Tap()
m = Machine('-arch', 'riscv64', '-M', 'virt', '-device', 'virtio-gpu-device,id=gpu,max_outputs=2,max_hostmem=4M',
            '-device', 'virtio-keyboard-device', '-device', 'virtio-tablet-device', '-vnc', 'unix:{dir}/vnc')
EDID, BLOB = 1, 3
g = Virtio(m, 16, 1 << EDID | 1 << BLOB | 1 << 29)  # with VIRTIO_F_EVENT_IDX, as drivers do
g.queue(0)
g.queue(1)
g.start()
PIXELS = Virtio.RAM + 0x1000000
OK = 0x1100


def cmd(type, body=b'', n_in=24, fence=0):
    r = g.do(0, struct.pack('<IIQII', type, 1 if fence else 0, fence, 0, 0) + body, n_in)
    return r


def status(type, *words):
    return struct.unpack('<I', cmd(type, struct.pack(f'<{len(words)}I', *words))[:4])[0]


def image(w, h):
    return test_picture(w, h)


def bytes_of(rows, order):
    """Pixels with the colours in the order of a string such as 'BGRX'."""
    at = {'R': 0, 'G': 1, 'B': 2}
    return b''.join(bytes(px[at[ch]] if ch in at else 0xaa for ch in order) for row in rows for px in row)


def ppm(rows):
    return f'P6\n{len(rows[0])} {len(rows)}\n255\n'.encode() + b''.join(bytes(px) for row in rows for px in row)


# ---- what it says of itself ----
info = cmd(0x100, n_in=24 + 16 * 24)
t.equal(struct.unpack('<I', info[:4])[0], 0x1101, 'display info')
t.equal(struct.unpack('<6I', info[24:48]), (0, 0, 1280, 800, 1, 0), 'the first head likes 1280x800')
t.equal(struct.unpack('<6I', info[48:72])[4], 0, 'the second is off')
edid = cmd(0x10a, struct.pack('<II', 0, 0), 24 + 8 + 1024)
block = edid[32:32 + 128]
t.ok(block[:8] == b'\0\xff\xff\xff\xff\xff\xff\0' and sum(block) % 256 == 0, 'EDID with its sum')
t.equal(g.config(8, 4), b'\2\0\0\0', 'two scanouts')
t.equal(struct.unpack('<IIQ', cmd(0x100, n_in=24 + 16 * 24, fence=0x1234567890)[:16]), (0x1101, 1, 0x1234567890),
        'a fence comes back')

# ---- pictures ----
W, H = 64, 48
rows = image(W, H)
for i, (fmt, order) in enumerate(((1, 'BGRA'), (2, 'BGRX'), (3, 'ARGB'), (4, 'XRGB'), (67, 'RGBA'), (68, 'XBGR'),
                                  (121, 'ABGR'), (134, 'RGBX'))):
    rid = 10 + i
    ok = status(0x101, rid, fmt, W, H) == OK
    data = bytes_of(rows, order)
    m.write(PIXELS, data)
    # two pieces, the first of which ends within a row
    cut = 4 * W * 10 + 12
    body = struct.pack('<II', rid, 2) + struct.pack('<QII', PIXELS, cut, 0)
    body += struct.pack('<QII', PIXELS + cut, len(data) - cut, 0)
    ok &= cmd(0x106, body)[:4] == struct.pack('<I', OK)
    ok &= cmd(0x105, struct.pack('<4IQII', 0, 0, W, H, 0, rid, 0))[:4] == struct.pack('<I', OK)
    ok &= status(0x103, 0, 0, W, H, 0, rid) == OK
    t.ok(ok and m.screendump() == ppm(rows), f'format {order}')

# ---- parts ----
rid = 11
m.write(PIXELS, bytes_of([[(1, 2, 3)] * W] * H, 'BGRX'))
cmd(0x105, struct.pack('<4IQII', 8, 4, 16, 8, 4 * (4 * W + 8), rid, 0))
status(0x103, 0, 0, W, H, 0, rid)
part = [[(1, 2, 3) if 8 <= x < 24 and 4 <= y < 12 else rows[y][x] for x in range(W)] for y in range(H)]
t.ok(m.screendump() == ppm(part), 'a transfer of a part')
status(0x103, 16, 8, 32, 32, 0, rid)
t.ok(m.screendump() == ppm([row[16:48] for row in part[8:40]]), 'a scanout of a part')
status(0x103, 0, 0, W, H, 0, rid)

# ---- seen from outside ----
c = rfb.Client.unix(m.path('vnc'))
c.handshake()
c.set_encodings([rfb.ZRLE, rfb.EXT_SIZE, rfb.ALPHA_CURSOR, rfb.POINTER_TYPE, rfb.LED])
c.request(False)
c.update()
t.ok(c.ppm() == m.screendump(), 'a viewer sees it')
t.equal(c.pointer, 1, 'and is told that the pointer is absolute')
m.write(PIXELS, bytes_of([[(9, 8, 7)] * W] * H, 'BGRX'))
c.request(True)
cmd(0x105, struct.pack('<4IQII', 0, 0, W, 2, 0, rid, 0))
status(0x104, 0, 0, W, 2, rid, 0)
c.update()
t.ok(c.ppm() == m.screendump() and c.ppm() != ppm(part), 'a flush brings the change')
c.request(True)
status(0x101, 40, 1, 64, 64)
cur = b''.join(bytes((x * 4, y * 4, 50, 255 if x > y else 0)) for y in range(64) for x in range(64))
m.write(PIXELS + 0x100000, cur)
cmd(0x106, struct.pack('<II', 40, 1) + struct.pack('<QII', PIXELS + 0x100000, len(cur), 0))
cmd(0x105, struct.pack('<4IQII', 0, 0, 64, 64, 0, 40, 0))
g.do(1, struct.pack('<IIQII', 0x300, 0, 0, 0, 0) + struct.pack('<8I', 0, 5, 6, 0, 40, 3, 2, 0), 0)
c.update()
want = b''.join(bytes((p[2] * p[3] // 255, p[1] * p[3] // 255, p[0] * p[3] // 255, p[3]))
                for p in (cur[i:i + 4] for i in range(0, len(cur), 4)))
t.ok(c.cursor and c.cursor[:4] == (3, 2, 64, 64) and c.cursor[4] == want, 'the pointer has its own picture')
c.set_size(1024, 600)
c.request(True)
while c.size_reason != (1, 4):
    c.update()
    c.request(True)
t.equal(g.config(0, 4), b'\1\0\0\0', 'a size wished for is an event')
info = cmd(0x100, n_in=24 + 16 * 24)
t.equal(struct.unpack('<6I', info[24:48]), (0, 0, 1024, 600, 1, 0), 'and what the display likes from then on')
block = cmd(0x10a, struct.pack('<II', 0, 0), 24 + 8 + 1024)[32:160]
t.equal((block[56] | (block[58] & 0xf0) << 4, block[59] | (block[61] & 0xf0) << 4), (1024, 600), 'EDID says so, too')
g.w(0x104, 1)
t.equal(g.config(0, 4), b'\0\0\0\0', 'the event is taken back')

# ---- blobs: shown from guest memory ----
data = bytes_of(rows, 'BGRX')
m.write(PIXELS, data)
body = struct.pack('<4IQQ', 50, 1, 0, 1, 0, len(data)) + struct.pack('<QII', PIXELS, len(data), 0)
t.equal(struct.unpack('<I', cmd(0x10c, body)[:4])[0], OK, 'a blob is made')
body = struct.pack('<4I', 0, 0, W, H) + struct.pack('<6I', 0, 50, W, H, 2, 0) + struct.pack('<4I', 4 * W, 0, 0, 0)
body += struct.pack('<4I', 0, 0, 0, 0)
t.equal(struct.unpack('<I', cmd(0x10d, body)[:4])[0], OK, 'and shown')
t.ok(m.screendump() == ppm(rows), 'as it is in memory')
m.write(PIXELS, b'\x11\x22\x33\0' * W)
status(0x104, 0, 0, W, H, 50, 0)
t.ok(m.screendump() == ppm([[(0x33, 0x22, 0x11)] * W] + rows[1:]), 'a flush reads it again')

cur = cur[::-1]
m.write(PIXELS + 0x100000, cur)
body = struct.pack('<4IQQ', 51, 1, 0, 1, 0, len(cur)) + struct.pack('<QII', PIXELS + 0x100000, len(cur), 0)
cmd(0x10c, body)
t.equal(status(0x105, 0, 0, 64, 64, 0, 0, 51, 0), OK, 'a transfer to a blob does nothing')
g.do(1, struct.pack('<IIQII', 0x300, 0, 0, 0, 0) + struct.pack('<8I', 0, 5, 6, 0, 51, 1, 4, 0), 0)
for _ in range(3): # the flush before was another update
    if c.cursor[:2] != (1, 4):
        c.request(True)
        c.update()
want = b''.join(bytes((p[2] * p[3] // 255, p[1] * p[3] // 255, p[0] * p[3] // 255, p[3]))
                for p in (cur[i:i + 4] for i in range(0, len(cur), 4)))
t.ok(c.cursor[:4] == (1, 4, 64, 64) and c.cursor[4] == want, 'a pointer from a blob', c.cursor[:4])
t.equal(status(0x102, 51, 0), OK, 'which is dropped')

# ---- what is wrong ----
t.equal(status(0x107, 40, 0), OK, 'memory is taken away from a resource')
RES, PARAM, MEM, SCAN, UNSPEC = 0x1203, 0x1205, 0x1201, 0x1202, 0x1200
for name, want, words in (
        ('a resource without a number', RES, (0x101, 0, 1, 8, 8)),
        ('a number that is taken', RES, (0x101, 11, 1, 8, 8)),
        ('a format that there is not', PARAM, (0x101, 99, 77, 8, 8)),
        ('no width', PARAM, (0x101, 99, 1, 0, 8)),
        ('too wide', PARAM, (0x101, 99, 1, 0xffffffff, 8)),
        ('more than max_hostmem', MEM, (0x101, 99, 1, 2048, 2048)),
        ('a scanout that there is not', SCAN, (0x103, 0, 0, W, H, 2, 11)),
        ('a scanout of what there is not', RES, (0x103, 0, 0, W, H, 0, 999)),
        ('a scanout beyond its resource', PARAM, (0x103, 1, 0, W, H, 0, 11)),
        ('a scanout whose sum wraps', PARAM, (0x103, 0xffffffff, 0, W, H, 0, 11)),
        ('a transfer of what there is not', RES, (0x105, 0, 0, 1, 1, 0, 0, 999, 0)),
        ('a transfer beyond its resource', PARAM, (0x105, 0, 0, W + 1, 1, 0, 0, 11, 0)),
        ('a flush beyond its resource', PARAM, (0x104, 0, 0, W, H + 1, 11, 0)),
        ('too many pieces', PARAM, (0x106, 40, 0xffffffff)),
        ('a command that there is not', UNSPEC, (0x1ff,)),
        ('a command that is cut', PARAM, (0x101, 99))):
    t.equal(status(*words), want, name)
m2 = struct.pack('<4IQII', 0, 0, W, H, 0xffffffffffffff00, 11, 0)
t.equal(cmd(0x105, m2)[:4], struct.pack('<I', OK), 'an offset beyond its memory reads nothing')
t.equal(status(0x102, 50, 0), OK, 'a resource that is shown is dropped')
t.ok(set(m.screendump()[-100:]) == {0}, 'and the screen is black')

# ---- the second head ----
status(0x103, 0, 0, W, H, 1, 12)
t.ok(m.screendump(device='gpu', head=1).startswith(f'P6\n{W} {H}\n'.encode()), 'the second head shows its own')

# ---- keyboard and tablet ----
inputs = InputDevice.all(m)
t.equal(sorted(inputs), ['QEMU Virtio Keyboard', 'QEMU Virtio Tablet'], 'names of the input devices')
kbd, tab = inputs['QEMU Virtio Keyboard'], inputs['QEMU Virtio Tablet']
c.ext_key_event(ord('z'), 0x2c, 1)
c.ext_key_event(ord('z'), 0x2c, 0)
t.equal([kbd.event() for _ in range(4)], [(1, 44, 1), (0, 0, 0), (1, 44, 0), (0, 0, 0)], 'a key and its report')
c.set_encodings([rfb.RAW])
c.point(0, 0)
t.equal([tab.event() for _ in range(3)], [(3, 0, 0), (3, 1, 0), (0, 0, 0)], 'the pointer in its corner')
m.qmp('input-send-event', events=[{'type': 'btn', 'data': {'button': 'left', 'down': True}}])
t.equal([tab.event() for _ in range(2)], [(1, 0x110, 1), (0, 0, 0)], 'a button')
led = rfb.Client.unix(m.path('vnc'))
led.handshake()
led.set_encodings([rfb.RAW, rfb.LED])
led.request(False)
led.update()
kbd.do(1, struct.pack('<HHI', 0x11, 1, 1), 0)
led.request(True)
while led.led != 4:
    led.update()
    led.request(True)
t.ok(True, 'lights of the keyboard reach the viewer')

# ---- random commands, most of which make sense ----
import random
seed = int(os.environ.get('MYNA_SEED', random.randrange(1 << 30)))
print(f'# MYNA_SEED={seed}')
rnd = random.Random(seed)
def number():
    return rnd.choice((0, 1, 2, 3, 8, 16, 64, rnd.randrange(100), rnd.randrange(4096), rnd.getrandbits(32),
                       0xffffffff, 0x80000000))


for i in range(int(os.environ.get('MYNA_COUNT', 1500))):
    kind = rnd.choice((0x100, 0x101, 0x102, 0x103, 0x104, 0x105, 0x106, 0x107, 0x10a, 0x10c, 0x10d, number()))
    words = [number() for _ in range(rnd.randrange(24))]
    if kind == 0x101 and rnd.random() < 0.7:
        words = [rnd.randrange(8), rnd.choice((1, 2, 67)), rnd.randrange(1, 300), rnd.randrange(1, 300)]
    if kind in (0x106, 0x10c) and rnd.random() < 0.7:
        n = rnd.randrange(4)
        words = ([rnd.randrange(8), n] if kind == 0x106 else [rnd.randrange(8), 1, 0, n, 0, 0, rnd.randrange(9000), 0])
        for _ in range(n):
            words += [PIXELS + rnd.randrange(1 << 20), rnd.choice((0, 0, number())), rnd.randrange(10000), 0]
    if kind in (0x103, 0x104, 0x105) and rnd.random() < 0.7:
        rect = [rnd.randrange(100) for _ in range(4)]
        words = rect + {0x103: [rnd.randrange(3), rnd.randrange(8)], 0x104: [rnd.randrange(8), 0],
                        0x105: [number(), number(), rnd.randrange(8), 0]}[kind]
    cmd(kind, struct.pack(f'<{len(words)}I', *words), rnd.choice((24, 24, 24, 8, 500)))
    if i % 50 == 0:
        g.do(1, struct.pack('<14I', 0x300 | rnd.randrange(2), *[0] * 5, rnd.randrange(3), number(), number(), 0,
                            rnd.randrange(8), number(), number(), 0), 0)
        m.screendump()
t.ok(m.qmp('query-status')['status'], 'random commands do no harm')
rc, err = m.stop()
t.ok(rc in (0, -15) and 'Sanitizer' not in err and 'runtime error' not in err, 'the end', err)
t.done()
