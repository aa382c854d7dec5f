#!/usr/bin/env python3
"""How fast a window is, and what it costs: measure.py frames|keys|idle EMULATOR..., under a DISPLAY of its own.

frames: full-screen updates of a guest at 1024x768 that reach the window in a second
keys:   milliseconds from a key press to the changed pixel in the window
idle:   what all threads but the processor's take of a core while a desktop does nothing, on a disk of
        `scripts/make-disk --desktop`, named by DISK=; CARD= is another card than std

    xvfb-run -s '-screen 0 1280x1024x24' bench/screen/measure.py keys build/myna qemu-system-x86_64

Each emulator is measured in turn, twice.
"""
import ctypes, json, os, socket, subprocess, sys, tempfile, time

x11 = ctypes.CDLL('libX11.so.6')
xtst = ctypes.CDLL('libXtst.so.6')
P, L = ctypes.c_void_p, ctypes.c_ulong
x11.XOpenDisplay.restype = x11.XDefaultRootWindow.restype = P
x11.XGetImage.restype = P
x11.XGetImage.argtypes = [P, P, ctypes.c_int, ctypes.c_int, ctypes.c_uint, ctypes.c_uint, L, ctypes.c_int]
x11.XGetPixel.restype = L
x11.XGetPixel.argtypes = [P, ctypes.c_int, ctypes.c_int]
x11.XDefaultRootWindow.argtypes = x11.XFlush.argtypes = [P]
x11.XDestroyImage.argtypes = [P]
xtst.XTestFakeKeyEvent.argtypes = [P, ctypes.c_uint, ctypes.c_int, L]
KEY_A = 38  # X's code of the key beside Caps Lock
display = x11.XOpenDisplay(None)
root = x11.XDefaultRootWindow(display)


def pixel(x=640, y=512):
    image = x11.XGetImage(display, root, x, y, 1, 1, 0xffffffff, 2)
    value = x11.XGetPixel(image, 0, 0)
    x11.XDestroyImage(image)
    return value


def key(down):
    xtst.XTestFakeKeyEvent(display, KEY_A, down, 0)
    x11.XFlush(display)


def frames(seconds=5):
    end, n, last = time.time() + seconds, 0, pixel()
    while time.time() < end:
        now = pixel()
        n, last = n + (now != last), now
        time.sleep(0.001)
    return f'{n / seconds:.1f} frames a second'


def keys(count=100):
    times = []
    for i in range(count):
        before, start = pixel(), time.perf_counter()
        key(not i % 2)
        while pixel() == before and time.perf_counter() < start + 2:
            time.sleep(0.0002)
        times.append((time.perf_counter() - start) * 1000)
        time.sleep(0.1 + 0.007 * (i % 7))  # not in step with anybody's refresh
    times.sort()
    return f'a tenth within {times[count // 10]:.1f} ms, half within {times[count // 2]:.1f}, 95 % within {times[count * 95 // 100]:.1f}'


def cpu_threads(qmp):
    """Those that run the guest, by the monitor."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(qmp)
        f = s.makefile('rw')
        f.readline()
        for command in ('qmp_capabilities', 'query-cpus-fast'):
            f.write(json.dumps({'execute': command}) + '\n')
            f.flush()
            reply = json.loads(f.readline())
            while 'event' in reply:
                reply = json.loads(f.readline())
    return {cpu['thread-id'] for cpu in reply['return']}


def ticks(pid, without):
    """What the process's threads took so far (proc(5)), of a hundredth of a second each."""
    total = 0
    for task in set(map(int, os.listdir(f'/proc/{pid}/task'))) - without:
        with open(f'/proc/{pid}/task/{task}/stat') as f:
            fields = f.read().rpartition(')')[2].split()
        total += int(fields[11]) + int(fields[12])
    return total


def idle(line, folder, seconds=60):
    disk, serial, qmp = (os.path.join(folder, name) for name in ('disk', 'serial', 'qmp'))
    subprocess.run(['cp', '--sparse=always', os.environ['DISK'], disk], check=True)
    open(serial, 'w').close()
    p = start(line + ['-m', '1G', '-vga', os.environ.get('CARD', 'std'), '-drive', f'file={disk},if=virtio,format=raw', '-usb',
                      '-device', 'usb-tablet', '-serial', f'file:{serial}', '-qmp', f'unix:{qmp},server=on,wait=off'])
    while 'desktop is up' not in open(serial, errors='replace').read():
        time.sleep(1)
    time.sleep(45)  # what was started has come to rest
    cpus = cpu_threads(qmp)
    before = ticks(p.pid, cpus)
    time.sleep(seconds)
    text = f'{(ticks(p.pid, cpus) - before) / seconds:.2f} % of a core'
    p.terminate()
    p.wait()
    return text


def start(line):
    return subprocess.Popen(line, env={**os.environ, 'SDL_VIDEODRIVER': 'x11'})


def drawn(what, line, guest):
    p = start(line + ['-m', '64', '-nodefaults', '-vga', 'std', '-kernel', guest])
    time.sleep(3)
    w = subprocess.run(['xdotool', 'search', '--onlyvisible', '--name', 'myna|QEMU'], capture_output=True, text=True).stdout.split()[0]
    subprocess.run(['xdotool', 'windowmove', w, '100', '100', 'windowfocus', w])
    time.sleep(1)
    text = frames() if what == 'frames' else keys()
    p.terminate()
    p.wait()
    return text


def main():
    what, emulators = sys.argv[1], sys.argv[2:]
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory() as d:
        guest = os.path.join(d, 'guest')
        subprocess.run(['gcc', '-m32', '-nostdlib', '-static', '-Wl,-N,-Ttext=0x100000,--build-id=none,--no-warn-rwx-segments', '-o', guest,
                        os.path.join(here, 'guest.S')] + (['-DFILL'] if what == 'frames' else []), check=True)
        for emulator in emulators * 2:
            line = [emulator] + (['-arch', 'x86_64'] if 'qemu' not in emulator else []) + ['-M', 'pc', '-accel', 'tcg', '-display', 'sdl']
            print(f'{emulator}: {idle(line, d) if what == "idle" else drawn(what, line, guest)}', flush=True)


main()
