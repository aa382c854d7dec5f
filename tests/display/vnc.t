#!/usr/bin/env python3
# The VNC server against a client of our own: every encoding in several pixel formats compared pixel
# by pixel with what screendump shows; updates, cursors, sizes, passwords, keys, the clipboard.
import os, select, struct, sys, zlib, socket, tempfile
sys.path.insert(0, os.path.join(os.environ['srcdir'], 'tests/display'))
sys.dont_write_bytecode = True
from guest import *
import rfb

t = Tap()
BASE = ('-arch', 'x86_64', '-M', 'pc', '-vga', 'std')
m = Machine(*BASE, '-vnc', 'unix:{dir}/vnc', '-vnc', 'unix:{dir}/pw,id=pw,password=on,lossy=on',
            '-vnc', 'none,id=ws,websocket=unix:{dir}/ws')
vga = Vga(m)
W, H = 200, 144
vga.mode(W, H)
picture = test_picture(W, H)
vga.draw(0, 0, picture)
want = m.screendump()
FORMATS = {
    'native': None,
    'bgr': (32, 24, 0, (255, 255, 255), (0, 8, 16)),
    'high': (32, 24, 0, (255, 255, 255), (24, 16, 8)),
    'big': (32, 24, 1, (255, 255, 255), (16, 8, 0)),
    '565': (16, 16, 0, (31, 63, 31), (11, 5, 0)),
    '565 big': (16, 16, 1, (31, 63, 31), (11, 5, 0)),
    '332': (8, 8, 0, (7, 7, 3), (0, 3, 6)),
}
NAMES = {rfb.RAW: 'raw', rfb.HEXTILE: 'hextile', rfb.ZLIB: 'zlib', rfb.TIGHT: 'tight', rfb.ZRLE: 'zrle'}


def connect(name='vnc', **args):
    c = rfb.Client.unix(m.path(name))
    c.handshake(**args)
    return c


