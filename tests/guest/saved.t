#!/usr/bin/env python3
# Machines are stopped, saved, and go on in another process, over and over, and nothing is lost: of the
# interrupts, NMIs and ticks that four busy CPUs have on their way (tests/guest/x86/busy.S), and of all
# registers that there are, AVX-512's, kvmclock's and the APIC's among them, as far as the host has
# them (tests/guest/x86/state.S). On the translator, and on KVM, where there is one, wherever interrupt
# controllers are. State and memory go by -qtest.
import os, subprocess, sys, tempfile, time
top = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')
sys.path.insert(0, os.path.join(top, 'tests/display'))
sys.dont_write_bytecode = True
from guest import *

ROUNDS = int(os.environ.get('MYNA_ROUNDS', 4))
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


def all_come(said):
    if set('XY') & set(said):
        raise RuntimeError(f'a register or the time is wrong: {said[-40:]}')
    return set(said) == set('0123ABCDabcd')


def counts_agree(m):
    """See busy.S; the machine is stopped."""
    cpu = [m.words(0x600 + 64 * n, 6) for n in range(4)]
    loops = sum(c[5] for c in cpu) - m.words(0x500, 1)[0]
    late = [cpu[n][1 + k] - cpu[(n + 1) % 4][k] for n in range(4) for k in (0, 2)]
    if not 0 <= loops <= 4 or not set(late) <= {0, 1}:
        raise RuntimeError(f'{loops} loops and {late} interrupts too many or too few')


def busy(accel):
    image, args = images['busy'], ('-smp', '4')
    m = Pc(image, accel, *args)
    why = ''
    try:
        m.qmp('cont')
        for i in range(ROUNDS):
            m.await_said(all_come)
            m = moved(m, image, accel, *args)
        m.await_said(all_come)
        m.qmp('stop')
        counts_agree(m)
    except RuntimeError as e:
        why = e
    m.stop()
    t.ok(not why, f'{accel}: four busy CPUs lose nothing in {ROUNDS} processes', why)


def looks(said):
    """See state.S: it looked at its registers, and found them."""
    if 'lost' in said or said.count('set') > 1:
        raise RuntimeError(f'it says {said[-40:]!r}')
    return '..' in said


def registers(accel):
    image, args = images['state'], ('-cpu', 'max')
    m = Pc(image, accel, *args)
    why = kinds = ''
    try:
        m.qmp('cont')
        m.await_said(looks)
        kinds = m.said().split()[1]
        for i in range(ROUNDS):
            m = moved(m, image, accel, *args)
            m.await_said(lambda said: looks('set' + said))
    except RuntimeError as e:
        why = e
    m.stop()
    names = {'a': 'AVX', 'z': 'AVX-512', 'k': 'kvmclock', 'd': 'the deadline'}
    has = [names[k] for k in kinds] + ['what each has']
    t.ok(not why, f'{accel}: registers stay in {ROUNDS} processes: {", ".join(has)}', why)


images = {name: build(name) for name in ('busy', 'state')}
accels = ['tcg']
if os.uname().machine == 'x86_64' and os.access('/dev/kvm', os.R_OK | os.W_OK):
    accels += ['kvm,kernel-irqchip=' + place for place in ('split', 'on', 'off')]
for accel in accels:
    busy(accel)
    registers(accel)
shutil.rmtree(work)
t.done()
