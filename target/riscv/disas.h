/*
 * What the disassembler's files share.
 */
#ifndef RISCV_DISAS_H
#define RISCV_DISAS_H

#include <glib.h>
#include <target/decode.h>

/* Names of the calling convention. */
const char *riscv_x_name(unsigned n);
const char *riscv_f_name(unsigned n);

/* @insn, which is of form @f of the vector table. */
void riscv_disas_vector(const struct decode_form *f, uint32_t insn, GString *out);

#endif
