/*
 * Mapped files that can no longer be read: somebody has cut one short, its disk has failed, or
 * there is no room behind it. The kernel says so with SIGBUS at whichever access comes there, a
 * guest's or our own. Nothing can be made of that, but the program ends with a line that names the
 * file rather than by a signal that says nothing:
 *
 *     myna: '/boot/vmlinuz' was cut short while it was in use
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

/* From now on, in all threads. @before is called before the program ends, from a signal handler, to
 * put the terminal back; NULL: nothing is. Faults at other memory end the program as they did. */
void fault_explain(void (*before)(void));

#endif
