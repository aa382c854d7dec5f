/*
 * Encodings of vector instructions as the GNU assembler makes them, each form once and, for
 * loads and stores, in all widths, against the decoder's names.
 */
#include <string.h>
#include <target/cpu.h>
#include <target/decode.h>

extern const struct decode_table riscv_v_table;

static const struct {
    uint32_t word;
    const char *form;
} known[] = {
    { 0x0495f557, "vsetvli" },           /* vsetvli a0,a1,e16,m2,ta,mu */
    { 0xc9b9f557, "vsetivli" },          /* vsetivli a0,19,e64,m8,tu,ma */
    { 0x80c5f557, "vsetvl" },            /* vsetvl a0,a1,a2 */
    { 0x02058407, "vle" },               /* vle8.v v8,(a1) */
    { 0x40058407, "vle" },               /* vlseg3e8.v v8,(a1),v0.t */
    { 0x0205d407, "vle" },               /* vle16.v v8,(a1) */
    { 0x4005d407, "vle" },               /* vlseg3e16.v v8,(a1),v0.t */
    { 0x0205e407, "vle" },               /* vle32.v v8,(a1) */
    { 0x4005e407, "vle" },               /* vlseg3e32.v v8,(a1),v0.t */
    { 0x0205f407, "vle" },               /* vle64.v v8,(a1) */
    { 0x4005f407, "vle" },               /* vlseg3e64.v v8,(a1),v0.t */
    { 0x02b58407, "vlm.v" },             /* vlm.v v8,(a1) */
    { 0x03058407, "vleff" },             /* vle8ff.v v8,(a1) */
    { 0x21058407, "vleff" },             /* vlseg2e8ff.v v8,(a1),v0.t */
    { 0x0305d407, "vleff" },             /* vle16ff.v v8,(a1) */
    { 0x2105d407, "vleff" },             /* vlseg2e16ff.v v8,(a1),v0.t */
    { 0x0305e407, "vleff" },             /* vle32ff.v v8,(a1) */
    { 0x2105e407, "vleff" },             /* vlseg2e32ff.v v8,(a1),v0.t */
    { 0x0305f407, "vleff" },             /* vle64ff.v v8,(a1) */
    { 0x2105f407, "vleff" },             /* vlseg2e64ff.v v8,(a1),v0.t */
    { 0x02858407, "vlr" },               /* vl1re8.v v8,(a1) */
    { 0x0285d407, "vlr" },               /* vl1re16.v v8,(a1) */
    { 0x0285e407, "vlr" },               /* vl1re32.v v8,(a1) */
    { 0x0285f407, "vlr" },               /* vl1re64.v v8,(a1) */
    { 0x22858407, "vlr" },               /* vl2re8.v v8,(a1) */
    { 0x2285d407, "vlr" },               /* vl2re16.v v8,(a1) */
    { 0x2285e407, "vlr" },               /* vl2re32.v v8,(a1) */
    { 0x2285f407, "vlr" },               /* vl2re64.v v8,(a1) */
    { 0x62858407, "vlr" },               /* vl4re8.v v8,(a1) */
    { 0x6285d407, "vlr" },               /* vl4re16.v v8,(a1) */
    { 0x6285e407, "vlr" },               /* vl4re32.v v8,(a1) */
    { 0x6285f407, "vlr" },               /* vl4re64.v v8,(a1) */
    { 0xe2858407, "vlr" },               /* vl8re8.v v8,(a1) */
    { 0xe285d407, "vlr" },               /* vl8re16.v v8,(a1) */
    { 0xe285e407, "vlr" },               /* vl8re32.v v8,(a1) */
    { 0xe285f407, "vlr" },               /* vl8re64.v v8,(a1) */
    { 0x0ac58407, "vlse" },              /* vlse8.v v8,(a1),a2 */
    { 0x88c58407, "vlse" },              /* vlsseg5e8.v v8,(a1),a2,v0.t */
    { 0x0ac5d407, "vlse" },              /* vlse16.v v8,(a1),a2 */
    { 0x88c5d407, "vlse" },              /* vlsseg5e16.v v8,(a1),a2,v0.t */
    { 0x0ac5e407, "vlse" },              /* vlse32.v v8,(a1),a2 */
    { 0x88c5e407, "vlse" },              /* vlsseg5e32.v v8,(a1),a2,v0.t */
    { 0x0ac5f407, "vlse" },              /* vlse64.v v8,(a1),a2 */
    { 0x88c5f407, "vlse" },              /* vlsseg5e64.v v8,(a1),a2,v0.t */
    { 0x06458407, "vluxei" },            /* vluxei8.v v8,(a1),v4 */
    { 0x64458407, "vluxei" },            /* vluxseg4ei8.v v8,(a1),v4,v0.t */
    { 0x0645d407, "vluxei" },            /* vluxei16.v v8,(a1),v4 */
    { 0x6445d407, "vluxei" },            /* vluxseg4ei16.v v8,(a1),v4,v0.t */
    { 0x0645e407, "vluxei" },            /* vluxei32.v v8,(a1),v4 */
    { 0x6445e407, "vluxei" },            /* vluxseg4ei32.v v8,(a1),v4,v0.t */
    { 0x0645f407, "vluxei" },            /* vluxei64.v v8,(a1),v4 */
    { 0x6445f407, "vluxei" },            /* vluxseg4ei64.v v8,(a1),v4,v0.t */
    { 0x0e458407, "vloxei" },            /* vloxei8.v v8,(a1),v4 */
    { 0x6c458407, "vloxei" },            /* vloxseg4ei8.v v8,(a1),v4,v0.t */
    { 0x0e45d407, "vloxei" },            /* vloxei16.v v8,(a1),v4 */
    { 0x6c45d407, "vloxei" },            /* vloxseg4ei16.v v8,(a1),v4,v0.t */
    { 0x0e45e407, "vloxei" },            /* vloxei32.v v8,(a1),v4 */
    { 0x6c45e407, "vloxei" },            /* vloxseg4ei32.v v8,(a1),v4,v0.t */
    { 0x0e45f407, "vloxei" },            /* vloxei64.v v8,(a1),v4 */
    { 0x6c45f407, "vloxei" },            /* vloxseg4ei64.v v8,(a1),v4,v0.t */
    { 0x02058427, "vse" },               /* vse8.v v8,(a1) */
    { 0x40058427, "vse" },               /* vsseg3e8.v v8,(a1),v0.t */
    { 0x0205d427, "vse" },               /* vse16.v v8,(a1) */
    { 0x4005d427, "vse" },               /* vsseg3e16.v v8,(a1),v0.t */
    { 0x0205e427, "vse" },               /* vse32.v v8,(a1) */
    { 0x4005e427, "vse" },               /* vsseg3e32.v v8,(a1),v0.t */
    { 0x0205f427, "vse" },               /* vse64.v v8,(a1) */
    { 0x4005f427, "vse" },               /* vsseg3e64.v v8,(a1),v0.t */
    { 0x02b58427, "vsm.v" },             /* vsm.v v8,(a1) */
    { 0x02858427, "vsr" },               /* vs1r.v v8,(a1) */
    { 0x22858427, "vsr" },               /* vs2r.v v8,(a1) */
    { 0x62858427, "vsr" },               /* vs4r.v v8,(a1) */
    { 0xe2858427, "vsr" },               /* vs8r.v v8,(a1) */
    { 0x0ac58427, "vsse" },              /* vsse8.v v8,(a1),a2 */
    { 0x88c58427, "vsse" },              /* vssseg5e8.v v8,(a1),a2,v0.t */
    { 0x0ac5d427, "vsse" },              /* vsse16.v v8,(a1),a2 */
    { 0x88c5d427, "vsse" },              /* vssseg5e16.v v8,(a1),a2,v0.t */
    { 0x0ac5e427, "vsse" },              /* vsse32.v v8,(a1),a2 */
    { 0x88c5e427, "vsse" },              /* vssseg5e32.v v8,(a1),a2,v0.t */
    { 0x0ac5f427, "vsse" },              /* vsse64.v v8,(a1),a2 */
    { 0x88c5f427, "vsse" },              /* vssseg5e64.v v8,(a1),a2,v0.t */
    { 0x06458427, "vsuxei" },            /* vsuxei8.v v8,(a1),v4 */
    { 0x64458427, "vsuxei" },            /* vsuxseg4ei8.v v8,(a1),v4,v0.t */
    { 0x0645d427, "vsuxei" },            /* vsuxei16.v v8,(a1),v4 */
    { 0x6445d427, "vsuxei" },            /* vsuxseg4ei16.v v8,(a1),v4,v0.t */
    { 0x0645e427, "vsuxei" },            /* vsuxei32.v v8,(a1),v4 */
    { 0x6445e427, "vsuxei" },            /* vsuxseg4ei32.v v8,(a1),v4,v0.t */
    { 0x0645f427, "vsuxei" },            /* vsuxei64.v v8,(a1),v4 */
    { 0x6445f427, "vsuxei" },            /* vsuxseg4ei64.v v8,(a1),v4,v0.t */
    { 0x0e458427, "vsoxei" },            /* vsoxei8.v v8,(a1),v4 */
    { 0x6c458427, "vsoxei" },            /* vsoxseg4ei8.v v8,(a1),v4,v0.t */
    { 0x0e45d427, "vsoxei" },            /* vsoxei16.v v8,(a1),v4 */
    { 0x6c45d427, "vsoxei" },            /* vsoxseg4ei16.v v8,(a1),v4,v0.t */
    { 0x0e45e427, "vsoxei" },            /* vsoxei32.v v8,(a1),v4 */
    { 0x6c45e427, "vsoxei" },            /* vsoxseg4ei32.v v8,(a1),v4,v0.t */
    { 0x0e45f427, "vsoxei" },            /* vsoxei64.v v8,(a1),v4 */
    { 0x6c45f427, "vsoxei" },            /* vsoxseg4ei64.v v8,(a1),v4,v0.t */
    { 0x00460457, "vadd.vv" },           /* vadd.vv v8,v4,v12, v0.t */
    { 0x00464457, "vadd.vx" },           /* vadd.vx v8,v4,a2, v0.t */
    { 0x0043b457, "vadd.vi" },           /* vadd.vi v8,v4,7, v0.t */
    { 0x08460457, "vsub.vv" },           /* vsub.vv v8,v4,v12, v0.t */
    { 0x08464457, "vsub.vx" },           /* vsub.vx v8,v4,a2, v0.t */
    { 0x0c464457, "vrsub.vx" },          /* vrsub.vx v8,v4,a2, v0.t */
    { 0x0c43b457, "vrsub.vi" },          /* vrsub.vi v8,v4,7, v0.t */
    { 0x10460457, "vminu.vv" },          /* vminu.vv v8,v4,v12, v0.t */
    { 0x10464457, "vminu.vx" },          /* vminu.vx v8,v4,a2, v0.t */
    { 0x14460457, "vmin.vv" },           /* vmin.vv v8,v4,v12, v0.t */
    { 0x14464457, "vmin.vx" },           /* vmin.vx v8,v4,a2, v0.t */
    { 0x18460457, "vmaxu.vv" },          /* vmaxu.vv v8,v4,v12, v0.t */
    { 0x18464457, "vmaxu.vx" },          /* vmaxu.vx v8,v4,a2, v0.t */
    { 0x1c460457, "vmax.vv" },           /* vmax.vv v8,v4,v12, v0.t */
    { 0x1c464457, "vmax.vx" },           /* vmax.vx v8,v4,a2, v0.t */
    { 0x24460457, "vand.vv" },           /* vand.vv v8,v4,v12, v0.t */
    { 0x24464457, "vand.vx" },           /* vand.vx v8,v4,a2, v0.t */
    { 0x2443b457, "vand.vi" },           /* vand.vi v8,v4,7, v0.t */
    { 0x28460457, "vor.vv" },            /* vor.vv v8,v4,v12, v0.t */
    { 0x28464457, "vor.vx" },            /* vor.vx v8,v4,a2, v0.t */
    { 0x2843b457, "vor.vi" },            /* vor.vi v8,v4,7, v0.t */
    { 0x2c460457, "vxor.vv" },           /* vxor.vv v8,v4,v12, v0.t */
    { 0x2c464457, "vxor.vx" },           /* vxor.vx v8,v4,a2, v0.t */
    { 0x2c43b457, "vxor.vi" },           /* vxor.vi v8,v4,7, v0.t */
    { 0x40460457, "vadc.vvm" },          /* vadc.vvm v8,v4,v12,v0 */
    { 0x40464457, "vadc.vxm" },          /* vadc.vxm v8,v4,a2,v0 */
    { 0x4043b457, "vadc.vim" },          /* vadc.vim v8,v4,7,v0 */
    { 0x44460457, "vmadc.vvm" },         /* vmadc.vvm v8,v4,v12,v0 */
    { 0x44464457, "vmadc.vxm" },         /* vmadc.vxm v8,v4,a2,v0 */
    { 0x4443b457, "vmadc.vim" },         /* vmadc.vim v8,v4,7,v0 */
    { 0x46460457, "vmadc.vv" },          /* vmadc.vv v8,v4,v12 */
    { 0x46464457, "vmadc.vx" },          /* vmadc.vx v8,v4,a2 */
    { 0x4643b457, "vmadc.vi" },          /* vmadc.vi v8,v4,7 */
    { 0x48460457, "vsbc.vvm" },          /* vsbc.vvm v8,v4,v12,v0 */
    { 0x48464457, "vsbc.vxm" },          /* vsbc.vxm v8,v4,a2,v0 */
    { 0x4c460457, "vmsbc.vvm" },         /* vmsbc.vvm v8,v4,v12,v0 */
    { 0x4c464457, "vmsbc.vxm" },         /* vmsbc.vxm v8,v4,a2,v0 */
    { 0x4e460457, "vmsbc.vv" },          /* vmsbc.vv v8,v4,v12 */
    { 0x4e464457, "vmsbc.vx" },          /* vmsbc.vx v8,v4,a2 */
    { 0x5c460457, "vmerge.vvm" },        /* vmerge.vvm v8,v4,v12,v0 */
    { 0x5c464457, "vmerge.vxm" },        /* vmerge.vxm v8,v4,a2,v0 */
    { 0x5c43b457, "vmerge.vim" },        /* vmerge.vim v8,v4,7,v0 */
    { 0x5e020457, "vmv.v.v" },           /* vmv.v.v v8,v4 */
    { 0x5e064457, "vmv.v.x" },           /* vmv.v.x v8,a2 */
    { 0x5e0db457, "vmv.v.i" },           /* vmv.v.i v8,-5 */
    { 0x60460457, "vmseq.vv" },          /* vmseq.vv v8,v4,v12, v0.t */
    { 0x60464457, "vmseq.vx" },          /* vmseq.vx v8,v4,a2, v0.t */
    { 0x6043b457, "vmseq.vi" },          /* vmseq.vi v8,v4,7, v0.t */
    { 0x64460457, "vmsne.vv" },          /* vmsne.vv v8,v4,v12, v0.t */
    { 0x64464457, "vmsne.vx" },          /* vmsne.vx v8,v4,a2, v0.t */
    { 0x6443b457, "vmsne.vi" },          /* vmsne.vi v8,v4,7, v0.t */
    { 0x68460457, "vmsltu.vv" },         /* vmsltu.vv v8,v4,v12, v0.t */
    { 0x68464457, "vmsltu.vx" },         /* vmsltu.vx v8,v4,a2, v0.t */
    { 0x6c460457, "vmslt.vv" },          /* vmslt.vv v8,v4,v12, v0.t */
    { 0x6c464457, "vmslt.vx" },          /* vmslt.vx v8,v4,a2, v0.t */
    { 0x70460457, "vmsleu.vv" },         /* vmsleu.vv v8,v4,v12, v0.t */
    { 0x70464457, "vmsleu.vx" },         /* vmsleu.vx v8,v4,a2, v0.t */
    { 0x7043b457, "vmsleu.vi" },         /* vmsleu.vi v8,v4,7, v0.t */
    { 0x74460457, "vmsle.vv" },          /* vmsle.vv v8,v4,v12, v0.t */
    { 0x74464457, "vmsle.vx" },          /* vmsle.vx v8,v4,a2, v0.t */
    { 0x7443b457, "vmsle.vi" },          /* vmsle.vi v8,v4,7, v0.t */
    { 0x78464457, "vmsgtu.vx" },         /* vmsgtu.vx v8,v4,a2, v0.t */
    { 0x7843b457, "vmsgtu.vi" },         /* vmsgtu.vi v8,v4,7, v0.t */
    { 0x7c464457, "vmsgt.vx" },          /* vmsgt.vx v8,v4,a2, v0.t */
    { 0x7c43b457, "vmsgt.vi" },          /* vmsgt.vi v8,v4,7, v0.t */
    { 0x94460457, "vsll.vv" },           /* vsll.vv v8,v4,v12, v0.t */
    { 0x94464457, "vsll.vx" },           /* vsll.vx v8,v4,a2, v0.t */
    { 0x9443b457, "vsll.vi" },           /* vsll.vi v8,v4,7, v0.t */
    { 0xa0460457, "vsrl.vv" },           /* vsrl.vv v8,v4,v12, v0.t */
    { 0xa0464457, "vsrl.vx" },           /* vsrl.vx v8,v4,a2, v0.t */
    { 0xa043b457, "vsrl.vi" },           /* vsrl.vi v8,v4,7, v0.t */
    { 0xa4460457, "vsra.vv" },           /* vsra.vv v8,v4,v12, v0.t */
    { 0xa4464457, "vsra.vx" },           /* vsra.vx v8,v4,a2, v0.t */
    { 0xa443b457, "vsra.vi" },           /* vsra.vi v8,v4,7, v0.t */
    { 0xb0460457, "vnsrl.wv" },          /* vnsrl.wv v8,v4,v12, v0.t */
    { 0xb0464457, "vnsrl.wx" },          /* vnsrl.wx v8,v4,a2, v0.t */
    { 0xb043b457, "vnsrl.wi" },          /* vnsrl.wi v8,v4,7, v0.t */
    { 0xb4460457, "vnsra.wv" },          /* vnsra.wv v8,v4,v12, v0.t */
    { 0xb4464457, "vnsra.wx" },          /* vnsra.wx v8,v4,a2, v0.t */
    { 0xb443b457, "vnsra.wi" },          /* vnsra.wi v8,v4,7, v0.t */
    { 0x80462457, "vdivu.vv" },          /* vdivu.vv v8,v4,v12, v0.t */
    { 0x80466457, "vdivu.vx" },          /* vdivu.vx v8,v4,a2, v0.t */
    { 0x84462457, "vdiv.vv" },           /* vdiv.vv v8,v4,v12, v0.t */
    { 0x84466457, "vdiv.vx" },           /* vdiv.vx v8,v4,a2, v0.t */
    { 0x88462457, "vremu.vv" },          /* vremu.vv v8,v4,v12, v0.t */
    { 0x88466457, "vremu.vx" },          /* vremu.vx v8,v4,a2, v0.t */
    { 0x8c462457, "vrem.vv" },           /* vrem.vv v8,v4,v12, v0.t */
    { 0x8c466457, "vrem.vx" },           /* vrem.vx v8,v4,a2, v0.t */
    { 0x90462457, "vmulhu.vv" },         /* vmulhu.vv v8,v4,v12, v0.t */
    { 0x90466457, "vmulhu.vx" },         /* vmulhu.vx v8,v4,a2, v0.t */
    { 0x94462457, "vmul.vv" },           /* vmul.vv v8,v4,v12, v0.t */
    { 0x94466457, "vmul.vx" },           /* vmul.vx v8,v4,a2, v0.t */
    { 0x98462457, "vmulhsu.vv" },        /* vmulhsu.vv v8,v4,v12, v0.t */
    { 0x98466457, "vmulhsu.vx" },        /* vmulhsu.vx v8,v4,a2, v0.t */
    { 0x9c462457, "vmulh.vv" },          /* vmulh.vv v8,v4,v12, v0.t */
    { 0x9c466457, "vmulh.vx" },          /* vmulh.vx v8,v4,a2, v0.t */
    { 0xa4462457, "vmadd.vv" },          /* vmadd.vv v8,v12,v4, v0.t */
    { 0xa4466457, "vmadd.vx" },          /* vmadd.vx v8,a2,v4, v0.t */
    { 0xac462457, "vnmsub.vv" },         /* vnmsub.vv v8,v12,v4, v0.t */
    { 0xac466457, "vnmsub.vx" },         /* vnmsub.vx v8,a2,v4, v0.t */
    { 0xb4462457, "vmacc.vv" },          /* vmacc.vv v8,v12,v4, v0.t */
    { 0xb4466457, "vmacc.vx" },          /* vmacc.vx v8,a2,v4, v0.t */
    { 0xbc462457, "vnmsac.vv" },         /* vnmsac.vv v8,v12,v4, v0.t */
    { 0xbc466457, "vnmsac.vx" },         /* vnmsac.vx v8,a2,v4, v0.t */
    { 0xc0462457, "vwaddu.vv" },         /* vwaddu.vv v8,v4,v12, v0.t */
    { 0xc0466457, "vwaddu.vx" },         /* vwaddu.vx v8,v4,a2, v0.t */
    { 0xc4462457, "vwadd.vv" },          /* vwadd.vv v8,v4,v12, v0.t */
    { 0xc4466457, "vwadd.vx" },          /* vwadd.vx v8,v4,a2, v0.t */
    { 0xc8462457, "vwsubu.vv" },         /* vwsubu.vv v8,v4,v12, v0.t */
    { 0xc8466457, "vwsubu.vx" },         /* vwsubu.vx v8,v4,a2, v0.t */
    { 0xcc462457, "vwsub.vv" },          /* vwsub.vv v8,v4,v12, v0.t */
    { 0xcc466457, "vwsub.vx" },          /* vwsub.vx v8,v4,a2, v0.t */
    { 0xd0462457, "vwaddu.wv" },         /* vwaddu.wv v8,v4,v12, v0.t */
    { 0xd0466457, "vwaddu.wx" },         /* vwaddu.wx v8,v4,a2, v0.t */
    { 0xd4462457, "vwadd.wv" },          /* vwadd.wv v8,v4,v12, v0.t */
    { 0xd4466457, "vwadd.wx" },          /* vwadd.wx v8,v4,a2, v0.t */
    { 0xd8462457, "vwsubu.wv" },         /* vwsubu.wv v8,v4,v12, v0.t */
    { 0xd8466457, "vwsubu.wx" },         /* vwsubu.wx v8,v4,a2, v0.t */
    { 0xdc462457, "vwsub.wv" },          /* vwsub.wv v8,v4,v12, v0.t */
    { 0xdc466457, "vwsub.wx" },          /* vwsub.wx v8,v4,a2, v0.t */
    { 0xe0462457, "vwmulu.vv" },         /* vwmulu.vv v8,v4,v12, v0.t */
    { 0xe0466457, "vwmulu.vx" },         /* vwmulu.vx v8,v4,a2, v0.t */
    { 0xe8462457, "vwmulsu.vv" },        /* vwmulsu.vv v8,v4,v12, v0.t */
    { 0xe8466457, "vwmulsu.vx" },        /* vwmulsu.vx v8,v4,a2, v0.t */
    { 0xec462457, "vwmul.vv" },          /* vwmul.vv v8,v4,v12, v0.t */
    { 0xec466457, "vwmul.vx" },          /* vwmul.vx v8,v4,a2, v0.t */
    { 0xf0462457, "vwmaccu.vv" },        /* vwmaccu.vv v8,v12,v4, v0.t */
    { 0xf0466457, "vwmaccu.vx" },        /* vwmaccu.vx v8,a2,v4, v0.t */
    { 0xf4462457, "vwmacc.vv" },         /* vwmacc.vv v8,v12,v4, v0.t */
    { 0xf4466457, "vwmacc.vx" },         /* vwmacc.vx v8,a2,v4, v0.t */
    { 0xf8466457, "vwmaccus.vx" },       /* vwmaccus.vx v8,a2,v4, v0.t */
    { 0xfc462457, "vwmaccsu.vv" },       /* vwmaccsu.vv v8,v12,v4, v0.t */
    { 0xfc466457, "vwmaccsu.vx" },       /* vwmaccsu.vx v8,a2,v4, v0.t */
    { 0x48412457, "vzext.vf8" },         /* vzext.vf8 v8,v4, v0.t */
    { 0x4841a457, "vsext.vf8" },         /* vsext.vf8 v8,v4, v0.t */
    { 0x48422457, "vzext.vf4" },         /* vzext.vf4 v8,v4, v0.t */
    { 0x4842a457, "vsext.vf4" },         /* vsext.vf4 v8,v4, v0.t */
    { 0x48432457, "vzext.vf2" },         /* vzext.vf2 v8,v4, v0.t */
    { 0x4843a457, "vsext.vf2" },         /* vsext.vf2 v8,v4, v0.t */
    { 0x80460457, "vsaddu.vv" },         /* vsaddu.vv v8,v4,v12, v0.t */
    { 0x80464457, "vsaddu.vx" },         /* vsaddu.vx v8,v4,a2, v0.t */
    { 0x8043b457, "vsaddu.vi" },         /* vsaddu.vi v8,v4,7, v0.t */
    { 0x84460457, "vsadd.vv" },          /* vsadd.vv v8,v4,v12, v0.t */
    { 0x84464457, "vsadd.vx" },          /* vsadd.vx v8,v4,a2, v0.t */
    { 0x8443b457, "vsadd.vi" },          /* vsadd.vi v8,v4,7, v0.t */
    { 0x88460457, "vssubu.vv" },         /* vssubu.vv v8,v4,v12, v0.t */
    { 0x88464457, "vssubu.vx" },         /* vssubu.vx v8,v4,a2, v0.t */
    { 0x8c460457, "vssub.vv" },          /* vssub.vv v8,v4,v12, v0.t */
    { 0x8c464457, "vssub.vx" },          /* vssub.vx v8,v4,a2, v0.t */
    { 0x9c460457, "vsmul.vv" },          /* vsmul.vv v8,v4,v12, v0.t */
    { 0x9c464457, "vsmul.vx" },          /* vsmul.vx v8,v4,a2, v0.t */
    { 0xa8460457, "vssrl.vv" },          /* vssrl.vv v8,v4,v12, v0.t */
    { 0xa8464457, "vssrl.vx" },          /* vssrl.vx v8,v4,a2, v0.t */
    { 0xa843b457, "vssrl.vi" },          /* vssrl.vi v8,v4,7, v0.t */
    { 0xac460457, "vssra.vv" },          /* vssra.vv v8,v4,v12, v0.t */
    { 0xac464457, "vssra.vx" },          /* vssra.vx v8,v4,a2, v0.t */
    { 0xac43b457, "vssra.vi" },          /* vssra.vi v8,v4,7, v0.t */
    { 0xb8460457, "vnclipu.wv" },        /* vnclipu.wv v8,v4,v12, v0.t */
    { 0xb8464457, "vnclipu.wx" },        /* vnclipu.wx v8,v4,a2, v0.t */
    { 0xb843b457, "vnclipu.wi" },        /* vnclipu.wi v8,v4,7, v0.t */
    { 0xbc460457, "vnclip.wv" },         /* vnclip.wv v8,v4,v12, v0.t */
    { 0xbc464457, "vnclip.wx" },         /* vnclip.wx v8,v4,a2, v0.t */
    { 0xbc43b457, "vnclip.wi" },         /* vnclip.wi v8,v4,7, v0.t */
    { 0x20462457, "vaaddu.vv" },         /* vaaddu.vv v8,v4,v12, v0.t */
    { 0x20466457, "vaaddu.vx" },         /* vaaddu.vx v8,v4,a2, v0.t */
    { 0x24462457, "vaadd.vv" },          /* vaadd.vv v8,v4,v12, v0.t */
    { 0x24466457, "vaadd.vx" },          /* vaadd.vx v8,v4,a2, v0.t */
    { 0x28462457, "vasubu.vv" },         /* vasubu.vv v8,v4,v12, v0.t */
    { 0x28466457, "vasubu.vx" },         /* vasubu.vx v8,v4,a2, v0.t */
    { 0x2c462457, "vasub.vv" },          /* vasub.vv v8,v4,v12, v0.t */
    { 0x2c466457, "vasub.vx" },          /* vasub.vx v8,v4,a2, v0.t */
    { 0x00461457, "vfadd.vv" },          /* vfadd.vv v8,v4,v12, v0.t */
    { 0x00465457, "vfadd.vf" },          /* vfadd.vf v8,v4,fa2, v0.t */
    { 0x08461457, "vfsub.vv" },          /* vfsub.vv v8,v4,v12, v0.t */
    { 0x08465457, "vfsub.vf" },          /* vfsub.vf v8,v4,fa2, v0.t */
    { 0x10461457, "vfmin.vv" },          /* vfmin.vv v8,v4,v12, v0.t */
    { 0x10465457, "vfmin.vf" },          /* vfmin.vf v8,v4,fa2, v0.t */
    { 0x18461457, "vfmax.vv" },          /* vfmax.vv v8,v4,v12, v0.t */
    { 0x18465457, "vfmax.vf" },          /* vfmax.vf v8,v4,fa2, v0.t */
    { 0x20461457, "vfsgnj.vv" },         /* vfsgnj.vv v8,v4,v12, v0.t */
    { 0x20465457, "vfsgnj.vf" },         /* vfsgnj.vf v8,v4,fa2, v0.t */
    { 0x24461457, "vfsgnjn.vv" },        /* vfsgnjn.vv v8,v4,v12, v0.t */
    { 0x24465457, "vfsgnjn.vf" },        /* vfsgnjn.vf v8,v4,fa2, v0.t */
    { 0x28461457, "vfsgnjx.vv" },        /* vfsgnjx.vv v8,v4,v12, v0.t */
    { 0x28465457, "vfsgnjx.vf" },        /* vfsgnjx.vf v8,v4,fa2, v0.t */
    { 0x60461457, "vmfeq.vv" },          /* vmfeq.vv v8,v4,v12, v0.t */
    { 0x60465457, "vmfeq.vf" },          /* vmfeq.vf v8,v4,fa2, v0.t */
    { 0x64461457, "vmfle.vv" },          /* vmfle.vv v8,v4,v12, v0.t */
    { 0x64465457, "vmfle.vf" },          /* vmfle.vf v8,v4,fa2, v0.t */
    { 0x6c461457, "vmflt.vv" },          /* vmflt.vv v8,v4,v12, v0.t */
    { 0x6c465457, "vmflt.vf" },          /* vmflt.vf v8,v4,fa2, v0.t */
    { 0x70461457, "vmfne.vv" },          /* vmfne.vv v8,v4,v12, v0.t */
    { 0x70465457, "vmfne.vf" },          /* vmfne.vf v8,v4,fa2, v0.t */
    { 0x74465457, "vmfgt.vf" },          /* vmfgt.vf v8,v4,fa2, v0.t */
    { 0x7c465457, "vmfge.vf" },          /* vmfge.vf v8,v4,fa2, v0.t */
    { 0x80461457, "vfdiv.vv" },          /* vfdiv.vv v8,v4,v12, v0.t */
    { 0x80465457, "vfdiv.vf" },          /* vfdiv.vf v8,v4,fa2, v0.t */
    { 0x84465457, "vfrdiv.vf" },         /* vfrdiv.vf v8,v4,fa2, v0.t */
    { 0x90461457, "vfmul.vv" },          /* vfmul.vv v8,v4,v12, v0.t */
    { 0x90465457, "vfmul.vf" },          /* vfmul.vf v8,v4,fa2, v0.t */
    { 0x9c465457, "vfrsub.vf" },         /* vfrsub.vf v8,v4,fa2, v0.t */
    { 0xa0461457, "vfmadd.vv" },         /* vfmadd.vv v8,v12,v4, v0.t */
    { 0xa0465457, "vfmadd.vf" },         /* vfmadd.vf v8,fa2,v4, v0.t */
    { 0xa4461457, "vfnmadd.vv" },        /* vfnmadd.vv v8,v12,v4, v0.t */
    { 0xa4465457, "vfnmadd.vf" },        /* vfnmadd.vf v8,fa2,v4, v0.t */
    { 0xa8461457, "vfmsub.vv" },         /* vfmsub.vv v8,v12,v4, v0.t */
    { 0xa8465457, "vfmsub.vf" },         /* vfmsub.vf v8,fa2,v4, v0.t */
    { 0xac461457, "vfnmsub.vv" },        /* vfnmsub.vv v8,v12,v4, v0.t */
    { 0xac465457, "vfnmsub.vf" },        /* vfnmsub.vf v8,fa2,v4, v0.t */
    { 0xb0461457, "vfmacc.vv" },         /* vfmacc.vv v8,v12,v4, v0.t */
    { 0xb0465457, "vfmacc.vf" },         /* vfmacc.vf v8,fa2,v4, v0.t */
    { 0xb4461457, "vfnmacc.vv" },        /* vfnmacc.vv v8,v12,v4, v0.t */
    { 0xb4465457, "vfnmacc.vf" },        /* vfnmacc.vf v8,fa2,v4, v0.t */
    { 0xb8461457, "vfmsac.vv" },         /* vfmsac.vv v8,v12,v4, v0.t */
    { 0xb8465457, "vfmsac.vf" },         /* vfmsac.vf v8,fa2,v4, v0.t */
    { 0xbc461457, "vfnmsac.vv" },        /* vfnmsac.vv v8,v12,v4, v0.t */
    { 0xbc465457, "vfnmsac.vf" },        /* vfnmsac.vf v8,fa2,v4, v0.t */
    { 0xc0461457, "vfwadd.vv" },         /* vfwadd.vv v8,v4,v12, v0.t */
    { 0xc0465457, "vfwadd.vf" },         /* vfwadd.vf v8,v4,fa2, v0.t */
    { 0xc8461457, "vfwsub.vv" },         /* vfwsub.vv v8,v4,v12, v0.t */
    { 0xc8465457, "vfwsub.vf" },         /* vfwsub.vf v8,v4,fa2, v0.t */
    { 0xd0461457, "vfwadd.wv" },         /* vfwadd.wv v8,v4,v12, v0.t */
    { 0xd0465457, "vfwadd.wf" },         /* vfwadd.wf v8,v4,fa2, v0.t */
    { 0xd8461457, "vfwsub.wv" },         /* vfwsub.wv v8,v4,v12, v0.t */
    { 0xd8465457, "vfwsub.wf" },         /* vfwsub.wf v8,v4,fa2, v0.t */
    { 0xe0461457, "vfwmul.vv" },         /* vfwmul.vv v8,v4,v12, v0.t */
    { 0xe0465457, "vfwmul.vf" },         /* vfwmul.vf v8,v4,fa2, v0.t */
    { 0xf0461457, "vfwmacc.vv" },        /* vfwmacc.vv v8,v12,v4, v0.t */
    { 0xf0465457, "vfwmacc.vf" },        /* vfwmacc.vf v8,fa2,v4, v0.t */
    { 0xf4461457, "vfwnmacc.vv" },       /* vfwnmacc.vv v8,v12,v4, v0.t */
    { 0xf4465457, "vfwnmacc.vf" },       /* vfwnmacc.vf v8,fa2,v4, v0.t */
    { 0xf8461457, "vfwmsac.vv" },        /* vfwmsac.vv v8,v12,v4, v0.t */
    { 0xf8465457, "vfwmsac.vf" },        /* vfwmsac.vf v8,fa2,v4, v0.t */
    { 0xfc461457, "vfwnmsac.vv" },       /* vfwnmsac.vv v8,v12,v4, v0.t */
    { 0xfc465457, "vfwnmsac.vf" },       /* vfwnmsac.vf v8,fa2,v4, v0.t */
    { 0x5c465457, "vfmerge.vfm" },       /* vfmerge.vfm v8,v4,fa2,v0 */
    { 0x5e065457, "vfmv.v.f" },          /* vfmv.v.f v8,fa2 */
    { 0x48401457, "vfcvt.xu.f.v" },      /* vfcvt.xu.f.v v8,v4, v0.t */
    { 0x48409457, "vfcvt.x.f.v" },       /* vfcvt.x.f.v v8,v4, v0.t */
    { 0x48411457, "vfcvt.f.xu.v" },      /* vfcvt.f.xu.v v8,v4, v0.t */
    { 0x48419457, "vfcvt.f.x.v" },       /* vfcvt.f.x.v v8,v4, v0.t */
    { 0x48431457, "vfcvt.rtz.xu.f.v" },  /* vfcvt.rtz.xu.f.v v8,v4, v0.t */
    { 0x48439457, "vfcvt.rtz.x.f.v" },   /* vfcvt.rtz.x.f.v v8,v4, v0.t */
    { 0x48441457, "vfwcvt.xu.f.v" },     /* vfwcvt.xu.f.v v8,v4, v0.t */
    { 0x48449457, "vfwcvt.x.f.v" },      /* vfwcvt.x.f.v v8,v4, v0.t */
    { 0x48451457, "vfwcvt.f.xu.v" },     /* vfwcvt.f.xu.v v8,v4, v0.t */
    { 0x48459457, "vfwcvt.f.x.v" },      /* vfwcvt.f.x.v v8,v4, v0.t */
    { 0x48461457, "vfwcvt.f.f.v" },      /* vfwcvt.f.f.v v8,v4, v0.t */
    { 0x48471457, "vfwcvt.rtz.xu.f.v" }, /* vfwcvt.rtz.xu.f.v v8,v4, v0.t */
    { 0x48479457, "vfwcvt.rtz.x.f.v" },  /* vfwcvt.rtz.x.f.v v8,v4, v0.t */
    { 0x48481457, "vfncvt.xu.f.w" },     /* vfncvt.xu.f.w v8,v4, v0.t */
    { 0x48489457, "vfncvt.x.f.w" },      /* vfncvt.x.f.w v8,v4, v0.t */
    { 0x48491457, "vfncvt.f.xu.w" },     /* vfncvt.f.xu.w v8,v4, v0.t */
    { 0x48499457, "vfncvt.f.x.w" },      /* vfncvt.f.x.w v8,v4, v0.t */
    { 0x484a1457, "vfncvt.f.f.w" },      /* vfncvt.f.f.w v8,v4, v0.t */
    { 0x484a9457, "vfncvt.rod.f.f.w" },  /* vfncvt.rod.f.f.w v8,v4, v0.t */
    { 0x484b1457, "vfncvt.rtz.xu.f.w" }, /* vfncvt.rtz.xu.f.w v8,v4, v0.t */
    { 0x484b9457, "vfncvt.rtz.x.f.w" },  /* vfncvt.rtz.x.f.w v8,v4, v0.t */
    { 0x4c401457, "vfsqrt.v" },          /* vfsqrt.v v8,v4, v0.t */
    { 0x4c421457, "vfrsqrt7.v" },        /* vfrsqrt7.v v8,v4, v0.t */
    { 0x4c429457, "vfrec7.v" },          /* vfrec7.v v8,v4, v0.t */
    { 0x4c481457, "vfclass.v" },         /* vfclass.v v8,v4, v0.t */
    { 0x00462457, "vredsum.vs" },        /* vredsum.vs v8,v4,v12, v0.t */
    { 0x04462457, "vredand.vs" },        /* vredand.vs v8,v4,v12, v0.t */
    { 0x08462457, "vredor.vs" },         /* vredor.vs v8,v4,v12, v0.t */
    { 0x0c462457, "vredxor.vs" },        /* vredxor.vs v8,v4,v12, v0.t */
    { 0x10462457, "vredminu.vs" },       /* vredminu.vs v8,v4,v12, v0.t */
    { 0x14462457, "vredmin.vs" },        /* vredmin.vs v8,v4,v12, v0.t */
    { 0x18462457, "vredmaxu.vs" },       /* vredmaxu.vs v8,v4,v12, v0.t */
    { 0x1c462457, "vredmax.vs" },        /* vredmax.vs v8,v4,v12, v0.t */
    { 0xc0460457, "vwredsumu.vs" },      /* vwredsumu.vs v8,v4,v12, v0.t */
    { 0xc4460457, "vwredsum.vs" },       /* vwredsum.vs v8,v4,v12, v0.t */
    { 0x04461457, "vfredusum.vs" },      /* vfredusum.vs v8,v4,v12, v0.t */
    { 0x0c461457, "vfredosum.vs" },      /* vfredosum.vs v8,v4,v12, v0.t */
    { 0x14461457, "vfredmin.vs" },       /* vfredmin.vs v8,v4,v12, v0.t */
    { 0x1c461457, "vfredmax.vs" },       /* vfredmax.vs v8,v4,v12, v0.t */
    { 0xc4461457, "vfwredusum.vs" },     /* vfwredusum.vs v8,v4,v12, v0.t */
    { 0xcc461457, "vfwredosum.vs" },     /* vfwredosum.vs v8,v4,v12, v0.t */
    { 0x62462457, "vmandn.mm" },         /* vmandn.mm v8,v4,v12 */
    { 0x66462457, "vmand.mm" },          /* vmand.mm v8,v4,v12 */
    { 0x6a462457, "vmor.mm" },           /* vmor.mm v8,v4,v12 */
    { 0x6e462457, "vmxor.mm" },          /* vmxor.mm v8,v4,v12 */
    { 0x72462457, "vmorn.mm" },          /* vmorn.mm v8,v4,v12 */
    { 0x76462457, "vmnand.mm" },         /* vmnand.mm v8,v4,v12 */
    { 0x7a462457, "vmnor.mm" },          /* vmnor.mm v8,v4,v12 */
    { 0x7e462457, "vmxnor.mm" },         /* vmxnor.mm v8,v4,v12 */
    { 0x40482557, "vcpop.m" },           /* vcpop.m a0,v4, v0.t */
    { 0x4048a557, "vfirst.m" },          /* vfirst.m a0,v4, v0.t */
    { 0x5040a457, "vmsbf.m" },           /* vmsbf.m v8,v4, v0.t */
    { 0x50412457, "vmsof.m" },           /* vmsof.m v8,v4, v0.t */
    { 0x5041a457, "vmsif.m" },           /* vmsif.m v8,v4, v0.t */
    { 0x50482457, "viota.m" },           /* viota.m v8,v4, v0.t */
    { 0x5008a457, "vid.v" },             /* vid.v v8, v0.t */
    { 0x42402557, "vmv.x.s" },           /* vmv.x.s a0,v4 */
    { 0x42066457, "vmv.s.x" },           /* vmv.s.x v8,a2 */
    { 0x42401557, "vfmv.f.s" },          /* vfmv.f.s fa0,v4 */
    { 0x42065457, "vfmv.s.f" },          /* vfmv.s.f v8,fa2 */
    { 0x38464457, "vslideup.vx" },       /* vslideup.vx v8,v4,a2, v0.t */
    { 0x3843b457, "vslideup.vi" },       /* vslideup.vi v8,v4,7, v0.t */
    { 0x3c464457, "vslidedown.vx" },     /* vslidedown.vx v8,v4,a2, v0.t */
    { 0x3c43b457, "vslidedown.vi" },     /* vslidedown.vi v8,v4,7, v0.t */
    { 0x38466457, "vslide1up.vx" },      /* vslide1up.vx v8,v4,a2, v0.t */
    { 0x3c466457, "vslide1down.vx" },    /* vslide1down.vx v8,v4,a2, v0.t */
    { 0x38465457, "vfslide1up.vf" },     /* vfslide1up.vf v8,v4,fa2, v0.t */
    { 0x3c465457, "vfslide1down.vf" },   /* vfslide1down.vf v8,v4,fa2, v0.t */
    { 0x30460457, "vrgather.vv" },       /* vrgather.vv v8,v4,v12, v0.t */
    { 0x30464457, "vrgather.vx" },       /* vrgather.vx v8,v4,a2, v0.t */
    { 0x3043b457, "vrgather.vi" },       /* vrgather.vi v8,v4,7, v0.t */
    { 0x38460457, "vrgatherei16.vv" },   /* vrgatherei16.vv v8,v4,v12, v0.t */
    { 0x5e462457, "vcompress.vm" },      /* vcompress.vm v8,v4,v12 */
    { 0x9f003457, "vmv1r.v" },           /* vmv1r.v v8,v16 */
    { 0x9f00b457, "vmv2r.v" },           /* vmv2r.v v8,v16 */
    { 0x9f01b457, "vmv4r.v" },           /* vmv4r.v v8,v16 */
    { 0x9f03b457, "vmv8r.v" },           /* vmv8r.v v8,v16 */
};

