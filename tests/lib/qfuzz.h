/*
 * Random accesses to devices over qtest, with the monitor looking on: a program that ends, answers
 * no more, or grows fails the test.
 *
 *     qf_init(&argc, &argv);
 *     qf_run("-machine pc -arch x86_64 -m 16M", windows, G_N_ELEMENTS(windows), prepare);
 *
 * The seed is printed, on stderr where the test fails; QTEST_SEED gives it back, QTEST_FUZZ_MS says
 * for how long each board is tried.
 */
#ifndef TESTS_LIB_QFUZZ_H
#define TESTS_LIB_QFUZZ_H

#include <glib.h>
#include "pcio.h"

/* A window of ports. */
#define QF_PORT (UINT64_C(1) << 63)

struct qf_window {
    uint64_t base, size;
};

typedef void qf_prepare_fn(struct qclient *q);

/* Before g_test_add. */
void qf_init(int *argc, char ***argv);

/* Any number below n, and a value for a register: often one of those that matter. */
uint32_t qf_below(uint32_t n);
uint64_t qf_value(void);
/* One of an array. */
#define QF_PICK(array) ((array)[qf_below(G_N_ELEMENTS(array))])

/* Queued (qc_queue): fills guest memory with words that descriptors may consist of: small numbers,
 * flags, and addresses from `near` on. */
void qf_fill(struct qclient *q, uint64_t at, unsigned words, uint32_t near);

/* Queued: rings and buffers of virtio at QF_RINGS pages from `ram` on: the first half to be taken
 * as descriptor tables, driver and device areas, what their descriptors name in the other half. */
#define QF_RINGS 8
void qf_rings(struct qclient *q, uint32_t ram);

/* Hits the windows; prepare (or NULL) comes before each round. */
void qf_run(const char *args, const struct qf_window *windows, unsigned n, qf_prepare_fn *prepare);

/* The same for the board pc, with all BARs of all functions on it, also behind a bridge, placed and
 * enabled before each round, and their configuration written at random. More windows and a prepare
 * function may be given. */
void qf_run_pci(const char *args, const struct qf_window *windows, unsigned n,
                qf_prepare_fn *prepare);
/* Within prepare of qf_run_pci: where BAR `bar` of the n-th function of vendor << 16 | device was
 * placed, 0: there is none. */
uint64_t qf_bar(uint32_t id, unsigned n, unsigned bar);

#endif
