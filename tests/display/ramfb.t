#!/usr/bin/env python3
# ramfb: firmware writes where the picture is through fw_cfg, and screendump shows it.
import os, struct, sys
sys.path.insert(0, os.path.join(os.environ['srcdir'], 'tests/display'))
sys.dont_write_bytecode = True
from guest import *

t = Tap()
m = Machine('-arch', 'x86_64', '-M', 'pc', '-m', '32M', '-vga', 'none', '-device', 'ramfb')
DMA, BUF, FB = 0x10000, 0x11000, 0x800000


def dma(control, length, addr):
    m.write(DMA, struct.pack('>IIQ', control, length, addr))
    swap = struct.unpack('<I', struct.pack('>I', DMA))[0]
    m.outl(0x514, 0)
    m.outl(0x518, swap)
    return bytes.fromhex(m.qtest(f'read {DMA:#x} 4')[2:])


dma(0x19 << 16 | 8 | 2, 4, BUF)
n = struct.unpack('>I', bytes.fromhex(m.qtest(f'read {BUF:#x} 4')[2:]))[0]
dma(2, 64 * n, BUF)
key = None
for i in range(n):
    size, sel, _, name = struct.unpack('>IHH56s', bytes.fromhex(m.qtest(f'read {BUF + 64 * i:#x} 64')[2:]))
    if name.rstrip(b'\0') == b'etc/ramfb':
        key = sel
t.ok(key and True, 'the file is in the directory')


def setup(fourcc, w, h, stride, addr=FB):
    m.write(BUF, struct.pack('>QIIIII', addr, struct.unpack('<I', fourcc)[0], 0, w, h, stride))
    return dma(key << 16 | 8 | 16, 28, BUF)


rows = test_picture(64, 48)
head = b'P6\n64 48\n255\n'
want = head + b''.join(bytes(px) for row in rows for px in row)
m.write(FB, b''.join(bytes((b, g, r, 9)) for row in rows for r, g, b in row))
t.equal(setup(b'XR24', 64, 48, 0), b'\0\0\0\0', 'it takes a mode')
t.ok(m.screendump() == want, '32 bits')
m.write(FB, b''.join(b''.join(bytes((b, g, r)) for r, g, b in row) + b'\0' * 8 for row in rows))
setup(b'RG24', 64, 48, 200)
t.ok(m.screendump() == want, '24 bits with a stride')
m.write(FB, b'\x00\xf8\xe0\x07\x1f\x00\xff\xff' * 16 * 48)
setup(b'RG16', 64, 48, 0)
t.ok(m.screendump() == head + b'\xff\0\0\0\xff\0\0\0\xff\xff\xff\xff' * 16 * 48, '16 bits')
for name, args in (('too wide', (b'XR24', 1 << 30, 48, 0)), ('a format of nobody', (b'ABCD', 64, 48, 0)),
                   ('a stride below its width', (b'XR24', 64, 48, 100)), ('no height', (b'XR24', 64, 0, 0))):
    setup(*args)
    t.ok(m.screendump().startswith(head), f'{name}: the old picture stays')
setup(b'XR24', 64, 48, 0, 0xffffffffffffff00)
t.ok(m.screendump().startswith(head), 'an address that wraps does no harm')
m.qmp('system_reset')
rc, err = m.stop()
t.ok(rc in (0, -15) and 'Sanitizer' not in err and 'runtime error' not in err, 'the end', err)
t.done()
