/*
 * Ports, PCI configuration and image files for tests of the PC's devices over qtest.
 *
 *     struct qclient *q = qc_start("-machine pc -arch x86_64");
 *     pc_out(q, 1, 0x1f6, 0xa0);
 */
#ifndef TESTS_LIB_PCIO_H
#define TESTS_LIB_PCIO_H

#include "qclient.h"

/* size: 1, 2 or 4 */
uint32_t pc_in(struct qclient *q, unsigned size, uint16_t port);
void pc_out(struct qclient *q, unsigned size, uint16_t port, uint32_t v);
uint32_t pc_config_read(struct qclient *q, unsigned slot, unsigned function, unsigned reg,
                        unsigned size);
void pc_config_write(struct qclient *q, unsigned slot, unsigned function, unsigned reg,
                     unsigned size, uint32_t v);

/* A file of `len` bytes that differ from sector to sector; the path, to be given to
 * pc_image_free(). */
char *pc_image_new(size_t len);
/* Bytes that such a file begins with, those of `seed` else; and what the file holds now. */
void pc_pattern(uint8_t *buf, size_t offset, size_t len, uint8_t seed);
void pc_image_read(const char *path, size_t offset, void *buf, size_t len);
void pc_image_free(char *path);

#endif
