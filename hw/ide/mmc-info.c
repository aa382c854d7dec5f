/* What a CD-ROM drive tells of itself and its disc (SPC-3 6.4, MMC-4 6 and 7). */
#include "drive.h"

#include <base/bits.h>

#define CD_SECTORS_MAX (80u * 60 * 75)
#define LEAD_IN        150
#define LEAD_OUT       0xaa
#define PROFILE_CD     0x0008
#define PROFILE_DVD    0x0010

static void bad_field(struct ide_drive *d)
{
    atapi_check(d, S_ILLEGAL, 0x24, 0);
}

void mmc_put_msf(uint8_t *p, uint32_t lba)
{
    lba += LEAD_IN;
    p[0] = (uint8_t)(lba / 75 / 60);
    p[1] = (uint8_t)(lba / 75 % 60);
    p[2] = (uint8_t)(lba % 75);
}

static bool is_dvd(const struct ide_drive *d)
{
    return cd_sectors(d) > CD_SECTORS_MAX;
}

static uint16_t profile(const struct ide_drive *d)
{
    if (!cd_has_disc(d))
        return 0;
    return is_dvd(d) ? PROFILE_DVD : PROFILE_CD;
}

/* ---- who it is ---- */

static void put_padded(uint8_t *to, const char *text, unsigned len)
{
    size_t n = strlen(text);

    memset(to, ' ', len);
    memcpy(to, text, MIN(n, len));
}

static void vital_page(struct ide_drive *d, uint32_t max)
{
    uint8_t *p = d->buf;
    unsigned n = 0;

    memset(p, 0, 64);
    p[0] = 5;
    p[1] = d->packet[2];
    switch (d->packet[2]) {
    case 0x00:
        n = 3;
        p[4] = 0x00, p[5] = 0x80, p[6] = 0x83;
        break;
    case 0x80:
        n = 20;
        put_padded(p + 4, d->serial, 20);
        break;
    case 0x83: /* ASCII, vendor's */
        n = 24;
        p[4] = 2;
        p[7] = 20;
        put_padded(p + 8, d->serial, 20);
        break;
    default: bad_field(d); return;
    }
    p[3] = (uint8_t)n;
    atapi_reply(d, 4 + n, max);
}

void mmc_inquiry(struct ide_drive *d)
{
    uint8_t *p = d->buf;
    uint32_t max = lduw_be(d->packet + 3);

    if (d->packet[1] & 1) {
        vital_page(d, max);
        return;
    }
    if (d->packet[2]) {
        bad_field(d);
        return;
    }
    memset(p, 0, 36);
    p[0] = 5;    /* CD-ROM */
    p[1] = 0x80; /* removable */
    p[3] = 0x21; /* ATAPI's format */
    p[4] = 31;
    put_padded(p + 8, "QEMU", 8);
    put_padded(p + 16, d->model, 16);
    put_padded(p + 32, d->version, 4);
    atapi_reply(d, 36, max);
}

/* ---- mode pages (MMC-4, 7) ---- */

static unsigned page_01(const struct ide_drive *d, uint8_t *p)
{
    static const uint8_t page[8] = { 0x01, 6, 0, 5 };

    (void)d;
    memcpy(p, page, sizeof(page));
    return sizeof(page);
}

static unsigned page_0e(const struct ide_drive *d, uint8_t *p)
{
    static const uint8_t page[16] = { 0x0e, 14, 4, 0, 0, 0, 0, 75, 1, 0xff, 2, 0xff };

    (void)d;
    memcpy(p, page, sizeof(page));
    return sizeof(page);
}

/* Capabilities: reads CDs and DVDs, plays sound, has a tray that can be locked. */
static unsigned page_2a(const struct ide_drive *d, uint8_t *p)
{
    static const uint8_t page[22] = { 0x2a,     20,        0x3b,     0,         0x70, 0x60,
                                      0x29,     0,         706 >> 8, 706 & 255, 0,    2,
                                      512 >> 8, 512 & 255, 706 >> 8, 706 & 255 };

    memcpy(p, page, sizeof(page));
    if (d->locked)
        p[6] |= 2;
    return sizeof(page);
}

static const struct {
    uint8_t code;
    unsigned (*put)(const struct ide_drive *d, uint8_t *p);
} mode_pages[] = { { 0x01, page_01 }, { 0x0e, page_0e }, { 0x2a, page_2a } };

