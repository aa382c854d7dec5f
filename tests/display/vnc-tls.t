#!/usr/bin/env python3
# VNC behind TLS: VeNCrypt with certificates, with and without those of clients, anonymous, with a
# password; WebSocket over TLS; and what is wrong with credentials.
import os, socket, ssl, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.environ['srcdir'], 'tests/display'))
sys.dont_write_bytecode = True
from guest import *
import rfb

if not shutil.which('openssl'):
    skip_all('openssl is not there')
t = Tap()
d = tempfile.mkdtemp()


def openssl(*args):
    subprocess.run(['openssl', *args], cwd=d, check=True, capture_output=True)


openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca-key.pem', '-out', 'ca-cert.pem', '-subj', '/CN=ca',
        '-days', '2', '-addext', 'basicConstraints=critical,CA:TRUE')
for name in ('server', 'client'):
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', f'{name}-key.pem', '-out', f'{name}.csr', '-subj', '/CN=localhost')
    with open(os.path.join(d, 'ext'), 'w') as f:
        f.write('subjectAltName=DNS:localhost\n')
    openssl('x509', '-req', '-in', f'{name}.csr', '-CA', 'ca-cert.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-days', '2',
            '-extfile', 'ext', '-out', f'{name}-cert.pem')


class Tls:
    """What rfb.Client wants of an ssl context."""
    def __init__(self, cert=False):
        self.c = ssl.create_default_context(cafile=os.path.join(d, 'ca-cert.pem'))
        if cert:
            self.c.load_cert_chain(os.path.join(d, 'client-cert.pem'), os.path.join(d, 'client-key.pem'))

    def wrap_socket(self, s):
        return self.c.wrap_socket(s, server_hostname='localhost')


BASE = ('-arch', 'x86_64', '-M', 'pc', '-vga', 'std')
creds = f'tls-creds-x509,dir={d},endpoint=server'
m = Machine(*BASE, '-object', creds + ',id=open,verify-peer=off', '-object', creds + ',id=closed',
            '-object', 'secret,id=word,data=letmein',
            '-vnc', 'unix:{dir}/open,id=open,tls-creds=open', '-vnc', 'unix:{dir}/closed,id=closed,tls-creds=closed',
            '-vnc', 'unix:{dir}/pw,id=pw,tls-creds=open,password-secret=word',
            '-vnc', 'none,id=ws,tls-creds=open,websocket=unix:{dir}/wss')
vga = Vga(m)
vga.mode(64, 48)
vga.draw(0, 0, test_picture(64, 48))
want = m.screendump()


def shown(name, cert=False, **args):
    c = rfb.Client.unix(m.path(name))
    c.handshake(tls=Tls(cert), **args)
    c.set_encodings([rfb.TIGHT])
    c.request(False)
    c.update()
    ok = c.ppm() == want and c.security == 19
    c.close()
    return ok, c.subtype


t.equal(shown('open'), (True, 260), 'a certificate of the server')
t.equal(shown('closed', True), (True, 260), 'and one of the client')
try:
    shown('closed')
    t.ok(False, 'a client without one is turned away')
except (OSError, rfb.Closed, ssl.SSLError):
    t.ok(True, 'a client without one is turned away')
t.equal(shown('pw', password='letmein'), (True, 261), 'a password behind TLS')
try:
    shown('pw', password='wrong')
    t.ok(False, 'a wrong one')
except PermissionError:
    t.ok(True, 'a wrong one')
c = rfb.Client.unix(m.path('open'))
c.read(12)
c.send(b'RFB 003.003\n')
t.equal(c.read(4), b'\0\0\0\0', 'version 3.3 has no TLS, and is told so')
c = rfb.Client.unix(m.path('open'))
c.read(12)
c.send(b'RFB 003.008\n')
t.equal(c.read(2), b'\1\x13', 'nothing but VeNCrypt is offered')
c.send(b'\1')
try:
    c.read(1)
    t.ok(False, 'another type is refused')
except (rfb.Closed, OSError):
    t.ok(True, 'another type is refused')
s = socket.socket(socket.AF_UNIX)
s.settimeout(30)
s.connect(m.path('wss'))
c = rfb.Client(rfb.WebSocket(Tls().wrap_socket(s)))
c.handshake()
c.request(False)
c.update()
t.ok(c.ppm() == want, 'WebSocket over TLS')
t.equal({v['id']: v.get('vencrypt') for v in m.qmp('query-vnc-servers')},
        {'open': 'x509-none', 'closed': 'x509-none', 'pw': 'x509-vnc', 'ws': 'x509-none'}, 'query-vnc-servers tells')
rc, err = m.stop()
t.ok(rc in (0, -15) and 'Sanitizer' not in err and 'runtime error' not in err, 'the end', err)


def refused(*args):
    p = subprocess.run([MYNA, *BASE, '-accel', 'qtest', *args], capture_output=True, text=True, timeout=60,
                       stdin=subprocess.DEVNULL)
    return p.returncode == 1 and p.stderr.count('\n') == 1 and p.stderr


err = refused('-object', 'tls-creds-x509,id=x,dir=/nonexistent,endpoint=server', '-vnc', 'none,tls-creds=x')
t.ok(err and '/nonexistent' in err, 'a folder that there is not', err)
os.unlink(os.path.join(d, 'server-cert.pem'))
err = refused('-object', creds + ',id=x', '-vnc', 'none,tls-creds=x')
t.ok(err and 'server-cert.pem' in err, 'a certificate that is missing', err)
err = refused('-object', f'tls-creds-x509,id=x,dir={d}', '-vnc', 'none,tls-creds=x')
t.ok(err and 'endpoint=server' in err, "a client's credentials", err)
shutil.rmtree(d)
t.done()
