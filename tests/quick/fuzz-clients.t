#!/usr/bin/env python3
# Whoever can connect can say anything: commands of QMP after its own schema with arguments that mostly
# fit, lines for the human monitor, packets of gdb, lines of qtest, bytes on sockets of chardevs. What
# it is answered does not matter; the program goes on, and is in order for the next one.
# MYNA_SEED repeats a run, MYNA_COUNT makes it longer.
import os, random, shutil, sys, tempfile, time
sys.path.insert(0, os.path.join(os.environ['srcdir'], 'tests/display'))
sys.dont_write_bytecode = True
from guest import *

t = Tap()
seed = int(os.environ.get('MYNA_SEED', random.randrange(1 << 30)))
count = int(os.environ.get('MYNA_COUNT', 150))
print(f'# MYNA_SEED={seed}', flush=True)
rnd = random.Random(seed)
home = tempfile.mkdtemp()
os.chdir(home)


def finish(m, name):
    rc, err = m.stop()
    t.ok(rc in (0, -15) and 'Sanitizer' not in err and 'runtime error' not in err, name,
         f'MYNA_SEED={seed}: {rc}\n{err[-3000:]}')


def number():
    return rnd.choice((0, 1, -1, 2, 7, 100, 4096, 65536, 1 << 31, (1 << 32) - 1, 1 << 63, (1 << 63) - 1, -(1 << 63),
                       rnd.randrange(300), rnd.getrandbits(32), rnd.getrandbits(64)))


# ---- QMP by its schema, HMP ----

NAMES = ['d0', 'c0', 'n0', 'x0', 'x1', 'ide0-cd0', 'serial0', 'mon0', 'rom', 'obj0', 'compat_monitor0']
TEXTS = ['', 'x', '/dev/null', '/nonexistent/x', 'on', 'off', '0', '-1', '4G', 'tcp:0', 'a=b,c=d', ',,', '%s%n', 'ä€𝄞',
         'x' * 5000, '/machine', '/machine/peripheral', '../x', 'unix:x', '::', 'null', '{', '\\', '\'', '\t']
HMP = ['x /{n}{f} {n}', 'xp /{n}{f} {n}', 'i /{f} {n}', 'o /{f} {n} {n}', 'print {n}+{n}*({n})', 'info {w}', 'log {w}',
       'sendkey {w}-{w} {n}', 'mouse_move {n} {n} {n}', 'mouse_button {n}', 'mouse_set {n}', 'device_add {w},id={w}',
       'device_del {w}', 'eject -f {w}', 'change {w} {w}', 'chardev-add {w},id={w}', 'chardev-remove {w}', 'set_link {w} on',
       'screendump {w}', 'watchdog_action {w}', 'nmi', 'stop', 'cont', 'help {w}', 'info {w} {w}', 'cpu {n}',
       'ringbuf_read {w} {n}', 'ringbuf_write {w} {w}', 'system_reset', 'object_add {w},id={w}', 'object_del {w}',
       'set_password {w} {w}', '{w} {w} {n}', 'x /{n}{f} $pc', 'info registers -a', 'info qtree', 'info mtree', 'info jit']


def word():
    return rnd.choice(NAMES + TEXTS + words)


def hmp_line():
    line = rnd.choice(HMP)
    while '{' in line and rnd.random() < 0.99:
        for key, make in (('{n}', lambda: str(number())), ('{w}', word), ('{f}', lambda: rnd.choice(list('xduoicsbhwg1')))):
            line = line.replace(key, make().replace('{', '('), 1)
    return line.replace('\n', ' ')


def value(name, depth=0):
    """Of a type of the schema, or now and then of any."""
    s = schema.get(name)
    if rnd.random() < 0.06 or depth > 4 or not s:
        return rnd.choice((None, True, number(), 1.5, word(), [], {}, [word()], {'a': 1}))
    kind = s['meta-type']
    if kind == 'builtin':
        return {'int': number, 'string': word, 'number': lambda: rnd.choice((number(), 0.5, 1e300)),
                'boolean': lambda: rnd.random() < 0.5}.get(s['json-type'], lambda: rnd.choice((word(), number(), None)))()
    if kind == 'enum':
        return rnd.choice(s['values']) if rnd.random() < 0.95 else word()
    if kind == 'array':
        return [value(s['element-type'], depth + 1) for _ in range(rnd.choice((0, 1, 1, 2, 5)))]
    if kind == 'alternate':
        return value(rnd.choice(s['members'])['type'], depth + 1)
    o = {}
    for member in s['members']:
        if 'default' not in member and rnd.random() < 0.97 or rnd.random() < 0.4:
            o[member['name']] = value(member['type'], depth + 1)
    for variant in s.get('variants', ()):
        if variant['case'] == o.get(s.get('tag')):
            more = value(variant['type'], depth + 1)
            o.update(more if isinstance(more, dict) else {})
    if rnd.random() < 0.1:
        o[word()] = word()
    return o


