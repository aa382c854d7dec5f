/*
 * See x86run.h: guest code on the host's own CPU.
 *
 * Code and memory are mapped where the guest has them. Registers are loaded and read by the kernel:
 * a breakpoint's signal handler puts the guest's registers into the frame it returns to, and the
 * exception that ends the code (a breakpoint behind it, if nothing else) leads to the handler
 * again, which takes them out and returns to where it all began.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include "x86run-int.h"

#if defined(__x86_64__) && defined(__linux__)
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <cpuid.h>
#include <sys/syscall.h>

static const int reg_of[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                REG_R12, REG_R13, REG_R14, REG_R15 };

#define XSAVE_HEADER 512
#define XSAVE_YMMH   576
#define FX_XMM       160
#define FP_AREA      (XSAVE_YMMH + 256)

/* One for the process: signals have no other way to know. */
static struct host {
    enum { IDLE, STARTING, RUNNING } phase;
    bool ready;
    enum x86run_mode mode; /* whose data segments are loaded */
    uint8_t *ram, *code;   /* writable views */
    gregset_t home, regs;
    uint8_t home_fp[FP_AREA];
    const struct x86run *run;
    struct x86_v128 xmm[16], ymmh[16];
    uint8_t fx[512];
} host;

/* Entries of the local descriptor table, for 16-bit segments. */
enum { CODE, DATA, EXTRA };

static void load(ucontext_t *uc)
{
    const struct x86run *r = host.run;
    greg_t *g = uc->uc_mcontext.gregs;
    uint8_t *fp = (uint8_t *)uc->uc_mcontext.fpregs;
    uint64_t used;

    memcpy(host.home, g, sizeof(host.home));
    memcpy(host.home_fp, fp, FP_AREA);
    for (unsigned n = 0; n < 16; n++)
        g[reg_of[n]] = r->before.reg[n];
    g[REG_RIP] = X86RUN_PC;
    g[REG_EFL] = r->before.eflags;
    if (r->mode == X86RUN_32)
        g[REG_CSGSFS] = (g[REG_CSGSFS] & ~0xffffLL) | 0x23;
    if (r->mode == X86RUN_16) {
        g[REG_RIP] = 0;
        g[REG_CSGSFS] = (g[REG_CSGSFS] & 0xffffffff0000LL) | X86RUN_LDT(CODE) |
                        (uint64_t)X86RUN_LDT(DATA) << 48;
    }
    memcpy(fp + FX_XMM, r->before.xmm, sizeof(r->before.xmm));
    x86run_load_fp(r, fp);
    memcpy(fp + XSAVE_YMMH, r->before.ymmh, sizeof(r->before.ymmh));
    memcpy(&used, fp + XSAVE_HEADER, 8);
    used |= 7;
    memcpy(fp + XSAVE_HEADER, &used, 8);
}

static void unload(ucontext_t *uc)
{
    uint8_t *fp = (uint8_t *)uc->uc_mcontext.fpregs;
    uint64_t used;

    memcpy(host.regs, uc->uc_mcontext.gregs, sizeof(host.regs));
    memcpy(&used, fp + XSAVE_HEADER, 8);
    memset(host.xmm, 0, sizeof(host.xmm));
    memset(host.ymmh, 0, sizeof(host.ymmh));
    if (used & 2)
        memcpy(host.xmm, fp + FX_XMM, sizeof(host.xmm));
    if (used & 4)
        memcpy(host.ymmh, fp + XSAVE_YMMH, sizeof(host.ymmh));
    memcpy(host.fx, fp, sizeof(host.fx));
    memcpy(uc->uc_mcontext.gregs, host.home, sizeof(host.home));
    memcpy(fp, host.home_fp, FP_AREA);
}

static void handler(int sig, siginfo_t *info, void *context)
{
    (void)info;
    switch (host.phase) {
    case STARTING:
        host.phase = RUNNING;
        load(context);
        break;
    case RUNNING:
        host.phase = IDLE;
        unload(context);
        break;
    default:
        signal(sig, SIG_DFL); /* the test's own fault */
        raise(sig);
    }
}

