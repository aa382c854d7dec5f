/* Text that goes between guest and displays; see ui/clipboard.h. */
#include <ui/clipboard.h>

#include <string.h>
#include <base/bug.h>

struct clipboard {
    GPtrArray *peers; /* of struct clipboard_peer */
    char *text;
    enum clipboard_guest guest;
};

struct clipboard *clipboard_new(void)
{
    struct clipboard *b = g_new0(struct clipboard, 1);

    b->peers = g_ptr_array_new();
    return b;
}

void clipboard_free(struct clipboard *b)
{
    bug_on(b->peers->len);
    g_ptr_array_free(b->peers, TRUE);
    g_free(b->text);
    g_free(b);
}

void clipboard_join(struct clipboard *b, struct clipboard_peer *p)
{
    g_ptr_array_add(b->peers, p);
}

void clipboard_leave(struct clipboard *b, struct clipboard_peer *p)
{
    g_ptr_array_remove(b->peers, p);
}

void clipboard_set(struct clipboard *b, const struct clipboard_peer *from, const char *text)
{
    if (strlen(text) > CLIPBOARD_MAX || !g_utf8_validate(text, -1, NULL) ||
        g_strcmp0(text, b->text) == 0)
        return;
    g_free(b->text);
    b->text = g_strdup(text);
    for (unsigned i = 0; i < b->peers->len; i++) {
        const struct clipboard_peer *p = b->peers->pdata[i];

        if (p != from)
            p->changed(p->opaque, b->text);
    }
}

void clipboard_set_guest(struct clipboard *b, enum clipboard_guest guest)
{
    b->guest = guest;
}

const char *clipboard_trouble(const struct clipboard *b)
{
    static const char *const why[] = {
        [CLIPBOARD_NO_CHANNEL] =
            "there is no channel to the guest's agent: -device virtio-serial -chardev "
            "qemu-vdagent,id=agent,clipboard=on -device "
            "virtserialport,chardev=agent,name=com.redhat.spice.0",
        [CLIPBOARD_NO_AGENT] =
            "no agent answers in the guest: spice-vdagent is to be installed there, and its "
            "session logged in",
        [CLIPBOARD_NO_TEXT] = "the guest's agent shares no text",
        [CLIPBOARD_SHARED] = NULL,
    };

    return why[b->guest];
}

const char *clipboard_text(const struct clipboard *b)
{
    return b->text;
}
