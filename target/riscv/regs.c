/*
 * Registers by row: for gdb, the monitor and saved state. gdb numbers are those of its RISC-V
 * target: x and pc 0 to 32, f 33 to 64, CSR n at 65 + n, privilege 4161.
 */
#include <inttypes.h>
#include "riscv.h"
#include "vector.h"

enum { GDB_PC = 32, GDB_F = 33, GDB_CSR = 65, GDB_PRIV = 65 + 4096, GDB_V = 4162 };

enum row_kind { ROW_X, ROW_F, ROW_FIELD, ROW_CSR, ROW_V };

/* Beside each cpu_reg: where the value is. */
struct row {
    enum row_kind kind;
    unsigned n; /* register or CSR number, or offset of a field */
};

struct rows {
    GArray *reg; /* struct cpu_reg */
    GArray *row; /* struct row */
};

/* What cannot be written, is a view of another CSR, has a hidden row, or depends on what is locked.
 */
static bool csr_derived(unsigned n)
{
    switch (n) {
    case 0x001 ... 0x003: /* fflags, frm, fcsr */
    case 0x008 ... 0x00f: /* vector */
    case 0x100:           /* sstatus, sie, sip */
    case 0x104:
    case 0x144:
    case 0x301: /* misa */
    case 0x310: /* mstatush */
    case 0x344: /* mip */
    case 0x3a0 ... 0x3ef: /* PMP */ return true;
    default: return n >> 10 == 3;
    }
}

static void add(struct rows *r, enum row_kind kind, unsigned n, const char *name, unsigned bits,
                unsigned number, const char *group, const char *type)
{
    struct cpu_reg reg = { .name = name,
                           .bits = bits,
                           .number = number,
                           .group = group,
                           .gdb_type = type,
                           .derived = kind == ROW_CSR && csr_derived(n) };
    struct row row = { kind, n };

    g_array_append_val(r->reg, reg);
    g_array_append_val(r->row, row);
}

#define FIELD(r, name, field, number, group, type)             \
    add(r, ROW_FIELD, offsetof(struct riscv_cpu, field), name, \
        8 * sizeof(((struct riscv_cpu *)NULL)->field), number, group, type)

static void add_general(struct rows *r, unsigned xlen)
{
    static const char *const f[] = {
        "ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1",  "fa0",
        "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4",  "fs5",
        "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
    };
    const struct ir_slot *x = riscv_slots64.slot;

    for (unsigned n = 0; n < 32; n++)
        add(r, ROW_X, n, x[n].name, xlen, n, "general",
            n == 2   ? "data_ptr"
            : n == 1 ? "code_ptr"
                     : "int");
    add(r, ROW_FIELD, offsetof(struct riscv_cpu, cpu.tcg.pc), "pc", xlen, GDB_PC, "general",
        "code_ptr");
    for (unsigned n = 0; n < 32; n++)
        add(r, ROW_F, n, f[n], 64, GDB_F + n, "float", "ieee_double");
}

static void add_csrs(struct rows *r, unsigned xlen)
{
    for (unsigned n = 0; n < 4096; n++) {
        char *name = riscv_csr_name(n);
        if (!name)
            continue;
        bool fp = n >= 1 && n <= 3;
        add(r, ROW_CSR, n, name, fp ? 32 : xlen, GDB_CSR + n, fp ? "float" : "csr", "int");
    }
    FIELD(r, "priv", priv, GDB_PRIV, "virtual", "int");
}

static void add_vectors(struct rows *r)
{
    static const char *const names[] = {
        "v0",  "v1",  "v2",  "v3",  "v4",  "v5",  "v6",  "v7",  "v8",  "v9",  "v10",
        "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21",
        "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31",
    };

    for (unsigned n = 0; n < 32; n++)
        add(r, ROW_V, n, names[n], 1024, GDB_V + n, "vector", "riscv_vector");
}

/* State that CSRs show in part or not at all, for saving. What the model is cannot change: there it
 * is to be seen that a state is of another one. */
static void add_hidden(struct rows *r)
{
#define HIDDEN(field) FIELD(r, "." #field, field, CPU_REG_NONE, "hidden", "int")
    HIDDEN(ext[0]);
    HIDDEN(ext[1]);
    HIDDEN(vlen);
    HIDDEN(elen);
    HIDDEN(hartid);
    HIDDEN(mip);
    HIDDEN(lines);
    HIDDEN(res_addr);
    HIDDEN(res_val);
    HIDDEN(fflags);
    HIDDEN(frm);
    HIDDEN(vtype);
    HIDDEN(vl); /* after vtype, which clears it */
    HIDDEN(vstart);
    HIDDEN(vxrm);
    HIDDEN(vxsat);
    HIDDEN(pmpcfg);
    HIDDEN(pmpaddr);
    HIDDEN(cpu.halted);
#undef HIDDEN
}

