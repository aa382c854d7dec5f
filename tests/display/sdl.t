#!/usr/bin/env python3
# The window under Xvfb: what it shows is what screendump shows; keys and the mouse sent through the
# X server arrive; it follows the guest's size, and the guest its; text consoles; closing asks.
import glob, os, shutil, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.environ['srcdir'], 'tests/display'))
sys.dont_write_bytecode = True
from guest import *
from desk import *

for tool in TOOLS:
    if not shutil.which(tool):
        skip_all(f'{tool} is not there')
if subprocess.run([MYNA, '-display', 'sdl', '-arch', 'x86_64', '-M', 'pc', '-accel', 'qtest'], capture_output=True,
                  text=True, env={k: v for k, v in os.environ.items() if k not in ('DISPLAY', 'WAYLAND_DISPLAY')},
                  timeout=60).stderr.find('built without') >= 0:
    skip_all('built without SDL2')
t = Tap()
bare = {k: v for k, v in os.environ.items() if k not in ('DISPLAY', 'WAYLAND_DISPLAY', 'SDL_VIDEODRIVER')}
for words, cure in (('-display sdl', '-display vnc=:0'), ('-display sdl,gl=on', 'gl=on is not there'),
                    ('-full-screen -display none', '-display sdl'), ('-k de', "only 'en-us'")):
    p = subprocess.run([MYNA, *words.split(), '-arch', 'x86_64', '-M', 'pc', '-accel', 'qtest'], capture_output=True, text=True,
                       env=bare, timeout=60)
    t.ok(p.returncode == 1 and p.stderr.count('\n') == 1 and cure in p.stderr, f'{words}: one line of error', p.stderr)
p = subprocess.run([MYNA, '-display', 'sdl', '-arch', 'x86_64', '-M', 'pc', '-accel', 'qtest'], capture_output=True,
                   text=True, env={**os.environ, 'DISPLAY': ':4711', 'SDL_VIDEODRIVER': 'x11'}, timeout=60)
t.ok(p.returncode == 1 and p.stderr.count('\n') == 1 and '-display vnc=:0' in p.stderr,
     'without a desktop: one line that names the cure', p.stderr)

d = Desktop()
env, x, find = d.env, d.x, d.find


def size():
    return d.size(window)


def picture():
    return d.picture(window)


def same():
    return picture() == m.screendump()


