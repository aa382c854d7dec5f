#!/usr/bin/env python3
# VNC clients that watch four CPUs draw and change the picture's size and depth all the time
# (tests/guest/x86/drawing.S), on tcg and KVM: whenever the machine is stopped, each shows what
# screendump does.
import os, subprocess, sys, threading
sys.path.insert(0, os.path.join(os.environ['srcdir'], 'tests/display'))
sys.dont_write_bytecode = True
from guest import *
import rfb

UPDATES = int(os.environ.get('MYNA_UPDATES', '12'))
ENCODINGS = (rfb.RAW, rfb.HEXTILE, rfb.ZLIB, rfb.TIGHT, rfb.ZRLE)
source = os.path.join(os.environ['srcdir'], 'tests/guest/x86/drawing.S')
work = tempfile.mkdtemp()
image = os.path.join(work, 'drawing.bin')
build = f'${{CC:-gcc}} -m32 -c -o {image}.o {source} && ld -m elf_i386 -Ttext=0 -e start --oformat binary -o {image} {image}.o'
if subprocess.run(['sh', '-c', build], capture_output=True).returncode:
    shutil.rmtree(work)
    skip_all('no assembler for i386')
t = Tap()


class Watcher(threading.Thread):
    """Takes so many updates, moving the pointer and typing in between."""
    def __init__(self, client, updates):
        super().__init__()
        self.c, self.updates, self.why = client, updates, ''

    def run(self):
        try:
            for i in range(self.updates):
                self.c.request(i % 4 != 0)
                self.c.point(i * 7 % 320, i * 5 % 100)
                self.c.key(0x61, not i & 1)
                self.c.update()
        except Exception as e:
            self.why = repr(e)


def shows(c, m):
    """Without a pause: nothing changes any more, but updates of before may be on their way."""
    for _ in range(20):
        c.request(False)
        c.update()
        if c.ppm() == m.screendump():
            return True
    return False


def case(accel):
    said = os.path.join(work, 'said')
    m = Machine('-arch', 'x86_64', '-M', 'pc', '-m', '32M', '-smp', '4', '-accel', accel, '-bios', image, '-device', 'VGA',
                '-vnc', 'unix:{dir}/vnc', '-chardev', f'file,id=d,path={said}', '-device',
                'isa-debugcon,iobase=0xe9,chardev=d', cpus=True)
    try:
        for i, enc in enumerate(ENCODINGS):
            clients = []
            for other in (enc, ENCODINGS[i - 1]):
                c = rfb.Client.unix(m.path('vnc'))
                c.sock.settimeout(120)
                c.handshake()
                c.set_encodings([other, rfb.EXT_SIZE])
                clients.append(c)
            watchers = [Watcher(c, UPDATES) for c in clients]
            for w in watchers:
                w.start()
            while any(w.is_alive() for w in watchers):
                m.hmp('info registers -a')
                m.screendump()
            for w in watchers:
                w.join()
            m.qmp('stop')
            t.ok(not any(w.why for w in watchers) and all(shows(c, m) for c in clients),
                 f'{accel}: what was drawn is seen, encoding {enc}', ' '.join(w.why for w in watchers))
            for c in clients:
                c.close()
            m.qmp('cont')
        with open(said) as f:
            t.equal(''.join(sorted(set(f.read().strip('\0')))), '0123', f'{accel}: all CPUs draw')
    finally:
        rc, err = m.stop()
    t.ok(rc in (0, -15) and 'Sanitizer' not in err, f'{accel}: the program ends in peace', f'{rc} {err}')


case('tcg')
if os.access('/dev/kvm', os.R_OK | os.W_OK):
    case('kvm')
shutil.rmtree(work)
t.done()