static const struct rows *rows_of(const struct riscv_cpu *c)
{
    static struct rows rows[2]; /* by XLEN; the same for all harts */
    static gsize ready[2];
    unsigned k = c->xlen == 64;

    if (g_once_init_enter(&ready[k])) {
        struct rows *r = &rows[k];
        r->reg = g_array_new(false, false, sizeof(struct cpu_reg));
        r->row = g_array_new(false, false, sizeof(struct row));
        add_general(r, c->xlen);
        add_csrs(r, c->xlen);
        add_vectors(r);
        add_hidden(r);
        g_once_init_leave(&ready[k], 1);
    }
    return &rows[k];
}

const struct cpu_reg *riscv_regs(struct cpu *cpu, unsigned *count)
{
    const struct rows *r = rows_of(riscv_of(cpu));

    *count = r->reg->len;
    return (const struct cpu_reg *)r->reg->data;
}

/* Some CSRs exist by model and by number only; neither privilege nor a unit that is off hides them
 * from a debugger. */
static bool csr_there(const struct riscv_cpu *c, unsigned n)
{
    switch (n) {
    case 0x001 ... 0x003: return riscv_have(c, EXT_F);
    case 0x008 ... 0x00f:
    case 0xc20 ... 0xc22: return riscv_csr_find(n) && riscv_have(c, EXT_V);
    default: return riscv_csr_allowed(c, n, false, PRIV_M);
    }
}

bool riscv_get_reg(struct cpu *cpu, unsigned i, void *buf)
{
    struct riscv_cpu *c = riscv_of(cpu);
    const struct rows *r = rows_of(c);
    const struct row *row = &g_array_index(r->row, struct row, i);
    unsigned bytes = g_array_index(r->reg, struct cpu_reg, i).bits / 8;

    switch (row->kind) {
    case ROW_X: stn_le(buf, bytes, riscv_get_x(cpu, row->n)); return true;
    case ROW_F:
        if (!riscv_have(c, EXT_F))
            return false;
        stn_le(buf, bytes, c->f[row->n]);
        return true;
    case ROW_FIELD:
        riscv_fp_gather(c);
        memcpy(buf, (char *)c + row->n, bytes);
        return true;
    case ROW_CSR:
        if (!csr_there(c, row->n))
            return false;
        stn_le(buf, bytes, riscv_csr_read(c, row->n));
        return true;
    default:
        if (!riscv_have(c, EXT_V))
            return false;
        memcpy(buf, c->v + row->n * (c->vlen / 8), c->vlen / 8);
        return true;
    }
}

/* A field was set from outside: what is derived of any of them. */
static void field_changed(struct riscv_cpu *c)
{
    riscv_fp_round(c);
    riscv_pmp_update(c);
    riscv_stimer_update(c);
    cpu_update_flags(&c->cpu);
}

/* vtype and vl as an instruction would set them; a vtype that is not legal is vill's. */
static bool set_vector_length(struct riscv_cpu *c, uint64_t vtype, uint64_t vl)
{
    if (vtype == c->vtype && vl == c->vl)
        return true;
    if (!riscv_have(c, EXT_V))
        return false;
    riscv_vset(c, vtype, vl);
    return c->vtype == vtype && c->vl == vl;
}

static bool priv_ok(const struct riscv_cpu *c, uint64_t v)
{
    return v == PRIV_M || (v == PRIV_S && riscv_have(c, EXT_S)) ||
           (v == PRIV_U && riscv_have(c, EXT_U));
}

/* Whether field @offset can have the value; numbers are in @v, too. */
static bool field_ok(const struct riscv_cpu *c, size_t offset, uint64_t v, const void *buf,
                     unsigned bytes)
{
#define AT(field) offsetof(struct riscv_cpu, field)
    static const struct {
        size_t offset;
        uint64_t bits; /* that can be set */
    } numbers[] = {
        { AT(fflags), 31 },
        { AT(frm), 7 },
        { AT(vxrm), 3 },
        { AT(vxsat), 1 },
        { AT(cpu.halted), 1 },
        { AT(mip), IRQ_S },
        { AT(lines), IRQ_S | IRQ_MSI | IRQ_MTI | IRQ_MEI },
    };
    static const size_t fixed[] = { AT(ext[0]), AT(ext[1]), AT(vlen), AT(elen), AT(hartid) };

    for (unsigned k = 0; k < ARRAY_LEN(fixed); k++)
        if (offset == fixed[k])
            return !memcmp((const char *)c + offset, buf, bytes);
    for (unsigned k = 0; k < ARRAY_LEN(numbers); k++)
        if (offset == numbers[k].offset)
            return !(v & ~numbers[k].bits);
    if (offset == AT(vstart))
        return v < c->vlen || !v;
    return offset != AT(priv) || priv_ok(c, v);
#undef AT
}

