/*
 * What the translate-*.c share: the decoded instruction, its operands as IR, the tables' rows.
 *
 * Instructions are rows of the *.def files that forms.def lists, in the manual's notation:
 *
 *     X86("01 /r", "add", "Ev,Gv", alu, ALU_ADD, X_LOCK, NONE, 0)
 *
 *     bool x86_tr_alu(struct trans *t, const struct x86_insn *i)
 *     {
 *         ir_val a = x86_read(t, i, 0), b = x86_read(t, i, 1);
 *         ...
 *         return true;              false: before anything was emitted, raises #UD
 *     }
 *
 * Columns: encoding, name, operands, handler (x86_tr_<handler>), its argument (i->arg), X_ flags,
 * feature (FEAT_<feature>), flags that the manual leaves undefined (U_).
 *
 * Encoding, words in this order (the manual's volume 2, 3.1.1.1, 3.1.1.2):
 *     NP        none of 66, F2, F3         66 F3 F2  that prefix (F2 and F3 win over 66)
 *     NFx       neither F2 nor F3          without one of these: any
 *     REX.W W0  that bit of REX            without: any
 *     VEX.128.66.0F38.W1 instead of all these: 128 256 L0 L1 LIG LZ; NP 66 F3 F2; 0F 0F38 0F3A;
 *               W0 W1 WIG; any order, LIG and WIG may be left out
 *     0F, 0F 38, 0F 3A and the opcode; "+r": the low three bits are a register
 *     /r or /0 to /7, or a second byte that is the whole ModRM ("0F 01 D0")
 *     m or r    only with a memory operand or with a register
 * Of several rows that match, the first counts.
 *
 * Operands as in volume 2, appendix A.2: E G M R B I J O X Y S C D Z with sizes b w d q v y z (y:
 * 32 or 64 bits), registers by name (AL, AX, eAX: v-sized, DX, CL). "Ibs" is sign extended to the
 * operand size, "1" the constant. Those of other files (V W H U P Q N L x87) only matter to the
 * length through Ib and L. To add a table: NAME.def, a line in forms.def, translate-NAME.c.
 */
#ifndef X86_TRANSLATE_H
#define X86_TRANSLATE_H

#include <target/trans.h>
#include "feature.h"
#include "flags.h"
#include "helper.h"
#include "x86.h"

enum x86_form_flags {
    X_LOCK = 1 << 0,   /* LOCK is allowed if operand 0 is in memory */
    X_NO64 = 1 << 1,   /* not in 64-bit code */
    X_ONLY64 = 1 << 2, /* only there */
    X_D64 = 1 << 3,    /* operand size in 64-bit code is 64 bits, or 16 with 66 */
    X_F64 = 1 << 4,    /* ... is 64 bits always */
    X_CPL0 = 1 << 5,   /* else #GP(0) */
    X_PE = 1 << 6,     /* neither real nor virtual-8086 mode, else #UD */
    X_NOHOST = 1 << 7, /* tests must not run it on the bare host */
    X_REP = 1 << 8,    /* F2, F3 repeat it */
    X_VSIB = 1 << 9,   /* the index register is a vector (so 4 is one, too) */
};

/* Flags that the manual leaves undefined: bits of EFLAGS. */
enum {
    U_OF = FLAG_OF,
    U_SF = FLAG_SF,
    U_ZF = FLAG_ZF,
    U_AF = FLAG_AF,
    U_PF = FLAG_PF,
    U_CF = FLAG_CF,
    U_ALL = FLAGS_ARITH,
    U_DSHIFT = FLAGS_ARITH, /* counts above the operand's size leave everything undefined */
};

/* In the column of features: every CPU has it. */
enum { FEAT_NONE = 255 };

struct x86_insn;
typedef bool x86_handler(struct trans *t, const struct x86_insn *i);

