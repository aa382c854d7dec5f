/*
 * Host I/O that does not block: io_uring where there is one, else threads. The lock of its context
 * throughout (base/iocontext.h: the device lock, or an iothread's); done() comes from the context,
 * from aio_wait() or aio_unplug(), never from aio_submit().
 */
#ifndef BLOCK_AIO_H
#define BLOCK_AIO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct aio;
struct io_context;

enum aio_kind {
    AIO_READ,
    AIO_WRITE,
    AIO_SYNC, /* data, and what is needed to find it */
    AIO_CALL, /* a function in a thread */
};

struct aio_op {
    enum aio_kind kind;
    int fd;
    uint64_t offset;
    const struct iovec *iov;
    unsigned niov;
    int64_t (*call)(struct aio_op *op); /* bytes or -errno */
    void (*done)(struct aio_op *op, int64_t result);

    int64_t result; /* private from here on */
    struct aio_op *next;
};

struct aio *aio_new(struct io_context *io);
/* Nothing may be under way. The caller holds the device lock, and not an iothread's. */
void aio_free(struct aio *a);
/* `uring`: by io_uring if that works here. */
void aio_submit(struct aio *a, struct aio_op *op, bool uring);
/* What is submitted between the two is handed on together; what ends at once, as reads do that the
 * host has in memory, is done when the last unplug returns. */
void aio_plug(struct aio *a);
void aio_unplug(struct aio *a);
/* Waits for something to be done, and calls what belongs to it. Something must be under way. */
void aio_wait(struct aio *a);
/* Whether io_uring is there. */
bool aio_has_uring(struct aio *a);

/* The io_uring half; NULL where it cannot be had. */
struct uring;
struct uring *uring_new(struct io_context *io);
/* No callback begins from now on; free comes later. */
void uring_end(struct uring *u);
void uring_free(struct uring *u);
/* False: no room, use a thread. */
bool uring_add(struct uring *u, struct aio_op *op);
/* Hands on what was added. True: something has ended already; the loop is not told of that, it is
 * for the caller to reap. */
bool uring_flush(struct uring *u);
unsigned uring_busy(const struct uring *u);
/* Calls done() of what is finished; waits for one if asked to. */
void uring_reap(struct uring *u, bool wait);
bool uring_reaping(const struct uring *u);

#endif
