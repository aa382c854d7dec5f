/*
 * Files and block devices of the host. With cache.direct, what is aligned goes past the page cache;
 * the rest goes through it by a second descriptor, which the kernel keeps coherent.
 */
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <base/bits.h>
#include <base/error.h>
#include <base/option.h>
#include <base/shared.h>

/* Covers the logical block of every disk in use. */
#define DIRECT_ALIGN 4096

/*
 * Locks as QEMU takes them, so that each sees the other: byte 100+n says "I do n", byte 200+n "n
 * must not be done by others"; n is 0 for reading, 1 for writing.
 */
#define LOCK_DOES    100
#define LOCK_DENIES  200
#define LOCK_READING 0
#define LOCK_WRITING 1

struct file {
    int fd;     /* through the page cache */
    int direct; /* past it, or -1 */
    bool is_device;
    bool no_punch, no_zero; /* the file system cannot */
};

struct file_req {
    struct aio_op op;
    struct block_req *r;
    struct block_node *n;
    struct iovec *iov; /* own copy, once something was done */
    uint64_t done;     /* bytes */
};

static bool lock_byte(int fd, off_t at)
{
    struct flock l = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

    /* file systems without locks are used without */
    return fcntl(fd, F_OFD_SETLK, &l) == 0 || (errno != EAGAIN && errno != EACCES);
}

