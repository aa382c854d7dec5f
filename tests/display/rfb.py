"""An RFB client for tests: RFC 6143 and rfbproto, every encoding decoded, nothing left out.

    c = Client.unix('/tmp/sock'); c.handshake(); c.set_encodings([16]); c.request(False); c.update()
    c.pixels is a bytearray of width * height * 3 bytes, R G B
"""
import base64, os, socket, ssl, struct, zlib

RAW, HEXTILE, ZLIB, TIGHT, ZRLE = 0, 5, 6, 7, 16
DESKTOP_SIZE, CURSOR, POINTER_TYPE, EXT_KEY, LED = -223, -239, -257, -258, -261
NAME, EXT_SIZE, ALPHA_CURSOR, XVP = -307, -308, -314, -309
CLIPBOARD = struct.unpack('>i', struct.pack('>I', 0xc0a1e5ce))[0]


class Closed(Exception):
    pass


def des_key(password):
    raw = password.encode()[:8].ljust(8, b'\0')
    return bytes(int(f'{b:08b}'[::-1], 2) for b in raw)


def vnc_reply(password, challenge):
    """By openssl: an implementation that has nothing to do with ours."""
    import subprocess
    key = des_key(password).hex()
    for extra in (['-provider', 'legacy', '-provider', 'default'], []):
        p = subprocess.run(['openssl', 'enc', '-des-ecb', '-nopad', '-K', key] + extra, input=challenge,
                           capture_output=True)
        if p.returncode == 0 and len(p.stdout) == 16:
            return p.stdout
    raise RuntimeError('no DES')


