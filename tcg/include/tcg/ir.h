/*
 * The intermediate representation between guest front ends and host backends.
 *
 * A unit is one straight line of operations with side exits: single entry at the top, an optional
 * jump back to its own head, no other joins. Every operation that defines a value is named by its
 * index (`ir_val`), so values are defined once; guest registers are *slots* of the CPU state that
 * GET reads and SET writes at their place in the order. Values die with the unit; nobody frees
 * them.
 *
 *     ir_val x = ir_get(b, slot_of(rs1));
 *     ir_set(b, slot_of(rd), ir_add(b, x, ir_imm64(b, 42)));
 *
 * The builder folds constants, simplifies and forwards slots while it appends: ir_get() of a slot
 * whose value is known returns that value. Emitters never test for space: an overflow latches
 * `full`, later calls do nothing harmful, the driver checks once and retries with fewer
 * instructions.
 */
#ifndef TCG_IR_H
#define TCG_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint32_t ir_val; /* index into ir->insn; IR_NONE: no value */
#define IR_NONE 0

enum ir_type { IR_VOID, IR_I32, IR_I64, IR_F32, IR_F64, IR_V128 };

enum ir_op {
    IR_NOP,
#define IR_OP(name, text, nargs, props) IR_##name,
#include <tcg/ir_ops.def>
#undef IR_OP
    IR_NB_OPS
};

/* Integer conditions; the lowest bit inverts. */
enum ir_cond {
    IR_EQ = 0,
    IR_NE = 1,
    IR_LT = 2,
    IR_GE = 3, /* signed */
    IR_LTU = 4,
    IR_GEU = 5,
    IR_LE = 6,
    IR_GT = 7,
    IR_LEU = 8,
    IR_GTU = 9,
    IR_TSTEQ = 10,
    IR_TSTNE = 11, /* (a & b) == 0, != 0 */
};

/* Float comparisons: false when unordered. EQ and the Q forms raise invalid for signalling NaNs
 * only. With SILENT nothing is raised; only ir_silence() makes those. */
enum ir_fcmp { IR_FEQ, IR_FLT, IR_FLE, IR_FLTQ, IR_FLEQ, IR_FCMP_SILENT = 8 };

/* FMA: bits that negate the product, the addend. */
enum ir_fma { IR_FMA_NEG_PRODUCT = 1, IR_FMA_NEG_ADDEND = 2 };

/* F2I, I2F: rounding in the low three bits, unsigned integer in bit 3. */
enum ir_f2i {
    IR_RND_CUR,
    IR_RND_RNE,
    IR_RND_RTZ,
    IR_RND_RDN,
    IR_RND_RUP,
    IR_RND_RMM,
    IR_F2I_UNSIGNED = 8 /* I2F, too */
};

/* Vector operations: what IR_V and IR_VF do (in insn.cond). */
enum ir_vop {
#define VOP(name, text, shape, lanes, props) IR_V_##name,
#include <tcg/ir_vops.def>
#undef VOP
    IR_NB_VOPS
};

/* Flag beside the lane size: lane 0 is computed, the others are those of operand a. */
#define IR_LANE_SCALAR 0x100u

/* Vector FMA: bits that negate the product, the addend; subtract the addend in even or odd lanes
 * (x86's FMADDSUB and FMSUBADD). */
enum ir_vfma {
    IR_VFMA_NEG_PRODUCT = 1,
    IR_VFMA_NEG_ADDEND = 2,
    IR_VFMA_NEG_EVEN = 4,
    IR_VFMA_NEG_ODD = 8
};

enum ir_amo {
    IR_AMO_SWAP,
    IR_AMO_ADD,
    IR_AMO_AND,
    IR_AMO_OR,
    IR_AMO_XOR,
    IR_AMO_MIN,
    IR_AMO_MAX,
    IR_AMO_MINU,
    IR_AMO_MAXU,
};

/* Kinds of access a FENCE orders: imm = predecessors << 4 | successors. */
enum ir_fence { IR_FENCE_W = 1, IR_FENCE_R = 2, IR_FENCE_O = 4, IR_FENCE_I = 8 };

