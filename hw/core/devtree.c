/* Devicetrees over libfdt's read-write calls; the blob grows as it fills. */
#include <hw/core/devtree.h>

#include <string.h>
#include <base/bits.h>
#include <base/error.h>

#ifdef CONFIG_FDT
#include <libfdt.h>

#define FIRST_SIZE 16384
#define MAX_SIZE   (4 << 20)

struct devtree {
    void *blob;
    int size;
    int error; /* first libfdt error, 0 for none */
    uint32_t next_phandle;
};

static struct devtree *make(int size)
{
    struct devtree *t = g_new0(struct devtree, 1);

    t->size = size;
    t->blob = g_malloc0((gsize)size);
    t->next_phandle = 1;
    return t;
}

struct devtree *devtree_new(void)
{
    struct devtree *t = make(FIRST_SIZE);

    t->error = fdt_create_empty_tree(t->blob, t->size);
    return t;
}

struct devtree *devtree_open(const char *what, GBytes *blob, GError **err)
{
    gsize len;
    const void *data = g_bytes_get_data(blob, &len);
    struct devtree *t;

    if (len > MAX_SIZE || len < sizeof(struct fdt_header) || fdt_check_full(data, len) != 0) {
        error_set(err, "%s: this is not a valid flattened devicetree of at most %d bytes", what,
                  MAX_SIZE);
        return NULL;
    }
    t = make((int)len + FIRST_SIZE);
    t->error = fdt_open_into(data, t->blob, t->size);
    t->next_phandle = fdt_get_max_phandle(t->blob) + 1;
    return t;
}

/* Whether a call is to be made again, now with more room. Latches errors. */
static bool again(struct devtree *t, int res)
{
    void *bigger;

    if (res >= 0 || t->error)
        return false;
    if (res != -FDT_ERR_NOSPACE || t->size >= MAX_SIZE) {
        t->error = res;
        return false;
    }
    bigger = g_malloc0((gsize)t->size * 2);
    t->error = fdt_open_into(t->blob, bigger, t->size * 2);
    g_free(t->blob);
    t->blob = bigger;
    t->size *= 2;
    return !t->error;
}

GBytes *devtree_finish(struct devtree *t, GError **err)
{
    GBytes *out = NULL;

    if (!t->error)
        t->error = fdt_pack(t->blob);
    if (t->error)
        error_set(err, "devicetree: %s", fdt_strerror(t->error));
    else
        out = g_bytes_new(t->blob, fdt_totalsize(t->blob));
    g_free(t->blob);
    g_free(t);
    return out;
}

void devtree_node(struct devtree *t, const char *path)
{
    const char *name = strrchr(path, '/');
    int res;

    if (t->error)
        return;
    do {
        int parent = name == path ? 0 : fdt_path_offset_namelen(t->blob, path, (int)(name - path));

        res = parent < 0 ? parent : fdt_add_subnode(t->blob, parent, name + 1);
    } while (again(t, res));
}

bool devtree_has(struct devtree *t, const char *path)
{
    return !t->error && fdt_path_offset(t->blob, path) >= 0;
}

void devtree_need_node(struct devtree *t, const char *path)
{
    if (!devtree_has(t, path))
        devtree_node(t, path);
}

void devtree_bytes(struct devtree *t, const char *path, const char *name, const void *p,
                   unsigned len)
{
    int res;

    if (t->error)
        return;
    do {
        int node = fdt_path_offset(t->blob, path);

        res = node < 0 ? node : fdt_setprop(t->blob, node, name, p, (int)len);
    } while (again(t, res));
}

bool devtree_find_prop(GBytes *blob, const char *path, const char *name, uint64_t *offset)
{
    const char *fdt = g_bytes_get_data(blob, NULL);
    int node = fdt_path_offset(fdt, path);
    const char *value = node < 0 ? NULL : fdt_getprop(fdt, node, name, NULL);

    if (value)
        *offset = (uint64_t)(value - fdt);
    return value != NULL;
}

uint32_t devtree_phandle(struct devtree *t)
{
    return t->next_phandle++;
}

#else

struct devtree {
    char unused;
};

struct devtree *devtree_new(void)
{
    return g_new0(struct devtree, 1);
}

struct devtree *devtree_open(const char *what, GBytes *blob, GError **err)
{
    (void)blob;
    error_set(err, "%s: this program was built without libfdt", what);
    return NULL;
}

GBytes *devtree_finish(struct devtree *t, GError **err)
{
    g_free(t);
    error_set(err, "devicetree: this program was built without libfdt");
    return NULL;
}

void devtree_node(struct devtree *t, const char *path)
{
    (void)t, (void)path;
}

bool devtree_has(struct devtree *t, const char *path)
{
    (void)t, (void)path;
    return false;
}

void devtree_need_node(struct devtree *t, const char *path)
{
    (void)t, (void)path;
}

void devtree_bytes(struct devtree *t, const char *path, const char *name, const void *p,
                   unsigned len)
{
    (void)t, (void)path, (void)name, (void)p, (void)len;
}

bool devtree_find_prop(GBytes *blob, const char *path, const char *name, uint64_t *offset)
{
    (void)blob, (void)path, (void)name, (void)offset;
    return false;
}

uint32_t devtree_phandle(struct devtree *t)
{
    (void)t;
    return 1;
}
#endif

void devtree_empty(struct devtree *t, const char *path, const char *name)
{
    devtree_bytes(t, path, name, "", 0);
}

void devtree_u32(struct devtree *t, const char *path, const char *name, uint32_t v)
{
    devtree_cells(t, path, name, &v, 1);
}

void devtree_u64(struct devtree *t, const char *path, const char *name, uint64_t v)
{
    DEVTREE_CELLS(t, path, name, (uint32_t)(v >> 32), (uint32_t)v);
}

void devtree_cells(struct devtree *t, const char *path, const char *name, const uint32_t *cells,
                   unsigned n)
{
    uint8_t *be = g_malloc(n * 4 + 1);

    for (unsigned i = 0; i < n; i++)
        stl_be(be + 4 * i, cells[i]);
    devtree_bytes(t, path, name, be, n * 4);
    g_free(be);
}

void devtree_str(struct devtree *t, const char *path, const char *name, const char *v)
{
    devtree_bytes(t, path, name, v, (unsigned)strlen(v) + 1);
}

void devtree_reg(struct devtree *t, const char *path, uint64_t addr, uint64_t size)
{
    DEVTREE_CELLS(t, path, "reg", (uint32_t)(addr >> 32), (uint32_t)addr, (uint32_t)(size >> 32),
                  (uint32_t)size);
}

void devtree_set_phandle(struct devtree *t, const char *path, uint32_t phandle)
{
    devtree_u32(t, path, "phandle", phandle);
}
