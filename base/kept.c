/* Unpacked copies of files, kept for the next start; see base/kept.h. */
#include <base/kept.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT_MIN   (UINT64_C(1) << 20) /* less is unpacked in no time */
#define KEPT_BYTES (UINT64_C(1) << 30) /* of all together */
#define KEPT_FILES 16
#define SETTLED    2 /* seconds, more than the step of any file system's clock */

bool file_id_of(int fd, struct file_id *id)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    *id = (struct file_id){ st.st_dev, st.st_ino, (uint64_t)st.st_size, st.st_mtim, st.st_ctim };
    return true;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool file_id_unwritten(const struct file_id *a, const struct file_id *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           same_time(a->modified, b->modified);
}

bool file_id_same(const struct file_id *a, const struct file_id *b)
{
    return file_id_unwritten(a, b) && same_time(a->changed, b->changed);
}

struct mapping {
    void *p;
    size_t len;
};

static void unmap(gpointer opaque)
{
    struct mapping *m = opaque;

    munmap(m->p, m->len);
    g_free(m);
}

GBytes *file_map(int fd, size_t len)
{
    struct mapping m = { .len = len };

    m.p = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (m.p == MAP_FAILED)
        return NULL;
    return g_bytes_new_with_free_func(m.p, len, unmap, g_memdup2(&m, sizeof(m)));
}

static char *name_of(const struct file_id *f, const char *how)
{
    return g_strdup_printf("%s-%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%lld.%09ld-%lld.%09ld", how,
                           f->device, f->inode, f->size, (long long)f->modified.tv_sec,
                           f->modified.tv_nsec, (long long)f->changed.tv_sec, f->changed.tv_nsec);
}

/* Nobody else may be able to put anything there: a guest would run it. */
static bool is_ours(int fd, mode_t kind)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == kind && st.st_uid == geteuid() &&
           !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* The folder, or -1. */
static int open_folder(bool make)
{
    g_autofree char *path = g_build_filename(g_get_user_cache_dir(), "myna", "unpacked", NULL);
    const char *keep = g_getenv("MYNA_KEEP");
    int fd;

    if ((keep && !strcmp(keep, "off")) || (make && g_mkdir_with_parents(path, 0700) < 0))
        return -1;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || is_ours(fd, S_IFDIR))
        return fd;
    close(fd);
    return -1;
}

/* ---- finding ---- */

static GBytes *map(int fd)
{
    struct stat st;

    if (!is_ours(fd, S_IFREG) || fstat(fd, &st) < 0 || st.st_size == 0)
        return NULL;
    futimens(fd, NULL); /* those not used for longest go first */
    return file_map(fd, (size_t)st.st_size);
}

GBytes *kept_get(const struct file_id *of, const char *how)
{
    g_autofree char *name = name_of(of, how);
    GBytes *bytes = NULL;
    int folder = open_folder(false), fd;

    if (folder < 0)
        return NULL;
    fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    close(folder);
    if (fd < 0)
        return NULL;
    bytes = map(fd);
    close(fd);
    return bytes;
}

/* ---- keeping ---- */

/* A file without a name, which disappears with its descriptor. It gets a name when all of it is on
 * the disk. */
struct keeping {
    int folder, fd;
    char *name;
};

struct old {
    char *name;
    struct timespec used;
    uint64_t size;
};

static void old_clear(void *opaque)
{
    g_free(((struct old *)opaque)->name);
}

/* The last used first. */
static int compare_old(const void *a, const void *b)
{
    const struct timespec *x = &((const struct old *)a)->used, *y = &((const struct old *)b)->used;

    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? 1 : -1;
    return x->tv_nsec < y->tv_nsec ? 1 : x->tv_nsec > y->tv_nsec ? -1 : 0;
}

static GArray *list(int folder)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(struct old));
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    struct stat st;

    g_array_set_clear_func(all, old_clear);
    while (dir && (e = readdir(dir)))
        if (fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode)) {
            struct old o = { g_strdup(e->d_name), st.st_mtim, (uint64_t)st.st_size };

            g_array_append_val(all, o);
        }
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    g_array_sort(all, compare_old);
    return all;
}

/* The one that has just been added is among those that stay, however large. */
static void remove_old(int folder)
{
    g_autoptr(GArray) all = list(folder);
    uint64_t bytes = 0;

    for (unsigned i = 0; i < all->len; i++) {
        const struct old *o = &g_array_index(all, struct old, i);

        bytes += o->size;
        if (i && (i >= KEPT_FILES || bytes > KEPT_BYTES))
            unlinkat(folder, o->name, 0);
    }
}

static void *finish(void *opaque)
{
    struct keeping *k = opaque;
    char path[32];

    g_snprintf(path, sizeof(path), "/proc/self/fd/%d", k->fd);
    if (fdatasync(k->fd) == 0 && linkat(AT_FDCWD, path, k->folder, k->name, AT_SYMLINK_FOLLOW) == 0)
        remove_old(k->folder);
    close(k->fd);
    close(k->folder);
    g_free(k->name);
    g_free(k);
    return NULL;
}

static bool write_all(int fd, const uint8_t *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* Disks take their time, and nobody here waits for them. */
static bool finish_later(int folder, int fd, char *name)
{
    struct keeping k = { folder, fd, name }, *job = g_memdup2(&k, sizeof(k));
    GThread *thread = g_thread_try_new("keep", finish, job, NULL);

    if (!thread) {
        g_free(job);
        return false;
    }
    g_thread_unref(thread);
    return true;
}

/* The folder to keep something in, or -1. */
static int folder_for(const struct file_id *of)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec < of->changed.tv_sec + SETTLED ? -1 : open_folder(true);
}

bool kept_wanted(const struct file_id *of)
{
    int folder = folder_for(of);

    if (folder >= 0)
        close(folder);
    return folder >= 0;
}

void kept_put(const struct file_id *of, const char *how, const void *data, size_t len)
{
    g_autofree char *name = name_of(of, how);
    int folder, fd;

    if (len < KEPT_MIN || len > KEPT_BYTES)
        return;
    folder = folder_for(of);
    if (folder < 0)
        return;
    fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0 && write_all(fd, data, len) && finish_later(folder, fd, name)) {
        name = NULL;
        return;
    }
    if (fd >= 0)
        close(fd);
    close(folder);
}
