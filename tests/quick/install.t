#!/bin/sh
# make install puts everything below DESTDIR and prefix, make uninstall takes it away again.
. "$srcdir/tests/lib/tap.sh"

tree() {
	(cd "$tap_dir/root" && find . ! -type d | sort)
}
make=${MAKE:-make}
unset MAKEFLAGS MFLAGS MAKELEVEL
# nothing is rebuilt, whatever the time of the files: other tests need the program
install_into() {
	"$make" -s -C "$MYNA_BUILD" -o all -o myna "$1" "DESTDIR=$tap_dir/root" prefix=/usr >"$tap_dir/log" 2>&1
}
install_into install
is $? 0 "make install"
is "$(tree)" './usr/bin/myna
./usr/bin/myna-system-i386
./usr/bin/myna-system-riscv32
./usr/bin/myna-system-riscv64
./usr/bin/myna-system-x86_64
./usr/share/doc/myna/LICENSE
./usr/share/doc/myna/README.md
./usr/share/man/man1/myna.1' "what is installed"
for guest in riscv64 riscv32 x86_64 i386; do
	like "$("$tap_dir/root/usr/bin/myna-system-$guest" -machine help)" "Machines for $guest:*" "myna-system-$guest"
done
install_into uninstall
is "$(tree)" "" "make uninstall"

done_testing