static void check_operands(const struct decode_form *f, uint32_t word)
{
    for (unsigned n = 0; n < f->noperands; n++) {
        const char *name = f->operand[n].name;
        int32_t v = decode_operand(&f->operand[n], word);
        if (!strcmp(name, "vd"))
            g_assert_cmpint(v, ==, 8);
        else if (!strcmp(name, "vs2") && !g_str_has_prefix(f->name, "vmv"))
            g_assert_cmpint(v, ==, 4);
        else if (!strcmp(name, "vs1") && !g_str_has_prefix(f->name, "vmv"))
            g_assert_cmpint(v, ==, 12);
    }
}

static void test_known(void)
{
    g_autoptr(GError) err = NULL;
    struct cpu *cpu = cpu_create("riscv64", "max", &err);
    g_autofree bool *seen = g_new0(bool, riscv_v_table.count);

    g_assert_no_error(err);
    for (unsigned k = 0; k < G_N_ELEMENTS(known); k++) {
        int form = riscv_v_table.find(cpu, known[k].word, 32);
        g_assert_cmpint(form, >=, 0);
        g_assert_cmpstr(riscv_v_table.form[form].name, ==, known[k].form);
        check_operands(&riscv_v_table.form[form], known[k].word);
        seen[form] = true;
    }
    for (unsigned form = 0; form < riscv_v_table.count; form++)
        if (!seen[form])
            g_error("%s is not in the list", riscv_v_table.form[form].name);
    cpu_free(cpu);
}

static void test_off(void)
{
    g_autoptr(GError) err = NULL;
    struct cpu *cpu = cpu_create("riscv64", "rv64", &err);

    g_assert_no_error(err);
    for (unsigned k = 0; k < G_N_ELEMENTS(known); k++)
        g_assert_cmpint(riscv_v_table.find(cpu, known[k].word, 32), ==, -1);
    cpu_free(cpu);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/riscv-vector-names/known", test_known);
    g_test_add_func("/riscv-vector-names/off", test_off);
    return g_test_run();
}
