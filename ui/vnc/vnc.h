/*
 * What the files of the VNC server share. The protocol: RFC 6143 ("RFB"), and for what came later
 * the community's text of it ("rfbproto").
 *
 * Threads: each client has a thread of its own, which reads, encodes and writes, and never takes
 * the device lock; a client that does not read makes only its own thread wait. The main thread
 * copies what the console draws into `shadow` and marks it in each client's `dirty`. What the
 * client does goes to the main thread by a queue of events. `lock` guards what both see; it is
 * taken last, under the device lock.
 */
#ifndef UI_VNC_PRIVATE_H
#define UI_VNC_PRIVATE_H

#include <pthread.h>
#include <base/loop.h>
#include <ui/clipboard.h>
#include <ui/vnc.h>

#ifdef CONFIG_ZLIB
#include <zlib.h>
#endif

enum {
    CLIENTS_MAX = 64,
    EVENTS_MAX = 256,                 /* of one client, that the main thread has not seen */
    MESSAGE_MAX = CLIPBOARD_MAX + 64, /* bytes that one message of a client may have */
    REPLIES_MAX = CLIPBOARD_MAX,      /* bytes; one more may come on top */
    HANDSHAKE_MS = 30000,
    DIRTY_SHIFT = 4, /* a bit of `dirty` is for 16 pixels of a row */
    PASSWORD_LEN = 8,
    CHALLENGE_LEN = 16,
};

enum rfb_encoding {
    ENC_RAW = 0,
    ENC_HEXTILE = 5,
    ENC_ZLIB = 6,
    ENC_TIGHT = 7,
    ENC_ZRLE = 16,
    ENC_QUALITY_0 = -32, /* to -23 */
    ENC_DESKTOP_SIZE = -223,
    ENC_LAST_RECT = -224,
    ENC_CURSOR = -239,
    ENC_COMPRESS_0 = -256, /* to -247 */
    ENC_POINTER_TYPE = -257,
    ENC_EXT_KEY = -258,
    ENC_LED = -261,
    ENC_DESKTOP_NAME = -307,
    ENC_EXT_DESKTOP_SIZE = -308,
    ENC_XVP = -309,
    ENC_ALPHA_CURSOR = -314,
    ENC_CLIPBOARD = (int32_t)0xc0a1e5ce,
};

/* What a client said that it understands. */
enum feature {
    CAN_DESKTOP_SIZE = 1 << 0,
    CAN_EXT_DESKTOP_SIZE = 1 << 1,
    CAN_CURSOR = 1 << 2,
    CAN_ALPHA_CURSOR = 1 << 3,
    CAN_POINTER_TYPE = 1 << 4,
    CAN_EXT_KEY = 1 << 5,
    CAN_LED = 1 << 6,
    CAN_NAME = 1 << 7,
    CAN_CLIPBOARD = 1 << 8,
    CAN_XVP = 1 << 9,
};

/* What is to be told to a client besides pixels. */
enum news {
    NEWS_SIZE = 1 << 0,
    NEWS_CURSOR = 1 << 1,
    NEWS_POINTER_TYPE = 1 << 2,
    NEWS_EXT_KEY = 1 << 3,
    NEWS_LED = 1 << 4,
    NEWS_NAME = 1 << 5,
    NEWS_SIZE_REPLY = 1 << 6, /* to SetDesktopSize */
    NEWS_CLIPBOARD = 1 << 7,  /* needs no request */
    NEWS_XVP = 1 << 8,        /* the same */
    NEWS_AT_ONCE = NEWS_CLIPBOARD | NEWS_XVP,
};

/* How a client wants its pixels. */
struct pixel_format {
    unsigned bytes; /* 1, 2, 4 */
    bool big_endian;
    uint16_t max[3]; /* red, green, blue */
    uint8_t shift[3];
    bool native;  /* as surfaces are */
    bool compact; /* ZRLE and tight leave a byte out: see cpixel_at */
    uint8_t depth;
    uint8_t cpixel_at; /* ZRLE: first of the three bytes that matter */
};

struct rect {
    unsigned x, y, width, height;
};

/* A zlib stream that lives as long as the client. */
struct packer {
#ifdef CONFIG_ZLIB
    z_stream z;
#endif
    bool ready;
    int level;
};

enum { TIGHT_STREAMS = 3 };

struct client;
/* Looks at `len` bytes (at least 1) that came. Returns how many it used, 0: not yet enough, -1: the
 * client is to go. */
typedef int client_fn(struct client *c, const uint8_t *buf, size_t len);

/* What stands between the bytes of the protocol and the socket. */
struct tls;
struct websocket;

