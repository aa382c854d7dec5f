/*
 * Forming units: superblocks that follow direct jumps and fall through branches, loops to their
 * own head, guards where they enter another page.
 */
#include <string.h>
#include <base/bug.h>
#include <target/trans.h>

static bool same_page(uint64_t a, uint64_t b)
{
    return ((a ^ b) & TCG_PAGE_MASK) == 0;
}

/* IR operations that one more instruction may take, with room to end the unit. */
#define INSN_ROOM 128

uint16_t trans_fetch16(struct trans *t, unsigned offset)
{
    uint32_t val = 0;
    uint64_t at = t->pc + offset;

    if (t->fetch_failed)
        return 0;
    if (!t->fetch->read(t->fetch_opaque, at, 2, &val)) {
        t->fetch_failed = true;
        t->fault_pc = at;
        return 0;
    }
    return val;
}

uint8_t trans_fetch8(struct trans *t, unsigned offset)
{
    uint64_t at = t->pc + offset, word = at & ~UINT64_C(3);

    if (t->word_at != (word | 1)) {
        if (t->fetch_failed)
            return 0;
        if (!t->fetch->read(t->fetch_opaque, word, 4, &t->word)) {
            t->fetch_failed = true;
            t->fault_pc = at;
            return 0;
        }
        t->word_at = word | 1;
    }
    return t->word >> (at & 3) * 8;
}

/* Longest body of a loop that is worth repeating, and how much repeating it may make, in
 * instructions. */
#define UNROLL_BODY 24
#define UNROLL_ALL  64

/*
 * Short loops are repeated within the unit: where a pointer advances by a constant, the accesses of
 * several rounds then share one check (tcg/opt/merge.c).
 */
static bool may_unroll(const struct trans *t)
{
    unsigned rounds = t->rounds + 1, body = t->insns / rounds + 1;

    return !t->single && !t->no_loop && body <= UNROLL_BODY && body * (rounds + 1) <= UNROLL_ALL &&
           rounds < 4 && t->ir->count * (rounds + 1) / rounds + INSN_ROOM < t->ir->max;
}

static bool may_loop(const struct trans *t)
{
    return !t->single && !t->no_loop;
}

void trans_goto(struct trans *t, uint64_t pc)
{
    t->how = TRANS_GOTO;
    t->target = pc;
}

static void branch(struct trans *t, enum ir_cond c, ir_val a, ir_val b, uint64_t taken)
{
    if (taken == t->start && may_unroll(t)) {
        ir_exit_if(t->ir, c ^ 1, a, b, t->next);
        if (t->ir->ended)
            t->how = TRANS_ENDED;
        else
            trans_goto(t, t->start);
        return;
    }
    if (taken == t->start && may_loop(t)) {
        ir_loop_if(t->ir, c, a, b);
        if (t->ir->ended)
            t->how = TRANS_ENDED;
        return;
    }
    ir_exit_if(t->ir, c, a, b, taken);
    if (t->ir->ended) { /* the builder knows the outcome */
        t->how = TRANS_ENDED;
        return;
    }
    /* A jump back that is not ours closes some other unit's loop: what follows it is rarely reached
     * from here. */
    if (taken <= t->pc)
        t->cold = true;
}

/* Bytes of instructions that are worth being done for nothing rather than jumped over. */
#define SKIP_BYTES 12

static bool may_skip(const struct trans *t, uint64_t taken)
{
    return !t->single && !t->skip.on && taken > t->next && taken - t->next <= SKIP_BYTES &&
           same_page(t->pc, taken) && taken != t->start;
}

void trans_branch(struct trans *t, enum ir_cond c, ir_val a, ir_val b, uint64_t taken)
{
    if (taken == t->next)
        return;
    if (may_skip(t, taken)) {
        t->skip = (struct trans_skip){ true, c, a, b, taken };
        return;
    }
    branch(t, c, a, b, taken);
}

void trans_goto_ind(struct trans *t, ir_val pc)
{
    uint64_t known;

    if (ir_is_target(t->ir, pc, &known)) {
        trans_goto(t, known);
        return;
    }
    ir_exit_ind(t->ir, pc);
    t->how = TRANS_ENDED;
}

void trans_resync(struct trans *t)
{
    ir_exit_ind(t->ir, ir_pcrel(t->ir, t->next));
    t->how = TRANS_ENDED;
}

void trans_end(struct trans *t)
{
    ir_exit_pc(t->ir);
    t->how = TRANS_ENDED;
}

/* May the unit go on at @pc rather than leave for it? */
static bool may_follow(const struct trans *t, uint64_t pc)
{
    return !t->single && !t->cold && t->insns < t->max_insns &&
           t->ir->count + INSN_ROOM < t->ir->max && !t->fetch->breakpoint(t->fetch_opaque, pc);
}

