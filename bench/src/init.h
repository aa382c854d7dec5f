/* init.h - process 1 of the benchmark's guest. */
#ifndef BENCH_INIT_H
#define BENCH_INIT_H

/* Does what the kernel command line asks for and powers off; never returns in a guest. */
int init_main(void);

#endif
