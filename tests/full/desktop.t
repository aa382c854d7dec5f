#!/usr/bin/env python3
# A desktop for a person: Debian with X, a window manager and a terminal comes up in the SDL window
# under Xvfb, on -vga std and on virtio-vga. A click opens the menu and the terminal, keys are typed
# there, text is copied both ways, and the guest's screen takes the size of the window. On the first card
# the pointer is a USB tablet's, on the second the agent's, and there is a second head in a window of
# its own, which is plugged in and takes another size. The second card's screen is seen in Debian's
# viewers as well: tigervnc-viewer, gvnccapture, vncsnapshot, and noVNC in Chromium, beside
# one who does not read.
# MYNA_SHOTS=DIR keeps pictures to look at.
import functools, http.server, os, shutil, subprocess, sys, tempfile, threading, time
sys.path.insert(0, os.path.join(os.environ['srcdir'], 'tests/display'))
sys.dont_write_bytecode = True
from guest import *
import rfb

SLOW = int(os.environ.get('MYNA_TEST_SLOW', 1))
SHOTS = os.environ.get('MYNA_SHOTS')
GROUND = (0x20, 0x40, 0x60)
for tool in ('Xvfb', 'xdotool', 'import', 'openbox', 'xclip'):
    if not shutil.which(tool):
        skip_all(f'{tool} is not there')
make = [os.path.join(os.environ['srcdir'], 'scripts/make-disk'), '--desktop']
if os.environ.get('MYNA_TEST_OFFLINE'):
    make.append('--offline')
p = subprocess.run(make, capture_output=True, text=True)
if p.returncode:
    skip_all((p.stderr.strip().split('\n') or [''])[-1])
disk = os.path.join(p.stdout.strip(), 'disk.img')
t = Tap()

