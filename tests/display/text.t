#!/usr/bin/env python3
# A serial port on a text console, seen by a viewer: glyphs, 24-bit colours, UTF-8, attributes,
# scrolling and looking back, typing, sizes; then nonsense.
import os, random, sys
sys.path.insert(0, os.path.join(os.environ['srcdir'], 'tests/display'))
sys.dont_write_bytecode = True
from guest import *
import rfb

t = Tap()
with open(os.path.join(os.environ['srcdir'], 'ui/console-font.bin'), 'rb') as f:
    raw = f.read()
font = {int.from_bytes(raw[i:i + 3], 'little'): raw[i + 3:i + 16] for i in range(0, len(raw), 16)}
m = Machine('-arch', 'x86_64', '-M', 'pc', '-vga', 'std', '-serial', 'vc:40Cx10C', '-vnc', 'unix:{dir}/vnc')
c = rfb.Client.unix(m.path('vnc'))
c.handshake()
c.set_encodings([rfb.ZRLE, rfb.EXT_SIZE])
m.qtest('outb 0x3fb 3')  # eight bits
CTRL, ALT = 0xffe3, 0xffe9
for k in (CTRL, ALT, ord('2')):
    c.key(k, 1)
for k in (ord('2'), ALT, CTRL):
    c.key(k, 0)


def put(text):
    for b in text if isinstance(text, bytes) else text.encode():
        m.qtest(f'outb 0x3f8 {b:#x}')


def cell(x, y):
    rows = []
    for j in range(13):
        at = ((y * 13 + j) * c.width + x * 8) * 3
        rows.append([tuple(c.pixels[at + 3 * i:at + 3 * i + 3]) for i in range(8)])
    return rows


def want(ch, fore, back):
    return [[fore if font[ord(ch)][j] >> (7 - i) & 1 else back for i in range(8)] for j in range(13)]


def shows(x, y, ch, fore, back):
    """Whether the cell comes to look like this."""
    end = time.time() + 20
    while time.time() < end:
        c.request(False)
        c.update()
        if (c.width, c.height) == (320, 130) and cell(x, y) == want(ch, fore, back):
            return True
    return False


GREY, BLACK = (240, 240, 240), (0, 0, 0)
put('A')
c.request(False)
c.update()
end = time.time() + 20
while (c.width, c.height) != (320, 130) and time.time() < end:
    c.request(True)
    c.update()
t.equal((c.width, c.height), (320, 130), 'the console has 40 by 10 characters')
while len(set(px for row in cell(0, 0) for px in row)) < 2 and time.time() < end:
    c.request(False)
    c.update()
GREY = max(set(px for row in cell(0, 0) for px in row))
t.ok(shows(0, 0, 'A', GREY, BLACK), 'a letter')
t.ok(shows(1, 0, ' ', GREY, GREY), 'the cursor stands behind it')
put('\x1b[2;1H\x1b[38;2;1;200;30m\x1b[48;2;90;0;255mX\x1b[0m')
t.ok(shows(0, 1, 'X', (1, 200, 30), (90, 0, 255)), 'any of 16 million colours')
put('\x1b[3;1H\u00e9\u20ac\u253c\u0416\u03a9')
t.ok(all(shows(i, 2, ch, GREY, BLACK) for i, ch in enumerate('\u00e9\u20ac\u253c\u0416\u03a9')), 'UTF-8')
put('\x1b[4;1H\x1b[7mR\x1b[0m')
t.ok(shows(0, 3, 'R', BLACK, GREY), 'reverse')
put('\x1b[H\x1b[2J' + ''.join(f'{i:02d}\r\n' for i in range(30)))
t.ok(shows(0, 0, '2', GREY, BLACK) and shows(1, 8, '9', GREY, BLACK), 'lines scroll')
c.key(0xffe1, 1)
for _ in range(2):
    c.key(0xff55, 1)
    c.key(0xff55, 0)
t.ok(shows(0, 0, '1', GREY, BLACK), 'Shift-PgUp looks back')
for _ in range(3):
    c.key(0xff56, 1)
    c.key(0xff56, 0)
c.key(0xffe1, 0)
t.ok(shows(0, 0, '2', GREY, BLACK), 'and Shift-PgDn forward')

# ---- typing ----
m.qtest('outb 0x3fc 0x0b')
got = b''


def typed(n):
    global got
    end = time.time() + 20
    while len(got) < n and time.time() < end:
        while int(m.qtest('inb 0x3fd'), 0) & 1:
            got += bytes([int(m.qtest('inb 0x3f8'), 0)])
    r, got = got, b''
    return r


for ch in 'h\u00e9!':
    c.key(ord(ch), 1)
    c.key(ord(ch), 0)
t.equal(typed(4), 'h\u00e9!'.encode(), 'what is typed arrives, in UTF-8')
c.key(0xff52, 1)
c.key(0xff52, 0)
c.key(CTRL, 1)
c.key(ord('c'), 1)
c.key(ord('c'), 0)
c.key(CTRL, 0)
t.equal(typed(4), b'\x1b[A\x03', 'cursor keys and Ctrl')
put('\x1b[6n')
t.ok(typed(6).startswith(b'\x1b['), 'the terminal answers')

# ---- sizes ----
c.set_size(400, 260)
end = time.time() + 20
while (c.width, c.height) != (400, 260) and time.time() < end:
    c.request(True)
    c.update()
t.equal((c.width, c.height), (400, 260), 'the console takes the size of the window')

# ---- nonsense ----
seed = int(os.environ.get('MYNA_SEED', random.randrange(1 << 30)))
print(f'# MYNA_SEED={seed}')
rnd = random.Random(seed)
for i in range(int(os.environ.get('MYNA_COUNT', 40))):
    put(bytes(rnd.choice((27, 27, 91, 59, 0x9b, 0xf0, 10, rnd.randrange(48, 58), rnd.randrange(256))) for _ in range(60)))
    if i % 10 == 0:
        c.request(False)
        c.update()
        c.set_size(rnd.randrange(1, 3000), rnd.randrange(1, 3000))
put('\x1bc\x1b[2;1HZ')
t.ok(m.qmp('query-status'), 'nonsense does no harm')
c.close()
rc, err = m.stop()
t.ok(rc in (0, -15) and 'Sanitizer' not in err and 'runtime error' not in err, 'the end', err)
t.done()
