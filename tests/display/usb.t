#!/usr/bin/env python3
# UHCI with tablet, mouse, keyboard and hub, by a driver over qtest: enumeration, reports, short
# packets, stalls, ports behind a hub, unplugging; then frame lists of nonsense.
import os, random, struct, sys
sys.path.insert(0, os.path.join(os.environ['srcdir'], 'tests/display'))
sys.dont_write_bytecode = True
from guest import *

t = Tap()
SETUP, IN, OUT = 0x2d, 0x69, 0xe1
IO, FRAMES, QH, TDS, DATA = 0xc000, 0x100000, 0x102000, 0x103000, 0x110000
ACTIVE, STALLED, NAK, TIMEOUT = 1 << 23, 1 << 22, 1 << 19, 1 << 18


class Uhci:
    def __init__(self, m):
        self.m = m
        self.cfg = 0x80000000 | 1 << 11 | 2 << 8
        m.outl(0xcf8, self.cfg)
        self.id = m.inl(0xcfc)
        m.outl(0xcf8, self.cfg | 0x20)
        m.outl(0xcfc, IO)
        m.outl(0xcf8, self.cfg | 4)
        m.outl(0xcfc, 5)
        m.write(FRAMES, struct.pack('<I', QH | 2) * 1024)
        m.write(QH, struct.pack('<II', 1, 1))
        m.outl(IO + 8, FRAMES)
        self.start()

    def start(self):
        self.m.outw(IO + 4, 15)
        self.m.outw(IO, 1)

    def inw(self, reg):
        return int(self.m.qtest(f'inw {IO + reg:#x}'), 0)

    def read(self, addr, n):
        return bytes.fromhex(self.m.qtest(f'read {addr:#x} {n:#x}')[2:]) if n else b''

    def frames(self, n=1):
        self.m.qtest(f'clock_step {n * 1000000}')

    def chain(self, tds, frames=40, short=True):
        """(pid, address, endpoint, data or length): runs them; status and bytes moved of each."""
        at = DATA
        places = []
        for i, (pid, addr, ep, data) in enumerate(tds):
            n = data if isinstance(data, int) else len(data)
            if not isinstance(data, int) and data:
                self.m.write(at, data)
            link = TDS + 32 * (i + 1) | 4 if i + 1 < len(tds) else 1
            control = ACTIVE | 3 << 27 | (1 << 29 if short and pid == IN else 0) | (1 << 24 if i + 1 == len(tds) else 0)
            token = pid | addr << 8 | ep << 15 | ((n - 1) & 0x7ff) << 21
            self.m.write(TDS + 32 * i, struct.pack('<IIII', link, control, token, at))
            places.append(at)
            at += n + 15 & ~15
        self.m.write(QH + 4, struct.pack('<I', TDS))
        self.frames(frames)
        out = []
        for i, at in enumerate(places):
            c, = struct.unpack('<I', self.read(TDS + 32 * i + 4, 4))
            n = (c + 1) & 0x7ff
            out.append((c, self.read(at, n) if tds[i][0] == IN and not c & ACTIVE else n))
        self.m.write(QH + 4, struct.pack('<I', 1))
        return out

    def control(self, addr, type, request, value, index, data_or_len=0, packet=8):
        n = data_or_len if isinstance(data_or_len, int) else len(data_or_len)
        tds = [(SETUP, addr, 0, struct.pack('<BBHHH', type, request, value, index, n))]
        if type & 0x80:
            r = self.chain(tds, 4)
            if r[0][0] & (ACTIVE | STALLED):
                return None
            out = b''
            while len(out) < n:
                r = self.chain([(IN, addr, 0, min(packet, n - len(out)))], 4)
                if r[0][0] & (STALLED | ACTIVE):
                    return None
                out += r[0][1]
                if len(r[0][1]) < packet:
                    break
            self.chain([(OUT, addr, 0, b'')], 4)
            return out
        for i in range(0, n, packet):
            tds.append((OUT, addr, 0, data_or_len[i:i + packet]))
        tds.append((IN, addr, 0, 0))
        r = self.chain(tds, 4)
        return None if any(c & (STALLED | ACTIVE) for c, _ in r) else b''

    def reset_port(self, n):
        reg = IO + 16 + 2 * n
        self.m.outw(reg, 0x200)
        self.frames(50)
        self.m.outw(reg, 0)
        self.m.outw(reg, 0x0e)
        return self.inw(16 + 2 * n)

    def enumerate(self, addr):
        d = self.control(0, 0x80, 6, 0x100, 0, 8)
        assert d and d[0] == 18, d
        assert self.control(0, 0, 5, addr, 0) == b''
        d = self.control(addr, 0x80, 6, 0x100, 0, 18)
        c = self.control(addr, 0x80, 6, 0x200, 0, 9)
        c = self.control(addr, 0x80, 6, 0x200, 0, struct.unpack('<H', c[2:4])[0])
        assert self.control(addr, 0, 9, c[5], 0) == b''
        return d, c

    def string(self, addr, n):
        s = self.control(addr, 0x80, 6, 0x300 | n, 0x409, 255)
        return s[2:].decode('utf-16-le')

    def report(self, addr, n=8):
        c, data = self.chain([(IN, addr, 1, n)], 3, short=False)[0]
        return None if c & ACTIVE else data


