#!/usr/bin/env python3
# Debian's riscv64 kernel draws its console on a virtio GPU, as PCI card and as MMIO device, and
# takes keys from a virtio keyboard: what is typed there colours the screen.
# MYNA_SHOTS=DIR keeps pictures to look at.
import os, shutil, subprocess, sys, time
sys.path.insert(0, os.path.join(os.environ['srcdir'], 'tests/display'))
sys.dont_write_bytecode = True
from guest import *

SLOW = int(os.environ.get('MYNA_TEST_SLOW', 1))
SHOTS = os.environ.get('MYNA_SHOTS')
BLUE, BLACK = b'\0\0\xaa', b'\0\0\0'
fetch = [os.path.join(os.environ['srcdir'], 'scripts/fetch-guest')]
if os.environ.get('MYNA_TEST_OFFLINE'):
    fetch.append('--offline')
p = subprocess.run(fetch + ['riscv64-all'], capture_output=True, text=True)
if p.returncode:
    skip_all((p.stderr.strip().split('\n') or [''])[-1])
guest = p.stdout.strip().split(' ')[-1]
t = Tap()


def until(what, seconds):
    end = time.time() + seconds * SLOW
    while not what() and time.time() < end:
        time.sleep(0.5)
    return what()


for gpu, keyboard in (('virtio-gpu-pci', 'virtio-keyboard-pci'), ('virtio-gpu-device', 'virtio-keyboard-device')):
    m = Machine('-arch', 'riscv64', '-M', 'virt', '-accel', 'tcg', '-m', '512M', '-kernel', guest + '/Image',
                '-initrd', guest + '/initrd.gz', '-append', 'console=ttyS0 console=tty0 quiet', '-serial', 'null', '-device',
                gpu + ',xres=800,yres=480', '-device', keyboard, cpus=True)

    def screen():
        """Its size, and the pixels."""
        _, size, _, pixels = m.screendump().split(b'\n', 3)
        return tuple(map(int, size.split())), pixels

    def colour(pixels, rgb):
        """The part of the screen that has it."""
        return sum(pixels[i:i + 3] == rgb for i in range(0, len(pixels), 3)) * 3 / len(pixels)

    def press(*keys):
        m.qmp('send-key', keys=[{'type': 'qcode', 'data': k} for k in keys], **{'hold-time': 20})
        time.sleep(0.05 * SLOW)

    def drawn():
        size, pixels = screen()
        return size == (800, 480) and 0.5 < colour(pixels, BLACK) < 0.999

    t.ok(until(drawn, 120), f'{gpu}: the console comes up in the size that the screen likes', screen()[0])
    time.sleep(3 * SLOW)  # the shell
    if SHOTS:
        m.qmp('screendump', filename=os.path.join(SHOTS, gpu + '.png'), format='png')
    codes = {' ': ('spc',), '\\': ('backslash',), '[': ('bracket_left',), ';': ('semicolon',), "'": ('apostrophe',),
             '\n': ('ret',), 'J': ('shift', 'j')}
    for c in "printf '\\033[44m\\033[2J'\n":
        press(*codes.get(c, (c,)))
    t.ok(until(lambda: colour(screen()[1], BLUE) > 0.9, 30), f'{gpu}: what {keyboard} types colours it',
         colour(screen()[1], BLUE))
    if SHOTS:
        m.qmp('screendump', filename=os.path.join(SHOTS, gpu + '-typed.png'), format='png')
    rc, err = m.stop()
    t.ok(rc == 0 and 'Sanitizer' not in err, f'{gpu}: without complaints', err)
t.done()