class Client:
    def __init__(self, sock):
        self.sock, self.buf = sock, b''
        self.bytes_in = 0
        self.format = None
        self.z = {}
        self.cursor = self.led = self.pointer = self.name = self.ext_key = self.screens = None
        self.size_reason = None
        self.clip = []
        self.encodings_seen = {}

    @classmethod
    def unix(cls, path):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(30)
        s.connect(path)
        return cls(s)

    @classmethod
    def tcp(cls, port, host='127.0.0.1'):
        return cls(socket.create_connection((host, port), 30))

    def read(self, n):
        while len(self.buf) < n:
            d = self.sock.recv(65536)
            if not d:
                raise Closed()
            self.bytes_in += len(d)
            self.buf += d
        r, self.buf = self.buf[:n], self.buf[n:]
        return r

    def unpack(self, fmt):
        return struct.unpack('>' + fmt, self.read(struct.calcsize('>' + fmt)))

    def send(self, data):
        self.sock.sendall(data)

    # ---- handshake ----
    def handshake(self, version=b'RFB 003.008\n', password=None, shared=True, tls=None):
        assert self.read(12) == b'RFB 003.008\n'
        self.send(version)
        minor = int(version[8:11])
        minor = 8 if minor >= 8 else 7 if minor == 7 else 3
        if minor == 3:
            t, = self.unpack('I')
            if t == 0:
                raise Closed(self.reason())
        else:
            n, = self.unpack('B')
            types = self.read(n)
            t = types[0]
            self.security = t
            self.send(bytes([t]))
        if t == 19:
            assert self.read(2) == b'\0\2'
            self.send(b'\0\2')
            assert self.read(1) == b'\0'
            n, = self.unpack('B')
            sub = self.unpack(f'{n}I')[0]
            self.subtype = sub
            self.send(struct.pack('>I', sub))
            assert self.read(1) == b'\1'
            self.sock = tls.wrap_socket(self.sock)
            t = 2 if sub in (258, 261) else 1
            if t == 2:
                self.auth(password, minor)
            elif minor >= 8:
                assert self.unpack('I') == (0,)
        elif t == 2:
            self.auth(password, minor)
        elif minor >= 8:
            assert self.unpack('I') == (0,)
        self.send(bytes([1 if shared else 0]))
        self.width, self.height = self.unpack('HH')
        self.read_format()
        n, = self.unpack('I')
        self.name = self.read(n).decode()
        self.pixels = bytearray(self.width * self.height * 3)

    def reason(self):
        n, = self.unpack('I')
        return self.read(n).decode()

    def auth(self, password, minor=8):
        self.send(vnc_reply(password, self.read(16)))
        r, = self.unpack('I')
        if r:
            raise PermissionError(self.reason() if minor >= 8 else '')

    def read_format(self):
        bpp, depth, big, true, *rest = self.unpack('BBBBHHHBBBxxx')
        self.set_format_fields(bpp, depth, big, rest[:3], rest[3:])

    def set_format_fields(self, bpp, depth, big, maxes, shifts):
        self.bpp, self.depth, self.big, self.max, self.shift = bpp, depth, big, list(maxes), list(shifts)

    def set_format(self, bpp, depth, big, maxes, shifts):
        self.send(struct.pack('>BxxxBBBBHHHBBBxxx', 0, bpp, depth, big, 1, *maxes, *shifts))
        self.set_format_fields(bpp, depth, big, maxes, shifts)

    def set_encodings(self, encs):
        self.send(struct.pack(f'>BxH{len(encs)}i', 2, len(encs), *encs))

    def request(self, incremental=True, x=0, y=0, w=None, h=None):
        self.send(struct.pack('>BBHHHH', 3, incremental, x, y, w or self.width, h or self.height))

    def key(self, keysym, down):
        self.send(struct.pack('>BBxxI', 4, down, keysym))

    def ext_key_event(self, keysym, code, down):
        self.send(struct.pack('>BBHII', 255, 0, down, keysym, code))

    def point(self, x, y, buttons=0):
        self.send(struct.pack('>BBHH', 5, buttons, x, y))

    def cut(self, text):
        self.send(struct.pack('>BxxxI', 6, len(text)) + text)

    def set_size(self, w, h):
        self.send(struct.pack('>BxHHBxIHHHHI', 251, w, h, 1, 0, 0, 0, w, h, 0))

    # ---- pixels ----
    def rgb(self, v):
        out = []
        for m, s in zip(self.max, self.shift):
            c = v >> s & m
            bits = m.bit_length()
            out.append(c if bits == 8 else c * 255 // m)
        return bytes(out)

    def value(self, raw):
        return int.from_bytes(raw, 'big' if self.big else 'little')

    def pixel(self):
        return self.rgb(self.value(self.read(self.bpp // 8)))

    def px_of(self, data, i, n):
        return self.rgb(self.value(data[i * n:(i + 1) * n]))

    def compact(self):
        used = 0
        for m, s in zip(self.max, self.shift):
            used |= m << s
        return self.bpp == 32 and self.depth <= 24 and (used < 1 << 24 or used & 0xff == 0), used >> 24 != 0

    def cpx(self, data):
        ok, high = self.compact()
        if not ok:
            return self.rgb(self.value(data))
        if self.big:
            full = data + b'\0' if high else b'\0' + data
        else:
            full = b'\0' + data if high else data + b'\0'
        return self.rgb(self.value(full))

    def cpx_size(self):
        return 3 if self.compact()[0] else self.bpp // 8

    def tpx_size(self):
        return 3 if self.bpp == 32 and self.depth == 24 and self.max == [255] * 3 else self.bpp // 8

    def tpx(self, data):
        return bytes(data) if self.tpx_size() == 3 and self.bpp == 32 else self.rgb(self.value(data))

    def put(self, x, y, rgb):
        at = (y * self.width + x) * 3
        self.pixels[at:at + 3] = rgb

    def fill(self, x, y, w, h, rgb):
        for j in range(y, y + h):
            at = (j * self.width + x) * 3
            self.pixels[at:at + 3 * w] = rgb * w

    def put_row(self, x, y, row):
        at = (y * self.width + x) * 3
        self.pixels[at:at + len(row)] = row

    def rows_native(self, data, x, y, w, h):
        n = self.bpp // 8
        if n == 4 and self.max == [255] * 3 and self.shift == [16, 8, 0] and not self.big:
            for j in range(h):
                row = data[j * w * 4:(j + 1) * w * 4]
                out = bytearray(3 * w)
                out[0::3], out[1::3], out[2::3] = row[2::4], row[1::4], row[0::4]
                self.put_row(x, y + j, out)
            return
        for j in range(h):
            self.put_row(x, y + j, b''.join(self.px_of(data, j * w + i, n) for i in range(w)))

    # ---- encodings ----
    def inflate(self, stream, data):
        d = self.z.setdefault(stream, zlib.decompressobj())
        return d.decompress(data)

    def rect(self, x, y, w, h, enc):
        n = self.bpp // 8
        self.encodings_seen[enc] = self.encodings_seen.get(enc, 0) + 1
        if enc == RAW:
            self.rows_native(self.read(w * h * n), x, y, w, h)
        elif enc == ZLIB:
            size, = self.unpack('I')
            self.rows_native(self.inflate('zlib', self.read(size)), x, y, w, h)
        elif enc == HEXTILE:
            self.hextile(x, y, w, h)
        elif enc == ZRLE:
            size, = self.unpack('I')
            self.zrle(self.inflate('zrle', self.read(size)), x, y, w, h)
        elif enc == TIGHT:
            self.tight(x, y, w, h)
        elif enc == DESKTOP_SIZE:
            self.resize(w, h)
        elif enc == EXT_SIZE:
            k, = self.unpack('Bxxx')
            self.screens = [self.unpack('IHHHHI') for _ in range(k)]
            self.size_reason = (x, y)
            self.resize(w, h)
        elif enc == CURSOR:
            px = [self.pixel() for _ in range(w * h)]
            mask = self.read((w + 7) // 8 * h)
            self.cursor = (x, y, w, h, px, mask)
        elif enc == ALPHA_CURSOR:
            assert self.unpack('i') == (RAW,)
            self.cursor = (x, y, w, h, self.read(4 * w * h), None)
        elif enc == POINTER_TYPE:
            self.pointer = x
        elif enc == EXT_KEY:
            self.ext_key = True
        elif enc == LED:
            self.led, = self.unpack('B')
        elif enc == NAME:
            k, = self.unpack('I')
            self.name = self.read(k).decode()
        else:
            raise AssertionError(f'encoding {enc}')

    def resize(self, w, h):
        if (w, h) != (self.width, self.height):
            self.width, self.height = w, h
            self.pixels = bytearray(w * h * 3)

    def hextile(self, x, y, w, h):
        back = fore = None
        for ty in range(y, y + h, 16):
            for tx in range(x, x + w, 16):
                tw, th = min(16, x + w - tx), min(16, y + h - ty)
                f, = self.unpack('B')
                if f & 1:
                    self.rows_native(self.read(tw * th * self.bpp // 8), tx, ty, tw, th)
                    back = fore = None
                    continue
                if f & 2:
                    back = self.pixel()
                if f & 4:
                    fore = self.pixel()
                self.fill(tx, ty, tw, th, back)
                if f & 8:
                    for _ in range(self.unpack('B')[0]):
                        c = self.pixel() if f & 16 else fore
                        xy, wh = self.unpack('BB')
                        assert (xy >> 4) + (wh >> 4) < tw and (xy & 15) + (wh & 15) < th
                        self.fill(tx + (xy >> 4), ty + (xy & 15), (wh >> 4) + 1, (wh & 15) + 1, c)
                    if f & 16:
                        fore = None

    def zrle(self, d, x, y, w, h):
        at, cs = 0, self.cpx_size()

        def take(n):
            nonlocal at
            at += n
            assert at <= len(d)
            return d[at - n:at]

        def length():
            n = 1
            while True:
                b = take(1)[0]
                n += b
                if b != 255:
                    return n
        for ty in range(y, y + h, 64):
            for tx in range(x, x + w, 64):
                tw, th = min(64, x + w - tx), min(64, y + h - ty)
                sub = take(1)[0]
                px = []
                if sub == 0:
                    px = [self.cpx(take(cs)) for _ in range(tw * th)]
                elif sub == 1:
                    px = [self.cpx(take(cs))] * (tw * th)
                elif sub <= 16:
                    pal = [self.cpx(take(cs)) for _ in range(sub)]
                    bits = 1 if sub == 2 else 2 if sub <= 4 else 4
                    for _ in range(th):
                        row = take((tw * bits + 7) // 8)
                        v = int.from_bytes(row, 'big')
                        total = len(row) * 8
                        px += [pal[v >> (total - (i + 1) * bits) & (1 << bits) - 1] for i in range(tw)]
                elif sub == 128:
                    while len(px) < tw * th:
                        c = self.cpx(take(cs))
                        px += [c] * length()
                else:
                    assert sub >= 130
                    pal = [self.cpx(take(cs)) for _ in range(sub - 128)]
                    while len(px) < tw * th:
                        i = take(1)[0]
                        px += [pal[i & 127]] * (length() if i & 128 else 1)
                assert len(px) == tw * th
                for j in range(th):
                    self.put_row(tx, ty + j, b''.join(px[j * tw:(j + 1) * tw]))
        assert at == len(d)

    def tight_len(self):
        n = 0
        for i in range(3):
            b, = self.unpack('B')
            n |= (b & (0x7f if i < 2 else 0xff)) << 7 * i
            if i == 2 or not b & 0x80:
                return n

    def tight_data(self, stream, size):
        if size < 12:
            return self.read(size)
        d = self.inflate(('tight', stream), self.read(self.tight_len()))
        assert len(d) == size, (len(d), size)
        return d

    def tight(self, x, y, w, h):
        ctl, = self.unpack('B')
        ts = self.tpx_size()
        for s in range(4):
            if ctl >> s & 1:
                self.z.pop(('tight', s), None)
        ctl >>= 4
        if ctl == 8:
            self.fill(x, y, w, h, self.tpx(self.read(ts)))
        elif ctl == 9:
            from subprocess import run
            data = self.read(self.tight_len())
            assert data[:2] == b'\xff\xd8'
            ppm = run(['convert', 'jpeg:-', '-depth', '8', 'ppm:-'], input=data, capture_output=True).stdout
            head = f'P6\n{w} {h}\n255\n'.encode()
            assert ppm.startswith(head), ppm[:20]
            for j in range(h):
                self.put_row(x, y + j, ppm[len(head) + 3 * w * j:len(head) + 3 * w * (j + 1)])
        else:
            stream, filt = ctl & 3, 0
            if ctl & 4:
                filt, = self.unpack('B')
            if filt == 0:
                d = self.tight_data(stream, w * h * ts)
                for j in range(h):
                    self.put_row(x, y + j, b''.join(self.tpx(d[(j * w + i) * ts:(j * w + i + 1) * ts])
                                                    for i in range(w)) if ts != 3 else d[3 * w * j:3 * w * (j + 1)])
            else:
                assert filt == 1
                k = self.unpack('B')[0] + 1
                pal = [self.tpx(self.read(ts)) for _ in range(k)]
                if k == 2:
                    bw = (w + 7) // 8
                    d = self.tight_data(stream, bw * h)
                    for j in range(h):
                        self.put_row(x, y + j, b''.join(pal[d[j * bw + i // 8] >> (7 - i % 8) & 1] for i in range(w)))
                else:
                    d = self.tight_data(stream, w * h)
                    for j in range(h):
                        self.put_row(x, y + j, b''.join(pal[b] for b in d[j * w:(j + 1) * w]))

    # ---- messages ----
    def message(self):
        """One message of the server; its type."""
        t, = self.unpack('B')
        if t == 0:
            n, = self.unpack('xH')
            for _ in range(n):
                self.rect(*self.unpack('HHHHi'))
        elif t == 3:
            n, = self.unpack('xxxi')
            if n >= 0:
                self.clip.append(self.read(n).decode('latin-1'))
            else:
                flags, = self.unpack('I')
                self.clip.append((flags, self.read(-n - 4)))
        elif t == 250:
            self.xvp = self.unpack('xBB')
        elif t != 2:
            raise AssertionError(f'message {t}')
        return t

    def update(self):
        while self.message() != 0:
            pass

    def ppm(self):
        return f'P6\n{self.width} {self.height}\n255\n'.encode() + bytes(self.pixels)

    def close(self):
        self.sock.close()


class WebSocket:
    """A socket's look over RFC 6455."""
    def __init__(self, sock, host='localhost'):
        self.sock, self.buf, self.raw = sock, b'', b''
        key = base64.b64encode(os.urandom(16)).decode()
        sock.sendall(f'GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n'
                     f'Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n\r\n'
                     .encode())
        while b'\r\n\r\n' not in self.raw:
            d = sock.recv(4096)
            if not d:
                raise Closed()
            self.raw += d
        head, self.raw = self.raw.split(b'\r\n\r\n', 1)
        import hashlib
        want = base64.b64encode(hashlib.sha1((key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode()).digest())
        assert b' 101 ' in head.split(b'\r\n')[0] and b'Sec-WebSocket-Accept: ' + want in head, head

    def frame(self, data, op=2):
        n = len(data)
        head = bytes([0x80 | op]) + (bytes([0x80 | n]) if n < 126 else b'\xfe' + struct.pack('>H', n) if n < 65536
                                     else b'\xff' + struct.pack('>Q', n))
        mask = os.urandom(4)
        self.sock.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def sendall(self, data):
        self.frame(data)

    def recv(self, n):
        while True:
            if len(self.raw) >= 2:
                ln, at = self.raw[1], 2
                assert not ln & 0x80
                if ln == 126 and len(self.raw) >= 4:
                    ln, at = struct.unpack('>H', self.raw[2:4])[0], 4
                elif ln == 127 and len(self.raw) >= 10:
                    ln, at = struct.unpack('>Q', self.raw[2:10])[0], 10
                elif ln >= 126:
                    ln = 1 << 60
                if len(self.raw) >= at + ln:
                    op, data, self.raw = self.raw[0] & 15, self.raw[at:at + ln], self.raw[at + ln:]
                    if op == 2:
                        return data
                    if op == 10:
                        self.pong = data
                        continue
                    if op == 8:
                        return b''
            d = self.sock.recv(65536)
            if not d:
                return b''
            self.raw += d

    def close(self):
        self.sock.close()
