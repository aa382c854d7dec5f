/*
 * Decoding of RISC-V: known encodings, every form of every table, random words against the masks,
 * reserved encodings.
 */
#include <base/bits.h>
#include <target/cpu.h>
#include <target/decode.h>
#include <target/riscv.h>

#define DECODER(name) extern const struct decode_table riscv_##name##_table;
#include <target/riscv/decoders.def>
#undef DECODER

static const struct decode_table *const tables[] = {
#define DECODER(name) &riscv_##name##_table,
#include <target/riscv/decoders.def>
#undef DECODER
};

/* As the GNU assembler encodes them: the text it was given is in the comment. */
static const struct {
    uint32_t word;
    unsigned bits;
    const char *form;
} known[] = {
    { 0xfffff537, 32, "lui rd=10 imm=-4096" },                     /* lui a0,0xfffff */
    { 0x12345fb7, 32, "lui rd=31 imm=305418240" },                 /* lui t6,0x12345 */
    { 0x80000997, 32, "auipc rd=19 imm=-2147483648" },             /* auipc s3,0x80000 */
    { 0x7ffff0ef, 32, "jal rd=1 imm=1048574" },                    /* jal ra,.+0xffffe */
    { 0x8000006f, 32, "jal rd=0 imm=-1048576" },                   /* jal zero,.-0x100000 */
    { 0x800605e7, 32, "jalr rs1=12 rd=11 imm=-2048" },             /* jalr a1,-2048(a2) */
    { 0x7eb50fe3, 32, "beq rs2=11 rs1=10 imm=4094" },              /* beq a0,a1,.+4094 */
    { 0x81f51063, 32, "bne rs2=31 rs1=10 imm=-4096" },             /* bne a0,t6,.-4096 */
    { 0x00944463, 32, "blt rs2=9 rs1=8 imm=8" },                   /* blt s0,s1,.+8 */
    { 0xfe945ce3, 32, "bge rs2=9 rs1=8 imm=-8" },                  /* bge s0,s1,.-8 */
    { 0x0062e863, 32, "bltu rs2=6 rs1=5 imm=16" },                 /* bltu t0,t1,.+16 */
    { 0xfe62ffe3, 32, "bgeu rs2=6 rs1=5 imm=-2" },                 /* bgeu t0,t1,.-2 */
    { 0xfff58503, 32, "lb rs1=11 rd=10 imm=-1" },                  /* lb a0,-1(a1) */
    { 0x7ff59503, 32, "lh rs1=11 rd=10 imm=2047" },                /* lh a0,2047(a1) */
    { 0x8005a503, 32, "lw rs1=11 rd=10 imm=-2048" },               /* lw a0,-2048(a1) */
    { 0x0085b503, 32, "ld rs1=11 rd=10 imm=8" },                   /* ld a0,8(a1) */
    { 0x0015c503, 32, "lbu rs1=11 rd=10 imm=1" },                  /* lbu a0,1(a1) */
    { 0x0025d503, 32, "lhu rs1=11 rd=10 imm=2" },                  /* lhu a0,2(a1) */
    { 0x0045e503, 32, "lwu rs1=11 rd=10 imm=4" },                  /* lwu a0,4(a1) */
    { 0xff1d8fa3, 32, "sb rs2=17 rs1=27 imm=-1" },                 /* sb a7,-1(s11) */
    { 0x7f1d9fa3, 32, "sh rs2=17 rs1=27 imm=2047" },               /* sh a7,2047(s11) */
    { 0x811da023, 32, "sw rs2=17 rs1=27 imm=-2048" },              /* sw a7,-2048(s11) */
    { 0x011dbfa3, 32, "sd rs2=17 rs1=27 imm=31" },                 /* sd a7,31(s11) */
    { 0xfff58513, 32, "addi rs1=11 rd=10 imm=-1" },                /* addi a0,a1,-1 */
    { 0x0055a513, 32, "slti rs1=11 rd=10 imm=5" },                 /* slti a0,a1,5 */
    { 0xffb5b513, 32, "sltiu rs1=11 rd=10 imm=-5" },               /* sltiu a0,a1,-5 */
    { 0x0015c513, 32, "xori rs1=11 rd=10 imm=1" },                 /* xori a0,a1,1 */
    { 0x0025e513, 32, "ori rs1=11 rd=10 imm=2" },                  /* ori a0,a1,2 */
    { 0x0035f513, 32, "andi rs1=11 rd=10 imm=3" },                 /* andi a0,a1,3 */
    { 0x03f59513, 32, "slli imm=63 rs1=11 rd=10" },                /* slli a0,a1,63 */
    { 0x0215d513, 32, "srli imm=33 rs1=11 rd=10" },                /* srli a0,a1,33 */
    { 0x4015d513, 32, "srai imm=1 rs1=11 rd=10" },                 /* srai a0,a1,1 */
    { 0x00c58533, 32, "add rs2=12 rs1=11 rd=10" },                 /* add a0,a1,a2 */
    { 0x40c58533, 32, "sub rs2=12 rs1=11 rd=10" },                 /* sub a0,a1,a2 */
    { 0x00c59533, 32, "sll rs2=12 rs1=11 rd=10" },                 /* sll a0,a1,a2 */
    { 0x00c5a533, 32, "slt rs2=12 rs1=11 rd=10" },                 /* slt a0,a1,a2 */
    { 0x00c5b533, 32, "sltu rs2=12 rs1=11 rd=10" },                /* sltu a0,a1,a2 */
    { 0x00c5c533, 32, "xor rs2=12 rs1=11 rd=10" },                 /* xor a0,a1,a2 */
    { 0x00c5d533, 32, "srl rs2=12 rs1=11 rd=10" },                 /* srl a0,a1,a2 */
    { 0x40c5d533, 32, "sra rs2=12 rs1=11 rd=10" },                 /* sra a0,a1,a2 */
    { 0x00c5e533, 32, "or rs2=12 rs1=11 rd=10" },                  /* or a0,a1,a2 */
    { 0x00c5f533, 32, "and rs2=12 rs1=11 rd=10" },                 /* and a0,a1,a2 */
    { 0xff95851b, 32, "addiw rs1=11 rd=10 imm=-7" },               /* addiw a0,a1,-7 */
    { 0x01f5951b, 32, "slliw imm=31 rs1=11 rd=10" },               /* slliw a0,a1,31 */
    { 0x0015d51b, 32, "srliw imm=1 rs1=11 rd=10" },                /* srliw a0,a1,1 */
    { 0x4095d51b, 32, "sraiw imm=9 rs1=11 rd=10" },                /* sraiw a0,a1,9 */
    { 0x00c5853b, 32, "addw rs2=12 rs1=11 rd=10" },                /* addw a0,a1,a2 */
    { 0x40c5853b, 32, "subw rs2=12 rs1=11 rd=10" },                /* subw a0,a1,a2 */
    { 0x00c5953b, 32, "sllw rs2=12 rs1=11 rd=10" },                /* sllw a0,a1,a2 */
    { 0x00c5d53b, 32, "srlw rs2=12 rs1=11 rd=10" },                /* srlw a0,a1,a2 */
    { 0x40c5d53b, 32, "sraw rs2=12 rs1=11 rd=10" },                /* sraw a0,a1,a2 */
    { 0x0310000f, 32, "fence fm=0 pred=3 succ=1" },                /* fence rw,w */
    { 0x8330000f, 32, "fence fm=8 pred=3 succ=3" },                /* fence.tso */
    { 0x0000100f, 32, "fence.i" },                                 /* fence.i */
    { 0x0100000f, 32, "pause" },                                   /* pause */
    { 0x02c58533, 32, "mul rs2=12 rs1=11 rd=10" },                 /* mul a0,a1,a2 */
    { 0x02c59533, 32, "mulh rs2=12 rs1=11 rd=10" },                /* mulh a0,a1,a2 */
    { 0x02c5a533, 32, "mulhsu rs2=12 rs1=11 rd=10" },              /* mulhsu a0,a1,a2 */
    { 0x02c5b533, 32, "mulhu rs2=12 rs1=11 rd=10" },               /* mulhu a0,a1,a2 */
    { 0x02c5c533, 32, "div rs2=12 rs1=11 rd=10" },                 /* div a0,a1,a2 */
    { 0x02c5d533, 32, "divu rs2=12 rs1=11 rd=10" },                /* divu a0,a1,a2 */
    { 0x02c5e533, 32, "rem rs2=12 rs1=11 rd=10" },                 /* rem a0,a1,a2 */
    { 0x02c5f533, 32, "remu rs2=12 rs1=11 rd=10" },                /* remu a0,a1,a2 */
    { 0x02c5853b, 32, "mulw rs2=12 rs1=11 rd=10" },                /* mulw a0,a1,a2 */
    { 0x02c5c53b, 32, "divw rs2=12 rs1=11 rd=10" },                /* divw a0,a1,a2 */
    { 0x02c5d53b, 32, "divuw rs2=12 rs1=11 rd=10" },               /* divuw a0,a1,a2 */
    { 0x02c5e53b, 32, "remw rs2=12 rs1=11 rd=10" },                /* remw a0,a1,a2 */
    { 0x02c5f53b, 32, "remuw rs2=12 rs1=11 rd=10" },               /* remuw a0,a1,a2 */
    { 0x1405a52f, 32, "lr.w aq=1 rl=0 rs1=11 rd=10" },             /* lr.w.aq a0,(a1) */
    { 0x1ac5a52f, 32, "sc.w aq=0 rl=1 rs2=12 rs1=11 rd=10" },      /* sc.w.rl a0,a2,(a1) */
    { 0x0ec5a52f, 32, "amoswap.w aq=1 rl=1 rs2=12 rs1=11 rd=10" }, /* amoswap.w.aqrl a0,a2,(a1) */
    { 0x00c5a52f, 32, "amoadd.w aq=0 rl=0 rs2=12 rs1=11 rd=10" },  /* amoadd.w a0,a2,(a1) */
    { 0x20c5a52f, 32, "amoxor.w aq=0 rl=0 rs2=12 rs1=11 rd=10" },  /* amoxor.w a0,a2,(a1) */
    { 0x60c5a52f, 32, "amoand.w aq=0 rl=0 rs2=12 rs1=11 rd=10" },  /* amoand.w a0,a2,(a1) */
    { 0x40c5a52f, 32, "amoor.w aq=0 rl=0 rs2=12 rs1=11 rd=10" },   /* amoor.w a0,a2,(a1) */
    { 0x80c5a52f, 32, "amomin.w aq=0 rl=0 rs2=12 rs1=11 rd=10" },  /* amomin.w a0,a2,(a1) */
    { 0xa0c5a52f, 32, "amomax.w aq=0 rl=0 rs2=12 rs1=11 rd=10" },  /* amomax.w a0,a2,(a1) */
    { 0xc0c5a52f, 32, "amominu.w aq=0 rl=0 rs2=12 rs1=11 rd=10" }, /* amominu.w a0,a2,(a1) */
    { 0xe0c5a52f, 32, "amomaxu.w aq=0 rl=0 rs2=12 rs1=11 rd=10" }, /* amomaxu.w a0,a2,(a1) */
    { 0x1005b52f, 32, "lr.d aq=0 rl=0 rs1=11 rd=10" },             /* lr.d a0,(a1) */
    { 0x18c5b52f, 32, "sc.d aq=0 rl=0 rs2=12 rs1=11 rd=10" },      /* sc.d a0,a2,(a1) */
    { 0x08c5b52f, 32, "amoswap.d aq=0 rl=0 rs2=12 rs1=11 rd=10" }, /* amoswap.d a0,a2,(a1) */
    { 0x00c5b52f, 32, "amoadd.d aq=0 rl=0 rs2=12 rs1=11 rd=10" },  /* amoadd.d a0,a2,(a1) */
    { 0x20c5b52f, 32, "amoxor.d aq=0 rl=0 rs2=12 rs1=11 rd=10" },  /* amoxor.d a0,a2,(a1) */
    { 0x60c5b52f, 32, "amoand.d aq=0 rl=0 rs2=12 rs1=11 rd=10" },  /* amoand.d a0,a2,(a1) */
    { 0x40c5b52f, 32, "amoor.d aq=0 rl=0 rs2=12 rs1=11 rd=10" },   /* amoor.d a0,a2,(a1) */
    { 0x80c5b52f, 32, "amomin.d aq=0 rl=0 rs2=12 rs1=11 rd=10" },  /* amomin.d a0,a2,(a1) */
    { 0xa0c5b52f, 32, "amomax.d aq=0 rl=0 rs2=12 rs1=11 rd=10" },  /* amomax.d a0,a2,(a1) */
    { 0xc0c5b52f, 32, "amominu.d aq=0 rl=0 rs2=12 rs1=11 rd=10" }, /* amominu.d a0,a2,(a1) */
    { 0xe0c5b52f, 32, "amomaxu.d aq=0 rl=0 rs2=12 rs1=11 rd=10" }, /* amomaxu.d a0,a2,(a1) */
    { 0x20c5a533, 32, "sh1add rs2=12 rs1=11 rd=10" },              /* sh1add a0,a1,a2 */
    { 0x20c5c533, 32, "sh2add rs2=12 rs1=11 rd=10" },              /* sh2add a0,a1,a2 */
    { 0x20c5e533, 32, "sh3add rs2=12 rs1=11 rd=10" },              /* sh3add a0,a1,a2 */
    { 0x08c5853b, 32, "add.uw rs2=12 rs1=11 rd=10" },              /* add.uw a0,a1,a2 */
    { 0x20c5a53b, 32, "sh1add.uw rs2=12 rs1=11 rd=10" },           /* sh1add.uw a0,a1,a2 */
    { 0x20c5c53b, 32, "sh2add.uw rs2=12 rs1=11 rd=10" },           /* sh2add.uw a0,a1,a2 */
    { 0x20c5e53b, 32, "sh3add.uw rs2=12 rs1=11 rd=10" },           /* sh3add.uw a0,a1,a2 */
    { 0x0bf5951b, 32, "slli.uw imm=63 rs1=11 rd=10" },             /* slli.uw a0,a1,63 */
    { 0x40c5f533, 32, "andn rs2=12 rs1=11 rd=10" },                /* andn a0,a1,a2 */
    { 0x40c5e533, 32, "orn rs2=12 rs1=11 rd=10" },                 /* orn a0,a1,a2 */
    { 0x40c5c533, 32, "xnor rs2=12 rs1=11 rd=10" },                /* xnor a0,a1,a2 */
    { 0x60059513, 32, "clz rs1=11 rd=10" },                        /* clz a0,a1 */
    { 0x60159513, 32, "ctz rs1=11 rd=10" },                        /* ctz a0,a1 */
    { 0x60259513, 32, "cpop rs1=11 rd=10" },                       /* cpop a0,a1 */
    { 0x6005951b, 32, "clzw rs1=11 rd=10" },                       /* clzw a0,a1 */
    { 0x6015951b, 32, "ctzw rs1=11 rd=10" },                       /* ctzw a0,a1 */
    { 0x6025951b, 32, "cpopw rs1=11 rd=10" },                      /* cpopw a0,a1 */
    { 0x0ac5e533, 32, "max rs2=12 rs1=11 rd=10" },                 /* max a0,a1,a2 */
    { 0x0ac5f533, 32, "maxu rs2=12 rs1=11 rd=10" },                /* maxu a0,a1,a2 */
    { 0x0ac5c533, 32, "min rs2=12 rs1=11 rd=10" },                 /* min a0,a1,a2 */
    { 0x0ac5d533, 32, "minu rs2=12 rs1=11 rd=10" },                /* minu a0,a1,a2 */
    { 0x60459513, 32, "sext.b rs1=11 rd=10" },                     /* sext.b a0,a1 */
    { 0x60559513, 32, "sext.h rs1=11 rd=10" },                     /* sext.h a0,a1 */
    { 0x0805c53b, 32, "zext.h rs1=11 rd=10" },                     /* zext.h a0,a1 */
    { 0x60c59533, 32, "rol rs2=12 rs1=11 rd=10" },                 /* rol a0,a1,a2 */
    { 0x60c5d533, 32, "ror rs2=12 rs1=11 rd=10" },                 /* ror a0,a1,a2 */
    { 0x63f5d513, 32, "rori imm=63 rs1=11 rd=10" },                /* rori a0,a1,63 */
    { 0x60c5953b, 32, "rolw rs2=12 rs1=11 rd=10" },                /* rolw a0,a1,a2 */
    { 0x60c5d53b, 32, "rorw rs2=12 rs1=11 rd=10" },                /* rorw a0,a1,a2 */
    { 0x61f5d51b, 32, "roriw imm=31 rs1=11 rd=10" },               /* roriw a0,a1,31 */
    { 0x2875d513, 32, "orc.b rs1=11 rd=10" },                      /* orc.b a0,a1 */
    { 0x6b85d513, 32, "rev8 rs1=11 rd=10" },                       /* rev8 a0,a1 */
    { 0x0ac59533, 32, "clmul rs2=12 rs1=11 rd=10" },               /* clmul a0,a1,a2 */
    { 0x0ac5a533, 32, "clmulr rs2=12 rs1=11 rd=10" },              /* clmulr a0,a1,a2 */
    { 0x0ac5b533, 32, "clmulh rs2=12 rs1=11 rd=10" },              /* clmulh a0,a1,a2 */
    { 0x48c59533, 32, "bclr rs2=12 rs1=11 rd=10" },                /* bclr a0,a1,a2 */
    { 0x4bf59513, 32, "bclri imm=63 rs1=11 rd=10" },               /* bclri a0,a1,63 */
    { 0x48c5d533, 32, "bext rs2=12 rs1=11 rd=10" },                /* bext a0,a1,a2 */
    { 0x4bf5d513, 32, "bexti imm=63 rs1=11 rd=10" },               /* bexti a0,a1,63 */
    { 0x68c59533, 32, "binv rs2=12 rs1=11 rd=10" },                /* binv a0,a1,a2 */
    { 0x6bf59513, 32, "binvi imm=63 rs1=11 rd=10" },               /* binvi a0,a1,63 */
    { 0x28c59533, 32, "bset rs2=12 rs1=11 rd=10" },                /* bset a0,a1,a2 */
    { 0x2bf59513, 32, "bseti imm=63 rs1=11 rd=10" },               /* bseti a0,a1,63 */
    { 0x34059573, 32, "csrrw csr=832 rs1=11 rd=10" },              /* csrrw a0,0x340,a1 */
    { 0xc0102573, 32, "csrrs csr=3073 rs1=0 rd=10" },              /* csrrs a0,0xc01,zero */
    { 0x1005b573, 32, "csrrc csr=256 rs1=11 rd=10" },              /* csrrc a0,0x100,a1 */
    { 0x180fd573, 32, "csrrwi csr=384 imm=31 rd=10" },             /* csrrwi a0,0x180,31 */
    { 0x30046573, 32, "csrrsi csr=768 imm=8 rd=10" },              /* csrrsi a0,0x300,8 */
    { 0x10017573, 32, "csrrci csr=256 imm=2 rd=10" },              /* csrrci a0,0x100,2 */
    { 0x00000073, 32, "ecall" },                                   /* ecall */
    { 0x00100073, 32, "ebreak" },                                  /* ebreak */
    { 0x30200073, 32, "mret" },                                    /* mret */
    { 0x10200073, 32, "sret" },                                    /* sret */
    { 0x10500073, 32, "wfi" },                                     /* wfi */
    { 0x12b50073, 32, "sfence.vma rs2=11 rs1=10" },                /* sfence.vma a0,a1 */
    { 0x16b50073, 32, "sinval.vma rs2=11 rs1=10" },                /* sinval.vma a0,a1 */
    { 0x18000073, 32, "sfence.w.inval" },                          /* sfence.w.inval */
    { 0x18100073, 32, "sfence.inval.ir" },                         /* sfence.inval.ir */
    { 0x0005200f, 32, "cbo.inval rs1=10" },                        /* cbo.inval (a0) */
    { 0x0015200f, 32, "cbo.clean rs1=10" },                        /* cbo.clean (a0) */
    { 0x0025200f, 32, "cbo.flush rs1=10" },                        /* cbo.flush (a0) */
    { 0x0045200f, 32, "cbo.zero rs1=10" },                         /* cbo.zero (a0) */
    { 0x1fe8, 16, "c.addi4spn rd=10 rs1=2 imm=1020" },             /* c.addi4spn a0,sp,1020 */
    { 0x5de8, 16, "c.lw rd=10 rs1=11 imm=124" },                   /* c.lw a0,124(a1) */
    { 0x7de8, 16, "c.ld rd=10 rs1=11 imm=248" },                   /* c.ld a0,248(a1) */
    { 0xc1a8, 16, "c.sw rs2=10 rs1=11 imm=64" },                   /* c.sw a0,64(a1) */
    { 0xe588, 16, "c.sd rs2=10 rs1=11 imm=8" },                    /* c.sd a0,8(a1) */
    { 0x1501, 16, "c.addi rd=10 rs1=10 imm=-32" },                 /* c.addi a0,-32 */
    { 0x257d, 16, "c.addiw rd=10 rs1=10 imm=31" },                 /* c.addiw a0,31 */
    { 0x557d, 16, "c.li rd=10 rs1=0 imm=-1" },                     /* c.li a0,-1 */
    { 0x7101, 16, "c.addi16sp rd=2 rs1=2 imm=-512" },              /* c.addi16sp sp,-512 */
    { 0x617d, 16, "c.addi16sp rd=2 rs1=2 imm=496" },               /* c.addi16sp sp,496 */
    { 0x7501, 16, "c.lui rd=10 imm=-131072" },                     /* c.lui a0,0xfffe0 */
    { 0x657d, 16, "c.lui rd=10 imm=126976" },                      /* c.lui a0,31 */
    { 0x917d, 16, "c.srli rd=10 rs1=10 imm=63" },                  /* c.srli a0,63 */
    { 0x9501, 16, "c.srai rd=10 rs1=10 imm=32" },                  /* c.srai a0,32 */
    { 0x996d, 16, "c.andi rd=10 rs1=10 imm=-5" },                  /* c.andi a0,-5 */
    { 0x8d0d, 16, "c.sub rd=10 rs1=10 rs2=11" },                   /* c.sub a0,a1 */
    { 0x8d2d, 16, "c.xor rd=10 rs1=10 rs2=11" },                   /* c.xor a0,a1 */
    { 0x8d4d, 16, "c.or rd=10 rs1=10 rs2=11" },                    /* c.or a0,a1 */
    { 0x8d6d, 16, "c.and rd=10 rs1=10 rs2=11" },                   /* c.and a0,a1 */
    { 0x9d0d, 16, "c.subw rd=10 rs1=10 rs2=11" },                  /* c.subw a0,a1 */
    { 0x9d2d, 16, "c.addw rd=10 rs1=10 rs2=11" },                  /* c.addw a0,a1 */
    { 0xaffd, 16, "c.j rd=0 imm=2046" },                           /* c.j .+2046 */
    { 0xb001, 16, "c.j rd=0 imm=-2048" },                          /* c.j .-2048 */
    { 0xcd7d, 16, "c.beqz rs1=10 rs2=0 imm=254" },                 /* c.beqz a0,.+254 */
    { 0xf101, 16, "c.bnez rs1=10 rs2=0 imm=-256" },                /* c.bnez a0,.-256 */
    { 0x157e, 16, "c.slli rd=10 rs1=10 imm=63" },                  /* c.slli a0,63 */
    { 0x557e, 16, "c.lwsp rd=10 rs1=2 imm=252" },                  /* c.lwsp a0,252(sp) */
    { 0x757e, 16, "c.ldsp rd=10 rs1=2 imm=504" },                  /* c.ldsp a0,504(sp) */
    { 0x8502, 16, "c.jr rs1=10 rd=0 imm=0" },                      /* c.jr a0 */
    { 0x857e, 16, "c.mv rd=10 rs2=31 rs1=0" },                     /* c.mv a0,t6 */
    { 0x9002, 16, "c.ebreak" },                                    /* c.ebreak */
    { 0x9502, 16, "c.jalr rs1=10 rd=1 imm=0" },                    /* c.jalr a0 */
    { 0x957e, 16, "c.add rd=10 rs2=31 rs1=10" },                   /* c.add a0,t6 */
    { 0xdffe, 16, "c.swsp rs2=31 rs1=2 imm=252" },                 /* c.swsp t6,252(sp) */
    { 0xfffe, 16, "c.sdsp rs2=31 rs1=2 imm=504" },                 /* c.sdsp t6,504(sp) */
};

