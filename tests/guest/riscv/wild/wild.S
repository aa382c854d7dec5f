/*
 * A guest that goes wrong: it jumps to where there is no memory, and runs off the end of RAM. Each
 * time there has to be an instruction access fault at that very address. Power off says that all
 * went well, else the status is the number of the try. Machine virt, 128 MiB, given as -bios, as plain code.
 */
#define FINISHER 0x100000
#define RAM_END  0x88000000

	.globl _start
_start:
	csrr	t0, mhartid
0:	bnez	t0, 0b
	lla	t0, trap
	csrw	mtvec, t0
	lla	s1, places
	li	s2, 1
next:
	LOAD	s0, 0(s1)
	beqz	s0, run_off
	mv	s3, s0			/* address that mepc is to tell, and mtval */
	mv	s4, s0
	jalr	s0
	addi	s1, s1, SIZE
	addi	s2, s2, 1
	j	next

/* Four nops up to the end of RAM; then half an instruction there. */
run_off:
	li	s0, RAM_END - 16
	li	t0, 0x00000013
	sw	t0, 0(s0)
	sw	t0, 4(s0)
	sw	t0, 8(s0)
	sw	t0, 12(s0)
	fence.i
	li	s3, RAM_END
	mv	s4, s3
	jalr	s0
	addi	s2, s2, 1
	li	s3, RAM_END - 2
	mv	s0, s3
	li	t0, 0x13
	sh	t0, 0(s3)
	fence.i
	li	s4, RAM_END
	jalr	s0
	li	t0, 0x5555
	j	finish

	.balign	4
trap:
	csrr	t0, mcause
	addi	t0, t0, -1		/* instruction access fault */
	bnez	t0, wrong
	csrr	t0, mepc
	bne	t0, s3, wrong
	csrr	t0, mtval
	bne	t0, s4, wrong
	csrw	mepc, ra
	mret

wrong:
	slli	t0, s2, 16
	li	t1, 0x3333
	or	t0, t0, t1
finish:
	li	t1, FINISHER
	sw	t0, 0(t1)
0:	j	0b

	.balign	8
places:
	WORD	0x100000, 0x101000, 0x2000000, 0x2004000, 0xc000000, 0x10000000, 0x10001000
	WORD	0x10100018, 0x30000000, 0x40000000, 0x7ffffffc, RAM_END, 0xfffff000
	WORD	0x4, 0