m = None
wm = d.manage()
shots = tempfile.mkdtemp()
os.chdir(shots)
try:
    m = Machine('-arch', 'x86_64', '-M', 'pc', '-vga', 'std', '-name', 'seen', '-display', 'sdl', '-usb', '-serial', 'vc',
                '-monitor', 'vc', env=env)
    t.ok(until(lambda: find('seen')), 'a window comes up with the name of the guest')
    window = find('seen')
    vga = Vga(m)
    vga.mode(320, 240)
    vga.draw(0, 0, test_picture(320, 240))
    t.ok(until(lambda: size() == (320, 240)), 'it has the size of the picture')
    t.ok(until(same), 'it shows the picture, dot by dot')
    vga.mode(640, 400)
    vga.draw(0, 0, [[(255, 0, 0)] * 640] * 10)
    t.ok(until(lambda: size() == (640, 400)) and until(same), 'it follows another mode')
    m.qmp('query-status')

    # ---- keys ----
    m.qtest('outb 0x64 0xae')
    got = []

    def codes():
        while int(m.qtest('inb 0x64'), 0) & 1:
            got.append(int(m.qtest('inb 0x60'), 0))
        return got
    codes()
    got.clear()
    x('xdotool', 'windowfocus', '--sync', window, check=False)
    x('xdotool', 'key', '--window', window, 'a')
    x('xdotool', 'key', 'b')
    t.ok(until(lambda: codes()[-2:] == [0x30, 0xb0]), 'keys arrive as scan codes', got)
    got.clear()
    x('xdotool', 'keydown', 'shift')
    t.ok(until(lambda: codes() == [0x2a]), 'a key that is held', got)
    x('xdotool', 'keyup', 'shift')
    t.ok(until(lambda: codes() == [0x2a, 0xaa]), 'and one that is let go', got)

    x('xdotool', 'keydown', 'shift')
    until(lambda: codes()[-1] == 0x2a)
    x('xdotool', 'windowminimize' if wm else 'windowunmap', window)
    t.ok(until(lambda: codes()[-1] == 0xaa), 'a window without the keyboard holds no key', got)
    x('xdotool', 'keyup', 'shift')
    x('xdotool', 'windowactivate' if wm else 'windowmap', window)
    t.ok(until(same), 'it comes back')
    x('xdotool', 'windowfocus', '--sync', window, check=False)

    # ---- the screenshot ----
    x('xdotool', 'key', 'ctrl+alt+s')
    t.ok(until(lambda: glob.glob(os.path.join(shots, 'seen-*.png'))), 'Ctrl-Alt-S leaves a picture')
    shot = glob.glob(os.path.join(shots, 'seen-*.png'))[0]
    t.ok(until(lambda: subprocess.run(['convert', shot, '-depth', '8', 'ppm:-'], capture_output=True).stdout == m.screendump()),
         'of what is seen')

    # ---- the mouse ----
    m.qmp('device_add', driver='usb-tablet', id='tab')
    x('xdotool', 'mousemove', '--window', window, '320', '200')
    x('xdotool', 'click', '1')
    t.equal(m.raw('query-mice')['return'][-1]['absolute'], True, 'the pointer is absolute: no grab is needed')

    # ---- consoles ----
    before = picture()
    x('xdotool', 'key', 'ctrl+alt+2')
    t.ok(until(lambda: 'seen 2' in x('xdotool', 'getwindowname', window)), 'Ctrl-Alt-2 shows the next console')
    t.ok(until(lambda: picture() != before), 'which is another picture')
    x('xdotool', 'type', '--window', window, 'info name')
    x('xdotool', 'key', 'Return')
    t.ok(until(lambda: len(set(picture())) > 1), 'where typed text is seen')
    x('xdotool', 'key', 'ctrl+alt+1')
    t.ok(until(same), 'Ctrl-Alt-1 goes back')

    # ---- state, zoom, full screen ----
    if m.qmp('query-status')['status'] == 'running':
        m.qmp('stop')
    t.ok(until(lambda: '[paused]' in x('xdotool', 'getwindowname', window)), 'the title says that it is paused')
    t.ok(until(lambda: picture() != m.screendump()), 'and the picture shows it')
    m.qmp('cont')
    t.ok(until(same), 'it goes on')
    if wm:
        x('xdotool', 'key', 'ctrl+alt+f')
        t.ok(until(lambda: size() == (1280, 1024)), 'full screen')
        x('xdotool', 'key', 'ctrl+alt+f')
        t.ok(until(lambda: size() == (640, 400)), 'and back')
    else:
        t.ok(True, 'full screen # SKIP no openbox: it wants a window manager')
    x('xdotool', 'windowsize', window, '800', '500')
    t.ok(until(lambda: size() == (800, 500)), 'the window is resized')
    t.ok(until(lambda: picture()[:15] == b'P6\n800 500\n255\n' and picture()[15:18] == b'\xff\0\0'),
         'and the picture is scaled to it')
    x('xdotool', 'key', 'ctrl+alt+u')
    t.ok(until(lambda: size() == (640, 400)) and until(same), 'its own size again')

    # ---- closing ----
    m.qmp('quit')
    m.p.wait(30)
    err = m.stderr()
    if wm:
        m = Machine('-arch', 'x86_64', '-M', 'pc', '-vga', 'std', '-name', 'ask', '-display', 'sdl', env=env)
        until(lambda: find('^ask'))
        window = find('^ask')

        def asks():
            d.key(window, 'alt+F4')
            return until(lambda: d.focus() not in ('', '1', window))

        def answer(key):
            x('xdotool', 'key', key)
            return until(lambda: d.focus() == window)
        t.ok(asks(), 'closing asks')
        t.ok(answer('Escape'), 'and takes an answer')
        t.ok(m.qmp('query-status') and find('^ask') == window, 'and the guest may go on')
        t.ok(asks() and answer('Return') and until(lambda: m.qmp('query-status') and 'POWERDOWN' in [e['event'] for e in m.events]),
             'or its power button is pressed', m.events)
        t.ok(asks(), 'it asks again')
        m.qmp('quit')
        t.equal(m.p.wait(30), 0, 'but nobody has to answer when the guest ends by itself')
        for how, what in (('quit', lambda: m.p.poll() == 0), ('off', lambda: m.qmp('query-status') and find(name) == window),
                          ('powerdown', lambda: m.qmp('query-status') and 'POWERDOWN' in [e['event'] for e in m.events])):
            name = 'closes-by-' + how
            m = Machine('-arch', 'x86_64', '-M', 'pc', '-name', name, '-display', f'sdl,window-close={how}', env=env)
            until(lambda: find(name))
            window = find(name)
            d.key(window, 'alt+F4')
            t.ok(until(what), f'window-close={how}')
            m.stop()
    m = Machine('-arch', 'x86_64', '-M', 'pc', '-vga', 'std', '-name', 'whole', '-display', 'sdl,scale=integer,gl=off', '-k', 'en-us', env=env)
    until(lambda: find('whole'))
    window = find('whole')
    vga = Vga(m)
    vga.mode(320, 200)
    vga.draw(0, 0, [[(255, 0, 0)] * 320] * 200)
    until(lambda: size() == (320, 200))
    x('xdotool', 'windowsize', window, '840', '500')

    def twice():
        p = picture()
        px = lambda a, b: p[15 + (b * 840 + a) * 3:][:3]
        return (p[:15] == b'P6\n840 500\n255\n' and [px(a, b) for a, b in ((99, 250), (100, 50), (739, 449), (740, 250))] ==
                [b'\0\0\0', b'\xff\0\0', b'\xff\0\0', b'\0\0\0'])
    t.ok(until(twice), 'scale=integer: twice the size, not more than twice', picture()[:15])
    m.qmp('quit')
    t.equal(m.p.wait(30), 0, 'the end')
    err += m.stderr()
    t.ok('Sanitizer' not in err and 'runtime error' not in err, 'without complaints', err)

    # ---- full screen from the start ----
    if wm:
        m = Machine('-arch', 'x86_64', '-M', 'pc', '-vga', 'std', '-name', 'all', '-sdl', '-full-screen', env=env)
        until(lambda: find('^all'))
        window = find('^all')
        t.ok(until(lambda: size() == (1280, 1024)), '-full-screen')
        t.equal(m.qmp('query-display-options'),
                {'type': 'sdl', 'full-screen': True, 'window-close': True, 'show-cursor': False}, 'as QMP says')
        m.qmp('quit')
        m.p.wait(30)

    # ---- a window manager that hangs: it takes windows over, and never shows them ----
    d.unmanage()
    hung = HungManager(d.display)
    m = Machine('-arch', 'x86_64', '-M', 'pc', '-vga', 'std', '-name', 'hidden', '-display', 'sdl', env=env)
    t.ok(until(hung.was_asked), 'a window that nobody shows')
    t.ok(m.qmp('query-status'), 'keeps nobody waiting')
    m.qmp('quit')
    t.equal(m.p.wait(30), 0, 'not even at the end')
    hung.close()
finally:
    if m and m.p.poll() is None:
        m.p.kill()
    d.close()
    shutil.rmtree(shots)
t.done()
