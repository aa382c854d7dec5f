/* Which guest is meant, from the program's name and from the images it is to run. */
#include <base/bits.h>

#include <elf.h>
#include <stdio.h>

#include "config.h"

struct arch_number {
    unsigned number;
    const char *name;
};

static const char *by_number(const struct arch_number *rows, size_t n, unsigned number)
{
    for (size_t i = 0; i < n; i++) {
        if (rows[i].number == number) {
            return rows[i].name;
        }
    }
    return NULL;
}

/* System V ABI: e_ident[4] class, [5] byte order; e_machine at 18. */
static const char *arch_of_elf(const uint8_t *p)
{
    static const struct arch_number machines[] = {
        { EM_386, "i386" },        { EM_X86_64, "x86_64" }, { EM_ARM, "arm" },
        { EM_AARCH64, "aarch64" }, { EM_S390, "s390x" },    { EM_PPC, "ppc" },
        { EM_PPC64, "ppc64" },     { EM_MIPS, "mips" },
    };
    unsigned machine = p[EI_DATA] == ELFDATA2MSB ? lduw_be(p + 18) : lduw_le(p + 18);

    if (machine == EM_RISCV) {
        return p[EI_CLASS] == ELFCLASS32 ? "riscv32" : "riscv64";
    }
    return by_number(machines, ARRAY_LEN(machines), machine);
}

/* PE/COFF: offset of the PE header at 0x3c, "PE\0\0", then the machine. Kernels with an EFI stub
 * have it. */
static const char *arch_of_pe(const uint8_t *data, size_t len)
{
    static const struct arch_number machines[] = {
        { 0x014c, "i386" },    { 0x8664, "x86_64" },  { 0x01c2, "arm" },
        { 0xaa64, "aarch64" }, { 0x5032, "riscv32" }, { 0x5064, "riscv64" },
    };
    uint32_t at = ldl_le(data + 0x3c);

    if (at > len - 6 || memcmp(data + at, "PE\0\0", 4) != 0) {
        return NULL;
    }
    return by_number(machines, ARRAY_LEN(machines), lduw_le(data + at + 4));
}

const char *arch_of_image(const uint8_t *data, size_t len)
{
    const char *arch = NULL;

    if (len < 64) {
        return NULL;
    }
    if (memcmp(data, ELFMAG, SELFMAG) == 0) {
        return arch_of_elf(data);
    }
    if (data[0] == 'M' && data[1] == 'Z') {
        arch = arch_of_pe(data, len);
    }
    if (arch) {
        return arch;
    }
    /* Linux Documentation: arch/arm64/booting, arch/riscv/boot-image-header, arch/x86/boot */
    if (memcmp(data + 56, "ARM\x64", 4) == 0) {
        return "aarch64";
    }
    if (memcmp(data + 56, "RSC\x05", 4) == 0) {
        return "riscv64";
    }
    if (len >= 0x206 && lduw_le(data + 0x1fe) == 0xaa55 && memcmp(data + 0x202, "HdrS", 4) == 0) {
        return "x86_64";
    }
    return NULL;
}

static const char *arch_of_file(const char *path)
{
    uint8_t head[4096];
    FILE *f = path ? fopen(path, "rbe") : NULL;
    size_t n;

    if (!f) {
        return NULL; /* who loads it says why it cannot be opened */
    }
    n = fread(head, 1, sizeof(head), f);
    fclose(f);
    return arch_of_image(head, n);
}

static const char *arch_of_name(const char *program)
{
    static const char *const prefixes[] = { "myna-system-", "qemu-system-" };

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (g_str_has_prefix(program, prefixes[i])) {
            return program + strlen(prefixes[i]);
        }
    }
    return NULL;
}

const char *config_arch(const struct config *c)
{
    const char *arch = c->text[TEXT_ARCH];

    arch = arch ? arch : arch_of_name(c->program);
    arch = arch ? arch : arch_of_file(c->text[TEXT_KERNEL]);
    arch = arch ? arch : arch_of_file(c->text[TEXT_BIOS]);
    return arch ? arch : MYNA_HOST;
}