static uint8_t *map_twice(uint64_t at, size_t size, int prot)
{
    int fd = memfd_create("test-host", 0);
    void *there;
    uint8_t *rw;

    g_assert_cmpint(ftruncate(fd, size), ==, 0);
    rw = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    there = mmap((void *)at, size, prot, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
    g_assert_true(rw != MAP_FAILED && there == (void *)at);
    close(fd);
    return rw;
}

static bool set_segment(unsigned n, bool is_code, uint32_t base, uint32_t limit)
{
    struct user_desc d = { .entry_number = n,
                           .base_addr = base,
                           .limit = limit,
                           .contents =
                               is_code ? MODIFY_LDT_CONTENTS_CODE : MODIFY_LDT_CONTENTS_DATA };

    return syscall(SYS_modify_ldt, 0x11, &d, sizeof(d)) == 0;
}

/* Data segments; 64-bit code does not notice, but for GS. */
static void load_segments(enum x86run_mode mode)
{
    unsigned data = mode == X86RUN_16 ? X86RUN_LDT(DATA) : 0x2b;
    unsigned extra = mode == X86RUN_16 ? X86RUN_LDT(EXTRA) : 0x2b;

    __asm__ volatile("mov %0, %%ds; mov %0, %%gs; mov %1, %%es" : : "r"(data), "r"(extra));
    if (mode != X86RUN_16)
        syscall(SYS_arch_prctl, ARCH_SET_GS, X86RUN_GS);
    host.mode = mode;
}

static void set_up(void)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
    static uint8_t stack[64 * 1024];
    stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct sigaction sa = { .sa_sigaction = handler,
                            .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

    sigaltstack(&alt, NULL);
    for (unsigned k = 0; k < G_N_ELEMENTS(signals); k++)
        sigaction(signals[k], &sa, NULL);
    host.code = map_twice(X86RUN_PC, TCG_PAGE_SIZE, PROT_READ | PROT_EXEC);
    host.ram = map_twice(X86RUN_RAM, RAM_SIZE, PROT_READ | PROT_WRITE);
    mprotect((void *)(X86RUN_RAM + X86RUN_RO_PAGE * TCG_PAGE_SIZE), TCG_PAGE_SIZE, PROT_READ);
    memset(host.code, 0xcc, TCG_PAGE_SIZE);
    load_segments(X86RUN_64);
    host.ready = true;
}

static char *differ(const char *what, uint64_t ours, uint64_t theirs)
{
    return g_strdup_printf("%s: 0x%016" G_GINT64_MODIFIER "x, host 0x%016" G_GINT64_MODIFIER "x",
                           what, ours, theirs);
}

static bool is_access(int vector)
{
    return vector == EXC_PF || vector == EXC_GP || vector == EXC_SS;
}

/* Exceptions as the guest takes them. */
static char *compare_end(const struct x86run *r)
{
    const greg_t *g = host.regs;
    int vector = g[REG_TRAPNO], ours = r->vector;
    uint64_t pc = g[REG_RIP] + (r->mode == X86RUN_16 ? X86RUN_PC : 0);

    if (vector == EXC_BP && pc - 1 - X86RUN_PC >= r->code_size) {
        vector = -1;
        pc--;
    }
    if (ours < 0 && pc == r->pc && (uint64_t)g[REG_CR2] == pc)
        vector = -1; /* a jump to where no code can be fetched */
    /* 32-bit segments end at 4 GiB: accesses across are beyond their limit on the host, while the
     * guest's flat ones go round. */
    if (r->mode == X86RUN_32 && ours == EXC_PF && vector != EXC_PF && is_access(vector) &&
        (uint32_t)(r->cpu->cr2 + 64) < 128)
        return NULL;
    if (r->any_fault && is_access(ours) && is_access(vector))
        return NULL;
    if (ours != vector)
        return differ("exception", ours, vector);
    if (r->pc != pc)
        return differ("pc", r->pc, pc);
    /* The kernel does not tell which of its own pages are there. */
    if (vector == EXC_PF && !r->any_address && r->cpu->cr2 != (uint64_t)g[REG_CR2])
        return differ("cr2", r->cpu->cr2, g[REG_CR2]);
    if (vector == EXC_PF && (r->error ^ g[REG_ERR]) & 6 && !r->any_address)
        return differ("error code", r->error, g[REG_ERR]);
    return NULL;
}

static char *compare(const struct x86run *r, uint32_t undefined)
{
    const struct x86_cpu *c = r->cpu;
    uint64_t mask = (FLAGS_ARITH & ~(uint64_t)undefined) | FLAG_DF;
    unsigned nregs = r->mode == X86RUN_64 ? 16 : 8;
    char *what = compare_end(r);

    if (r->any_fault && r->vector >= 0)
        return what;
    for (unsigned n = 0; !what && n < nregs; n++) {
        uint64_t ours = c->cpu.tcg.hot[n], theirs = host.regs[reg_of[n]];

        if (r->mode != X86RUN_64) /* Linux leaves its own in ESP's upper half */
            theirs = (uint32_t)theirs;
        if (ours != theirs)
            what = differ(x86_slots.slot[n].name, ours, theirs);
    }
    if (!what && (r->eflags ^ host.regs[REG_EFL]) & mask)
        what = differ("eflags", r->eflags & mask, host.regs[REG_EFL] & mask);
    for (unsigned n = 0; !what && n < 16; n++) {
        for (unsigned k = 0; !what && k < 2; k++) {
            if (c->xmm[n].q[k] != host.xmm[n].q[k])
                what = differ(x86_slots.slot[SLOT_XMM0 + n].name, c->xmm[n].q[k], host.xmm[n].q[k]);
            else if (c->ymmh[n].q[k] != host.ymmh[n].q[k])
                what =
                    differ(x86_slots.slot[SLOT_YMMH0 + n].name, c->ymmh[n].q[k], host.ymmh[n].q[k]);
        }
    }
    if (!what)
        what = x86run_compare_fp(r, host.fx);
    if (!what && (!memcmp(r->ram, host.ram, RAM_SIZE) || (r->any_address && r->vector == EXC_PF)))
        return NULL;
    for (unsigned n = 0; !what && n < RAM_SIZE; n += 8)
        if (memcmp(r->ram + n, host.ram + n, 8)) {
            g_autofree char *name = g_strdup_printf("memory at 0x%x", n);
            uint64_t a, b;
            memcpy(&a, r->ram + n, 8);
            memcpy(&b, host.ram + n, 8);
            what = differ(name, a, b);
        }
    return what;
}

bool x86run_has_host(enum x86run_mode mode)
{
    static int has_16 = -1; /* not every kernel lets programs have an LDT */

    if (mode == X86RUN_16 && has_16 < 0)
        has_16 = set_segment(CODE, true, X86RUN_PC, 0xffff) &&
                 set_segment(DATA, false, X86RUN_RAM, 0xffff) &&
                 set_segment(EXTRA, false, X86RUN_RAM + 0x800, 0x2fff);
    return mode == X86RUN_64 || mode == X86RUN_32 || (mode == X86RUN_16 && has_16);
}

bool x86run_host_has(unsigned feature)
{
    static const struct {
        uint8_t word, bit;
    } places[] = {
#define FEATURE(id, name, word, bit, done) { WORD_##word, bit },
#include "target/x86/feature.def"
#undef FEATURE
    };
    static const struct {
        uint32_t leaf;
        uint8_t reg;
    } words[WORD_COUNT] = {
        [WORD_1_EDX] = { 1, 3 },           [WORD_1_ECX] = { 1, 2 },
        [WORD_7_EBX] = { 7, 1 },           [WORD_7_ECX] = { 7, 2 },
        [WORD_7_EDX] = { 7, 3 },           [WORD_81_EDX] = { 0x80000001, 3 },
        [WORD_81_ECX] = { 0x80000001, 2 },
    };
    uint32_t reg[4];

    if (feature == FEAT_NONE || !words[places[feature].word].leaf)
        return true;
    return __get_cpuid_count(words[places[feature].word].leaf, 0, &reg[0], &reg[1], &reg[2],
                             &reg[3]) &&
           reg[words[places[feature].word].reg] >> places[feature].bit & 1;
}

/* A jump to no canonical address faults before it on some processors, and behind it on others. */
static bool jumped_away(const struct x86run *r)
{
    return r->vector < 0 && (int64_t)(r->pc << 16) >> 16 != (int64_t)r->pc;
}

static bool is_mapped(uint64_t at)
{
    unsigned char in_core;

    return mincore((void *)(at & ~(uint64_t)(TCG_PAGE_SIZE - 1)), TCG_PAGE_SIZE, &in_core) == 0 ||
           errno != ENOMEM;
}

/* Where the guest has nothing, this process may have memory of its own: a sanitizer's shadow fills
 * an eighth of the address space. There the host would go on, and write. */
static bool hits_process(const struct x86run *r)
{
    if (r->vector == EXC_PF)
        return is_mapped(r->cpu->cr2) && r->cpu->cr2 - X86RUN_PC >= TCG_PAGE_SIZE &&
               r->cpu->cr2 - X86RUN_RAM >= RAM_SIZE;
    return r->vector < 0 && r->pc - X86RUN_PC >= TCG_PAGE_SIZE && is_mapped(r->pc);
}

char *x86run_host(struct x86run *r, uint32_t undefined)
{
    if (r->skipped || jumped_away(r) || hits_process(r))
        return NULL;
    if (!host.ready)
        set_up();
    if (host.mode != r->mode)
        load_segments(r->mode);
    memcpy(host.ram, r->before.ram, RAM_SIZE);
    memcpy(host.code, r->code, X86RUN_MAX_CODE + 1);
    host.run = r;
    host.phase = STARTING;
    __asm__ volatile("int3" : : : "memory");
    g_assert_cmpint(host.phase, ==, IDLE);
    r->compared++;
    return compare(r, undefined);
}

#else
bool x86run_has_host(enum x86run_mode mode)
{
    (void)mode;
    return false;
}

bool x86run_host_has(unsigned feature)
{
    (void)feature;
    return false;
}

char *x86run_host(struct x86run *r, uint32_t undefined)
{
    (void)r, (void)undefined;
    return NULL;
}
#endif
