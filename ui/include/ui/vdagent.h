/*
 * The host's end of the channel to spice-vdagent, a program in the guest: text that is copied goes
 * both ways, pointers get absolute places, and the guest's screen takes the size that a window has.
 * The protocol is spice-protocol's vd_agent.h.
 *
 *     v = vdagent_new(&cfg);
 *     vdagent_connected(v, true);           the guest opened the channel
 *     vdagent_receive(v, buf, len);         what it wrote
 *     n = vdagent_read(v, buf, room);       what it may read
 *
 * Device lock throughout.
 */
#ifndef UI_VDAGENT_H
#define UI_VDAGENT_H

#include <ui/clipboard.h>
#include <ui/console.h>
#include <ui/input.h>

struct vdagent;

/* Members may be NULL: the agent is not for this. They outlive the agent. */
struct vdagent_config {
    struct clipboard *clipboard;
    struct input *input;
    struct consoles *consoles;
    /* There is something to read that was not there before. */
    void (*readable)(void *opaque);
    void *opaque;
};

struct vdagent *vdagent_new(const struct vdagent_config *cfg);
void vdagent_free(struct vdagent *v);
/* The guest opened or closed its end. What was under way is forgotten; the greeting is there to be
 * read, without a word by readable(). */
void vdagent_connected(struct vdagent *v, bool open);
/* Any bytes at all; what makes no sense is dropped. */
void vdagent_receive(struct vdagent *v, const uint8_t *buf, size_t len);
/* Takes up to `room` of the bytes for the guest; 0: there are none. */
size_t vdagent_read(struct vdagent *v, uint8_t *buf, size_t room);

#endif
