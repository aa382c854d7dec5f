/* What the loop needs of the clocks. */
#ifndef BASE_CLOCK_PRIVATE_H
#define BASE_CLOCK_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

struct clocks;

struct clocks *clocks_new(void);
void clocks_free(struct clocks *cs);
/* ns until a timer that the loop has to run is due; 0 now, INT64_MAX none. */
int64_t clocks_timeout(struct clocks *cs);
/* Runs those that are due, device lock held. Returns whether there were any. */
bool clocks_run(struct clocks *cs);

#endif
