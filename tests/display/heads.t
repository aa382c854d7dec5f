#!/usr/bin/env python3
# A graphics card with several heads in windows of their own, under Xvfb: which open, and when; that
# each shows its own picture; sizes, keys, pointers and the grab of the second; putting it away.
import os, struct, subprocess, sys
sys.path.insert(0, os.path.join(os.environ['srcdir'], 'tests/display'))
sys.dont_write_bytecode = True
from guest import *
from desk import *

for tool in TOOLS:
    if not shutil.which(tool):
        skip_all(f'{tool} is not there')
t = Tap()
d = Desktop()
managed = d.manage()
m = None
PIXELS = Virtio.RAM + 0x1000000
W, H = 320, 200


def cmd(type, *words, n_in=24):
    return g.do(0, struct.pack(f'<IIQII{len(words)}I', type, 0, 0, 0, 0, *words), n_in)


def head(n):
    """What the guest is told of the head: width, height, whether it is plugged in."""
    return struct.unpack('<6I', cmd(0x100, n_in=24 + 16 * 24)[24 + 24 * n:][:24])[2:5]


def edid_size(n):
    block = cmd(0x10a, n, 0, n_in=24 + 8 + 1024)[32:160]
    return block[56] | (block[58] & 0xf0) << 4, block[59] | (block[61] & 0xf0) << 4


def picture(rid, rows):
    """A resource with that picture in it."""
    h, w = len(rows), len(rows[0])
    cmd(0x101, rid, 2, w, h)
    m.write(PIXELS, b''.join(bytes((b, gr, r, 0)) for row in rows for r, gr, b in row))
    cmd(0x106, rid, 1, PIXELS, 0, 4 * w * h, 0)
    cmd(0x105, 0, 0, w, h, 0, 0, rid, 0)


def windows():
    found = d.x('xdotool', 'search', '--name', '^two', check=False).split()
    return {d.title(w).split(' -')[0]: w for w in found}


def shows(window, n):
    return until(lambda: d.picture(window) == m.screendump(device='gpu', head=n))