def reduced(ppm, fmt):
    """What a picture looks like with fewer bits a colour."""
    if not fmt or fmt[3] == (255, 255, 255):
        return ppm
    head = len(f'P6\n{W} {H}\n255\n')
    out = bytearray(ppm)
    for i in range(3):
        bits = fmt[3][i].bit_length()
        out[head + i::3] = bytes((v >> 8 - bits) * 255 // fmt[3][i] for v in ppm[head + i::3])
    return bytes(out)


# ---- pictures ----
for enc, name in NAMES.items():
    for fname, fmt in FORMATS.items():
        c = connect()
        if fmt:
            c.set_format(*fmt)
        c.set_encodings([enc])
        c.request(False)
        c.update()
        t.ok(c.ppm() == reduced(want, fmt) and c.encodings_seen.get(enc), f'{name} in format {fname}')
        c.close()

# ---- what changed, and nothing else ----
for enc, name in NAMES.items():
    c = connect()
    c.set_encodings([enc])
    c.request(False)
    c.update()
    ok = True
    for i in range(4):
        c.request(True)
        before = c.bytes_in
        vga.draw(17 + 9 * i, 20 + i, [[(i, 255 - i, 77 + enc)] * 5])
        c.update()
        ok &= c.ppm() == m.screendump() and c.bytes_in - before < 4096
    t.ok(ok, f'{name}: small changes come as small updates')
    c.close()
want = m.screendump()

# ---- two clients, one of which does not read ----
slow, fast = connect(), connect()
slow.set_encodings([rfb.RAW])
fast.set_encodings([rfb.ZRLE])
for i in range(2000):
    slow.request(False)
fast.request(False)
fast.update()
for i in range(20):
    fast.request(True)
    vga.draw(0, 0, [[(i * 10, i, i)] * W])
    fast.update()
t.ok(fast.ppm() == m.screendump(), 'a client that does not read makes no other one wait')
while slow.ppm() != m.screendump():
    slow.request(True)
    slow.update()
t.ok(True, 'and gets the picture of now once it reads')
t.equal(len(m.qmp('query-vnc')['clients']), 2, 'query-vnc shows both')
slow.close()
fast.close()
vga.draw(0, 0, picture[:1])
m.screendump()

# ---- versions, sharing ----
for v in (b'RFB 003.003\n', b'RFB 003.007\n', b'RFB 003.005\n', b'RFB 003.889\n'):
    c = connect(version=v)
    c.request(False)
    c.update()
    t.ok(c.ppm() == m.screendump(), f'version {v.decode().strip()}')
    c.close()
a = connect()
b = connect(shared=False)
try:
    while True:
        a.request(True)
        a.update()
except (rfb.Closed, OSError):
    t.ok(True, 'an exclusive client sends the others away')
b.request(False)
b.update()
b.close()

# ---- sizes ----
c = connect()
c.set_encodings([rfb.ZRLE, rfb.EXT_SIZE, rfb.POINTER_TYPE, rfb.LED, rfb.EXT_KEY])
c.request(False)
c.update()
t.equal((c.screens, c.pointer, c.led, c.ext_key), ([(0, 0, 0, W, H, 0)], 0, 0, True), 'extensions are announced')
c.request(True)
vga.mode(320, 100)
while (c.width, c.height) != (320, 100):
    c.update()
    c.request(True)
c.request(False)
c.update()
t.ok(c.ppm() == m.screendump(), 'the desktop changes its size')
c.set_size(500, 400)
c.size_reason = None
c.request(True)
while c.size_reason is None or c.size_reason[0] != 1:
    c.update()
    c.request(True)
t.equal(c.size_reason, (1, 1), 'a card that has no say in it refuses another size')
plain = connect()
plain.set_encodings([rfb.RAW])
vga.mode(W, H)
plain.request(False)
plain.update()
t.equal((plain.width, plain.height), (320, 100), 'a client that knows no sizes keeps its own')
plain.close()
c.close()
vga.draw(0, 0, picture)

# ---- keys ----
m.qtest('outb 0x64 0xae')
def scancodes():
    out = []
    while int(m.qtest('inb 0x64'), 0) & 1:
        out.append(int(m.qtest('inb 0x60'), 0))
    return out


scancodes()
c = connect()
for s in (ord('a'), 0xff0d):
    c.key(s, 1)
    c.key(s, 0)
c.ext_key_event(ord('q'), 0x1e, 1)  # the key that is A on a US keyboard
c.ext_key_event(ord('q'), 0x1e, 0)
c.ext_key_event(0xff52, 0xc8, 1)
c.request(False)
c.update()
m.qmp('query-status')
got = scancodes()
end = time.time() + 20
while len(got) < 8 and time.time() < end:
    got += scancodes()
t.equal(got, [0x1e, 0x9e, 0x1c, 0x9c, 0x1e, 0x9e, 0xe0, 0x48], 'keysyms and extended keys arrive as scan codes')
c.close()
m.wait_event('VNC_DISCONNECTED')
got = []
end = time.time() + 20
while len(got) < 2 and time.time() < end:
    got += scancodes()
t.equal(got, [0xe0, 0xc8], 'a client that leaves lets go of its keys')

# ---- the clipboard ----
a, b = connect(), connect()
for c in (a, b):
    c.set_encodings([rfb.RAW])
    c.request(False)
    c.update()
a.cut('h\u00e4llo'.encode('latin-1'))
while not b.clip:
    b.request(False)
    b.message()
t.equal(b.clip, ['h\u00e4llo'], 'text goes from one client to the other')
a.close()
b.close()

# ---- passwords ----
def try_password(word):
    try:
        c = connect('pw', password=word)
        c.close()
        return True
    except PermissionError:
        return False


t.equal(try_password('x'), False, 'no password is set: nobody gets in')
m.qmp('set_password', protocol='vnc', password='secret', display='pw')
t.equal(try_password('wrong'), False, 'a wrong password is refused')
t.equal(try_password('secret'), True, 'the right one is not')
m.qmp('expire_password', protocol='vnc', time='now', display='pw')
t.equal(try_password('secret'), False, 'after its time it is')
m.qmp('expire_password', protocol='vnc', time='never', display='pw')
t.equal(try_password('secret'), True, 'never means never')
t.ok('password=on' in m.raw('set_password', protocol='vnc', password='x')['error']['desc'],
     'a server without passwords takes none')
c = rfb.Client.unix(m.path('pw'))
c.read(12)
c.send(b'RFB 003.008\n')
t.equal(c.read(2), b'\1\2', 'no security type but the password is offered')
c.send(b'\1')
try:
    c.read(1)
    t.ok(False, 'none is refused')
except (rfb.Closed, OSError):
    t.ok(True, 'none is refused')

# ---- JPEG ----
if shutil.which('convert'):
    c = connect('pw', password='secret')
    c.set_encodings([rfb.TIGHT, -23])
    want = m.screendump()
    c.request(False)
    c.update()
    half = len(c.pixels) // 4 * 3  # below there is noise, which JPEG does not like
    mean = sum(abs(x - y) for x, y in zip(c.pixels[:half], want[-len(c.pixels):])) / half
    t.ok(mean < 8 and c.ppm() != want, 'JPEG is near the picture', f'mean difference {mean}')
    c.close()
else:
    t.ok(True, 'JPEG # SKIP no convert (imagemagick)')

# ---- WebSocket ----
s = socket.socket(socket.AF_UNIX)
s.settimeout(30)
s.connect(m.path('ws'))
c = rfb.Client(rfb.WebSocket(s))
c.handshake()
c.set_encodings([rfb.TIGHT])
want = m.screendump()
c.request(False)
c.update()
t.ok(c.ppm() == want, 'over WebSocket')
c.sock.frame(b'hello', 9)
c.request(False)
c.update()
t.equal(c.sock.pong, b'hello', 'a ping is answered')
# Who pings and does not read is soon not read from either; then all is answered.
ping = b'\x89\xfd\0\0\0\0' + b'x' * 125
sent, s = 0, c.sock.sock
s.setblocking(False)
while sent < 64 << 20 and select.select([], [s], [], 3)[1]:
    sent += s.send((ping * 1000)[sent % len(ping):])
t.ok(sent < 64 << 20, 'a client that only pings is held up')
expected = sent // len(ping) * 127
while expected > 0 and select.select([s], [], [], 20)[0]:
    expected -= len(s.recv(1 << 20))
t.equal(expected, 0, 'and then answered')
c.close()
s = socket.socket(socket.AF_UNIX)
s.settimeout(30)
s.connect(m.path('ws'))
s.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
t.ok(b' 400 ' in s.recv(4096), 'a plain HTTP request is refused')

rc, err = m.stop()
t.ok(rc in (0, -15) and 'Sanitizer' not in err and 'runtime error' not in err, 'the server ends in peace', err)

# ---- viewers that are handed over ----
m = Machine(*BASE, '-vnc', 'none,password=on')


def hand_over(name, **args):
    ours, theirs = socket.socketpair()
    ours.settimeout(30)
    line = json.dumps({'execute': 'getfd', 'arguments': {'fdname': name}}) + '\n'
    socket.send_fds(m.q, [line.encode()], [theirs.fileno()])
    theirs.close()
    while 'return' not in json.loads(m.qf.readline()):
        pass
    m.qmp('add_client', protocol='vnc', fdname=name, **args)
    return rfb.Client(ours)


c = hand_over('friend', skipauth=True)
c.handshake()
c.request(False)
c.update()
t.ok(c.width >= 640, 'a viewer whose socket comes by getfd and add_client needs no password')
try:
    hand_over('guest').handshake()
    t.ok(False, 'without skipauth it does')
except Exception:
    t.ok(True, 'without skipauth it does')
t.ok('not found' in m.raw('add_client', protocol='vnc', fdname='friend')['error']['desc'], 'a descriptor goes but once')
t.ok('SCM_RIGHTS' in m.raw('getfd', fdname='x')['error']['desc'], 'none was passed')
t.ok('not there' in m.raw('add_client', protocol='spice', fdname='x')['error']['desc'], 'another protocol')
rc, err = m.stop()
t.ok(rc == 0 and 'Sanitizer' not in err, 'in peace', err)

# ---- errors name the cure ----
def refused(*args):
    p = subprocess.run([MYNA, *BASE, '-accel', 'qtest', *args], capture_output=True, text=True, timeout=60,
                       stdin=subprocess.DEVNULL)
    return p.returncode, p.stderr


rc, err = refused('-vnc', 'x')
t.ok(rc == 1 and "neither [HOST]:DISPLAY (such as ':0')" in err and err.count('\n') == 1, 'a place that is none', err)
busy = socket.socket()
busy.bind(('127.0.0.1', 0))
busy.listen(1)
port = busy.getsockname()[1]
if port > 5900:
    rc, err = refused('-vnc', f'127.0.0.1:{port - 5900}')
    t.ok(rc == 1 and 'to=N takes a free one' in err and err.count('\n') == 1, 'a port that is taken', err)
    m = Machine(*BASE, '-vnc', f'127.0.0.1:{port - 5900},to={port - 5900 + 40}')
    t.ok(int(m.qmp('query-vnc')['service']) > port, 'to= goes on to the next one')
    m.stop()
m = Machine(*BASE, '-vnc', '127.0.0.1:80,to=99,websocket=on')
servers = m.qmp('query-vnc-servers')[0]['server']
t.equal([(s['family'], s['websocket']) for s in servers], [('ipv4', False), ('ipv4', True)], 'query-vnc-servers has both ports')
t.equal(int(servers[0]['service']) - 5900, int(servers[1]['service']) - 5700, 'of the same display')
t.ok(servers[1]['service'] + ' (ipv4, websocket)' in m.hmp('info vnc'), 'so does info vnc', m.hmp('info vnc'))
m.stop()
rc, err = refused('-vnc', ':0,tls-creds=nix')
t.ok(rc == 1 and 'nix' in err and err.count('\n') == 1, 'credentials that are missing', err)
rc, err = refused('-display', 'gtk')
t.ok(rc == 1 and "'sdl' is a window" in err and err.count('\n') == 1, 'another display', err)
t.done()
