#!/bin/sh
# Kernels and firmware that are missing, empty, truncated or for another machine: one line, status 1.
. "$srcdir/tests/lib/tap.sh"

cd "$tap_dir" || exit 1
virt="-arch riscv64 -M virt -accel qtest -display none"
pc="-arch x86_64 -M pc -accel qtest -display none"
hello=$srcdir/tests/guest/riscv/hello/hello.elf
case $hello in
/*) ;;
*) hello=$OLDPWD/$hello ;;
esac

# poke FILE OFFSET BYTES: bytes as printf takes them
poke() {
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# accepts NAME OPTION...: it gets as far as a machine that runs
accepts() {
	name=$1
	shift
	is "$(echo '{"execute":"qmp_capabilities"}{"execute":"quit"}' | timeout 20 "$MYNA" "$@" -qmp stdio 2>&1 | grep -c return)" 2 "$name"
}

: >empty
head -c 40 "$hello" >header
head -c 2000 "$hello" >elf
cp "$hello" foreign
poke foreign 18 '\076\000' # EM_X86_64
cp "$hello" big
poke big 5 '\002' # big-endian
head -c 3000 /dev/zero >zeroes
head -c 64 /dev/zero >arm
poke arm 56 'ARM\144'

for o in -kernel -bios; do
	refuses "*$o: cannot open '/nonexistent': No such file*" $virt $o /nonexistent
	refuses "*$o: 'empty' is empty" $virt $o empty
	refuses "*$o: '.' is not a regular file" $virt $o .
	refuses "*$o: '/dev/zero' is not a regular file" $virt $o /dev/zero
	refuses "*$o: 'header' is a truncated ELF file" $virt $o header
	refuses "*$o: 'elf' is truncated: a segment lies outside of the file" $virt $o elf
	refuses "*$o: 'foreign' is an ELF file for x86_64, the machine is riscv" $virt $o foreign
	refuses "*$o: 'big' is *big-endian*" $virt $o big
	refuses "*$o: 'arm' is a kernel for aarch64, the machine is riscv" $virt $o arm
	refuses "*$o: * 64-bit*" -arch riscv32 -M virt -accel qtest -display none $o "$hello"
done
refuses "*-initrd: 'empty' is empty" $virt -kernel "$hello" -initrd empty
refuses "*-initrd: there is no -kernel*" $virt -initrd zeroes
refuses "*-initrd: cannot open '/nonexistent'*" $virt -kernel "$hello" -initrd /nonexistent
refuses "*-dtb: 'empty' is empty" $virt -dtb empty
refuses "*-dtb: this is not a valid flattened devicetree*" $virt -dtb zeroes
refuses "*pflash: drive 'pflash0' has 3072 bytes, the flash bank has 33554432" $virt -drive if=pflash,format=raw,file=zeroes
refuses "*more -m is needed" $virt -m 2 -kernel zeroes

# A Linux Image with an EFI stub: its PE header has one section of 4096 bytes at 4096.
head -c 8192 /dev/zero >Image
poke Image 0 MZ
poke Image 56 'RSC\005'
poke Image 60 '\100'
poke Image 64 'PE\000\000\144\120\001'
poke Image 104 '\000\020\000\000\000\020'
accepts "an Image that is complete" $virt -kernel Image
head -c 8191 Image >cut
refuses "*-kernel: 'cut' is truncated: it has 8191 bytes of 8192" $virt -kernel cut
head -c 80 Image >cut
refuses "*-kernel: 'cut' is truncated: its PE header*" $virt -kernel cut
poke Image 4 zimg
refuses "*-kernel: 'Image' is a compressed EFI image; *" $virt -kernel Image
gzip -c "$hello" | head -c 1000 >cut.gz
refuses "*-kernel: 'cut.gz' is damaged: *" $virt -kernel cut.gz
head -c 5000000 /dev/zero | gzip -c >much.gz
refuses "*-initrd: 'much.gz' unpacks to more than the * bytes that fit" $virt -m 4 -kernel "$hello" -initrd much.gz

# A bzImage: one setup sector, protocol 2.15, 32 * 16 bytes.
head -c 1536 /dev/zero >bz
poke bz 497 '\001'
poke bz 500 '\040'
poke bz 510 '\125\252'
poke bz 514 'HdrS\017\002'
poke bz 529 '\001'
accepts "a bzImage that is complete" $pc -kernel bz
head -c 1500 bz >cut
refuses "*-kernel: 'cut' is truncated: it has 1500 bytes of 1536" $pc -kernel cut
refuses "*-kernel: 'bz' is a kernel for x86, the machine is riscv" $virt -kernel bz
refuses "*-kernel: 'zeroes' is no Linux bzImage, *" $pc -kernel zeroes
refuses "*-bios: 'zeroes' has 3000 bytes, a BIOS has a multiple of 65536" $pc -bios zeroes
refuses "*-kernel: 'empty' is empty" $pc -kernel empty

done_testing
