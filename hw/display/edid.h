/*
 * What a monitor says of itself: VESA's Enhanced EDID 1.4, one block.
 *
 *     struct edid_wish wish = { .width = 1280, .height = 800 };
 *     edid_make(&wish, block);
 */
#ifndef HW_DISPLAY_EDID_H
#define HW_DISPLAY_EDID_H

#include <stdint.h>

enum { EDID_SIZE = 128, EDID_PIXELS_MAX = 4095, EDID_HZ_MIN = 50, EDID_HZ_MAX = 125 };

struct edid_wish {
    uint32_t width, height;         /* the preferred mode; 0: 1280x800 */
    uint32_t max_width, max_height; /* modes beyond are not offered; 0: no limit */
    uint32_t refresh_mhz;           /* of the preferred mode, in 1/1000 Hz; 0: 75 Hz */
};

void edid_make(const struct edid_wish *wish, uint8_t out[EDID_SIZE]);

/* Properties edid=, xres=, yres=, xmax=, ymax=, refresh_rate=. */
#define EDID_PROPS(type, on, wish)                                                          \
    PROP_BOOL(type, on, "edid", true, "the monitor's description (EDID) can be read"),      \
        PROP_U32(type, wish.width, "xres", 0, "preferred width, 0 for 1280", .max = 4095),  \
        PROP_U32(type, wish.height, "yres", 0, "preferred height, 0 for 800", .max = 4095), \
        PROP_U32(type, wish.max_width, "xmax", 0, "largest width offered, 0 for any"),      \
        PROP_U32(type, wish.max_height, "ymax", 0, "largest height offered, 0 for any"),    \
        PROP_U32(type, wish.refresh_mhz, "refresh_rate", 0, "in 1/1000 Hz, 0 for 75 Hz",    \
                 .max = 125000)

#endif
