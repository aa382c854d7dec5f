/*
 * Names of the text form (docs/ir.md) that printer and parser share. Tables are indexed by the
 * enums of tcg/ir.h.
 */
#ifndef TCG_IR_TEXT_H
#define TCG_IR_TEXT_H

#include <tcg/ir.h>

#define IR_NB_CONDS 12
#define IR_NB_FCMPS 5
#define IR_NB_AMOS  9
#define IR_NB_RNDS  6

extern const char *const ir_cond_name[IR_NB_CONDS];
extern const char *const ir_fcmp_name[IR_NB_FCMPS];
extern const char *const ir_amo_name[IR_NB_AMOS];
extern const char *const ir_round_name[IR_NB_RNDS];

#endif