/* Makes sure that code at @pc, the next to be translated, is still mapped when the unit comes
 * there. */
static bool enter_page(struct trans *t, uint64_t pc)
{
    uint32_t dummy;

    for (unsigned k = 0; k < t->npages; k++)
        if (same_page(t->page[k], pc))
            return true;
    if (t->npages == G_N_ELEMENTS(t->page) ||
        !t->fetch->read(t->fetch_opaque, pc, t->cpu->ops->insn_align >= 2 ? 2 : 1, &dummy))
        return false;
    t->page[t->npages++] = pc & TCG_PAGE_MASK;
    ir_guard(t->ir, pc);
    return true;
}

/*
 * An instruction that reaches into a page not entered yet starts a unit of its own, for which the
 * accelerator has both pages checked at the entry.
 */
static bool straddles(const struct trans *t)
{
    return !same_page(t->pc, t->next - 1);
}

static void translate_one(struct trans *t)
{
    t->how = TRANS_NEXT;
    ir_insn_start(t->ir, t->pc);
    if (t->count_slot)
        ir_set(t->ir, t->count_slot,
               ir_add(t->ir, ir_get(t->ir, t->count_slot), ir_imm64(t->ir, 1)));
    t->cpu->ops->translate(t);
    t->insns++;
}

/* Translates what the branch skips. False: it cannot be done without the branch. */
static bool translate_skipped(struct trans *t)
{
    for (t->pc = t->next; t->pc != t->skip.to; t->pc = t->next) {
        if (t->fetch->breakpoint(t->fetch_opaque, t->pc) || t->insns >= t->max_insns)
            return false;
        translate_one(t);
        if (t->fetch_failed || t->how != TRANS_NEXT || t->next > t->skip.to || t->ir->ended)
            return false;
    }
    return true;
}

/* A branch over a few instructions is pending: makes them conditional, else emits the branch. */
static void finish_skip(struct trans *t)
{
    uint64_t pc = t->pc, next = t->next, guest[G_N_ELEMENTS(t->guest)];
    struct trans_skip s = t->skip;
    struct ir_snapshot before;
    unsigned insns = t->insns;
    bool cold = t->cold;

    ir_save(t->ir, &before);
    memcpy(guest, t->guest, sizeof(guest));
    if (!translate_skipped(t) ||
        memcmp(guest + 1, t->guest + 1, sizeof(guest) - sizeof(guest[0])) ||
        !ir_skip_if(t->ir, &before, s.cond, s.a, s.b)) {
        ir_restore(t->ir, &before);
        memcpy(t->guest, guest, sizeof(guest));
        t->pc = pc;
        t->next = next;
        t->insns = insns;
        t->fetch_failed = false;
        t->cold = cold;
        t->how = TRANS_NEXT;
        branch(t, s.cond, s.a, s.b, s.to);
    }
    t->skip.on = false;
}

/* Takes back the instruction that could not be read to its end. */
static void undo(struct trans *t, const struct ir_mark *mark)
{
    ir_rewind(t->ir, mark);
    t->insns--;
}

void trans_unit(struct trans *t)
{
    t->insns = 0;
    t->rounds = 0;
    t->cold = false;
    t->fetch_failed = t->straddles = t->skip.on = false;
    t->word_at = 0;
    t->npages = 1;
    t->page[0] = t->start & TCG_PAGE_MASK;
    t->pc = t->start;
    memset(t->guest, 0, sizeof(t->guest));
    for (;;) {
        struct ir_mark mark = ir_mark(t->ir);

        translate_one(t);
        if (t->fetch_failed) {
            undo(t, &mark);
            if (t->insns)
                ir_exit(t->ir, t->pc);
            return;
        }
        if (straddles(t)) {
            if (t->insns > 1) {
                undo(t, &mark);
                ir_exit(t->ir, t->pc);
                return;
            }
            t->straddles = true;
        }
        if (t->skip.on)
            finish_skip(t);
        if (t->how == TRANS_ENDED)
            return;
        uint64_t next = t->how == TRANS_GOTO ? t->target : t->next;
        if (next == t->start && may_loop(t)) {
            if (!may_unroll(t)) {
                ir_loop(t->ir);
                return;
            }
            t->rounds++;
        }
        if (t->how == TRANS_GOTO && t->insns > 1 && next < t->pc && next > t->start)
            t->cold = true; /* back into our own middle: another unit's loop head */
        if (t->straddles || !may_follow(t, next) || !enter_page(t, next)) {
            ir_exit(t->ir, next);
            return;
        }
        t->pc = next;
    }
}
