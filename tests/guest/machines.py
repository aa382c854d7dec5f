"""PCs with a BIOS image of tests/guest/x86 that go on in another process: state and memory go by -qtest."""
import os, subprocess, sys, tempfile, time
top = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')
sys.path.insert(0, os.path.join(top, 'tests/display'))
sys.dont_write_bytecode = True
from guest import *

PATIENCE = 60
LOW = 0x80000  # memory that the guests use, from 0 on
work = tempfile.mkdtemp()
t = Tap()


def build(name):
    source, obj, image = f'{top}/tests/guest/x86/{name}.S', f'{work}/{name}.o', f'{work}/{name}.bin'
    cc = os.environ.get('CC', 'gcc').split()
    for line in (cc + ['-m32', '-c', '-o', obj, source],
                 ['ld', '-m', 'elf_i386', '-Ttext=0', '-e', 'start', '--oformat', 'binary', '-o', image, obj]):
        if subprocess.run(line, stderr=subprocess.DEVNULL).returncode:
            skip_all('no assembler for i386')
    return image


class Pc(Machine):
    def __init__(self, image, accel, *args):
        super().__init__('-arch', 'x86_64', '-M', 'pc', '-m', '32M', '-accel', accel, '-bios', image, '-S',
                         '-display', 'none', '-chardev', 'file,id=d,path={dir}/said', '-device',
                         'isa-debugcon,iobase=0xe9,chardev=d', '-qtest', 'unix:{dir}/qtest,server=on,wait=off',
                         *args, cpus=True)
        self.t = self.open('qtest').makefile('rw')

    def said(self):
        with open(self.path('said')) as f:
            return f.read()

    def said_bytes(self):
        with open(self.path('said'), 'rb') as f:
            return f.read()

    def await_said(self, done, start=0):
        end = time.time() + PATIENCE
        while not done(self.said()[start:]):
            if time.time() > end or self.qmp('query-status')['status'] != 'running':
                raise RuntimeError(f'it said {self.said()[-100:]!r}; {self.stderr()[-2000:]}')
            time.sleep(0.02)

    def words(self, at, n):
        data = bytes.fromhex(self.qtest(f'read {at:#x} {4 * n:#x}')[2:])
        return [int.from_bytes(data[4 * i:4 * i + 4], 'little') for i in range(n)]


def moved(a, image, accel, *args):
    """The machine in another process; the old one ends."""
    a.qmp('stop')
    state, memory = a.qtest('savestate'), a.qtest(f'b64read 0 {LOW:#x}')
    b = Pc(image, accel, *args)
    b.qtest(f'b64write 0 {LOW:#x} {memory}')
    b.qtest('loadstate ' + state)
    a.stop()
    b.qmp('cont')
    return b


accels = ['tcg']  # those that there are
if os.uname().machine == 'x86_64' and os.access('/dev/kvm', os.R_OK | os.W_OK):
    accels += ['kvm,kernel-irqchip=' + place for place in ('split', 'on', 'off')]