static uint8_t medium_type(const struct ide_drive *d)
{
    if (!cd_has_disc(d))
        return d->tray_open ? 0x71 : 0x70;
    return is_dvd(d) ? 0x41 : 0x01;
}

void mmc_mode_sense(struct ide_drive *d, bool ten)
{
    uint8_t *p = d->buf, code = d->packet[2] & 0x3f, control = d->packet[2] >> 6;
    unsigned n = ten ? 8 : 4, start = n;

    if (control == 3) {
        atapi_check(d, S_ILLEGAL, 0x39, 0);
        return;
    }
    memset(p, 0, n);
    for (unsigned i = 0; i < ARRAY_LEN(mode_pages); i++) {
        unsigned at = n;

        if (code != 0x3f && code != mode_pages[i].code)
            continue;
        n += mode_pages[i].put(d, p + n);
        if (control == 1) /* nothing can be changed */
            memset(p + at + 2, 0, n - at - 2);
    }
    if (n == start) {
        bad_field(d);
        return;
    }
    if (ten) {
        stw_be(p, (uint16_t)(n - 2));
        p[2] = medium_type(d);
    } else {
        p[0] = (uint8_t)(n - 1);
        p[1] = medium_type(d);
    }
    atapi_reply(d, n, ten ? lduw_be(d->packet + 7) : d->packet[4]);
}

/* ---- features (MMC-4, 5 and 6.6) ---- */

static unsigned feature(uint8_t *p, uint16_t code, uint8_t flags, const void *data, uint8_t len)
{
    stw_be(p, code);
    p[2] = flags;
    p[3] = len;
    memcpy(p + 4, data, len);
    return 4u + len;
}

void mmc_configuration(struct ide_drive *d)
{
    uint8_t *p = d->buf, type = d->packet[1] & 3;
    uint16_t first = lduw_be(d->packet + 2), now = profile(d);
    const uint8_t profiles[8] = { 0, 0x10, now == PROFILE_DVD, 0, 0, 8, now == PROFILE_CD, 0 };
    const uint8_t readable[8] = { 0, 0, 8, 0, 0, 1, 0, 0 };
    const struct {
        uint16_t code;
        uint8_t flags, len;
        const void *data;
    } list[] = {
        { 0x0000, 0x03, 8, profiles },
        { 0x0001, 0x0b, 8, "\0\0\0\2\1\0\0" }, /* core: ATAPI */
        { 0x0002, 0x07, 4, "\1\0\0" },         /* morphing */
        { 0x0003, 0x03, 4, "\x29\0\0" },       /* removable: tray, eject, lock */
        { 0x0010, now ? 1 : 0, 8, readable },  /* random readable */
        { 0x001e, now == PROFILE_CD, 4, "\0\0\0" },
        { 0x001f, now == PROFILE_DVD, 4, "\0\0\0" },
    };
    unsigned n = 8;

    if (type == 3) {
        bad_field(d);
        return;
    }
    memset(p, 0, 8);
    stw_be(p + 6, now);
    for (unsigned i = 0; i < ARRAY_LEN(list); i++)
        if ((type == 2 ? list[i].code == first : list[i].code >= first) &&
            (type != 1 || list[i].flags & 1))
            n += feature(p + n, list[i].code, list[i].flags, list[i].data, list[i].len);
    stl_be(p, n - 4);
    atapi_reply(d, n, lduw_be(d->packet + 7));
}

/* Polled only. Events of the class "media" (6.7.2). */
void mmc_event_status(struct ide_drive *d)
{
    uint8_t *p = d->buf;
    bool media = d->packet[4] & 0x10;

    if (!(d->packet[1] & 1)) {
        bad_field(d);
        return;
    }
    memset(p, 0, 8);
    p[3] = 0x10;
    if (!media) {
        p[1] = 2;
        p[2] = 0x80;
        atapi_reply(d, 4, lduw_be(d->packet + 7));
        return;
    }
    p[1] = 6;
    p[2] = 4;
    if (d->eject_event)
        p[4] = 1;
    else if (d->new_event)
        p[4] = cd_has_disc(d) ? 2 : 3;
    d->eject_event = d->new_event = false;
    p[5] = (uint8_t)((cd_has_disc(d) ? 2 : 0) | (d->tray_open ? 1 : 0));
    atapi_reply(d, 8, lduw_be(d->packet + 7));
}

void mmc_mechanism(struct ide_drive *d)
{
    memset(d->buf, 0, 8);
    d->buf[1] = d->tray_open ? 0x10 : 0;
    d->buf[5] = 1;
    atapi_reply(d, 8, lduw_be(d->packet + 8));
}

