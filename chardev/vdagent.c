/*
 * A channel to spice-vdagent in the guest (qemu-vdagent): who speaks with it is told by the hooks
 * of the set.
 */
#include "backend.h"

struct channel {
    struct chardev chr;
    void *agent; /* of the hooks; NULL: nobody */
};

static bool agent_open(struct chardev *chr, struct opts *opts, GError **err)
{
    struct channel *c = (struct channel *)chr;
    const struct chardev_hooks *hooks = &chr->set->hooks;
    struct chardev_agent what = { .mouse = true };

    if (!opts_bool(opts, "mouse", &what.mouse, err) ||
        !opts_bool(opts, "clipboard", &what.clipboard, err) || !opts_done(opts, err))
        return false;
    if (hooks->agent_open)
        c->agent = hooks->agent_open(hooks->opaque, chr, &what);
    chardev_opened(chr);
    return true;
}

static void agent_close(struct chardev *chr)
{
    struct channel *c = (struct channel *)chr;

    if (c->agent)
        chr->set->hooks.agent_close(c->agent);
    c->agent = NULL;
}

static void agent_guest_open(struct chardev *chr, bool open)
{
    const struct channel *c = (struct channel *)chr;

    if (c->agent)
        chr->set->hooks.agent_connected(c->agent, open);
}

static size_t agent_write(struct chardev *chr, const uint8_t *buf, size_t len)
{
    const struct channel *c = (struct channel *)chr;

    if (c->agent)
        chr->set->hooks.agent_write(c->agent, buf, len);
    return len;
}

static void agent_accept_input(struct chardev *chr)
{
    const struct channel *c = (struct channel *)chr;
    uint8_t buf[4096];
    size_t room, n;

    while (c->agent && (room = chardev_can_receive(chr))) {
        n = chr->set->hooks.agent_read(c->agent, buf, MIN(room, sizeof(buf)));
        if (!n)
            return;
        chardev_receive(chr, buf, n);
    }
}

void chardev_agent_readable(struct chardev *chr)
{
    agent_accept_input(chr);
}

const struct chardev_type vdagent_chardev = {
    .name = "qemu-vdagent",
    .help = "speaks with spice-vdagent in the guest",
    .opts = "mouse=on|off,clipboard=on|off",
    .size = sizeof(struct channel),
    .open = agent_open,
    .close = agent_close,
    .write = agent_write,
    .accept_input = agent_accept_input,
    .guest_open = agent_guest_open,
};
