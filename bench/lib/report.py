"""report - tables of what run measured."""
import math
import statistics

NOISY = 0.3         # CPUs of other work from which a time is not trusted


def cells(data, emulator, name):
    runs = [r for r in data["runs"] if r["emulator"] == emulator]
    return [r["work"][name] for r in runs if name in r["work"]]


class Cell:
    """The median of one piece's times on one emulator; of the undisturbed ones if there are."""
    def __init__(self, values):
        good = [v for v in values if "s" in v]
        calm = [v for v in good if v["others"] < NOISY]
        self.seconds = statistics.median(v["s"] for v in calm or good) if good else None
        self.mark = "~" if good and not calm else ""
        self.failed = bool(values) and len(good) < len(values)
        self.sums = {v["sum"] for v in good}

    def text(self):
        if self.failed:
            return "FAIL"
        return "" if self.seconds is None else f"{self.mark}{self.seconds:.3f}"

    def ok(self):
        return self.seconds if not self.failed else None


def mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def ratio(x):
    return "" if x is None else f"{x:.2f}"


def row(*cols):
    return "| " + " | ".join(cols) + " |"


def work_table(data, notes):
    """Seconds of each piece and how many times as fast the first emulator is as the others."""
    emulators, native = data["emulators"], any(r["emulator"] == "native" for r in data["runs"])
    base, peers = emulators[0], emulators[1:]
    heads = ["work"] + (["native s"] if native else []) + [f"{e} s" for e in emulators]
    heads += [f"{base} is faster than {p}" for p in peers]
    heads += ["than the best of them"] if len(peers) > 1 else []
    lines = [row(*heads), row("---", *["---:"] * (len(heads) - 1))]
    every, ratios = {}, len(heads) - 1 - len(emulators) - native
    blank = [""] * (len(heads) - 1 - ratios)
    for group, names in data["groups"].items():
        gains = {}
        for name in names if group != "boot" else []:
            c = {e: Cell(cells(data, e, name)) for e in emulators}
            n = Cell(cells(data, "native", name))
            sums = set().union(*(x.sums for x in c.values()), n.sums)
            if len(sums) > 1:
                notes.append(f"{name}: results differ: {' '.join(sorted(sums))}")
            mine, theirs = c[base].ok(), [c[p].ok() for p in peers]
            out = [p / mine if mine and p else None for p in theirs]
            if len(peers) > 1:
                out.append(min(filter(None, theirs)) / mine if mine and any(theirs) else None)
            for i, g in enumerate(out):
                if g:
                    gains.setdefault(i, []).append(g)
                    every.setdefault(i, []).append(g)
            lines.append(row(f"{group} {name}", *([n.text()] if native else []),
                             *[c[e].text() for e in emulators], *map(ratio, out)))
        if gains:
            tail = [ratio(mean(gains.get(i))) for i in range(ratios)]
            lines.append(row(f"**{group}: geometric mean**", *blank, *tail))
    if every and peers:
        tail = [ratio(mean(every.get(i))) for i in range(ratios)]
        lines.append(row("**all: geometric mean**", *blank, *tail))
    return lines


def boot_values(data, emulator):
    """(what, value) of an emulator's first boot with one CPU."""
    runs = [r for r in data["runs"] if r["emulator"] == emulator and r["part"] == "one"]
    ups = [r["up"] for r in runs if r.get("up")]
    work = [item for r in runs for item in r["work"].items()]
    idles = [v for n, v in work if n.startswith("idle:") and "cpu_s" in v]
    whole = [r for r in runs if "wall" in r and not r["failed"]]

    def median(values):
        values = [v for v in values if v is not None]
        return f"{statistics.median(values):.2f}" if values else "FAIL"

    return [("start to init, s", median([u["host_s"] for u in ups])),
            ("CPU until init, s", median([u["cpu_s"] for u in ups])),
            ("resident at init, MiB", median([u["rss"] for u in ups])),
            ("idle, % of a CPU", median([100 * v["cpu_s"] / v["host_s"] for v in idles])),
            ("start to exit, s", median([r["wall"] for r in whole])),
            ("CPU in all, s", median([r["cpu"] for r in whole])),
            ("most resident, MiB", median([r["rss"] for r in whole]))]


def boot_table(data):
    emulators = data["emulators"]
    columns = [boot_values(data, e) for e in emulators]
    lines = [row("boot, one CPU", *emulators), row("---", *["---:"] * len(emulators))]
    for i, (what, _) in enumerate(columns[0]):
        lines.append(row(what, *[c[i][1] for c in columns]))
    return lines


def tables(data):
    notes = []
    for r in data["runs"]:
        if r["failed"]:
            notes.append(f"{r['emulator']}, {r['part']}: {r.get('why')}")
        elif r["emulator"] != "native" and not r["up"]:
            notes.append(f"{r['emulator']}, {r['part']}: the guest's init did not start")
    lines = [f"{data['guest']}: {data['kernel']} on {data['machine']}; work {data['percent']} %", ""]
    if data["groups"].get("boot"):
        lines += boot_table(data) + [""]
    if any(ws for g, ws in data["groups"].items() if g != "boot"):
        lines += work_table(data, notes) + [""]
    lines += [f"- {n}" for n in sorted(set(notes))]
    return "\n".join(lines).rstrip()
