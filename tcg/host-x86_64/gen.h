/*
 * State of generating one unit, shared by the files of this folder.
 *
 * Registers. RBP points 128 bytes into the CPU state, so that the hot slots have byte-sized
 * displacements; RSP has a spill area below the frame that enter() made. Nine *pinned* registers
 * hold the guest's hottest slots at all times, across units; five *temporaries* and the XMM
 * registers hold values within a unit. Other slots live in memory and are written when set.
 *
 * A unit that loops to its own head may *borrow*: pinned registers whose slots it does not use, and
 * XMM registers, hold other slots that it uses much. They are loaded before the head and written
 * back, and the pinned registers restored, on every way out. `gen.home` is the register of each
 * slot in this unit.
 *
 * A value is in a register, in a spill word, or in the memory of a slot that still holds it;
 * often in several of these. Constants are nowhere until an instruction wants them in a register.
 */
#ifndef HOST_X86_64_GEN_H
#define HOST_X86_64_GEN_H

#include <base/bug.h>
#include <tcg/backend.h>
#include "asm.h"

#define ENV         RBP
#define ENV_BIAS    128
#define TEMPS       (1u << RAX | 1u << RCX | 1u << RDX | 1u << RSI | 1u << RDI)
#define NB_PINNED   9
#define SPILL_WORDS 64
#define FRAME_SIZE  (SPILL_WORDS * 8 + 8) /* keeps RSP 16-byte aligned within units */
#define NO_SLOT     (-1)
#define HEADER_SIZE BACKEND_CHECKED /* unit pointer, padding */

extern const uint8_t pinned_regs[NB_PINNED]; /* callee-saved ones first */

enum thunk {
    T_ENTER,
    T_REFILL,
    T_LEAVE,
    T_LOOKUP,
    T_INDIRECT,
    T_LINK,
    T_NOMERGE,  /* by its table */
    T_UNMERGED, /* by asking C */
    T_LOAD,
    T_STORE,
    T_PROBE,
    T_AMO,
    T_CMPXCHG,
    T_LOAD_LINKED,
    T_STORE_LINKED,
    T_LOAD_WIDE,
    T_STORE_WIDE,
    T_LOAD_X,
    T_STORE_X,
    T_PROBE_X,
    T_AMO_X,
    T_CMPXCHG_X,
    T_LOAD_LINKED_X,
    T_STORE_LINKED_X,
    T_LOAD_WIDE_X,
    T_STORE_WIDE_X, /* these keep XMM registers */
    T_F2I_X,
    T_I2F_X,
    T_FMA_NAN_X,
    T_X87,
    T_X87_X,
    T_TRAP,
    C_NAN64,
    C_NAN32,
    C_SIGN64,
    C_SIGN32,
    C_ABS64,
    C_ABS32,
    C_BOX, /* 16-byte constants */
    C_TWO63,
    C_TWO63F,
    C_TWO31,
    C_TWO31F,
    C_FLAGS, /* 64 bytes: FP_* flags of MXCSR's low six bits */
    NB_THUNKS
};

struct gen;

struct backend_thunks {
    const uint8_t *rx;
    uint32_t at[NB_THUNKS];
    uint32_t raw[NB_THUNKS]; /* bridges that leave pinned registers' slots alone, for units that
                                borrow */
    const struct ir_slots *slots;
    bool wide_slots;                  /* no slot is an i32 */
    int8_t pin_of_slot[IR_MAX_SLOTS]; /* register or NO_REG */
    int16_t slot_of_pin[16];          /* slot or NO_SLOT */
    bool bmi2, bmi1, lzcnt, fma, sse41;
    uint32_t vec;     /* enum vec_feature */
    bool vops_called; /* vector operations are calls of the evaluator; to bisect wrong code: */
    uint8_t vop_called[IR_NB_VOPS]; /* or only some */
    struct gen *gen; /* one unit at a time: whoever translates holds the accelerator's lock */
};

