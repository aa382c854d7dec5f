#!/usr/bin/env python3
"""How fast a window is: measure.py frames|keys EMULATOR..., under a DISPLAY of its own (xvfb-run).

frames: full-screen updates of a guest at 1024x768 that reach the window in a second
keys:   milliseconds from a key press to the changed pixel in the window, in two rounds each

    xvfb-run -s '-screen 0 1280x1024x24' bench/screen/measure.py keys build/myna qemu-system-x86_64
"""
import ctypes, os, subprocess, sys, tempfile, time

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


def main():
    what, emulators = sys.argv[1], sys.argv[2:]
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory() as d:
        guest = os.path.join(d, 'guest')
        subprocess.run(['gcc', '-m32', '-nostdlib', '-static', '-Wl,-N,-Ttext=0x100000,--build-id=none,--no-warn-rwx-segments', '-o', guest,
                        os.path.join(here, 'guest.S')] + (['-DFILL'] if what == 'frames' else []), check=True)
        for emulator in emulators * 2:
            line = [emulator] + (['-arch', 'x86_64'] if 'qemu' not in emulator else [])
            p = subprocess.Popen(line + ['-M', 'pc', '-accel', 'tcg', '-m', '64', '-nodefaults', '-vga', 'std', '-display', 'sdl',
                                         '-kernel', guest], env={**os.environ, 'SDL_VIDEODRIVER': 'x11'})
            time.sleep(3)
            w = subprocess.run(['xdotool', 'search', '--onlyvisible', '--name', 'myna|QEMU'], capture_output=True,
                               text=True).stdout.split()[0]
            subprocess.run(['xdotool', 'windowmove', w, '100', '100', 'windowfocus', w])
            time.sleep(1)
            print(f'{emulator}: {frames() if what == "frames" else keys()}', flush=True)
            p.terminate()
            p.wait()


main()