static struct cpu *make(const char *arch, const char *spec)
{
    GError *err = NULL;
    struct cpu *cpu = cpu_create(arch, spec, &err);

    g_assert_no_error(err);
    return cpu;
}

/* "name operand=value ..." of what @insn is, "" if it is illegal. */
static char *describe(const struct cpu *cpu, uint32_t insn, unsigned bits)
{
    GString *s = g_string_new(NULL);

    for (unsigned k = 0; k < ARRAY_LEN(tables); k++) {
        int n = tables[k]->find(cpu, insn, bits);
        if (n < 0)
            continue;
        const struct decode_form *f = &tables[k]->form[n];
        g_string_append_printf(s, "%s%s", s->len ? " or " : "", f->name);
        for (unsigned o = 0; o < f->noperands; o++)
            g_string_append_printf(s, " %s=%d", f->operand[o].name,
                                   decode_operand(&f->operand[o], insn));
    }
    return g_string_free(s, false);
}

static void test_known(void)
{
    struct cpu *cpu = make("riscv64", "max");

    for (unsigned k = 0; k < ARRAY_LEN(known); k++) {
        g_autofree char *is = describe(cpu, known[k].word, known[k].bits);
        g_assert_cmpstr(is, ==, known[k].form);
    }
    cpu_free(cpu);
}