try:
    m = Machine('-arch', 'riscv64', '-M', 'virt', '-device', 'virtio-gpu-device,id=gpu,max_outputs=3',
                '-device', 'virtio-keyboard-device', '-device', 'virtio-tablet-device', '-display', 'sdl', '-name', 'two',
                '-serial', 'vc', env=d.env)
    g = Virtio(m, 16, 1 << 1 | 1 << 3)
    g.queue(0)
    g.queue(1)
    g.start()
    inputs = InputDevice.all(m)
    kbd, tab = inputs['QEMU Virtio Keyboard'], inputs['QEMU Virtio Tablet']
    first_rows = test_picture(W, H)
    second_rows = [[(x, y, 77) for x in range(256)] for y in range(160)]
    picture(1, first_rows)
    picture(2, second_rows)
    cmd(0x103, 0, 0, W, H, 0, 1)
    t.ok(until(lambda: list(windows()) == ['two']), 'one window, though there are three heads', windows())
    first = windows()['two']
    t.ok(shows(first, 0), 'with the picture of the first')
    t.equal([head(n)[2] for n in range(3)], [1, 0, 0], 'the others are not plugged in')

    # ---- as the user asks ----
    d.key(first, 'ctrl+alt+2')
    t.ok(until(lambda: 'two 2' in windows()), 'Ctrl-Alt-2 opens a window for the second', windows())
    second = windows()['two 2']
    d.x('xdotool', 'windowmove', first, '20', '40', 'windowmove', second, '760', '40')
    t.ok(until(lambda: head(1) == (W, H, 1)), 'which the guest is told of', head(1))
    t.equal(g.config(0, 4), b'\1\0\0\0', 'by an event')
    cmd(0x103, 0, 0, 256, 160, 1, 2)
    t.ok(shows(second, 1), 'it shows the picture of the second')
    t.ok(shows(first, 0) and d.picture(first) != d.picture(second), 'and the first window still its own')
    t.ok(until(lambda: d.size(second) == (256, 160)), 'each has the size of its picture')

    # ---- size ----
    d.x('xdotool', 'windowsize', second, '504', '376')
    t.ok(until(lambda: head(1) == (504, 376, 1)), 'another size of the second window reaches the guest', head(1))
    t.equal((edid_size(1), head(0), edid_size(0)), ((504, 376), (1280, 800, 1), (1280, 800)), 'as the size of the second head')
    picture(3, test_picture(504, 376))
    cmd(0x103, 0, 0, 504, 376, 1, 3)
    t.ok(shows(second, 1), 'which the guest takes')

    # ---- keys, pointers: both heads show parts of one desktop ----
    picture(4, test_picture(W + 500, 300))
    cmd(0x103, 0, 0, W, 300, 0, 4)
    cmd(0x103, W, 0, 500, 300, 1, 4)
    d.key(second, 'ctrl+alt+u')  # the guest's own size again
    t.ok(shows(first, 0) and shows(second, 1), 'two parts of one desktop')
    kbd.events()
    got = []
    d.key(second, 'z')
    t.ok(until(lambda: got.extend(kbd.events()) or got[-4:] == [(1, 44, 1), (0, 0, 0), (1, 44, 0), (0, 0, 0)]),
         'keys typed in the second window', got)

    def points(window, px, py, at):
        """Whether the tablet ends up at that column of the desktop."""
        x = -1
        tab.events()
        d.x('xdotool', 'mousemove', '--window', window, str(px), str(py))

        def there():
            nonlocal x
            for kind, code, value in tab.events():
                x = value if (kind, code) == (3, 0) else x
            return abs(x * (W + 499) / 0x7fff - at) < 1
        return until(there)
    t.ok(points(second, 10, 20, W + 10), 'a pointer in the second window is in its part of the desktop')
    t.ok(points(first, 20, 20, 20), 'and one in the first in the other')

    # ---- the grab ----
    d.key(second, 'ctrl+alt+g')
    t.ok(until(lambda: 'releases' in d.title(second)) and 'releases' not in d.title(first), 'the second takes mouse and keyboard',
         (d.title(first), d.title(second)))
    d.key(second, 'ctrl+alt+1')
    t.ok(until(lambda: d.focus() == first) if managed else True,
         'Ctrl-Alt-1 goes to the first window')
    d.x('xdotool', 'windowfocus', '--sync', first, check=False)
    t.ok(until(lambda: 'releases' not in d.title(second)), 'which lets the grab go', d.title(second))

    # ---- text in the first window, the second as it was ----
    d.key(first, 'ctrl+alt+4')
    t.ok(until(lambda: 'two 4' in windows()) and windows()['two 4'] == first, 'texts are shown in the first window', windows())
    t.ok(shows(second, 1), 'beside the second head')
    d.key(first, 'ctrl+alt+1')
    t.ok(until(lambda: d.title(first) == 'two') and shows(first, 0), 'and back', (d.title(first), d.size(first)))

    # ---- a head that the guest uses by itself ----
    cmd(0x103, 0, 0, 256, 160, 2, 2)
    t.ok(until(lambda: 'two 3' in windows()), 'a head that the guest uses gets a window')
    d.x('xdotool', 'windowmove', windows()['two 3'], '760', '500')
    t.ok(shows(windows()['two 3'], 2), 'with its picture')

    # ---- away ----
    if managed:
        d.key(second, 'alt+F4')
        t.ok(until(lambda: 'two 2' not in windows()), 'the second window is closed', windows())
        t.ok(until(lambda: head(1) == (0, 0, 0)), 'the guest sees the monitor unplugged', head(1))
        t.ok(m.qmp('query-status') and m.p.poll() is None, 'and goes on')
        cmd(0x103, 0, 0, W, 300, 1, 0)
        cmd(0x103, 0, 0, W, H, 1, 1)
        t.equal('two 2' in windows(), False, 'the window stays away though the guest uses the head')
        d.key(first, 'ctrl+alt+2')
        t.ok(until(lambda: 'two 2' in windows()) and shows(windows()['two 2'], 1), 'until the user wants it back')
    m.qmp('quit')
    t.equal(m.p.wait(30), 0, 'the end')
    err = m.stderr()
    t.ok('Sanitizer' not in err and 'runtime error' not in err, 'without complaints', err)
finally:
    if m and m.p.poll() is None:
        m.p.kill()
    d.close()
t.done()