struct client {
    struct vnc *vnc;
    unsigned id;
    pthread_t thread;
    int fd, wake;        /* eventfd: something for the thread to see */
    bool websocket_port; /* came in by that */
    bool trusted;        /* whoever handed it over knows who it is */
    char *host, *service;
    bool is_unix;

    /* the thread's own */
    GByteArray *in, *out;
    size_t out_at;
    size_t replies;  /* bytes of it that answer messages: at REPLIES_MAX no more are looked at */
    client_fn *next; /* what comes now */
    unsigned minor;  /* 3, 7, 8 */
    int32_t security, subtype;
    uint8_t challenge[CHALLENGE_LEN];
    bool begun, ready, closing;
    bool full;        /* of events: it waits for the main thread */
    bool skipped;     /* no update was looked for, since the last one is still to be sent */
    int64_t deadline; /* of the handshake, monotonic us */
    int64_t retry;    /* monotonic us: what came is to be looked at then; 0: no */
    struct tls *tls;
    bool tls_shaking;
    struct websocket *ws;
    struct pixel_format format;
    int32_t encoding;
    unsigned features;
    int quality, compress;  /* 0 to 9; -1: not said */
    unsigned width, height; /* as the client knows it */
    uint32_t *pixels;       /* snapshot that is encoded */
    size_t pixels_room;
    unsigned snap_width, snap_height;
    unsigned buttons;
    uint32_t clip_flags; /* extended clipboard: what the client can do */
    struct packer zlib, zrle, tight[TIGHT_STREAMS];
    GByteArray *scratch, *packed;
    uint8_t size_status;

    /* guarded by vnc->lock */
    bool quit;
    unsigned queued; /* events */
    unsigned news;
    struct rect wanted; /* request that was not answered; width 0: none */
    uint64_t *dirty;    /* bitmap: vnc->dirty_words for each row */
    bool any_dirty, wanted_now;
    bool shared, authenticated, initialized;
    uint8_t size_reply; /* status of NEWS_SIZE_REPLY */

    /* main thread */
    struct keys_held held;
    unsigned main_buttons;
    unsigned text_mods;
    int last_x, last_y; /* relative mode: where the pointer was; -1 before */
};

enum event_kind {
    EV_INITIALIZED,
    EV_KEY,
    EV_POINTER,
    EV_SIZE,
    EV_CLIPBOARD,
    EV_XVP,
    EV_CLOSED,
};

struct event {
    enum event_kind kind;
    struct client *client;
    bool down, ext;
    uint32_t keysym;
    unsigned x, y, buttons, width, height;
    char *text; /* owned */
};

struct vnc {
    struct vnc_config cfg;
    GPtrArray *listeners; /* of struct listener (listen.c) */
    unsigned display;     /* of the first listener */
    GSource *event_source;
    int event_fd;

    /* main thread */
    struct console *console; /* NULL: none there */
    struct console_listener con_listener;
    struct consoles_watch watch;
    struct input_watch input_watch;
    struct clipboard_peer clip;
    unsigned next_id;
    char *display_text;

    pthread_mutex_t lock;
    GPtrArray *clients; /* of struct client; also changed only by the main thread */
    GQueue events;      /* of struct event */
    uint32_t *shadow;
    unsigned width, height, dirty_words;
    bool drawing; /* between the first change and the flush */
    struct cursor *cursor;
    bool had_cursor;
    bool absolute;
    unsigned leds;
    char *name;
    char *clip_text; /* what the guest or another display copied; NULL: nothing yet */
    char *password;  /* NULL: none is set, and so nobody gets in where one is asked for */
    int64_t expires; /* seconds since 1970, 0: never */
    unsigned failures;
    int64_t not_before; /* monotonic us: tries are looked at from then on */
};

/* ---- server.c ---- */

/* From a client's thread: hands an event to the main thread; takes over ev->text. */
void vnc_post(struct client *c, const struct event *ev);
void vnc_wake(struct client *c);
/* Lock held. All but `from` are to learn of the text. */
void vnc_tell_copied(struct vnc *v, const struct client *from, const char *text);
/* listen.c */
bool vnc_listen_all(struct vnc *v, GError **err);
void vnc_unlisten_all(struct vnc *v);
/* Address of a socket's end; to be freed. */
struct end {
    char *host, *service;
    const char *family;
};
struct end vnc_end(int fd, bool peer);
/* That of the first listener; false: there is none. */
/* Takes over the socket. */
void vnc_accept(struct vnc *v, int fd, bool websocket, bool trusted);

/* ---- screen.c: console and shadow ---- */

