/*
 * Copies of a unit's code for other addresses: what in it depends on where it runs and on where the
 * guest's code is.
 */
#include "gen.h"

#define KIND_BITS 2

void gen_note_move(struct gen *g, uint32_t at, enum backend_move kind)
{
    struct backend_out *out = g->out;

    if (!out->movable || g->as.full)
        return;
    if (out->nmoves == BACKEND_MAX_MOVES || at > UINT16_MAX >> KIND_BITS) {
        out->movable = false;
        return;
    }
    out->move[out->nmoves++] = (uint16_t)(at << KIND_BITS | kind);
}

static uint32_t load4(const uint8_t *at)
{
    uint32_t v;

    memcpy(&v, at, sizeof(v));
    return v;
}

static void put4(uint8_t *at, uint32_t v)
{
    memcpy(at, &v, sizeof(v));
}

static void move_addr(uint8_t *at, uint64_t distance)
{
    uint64_t v;

    memcpy(&v, at, sizeof(v));
    v += distance;
    memcpy(at, &v, sizeof(v));
}

static void move_halves(uint8_t *at, uint64_t distance)
{
    uint64_t v = load4(at) | (uint64_t)load4(at + BACKEND_HALVES) << 32;

    v += distance;
    put4(at, (uint32_t)v);
    put4(at + BACKEND_HALVES, (uint32_t)(v >> 32));
}

void x86_copy(uint8_t *rw, const uint8_t *rx, const uint8_t *from_rx, uint32_t size,
              const void *unit, uint64_t distance, const uint16_t *move, unsigned nmoves,
              struct backend_map (*map)(void *opaque, uint32_t id), void *opaque)
{
    memcpy(rw, from_rx, size);
    memcpy(rw, &unit, sizeof(unit));
    for (unsigned k = 0; k < nmoves; k++) {
        uint8_t *at = rw + (move[k] >> KIND_BITS);
        struct backend_map m;

        switch ((enum backend_move)(move[k] & ((1u << KIND_BITS) - 1))) {
        case MOVE_ADDR: move_addr(at, distance); break;
        case MOVE_HALVES: move_halves(at, distance); break;
        case MOVE_CODE: put4(at, load4(at) - (uint32_t)(rx - from_rx)); break;
        case MOVE_MAP:
            m = map(opaque, load4(at + 4));
            put4(at, m.cell - ENV_BIAS);
            put4(at + 4, m.id);
            break;
        }
    }
}