rd, wr = os.pipe()
xvfb = subprocess.Popen(['Xvfb', '-displayfd', str(wr), '-screen', '0', '2048x1536x24', '-nolisten', 'tcp'], pass_fds=[wr],
                        stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
os.close(wr)
env = {**os.environ, 'DISPLAY': ':' + os.read(rd, 16).decode().strip(), 'SDL_VIDEODRIVER': 'x11'}
env.pop('WAYLAND_DISPLAY', None)
wm = subprocess.Popen(['openbox'], env=env, stderr=subprocess.DEVNULL)


def x(*args, check=True, **kw):
    return subprocess.run(args, env=env, capture_output=True, text=True, check=check, **kw).stdout.strip()


def until(what, seconds=30):
    end = time.time() + seconds * SLOW
    while not what() and time.time() < end:
        time.sleep(0.2)
    return what()


class Window:
    @classmethod
    def of(cls, number):
        w = cls.__new__(cls)
        w.id = number
        return w

    def __init__(self, name):
        until(lambda: x('xdotool', 'search', '--name', name, check=False))
        self.id = x('xdotool', 'search', '--name', name).split('\n')[0]
        x('xdotool', 'windowfocus', '--sync', self.id, check=False)

    def picture(self):
        """Width, height, and the pixels."""
        head, size, _, raw = subprocess.run(['import', '-silent', '-window', self.id, '-depth', '8', 'ppm:-'], env=env,
                                            capture_output=True, check=True).stdout.split(b'\n', 3)
        w, h = map(int, size.split())
        return w, h, raw

    def at(self, px, py):
        w, _, raw = self.picture()
        return tuple(raw[(py * w + px) * 3:][:3])

    def lit(self, px, py, width, height):
        """Whether something light is in that part."""
        w, _, raw = self.picture()
        return any(max(raw[((py + y) * w + px) * 3:][:3 * width]) > 0x80 for y in range(height))

    def desktop(self):
        """Whether the guest's ground is at all four corners of the window: nothing is left beside the picture."""
        w, h, raw = self.picture()
        return all(tuple(raw[i * 3:][:3]) == GROUND for i in (0, w - 1, (h - 1) * w, h * w - 1))

    def click(self, px, py, button):
        x('xdotool', 'mousemove', '--window', self.id, str(px), str(py))
        time.sleep(1)  # a tablet that sleeps has to wake up
        x('xdotool', 'mousemove', '--window', self.id, str(px + 1), str(py))
        x('xdotool', 'click', str(button))

    def type(self, text):
        x('xdotool', 'windowfocus', self.id)
        x('xdotool', 'type', '--window', self.id, '--delay', '80', text)
        x('xdotool', 'key', '--window', self.id, 'Return')

    def shot(self, name):
        if SHOTS:
            subprocess.run(['import', '-silent', '-window', self.id, os.path.join(SHOTS, name + '.png')], env=env, check=True)


def copy(text):
    """The user copies it in another window."""
    x('xdotool', 'mousemove', '5', '5')
    subprocess.run(['xclip', '-selection', 'clipboard'], env=env, input=text, text=True, check=True)


def pasted():
    return x('xclip', '-o', '-selection', 'clipboard', check=False)


# ---- viewers ----

def pixels(path):
    """Width, height, and the pixels of a picture."""
    out = subprocess.run(['convert', path, '-depth', '8', 'ppm:-'], capture_output=True).stdout
    if not out:
        return 0, 0, b''
    _, size, _, raw = out.split(b'\n', 3)
    return (*map(int, size.split()), raw)


def holds(big, small):
    """Whether the picture is part of the other, pixel by pixel."""
    (bw, _, b), (w, h, s) = big, small
    i = b.find(s[:3 * w])
    while i >= 0 and not (i % 3 == 0 and i // 3 % bw + w <= bw and
                          all(b[i + 3 * bw * y:i + 3 * (bw * y + w)] == s[3 * w * y:3 * w * (y + 1)] for y in range(h))):
        i = b.find(s[:3 * w], i + 1)
    return i >= 0


def screen(m, **head):
    """What the window shows, when nothing lies on top of it."""
    _, size, _, raw = m.screendump(**head).split(b'\n', 3)
    return (*map(int, size.split()), raw)


def capture(m, display, path):
    run = subprocess.run(['gvnccapture', f'127.0.0.1:{display}', path], env=env, capture_output=True)
    return run.returncode == 0 and pixels(path) == screen(m)


def snapshot(m, display, path):
    """It writes JPEG, which at its best rounds colours."""
    subprocess.run(['vncsnapshot', '-quiet', '-quality', '100', f'127.0.0.1:{display}', path], env=env, capture_output=True)
    got, want = pixels(path), screen(m)
    return got[:2] == want[:2] and max(map(lambda a, b: abs(a - b), got[2], want[2])) <= 3


def tigervnc(m, display, path):
    p = subprocess.Popen(['xtigervncviewer', '-ViewOnly', '-Shared', '-RemoteResize=0', '-AutoSelect=0', '-NoJPEG', f'127.0.0.1:{display}'],
                         env={**env, 'HOME': path}, stderr=subprocess.DEVNULL)
    try:
        def shown():  # its window lies on top of ours
            ids = x('xdotool', 'search', '--onlyvisible', '--name', 'TigerVNC', check=False).split()
            return any(holds(Window.of(i).picture(), screen(m)) for i in ids)
        good = until(shown, 60)
        if SHOTS:
            subprocess.run(['import', '-silent', '-window', 'root', os.path.join(SHOTS, 'tigervnc.png')], env=env, check=True)
        return good
    finally:
        p.terminate()
        p.wait()


PAGE = """<!DOCTYPE html><style>body { margin: 0 } #s { width: 1400px; height: 1000px }</style><div id=s></div>
<script type=module>
import RFB from './core/rfb.js';
new RFB(document.getElementById('s'), 'ws://127.0.0.1:%d').viewOnly = true;
</script>"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def novnc(m, display, path):
    for part in ('core', 'vendor'):
        os.symlink('/usr/share/novnc/' + part, os.path.join(path, part))
    with open(os.path.join(path, 'index.html'), 'w') as f:
        f.write(PAGE % (5700 + display))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    shot = os.path.join(path, 'novnc.png')
    for _ in range(5):
        subprocess.run(['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars',
                        '--force-color-profile=srgb', '--window-size=1400,1000', '--virtual-time-budget=8000',
                        f'--screenshot={shot}', f'http://127.0.0.1:{server.server_port}/index.html'],
                       env={**env, 'HOME': path}, capture_output=True, timeout=120 * SLOW)
        if holds(pixels(shot), screen(m)):
            break
    good = holds(pixels(shot), screen(m))
    if SHOTS:
        shutil.copy(shot, SHOTS)
    server.shutdown()
    return good


def try_viewers(m, w):
    display = int(m.qmp('query-vnc')['service']) - 5900
    t.ok(until(lambda: w.picture() == screen(m)), 'the window shows what screendump has')
    lazy = rfb.Client.tcp(5900 + display)
    lazy.handshake()
    lazy.set_encodings([rfb.TIGHT, rfb.EXT_SIZE])
    lazy.request(False)
    for tool, name, see in (('gvnccapture', 'gvnccapture', lambda: capture(m, display, m.path('gvnc.png'))),
                            ('vncsnapshot', 'vncsnapshot', lambda: snapshot(m, display, m.path('snap.jpg'))),
                            ('xtigervncviewer', 'tigervnc-viewer', lambda: tigervnc(m, display, m.dir)),
                            ('chromium', 'noVNC in Chromium', lambda: novnc(m, display, m.dir))):
        if not shutil.which(tool) or (tool == 'chromium' and not os.path.exists('/usr/share/novnc')):
            t.ok(True, f'{name} # SKIP it is not there')
            continue
        t.ok(until(see, 60) if tool != 'chromium' else see(), f'{name} shows the same, pixel by pixel')
        w.type('clear; seq 300')  # the next one sees another picture
        time.sleep(3)

    def caught_up():
        if (lazy.width, lazy.height, bytes(lazy.pixels)) == screen(m):
            return True
        lazy.request(True)
        try:
            lazy.update()
        except TimeoutError:
            pass
        return False
    lazy.update()
    lazy.sock.settimeout(5)
    t.ok(until(caught_up), 'and he who did not read does in the end')
    lazy.close()


def try_second_head(m, say):
    x('xdotool', 'key', 'ctrl+alt+2')
    if not t.ok(until(lambda: x('xdotool', 'search', '--name', '^desk-virtio 2', check=False)), say('a second window opens')):
        return
    w = Window('^desk-virtio 2')
    def shows(width, height):
        """Whether the guest draws in that size on the second head, and the window has it."""
        p = w.picture()
        return p[:2] == (width, height) and p == screen(m, device='card', head=1) and w.at(0, 0) == GROUND
    t.ok(until(lambda: shows(904, 648), 60), say('it shows what the guest has on its second head'), w.picture()[:2])
    x('xdotool', 'windowsize', '--sync', w.id, '712', '504')
    t.ok(until(lambda: shows(712, 504), 60), say('which takes the size of that window'), w.picture()[:2])
    w.shot('virtio-second')
    x('xdotool', 'windowactivate', '--sync', w.id, 'key', 'alt+F4')
    t.ok(until(lambda: not x('xdotool', 'search', '--name', '^desk-virtio 2', check=False)), say('and is closed'))


CARDS = {'std': ('-vga', 'std', '-usb', '-device', 'usb-tablet'), 'virtio': ('-device', 'virtio-vga,id=card,max_outputs=2')}


def try_card(card):
    say = lambda text: f'-vga {card}: {text}'
    copy('before')
    m = Machine('-arch', 'x86_64', '-M', 'pc', '-accel', 'tcg', '-m', '1G', '-name', 'desk-' + card, *CARDS[card],
                '-drive', f'file={work},if=virtio,format=raw', '-device', 'virtio-serial',
                '-chardev', f'qemu-vdagent,id=agent,clipboard=on,mouse={"off" if card == "std" else "on"}',
                '-device', 'virtserialport,chardev=agent,name=com.redhat.spice.0',
                '-display', 'sdl', '-vnc', '127.0.0.1:60,to=99,websocket=on,share=ignore', '-serial', 'file:{dir}/serial',
                cpus=True, env=env)

    def serial():
        with open(m.path('serial'), errors='replace') as f:
            return f.read()
    try:
        w = Window('desk-' + card)
        if not t.ok(until(lambda: 'desktop is up' in serial() or m.p.poll() is not None, 300), say('the desktop comes up'),
                    serial()[-1500:]):
            w.shot(card + '-failed')
            return
        t.ok(until(w.desktop), say('the window shows it'))
        t.ok(until(lambda: 'guest: takes part' in m.hmp('info clipboard'), 60), say('its agent is there'),
             m.hmp('info clipboard'))
        if card == 'virtio':
            t.ok(until(lambda: any(p['name'] == 'vdagent' and p['current'] and p['absolute'] for p in m.qmp('query-mice'))),
                 say('and has the pointer'), m.qmp('query-mice'))
        # ---- the mouse: the menu of the ground, and its first line ----
        w.click(300, 200, 3)
        t.ok(until(lambda: w.at(310, 206) != GROUND), say('a click opens the menu'))
        w.shot(card + '-menu')
        w.click(340, 210, 1)
        width, height, _ = w.picture()
        t.ok(until(lambda: w.at(width // 2, height // 2) == (0, 0, 0), 60), say('another one a terminal'))
        # ---- the keyboard ----
        # its prompt: keys typed into a guest that is busy overflow the keyboard's buffer of 16 bytes
        until(lambda: w.lit(width // 2 - 240, height // 2 - 148, 85, 12), 60)
        time.sleep(1)
        w.type('echo "Typed: $((6*7)) <~>|" > /dev/ttyS0')
        t.ok(until(lambda: 'Typed: 42 <~>|' in serial()), say('keys arrive there'), serial()[-300:])
        w.shot(card + '-typed')
        # ---- the clipboard ----
        copy('from the host: \u00e9\u4e2d')
        x('xdotool', 'mousemove', '--window', w.id, '500', '300')
        time.sleep(1)
        w.type('xclip -o -selection clipboard -t UTF8_STRING > /dev/ttyS0')
        t.ok(until(lambda: 'from the host: \u00e9\u4e2d' in serial()), say('text copied here is pasted there'),
             serial()[-300:])
        w.type('echo from the guest | xclip -selection clipboard')
        t.ok(until(lambda: pasted() == 'from the guest'), say('and the other way round'), pasted())
        # ---- the size ----
        x('xdotool', 'windowsize', '--sync', w.id, '904', '648')
        t.ok(until(lambda: m.screendump()[:10] == b'P6\n904 648' and w.desktop(), 60), say('the guest follows the window'),
             m.screendump()[:12])
        w.shot(card + '-resized')
        if card == 'virtio':
            try_viewers(m, w)
            w.type('clear')
            try_second_head(m, say)
        m.qmp('system_powerdown')
        try:
            m.p.wait(120 * SLOW)
        except subprocess.TimeoutExpired:
            pass
        t.equal(m.p.poll(), 0, say('the power button ends it'))
        err = m.stderr()
        t.ok('response 0x' not in serial() and 'Sanitizer' not in err, say('without complaints'), err)
    finally:
        m.stop()


work = disk + f'.{os.getpid()}'
try:
    for card in ('std', 'virtio'):
        subprocess.run(['cp', '--sparse=always', disk, work], check=True)
        try_card(card)
finally:
    if os.path.exists(work):
        os.unlink(work)
    for child in (wm, xvfb):
        child.terminate()
        child.wait()
t.done()
