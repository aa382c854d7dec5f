#!/usr/bin/env python3
# What a user may hand over by mistake, or fetch from a stranger: kernels, firmware, devicetrees, images,
# configuration files that were cut off or changed, and command lines that make no sense. The program
# starts, or says one line and ends with status 1. MYNA_SEED repeats a run, MYNA_COUNT makes it longer.
import os, random, shutil, struct, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.environ['srcdir'], 'tests/display'))
sys.dont_write_bytecode = True
from guest import *

t = Tap()
seed = int(os.environ.get('MYNA_SEED', random.randrange(1 << 30)))
count = int(os.environ.get('MYNA_COUNT', 6))
print(f'# MYNA_SEED={seed}', flush=True)
rnd = random.Random(seed)
src = os.environ['srcdir']
home = tempfile.mkdtemp()
os.chdir(home)


def run(args, good=False):
    """As far as the monitor, which ends it; what is wrong with how it went, or None. good: it must get there."""
    try:
        p = subprocess.run([MYNA, '-display', 'none', '-nodefaults', '-monitor', 'stdio', '-S', *args], input='quit\n',
                           capture_output=True, timeout=60, text=True, errors='replace')
    except subprocess.TimeoutExpired:
        return f'{args}: still runs'
    if p.returncode not in ((0,) if good else (0, 1)) or 'Sanitizer' in p.stderr or 'runtime error' in p.stderr:
        return f'{args}: status {p.returncode}\n{p.stderr[-2500:]}'
    # where KVM was tried first, and why not, is no error
    said = [line for line in p.stderr.split('\n') if line and 'cannot use -accel kvm' not in line]
    if p.returncode == 1 and len(said) != 1:
        return f'{args}: not one line but\n{p.stderr[:600]}'
    return None


def keep(name):
    """What showed an error stays."""
    path = os.path.join(os.environ.get('TMPDIR', '/tmp'), f'myna-fuzz-files-{seed}')
    if os.path.exists(name):
        shutil.copy(name, path)
    return path


def spoil(data):
    data = bytearray(data)
    how = rnd.randrange(5)
    if how == 0:
        return bytes(data[:rnd.randrange(len(data))])
    if how == 1:
        return bytes(data[:rnd.choice((1, 4, 16, 52, 64, 100, 512, 520, 1024, 4096))])
    for _ in range(rnd.choice((1, 1, 2, 4, 30))):
        at = rnd.randrange(min(len(data), rnd.choice((64, 128, 600, 1200, len(data)))))
        size = rnd.choice((1, 2, 4, 8))
        v = rnd.choice((0, 1, 2, 0x7f, 0xff, 0x7fffffff, 0x80000000, 0xfffff000, (1 << 64) - 1, 1 << 63, rnd.getrandbits(64), len(data)))
        data[at:at + size] = (v & (1 << 8 * size) - 1).to_bytes(size, rnd.choice(('little', 'big')))
    return bytes(data[:1 << 20])


def elf(bits, machine, segments, note=b''):
    """An executable of these (address, bytes)."""
    eh, ph = (52, 32) if bits == 32 else (64, 56)
    n = len(segments) + bool(note)
    at = eh + ph * n
    heads, body = b'', b''
    for kind, addr, data in [(1, a, d) for a, d in segments] + ([(4, 0, note)] if note else []):
        off = at + len(body)
        heads += struct.pack('<IIIIIIII', kind, off, addr, addr, len(data), len(data) + 64, 7, 4) if bits == 32 else \
            struct.pack('<IIQQQQQQ', kind, 7, off, addr, addr, len(data), len(data) + 64, 4)
        body += data
    ident = b'\x7fELF' + bytes((1 if bits == 32 else 2, 1, 1)) + bytes(9)
    entry = segments[0][0]
    return ident + (struct.pack('<HHIIIIIHHHHHH', 2, machine, 1, entry, eh, 0, 0, eh, ph, n, 0, 0, 0) if bits == 32 else
                    struct.pack('<HHIQQQIHHHHHH', 2, machine, 1, entry, eh, 0, 0, eh, ph, n, 0, 0, 0)) + heads + body


def bzimage():
    head = bytearray(0x400)
    head[0x1f1] = 1
    head[0x1fe:0x206] = b'\x55\xaa\xeb\x66HdrS'
    struct.pack_into('<H', head, 0x206, 0x20f)
    head[0x211] = 1
    struct.pack_into('<I', head, 0x214, 0x100000)
    struct.pack_into('<II', head, 0x22c, 0x7fffffff, 0x200000)
    struct.pack_into('<HIHI', head, 0x234, 1, 0, 3, 2047)
    struct.pack_into('<QII', head, 0x258, 0x1000000, 0x10000, 0)
    return bytes(head) + b'\xf4' * 5000