/* How a guest memory access is done; fits 16 bits. */
enum {
    IR_MEM_SIZE = 7,         /* log2 of bytes: 0 to 4 */
    IR_MEM_SIGNED = 1 << 3,  /* integer loads: sign extend to the type (default: zero extend) */
    IR_MEM_BE = 1 << 4,      /* big endian */
    IR_MEM_ALIGNED = 1 << 5, /* a misaligned address faults; AMO and CMPXCHG are so without ANY */
    /* CHECK: for stores; slow paths: the access is a store; LD: one to the same place follows, so
     * it faults as a store does */
    IR_MEM_WRITE = 1 << 6,
    /* AMO, CMPXCHG: misaligned addresses and devices do not fault; atomic where one page of plain
     * memory holds it */
    IR_MEM_ANY = 1 << 7,
    IR_MEM_MODE_SHIFT = 8, /* MMU mode, 0 to TCG_MMU_MODES - 1 */
    IR_MEM_MODE = 0xf << IR_MEM_MODE_SHIFT,
};
#define IR_MEM(log2size, mode, bits) ((uint16_t)((log2size) | (mode) << IR_MEM_MODE_SHIFT | (bits)))

static inline unsigned ir_mem_mode(unsigned mem)
{
    return (mem & IR_MEM_MODE) >> IR_MEM_MODE_SHIFT;
}

static inline unsigned ir_mem_bytes(unsigned mem)
{
    return 1u << (mem & IR_MEM_SIZE);
}

/*
 * A C function that generated code calls. With IR_H_CPU its first argument is the CPU. Integer
 * arguments and results are uint32_t/uint64_t; float ones pass as f32/f64 bit patterns in
 * integers. At most four value operands.
 */
enum ir_helper_flags {
    IR_H_CPU = 1,
    IR_H_PURE = 2,   /* the result depends on the arguments only; no effects */
    IR_H_READS = 4,  /* reads slots: they are stored before */
    IR_H_WRITES = 8, /* changes slots: they are loaded again after; implies nothing about READS */
    IR_H_RAISES = 16 /* may raise a guest exception: slots and pc are exact before the call */
};

/*
 * A call that an x86 host may do by one of its own x87 instructions, once the host's x87 holds the
 * guest's state (tcg_cpu.x87, abi.h): bits 2:0 of the instruction's first byte and its second one;
 * with an operand in memory the second has just its register field. Operands a and b are what the
 * instruction loads, bits 63:0 and 79:64; for FCMOVNE, a is the condition. All else is only the
 * helper's. The result is what the instruction stores, bits 63:0, or FNSTSW's word, or ZF, PF and
 * CF of FCOMI in EFLAGS' places. Instructions on other state (FLDCW, FLDENV...) are not to be
 * named.
 */
enum {
    IR_X87 = 0x800,
    IR_X87_HIGH = 0x1000, /* no instruction: bits 79:64 of what was stored last */
};

struct ir_helper {
    const char *name;
    void (*fn)(void);
    uint8_t flags;
    uint8_t ret;    /* enum ir_type: void, i32, i64 */
    uint8_t nargs;  /* value operands, 0 to 4 */
    uint8_t arg[4]; /* enum ir_type: i32 or i64 */
};

/* One guest register as the translator sees it. Offsets are from the start of the CPU state. */
struct ir_slot {
    const char *name;
    uint32_t offset;
    uint8_t type; /* i32, i64, f64 (also holds boxed f32), v128 */
};

/* All that the translator must know of a guest's registers; constant per guest. */
struct ir_slots {
    const struct ir_slot *slot;
    unsigned count;     /* at most IR_MAX_SLOTS */
    const uint8_t *hot; /* integer slots worth a fixed host register, hottest first */
    unsigned nhot;
};
#define IR_MAX_SLOTS 256

struct ir_insn {
    uint8_t op;
    uint8_t type;  /* of the result; ST, STH: of the value; EXITIF, LOOPIF: of the operands */
    uint8_t cond;  /* enum ir_cond, ir_amo, ir_fcmp, ir_f2i, ir_fma, ir_vop by op */
    uint8_t flags; /* builder: 1 if some slot has been set to it */
    uint16_t mem;  /* V, VF: lane size | IR_LANE_SCALAR; CALL: IR_X87 | x87 instruction, or 0 */
    uint16_t pad;
    ir_val a, b, c, d; /* value operands (CHECK: c is a number) */
    union {
        int64_t imm;
        const struct ir_helper *helper;
    };
};