m = Machine('-arch', 'x86_64', '-M', 'pc', '-m', '16M', '-vga', 'none', '-usb', '-device', 'usb-tablet,port=1,id=tab',
            '-device', 'usb-hub,port=2', '-device', 'usb-kbd,port=2.1', '-device', 'usb-mouse,port=2.3,serial=xyz')
u = Uhci(m)
t.equal(hex(u.id), '0x70208086', 'the controller is the third function of the PIIX3')
t.equal(u.inw(16) & 3, 3, 'something is plugged into port 1')
t.equal(u.reset_port(0) & 5, 5, 'it is there after a reset')
d, c = u.enumerate(5)
t.equal((d[8:12], c[14], c[5]), (b'\x27\x06\x01\x00', 3, 1), 'a HID device')
t.equal((u.string(5, 1), u.string(5, 2)), ('QEMU', 'QEMU USB Tablet'), 'its strings')
hid = c[18:27]
rep = u.control(5, 0x81, 6, 0x2200, 0, struct.unpack('<H', hid[7:9])[0])
t.equal(len(rep), hid[7], 'its report descriptor is as long as it says')
t.equal(u.report(5), None, 'nothing to report')
m.qmp('input-send-event', events=[{'type': 'abs', 'data': {'axis': 'x', 'value': 0x1234}},
                                  {'type': 'abs', 'data': {'axis': 'y', 'value': 0x7fff}}])
t.equal(u.report(5), bytes((0, 0x34, 0x12, 0xff, 0x7f, 0)), 'a place')
m.qmp('input-send-event', events=[{'type': 'btn', 'data': {'button': b, 'down': d}} for b, d in
                                  (('left', True), ('left', False), ('wheel-up', True), ('wheel-up', False))])
t.equal([u.report(5) for _ in range(4)], [bytes((1, 0x34, 0x12, 0xff, 0x7f, 0)), bytes((0, 0x34, 0x12, 0xff, 0x7f, 0)),
                                          bytes((0, 0x34, 0x12, 0xff, 0x7f, 1)), None], 'clicks, one report each')
t.equal(u.inw(2) & 1, 1, 'interrupt status is set')
m.outw(IO + 2, 1)
t.equal(u.inw(2) & 1, 0, 'and taken back')
t.equal(u.control(5, 0x80, 6, 0x0900, 0, 8), None, 'a descriptor that there is not stalls')
t.equal(u.control(5, 0x80, 0, 0, 0, 2), b'\0\0', 'and the next request goes through')
c, _ = u.chain([(IN, 99, 1, 8)], 8)[0]
t.ok(c & STALLED and c & TIMEOUT, 'nobody answers: the errors are counted down')
t.equal(u.inw(2) & 2, 2, 'and told')

