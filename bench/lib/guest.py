"""guest - the benchmark's guest: kernel from the packages' cache, init built from source."""
import collections
import os
import re
import shutil
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCE = os.path.join(TOP, "bench", "src")
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-ffp-contract=off", "-pthread"]
# simd and fp loops get what a distribution gives numeric code
LEVELS = {"simd.c": "-O3"}

Files = collections.namedtuple("Files", "kernel initrd program native version")


class Unavailable(Exception):
    """The guest cannot be made here; the text says why."""


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("MYNA_CACHE") or os.path.join(base, "myna")


def compile_program(compiler, out, static):
    """Each source at its own level, linked to one program."""
    objects = []
    for name in sorted(os.listdir(SOURCE)):
        if not name.endswith(".c"):
            continue
        objects.append(f"{out}.{name}.o")
        subprocess.run([compiler, *FLAGS, LEVELS.get(name, "-O2"), "-c", "-o", objects[-1],
                        os.path.join(SOURCE, name)], check=True)
    link = [compiler, "-pthread", "-s", "-o", out, *objects, "-lm"] + ["-static"] * static
    if subprocess.run(link, capture_output=True).returncode != 0:
        raise Unavailable(f"{compiler} cannot link (package libc6-dev-riscv64-cross)")
    for o in objects:
        os.remove(o)


def make(work_dir):
    """Kernel, initramfs, the guest's program and the same program for this machine."""
    compiler = os.environ.get("RISCV_CC") or "riscv64-linux-gnu-gcc"
    if not shutil.which(compiler):
        raise Unavailable(f"no riscv64 compiler '{compiler}' (package gcc-riscv64-linux-gnu)")
    got = subprocess.run([os.path.join(TOP, "scripts", "fetch-guest"), "riscv64"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if got.returncode != 0:
        raise Unavailable(got.stderr.strip().splitlines()[-1])
    tree = os.path.join(work_dir, "tree")
    for folder in ("dev", "proc", "tmp"):
        os.makedirs(os.path.join(tree, folder))
    program = os.path.join(tree, "init")
    compile_program(compiler, program, True)
    native = os.path.join(work_dir, "native")
    compile_program(os.environ.get("CC") or "cc", native, False)
    initrd = os.path.join(work_dir, "initrd")
    with open(initrd, "wb") as f:
        subprocess.run([os.path.join(TOP, "scripts", "newc"), tree], stdout=f, check=True)
    kernel = os.path.join(cache(), "riscv64", "Image")
    return Files(kernel, initrd, program, native, got.stdout.split(": ")[-1].split(" is in")[0])


def works(native, program):
    """{group: [piece]} of the guest's program.

    The program for this machine has the same tables but for rvv, whose names are read from the
    guest's program: it cannot run here.
    """
    lines = subprocess.run([native, "list"], capture_output=True, text=True, check=True).stdout
    groups = {line.split()[0]: line.split()[1:] for line in lines.splitlines()}
    with open(os.path.join(SOURCE, "rvv.c")) as f:
        groups["rvv"] = re.findall(r'\{ "(\w+)", run_', f.read())
    return groups


def version(words):
    """A QEMU's version number, or nothing where it does not run."""
    try:
        out = subprocess.run([*words, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    m = re.search(r"version (\d+\.\d+(\.\d+)?)", out.stdout)
    return m[1] if out.returncode == 0 and m else None


def known_qemus():
    """Commands of the QEMUs in $PATH, and of Debian's newest where it can be had."""
    found = []
    for folder in os.environ.get("PATH", "").split(":"):
        path = os.path.join(folder, "qemu-system-riscv64")
        if os.access(path, os.X_OK) and os.path.realpath(path) not in map(os.path.realpath, found):
            found.append(path)
    fetch = [os.path.join(TOP, "scripts", "fetch-qemu")]
    if subprocess.run(fetch, stdout=subprocess.DEVNULL).returncode == 0:
        found.append(os.path.join(cache(), "qemu", "qemu-system-riscv64"))
    return found


def open_log(folder, name):
    os.makedirs(folder, exist_ok=True)
    return open(os.path.join(folder, re.sub(r"[^\w.-]", "_", name) + ".log"), "wb")
