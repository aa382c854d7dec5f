/* See pcio.h. */
#include "pcio.h"

#include <fcntl.h>
#include <unistd.h>
#include <glib.h>
#include <glib/gstdio.h>

static char letter(unsigned size)
{
    return size == 1 ? 'b' : size == 2 ? 'w' : 'l';
}

uint32_t pc_in(struct qclient *q, unsigned size, uint16_t port)
{
    return (uint32_t)g_ascii_strtoull(qc_cmd(q, "in%c 0x%x", letter(size), port), NULL, 0);
}

void pc_out(struct qclient *q, unsigned size, uint16_t port, uint32_t v)
{
    qc_cmd(q, "out%c 0x%x 0x%x", letter(size), port, v);
}

static uint16_t config_at(struct qclient *q, unsigned slot, unsigned function, unsigned reg)
{
    pc_out(q, 4, 0xcf8, 0x80000000u | slot << 11 | function << 8 | (reg & 0xfc));
    return (uint16_t)(0xcfc + (reg & 3));
}

uint32_t pc_config_read(struct qclient *q, unsigned slot, unsigned function, unsigned reg,
                        unsigned size)
{
    return pc_in(q, size, config_at(q, slot, function, reg));
}

void pc_config_write(struct qclient *q, unsigned slot, unsigned function, unsigned reg,
                     unsigned size, uint32_t v)
{
    pc_out(q, size, config_at(q, slot, function, reg), v);
}

void pc_pattern(uint8_t *buf, size_t offset, size_t len, uint8_t seed)
{
    for (size_t i = 0; i < len; i++) {
        size_t at = offset + i;

        buf[i] = (uint8_t)((at / 512 * 7 + at * 3 + (at >> 16)) ^ seed);
    }
}

char *pc_image_new(size_t len)
{
    g_autofree uint8_t *bytes = g_malloc(len);
    char *path;
    int fd = g_file_open_tmp("myna-pc-XXXXXX", &path, NULL);

    pc_pattern(bytes, 0, len, 0);
    g_assert_cmpint(write(fd, bytes, len), ==, (ssize_t)len);
    close(fd);
    return path;
}

void pc_image_read(const char *path, size_t offset, void *buf, size_t len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    g_assert_cmpint(pread(fd, buf, len, (off_t)offset), ==, (ssize_t)len);
    close(fd);
}

void pc_image_free(char *path)
{
    g_unlink(path);
    g_free(path);
}
