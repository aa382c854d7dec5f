"""A machine without CPUs for tests of displays: its devices are driven by qtest, its monitor is QMP."""
import json, os, shutil, socket, subprocess, sys, tempfile, time

MYNA = os.path.abspath(os.environ['MYNA'])


class Tap:
    def __init__(self):
        self.n = self.bad = 0

    def ok(self, good, name, why=''):
        self.n += 1
        self.bad += not good
        print(f"{'ok' if good else 'not ok'} {self.n} - {name}", flush=True)
        if not good and why:
            print(''.join(f'# {line}\n' for line in str(why).splitlines()), flush=True)
        return good

    def equal(self, got, want, name):
        return self.ok(got == want, name, f'got:      {str(got)[:200]}\nexpected: {str(want)[:200]}')

    def done(self):
        print(f'1..{self.n}')
        sys.exit(1 if self.bad else 0)


def skip_all(why):
    print(f'1..0 # SKIP {why}')
    sys.exit(0)


class Machine:
    """`args` as on the command line; {dir} in them is a folder of its own."""
    def __init__(self, *args, cpus=False, env=None):
        self.dir = tempfile.mkdtemp()
        self.path = lambda name: os.path.join(self.dir, name)
        line = [MYNA, '-nodefaults', '-qmp', f'unix:{self.path("qmp")},server=on,wait=off']
        if not cpus:
            line += ['-accel', 'qtest', '-qtest', f'unix:{self.path("qtest")},server=on,wait=off']
        line += [a.replace('{dir}', self.dir) for a in args]
        self.err = open(self.path('stderr'), 'w+')
        self.p = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.err, env=env)
        self.events = []
        self.q = self.open('qmp')
        self.qf = self.q.makefile('r')  # for both ways, a write would drop events that were read ahead
        json.loads(self.qf.readline())
        self.qmp('qmp_capabilities')
        if not cpus:
            self.t = self.open('qtest').makefile('rw')

    def open(self, name):
        end = time.time() + 30
        while True:
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(60)
            try:
                s.connect(self.path(name))
                return s
            except OSError:
                s.close()
                if self.p.poll() is not None or time.time() > end:
                    self.err.seek(0)
                    raise RuntimeError('myna did not start: ' + self.err.read())
                time.sleep(0.02)

    def raw(self, name, **args):
        self.q.sendall((json.dumps({'execute': name, 'arguments': args}) + '\n').encode())
        while True:
            r = json.loads(self.qf.readline())
            if 'event' not in r:
                return r
            self.events.append(r)

    def qmp(self, name, **args):
        r = self.raw(name, **args)
        if 'error' in r:
            raise RuntimeError(r['error']['desc'])
        return r['return']

    def hmp(self, line):
        return self.qmp('human-monitor-command', **{'command-line': line})

    def wait_event(self, name):
        while True:
            for e in self.events:
                if e['event'] == name:
                    self.events.remove(e)
                    return e
            self.events.append(json.loads(self.qf.readline()))

    def qtest(self, line):
        self.t.write(line + '\n')
        self.t.flush()
        while True:
            r = self.t.readline().strip()
            if r.startswith('OK'):
                return r[3:]
            if not r.startswith('IRQ'):
                raise RuntimeError(f'{line[:60]}: {r}')

    def outw(self, port, v):
        self.qtest(f'outw {port:#x} {v:#x}')

    def outl(self, port, v):
        self.qtest(f'outl {port:#x} {v:#x}')

    def inl(self, port):
        return int(self.qtest(f'inl {port:#x}'), 0)

    def write(self, addr, data):
        for at in range(0, len(data), 65536):
            part = data[at:at + 65536]
            self.qtest(f'write {addr + at:#x} {len(part):#x} 0x{part.hex()}')

    def screendump(self, **args):
        path = self.path('dump.ppm')
        self.qmp('screendump', filename=path, **args)
        with open(path, 'rb') as f:
            return f.read()

    def stderr(self):
        self.err.flush()
        with open(self.path('stderr')) as f:
            return f.read()

    def stop(self):
        self.p.terminate()
        try:
            rc = self.p.wait(60)
        except subprocess.TimeoutExpired:
            self.p.kill()
            rc = 'hung'
        text = self.stderr()
        shutil.rmtree(self.dir, ignore_errors=True)
        return rc, text


