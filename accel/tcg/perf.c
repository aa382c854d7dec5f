/*
 * What perf knows units by: the perf map, names for addresses that `perf report` reads, and the
 * jitdump, which holds the code too (linux: tools/perf/Documentation/jitdump-specification.txt).
 *
 *     perf record -k mono myna -accel tcg,jitdump=on …
 *     perf inject --jit -i perf.data -o perf.jit.data
 *     perf annotate -i perf.jit.data
 */
#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <base/error.h>
#include "tcg.h"

#if defined(__x86_64__)
#define HOST_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HOST_MACHINE EM_AARCH64
#else
#define HOST_MACHINE EM_NONE
#endif

#define JITDUMP_MAGIC   0x4a695444 /* "JiTD" */
#define JITDUMP_VERSION 1
enum { JIT_CODE_LOAD = 0, JIT_CODE_CLOSE = 3 };

struct file_header {
    uint32_t magic, version, size, machine, pad, pid;
    uint64_t time, flags;
};

struct record {
    uint32_t id, size;
    uint64_t time;
};

struct code_load {
    struct record head;
    uint32_t pid, tid;
    uint64_t vma, address, size, index;
    /* The name with its 0, then the code. */
};

struct perf {
    FILE *map;    /* or NULL */
    int dump;     /* or -1 */
    void *marker; /* perf learns of the dump from its being mapped */
    uint64_t index;
};

/* perf record -k mono */
static uint64_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

static bool open_map(struct perf *p, GError **err)
{
    g_autofree char *path = g_strdup_printf("/tmp/perf-%d.map", getpid());

    p->map = fopen(path, "we");
    return p->map || error_set_errno(err, errno, "-accel tcg: perfmap: cannot write '%s'", path);
}

static bool open_dump(struct perf *p, GError **err)
{
    g_autofree char *path = g_strdup_printf("/tmp/jit-%d.dump", getpid());
    const struct file_header h = {
        .magic = JITDUMP_MAGIC,
        .version = JITDUMP_VERSION,
        .size = sizeof(h),
        .machine = HOST_MACHINE,
        .pid = getpid(),
        .time = now(),
    };

    p->dump = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (p->dump < 0 || write(p->dump, &h, sizeof(h)) != sizeof(h))
        return error_set_errno(err, errno, "-accel tcg: jitdump: cannot write '%s'", path);
    p->marker = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_EXEC, MAP_PRIVATE, p->dump, 0);
    if (p->marker == MAP_FAILED)
        p->marker = NULL;
    return p->marker || error_set_errno(err, errno, "-accel tcg: jitdump: cannot map '%s'", path);
}

bool perf_init(struct tcg *tcg, bool map, bool dump, GError **err)
{
    if (!map && !dump)
        return true;
    tcg->perf = g_new0(struct perf, 1);
    tcg->perf->dump = -1;
    return (!map || open_map(tcg->perf, err)) && (!dump || open_dump(tcg->perf, err));
}

void perf_free(struct tcg *tcg)
{
    struct perf *p = tcg->perf;

    if (!p)
        return;
    if (p->map)
        fclose(p->map);
    if (p->marker) {
        const struct record end = { JIT_CODE_CLOSE, sizeof(end), now() };

        (void)!write(p->dump, &end, sizeof(end));
        munmap(p->marker, sysconf(_SC_PAGESIZE));
    }
    if (p->dump >= 0)
        close(p->dump);
    g_clear_pointer(&tcg->perf, g_free);
}

/* A record that does not get out whole (the disk is full) ends the dump. */
static void dump_unit(struct perf *p, const char *name, const uint8_t *code, size_t size)
{
    struct code_load l = {
        .head = { JIT_CODE_LOAD, sizeof(l) + strlen(name) + 1 + size, now() },
        .pid = getpid(),
        .tid = gettid(),
        .vma = (uintptr_t)code,
        .address = (uintptr_t)code,
        .size = size,
        .index = p->index++,
    };
    struct iovec part[] = {
        { &l, sizeof(l) },
        { (void *)(uintptr_t)name, strlen(name) + 1 },
        { (void *)(uintptr_t)code, size },
    };

    if (writev(p->dump, part, G_N_ELEMENTS(part)) == (ssize_t)l.head.size)
        return;
    close(p->dump);
    p->dump = -1;
    munmap(p->marker, sysconf(_SC_PAGESIZE));
    p->marker = NULL;
}

void perf_unit(struct tcg *tcg, const struct unit *u)
{
    struct perf *p = tcg->perf;
    const uint8_t *code = unit_rx(tcg, u);
    char name[32];

    if (!p || tcg->interp)
        return;
    snprintf(name, sizeof(name), "guest_%" PRIx64, u->pc);
    if (p->map) {
        fprintf(p->map, "%" PRIxPTR " %x %s\n", (uintptr_t)code, 16u * u->size, name);
        fflush(p->map);
    }
    if (p->dump >= 0)
        dump_unit(p, name, code, 16u * u->size);
}