static bool set_field(struct riscv_cpu *c, size_t offset, const void *buf, unsigned bytes)
{
    uint64_t v = bytes <= 8 ? ldn_le(buf, bytes) : 0;

    if (offset == offsetof(struct riscv_cpu, vtype))
        return set_vector_length(c, v, v == c->vtype ? c->vl : 0);
    if (offset == offsetof(struct riscv_cpu, vl))
        return set_vector_length(c, c->vtype, v);
    if (!field_ok(c, offset, v, buf, bytes))
        return false;
    riscv_fp_gather(c); /* what was pending must not come on top of a new fflags */
    if (offset == offsetof(struct riscv_cpu, priv))
        riscv_counters_enter(c, v);
    memcpy((char *)c + offset, buf, bytes);
    field_changed(c);
    return true;
}

bool riscv_set_reg(struct cpu *cpu, unsigned i, const void *buf)
{
    struct riscv_cpu *c = riscv_of(cpu);
    const struct rows *r = rows_of(c);
    const struct row *row = &g_array_index(r->row, struct row, i);
    unsigned bytes = g_array_index(r->reg, struct cpu_reg, i).bits / 8;

    switch (row->kind) {
    case ROW_X:
        if (row->n)
            riscv_set_x(cpu, row->n, ldn_le(buf, bytes));
        return true;
    case ROW_F: c->f[row->n] = ldn_le(buf, bytes); return riscv_have(c, EXT_F);
    case ROW_FIELD: return set_field(c, row->n, buf, bytes);
    case ROW_CSR:
        if (!csr_there(c, row->n) || row->n >> 10 == 3)
            return false;
        riscv_csr_write(c, row->n, ldn_le(buf, bytes), ~0ULL);
        return true;
    default:
        if (!riscv_have(c, EXT_V))
            return false;
        memcpy(c->v + row->n * (c->vlen / 8), buf, c->vlen / 8);
        return true;
    }
}

/* ---- info registers ---- */

static void line(struct riscv_cpu *c, GString *out, const char *name, uint64_t val)
{
    g_string_append_printf(out, " %-8s %0*" PRIx64 "\n", name, (int)c->xlen / 4, val);
}

/* Most significant byte first, as a number is read. */
static void dump_vectors(struct riscv_cpu *c, GString *out)
{
    static const struct {
        const char *name;
        size_t field;
    } csrs[] = {
        { "vstart", offsetof(struct riscv_cpu, vstart) },
        { "vl", offsetof(struct riscv_cpu, vl) },
        { "vtype", offsetof(struct riscv_cpu, vtype) },
        { "vxrm", offsetof(struct riscv_cpu, vxrm) },
        { "vxsat", offsetof(struct riscv_cpu, vxsat) },
    };

    for (unsigned k = 0; k < ARRAY_LEN(csrs); k++)
        line(c, out, csrs[k].name, *(uint64_t *)((char *)c + csrs[k].field));
    for (unsigned n = 0; n < 32; n++) {
        const uint8_t *v = c->v + n * (c->vlen / 8);
        g_string_append_printf(out, " v%-7u ", n);
        for (unsigned k = c->vlen / 8; k-- > 0;)
            g_string_append_printf(out, "%02x", v[k]);
        g_string_append_c(out, '\n');
    }
}

void riscv_dump(struct cpu *cpu, GString *out)
{
    static const uint16_t csrs[] = {
        0xf14, 0x300, 0x310, 0x344, 0x304, 0x303, 0x302, 0x305, 0x105, 0x341, 0x141,
        0x342, 0x142, 0x343, 0x143, 0x340, 0x140, 0x180, 0x100, 0x144, 0x104,
    };
    struct riscv_cpu *c = riscv_of(cpu);
    const struct cpu_reg *reg = riscv_regs(cpu, &(unsigned){ 0 });

    line(c, out, "pc", cpu->tcg.pc);
    for (unsigned k = 0; k < ARRAY_LEN(csrs); k++) {
        g_autofree char *name = riscv_csr_name(csrs[k]);
        if (csr_there(c, csrs[k]))
            line(c, out, name, riscv_csr_read(c, csrs[k]));
    }
    for (unsigned n = 0; n < 32; n++)
        g_string_append_printf(out, " x%u/%-4s %0*" PRIx64 "%s", n, reg[n].name, (int)c->xlen / 4,
                               n ? riscv_get_x(cpu, n) : 0, n % 4 == 3 ? "\n" : "");
    if (!riscv_have(c, EXT_F))
        return;
    for (unsigned n = 0; n < 32; n++)
        g_string_append_printf(out, " f%u/%-4s %016" PRIx64 "%s", n, reg[GDB_F + n].name, c->f[n],
                               n % 4 == 3 ? "\n" : "");
    if (riscv_have(c, EXT_V))
        dump_vectors(c, out);
}