/* Whether @cpu has what "A&B|C" asks for. */
static bool has(const struct cpu *cpu, const char *ext)
{
    g_auto(GStrv) any = g_strsplit(ext, "|", -1);

    for (char **a = any; *a; a++) {
        g_auto(GStrv) all = g_strsplit(*a, "&", -1);
        bool ok = true;
        for (char **b = all; *b; b++) {
            g_autofree char *name = g_ascii_strdown(*b, -1);
            if (!strcmp(*b, "RV32") || !strcmp(*b, "RV64"))
                ok &= riscv_xlen(cpu) == (unsigned)g_ascii_strtoull(*b + 2, NULL, 10);
            else
                ok &= riscv_has_ext(cpu, name);
        }
        if (ok)
            return true;
    }
    return false;
}

/* @form of @t is the answer for @insn, or a special case of it is. */
static bool is_form(const struct decode_table *t, int found, unsigned form, uint32_t insn)
{
    return found == (int)form || (found >= 0 && decode_matches(&t->form[found], insn) &&
                                  (t->form[found].mask & t->form[form].mask) == t->form[form].mask);
}

static void check_forms(const struct cpu *cpu)
{
    GRand *rand = g_rand_new_with_seed(1);

    for (unsigned k = 0; k < ARRAY_LEN(tables); k++) {
        const struct decode_table *t = tables[k];
        for (unsigned n = 0; n < t->count; n++) {
            const struct decode_form *f = &t->form[n];
            bool there = has(cpu, f->ext);
            for (unsigned i = 0; i < 200; i++) {
                uint32_t insn = f->match | (g_rand_int(rand) & ~f->mask);
                if (f->bits == 16)
                    insn &= 0xffff;
                if (!decode_matches(f, insn))
                    continue;
                int found = t->find(cpu, insn, f->bits);
                if (is_form(t, found, n, insn) != there && (there || found == (int)n))
                    g_error("%08x is not found as %s", insn, f->name);
            }
        }
    }
    g_rand_free(rand);
}