struct ir {
    struct ir_insn *insn; /* [0] is a NOP, so that no value has index 0 */
    uint32_t count, max;
    uint32_t limit; /* builder: no insn may be appended from this index on */
    bool full;      /* something did not fit; the unit is to be built again, smaller */
    bool ended;     /* control cannot come here: the unit has its end, appends are dropped */
    bool loops;     /* holds LOOP or LOOPIF */
    /* Made for another place, pages apart, the unit would differ only in PCREL, pc of INSN and
     * targets, all by that distance. Set by who begins the unit, cleared by what is not so. */
    bool movable;
    const struct ir_slots *slots;
    uint64_t pc;                /* of the first guest instruction */
    uint32_t flags;             /* unit flags it is translated under */
    uint64_t cur_pc;            /* of the guest instruction being built (set by ir_insn_start) */
    uint32_t ninsns;            /* guest instructions so far */
    ir_val known[IR_MAX_SLOTS]; /* builder: value each slot holds now, or IR_NONE */
    ir_val recent[16];          /* builder: constants seen last, to be used again */
};

/* Starts an empty unit in @ir, which the caller allocated with room for @max insns. */
void ir_init(struct ir *ir, struct ir_insn *buf, uint32_t max, const struct ir_slots *slots);
void ir_begin(struct ir *ir, uint64_t pc, uint32_t flags);

/* Where a unit stands: what is appended behind can be taken back, but only the end of the unit may
 * follow then, as the builder's knowledge of slots is not restored. */
struct ir_mark {
    uint32_t count, limit, ninsns;
    bool ended, loops;
};
struct ir_mark ir_mark(const struct ir *ir);
void ir_rewind(struct ir *ir, const struct ir_mark *mark);

/* A unit's whole state, to go back to and build on. */
struct ir_snapshot {
    struct ir_mark mark;
    bool full;
    ir_val known[IR_MAX_SLOTS];
    ir_val recent[16];
};
void ir_save(const struct ir *ir, struct ir_snapshot *s);
void ir_restore(struct ir *ir, const struct ir_snapshot *s);
/* What was appended since @s is to have no effect if cond(a, b), values older than @s: its SETs
 * become SELECTs, and its instructions part of the one before. False where it has other effects, or
 * too many: the caller then goes back to @s. */
bool ir_skip_if(struct ir *ir, const struct ir_snapshot *s, enum ir_cond c, ir_val a, ir_val b);

/*
 * Appending. Types follow from the operands where not given. Both operands of a binary operation,
 * shifts included, have one type. A side exit found to be always taken becomes the unit's end:
 * then `ended` is set, and what is appended behind it is dropped (as after `full`, results are
 * IR_NONE, which every function here takes).
 */
void ir_insn_start(struct ir *ir, uint64_t pc);
ir_val ir_imm(struct ir *ir, enum ir_type type, int64_t v);
/* An address that is a fixed distance from the unit's own, as opposed to a number: whatever a front
 * end computes from the pc of an instruction. To the optimiser it is no constant. */
ir_val ir_pcrel(struct ir *ir, uint64_t addr);
/* Whether @v is an address known now, a number or relative to the pc. Who goes to a number there
 * makes the unit one that cannot move. */
bool ir_is_target(struct ir *ir, ir_val v, uint64_t *addr);
ir_val ir_get(struct ir *ir, unsigned slot);
void ir_set(struct ir *ir, unsigned slot, ir_val v);
/* What the slot holds will not be asked for before it is set again, not even by who looks at the
 * guest's state from outside: what this unit put there need not be written. */
