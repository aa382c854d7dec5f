#!/bin/sh
# Options that only print, and bad ones: one line each, status 1, with the nearest name.
. "$srcdir/tests/lib/tap.sh"

like "$($MYNA -version)" "myna emulator version *" "-version"
like "$($MYNA --version)" "myna emulator version *" "--version"
like "$($MYNA -help)" "*  -kernel FILE*kernel*-device DRIVER*-version*" "-help"
like "$($MYNA -d help)" "*in_asm*guest_errors*" "-d help"
like "$($MYNA -chardev help)" "*socket*" "-chardev help"

refuses "myna: -machin: there is no such option; did you mean '-machine'?" -machin virt
refuses "*-nographics: *did you mean '-nographic'?" -nographics
refuses "*--seriall: *did you mean '-serial'?" --seriall stdio
refuses "*-zzzzzzzz: there is no such option; -help lists them" -zzzzzzzz
refuses "*'disk.img' is not an option; *-drive file=disk.img" disk.img
refuses "*'a?b' is not an option*" "a
b"
refuses "*-kernel: an argument is missing: FILE" -kernel
refuses "*-device: a key is missing*" -device virtio-blk-pci,=1
refuses "*-device: bad JSON at character *" -device '{"driver": }'
refuses "*-d: there is no log item 'guest_error'; did you mean 'guest_errors'?" -d guest_error
refuses "*-dfilter: '0x80' is not a range*" -dfilter 0x80
refuses "*-D: cannot open '/nonexistent/log'*" -D /nonexistent/log
refuses "*-readconfig: *No such file*" -readconfig /nonexistent
refuses "*-readconfig: '/dev/zero' is not a text*" -readconfig /dev/zero
refuses "*-readconfig: *Is a directory" -readconfig /
refuses "*-vga: there is no graphics card 'stdd'; did you mean 'std'*" -vga stdd

printf '[device "d0"]\n driver = virtio\n' >"$tap_dir/bad.cfg"
refuses "*bad.cfg:2: the form is key = \"value\"" -readconfig "$tap_dir/bad.cfg"
printf '[devise "d0"]\n driver = "virtio"\n' >"$tap_dir/bad.cfg"
refuses "*-devise: there is no such option; did you mean '-device'?" -readconfig "$tap_dir/bad.cfg"
printf '[kernel]\n file = "x"\n' >"$tap_dir/bad.cfg"
refuses "*[[]kernel]: this option cannot stand in a file" -readconfig "$tap_dir/bad.cfg"
printf '[memory]\n size = "64M"\n[boot-opts]\n order = "c"\n[smp-opts]\n cpus = "0"\n' >"$tap_dir/bad.cfg"
refuses "*-smp: cpus=0 is out of range*" -readconfig "$tap_dir/bad.cfg"

done_testing
