/*
 * -object memory-backend-ram, memory-backend-memfd, memory-backend-file: memory of this process
 * alone, memory behind a descriptor that other processes can be given, and a file.
 */
#include <hw/core/memory_backend.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <base/error.h>

struct memory_backend {
    struct object obj;
    uint64_t size;
    struct ram_backing backing;
    char *path;         /* -file */
    bool hugetlb, seal; /* -memfd */
    uint64_t hugetlb_size;
};

uint64_t memory_backend_size(const struct object *o)
{
    return ((const struct memory_backend *)o)->size;
}

const struct ram_backing *memory_backend_backing(const struct object *o)
{
    return &((const struct memory_backend *)o)->backing;
}

static bool check_size(struct memory_backend *b, GError **err)
{
    b->backing.fd = -1;
    if (!b->size)
        return error_set(err, "%s: size is missing", b->obj.type->name);
    if (b->size > RAM_TOTAL_MAX)
        return error_set(err,
                         "%s.size=%" PRIu64 " is out of range, up to %" PRIu64 " bytes are right",
                         b->obj.type->name, b->size, RAM_TOTAL_MAX);
    b->size = (b->size + RAM_PAGE_SIZE - 1) & ~(RAM_PAGE_SIZE - 1);
    return true;
}

static bool ram_complete(struct object *o, GError **err)
{
    return check_size((struct memory_backend *)o, err);
}

/* Flags for memfd_create() of huge pages; their size goes into the upper bits as its logarithm. */
static bool huge_flags(const struct memory_backend *b, unsigned *flags, GError **err)
{
    *flags = b->hugetlb ? MFD_HUGETLB : 0;
    if (!b->hugetlb_size)
        return true;
    if (!b->hugetlb)
        return error_set(err, "memory-backend-memfd: hugetlbsize needs hugetlb=on");
    if (b->hugetlb_size & (b->hugetlb_size - 1))
        return error_set(err, "memory-backend-memfd.hugetlbsize=%" PRIu64 " is not a power of two",
                         b->hugetlb_size);
    *flags |= (unsigned)__builtin_ctzll(b->hugetlb_size) << MAP_HUGE_SHIFT;
    return true;
}

static bool memfd_complete(struct object *o, GError **err)
{
    struct memory_backend *b = (struct memory_backend *)o;
    unsigned flags = 0;
    int fd;

    if (!check_size(b, err) || !huge_flags(b, &flags, err))
        return false;
    fd = memfd_create(o->id, MFD_CLOEXEC | flags | (b->seal ? MFD_ALLOW_SEALING : 0));
    if (fd < 0)
        return error_set_errno(err, errno, "memory-backend-memfd '%s'", o->id);
    if (ftruncate(fd, (off_t)b->size) < 0 ||
        (b->seal && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)) {
        error_set_errno(err, errno, "memory-backend-memfd '%s': cannot get %" PRIu64 " bytes",
                        o->id, b->size);
        close(fd);
        return false;
    }
    b->backing.fd = fd;
    return true;
}

/* In a folder (of hugetlbfs, mostly) the file has no name. */
static int open_path(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_autofree char *name = NULL;

    if (fd >= 0 || errno != EISDIR)
        return fd;
    name = g_build_filename(path, "myna-memory-XXXXXX", NULL);
    fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        unlink(name);
    return fd;
}

/* A file that was there keeps its length, which has to do; a new one gets the length asked for. */
static bool fit_file(const struct memory_backend *b, int fd, GError **err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_set_errno(err, errno, "memory-backend-file: '%s'", b->path);
    if (st.st_size == 0 && S_ISREG(st.st_mode) && ftruncate(fd, (off_t)b->size) < 0)
        return error_set_errno(err, errno,
                               "memory-backend-file: cannot make '%s' %" PRIu64 " bytes long",
                               b->path, b->size);
    if (st.st_size != 0 && (uint64_t)st.st_size < b->size)
        return error_set(
            err, "memory-backend-file: '%s' has %" PRId64 " bytes, size=%" PRIu64 " is more",
            b->path, (int64_t)st.st_size, b->size);
    return true;
}

static bool file_complete(struct object *o, GError **err)
{
    struct memory_backend *b = (struct memory_backend *)o;
    int fd;

    if (!check_size(b, err))
        return false;
    if (!b->path)
        return error_set(err, "memory-backend-file: mem-path is missing");
    fd = open_path(b->path);
    if (fd < 0)
        return error_set_errno(err, errno, "memory-backend-file: cannot open '%s'", b->path);
    if (!fit_file(b, fd, err)) {
        close(fd);
        return false;
    }
    b->backing.fd = fd;
    return true;
}

static void backend_free(struct object *o)
{
    struct memory_backend *b = (struct memory_backend *)o;

    if (b->backing.fd >= 0)
        close(b->backing.fd);
}

#define T struct memory_backend
#define BACKEND_PROPS(shared)                                                                    \
    PROP_SIZE(T, size, "size", 0, "bytes"),                                                      \
        PROP_BOOL(T, backing.share, "share", shared, "others who map the same see it"),          \
        PROP_BOOL(T, backing.prealloc, "prealloc", false, "take it from the host at the start"), \
        PROP_BOOL(T, backing.merge, "merge", true, "the host may merge equal pages"),            \
        PROP_BOOL(T, backing.dump, "dump", true, "in core dumps")

static const struct prop ram_props[] = { BACKEND_PROPS(false), PROP_LIST_END };
static const struct prop memfd_props[] = {
    BACKEND_PROPS(true), PROP_BOOL(T, hugetlb, "hugetlb", false, "of the host's huge pages"),
    PROP_SIZE(T, hugetlb_size, "hugetlbsize", 0, "of which size; 0: the host's default"),
    PROP_BOOL(T, seal, "seal", true, "its size cannot be changed by others"), PROP_LIST_END
};
static const struct prop file_props[] = {
    BACKEND_PROPS(false), PROP_STR(T, path, "mem-path", NULL, "file, or a folder for one"),
    PROP_LIST_END
};

const struct object_type memory_backend_ram_object = {
    .name = "memory-backend-ram",
    .help = "memory of this process",
    .role = MEMORY_BACKEND,
    .size = sizeof(T),
    .props = ram_props,
    .complete = ram_complete,
};

const struct object_type memory_backend_memfd_object = {
    .name = "memory-backend-memfd",
    .help = "memory that other processes can be given",
    .role = MEMORY_BACKEND,
    .size = sizeof(T),
    .props = memfd_props,
    .complete = memfd_complete,
    .free = backend_free,
};

const struct object_type memory_backend_file_object = {
    .name = "memory-backend-file",
    .help = "memory that is a file",
    .role = MEMORY_BACKEND,
    .size = sizeof(T),
    .props = file_props,
    .complete = file_complete,
    .free = backend_free,
};
