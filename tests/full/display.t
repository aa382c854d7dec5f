#!/usr/bin/env python3
# Debian's graphical installer on virtio-vga, over VNC: it comes up, a click with the
# USB tablet and a key choose a language, and vncsnapshot gets a picture of it.
import os, shutil, subprocess, sys
sys.path.insert(0, os.path.join(os.environ['srcdir'], 'tests/display'))
sys.dont_write_bytecode = True
from guest import *
import rfb

SLOW = int(os.environ.get('MYNA_TEST_SLOW', 1))
fetch = [os.path.join(os.environ['srcdir'], 'scripts/fetch-debs')]
if os.environ.get('MYNA_TEST_OFFLINE'):
    fetch.append('--offline')
p = subprocess.run(fetch + ['bookworm', 'memtest86+', 'debian-installer-12-netboot-amd64',
                            'debian-installer-12-netboot-i386'], capture_output=True, text=True)
if p.returncode:
    skip_all('cannot fetch the installer: ' + (p.stderr.strip().split('\n') or [''])[-1])
image = os.path.join(p.stdout.strip(), 'usr/lib/debian-installer/images/12/amd64/gtk/debian-installer/amd64')
if not os.path.exists(image):
    skip_all('the fetched installer has no graphical one')
t = Tap()


class Viewer:
    def __init__(self, m):
        self.c = rfb.Client.unix(m.path('vnc'))
        self.c.handshake()
        self.c.set_encodings([rfb.TIGHT, rfb.EXT_SIZE, rfb.EXT_KEY])
        self.c.request(False)
        self.c.update()

    def until(self, what, seconds):
        """Takes updates until something is seen; whether it was."""
        end = time.time() + seconds * SLOW
        self.c.sock.settimeout(5)
        while not what() and time.time() < end:
            self.c.request(True)
            try:
                self.c.update()
            except TimeoutError:
                pass
        return what()

    def at(self, x, y):
        i = (y * self.c.width + x) * 3
        return tuple(self.c.pixels[i:i + 3])

    def bars(self):
        """Rows at which a line of the list is chosen."""
        green = [y for y in range(100, self.c.height - 70)
                 if 0x20 < self.at(700, y)[1] - self.at(700, y)[0] and self.at(700, y)[0] < 0x60]
        return green[0] if green else None


for card, size in (('virtio', (1280, 800)),):
    m = Machine('-arch', 'x86_64', '-M', 'pc', '-accel', 'tcg', '-m', '1G', '-kernel', image + '/linux', '-initrd', image + '/initrd.gz',
                '-append', 'DEBIAN_FRONTEND=gtk vga=788', '-vga', card, '-usb', '-device', 'usb-tablet', '-vnc',
                'unix:{dir}/vnc', cpus=True)
    v = Viewer(m)
    t.ok(v.until(lambda: v.c.width >= 800 and v.bars() is not None, 400), f'-vga {card}: the installer asks for a language')
    t.equal((v.c.width, v.c.height), size, f'-vga {card}: in the size that the display likes')
    y = v.bars() or 300
    v.c.point(400, y + 100, 0)
    v.c.point(400, y + 100, 1)
    v.c.point(400, y + 100, 0)
    t.ok(v.until(lambda: (v.bars() or 0) > y + 60, 30), f'-vga {card}: a click chooses another')
    y = v.bars() or 300
    v.c.ext_key_event(0xff52, 0xc8, 1)
    v.c.ext_key_event(0xff52, 0xc8, 0)
    t.ok(v.until(lambda: v.bars() is not None and v.bars() < y, 30), f'-vga {card}: a key the one above')
    def same():
        """Whether what vncsnapshot gets is the screen, as far as its JPEG can say so."""
        p = subprocess.run(['vncsnapshot', '-quiet', '-quality', '100', '127.0.0.1:90', m.path('snap.jpg')],
                           capture_output=True, text=True)
        shown = m.screendump().split(b'\n', 3)[3]
        raw = subprocess.run(['convert', m.path('snap.jpg'), '-depth', '8', 'rgb:-'], capture_output=True).stdout
        off = max(map(lambda a, b: abs(a - b), raw, shown)) if len(raw) == len(shown) else 999
        return off <= 3 or print(f'# off by {off} {p.stderr}')

    if shutil.which('vncsnapshot') and shutil.which('socat') and shutil.which('convert'):
        s = subprocess.Popen(['socat', 'TCP-LISTEN:5990,reuseaddr,fork,bind=127.0.0.1', f'UNIX-CONNECT:{m.path("vnc")}'])
        time.sleep(0.5)
        t.ok(any(same() for _ in range(10)), f'-vga {card}: vncsnapshot takes the very same picture')
        s.terminate()
        s.wait()
    else:
        t.ok(True, f'-vga {card}: vncsnapshot # SKIP vncsnapshot, socat or convert is not there')
    m.stop()
t.done()