# ---- a bus that sleeps ----
MOVE = [{'type': 'abs', 'data': {'axis': 'x', 'value': 0x2222}}]
m.outw(IO + 16, 0x1004)
m.qmp('input-send-event', events=MOVE)
t.equal(u.inw(16) & 0x1040, 0x1000, 'who was not allowed to wakes nobody')
m.outw(IO + 16, 4)
u.report(5)
t.equal(u.control(5, 0, 3, 1, 0), b'', 'the tablet may wake its host')
m.outw(IO + 16, 0x1004)
m.outw(IO, 8)
t.equal((u.inw(16) & 0x1040, u.inw(0), u.inw(2) & 4), (0x1000, 8, 0), 'the port sleeps, and the bus')
m.qmp('input-send-event', events=MOVE)
t.equal((u.inw(16) & 0x1040, u.inw(0), u.inw(2) & 4), (0x1040, 0x18, 4), 'a move wakes both')
m.outw(IO, 0)
m.outw(IO + 2, 4)
m.outw(IO + 16, 4)
t.equal(u.inw(16) & 0x1040, 0, 'the driver ends it')
u.start()
t.equal(u.report(5), bytes((0, 0x22, 0x22, 0xff, 0x7f, 0)), 'and finds the place')

# ---- the hub ----
u.reset_port(1)
d, c = u.enumerate(6)
t.equal((d[4], c[14]), (9, 9), 'a hub')
desc = u.control(6, 0xa0, 6, 0x2900, 0, 9)
t.equal(desc[2], 8, 'of eight ports')
t.equal(u.control(6, 0xa3, 0, 0, 1, 4), bytes((1, 1, 1, 0)), 'port 1 has something')
t.equal(u.control(6, 0xa3, 0, 0, 2, 4), bytes((0, 1, 0, 0)), 'port 2 has nothing')
bits = u.report(6, 2)
t.equal(bits[0], 1 << 1 | 1 << 3, 'changes are reported')
for port, addr in ((1, 7), (3, 8)):
    u.control(6, 0x23, 1, 16, port)
    u.control(6, 0x23, 3, 4, port)
    u.control(6, 0x23, 1, 20, port)
    u.enumerate(addr)
t.equal(u.report(6, 2), None, 'and then no more')
t.equal((u.string(7, 2), u.string(8, 3)), ('QEMU USB Keyboard', 'xyz'), 'devices behind it')
for k in ('shift', 'a', 'ret'):
    m.qmp('input-send-event', events=[{'type': 'key', 'data': {'key': {'type': 'qcode', 'data': k}, 'down': True}}])
t.equal([u.report(7) for _ in range(4)], [bytes((2, 0, 0, 0, 0, 0, 0, 0)), bytes((2, 0, 4, 0, 0, 0, 0, 0)),
                                          bytes((2, 0, 4, 0x28, 0, 0, 0, 0)), None], 'keys that are down')
m.qmp('input-send-event', events=[{'type': 'key', 'data': {'key': {'type': 'qcode', 'data': 'a'}, 'down': False}}])
t.equal(u.report(7), bytes((2, 0, 0x28, 0, 0, 0, 0, 0)), 'and one that is up')
t.equal(u.control(7, 0x21, 9, 0x200, 0, b'\2'), b'', 'lights are set')
u.control(7, 0, 3, 1, 0)
u.control(6, 0x23, 3, 2, 1)
t.equal(u.control(6, 0xa3, 0, 0, 1, 4), bytes((7, 1, 0, 0)), 'a port of the hub sleeps')
m.qmp('input-send-event', events=[{'type': 'key', 'data': {'key': {'type': 'qcode', 'data': 'a'}, 'down': True}}])
t.equal((u.report(6, 2), u.control(6, 0xa3, 0, 0, 1, 4)), (b'\2\0', bytes((3, 1, 4, 0))), 'until a key is pressed')
u.control(6, 0x23, 1, 18, 1)
t.equal(u.report(7), bytes((2, 0, 0x28, 4, 0, 0, 0, 0)), 'which arrives')
mice = {x['name']: x['index'] for x in m.qmp('query-mice')}
m.hmp(f"mouse_set {mice['QEMU HID Mouse']}")
m.hmp('mouse_move 300 -5')
t.equal([u.report(8, 4) for _ in range(4)], [bytes((0, 127, 251, 0)), bytes((0, 127, 0, 0)), bytes((0, 46, 0, 0)), None],
        'a long way in several reports')