class Vga:
    """The card of -vga std on the board pc, in linear modes."""
    LFB = 0xe0000000

    def __init__(self, m):
        self.m = m
        for slot in range(32):
            m.outl(0xcf8, 0x80000000 | slot << 11)
            if m.inl(0xcfc) == 0x11111234:
                break
        else:
            raise RuntimeError('no VGA')
        m.outl(0xcf8, 0x80000000 | slot << 11 | 0x10)
        m.outl(0xcfc, self.LFB)
        m.outl(0xcf8, 0x80000000 | slot << 11 | 4)
        m.outl(0xcfc, 7)

    def vbe(self, reg, v):
        self.m.outw(0x1ce, reg)
        self.m.outw(0x1cf, v)

    def mode(self, w, h, bpp=32):
        self.vbe(4, 0)
        for reg, v in ((1, w), (2, h), (3, bpp), (4, 0x41)):
            self.vbe(reg, v)
        self.m.qtest('outb 0x3c0 0x20')
        self.w, self.h = w, h

    def draw(self, x, y, rows):
        """Rows of (r, g, b)."""
        for j, row in enumerate(rows):
            self.m.write(self.LFB + ((y + j) * self.w + x) * 4, b''.join(bytes((b, g, r, 0)) for r, g, b in row))


def test_picture(w, h):
    """Areas of one colour, of two, of a few and of many colours, runs, and noise."""
    seed = 1
    rows = []
    for y in range(h):
        row = []
        for x in range(w):
            seed = (seed * 1103515245 + 12345) & 0x7fffffff
            if y < h // 4:
                c = (16, 32, 200) if x < w // 2 else ((255, 255, 255) if (x ^ y) & 3 == 0 else (0, 0, 0))
            elif y < h // 2:
                k = (x // 8 + y // 8) % (12 if x < w // 2 else 100)
                c = (k * 20 & 255, k * 7 & 255, 255 - k)
            elif y < 3 * h // 4:
                c = (x * 255 // w, y * 255 // h, (x + y) & 255)
            else:
                c = (seed >> 8 & 255, seed >> 16 & 255, seed >> 20 & 255)
            row.append(c)
        rows.append(row)
    return rows


class Virtio:
    """A driver of a virtio-mmio device on the board virt: split rings, one request at a time."""
    RAM = 0x80000000

    def __init__(self, m, device_id, features=0, slots=range(8)):
        self.m = m
        for slot in slots:
            self.base = 0x10001000 + slot * 0x1000
            if self.r(8) == device_id:
                break
        else:
            raise RuntimeError(f'no virtio device {device_id}')
        self.mem = self.RAM + (slot + 1) * 0x100000
        self.event_idx = features >> 29 & 1
        self.w(0x70, 0)
        self.w(0x70, 3)
        self.offered = self.feature_word(0) | self.feature_word(1) << 32
        for word in (0, 1):
            self.w(0x24, word)
            self.w(0x20, ((features | 1 << 32) >> 32 * word) & 0xffffffff)
        self.w(0x70, 11)
        assert self.r(0x70) == 11
        self.queues = {}

    def feature_word(self, n):
        self.w(0x14, n)
        return self.r(0x10)

    def r(self, reg):
        return int(self.m.qtest(f'readl {self.base + reg:#x}'), 0)

    def w(self, reg, v):
        self.m.qtest(f'writel {self.base + reg:#x} {v:#x}')

    def config(self, off, n):
        return bytes(int(self.m.qtest(f'readb {self.base + 0x100 + off + i:#x}'), 0) for i in range(n))

    def queue(self, n, num=16):
        at = self.mem + n * 0x8000
        self.w(0x30, n)
        self.w(0x38, num)
        for reg, a in ((0x80, at), (0x90, at + 0x1000), (0xa0, at + 0x2000)):
            self.w(reg, a)
            self.w(reg + 4, 0)
        self.w(0x44, 1)
        self.queues[n] = [at, num, 0, 0]

    def start(self):
        self.w(0x70, 15)

    def read(self, addr, n):
        out = b''
        while n:
            k = min(n, 32768)
            out += bytes.fromhex(self.m.qtest(f'read {addr:#x} {k:#x}')[2:])
            addr, n = addr + k, n - k
        return out

    def post(self, q, out, n_in, place=0x4000):
        """Makes a request available; where its answer will be."""
        import struct
        at, num, avail, used = self.queues[q]
        data = at + place
        descs = []
        if out:
            self.m.write(data, out)
            descs.append((data, len(out), 1 if n_in else 0, 1))
        answer = data + (len(out) + 15 & ~15)
        if n_in:
            descs.append((answer, n_in, 2, 0))
        first = avail * 2 % num
        for i, (a, ln, flags, _) in enumerate(descs):
            self.m.write(at + 16 * ((first + i) % num), struct.pack('<QIHH', a, ln, flags, (first + i + 1) % num))
        self.m.write(at + 0x1004 + 2 * (avail % num), struct.pack('<H', first))
        avail += 1
        self.m.write(at + 0x1002, struct.pack('<H', avail & 0xffff))
        self.queues[q][2] = avail
        return answer

    def used(self, q):
        """The length of the next answer, or None."""
        import struct
        at, num, avail, used = self.queues[q]
        if struct.unpack('<H', self.read(at + 0x2002, 2))[0] == used & 0xffff:
            return None
        n = struct.unpack('<II', self.read(at + 0x2004 + 8 * (used % num), 8))[1]
        self.queues[q][3] += 1
        return n

    def wait(self, q):
        end = time.time() + 30
        while time.time() < end:
            n = self.used(q)
            if n is not None:
                return n
        raise RuntimeError('no answer')

    def avail_event(self, q):
        """The index of which the device wants to be notified (virtio 1.2, 2.7.10)."""
        import struct
        at, num, _, _ = self.queues[q]
        return struct.unpack('<H', self.read(at + 0x2004 + 8 * num, 2))[0]

    def do(self, q, out, n_in=24):
        before = self.queues[q][2]
        answer = self.post(q, out, n_in)
        if not self.event_idx or self.avail_event(q) == before & 0xffff:
            self.w(0x50, q)
        return self.read(answer, self.wait(q)) if n_in else self.wait(q)


class InputDevice(Virtio):
    """A virtio keyboard, mouse or tablet, from which events are read."""
    ID = 18

    @classmethod
    def all(cls, m):
        """Those that there are, by their names."""
        found = {}
        for slot in range(8):
            if int(m.qtest(f'readl {0x10001008 + slot * 0x1000:#x}'), 0) == cls.ID:
                d = cls(m, cls.ID, slots=(slot,))
                found[d.name] = d
        return found

    def __init__(self, m, device_id, **args):
        super().__init__(m, device_id, **args)
        self.m.qtest(f'writeb {self.base + 0x100:#x} 1')  # its name
        self.m.qtest(f'writeb {self.base + 0x101:#x} 0')
        self.name = self.config(8, self.config(2, 1)[0]).decode()
        self.queue(0)
        self.queue(1)
        self.start()
        self.answers = [self.post(0, b'', 8, 0x4000 + 64 * i) for i in range(8)]
        self.seen = 0
        self.w(0x50, 0)

    def event(self):
        """Type, code, value."""
        self.wait(0)
        return self.take()

    def events(self):
        """All that are there."""
        out = []
        while self.used(0) is not None:
            out.append(self.take())
        return out

    def take(self):
        import struct
        i = self.seen % 8
        e = struct.unpack('<HHi', self.read(self.answers[i], 8))
        self.answers[i] = self.post(0, b'', 8, 0x4000 + 64 * i)
        self.w(0x50, 0)
        self.seen += 1
        return e