/* ---- the disc: one session with one track ---- */

void mmc_capacity(struct ide_drive *d)
{
    stl_be(d->buf, cd_sectors(d) - 1);
    stl_be(d->buf + 4, CD_SECTOR);
    atapi_reply(d, 8, 8);
}

static void put_place(uint8_t *p, bool msf, uint32_t lba)
{
    if (!msf) {
        stl_be(p, lba);
        return;
    }
    p[0] = 0;
    mmc_put_msf(p + 1, lba);
}

static unsigned toc_track(uint8_t *p, uint8_t track, bool msf, uint32_t lba)
{
    p[0] = 0;
    p[1] = track == LEAD_OUT ? 0x16 : 0x14; /* a data track */
    p[2] = track;
    p[3] = 0;
    put_place(p + 4, msf, lba);
    return 8;
}

/* The lead-in's points, as the raw format has them (6.26, table 483). */
static unsigned toc_raw(const struct ide_drive *d, uint8_t *p)
{
    static const uint8_t points[] = { 0xa0, 0xa1, 0xa2, 1 };

    for (unsigned i = 0; i < ARRAY_LEN(points); i++, p += 11) {
        memset(p, 0, 11);
        p[0] = 1;
        p[1] = 0x14;
        p[3] = points[i];
        if (points[i] < 0xa2 && points[i] > 1)
            p[8] = 1; /* first and last track */
        else
            mmc_put_msf(p + 8, points[i] == 1 ? 0 : cd_sectors(d));
    }
    return 11 * ARRAY_LEN(points);
}

void mmc_toc(struct ide_drive *d)
{
    uint8_t *p = d->buf, format = d->packet[2] & 15, start = d->packet[6];
    bool msf = d->packet[1] & 2;
    unsigned n = 4;

    if (!format)
        format = d->packet[9] >> 6; /* where drives before MMC had it */
    p[2] = p[3] = 1;
    switch (format) {
    case 0:
        if (start > 1 && start != LEAD_OUT) {
            bad_field(d);
            return;
        }
        if (start <= 1)
            n += toc_track(p + n, 1, msf, 0);
        n += toc_track(p + n, LEAD_OUT, msf, cd_sectors(d));
        break;
    case 1: n += toc_track(p + n, 1, msf, 0); break;
    case 2: n += toc_raw(d, p + n); break;
    default: bad_field(d); return;
    }
    stw_be(p, (uint16_t)(n - 2));
    atapi_reply(d, n, lduw_be(d->packet + 7));
}

void mmc_disc_information(struct ide_drive *d)
{
    uint8_t *p = d->buf;

    if (d->packet[1] & 7) {
        bad_field(d);
        return;
    }
    memset(p, 0, 34);
    p[1] = 32;
    p[2] = 0x0e; /* complete: disc and last session */
    p[3] = p[4] = p[5] = p[6] = 1;
    p[7] = 0x20;
    memset(p + 16, 0xff, 8);
    atapi_reply(d, 34, lduw_be(d->packet + 7));
}

void mmc_track_information(struct ide_drive *d)
{
    uint8_t *p = d->buf;

    memset(p, 0, 36);
    p[1] = 34;
    p[2] = p[3] = 1;
    p[5] = 4; /* data */
    p[6] = 1; /* mode 1 */
    stl_be(p + 24, cd_sectors(d));
    atapi_reply(d, 36, lduw_be(d->packet + 7));
}

/* Physical format and copyright of a DVD-ROM (6.22). */
void mmc_dvd_structure(struct ide_drive *d)
{
    uint8_t *p = d->buf;
    uint32_t n, sectors = cd_sectors(d);

    if (!is_dvd(d)) {
        atapi_check(d, S_ILLEGAL, 0x30, 2);
        return;
    }
    switch (d->packet[7]) {
    case 0:
        n = 2048 + 4;
        memset(p, 0, n);
        p[4] = 1;    /* DVD-ROM, version 1 */
        p[5] = 0x0f; /* 120 mm, no rate given */
        p[6] = 1;    /* one layer, embossed */
        stl_be(p + 8, 0x30000);
        stl_be(p + 12, 0x30000 + sectors - 1);
        break;
    case 1:
        n = 8;
        memset(p, 0, n);
        break;
    default: bad_field(d); return;
    }
    stw_be(p, (uint16_t)(n - 2));
    atapi_reply(d, n, lduw_be(d->packet + 8));
}