/* A row as it stands in the table. */
struct x86_form {
    const char *encoding, *name, *operands;
    x86_handler *handler;
    uint32_t arg;
    uint16_t flags;
    uint8_t feature;
    uint16_t undefined;
};
extern const struct x86_form x86_forms[];
extern const unsigned x86_nforms;

enum x86_map { MAP_1, MAP_0F, MAP_0F38, MAP_0F3A, MAP_VEX0F, MAP_VEX0F38, MAP_VEX0F3A, MAP_COUNT };
enum x86_pp { PP_NONE, PP_66, PP_F3, PP_F2 };

/* What an operand is. */
enum x86_operand_kind {
    OPK_NONE,
    OPK_E,     /* ModRM.rm: register or memory */
    OPK_G,     /* ModRM.reg */
    OPK_R,     /* ModRM.rm as register, whatever mod is */
    OPK_M,     /* memory */
    OPK_B,     /* VEX.vvvv */
    OPK_Z,     /* opcode's low bits */
    OPK_FIXED, /* register `reg` */
    OPK_IMM,
    OPK_REL, /* relative jump: imm is the target's linear address */
    OPK_MOFFS,
    OPK_FAR, /* imm: offset, imm2: selector */
    OPK_STRING,
    OPK_OTHER, /* other files' own */
};

/* An encoding and operands taken apart; made of all rows once. */
struct x86_pattern {
    uint8_t map, opcode, opcode_mask;
    bool has_modrm;
    int16_t modrm;   /* whole byte, or -1 */
    int8_t ext;      /* ModRM.reg, or -1 */
    uint8_t mod;     /* 0 any, 'm', 'r' */
    uint8_t pp_mask; /* 1 << enum x86_pp of those allowed */
    int8_t w, l;     /* 0, 1, or -1 */
    uint8_t noperands;
    struct {
        uint8_t kind; /* enum x86_operand_kind */
        char type, size;
        uint8_t reg;
        bool is_signed;
    } operand[4];
};
const struct x86_pattern *x86_pattern(const struct x86_form *form);

enum x86_prefix {
    PFX_LOCK = 1,
    PFX_REPNE = 2, /* F2; the last one of F2 and F3 counts */
    PFX_REP = 4,   /* F3 */
    PFX_66 = 8,
    PFX_67 = 16,
    PFX_REX = 32,
    PFX_VEX = 64,
    PFX_SEG = 128, /* an override counts */
};

struct x86_insn {
    const struct x86_form *form;
    const struct x86_pattern *pattern;
    uint32_t arg;
    uint8_t prefixes; /* enum x86_prefix */
    uint8_t map, opcode, pp;
    uint8_t modrm, mod, reg, rm; /* reg, rm: with REX.R, REX.B */
    bool w;                      /* REX.W or VEX.W */
    uint8_t vex_l, vvvv;
    bool vex_used;     /* VEX.vvvv is not 1111, which is what it must be without such an operand */
    uint8_t size;      /* log2 of the operand size in bytes, of v operands: 1 to 3 */
    uint8_t addr_size; /* log2: 1 to 3 */
    /* Memory operand. */
    bool is_mem, rip_relative;
    int8_t base, index; /* registers, or -1 */
    uint8_t scale;      /* log2 */
    uint8_t seg;        /* segment it is in, override considered */
    int32_t disp;
    uint64_t imm, imm2; /* imm: sign extended if the operand is, else zero; moffs; far offset */
    uint8_t len;
    uint64_t bytes[2]; /* the instruction's */
};

/* ---- Mode ---- */

