/*
 * The PC's keyboard controller with PS/2 keyboard and mouse, "i8042".
 *
 * Regions: 0 data (port 60h), 1 command and status (64h), 2 system control port A (92h). Outputs: 0
 * IRQ 1 (keyboard), 1 IRQ 12 (mouse); group "a20": whether address line 20 is let through. Its
 * reset line resets the machine.
 */
#ifndef HW_INPUT_I8042_H
#define HW_INPUT_I8042_H

struct device;

/* A packet of the mouse's that tells of nothing, if its driver has switched it on: for devices
 * that want the driver to look at them. Device lock. */
void i8042_poke_mouse(struct device *i8042);

#endif
