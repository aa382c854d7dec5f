#!/usr/bin/env python3
# Machines are stopped, looked at, and saved to go on in another process in the middle of REP INSB and REP OUTSB, and no
# byte is lost or comes twice (tests/guest/x86/strings.S).
import os, re, sys
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from machines import *

SIZE = 0x1400
STOPS = int(os.environ.get('MYNA_STOPS', 12))
MOVES = int(os.environ.get('MYNA_ROUNDS', 3))


def in_turn(said, done, pattern):
    """What was said goes on with the pattern behind @done bytes; how many there are now."""
    expected = pattern[done % SIZE:] + pattern * (len(said) // SIZE + 1)
    if said != expected[:len(said)]:
        wrong = next(i for i, (a, b) in enumerate(zip(said, expected)) if a != b)
        raise RuntimeError(f'byte {wrong} behind {done} is {said[wrong]:#x}, not {expected[wrong]:#x}')
    return done + len(said)


def more(m, n):
    """Waits until @n more bytes were said."""
    start, end = len(m.said_bytes()), time.time() + PATIENCE
    while len(m.said_bytes()) < start + n:
        if time.time() > end or m.qmp('query-status')['status'] != 'running':
            raise RuntimeError(f'it has ended, or hangs; {m.stderr()[-2000:]}')
        time.sleep(0.005)


def all_said(m):
    """What a machine that stands has said: bytes are gathered for some milliseconds."""
    before, said = None, m.said_bytes()
    while said != before:
        time.sleep(0.05)
        before, said = said, m.said_bytes()
    return said


def strings(accel):
    args = ('-device', 'isa-debug-exit,iobase=0x501')
    m = Pc(image, accel, *args)
    why, done, inside = '', 0, 0
    try:
        m.qmp('cont')
        more(m, SIZE)
        pattern = m.said_bytes()[:SIZE]
        for k in range(STOPS * (MOVES + 1)):
            more(m, 1 + 997 * (k % 7))
            m.qmp('stop')
            inside += int(re.search('ECX=0000([0-9a-f]{4})', m.hmp('info registers'))[1], 16) % SIZE != 0
            if k % STOPS == STOPS - 1:
                done = in_turn(all_said(m), done, pattern)
                m = moved(m, image, accel, *args)
            else:
                m.qmp('cont')
        more(m, 2 * SIZE)
        m.qmp('stop')
        in_turn(all_said(m), done, pattern)
    except RuntimeError as e:
        why = e
    m.stop()
    t.ok(not why, f'{accel}: no byte is lost in {MOVES + 2} processes', why)
    print(f'# stopped {inside} times of {STOPS * (MOVES + 1)} within a string')


image = build('strings')
for accel in accels[:1] + ['interp'] + accels[1:]:
    strings(accel)
shutil.rmtree(work)
t.done()
