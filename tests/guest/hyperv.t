#!/usr/bin/env python3
# A guest uses Hyper-V's interface (tests/guest/x86/hyperv.S), where the host's KVM has it, and what it set in the
# model-specific registers is there in another process. On tcg the options are taken and there is none.
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from machines import *

FEATURES = ('relaxed', 'vapic', 'vpindex', 'runtime', 'synic', 'stimer', 'time', 'reset', 'frequencies', 'tlbflush', 'ipi')
MSRS = {0x40000000: 0x1234, 0x40000001: 0x9001, 0x40000021: 0xa001, 0x40000080: 1, 0x40000083: 0xb001,
        0x40000091: 0x10000, 0x40000092: 0x50, 0x400000b0: 0x20008, 0x400000b2: 0x20003, 0x400000b3: 0x7fffffff}
ARGS = ('-smp', '2', '-cpu', 'qemu64,hv_spinlocks=0x1fff,' + ','.join('hv_' + f for f in FEATURES),
        '-serial', 'unix:{dir}/serial,server=on,wait=off')


def ended(said):
    return said == 'none\n' or said.endswith('set\n')


def uses(accel):
    m = Pc(image, accel, *ARGS)
    why = ''
    try:
        m.qmp('cont')
        m.await_said(ended)
        said = m.said()
        if said == 'none\n':
            m.stop()
            t.ok(True, f'{accel}: # SKIP no Hyper-V interface here')
            return
        lines = said.splitlines()[7:]
        if lines != ['page', 'counter', 'reference', 'index 00000001 ', 'timer', 'set']:
            raise RuntimeError(f'it says {lines}')
        m = moved(m, image, accel, *ARGS)
        serial = m.open('serial')
        serial.sendall(b'x')
        m.await_said(lambda said: said.count('\n') == len(MSRS))
        found = {int(a, 16): int(b + c, 16) for a, b, c in (line.split() for line in m.said().splitlines())}
        if found != MSRS:
            raise RuntimeError(f'it found {m.said()}')
    except (RuntimeError, OSError, KeyError) as e:
        why = e
    m.stop()
    t.ok(not why, f'{accel}: pages, counter, VP index, timer; and MSRs in another process', why)


image = build('hyperv')
uses('tcg')
for accel in accels[1:3]:
    uses(accel)
shutil.rmtree(work)
t.done()
