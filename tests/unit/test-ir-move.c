/*
 * A unit copied for another address is to the byte what is made there from the start; numbers that
 * look like addresses stay what they are, and what depends on them cannot move.
 */
#ifdef __x86_64__
#include <string.h>
#include <sys/mman.h>
#include <tcg/backend.h>
#include <tcg/opt.h>

#define PAGE(n) (UINT64_C(0x7f1234561000) + (n) * (uint64_t)TCG_PAGE_SIZE)
#define ROOM    (4u << 20)

enum { SLOT_A, SLOT_B, SLOT_F };

static const struct ir_slot slot[] = {
    [SLOT_A] = { "a", 0, IR_I64 },
    [SLOT_B] = { "b", 8, IR_I64 },
    [SLOT_F] = { "f", 16, IR_F64 },
};
static const uint8_t hot[] = { SLOT_A };
static const struct ir_slots slots = { slot, G_N_ELEMENTS(slot), hot, G_N_ELEMENTS(hot) };

static uint8_t *code;
static struct backend_thunks *thunks;
static size_t used;

struct made {
    uint8_t *at;
    struct backend_out out;
};

static struct backend_map map_of(void *opaque, uint64_t pc)
{
    (void)opaque;
    return (struct backend_map){ (uint32_t)(pc >> TCG_PAGE_BITS & 0xff) * 4,
                                 (uint32_t)(pc >> TCG_PAGE_BITS) };
}

/* Mapping ids are page numbers. */
static struct backend_map map_moved(void *opaque, uint32_t id)
{
    return map_of(NULL, ((uint64_t)id << TCG_PAGE_BITS) + *(uint64_t *)opaque);
}

static void nothing(void)
{
}

static const struct ir_helper helper = { "helper", nothing, IR_H_CPU | IR_H_RAISES,
                                         IR_I64,   1,       { IR_I64 } };

/* Something of everything that depends on the pc. */
static void everything(struct ir *ir, uint64_t pc)
{
    ir_val near, v, page = ir_add(ir, ir_pcrel(ir, pc + 5), ir_imm64(ir, 0x12345));
    uint64_t known;

    ir_insn_start(ir, pc);
    v = ir_load(ir, IR_I64, IR_MEM(3, 0, 0), page, 0);
    v = ir_add(ir, v, ir_load(ir, IR_I64, IR_MEM(3, 0, 0), page, 8));
    ir_set(ir, SLOT_A, v);
    ir_insn_start(ir, pc + 4);
    near = ir_pcrel(ir, pc + 8);
    ir_set(ir, SLOT_B, near);
    ir_store(ir, IR_MEM(3, 0, 0), v, -8, near);
    ir_exit_if(ir, IR_EQ, v, near, pc + 0x20);
    ir_exit_if(ir, IR_LT, v, ir_imm64(ir, 0), pc - 0x20);
    ir_exit_if(ir, IR_GT, v, ir_imm64(ir, 99), pc + 0x3000);
    ir_insn_start(ir, pc + 8);
    ir_set(ir, SLOT_A, ir_call(ir, &helper, ir_pcrel(ir, pc + 12), IR_NONE, IR_NONE, IR_NONE));
    ir_set(ir, SLOT_F, ir_unary(ir, IR_FNEG, IR_F64, ir_get(ir, SLOT_F)));
    ir_guard(ir, pc + 0x1000);
    ir_insn_start(ir, pc + 0x1000);
    g_assert_true(ir_is_target(ir, ir_and(ir, ir_pcrel(ir, pc + 9), ir_imm64(ir, -2)), &known));
    g_assert_cmphex(known, ==, pc + 8);
    ir_loop_if(ir, IR_NE, ir_get(ir, SLOT_A), ir_imm64(ir, 0));
    ir_exit_ind(ir, ir_select(ir, IR_EQ, ir_get(ir, SLOT_B), v, near, ir_pcrel(ir, pc + 16)));
}

/* The same number as an address nearby, by chance. */
static void to_number(struct ir *ir, uint64_t pc)
{
    uint64_t known;

    ir_insn_start(ir, pc);
    g_assert_true(ir_is_target(ir, ir_imm64(ir, (int64_t)PAGE(3)), &known));
    ir_exit(ir, known);
}

static void number(struct ir *ir, uint64_t pc)
{
    ir_insn_start(ir, pc);
    ir_set(ir, SLOT_A, ir_imm64(ir, (int64_t)PAGE(3)));
    ir_set(ir, SLOT_B, ir_pcrel(ir, pc + (PAGE(3) - PAGE(0))));
    ir_exit(ir, pc + 4);
}

static struct made make(void (*build)(struct ir *ir, uint64_t pc), uint64_t pc)
{
    static struct ir_insn insn[512];
    static uint32_t scratch[2 * G_N_ELEMENTS(insn)];
    struct ir ir;
    struct made m = { .at = code + used };
    struct backend_in in = {
        .ir = &ir, .rw = m.at, .rx = m.at, .room = BACKEND_UNIT_ROOM, .map = map_of
    };

    ir_init(&ir, insn, G_N_ELEMENTS(insn), &slots);
    ir_begin(&ir, pc, 0);
    ir.movable = true;
    build(&ir, pc);
    g_assert_null(ir_verify(&ir));
    opt_run(&ir, scratch, OPT_ALL);
    g_assert_true(backend_host.generate(thunks, &in, &m.out));
    used += m.out.size;
    return m;
}

static void check_copies(void (*build)(struct ir *ir, uint64_t pc))
{
    static const int64_t pages[] = { 1, -1, 0x1000, -0x1000, 0x100000, 0x7000000, -0x7000000 };
    struct made from = make(build, PAGE(0) + 0x124);

    g_assert_true(from.out.movable);
    g_assert_cmpuint(from.out.nmoves, >, 0);
    for (unsigned k = 0; k < G_N_ELEMENTS(pages); k++) {
        struct made to = make(build, PAGE(pages[k]) + 0x124);
        g_autofree uint8_t *copy = g_malloc(from.out.size);
        uint64_t distance = PAGE(pages[k]) - PAGE(0);

        backend_host.copy(copy, to.at, from.at, from.out.size, NULL, distance, from.out.move,
                          from.out.nmoves, map_moved, &distance);
        g_assert_cmpmem(copy, from.out.size, to.at, to.out.size);
    }
}

static void test_everything(void)
{
    check_copies(everything);
}

static void test_number(void)
{
    check_copies(number);
}

static void test_fixed(void)
{
    struct made m = make(to_number, PAGE(0));

    g_assert_false(m.out.movable);
    g_assert_cmpuint(m.out.nmoves, ==, 0);
}

int main(int argc, char **argv)
{
    const struct backend_runtime rt = { 0 };

    g_test_init(&argc, &argv, NULL);
    code = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(code != MAP_FAILED);
    used = (backend_host.init(&thunks, code, code, ROOM, &rt, &slots) + 15) & ~(size_t)15;
    g_test_add_func("/ir/move/everything", test_everything);
    g_test_add_func("/ir/move/number", test_number);
    g_test_add_func("/ir/move/fixed", test_fixed);
    return g_test_run();
}
#else
int main(void)
{
    return 77;
}
#endif