def multiboot():
    flags = 0x10003
    m = struct.pack('<III', 0x1badb002, flags, -(0x1badb002 + flags) & 0xffffffff)
    m += struct.pack('<IIIIIIIII', 0x100000, 0x100000, 0x101000, 0x103000, 0x100040, 0, 80, 25, 0)
    return m + b'\xf4' * 6000


def read(name):
    with open(os.path.join(src, name), 'rb') as f:
        return f.read()


subprocess.run(['dtc', '-q', '-O', 'dtb', '-o', 'dtb'], input=b'''/dts-v1/;
/ { #address-cells = <2>; #size-cells = <2>; compatible = "riscv-virtio"; chosen { bootargs = "x"; };
cpus { #address-cells = <1>; #size-cells = <0>; cpu@0 { device_type = "cpu"; reg = <0>; }; };
memory@80000000 { device_type = "memory"; reg = <0 0x80000000 0 0x1000000>; }; };''') if shutil.which('dtc') else None
dtb = read(os.path.join(home, 'dtb')) if os.path.exists('dtb') else struct.pack('>10I', 0xd00dfeed, 72, 56, 72, 40, 17, 16, 0, 0, 16)
hello = read('tests/guest/riscv/hello/hello.elf')
image = bytes(8) + struct.pack('<QQQIIQ', 0x200000, 0x4000, 0, 2, 0, 0) + b'RISCV\0\0\0RSC\x05' + bytes(4000)
rom = b'\x55\xaa\x02' + bytes(21) + struct.pack('<HH', 0x1c, 0) + b'PCIR' + bytes(12) + struct.pack('<H', 2) + bytes(1000)
pvh = elf(64, 62, [(0x100000, b'\xf4' * 3000)], struct.pack('<III4sI', 4, 4, 18, b'Xen\0', 0x100000))
rv = ['-arch', 'riscv64', '-M', 'virt', '-m', '16']
pc = ['-arch', 'x86_64', '-M', 'pc', '-m', '32', '-accel', 'tcg']
with open('initrd', 'wb') as f:
    f.write(b'x' * 5000)
initrd = ['-initrd', 'initrd,initrd x', '-append', 'x']

KINDS = [
    ('an ELF kernel for riscv64', hello, rv + ['-kernel', '@']),
    ('an ELF kernel for riscv32', elf(32, 243, [(0x80000000, b'x' * 99), (0x80001000, b'y' * 99)]), ['-arch', 'riscv32', '-bios', 'none'] + rv[2:] + ['-kernel', '@']),
    ('a riscv Image', image, rv + ['-kernel', '@', '-initrd', 'initrd']),
    ('an ELF firmware', hello, rv + ['-bios', '@']),
    ('a program of spike', hello, ['-arch', 'riscv64', '-M', 'spike', '-kernel', '@']),
    ('a devicetree', dtb, rv + ['-dtb', '@', '-append', 'x', '-kernel', os.path.join(src, 'tests/guest/riscv/hello/hello.elf')]),
    ('a bzImage', bzimage(), pc + ['-kernel', '@', '-initrd', 'initrd', '-append', 'x']),
    ('a multiboot kernel', multiboot(), pc + ['-kernel', '@'] + initrd),
    ('a multiboot kernel in ELF', elf(32, 3, [(0x100000, multiboot())]), pc + ['-kernel', '@'] + initrd),
    ('a PVH kernel', pvh, pc + ['-kernel', '@', '-initrd', 'initrd']),
    ('a BIOS', bytes(65536), pc + ['-bios', '@']),
    ('an option ROM', rom, pc + ['-device', 'e1000,romfile=@']),
    ('a floppy', bytes(1474560), pc + ['-drive', 'file=@,format=raw,if=floppy']),
    ('a disk', bytes(70000), pc + ['-drive', 'file=@,format=raw,if=ide']),
    ('a virtio disk', bytes(70000), pc + ['-drive', 'file=@,format=raw,if=none,id=d', '-device', 'virtio-blk-pci,drive=d']),
    ('flash', bytes(262144), pc + ['-drive', 'file=@,format=raw,if=pflash,read-only=on']),
    ('a configuration file', b'[device "d0"]\n  driver = "e1000"\n  addr = "5"\n[machine]\n  type = "pc"\n[memory]\n  size = "16M"\n'
     b'[drive "x"]\n  file = "initrd"\n  if = "none"\n# c\n', ['-arch', 'x86_64', '-accel', 'tcg', '-readconfig', '@']),
    ('a secret', b'c2VjcmV0IHBhc3N3b3Jk\n', pc + ['-object', 'secret,id=s,format=base64,file=@']),
]
for name, data, args in KINDS:
    bad = []
    with open('whole', 'wb') as f:
        f.write(data)
    for n in range(count + 1):
        with open('file', 'wb') as f:
            f.write(data if n == 0 else spoil(data))
        why = run([a.replace('@', 'file') for a in args], n == 0)
        if why:
            bad.append(f'MYNA_SEED={seed}, {keep("file")}: {why}')
            break
    t.ok(not bad, f'{name}, spoiled', '\n'.join(bad))

