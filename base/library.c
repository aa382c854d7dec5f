/* Libraries that are opened when they are first needed; see base/library.h. */
#include <base/library.h>

#include <dlfcn.h>
#include <pthread.h>
#include <base/error.h>

/* Of the tables; taken last, as the dynamic linker's own is. */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

/* False: the first that is missing is in *name. */
static bool resolve(const struct library *l, void *handle, const char **name)
{
    void **to = l->functions;

    for (*name = l->names; **name; *name += strlen(*name) + 1)
        if (!(*to++ = dlsym(handle, *name)))
            return false;
    return true;
}

static bool load(const struct library *l, const char *what, GError **err)
{
    /* what it lacks itself is to be found now, not at a call */
    void *handle = dlopen(l->soname, RTLD_NOW | RTLD_LOCAL);
    const char *name;

    if (!handle)
        return error_set(err, "%s: %s (Debian package: %s)", what, dlerror(), l->package);
    if (resolve(l, handle, &name))
        return true;
    dlclose(handle);
    return error_set(err, "%s: %s is not the one that is needed, it has no %s (Debian package: %s)",
                     what, l->soname, name, l->package);
}

bool library_open(struct library *l, const char *what, GError **err)
{
    bool ok = __atomic_load_n(&l->open, __ATOMIC_ACQUIRE);

    if (ok)
        return true;
    pthread_mutex_lock(&opening);
    ok = l->open || load(l, what, err);
    __atomic_store_n(&l->open, ok, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&opening);
    return ok;
}