static inline struct x86_cpu *x86_tr_cpu(const struct trans *t)
{
    return x86_of(t->cpu);
}
static inline bool x86_is64(const struct trans *t)
{
    return t->flags & UF_CS64;
}
static inline unsigned x86_tr_cpl(const struct trans *t)
{
    return t->flags & UF_CPL;
}
static inline bool x86_is_v86(const struct trans *t)
{
    return t->flags & UF_VM;
}
/* Protected mode, not virtual-8086. */
static inline bool x86_is_protected(const struct trans *t)
{
    return (t->flags & (UF_PE | UF_VM)) == UF_PE;
}
/* Memop of a data access of 1 << @log2size bytes in the current mode. */
static inline uint16_t x86_mem(const struct trans *t, unsigned log2size)
{
    return IR_MEM(log2size, (t->flags & UF_MODE) >> UF_MODE_SHIFT, 0);
}
/* Of atomics, which x86 allows everywhere. */
static inline uint16_t x86_atomic_mem(const struct trans *t, unsigned log2size)
{
    return x86_mem(t, log2size) | IR_MEM_ANY;
}
/* The IR type of integers of that size: 8, 16 and 32 bits are i32. */
static inline enum ir_type x86_type(unsigned log2size)
{
    return log2size == 3 ? IR_I64 : IR_I32;
}

/* ---- Ends of instructions: these instead of trans_*(), for the trap flag and shadows ---- */

/* Raises and ends the unit; slots are as at the instruction's start, or as set since. */
void x86_tr_raise(struct trans *t, enum x86_exception vector);
void x86_tr_raise_error(struct trans *t, enum x86_exception vector, uint32_t error);
void x86_tr_goto(struct trans *t, uint64_t pc);   /* linear */
void x86_tr_goto_ind(struct trans *t, ir_val pc); /* linear */
void x86_tr_branch(struct trans *t, enum ir_cond c, ir_val a, ir_val b, uint64_t taken);
/* Goes on at t->next; unit flags may have changed. */
void x86_tr_resync(struct trans *t);
/* A helper has set tcg.pc (and did all that belongs to the instruction). */
void x86_tr_end(struct trans *t);

/* ---- Operands (operand.c) ---- */

/* General register, 1 << @log2size bytes, zero extended within its IR type. @n for bytes as
 * encoded: 4 to 7 are AH to BH unless @rex. Writes of 32 bits zero the upper half. */
ir_val x86_get_reg_val(struct trans *t, unsigned log2size, unsigned n, bool rex);
void x86_set_reg_val(struct trans *t, unsigned log2size, unsigned n, bool rex, ir_val v);

/* log2 of operand @n's bytes. */
unsigned x86_size_of(const struct x86_insn *i, unsigned n);
/* Operand @n as a value, zero extended within x86_type(x86_size_of(i, n)); and written. Memory is
 * accessed in this moment: a read-modify-write reads and writes, LOCK is the handler's. */
ir_val x86_read(struct trans *t, const struct x86_insn *i, unsigned n);
void x86_write(struct trans *t, const struct x86_insn *i, unsigned n, ir_val v);

/* Linear address as base + displacement, for ir_load() and ir_store(). */
struct x86_addr {
    ir_val base;
    int64_t disp;
};

/* An operand that is read and written: its address is worked out once. */
struct x86_place {
    int reg; /* or -1: memory at addr */
    bool rex;
    unsigned log2size;
    struct x86_addr addr;
};
struct x86_place x86_place(struct trans *t, const struct x86_insn *i, unsigned n);
ir_val x86_get(struct trans *t, const struct x86_place *p);
/* The same where x86_set() follows: a page that cannot be written faults as for a store. */
ir_val x86_get_to_change(struct trans *t, const struct x86_place *p);
void x86_set(struct trans *t, const struct x86_place *p, ir_val v);

/* The memory operand's address plus @offset, checked for an access of @bytes (1 to 32; larger
 * areas: check them piecewise). */
struct x86_addr x86_address(struct trans *t, const struct x86_insn *i, int32_t offset,
                            unsigned bytes);
/* ... as one value, for atomics and helpers. */
ir_val x86_address_val(struct trans *t, const struct x86_insn *i, int32_t offset, unsigned bytes);
/* The offset only (LEA), i64, truncated to the address size. */
ir_val x86_offset(struct trans *t, const struct x86_insn *i);
/* Linear address of @offset (i64, within its address size) in segment @seg. */
struct x86_addr x86_tr_linear(struct trans *t, unsigned seg, ir_val offset, unsigned bytes);
/* ir_load(), ir_store() of 1 << @log2size bytes there. Loads: zero extended to x86_type(). */
ir_val x86_tr_load(struct trans *t, unsigned log2size, struct x86_addr a);
void x86_tr_store(struct trans *t, unsigned log2size, struct x86_addr a, ir_val v);

