#!/bin/sh
# embed.sh FILE...: prints an assembler source that holds the files and the table of base/embed.h.
set -e
echo '	.section .note.GNU-stack,"",@progbits'
echo '	.section .rodata'
n=0
for f in "$@"; do
	printf '	.balign 16\nembedded_%d:\n	.incbin "%s"\nembedded_%d_end:\n' $n "$f" $n
	printf 'embedded_%d_name:\n	.asciz "%s"\n' $n "$(basename "$f")"
	n=$((n + 1))
done
# struct embedded_file { const char *name; const uint8_t *data; size_t size; }, one all-zero row last
echo '	.section .data.rel.ro,"aw"'
echo '	.balign 8'
echo '	.globl embedded_files'
echo 'embedded_files:'
i=0
while [ $i -lt $n ]; do
	printf '	.quad embedded_%d_name, embedded_%d, embedded_%d_end - embedded_%d\n' $i $i $i $i
	i=$((i + 1))
done
echo '	.quad 0, 0, 0'
