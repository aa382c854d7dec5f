/*
 * The PC's keyboard controller with PS/2 keyboard and mouse, "i8042".
 *
 * Regions: 0 data (port 60h), 1 command and status (64h), 2 system control port A (92h). Outputs: 0
 * IRQ 1 (keyboard), 1 IRQ 12 (mouse); group "a20": whether address line 20 is let through. Its
 * reset line resets the machine.
 */
#ifndef HW_INPUT_I8042_H
#define HW_INPUT_I8042_H
#endif
