/* What a board tells a "riscv.htif" beside its properties. Its regions: 0 tohost, 1 fromhost. */
#ifndef HW_CHAR_HTIF_H
#define HW_CHAR_HTIF_H

#include <stdint.h>

struct device;

/* Guest addresses of the test signature that is written to the file of property "signature". */
void htif_set_signature(struct device *dev, uint64_t begin, uint64_t end);

#endif