/* What vector instructions the host has. */
enum vec_feature {
    VEC_SSE2 = 1, /* always */
    VEC_SSE3 = 2,
    VEC_SSSE3 = 4,
    VEC_SSE41 = 8,
    VEC_SSE42 = 16,
    VEC_AES = 32,
    VEC_CLMUL = 64,
    VEC_SHA = 128,
    VEC_AVX = 256, /* VEX encodings are used for all */
    VEC_AVX2 = 512,
    VEC_F16C = 1024,
    VEC_FMA = 2048,
};

struct loc {
    int8_t reg;    /* GPR or XMM number, or NO_REG */
    int16_t spill; /* word, or -1 */
    int16_t slot;  /* memory slot that holds it, or NO_SLOT */
};

enum stub_kind {
    STUB_EXIT,     /* side exit that needs checks before its link */
    STUB_SLOW_PC,  /* set pc, look up */
    STUB_UNMERGED, /* set pc, ask for the unit without CHECKs */
    STUB_IND,      /* jump cache miss */
    STUB_LOAD,
    STUB_STORE,
    STUB_CHECK,
    STUB_AMO,
    STUB_CMPXCHG,
    STUB_LOAD_LINKED,
    STUB_STORE_LINKED,
    STUB_POLL,
    STUB_CANON,
    STUB_UNBOX,
    STUB_FMINMAX,
    STUB_F2I,
    STUB_I2F,
    STUB_FCMP,
    STUB_FKEEP,
    STUB_FMA_NAN,
    STUB_DIV,
    STUB_X87,
    STUB_TRAP,
};

struct stub {
    uint8_t kind, type, cond;
    int8_t r1, r2, r3; /* operands and result */
    uint16_t mem;
    bool keep_xmm;
    bool inside;          /* borrowed registers are to be given back */
    uint32_t from, from2; /* rel32 fields that lead here (0: none) */
    uint32_t back;
    uint32_t again; /* the TLB probe, to be repeated after a refill; 0: there is none */
    uint32_t exit;
    int32_t disp;
    int64_t imm;
    uint64_t pc;
};

/* An operand in the constant pool: its RIP-relative displacement is filled in at the end. */
struct constant_use {
    uint32_t at;
    enum thunk c;
};
#define CONST_MARK 0x5ac35ac3
#define MAX_CONSTS 1024

/* A register that holds @slot while the unit runs, instead of @displaced (NO_SLOT: an XMM
 * register). */
struct borrow {
    int8_t reg;
    int16_t slot, displaced;
    bool dirty;
};
#define MAX_BORROWS (NB_PINNED + MAX_XHOMES)
#define MAX_XHOMES  9

#define MAX_STUBS 512
#define MAX_INSNS 4096

struct gen {
    struct as as;
    const struct backend_in *in;
    struct backend_out *out;
    const struct backend_thunks *th;
    const struct ir *ir;
    uint32_t pos;    /* operation being generated */
    uint64_t pc;     /* guest instruction it belongs to */
    uint32_t probe;  /* where the last TLB probe begins */
    uint32_t head;   /* where loops go */
    uint32_t locked; /* GPRs that must not be evicted now */
    uint32_t xlocked;
    ir_val in_reg[16], in_xmm[16];
    int8_t home[IR_MAX_SLOTS]; /* fixed register of each slot in this unit, or NO_REG */
    int16_t slot_of_pin[16];   /* the reverse for GPRs, or NO_SLOT */
    uint32_t xhomes;           /* XMM registers that are homes */
    struct borrow borrow[MAX_BORROWS];
    unsigned nborrows;
    ir_val slot_val[IR_MAX_SLOTS]; /* value that the slot holds now */
    uint64_t spill_used;
    unsigned nstubs, nconst;
    struct constant_use constant[MAX_CONSTS];
    bool failed;
    bool x87_ready; /* the host's x87 is known to hold the guest's state */
    bool went_back; /* the unit followed a jump back */
    struct stub stub[MAX_STUBS];
    uint32_t last[MAX_INSNS]; /* last use of each value, by operation */
    int16_t hint[MAX_INSNS]; /* slot it will be SET to, with nothing in between that could see it */
    struct loc loc[MAX_INSNS];
};