void vnc_screen_init(struct vnc *v);
void vnc_screen_destroy(struct vnc *v);
/* The pace that the clients there are want. */
void vnc_screen_pace(struct vnc *v);
void vnc_show_console(struct vnc *v, unsigned n);
/* lock held */
void vnc_mark_all(struct vnc *v, struct client *c);
bool vnc_dirty_new(struct vnc *v, struct client *c);

/* ---- events.c: what clients do, in the main thread ---- */

gboolean vnc_events(int fd, GIOCondition cond, gpointer opaque);
enum key vnc_key_of_keysym(uint32_t keysym);
/* The character that a keysym stands for, 0: none. */
uint32_t vnc_keysym_character(uint32_t keysym);

/* ---- client.c ---- */

struct client *client_new(struct vnc *v, int fd, bool websocket);
void client_free(struct client *c);
bool client_start(struct client *c);
static inline void client_put(struct client *c, const void *p, size_t n)
{
    g_byte_array_append(c->out, p, (guint)n);
}
void put8(GByteArray *a, unsigned v);
void put16(GByteArray *a, unsigned v);
void put32(GByteArray *a, uint32_t v);
void rect_header(GByteArray *a, const struct rect *r, int32_t encoding);

/* ---- handshake.c, auth.c, message.c, update.c ---- */

void handshake_begin(struct client *c);
int handshake_tls_done(struct client *c);
client_fn message_next;
/* Begins the reply to a challenge. */
void auth_begin(struct client *c);
client_fn auth_reply;
/* Before the others. False: a server cannot ask for a password. */
bool auth_open(GError **err);
/* What a client that knows the password answers. */
void auth_answer(const char *password, const uint8_t challenge[CHALLENGE_LEN],
                 uint8_t answer[CHALLENGE_LEN]);
void handshake_authenticated(struct client *c);
void handshake_failed(struct client *c, const char *why);
/* Appends what is to be sent now to c->out, if anything. False: the client is to go. */
bool update_send(struct client *c);

/* ---- pixel.c, enc_*.c ---- */

/* False: that is no format that pixels could have. */
bool pixel_format_parse(struct pixel_format *f, const uint8_t *p);
void pixel_format_native(struct pixel_format *f);
void pixel_format_put(const struct pixel_format *f, GByteArray *a);
void pixels_put(const struct pixel_format *f, const uint32_t *px, unsigned n, GByteArray *a);
/* Three bytes, or as pixels_put(). */
void cpixels_put(const struct pixel_format *f, const uint32_t *px, unsigned n, GByteArray *a);
void tpixels_put(const struct pixel_format *f, const uint32_t *px, unsigned n, GByteArray *a);

/* Appends one or more rectangles and returns how many. The pixels are in c->pixels. */
typedef unsigned encode_fn(struct client *c, const struct rect *r);
encode_fn encode_raw, encode_hextile, encode_zlib, encode_zrle, encode_tight;
/* Before anything is lossy. False: there is no JPEG. */
bool tight_open_jpeg(GError **err);
static inline const uint32_t *snap_row(const struct client *c, unsigned x, unsigned y)
{
    return c->pixels + (size_t)y * c->snap_width + x;
}
/* Compresses and appends to `out`; everything is there for the client to unpack. */
bool packer_run(struct packer *p, int level, const uint8_t *buf, size_t len, GByteArray *out);
void packer_end(struct packer *p);
/* Distinct colours of a rectangle, at most `max` of them; max + 1: more. */
unsigned count_colors(const struct client *c, const struct rect *r, uint32_t *colors, unsigned max);

/* ---- clip.c: the extended clipboard ---- */

int clip_message(struct client *c, const uint8_t *p, size_t len);
void clip_send_caps(struct client *c);
void clip_send_text(struct client *c, const char *text);

/* ---- ws.c ---- */

struct websocket *ws_new(void);
void ws_free(struct websocket *ws);
/* Takes bytes from the socket, appends those of the protocol to `in` and what must be answered to
 * `reply`. False: the client is to go. */
bool ws_receive(struct websocket *ws, const uint8_t *buf, size_t len, GByteArray *in,
                GByteArray *reply);
bool ws_open(const struct websocket *ws);
void ws_frame(const uint8_t *buf, size_t len, GByteArray *out);

/* ---- tls.c ---- */

struct tls *tls_new(struct client *c, GError **err);
void tls_free(struct tls *t);
/* 1: done, 0: not yet, -1: failed. */
int tls_shake(struct tls *t, bool *wants_write);
/* As read() and write(), with errno EAGAIN. */
ssize_t tls_read(struct tls *t, void *buf, size_t len);
ssize_t tls_write(struct tls *t, const void *buf, size_t len);
bool tls_has_input(const struct tls *t);
/* Before the others: whether the library is there, and the files are and fit. */
bool tls_check(const struct vnc_tls *cfg, GError **err);

#endif
