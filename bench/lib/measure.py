"""measure - run an emulator, read its guest's lines, and watch what it takes of the machine."""
import os
import platform
import re
import select
import signal
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
LINE = re.compile(r"@(up|start|done|fail|end)\b ?(.*)")


def machine_busy():
    """CPU seconds that all of this machine has spent working."""
    with open("/proc/stat") as f:
        v = [int(x) for x in f.readline().split()[1:9]]
    return (sum(v) - v[3] - v[4]) / TICKS


def process_busy(pid):
    """CPU seconds of a process."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            v = f.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(v[11]) + int(v[12])) / TICKS


def resident(pid):
    """MiB of memory that a process has at this moment."""
    try:
        with open(f"/proc/{pid}/status") as f:
            m = re.search(r"VmRSS:\s+(\d+)", f.read())
    except OSError:
        return None
    return int(m[1]) / 1024 if m else None


class Span:
    """From its making: seconds, the process' CPU seconds, and how many CPUs others used."""
    def __init__(self, pid):
        self.pid, self.start = pid, time.monotonic()
        self.all, self.own = machine_busy(), process_busy(pid)

    def end(self):
        seconds = max(time.monotonic() - self.start, 1e-3)
        own = process_busy(self.pid) - self.own
        others = max(0.0, machine_busy() - self.all - own) / seconds
        return {"host_s": seconds, "cpu_s": own, "others": others}


class Watch:
    """What the guest's lines say, put together."""
    def __init__(self, pid):
        self.pid, self.boot, self.span, self.current = pid, Span(pid), None, None
        self.result = {"up": None, "work": {}, "failed": False}

    def line(self, text):
        m = LINE.search(text)
        if not m:
            return
        kind, words = m[1], m[2].split()
        if kind == "up":
            self.result["up"] = {"guest_s": float(words[0]), "rss": resident(self.pid),
                                 **self.boot.end()}
        elif kind == "start":
            self.current, self.span = words[0], Span(self.pid)
        elif kind == "done" and self.current:
            self.result["work"][words[0]] = {"s": float(words[1]), "sum": words[2],
                                             **self.span.end()}
            self.current = None
        elif kind == "fail":
            self.result["work"][words[0]] = {"fail": f"status {words[1]}"}
            self.current = None

    def broken(self, why):
        self.result["failed"] = True
        self.result["why"] = why
        if self.current:
            self.result["work"][self.current] = {"fail": why}


def session(command, limit, log):
    """Run an emulator to its end; its measurements."""
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                         start_new_session=True)
    try:
        return follow(p, limit, log)
    except BaseException:
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()
        raise


def follow(p, limit, log):
    watch, rest, fd = Watch(p.pid), b"", p.stdout.fileno()
    start = last = time.monotonic()
    why = None
    while True:
        if not select.select([fd], [], [], max(0.0, last + limit - time.monotonic()))[0]:
            why = f"silent for {limit} s"
            os.killpg(p.pid, signal.SIGKILL)
            break
        data = os.read(fd, 65536)
        if not data:
            break
        last = time.monotonic()
        log.write(data)
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            watch.line(line.decode("latin1"))
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    p.stdout.close()
    if why or p.returncode != 0:
        watch.broken(why or f"exit {p.returncode}")
    watch.result.update(wall=time.monotonic() - start, exit=p.returncode,
                        rss=usage.ru_maxrss / 1024, cpu=usage.ru_utime + usage.ru_stime)
    return watch.result


def native(program, pick, percent):
    """The same work on this machine itself."""
    work = {}
    for group, names in pick.items():
        for name in names if group != "boot" else []:
            out = subprocess.run([program, "run", name, str(percent)], capture_output=True,
                                 text=True)
            words = out.stdout.split()
            if out.returncode == 0 and len(words) == 2:
                work[name] = {"s": float(words[0]), "sum": words[1], "others": 0.0}
    return {"up": None, "work": work, "failed": False}


def machine():
    with open("/proc/cpuinfo") as f:
        m = re.search(r"model name\s*: (.*)", f.read())
    return f"{m[1] if m else platform.machine()}, {os.cpu_count()} CPUs"