# ---- command lines ----

WORDS = ['', 'on', 'off', '0', '1', '-1', '4G', '18446744073709551616', 'x', 'help', '?', ',', ',,', '=', 'id=a', 'a=b', '{}', '{', '[1]', '"',
         'file=initrd', 'format=raw', 'if=none', 'if=ide', 'node-name=n', 'driver=raw', 'type=pc', 'size=1M', 'a' * 3000, '%s%n', 'ä', '\t',
         '00:11:22:33:44:55', '/dev/null', '/nonexistent', 'none', 'null', 'stdio', 'mon:null', 'ringbuf', 'user', 'tcg', 'interp', 'qtest',
         'max', 'rv64', 'qemu64', '-avx', '+sse', 'cores=2', 'threads=99', 'maxcpus=0', 'base=utc', 'clock=vm', 'shift=3', 'sleep=off',
         'unix:s', 'tcp::0', '127.0.0.1:99', ':99', 'host=x', 'path=p', 'server=on', 'wait=off', 'drive=x', 'bus=pci.0', 'addr=1f.7',
         'addr=99', 'port=1', 'hostfwd=tcp::0-:22', 'net=10.0.0.0/8', 'order=cdn', 'menu=on', 'strict=x', 'e1000', 'virtio-blk-pci',
         'usb-kbd', 'isa-serial', 'memory-backend-ram', 'iothread', 'secret', 'rng-random', 'data=x', 'vga=std', 'usb=on', 'pc', 'virt',
         'isapc', 'spike', 'in_asm', 'exec', '0x1000..0x2000', '0x1+0x2', 'panic=none', 'reboot=shutdown', 'c', 'd']
LONG = ['-listen', '-daemonize', '-gdb', '-s', '-pidfile', '-D', '-sandbox', '-no-user-config', '-h', '-help', '-version', '-nographic', '-vnc',
        '-sdl', '-qtest', '-S', '-monitor', '-qmp', '-mon', '-serial', '-parallel']


def value():
    parts = [rnd.choice(WORDS) for _ in range(rnd.choice((0, 1, 1, 1, 2, 3, 5)))]
    if rnd.random() < 0.15:
        return '{' + ','.join(f'"{rnd.choice(("driver", "id", "file", "qom-type", "size", "addr"))}":{rnd.choice((chr(34) + p + chr(34), "1", "null", "[]"))}'
                              for p in parts) + '}'
    text = ','.join(p if '=' in p or rnd.random() < 0.5 else f'{rnd.choice(("driver", "type", "id", "file", "cpus", "size", "x"))}={p}' for p in parts)
    return text if rnd.random() < 0.9 else text + rnd.choice(WORDS)


options = sorted(set(w.strip() for line in subprocess.run([MYNA, '-help'], capture_output=True, text=True).stdout.split('\n')
                     for w in line.split()[:1] if w.startswith('-') and len(w) > 1))
t.ok(len(options) > 40, 'there are options', options)
bad = []
for n in range(count * 8):
    args = []
    for _ in range(rnd.choice((1, 1, 2, 3))):
        o = rnd.choice(options)
        if o not in LONG:
            args += [o, value()] if rnd.random() < 0.95 else [o]
    if rnd.random() < 0.05:
        args += [rnd.choice(WORDS[1:])]
    why = run(rnd.choice((pc, rv, [])) + args)
    if why:
        bad.append(f'MYNA_SEED={seed}: {why}')
t.ok(not bad, 'command lines at random', '\n'.join(bad[:5]))
os.chdir('/')
shutil.rmtree(home, ignore_errors=True)
t.done()
