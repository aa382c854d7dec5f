"""A desktop under Xvfb of its own, with windows that are looked at and typed into."""
import ctypes, os, shutil, subprocess, tempfile, time

TOOLS = ('Xvfb', 'xdotool', 'import', 'convert')


def until(what, seconds=30):
    """Waits for something to become true; whether it did."""
    end = time.time() + seconds
    while time.time() < end:
        if what():
            return True
        time.sleep(0.05)
    return False


class Desktop:
    def __init__(self):
        rd, wr = os.pipe()
        self.xvfb = subprocess.Popen(['Xvfb', '-displayfd', str(wr), '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'],
                                     pass_fds=[wr], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        os.close(wr)
        with os.fdopen(rd) as f:
            self.display = ':' + f.readline().strip()
        self.env = {**os.environ, 'DISPLAY': self.display, 'SDL_VIDEODRIVER': 'x11'}
        self.env.pop('WAYLAND_DISPLAY', None)
        self.wm = None

    def manage(self):
        """With a window manager, when it is ready; False: there is none here."""
        if not shutil.which('openbox'):
            return False
        # it runs a command when it is ready: before, it can miss a window, for which SDL would wait for ever
        ready = os.path.join(tempfile.mkdtemp(), 'ready')
        self.wm = subprocess.Popen(['openbox', '--startup', f'mkdir {ready}'], env=self.env, stderr=subprocess.DEVNULL)
        up = until(lambda: os.path.isdir(ready), 300)
        shutil.rmtree(os.path.dirname(ready))
        return up

    def unmanage(self):
        if self.wm:
            self.wm.terminate()
            self.wm.wait()
            self.wm = None

    def x(self, *args, check=True):
        return subprocess.run(args, env=self.env, capture_output=True, text=True, check=check).stdout.strip()

    def find(self, name):
        """The window whose title matches, or ''."""
        return self.x('xdotool', 'search', '--name', name, check=False).split('\n')[0]

    def title(self, window):
        return self.x('xdotool', 'getwindowname', window, check=False)

    def size(self, window):
        g = self.x('xdotool', 'getwindowgeometry', '--shell', window)
        v = dict(line.split('=') for line in g.split('\n'))
        return int(v['WIDTH']), int(v['HEIGHT'])

    def picture(self, window):
        return subprocess.run(['import', '-silent', '-window', window, '-depth', '8', 'ppm:-'], env=self.env,
                              capture_output=True).stdout

    def focus(self):
        """The window that has the keyboard."""
        return self.x('xdotool', 'getwindowfocus', check=False)

    def key(self, window, keys):
        """Pressed in that window."""
        def focused():  # not before the window manager has shown it
            self.x('xdotool', 'windowactivate' if self.wm else 'windowfocus', window, check=False)
            return self.focus() == window
        until(focused)
        self.x('xdotool', 'key', keys)

    def close(self):
        for p in (self.wm, self.xvfb):
            if p:
                p.terminate()
                p.wait()


class HungManager:
    """A window manager that is asked to show windows (Xlib, 16.3) and never does."""
    REDIRECT = 1 << 20  # SubstructureRedirectMask

    def __init__(self, display):
        P = ctypes.c_void_p
        self.x11 = x = ctypes.CDLL('libX11.so.6')
        x.XOpenDisplay.restype = x.XDefaultRootWindow.restype = P
        x.XDefaultRootWindow.argtypes = x.XCloseDisplay.argtypes = [P]
        x.XSelectInput.argtypes = [P, P, ctypes.c_long]
        x.XSync.argtypes = [P, ctypes.c_int]
        x.XCheckMaskEvent.argtypes = [P, ctypes.c_long, P]
        self.display = x.XOpenDisplay(display.encode())
        x.XSelectInput(self.display, x.XDefaultRootWindow(self.display), self.REDIRECT)
        x.XSync(self.display, 0)

    def was_asked(self):
        event = ctypes.create_string_buffer(192)  # an XEvent is 24 longs
        return bool(self.x11.XCheckMaskEvent(self.display, self.REDIRECT, event))

    def close(self):
        self.x11.XCloseDisplay(self.display)