# ---- plugging ----
m.qmp('device_del', id='tab')
m.wait_event('DEVICE_DELETED')
t.equal(u.inw(16) & 7, 2, 'port 1 is empty, and says that it changed')
m.qmp('device_add', driver='usb-tablet', port='1', id='tab2')
t.equal(u.inw(16) & 3, 3, 'port 1 has something again')
t.ok('taken by' in m.raw('device_add', driver='usb-mouse', port='1')['error']['desc'], 'a port takes one')
t.ok('no port' in m.raw('device_add', driver='usb-mouse', port='2.9')['error']['desc'], 'a port that there is not')

# ---- nonsense ----
seed = int(os.environ.get('MYNA_SEED', random.randrange(1 << 30)))
print(f'# MYNA_SEED={seed}')
rnd = random.Random(seed)
u.reset_port(0)
for i in range(int(os.environ.get('MYNA_COUNT', 150))):
    words = []
    for j in range(512):
        words.append(rnd.choice((QH | 2, QH + 16 * rnd.randrange(64) | 2, TDS + 32 * rnd.randrange(40) | rnd.choice((0, 4)),
                                 1, rnd.getrandbits(32), ACTIVE | rnd.getrandbits(30),
                                 rnd.choice((SETUP, IN, OUT)) | rnd.choice((0, 5, 6, 7, 8)) << 8
                                 | rnd.randrange(3) << 15 | rnd.choice((0, 7, 63, 0x7ff, 0x4ff)) << 21,
                                 0x0680 | rnd.choice((0x100, 0x200, 0x2200)) << 16, 0x00120000, DATA)))
    m.write(QH, struct.pack('<512I', *words))
    m.write(TDS, struct.pack('<512I', *(words[::-1])))
    m.write(DATA, struct.pack('<BBHHH', rnd.choice((0x80, 0, 0x81, 0x21, 0xa1, 0x23, 0xa3)), rnd.randrange(12),
                              rnd.choice((0, 1, 4, 8, 0x100, 0x200, 0x2200)), rnd.randrange(10), rnd.choice((0, 8, 0xffff))))
    m.outw(IO + rnd.choice((2, 4, 6, 16, 18)), rnd.getrandbits(16))
    m.outw(IO, 1)
    u.frames(3)
    if i % 10 == 0:
        m.qmp('input-send-event', events=[{'type': 'rel', 'data': {'axis': 'x', 'value': rnd.randrange(-40000, 40000)}}])
m.write(QH, struct.pack('<II', 1, 1))
m.outw(IO, 2)
m.outl(IO + 8, FRAMES)
u.start()
u.reset_port(0)
d, c = u.enumerate(9)
t.equal(u.string(9, 2), 'QEMU USB Tablet', 'after nonsense and a reset all works')
rc, err = m.stop()
t.ok(rc in (0, -15) and 'Sanitizer' not in err and 'runtime error' not in err, 'the end', err)

# ---- which options bring a controller: -usb is -machine usb=on, and the last of them counts ----
for words, want in (('-usb', 0x70208086), ('-machine usb=on', 0x70208086), ('-usb -machine usb=off', 0xffffffff),
                    ('-machine usb=off -usb', 0x70208086), ('-usbdevice tablet', 0x70208086), ('', 0xffffffff)):
    m = Machine('-arch', 'x86_64', '-M', 'pc', '-m', '16M', *words.split())
    m.outl(0xcf8, 0x80000000 | 1 << 11 | 2 << 8)
    t.equal(hex(m.inl(0xcfc)), hex(want), f"function 2 of the PIIX3 with '{words}'")
    m.stop()
m = Machine('-arch', 'x86_64', '-M', 'pc', '-m', '16M', '-machine', 'usb=on', '-device', 'piix3-usb-uhci,addr=5')
m.outl(0xcf8, 0x80000000 | 5 << 11)
t.equal(hex(m.inl(0xcfc)), '0x70208086', 'another controller beside it')
m.stop()
t.done()