/* regs.c: where values are. */
void gen_analyse(struct gen *g);
ir_val gen_root(const struct gen *g, ir_val v);
bool gen_live_after(const struct gen *g, ir_val v);
bool gen_const(const struct gen *g, ir_val v, int64_t *imm);
bool gen_const32(const struct gen *g, ir_val v, int64_t *imm);
bool gen_known(const struct gen *g, ir_val v);         /* constant or address: needs no place */
void gen_load_known(struct gen *g, int reg, ir_val v); /* i32: zero extended */
int gen_use(struct gen *g, ir_val v);                  /* in a GPR, locked for this operation */
void gen_use_in(struct gen *g, ir_val v,
                int reg); /* copied to this temporary, which is evicted and locked */
struct rm gen_rm(struct gen *g, ir_val v); /* wherever it is; constants in a register */
int gen_temp(struct gen *g);               /* a free temporary, locked */
void gen_take(struct gen *g, int reg);     /* this temporary, evicted and locked */
int gen_def(struct gen *g, ir_val v); /* result register; operands that die here are free for it */
void gen_def_in(struct gen *g, ir_val v, int reg); /* result is in this temporary (taken before) */
void gen_free_dying(struct gen *g);
void gen_finish(struct gen *g);
bool gen_hinted(struct gen *g, ir_val v, ir_val *in, int *reg);
bool gen_in_xmm(const struct gen *g, ir_val v);
int gen_xuse(struct gen *g, ir_val v);
struct rm gen_xrm(struct gen *g, ir_val v); /* XMM or memory */
int gen_xtemp(struct gen *g);
void gen_xtake(struct gen *g, int reg); /* this one, evicted and locked; not a home */
int gen_xdef(struct gen *g, ir_val v);
void gen_get(struct gen *g, const struct ir_insn *i);
void gen_set(struct gen *g, const struct ir_insn *i);
struct rm gen_home(const struct gen *g, ir_val v);   /* memory that holds it */
void gen_save_live(struct gen *g, bool pinned_too);  /* before a call; operands stay in reach */
void gen_clear_regs(struct gen *g, bool pinned_too); /* after a call: these hold nothing */
void gen_default_homes(struct gen *g);
void gen_borrow(struct gen *g);                /* chooses and loads, in front of the head */
void gen_give_back(struct gen *g);             /* on a way out */
void gen_write_homes(struct gen *g);           /* all homes' slots are exact in memory */
void gen_save_pinned(struct gen *g, bool all); /* to the CPU state: all, or those a call destroys */
void gen_load_pinned(struct gen *g, bool all);
bool gen_xmm_live(const struct gen *g);

static inline bool is_float(enum ir_type t)
{
    return t == IR_F32 || t == IR_F64;
}

/* Values of the type live in XMM registers. */
static inline bool in_xmm(enum ir_type t)
{
    return is_float(t) || t == IR_V128;
}

static inline uint32_t op_w(enum ir_type t)
{
    return t == IR_I64 ? O_W : 0;
}

static inline struct rm rm_env(size_t offset)
{
    return rm_mem(ENV, (int32_t)offset - ENV_BIAS);
}

static inline struct rm rm_slot(const struct gen *g, int slot)
{
    return rm_env(g->th->slots->slot[slot].offset);
}

/* move.c */
void gen_note_move(struct gen *g, uint32_t at, enum backend_move kind);
void x86_copy(uint8_t *rw, const uint8_t *rx, const uint8_t *from_rx, uint32_t size,
              const void *unit, uint64_t distance, const uint16_t *move, unsigned nmoves,
              struct backend_map (*map)(void *opaque, uint32_t id), void *opaque);