/* The decision trees agree with the masks, and no word is two instructions. */
static void check_random(const struct cpu *cpu, unsigned bits, uint32_t insn)
{
    unsigned total = 0;

    for (unsigned k = 0; k < ARRAY_LEN(tables); k++) {
        const struct decode_table *t = tables[k];
        int found = t->find(cpu, insn, bits);
        bool expected = false;
        for (unsigned n = 0; n < t->count; n++)
            if (t->form[n].bits == bits && decode_matches(&t->form[n], insn) &&
                has(cpu, t->form[n].ext))
                expected = true;
        if (expected != (found >= 0) || (found >= 0 && !decode_matches(&t->form[found], insn)))
            g_error("%s: %08x is found as %d", t->name, insn, found);
        total += found >= 0;
    }
    if (total > 1)
        g_error("%08x is several: %s", insn, describe(cpu, insn, bits));
}

static void check_model(const char *arch, const char *spec)
{
    struct cpu *cpu = make(arch, spec);
    GRand *rand = g_rand_new_with_seed(2);

    check_forms(cpu);
    for (uint32_t insn = 0; insn < 0x10000; insn += 1 + g_rand_int_range(rand, 0, 4))
        if ((insn & 3) != 3)
            check_random(cpu, 16, insn);
    for (unsigned n = 0; n < 20000; n++)
        check_random(cpu, 32, g_rand_int(rand) | 3);
    g_rand_free(rand);
    cpu_free(cpu);
}

