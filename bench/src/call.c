/* call.c - calls and jumps: recursion, function pointers, interpreters, much code, new code. */
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include "work.h"

#define NOINLINE __attribute__((noinline))

static NOINLINE unsigned tak(unsigned x, unsigned y, unsigned z)
{
    if (y >= x)
        return z;
    return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

static uint64_t run_tak(long n)
{
    uint64_t sum = 0;

    for (long i = 0; i < n; i++)
        sum = checksum_add(sum, tak(18, 12, 6 + (i & 1)));
    return sum;
}

/* queens: recursion with backtracking, leaf functions of a few instructions */
static NOINLINE unsigned queens(unsigned all, unsigned columns, unsigned left, unsigned right)
{
    unsigned count = 0;

    if (columns == all)
        return 1;
    for (unsigned free = all & ~(columns | left | right); free; free &= free - 1) {
        unsigned bit = free & -free;

        count += queens(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return count;
}

static uint64_t run_queens(long n)
{
    uint64_t sum = 0;

    for (long i = 0; i < n; i++)
        sum = checksum_add(sum, queens((1u << 9) - 1, 0, 0, 0));
    return sum;
}

/* ---- shapes: methods through tables of function pointers, order unpredictable ---- */

struct shape {
    const struct shape_type *type;
    uint64_t a, b;
};

struct shape_type {
    uint64_t (*area)(const struct shape *s);
    void (*grow)(struct shape *s, uint64_t by);
};

#define SHAPE(name, area_of, grow_by)                              \
    static NOINLINE uint64_t name##_area(const struct shape *s)    \
    {                                                              \
        return area_of;                                            \
    }                                                              \
    static NOINLINE void name##_grow(struct shape *s, uint64_t by) \
    {                                                              \
        grow_by;                                                   \
    }

/* clang-format off */
SHAPE(box, s->a * s->b, s->a += by)
SHAPE(disk, s->a * s->a * 3, s->a ^= by)
SHAPE(ring, s->a * s->a - s->b, s->b += by >> 1)
SHAPE(line, s->a + s->b, s->b -= by)
SHAPE(cone, (s->a ^ s->b) >> 1, s->a = s->b + by)
/* clang-format on */

static const struct shape_type shape_types[] = {
    { box_area, box_grow },   { disk_area, disk_grow }, { ring_area, ring_grow },
    { line_area, line_grow }, { cone_area, cone_grow },
};

static uint64_t run_shapes(long n)
{
    enum { COUNT = 1000 };
    static struct shape shapes[COUNT];
    uint64_t seed = 5, sum = 0;

    for (int i = 0; i < COUNT; i++) {
        shapes[i].type = &shape_types[random_next(&seed) % 5];
        shapes[i].a = i;
        shapes[i].b = 3 * i;
    }
    for (long k = 0; k < n; k++) {
        for (int i = 0; i < COUNT; i++) {
            struct shape *s = &shapes[i];

            s->type->grow(s, sum & 255);
            sum += s->type->area(s);
        }
    }
    return sum;
}

/* ---- vm and threads: a byte-code interpreter, by one switch and by computed jumps ---- */

enum { OP_LOAD, OP_STORE, OP_CONST, OP_ADD, OP_MUL, OP_XOR, OP_SHIFT, OP_LESS, OP_JUMP_IF, OP_END };

/* i = 0, x = 1; do { x = (x * 31 + i) ^ x >> 3; i = i + 1; } while (i < limit) */
static const uint8_t vm_code[] = {
    OP_CONST, 0, OP_STORE, 0, OP_CONST,   1, OP_STORE, 1, OP_LOAD,  1, OP_CONST, 31,
    OP_MUL,   0, OP_LOAD,  0, OP_ADD,     0, OP_LOAD,  1, OP_SHIFT, 3, OP_XOR,   0,
    OP_STORE, 1, OP_LOAD,  0, OP_CONST,   1, OP_ADD,   0, OP_STORE, 0, OP_LOAD,  0,
    OP_LOAD,  2, OP_LESS,  0, OP_JUMP_IF, 8, OP_END,   0,
};

static NOINLINE uint64_t vm_switch(const uint8_t *code, uint64_t limit)
{
    uint64_t stack[16], *top = stack, variable[3] = { 0, 0, limit };

    for (const uint8_t *p = code;;) {
        uint8_t op = p[0], arg = p[1];

        p += 2;
        switch (op) {
        case OP_LOAD: *top++ = variable[arg]; break;
        case OP_STORE: variable[arg] = *--top; break;
        case OP_CONST: *top++ = arg; break;
        case OP_ADD: top--, top[-1] += *top; break;
        case OP_MUL: top--, top[-1] *= *top; break;
        case OP_XOR: top--, top[-1] ^= *top; break;
        case OP_SHIFT: top[-1] >>= arg; break;
        case OP_LESS: top--, top[-1] = top[-1] < *top; break;
        case OP_JUMP_IF:
            if (*--top)
                p = code + arg;
            break;
        case OP_END: return variable[1];
        }
    }
}

static NOINLINE uint64_t vm_jumps(const uint8_t *code, uint64_t limit)
{
    static const void *const labels[] = { &&load, &&store, &&constant, &&add,     &&mul,
                                          &&exor, &&shift, &&less,     &&jump_if, &&end };
    uint64_t stack[16], *top = stack, variable[3] = { 0, 0, limit };
    const uint8_t *p = code;

#define NEXT() goto *labels[(p += 2)[-2]]
    NEXT();
    /* clang-format off */
load: *top++ = variable[p[-1]]; NEXT();
store: variable[p[-1]] = *--top; NEXT();
constant: *top++ = p[-1]; NEXT();
add: top--, top[-1] += *top; NEXT();
mul: top--, top[-1] *= *top; NEXT();
exor: top--, top[-1] ^= *top; NEXT();
shift: top[-1] >>= p[-1]; NEXT();
less: top--, top[-1] = top[-1] < *top; NEXT();
jump_if:
    if (*--top)
        p = code + p[-1];
    NEXT();
end:
    return variable[1];
    /* clang-format on */
#undef NEXT
}

static uint64_t run_vm(long n)
{
    return vm_switch(vm_code, n);
}

static uint64_t run_threads(long n)
{
    return vm_jumps(vm_code, n);
}

/* ---- wide: thousands of functions called through a table in random order ---- */

/* clang-format off */
#define W1(i)                                                            \
    static NOINLINE uint64_t wide_##i(uint64_t x)                        \
    {                                                                    \
        x += 0x##i * 0x9e3779b9u;                                        \
        if (x & (1 << (0x##i & 7)))                                      \
            x ^= x >> (1 + (0x##i & 15));                                \
        else                                                             \
            x = x * 5 + (x << (0x##i % 13));                             \
        return (x >> 9) & 1 ? x + 0x##i : x - (0x##i | 1);               \
    }
#define W16(i) \
    W1(i##0) W1(i##1) W1(i##2) W1(i##3) W1(i##4) W1(i##5) W1(i##6) W1(i##7) \
    W1(i##8) W1(i##9) W1(i##a) W1(i##b) W1(i##c) W1(i##d) W1(i##e) W1(i##f)
#define W256(i) \
    W16(i##0) W16(i##1) W16(i##2) W16(i##3) W16(i##4) W16(i##5) W16(i##6) W16(i##7) \
    W16(i##8) W16(i##9) W16(i##a) W16(i##b) W16(i##c) W16(i##d) W16(i##e) W16(i##f)
#define N16(i) \
    wide_##i##0, wide_##i##1, wide_##i##2, wide_##i##3, wide_##i##4, wide_##i##5, wide_##i##6, \
    wide_##i##7, wide_##i##8, wide_##i##9, wide_##i##a, wide_##i##b, wide_##i##c, wide_##i##d, \
    wide_##i##e, wide_##i##f,
#define N256(i) \
    N16(i##0) N16(i##1) N16(i##2) N16(i##3) N16(i##4) N16(i##5) N16(i##6) N16(i##7) \
    N16(i##8) N16(i##9) N16(i##a) N16(i##b) N16(i##c) N16(i##d) N16(i##e) N16(i##f)
#define WIDE(m) m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9) m(a) m(b) m(c) m(d) m(e) m(f) m(10)

/* clang-format on */

WIDE(W256)

static uint64_t (*const wide[])(uint64_t) = { WIDE(N256) };

static uint64_t run_wide(long n)
{
    uint64_t seed = 9, sum = 1;

    for (long i = 0; i < n; i++) {
        /* a stretch of neighbours, then a far jump */
        unsigned at = random_next(&seed) % (sizeof(wide) / sizeof(wide[0]) - 16);

        for (unsigned k = 0; k < 16; k++)
            sum = wide[at + k](sum);
    }
    return sum;
}

/* jumps: out of nested calls by longjmp */
static NOINLINE void descend(jmp_buf env, int depth)
{
    if (depth < 0)
        return;
    if (depth == 0)
        longjmp(env, 1);
    descend(env, depth - 1);
    __asm__ volatile(""); /* or it would be a loop */
}

static uint64_t run_longjmp(long n)
{
    volatile long i;
    volatile uint64_t sum = 0;
    jmp_buf env;

    for (i = 0; i < n; i++) {
        if (setjmp(env) == 0)
            descend(env, i & 7);
        sum = checksum_add(sum, i);
    }
    return sum;
}

/* ---- newcode: write a function, call it, change it, as a run-time compiler does ---- */

#if defined(__riscv)
/* addi a0, a0, imm; ret */
static void emit(uint32_t *code, int imm)
{
    code[0] = (uint32_t)imm << 20 | 10 << 15 | 10 << 7 | 0x13;
    code[1] = 0x00008067;
}
#elif defined(__x86_64__)
/* lea imm(%rdi), %rax; ret */
static void emit(uint32_t *code, int imm)
{
    uint8_t bytes[8] = { 0x48, 0x8d, 0x87, imm & 255, imm >> 8, 0, 0, 0xc3 };

    memcpy(code, bytes, sizeof(bytes));
}
#else
#error "newcode: emit() has no instructions for this machine"
#endif

static uint64_t run_newcode(long n)
{
    const size_t size = 1 << 16;
    uint32_t *code =
        mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t sum = 0;

    if (code == MAP_FAILED)
        return 0;
    for (long i = 0; i < n; i++) {
        uint32_t *at = code + i % 512 * 16;
        uint64_t (*function)(uint64_t);

        emit(at, i & 1023);
        __builtin___clear_cache((char *)at, (char *)(at + 2));
        memcpy(&function, &at, sizeof(at));
        for (int k = 0; k < 20; k++)
            sum = function(sum);
    }
    return sum;
}

const struct work call_works[] = {
    { "tak", run_tak, 800 },
    { "queens", run_queens, 2000 },
    { "shapes", run_shapes, 6000 },
    { "vm", run_vm, 1200000 },
    { "threads", run_threads, 1500000 },
    { "wide", run_wide, 180000 },
    { "longjmp", run_longjmp, 4000000 },
    { "newcode", run_newcode, 80000 },
    { 0 },
};
