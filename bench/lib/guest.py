"""guest - the benchmark's guests: kernels from the packages' cache, init built from source.

To add an architecture: a row of ARCHES, and its packages in scripts/fetch-guest and fetch-qemu.
"""
import collections
import os
import re
import shutil
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCE = os.path.join(TOP, "bench", "src")
FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-ffp-contract=off", "-pthread"]
# simd and fp loops get what a distribution gives numeric code
LEVELS = {"simd.c": "-O3", "avx2.c": "-O3"}

# How an architecture is called by myna and as a part of QEMU's name; its compiler (and the variable
# that says another, and the package that has its C library); options of all boots; CPUs without
# and with vectors; the group of vector code, and the source of its names.
Arch = collections.namedtuple("Arch", "emulator compiler variable package options cpu vector_cpu "
                                      "vectors source prefix")
ARCHES = {
    "riscv64": Arch("riscv64", "riscv64-linux-gnu-gcc", "RISCV_CC", "libc6-dev-riscv64-cross",
                    ("-M", "virt"), "rv64", "rv64,v=on", "rvv", "rvv.c", ""),
    "amd64": Arch("x86_64", "x86_64-linux-gnu-gcc", "AMD64_CC", "libc6-dev",
                  ("-M", "pc", "-nic", "none"), "qemu64", "max", "avx2", "simd.c", "avx2_"),
}

Files = collections.namedtuple("Files", "kernel initrd version")


class Unavailable(Exception):
    """The guest cannot be made here; the text says why."""


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("MYNA_CACHE") or os.path.join(base, "myna")


def compile_program(compiler, out, package=None):
    """Each source at its own level, linked to one program; a static one with the package's library."""
    objects = []
    for name in sorted(os.listdir(SOURCE)):
        if not name.endswith(".c"):
            continue
        objects.append(f"{out}.{name}.o")
        subprocess.run([compiler, *FLAGS, LEVELS.get(name, "-O2"), "-c", "-o", objects[-1],
                        os.path.join(SOURCE, name)], check=True)
    link = [compiler, "-pthread", "-s", "-o", out, *objects, "-lm"]
    if subprocess.run(link + ["-static"] * bool(package), capture_output=True).returncode != 0:
        raise Unavailable(f"{compiler} cannot link (package {package or 'libc6-dev'})")
    for o in objects:
        os.remove(o)


def make_native(work_dir):
    """The guests' program for this machine, which also knows what work there is."""
    native = os.path.join(work_dir, "native")
    compile_program(os.environ.get("CC") or "cc", native)
    return native


def make(name, work_dir):
    """A guest's kernel and initramfs."""
    arch = ARCHES[name]
    compiler = os.environ.get(arch.variable) or arch.compiler
    if not shutil.which(compiler):
        raise Unavailable(f"no {name} compiler '{compiler}' (package gcc-{arch.compiler[:-4]})")
    got = subprocess.run([os.path.join(TOP, "scripts", "fetch-guest"), name],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if got.returncode != 0:
        raise Unavailable(got.stderr.strip().splitlines()[-1])
    tree = os.path.join(work_dir, f"tree-{name}")
    for folder in ("dev", "proc", "tmp"):
        os.makedirs(os.path.join(tree, folder))
    compile_program(compiler, os.path.join(tree, "init"), arch.package)
    initrd = os.path.join(work_dir, f"initrd-{name}")
    with open(initrd, "wb") as f:
        subprocess.run([os.path.join(TOP, "scripts", "newc"), tree], stdout=f, check=True)
    kernel = os.path.join(cache(), name, "Image")
    return Files(kernel, initrd, got.stdout.split(": ")[-1].split(" is in")[0])


def works(name, native):
    """{group: [piece]} of a guest's program.

    The program for this machine has the same tables but for vector code, whose names are read
    from its source: it may be that of another architecture.
    """
    arch = ARCHES[name]
    lines = subprocess.run([native, "list"], capture_output=True, text=True, check=True).stdout
    groups = {line.split()[0]: line.split()[1:] for line in lines.splitlines()}
    with open(os.path.join(SOURCE, arch.source)) as f:
        vectors = [arch.prefix + n for n in re.findall(r'"(\w+)", run_', f.read())]
    others = {a.vectors for a in ARCHES.values()} - {arch.vectors}
    return {g: vectors if g == arch.vectors else w for g, w in groups.items() if g not in others}


def version(words):
    """A QEMU's version number, or nothing where it does not run."""
    try:
        out = subprocess.run([*words, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    m = re.search(r"version (\d+\.\d+(\.\d+)?)", out.stdout)
    return m[1] if out.returncode == 0 and m else None


def qemu_name(name):
    return f"qemu-system-{ARCHES[name].emulator}"


def known_qemus(name):
    """Commands of the QEMUs in $PATH, and of Debian's newest where it can be had."""
    found, program = [], qemu_name(name)
    for folder in os.environ.get("PATH", "").split(":"):
        path = os.path.join(folder, program)
        if os.access(path, os.X_OK) and os.path.realpath(path) not in map(os.path.realpath, found):
            found.append(path)
    fetch = [os.path.join(TOP, "scripts", "fetch-qemu")]
    if subprocess.run(fetch, stdout=subprocess.DEVNULL).returncode == 0:
        found.append(os.path.join(cache(), "qemu", program))
    return found


def open_log(folder, name):
    os.makedirs(folder, exist_ok=True)
    return open(os.path.join(folder, re.sub(r"[^\w.-]", "_", name) + ".log"), "wb")