with open('d0', 'wb') as f:
    f.truncate(1 << 20)
m = Machine('-arch', 'x86_64', '-M', 'pc', '-no-shutdown', '-cdrom', 'd0', '-chardev', 'ringbuf,id=c0', '-serial', 'chardev:c0',
            '-netdev', 'user,id=n0', '-device', 'e1000,netdev=n0', '-vga', 'std', '-vnc', 'unix:{dir}/vnc')
schema = {e['name']: e for e in m.qmp('query-qmp-schema')}
commands = [e for e in schema.values() if e['meta-type'] == 'command' and e['name'] not in ('quit', 'set-action')]
words = [v for e in schema.values() if e['meta-type'] == 'enum' for v in e['values']] + \
    [line.split('"')[1] for line in m.hmp('device_add help').split('\n') if line.startswith('name "')] + ['usb-kbd', 'virtio-rng-pci']
alive = True
said = []
try:
    for _ in range(count * 4):
        c = rnd.choice(commands)
        args = value(c['arg-type'])
        if c['name'] == 'human-monitor-command' or rnd.random() < 0.15:
            c, args = schema['human-monitor-command'], {'command-line': hmp_line()}
        # waiting for a client is what it says
        text = json.dumps({'execute': c['name'], 'arguments': args}).replace('"wait": true', '"wait": false')
        said.append(text[:300])
        m.q.sendall((text + '\n').encode())
        while 'event' in json.loads(m.qf.readline()):
            pass
except (OSError, ValueError) as e:
    alive = False
    print(f'# {e}, status {m.p.poll()}; last:', *said[-3:], sep='\n# ')
t.ok(alive and 'status' in m.raw('query-status').get('return', {}), 'QMP and HMP answer', f'MYNA_SEED={seed}')
finish(m, 'without complaints')

# ---- gdb ----

REST = ['m{n},{n}', 'M{n},{l}:{x}', 'X{n},{l}:{b}', 'g', 'G{x}', 'p{n}', 'P{n}={x}', 'Z{d},{n},{n}', 'z{d},{n},{n}', '?', 'H{c}{n}',
        'T{n}', 's', 'c', 's{n}', 'c{n}', 'C{n};{n}', 'vCont?', 'vCont;{c}', 'vCont;{c}:{n};{c}{n}:p{n}.{n}', 'qSupported:{x};x+',
        'qXfer:features:read:target.xml:{n},{n}', 'qXfer:features:read:{x}:0,ffb', 'qXfer:{x}', 'qRcmd,{x}', 'qThreadExtraInfo,{n}',
        'qfThreadInfo', 'qsThreadInfo', 'qC', 'qAttached:{n}', 'Qqemu.sstep={n}', 'Qqemu.PhyMemMode:{d}', 'qqemu.PhyMemMode', 'D',
        'D;{n}', 'R{n}', 'qCRC:{n},{n}', 'QStartNoAckMode', 'vFile:open:{x}', 'vMustReplyEmpty', '!', 'i{n}', 'd', 'r', 't{n}', '{b}']