static bool others_hold(int fd, off_t at)
{
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

    return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

static bool take_locks(struct block_node *n, int fd, GError **err)
{
    bool writes = !n->how.readonly;

    if (!n->how.locking)
        return true;
    if (!lock_byte(fd, LOCK_DOES + LOCK_READING) ||
        (writes && !lock_byte(fd, LOCK_DOES + LOCK_WRITING)) ||
        !lock_byte(fd, LOCK_DENIES + LOCK_WRITING) || others_hold(fd, LOCK_DOES + LOCK_WRITING) ||
        others_hold(fd, LOCK_DENIES + LOCK_READING) ||
        (writes && others_hold(fd, LOCK_DENIES + LOCK_WRITING)))
        return error_set(err, "drive: '%s' is in use by another process", n->filename);
    return true;
}

static void unlock_all(int fd)
{
    struct flock l = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

    fcntl(fd, F_OFD_SETLK, &l);
}

/* Locks of one process's two opens exclude each other too. If another process was in between, we go
 * on without them, as it was we who let it in. */
static void file_lend(struct block_node *n, bool lent)
{
    struct file *f = n->state;

    if (lent)
        unlock_all(f->fd);
    else
        take_locks(n, f->fd, NULL);
}

static bool find_size(struct block_node *n, struct file *f, GError **err)
{
    struct stat st;
    off_t end;

    if (fstat(f->fd, &st) < 0)
        return error_set_errno(err, errno, "drive: cannot read '%s'", n->filename);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return error_set(err, "drive: '%s' is neither a file nor a block device", n->filename);
    f->is_device = S_ISBLK(st.st_mode);
    end = lseek(f->fd, 0, SEEK_END);
    if (end < 0)
        return error_set_errno(err, errno, "drive: cannot find the end of '%s'", n->filename);
    n->size = (uint64_t)end;
    return true;
}

static bool open_fds(struct block_node *n, struct file *f, GError **err)
{
    int flags = O_CLOEXEC | O_NONBLOCK | (n->how.readonly ? O_RDONLY : O_RDWR);

    f->direct = -1;
    f->fd = open(n->filename, flags);
    if (f->fd < 0)
        return error_set_errno(err, errno, "drive: cannot open '%s'", n->filename);
    if (!find_size(n, f, err) || !take_locks(n, f->fd, err))
        goto out_close;
    if (n->how.direct) {
        f->direct = open(n->filename, flags | O_DIRECT);
        if (f->direct < 0) {
            error_set_errno(err, errno, "drive: '%s' cannot be used with cache=none or directsync",
                            n->filename);
            goto out_close;
        }
    }
    return true;

out_close:
    close(f->fd);
    return false;
}

static bool file_open(struct block_node *n, struct opts *o, const char *prefix, GError **err)
{
    char *key = g_strconcat(prefix, "filename", NULL);
    const char *name = opts_str(o, key, NULL);
    struct file *f;

    g_free(key);
    if (!n->filename)
        n->filename = g_strdup(name);
    if (!n->filename)
        return error_set(err, "%s: filename= is missing", opts_option(o));
    f = g_new0(struct file, 1);
    if (!open_fds(n, f, err)) {
        g_free(f);
        return false;
    }
    n->state = f;
    return true;
}

static void file_close(struct block_node *n)
{
    struct file *f = n->state;

    close(f->fd);
    if (f->direct >= 0)
        close(f->direct);
    g_free(f);
}

/* ---- reads and writes ---- */

static bool fits_direct(const struct aio_op *op)
{
    uint64_t all = op->offset;

    for (unsigned i = 0; i < op->niov; i++)
        all |= (uintptr_t)op->iov[i].iov_base | op->iov[i].iov_len;
    return is_aligned(all, DIRECT_ALIGN);
}

static void file_send(struct file_req *fr)
{
    struct file *f = fr->n->state;

    fr->op.fd = f->direct >= 0 && fits_direct(&fr->op) ? f->direct : f->fd;
    aio_submit(fr->n->aio, &fr->op, fr->n->how.uring);
}

static void file_end(struct file_req *fr, int error)
{
    struct block_req *r = fr->r;

    g_free(fr->iov);
    g_free(fr);
    block_req_end(r, error);
}

/* Leaves out what is done. */
static void skip_done(struct file_req *fr, uint64_t n)
{
    unsigned i = 0;

    if (!fr->iov) {
        fr->iov = g_memdup2(fr->op.iov, fr->op.niov * sizeof(*fr->iov));
        fr->op.iov = fr->iov;
    }
    fr->done += n;
    fr->op.offset += n;
    while (n && n >= fr->op.iov[i].iov_len)
        n -= fr->op.iov[i++].iov_len;
    fr->op.iov += i;
    fr->op.niov -= i;
    if (n) {
        struct iovec *v = (struct iovec *)(uintptr_t)fr->op.iov;

        v->iov_base = (char *)v->iov_base + n;
        v->iov_len -= n;
    }
}

static void zero_rest(struct file_req *fr)
{
    for (unsigned i = 0; i < fr->op.niov; i++)
        shared_fill(fr->op.iov[i].iov_base, 0, 1, fr->op.iov[i].iov_len);
}

static void rw_done(struct aio_op *op, int64_t result)
{
    struct file_req *fr = (struct file_req *)op;

    if (result == -EINTR || result == -EAGAIN) {
        file_send(fr);
    } else if (result < 0) {
        file_end(fr, (int)-result);
    } else if (fr->done + (uint64_t)result >= fr->r->bytes) {
        file_end(fr, 0);
    } else if (result == 0) {
        /* behind the end of the file: the rest of the last sector */
        if (op->kind == AIO_READ)
            zero_rest(fr);
        file_end(fr, op->kind == AIO_READ ? 0 : ENOSPC);
    } else {
        skip_done(fr, (uint64_t)result);
        file_send(fr);
    }
}

/* ---- discard and zeroes, in a thread ---- */

static int allocate(int fd, int mode, uint64_t offset, uint64_t bytes)
{
    while (fallocate(fd, mode, (off_t)offset, (off_t)bytes) < 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

static int punch(struct file *f, const struct block_req *r)
{
    int error = ENOTSUP;

    if (!__atomic_load_n(&f->no_punch, __ATOMIC_RELAXED))
        error = allocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, r->offset, r->bytes);
    if (error == ENOTSUP || error == EOPNOTSUPP || error == ENODEV)
        __atomic_store_n(&f->no_punch, true, __ATOMIC_RELAXED);
    return error;
}

static int write_zeroes(struct file *f, const struct block_req *r)
{
    static const uint8_t zeroes[65536];
    uint64_t done = 0;

    while (done < r->bytes) {
        ssize_t n =
            pwrite(f->fd, zeroes, MIN(sizeof(zeroes), r->bytes - done), (off_t)(r->offset + done));

        if (n < 0 && errno != EINTR)
            return errno;
        done += n > 0 ? (uint64_t)n : 0;
    }
    return 0;
}

static int64_t zero_call(struct aio_op *op)
{
    const struct file_req *fr = (struct file_req *)op;
    const struct block_req *r = fr->r;
    struct file *f = fr->n->state;

    if ((r->flags & BLOCK_UNMAP) && fr->n->how.discard && punch(f, r) == 0)
        return 0;
    if (!__atomic_load_n(&f->no_zero, __ATOMIC_RELAXED)) {
        int error = allocate(f->fd, FALLOC_FL_ZERO_RANGE, r->offset, r->bytes);

        if (error != ENOTSUP && error != EOPNOTSUPP && error != ENODEV && error != EINVAL)
            return -error;
        __atomic_store_n(&f->no_zero, true, __ATOMIC_RELAXED);
    }
    return -write_zeroes(f, r);
}

/* A discard is a hint: where it cannot be done, nothing happens. */
static int64_t discard_call(struct aio_op *op)
{
    const struct file_req *fr = (struct file_req *)op;
    int error = punch(fr->n->state, fr->r);

    return error == EIO || error == ENOSPC ? -error : 0;
}

static void simple_done(struct aio_op *op, int64_t result)
{
    file_end((struct file_req *)op, result < 0 ? (int)-result : 0);
}

static void file_submit(struct block_node *n, struct block_req *r)
{
    struct file *f = n->state;
    struct file_req *fr = g_new0(struct file_req, 1);

    fr->r = r;
    fr->n = n;
    fr->op.fd = f->fd;
    fr->op.done = simple_done;
    switch (r->op) {
    case BLOCK_READ:
    case BLOCK_WRITE:
        fr->op.kind = r->op == BLOCK_READ ? AIO_READ : AIO_WRITE;
        fr->op.offset = r->offset;
        fr->op.iov = r->iov;
        fr->op.niov = r->niov;
        fr->op.done = rw_done;
        file_send(fr);
        return;
    case BLOCK_FLUSH: fr->op.kind = AIO_SYNC; break;
    default:
        fr->op.kind = AIO_CALL;
        fr->op.call = r->op == BLOCK_DISCARD ? discard_call : zero_call;
        break;
    }
    aio_submit(n->aio, &fr->op, n->how.uring);
}

const struct block_driver block_file = {
    .name = "file",
    .protocol = true,
    .open = file_open,
    .close = file_close,
    .lend = file_lend,
    .submit = file_submit,
};
