#!/usr/bin/env python3
# Machines are stopped, saved, and go on in another process, over and over, and nothing is lost: of the
# interrupts, NMIs and ticks that four busy CPUs have on their way (tests/guest/x86/busy.S), and of all
# registers that there are, AVX-512's, kvmclock's and the APIC's among them, as far as the host has
# them (tests/guest/x86/state.S). On the translator, and on KVM, where there is one, wherever interrupt
# controllers are. State and memory go by -qtest.
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from machines import *

ROUNDS = int(os.environ.get('MYNA_ROUNDS', 4))


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
for accel in accels:
    busy(accel)
    registers(accel)
shutil.rmtree(work)
t.done()