static void test_max64(void)
{
    check_model("riscv64", "max");
}

static void test_max32(void)
{
    check_model("riscv32", "max");
}

static void test_bare(void)
{
    check_model("riscv64", "rv64,m=off,a=off,c=off,f=off,zba=off,zbb=off,zbc=off,zbs=off,v=off");
}

static void test_reserved(void)
{
    static const struct {
        uint32_t word;
        unsigned bits;
    } words[] = {
        { 0x0000, 16 },     /* defined illegal */
        { 0x0004, 16 },     /* c.addi4spn by 0 */
        { 0x2001, 16 },     /* c.addiw of x0 */
        { 0x6101, 16 },     /* c.addi16sp by 0 */
        { 0x6501, 16 },     /* c.lui of 0 */
        { 0x4002, 16 },     /* c.lwsp to x0 */
        { 0x6002, 16 },     /* c.ldsp to x0 */
        { 0x8002, 16 },     /* c.jr to x0 */
        { 0x9c7d, 16 },     /* quadrant 1, 100 1 11 ... 11 111 */
        { 0xffffffff, 32 }, /* defined illegal */
        { 0x0000707f, 32 },
        { 0x0000100b, 32 },          /* custom-0 */
        { 0x7005a503 | 0x7000, 32 }, /* load with funct3 7 */
        { 0x00c5f02f, 32 },          /* atomic with funct3 7 */
        { 0x10c5a52f, 32 },          /* lr.w with rs2 */
        { 0x00200073, 32 },          /* uret */
        { 0x00004073 | 3 << 20, 32 },
        { 0x02c5853b | 1 << 12, 32 },
    };
    struct cpu *cpu = make("riscv64", "max");

    for (unsigned k = 0; k < ARRAY_LEN(words); k++) {
        g_autofree char *is = describe(cpu, words[k].word, words[k].bits);
        g_assert_cmpstr(is, ==, "");
    }
    cpu_free(cpu);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/riscv-decode/known", test_known);
    g_test_add_func("/riscv-decode/max64", test_max64);
    g_test_add_func("/riscv-decode/max32", test_max32);
    g_test_add_func("/riscv-decode/bare", test_bare);
    g_test_add_func("/riscv-decode/reserved", test_reserved);
    return g_test_run();
}