void ir_kill(struct ir *ir, unsigned slot);
ir_val ir_unary(struct ir *ir, enum ir_op op, enum ir_type type, ir_val a);
ir_val ir_binary(struct ir *ir, enum ir_op op, ir_val a, ir_val b); /* result type: a's */
ir_val ir_setcc(struct ir *ir, enum ir_type type, enum ir_cond c, ir_val a, ir_val b);
ir_val ir_select(struct ir *ir, enum ir_cond c, ir_val a, ir_val b, ir_val yes, ir_val no);
ir_val ir_load(struct ir *ir, enum ir_type type, uint16_t mem, ir_val base, int64_t disp);
void ir_store(struct ir *ir, uint16_t mem, ir_val base, int64_t disp, ir_val v);
/* Makes sure that a store of @len bytes there will not fault, or leaves the unit for its unmerged
 * variant, which must not hold this CHECK then (trans.no_checks); at the start of an instruction.
 */
ir_val ir_check_store(struct ir *ir, uint16_t mem, ir_val base, int64_t disp, unsigned len);
/* Stores at @offset in what @check has checked, in the same mode. */
void ir_store_checked(struct ir *ir, uint16_t mem, ir_val check, unsigned offset, ir_val v);
ir_val ir_amo(struct ir *ir, enum ir_amo op, uint16_t mem, ir_val addr, ir_val v);
ir_val ir_cmpxchg(struct ir *ir, uint16_t mem, ir_val addr, ir_val expected, ir_val desired);
ir_val ir_load_linked(struct ir *ir, enum ir_type type, uint16_t mem, ir_val addr);
ir_val ir_store_linked(struct ir *ir, uint16_t mem, ir_val addr, ir_val expected, ir_val desired);
void ir_fence(struct ir *ir, unsigned mask);
/* With fewer operands than four the rest is IR_NONE. A helper with IR_H_WRITES makes all slots
 * unknown. */
ir_val ir_call(struct ir *ir, const struct ir_helper *h, ir_val a, ir_val b, ir_val c, ir_val d);
/* A call that may be the host's instruction @x87 (IR_X87) instead. */
ir_val ir_call_x87(struct ir *ir, unsigned x87, const struct ir_helper *h, ir_val a, ir_val b,
                   ir_val c);
ir_val ir_fma(struct ir *ir, unsigned signs, ir_val a, ir_val b, ir_val c);
ir_val ir_fcmp(struct ir *ir, enum ir_fcmp c, ir_val a, ir_val b);
ir_val ir_f2i(struct ir *ir, enum ir_type type, unsigned how, ir_val a);
/* @how as for ir_f2i() */
ir_val ir_i2f(struct ir *ir, enum ir_type type, unsigned how, ir_val a);
ir_val ir_fflags(struct ir *ir);
void ir_fkeep(struct ir *ir, ir_val flags);
/* Makes the sticky flags what they were at @fflags, an FFLAGS of this unit, if it can be done by
 * silencing the comparisons since; else changes nothing and returns false. */
bool ir_silence(struct ir *ir, ir_val fflags);
/* A vector operation of @lane bits (with IR_LANE_SCALAR: its scalar form); operands it does not
 * have are IR_NONE, @imm is 0 if it takes none. */
ir_val ir_v3(struct ir *ir, enum ir_vop vop, unsigned lane, unsigned imm, ir_val a, ir_val b,
             ir_val c);
void ir_exit_if(struct ir *ir, enum ir_cond c, ir_val a, ir_val b, uint64_t pc);
/* An exception of this instruction, raised by @h, which takes nothing but the CPU and does not
 * return. */
void ir_trap_if(struct ir *ir, enum ir_cond c, ir_val a, ir_val b, const struct ir_helper *h);
void ir_loop_if(struct ir *ir, enum ir_cond c, ir_val a, ir_val b);
void ir_guard(struct ir *ir, uint64_t pc);
void ir_loop(struct ir *ir);
void ir_exit(struct ir *ir, uint64_t pc);
void ir_exit_ind(struct ir *ir, ir_val pc);
void ir_exit_pc(struct ir *ir);

static inline const struct ir_insn *ir_def(const struct ir *ir, ir_val v)
{
    return &ir->insn[v];
}

static inline enum ir_type ir_type_of(const struct ir *ir, ir_val v)
{
    return (enum ir_type)ir->insn[v].type;
}

/* Whether @v is a constant; its value, sign extended from the type, goes to @imm. */
static inline bool ir_is_const(const struct ir *ir, ir_val v, int64_t *imm)
{
    if (v == IR_NONE || ir->insn[v].op != IR_CONST)
        return false;
    *imm = ir->insn[v].imm;
    return true;
}