/* @v with the low bits that the size has, zero or sign extended within its type. */
ir_val x86_zext(struct trans *t, unsigned log2size, ir_val v);
ir_val x86_sext(struct trans *t, unsigned log2size, ir_val v);
/* To i64, zero extended from the type; and an i64's low part in the type of the size. */
ir_val x86_wide(struct trans *t, ir_val v);
ir_val x86_narrow(struct trans *t, unsigned log2size, ir_val v);

/* EIP of a linear code address, as value: minus the CS base. */
ir_val x86_tr_eip(struct trans *t, uint64_t pc);

/* @offset from the stack pointer, for @bytes. */
struct x86_addr x86_stack(struct trans *t, int64_t offset, unsigned bytes);
/* The stack, operands of 1 << @log2size bytes. push: stores, then moves the pointer. */
void x86_push(struct trans *t, unsigned log2size, ir_val v);
/* The top word, @skip bytes above the pointer; nothing changes. */
ir_val x86_peek(struct trans *t, unsigned log2size, int32_t skip);
/* Adds to the stack pointer. */
void x86_move_sp(struct trans *t, int64_t bytes);

/* ---- Flags (translate-flags.c) ---- */

/* All of EFLAGS as i64, RF and VM as they are; and the arithmetic ones set from bits of an i64. */
ir_val x86_tr_eflags(struct trans *t);
void x86_tr_set_arith(struct trans *t, ir_val flags);
/* Flags become known lazily: cc_op @op (enum cc_op | log2size). IR_NONE for what @op does without.
 */
void x86_set_cc(struct trans *t, unsigned op, ir_val dst, ir_val src, ir_val src2);
/* CF and, unless IR_NONE, OF (0 or 1) change, the others stay. */
void x86_tr_set_carry(struct trans *t, ir_val cf, ir_val of);
/* The arithmetic flags in their places, i64. */
ir_val x86_tr_arith(struct trans *t);
/* CF as 0 or 1, i32. */
ir_val x86_carry(struct trans *t);
/* Condition code 0 to 15 as a comparison. */
struct x86_cond {
    enum ir_cond c;
    ir_val a, b;
};
struct x86_cond x86_condition(struct trans *t, unsigned cc);

/* Arguments of the integer handlers. */
enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
enum { SH_ROL, SH_ROR, SH_RCL, SH_RCR, SH_SHL, SH_SHR, SH_SAR };
enum { BIT_BT, BIT_BTS, BIT_BTR, BIT_BTC };
enum { COUNT_TZ, COUNT_LZ, COUNT_ONES };
enum { LOOP_NE, LOOP_E, LOOP_ANY, LOOP_CXZ };
enum { BCD_DAA, BCD_DAS, BCD_AAA, BCD_AAS };
enum { CARRY_CLEAR, CARRY_SET, CARRY_FLIP };
enum { STR_MOVS, STR_STOS, STR_LODS, STR_CMPS, STR_SCAS, STR_INS, STR_OUTS };

/* Bits beside log2 of a size in arguments of helpers. */
enum { DIV_SIGNED = 4, ROTATE_RIGHT = 4 };

#define X86(encoding, name, operands, handler, arg, flags, feature, undefined) \
    x86_handler x86_tr_##handler;
#include "forms.def"
#undef X86

/* decode.c: fills *i from the code at t->pc and sets t->next. False: it is none of this CPU's in
 * this mode (#UD), or longer than 15 bytes (*i.len 16: #GP), or not fetched (t->fetch_failed). */
bool x86_decode(struct trans *t, struct x86_insn *i);

#endif