def packet():
    out = rnd.choice(REST)
    for key, make in (('{n}', lambda: rnd.choice(('', '0', '1', '-1', '80000000', '20000000', 'ffffffffffffffff',
                                                   f'{rnd.getrandbits(rnd.randrange(1, 70)):x}'))),
                      ('{l}', lambda: f'{rnd.choice((0, 1, 4, 8, 300, 1 << 31, 1 << 63)):x}'), ('{d}', lambda: str(rnd.randrange(7))),
                      ('{x}', lambda: bytes(rnd.getrandbits(8) for _ in range(rnd.choice((0, 1, 8, 40, 700)))).hex()),
                      ('{c}', lambda: rnd.choice('cCsStgr')), ('{b}', lambda: ''.join(chr(rnd.randrange(256)) for _ in range(9)))):
        while key in out:
            out = out.replace(key, make(), 1)
    data = out.encode('latin-1').replace(b'k', b'l').replace(b'vKill', b'v')  # they end the program
    if rnd.random() < 0.05:
        return bytes(rnd.getrandbits(8) for _ in range(20))
    return b'$' + data + b'#%02x' % ((sum(data) + (rnd.random() < 0.03)) & 255)


def swallow(s, seconds):
    s.settimeout(seconds)
    got = b''
    try:
        while True:
            more = s.recv(65536)
            if not more:
                break
            got += more
    except OSError:
        pass
    return got


for arch, board in (('riscv64', 'virt'), ('x86_64', 'pc')):
    m = Machine('-arch', arch, '-M', board, '-m', '64', '-smp', '2', '-accel', 'tcg', '-bios', 'none', '-display', 'none', '-S', '-no-shutdown',
                '-gdb', 'unix:{dir}/gdb,server=on,wait=off', cpus=True)
    for _ in range(max(1, count // 50)):
        s = m.open('gdb')
        try:
            for _ in range(50):
                s.sendall(packet() + (b'+' if rnd.random() < 0.5 else b'') + (b'\3' if rnd.random() < 0.1 else b''))
                if rnd.random() < 0.3:
                    swallow(s, 0.002)
        except OSError:
            pass
        s.close()
        if m.p.poll() is not None:
            t.ok(False, f'the program stays ({arch})', f'MYNA_SEED={seed}: {m.p.poll()}\n{m.stderr()[-3000:]}')
            t.done()
    s = m.open('gdb')
    s.sendall(b'+\3$?#3f')
    s.settimeout(30)
    got = b''
    while b'$T' not in got and b'$S' not in got:
        more = s.recv(4096)
        if not more:
            break
        got += more
    t.ok(b'$T' in got or b'$S' in got, f'gdb is answered after nonsense ({arch})', f'MYNA_SEED={seed}: {got}')
    s.close()
    t.ok('status' in m.raw('query-status').get('return', {}), 'and so is QMP')
    finish(m, 'without complaints')

# ---- qtest and chardevs ----

m = Machine('-arch', 'riscv64', '-M', 'virt', '-m', '16', '-display', 'none', '-chardev',
            'socket,id=s0,path={dir}/s0,server=on,wait=off', '-serial', 'chardev:s0', '-monitor',
            'unix:{dir}/hmp,server=on,wait=off')
LINES = ['readb', 'writeq', 'read', 'write', 'b64write', 'b64read', 'memset', 'clock_step', 'clock_set', 'irq_intercept_in',
         'irq_intercept_out', 'set_irq_in', 'savestate', 'loadstate', 'reset', 'inb', 'outl', 'endianness', '']
for _ in range(count):
    line = ' '.join([rnd.choice(LINES)] + [rnd.choice((str(number()), f'{number() & (1 << 64) - 1:#x}', '/machine/plic', '0x', 'AAAA',
                                                       '0x' + 'f' * rnd.randrange(400), '==', 'TVlOQVNUQVQBAAAABAB2aXJ0AAAA'))
                                           for _ in range(rnd.randrange(5))])
    m.t.write(line + '\n')
    m.t.flush()
    while line.split() and not m.t.readline().startswith(('OK', 'FAIL')):
        pass
for _ in range(max(4, count // 10)):
    for name in ('s0', 'hmp'):
        s = m.open(name)
        try:
            s.sendall(b''.join(rnd.choice((hmp_line().encode(), bytes(rnd.getrandbits(8) for _ in range(40)), b'\x1b[A', b'\x1b[',
                                           b'\t', b'\r', b'\n', b'\x7f', b'\1c', b'\1h')) for _ in range(20)).replace(b'q', b'p'))
            swallow(s, 0.01)
        except OSError:
            pass
        s.close()
t.ok('status' in m.raw('query-status').get('return', {}), 'lines of qtest, bytes on a serial port and in the monitor')
finish(m, 'without complaints')
shutil.rmtree(home, ignore_errors=True)
t.done()