static inline ir_val ir_imm64(struct ir *ir, int64_t v)
{
    return ir_imm(ir, IR_I64, v);
}
static inline ir_val ir_imm32(struct ir *ir, int32_t v)
{
    return ir_imm(ir, IR_I32, v);
}
#define IR_BINARY(fn, op)                                      \
    static inline ir_val fn(struct ir *ir, ir_val a, ir_val b) \
    {                                                          \
        return ir_binary(ir, op, a, b);                        \
    }
IR_BINARY(ir_add, IR_ADD)
IR_BINARY(ir_sub, IR_SUB)
IR_BINARY(ir_mul, IR_MUL)
IR_BINARY(ir_and, IR_AND)
IR_BINARY(ir_or, IR_OR)
IR_BINARY(ir_xor, IR_XOR)
IR_BINARY(ir_shl, IR_SHL)
IR_BINARY(ir_shr, IR_SHR)
IR_BINARY(ir_sar, IR_SAR)
#undef IR_BINARY
static inline ir_val ir_sext32(struct ir *ir, ir_val a)
{
    return ir_unary(ir, IR_SEXT32, IR_I64, a);
}
static inline ir_val ir_zext32(struct ir *ir, ir_val a)
{
    return ir_unary(ir, IR_ZEXT32, IR_I64, a);
}
static inline ir_val ir_trunc(struct ir *ir, ir_val a)
{
    return ir_unary(ir, IR_TRUNC, IR_I32, a);
}

static inline ir_val ir_v1(struct ir *ir, enum ir_vop vop, unsigned lane, unsigned imm, ir_val a)
{
    return ir_v3(ir, vop, lane, imm, a, IR_NONE, IR_NONE);
}
static inline ir_val ir_v2(struct ir *ir, enum ir_vop vop, unsigned lane, unsigned imm, ir_val a,
                           ir_val b)
{
    return ir_v3(ir, vop, lane, imm, a, b, IR_NONE);
}

/* Static properties of an operation. */
enum { IR_P_V = 1, IR_P_P = 2, IR_P_C = 4, IR_P_S = 8, IR_P_F = 16, IR_P_X = 32, IR_P_E = 64 };
struct ir_op_info {
    const char *name;
    uint8_t nargs;
    uint8_t props;
};
extern const struct ir_op_info ir_op_info[IR_NB_OPS];

/* Properties of a vector operation, and its shape: the kinds of result and operands, 4 bits each
 * from the lowest. */
enum { IR_VP_N = 1, IR_VP_C = 2, IR_VP_F = 4, IR_VP_S = 8 };
enum ir_vkind { IR_VK_NONE, IR_VK_V, IR_VK_X, IR_VK_I, IR_VK_L, IR_VK_F };
struct ir_vop_info {
    const char *name;
    uint16_t shape;
    uint8_t lanes; /* sizes in bits, ORed: 8 to 128 */
    uint8_t props;
};
extern const struct ir_vop_info ir_vop_info[IR_NB_VOPS];

/* The type of the result (@n 0) or of operand @n of a vector operation, IR_VOID for none. */
enum ir_type ir_vop_type(enum ir_vop vop, unsigned lane, unsigned n);

extern const char *const ir_type_name[IR_V128 + 1];
extern const uint8_t ir_type_bytes[IR_V128 + 1];

/*
 * Calls @h with @args (as many as it takes, zero extended) and, if it wants one, @cpu. The result
 * is zero extended from the helper's type; 0 if void.
 */
uint64_t ir_helper_call(const struct ir_helper *h, void *cpu, const uint64_t *args);

/* Text form (docs/ir.md): what -d op prints and what tests are written in. */
void ir_print(const struct ir *ir, FILE *to);
/* Parses a unit; helpers are looked up by name in @helpers (terminated by name NULL). On an error
 * returns false and sets *error to one line, to be g_free()d. */
bool ir_parse(struct ir *ir, const char *text, const struct ir_helper *const *helpers,
              char **error);
/* Checks types and order; for tests and --enable-debug. Returns NULL or what is wrong (g_free). */
char *ir_verify(const struct ir *ir);

#endif