/* stubs.c */
struct stub *gen_stub(struct gen *g, enum stub_kind kind, uint32_t from);
void gen_stubs(struct gen *g);
void gen_call_thunk(struct gen *g, enum thunk t);
void gen_jmp_thunk(struct gen *g, enum thunk t);
struct rm gen_constant(struct gen *g, enum thunk c);
void gen_set_pc(struct gen *g, uint64_t pc);

/* The operations by family. */
void gen_int(struct gen *g, const struct ir_insn *i);
void gen_compare(struct gen *g, enum ir_type type, enum ir_cond c, ir_val a, ir_val b);
int gen_cc(enum ir_cond c);
/* Guest memory. An address is a register + disp, as memory operands have it. */
struct addr {
    int base;
    int32_t disp;
};

/* Big-endian accesses have no inline form yet: the stub is all there is. */
static inline bool gen_always_slow(uint16_t mem)
{
    return mem & IR_MEM_BE;
}

/*
 * The probe. @len bytes from @at; an address that is not a multiple of @align (a power of two, 1:
 * any will do) misses, as its low bits stay in what is compared. Leaves the addend in @index; @t is
 * scratch. Returns the field of the jump taken on a miss.
 */
uint32_t gen_tlb_probe(struct gen *g, struct addr at, unsigned len, unsigned align, uint16_t mem,
                       int index, int t);
/* Where that jump goes; r1, disp, mem and type are set. */
struct stub *gen_access_stub(struct gen *g, enum stub_kind kind, uint32_t from, struct addr at,
                             const struct ir_insn *i);
void gen_host_load(struct gen *g, enum ir_type type, uint16_t mem, int rd, struct rm m);
void gen_memory(struct gen *g, const struct ir_insn *i);
void gen_atomic(struct gen *g, const struct ir_insn *i);
void gen_float(struct gen *g, const struct ir_insn *i);
void gen_vector(struct gen *g, const struct ir_insn *i);
bool gen_vector_calls(const struct gen *g, const struct ir_insn *i); /* the evaluator */
void gen_call(struct gen *g, const struct ir_insn *i);
void gen_x87(struct gen *g, const struct ir_insn *i); /* CALL with IR_X87 */
void x86_x87_load(struct tcg_cpu *cpu);
void gen_control(struct gen *g, const struct ir_insn *i);
void gen_exit_stub(struct gen *g, const struct stub *s);
void gen_checked_entry(struct gen *g);
void x86_trap(struct tcg_cpu *cpu, uint64_t helper);
uint64_t x86_f2i(struct tcg_cpu *cpu, uint64_t bits, uint64_t how);
uint64_t x86_i2f(struct tcg_cpu *cpu, uint64_t val, uint64_t how);
uint64_t x86_fma_nan(struct tcg_cpu *cpu, uint64_t a, uint64_t b, uint32_t is_double);
unsigned x86_flags_of(unsigned mxcsr); /* FP_* */
unsigned x86_fp_flags(struct tcg_cpu *cpu, bool inside);
unsigned x86_fp_take_flags(struct tcg_cpu *cpu, bool inside);
void x86_fp_set_round(struct tcg_cpu *cpu, unsigned round, bool inside);
void x86_fp_set_control(struct tcg_cpu *cpu, unsigned round, bool daz, bool ftz, bool inside);

/* thunks.c: members of struct backend. */
size_t host_init(struct backend_thunks **thunks, uint8_t *rw, const uint8_t *rx, size_t room,
                 const struct backend_runtime *rt, const struct ir_slots *slots);
void host_fini(struct backend_thunks *th);
void host_enter(const struct backend_thunks *th, struct tcg_cpu *cpu, const void *code);
const void *host_leave(const struct backend_thunks *th);

#endif
