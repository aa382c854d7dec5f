#!/bin/bash
# Hosts whose KVM is missing, poor or gives up, played by tests/guest/kvmhost.c on one that has KVM: what is
# said, what is left out, and that the program can always be told to end.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/vm.sh
. "$top/tests/lib/vm.sh"

skip() {
    echo "1..0 # SKIP $*"
    exit 0
}

# host WISH OPTION...: a PC that does not start; what it says is in $work/said
host() {
    local wish=$1
    shift
    KVM_HOST=$wish LD_PRELOAD=$work/kvmhost.so timeout 60 "$MYNA" -arch x86_64 -M pc -m 32M -nodefaults -display none \
        -monitor stdio "$@" <<< quit > "$work/said" 2>&1
}

refuses() { # WISH TEXT OPTION...
    local wish=$1 text=$2
    shift 2
    host "$wish" "$@" -S
    [ $? = 1 ] && [ "$(wc -l < "$work/said")" = 1 ] && grep -q -- "$text" "$work/said"
    result $? "$wish: one line, '$text'"
}

says() { # NAME COUNT TEXT: so many lines of it
    [ "$(grep -c -- "$3" "$work/said")" = "$2" ]
    result $? "$1"
}

# What the machine's state is when the kernel comes back as @wish says; it ends when told.
state() { # WISH STATE
    KVM_HOST=$1 LD_PRELOAD=$work/kvmhost.so start_vm token kvm
    local i
    [ "$2" != running ] || sleep 0.3 # and still is
    for ((i = 0; i < 100; i++)); do
        ask '{"execute":"query-status"}'
        [[ $answer == *"\"status\": \"$2\""* ]] && break
        sleep 0.1
    done
    [ $i -lt 100 ] && stop_vm && { [ "$2" = running ] || grep -q 'IP=' "$work/err"; }
    result $? "$1: $2, with all registers, and ends when told"
    [ $i -lt 100 ] || { kill "$VM_PID"; wait; }
}

ends() { # WISH NAME
    KVM_HOST=$1 LD_PRELOAD=$work/kvmhost.so timeout 60 "$MYNA" -arch x86_64 -M pc -m 32M -accel kvm -nodefaults \
        -display none -no-reboot -bios "$work/token.bin" > "$work/said" 2>&1
    result $? "$1: $2"
}

[ "$(uname -m)" = x86_64 ] || skip "KVM of x86 alone is played"
has_kvm || skip "/dev/kvm cannot be opened"
build_image token
"${CC:-gcc}" -shared -fPIC -O1 -o "$work/kvmhost.so" "$top/tests/guest/kvmhost.c" -ldl || skip "no compiler"
host '' -accel kvm -S || skip "LD_PRELOAD does not work here"

refuses open=2 "load the kernel module" -accel kvm
refuses open=13 "become a member of the group" -enable-kvm
refuses open=19 "switched off in the firmware" -machine accel=kvm
refuses vm=16 "another hypervisor" -accel kvm
refuses version=11 "version 11" -accel kvm
refuses cap=136:0 "too old" -accel kvm
refuses cap=66:2 "takes 1 to 2" -accel kvm -smp 3
refuses cap=81:0 "no read-only memory" -accel kvm -cpu qemu64,check=off
refuses cpuid=1:2:9 "enforce=on" -accel kvm -cpu core2duo,enforce=on
host open=13 -accel kvm:tcg -S
says "kvm:tcg: falls back, and says why" 1 "cannot use -accel kvm.*become a member"
host open=2 -accel kvm -accel tcg -v -S
says "two -accel: falls back" 1 "run on -accel tcg"
host open=2 -S -v
says "the default: tcg" 1 "run on -accel tcg"
host slow=60000 -S -v
says "a slow host: one line" 1 "one instruction at a time"
says "a slow host: tcg" 1 "run on -accel tcg"
host slow=60000 -accel kvm -S
says "a slow host: KVM where it alone is asked for" 0 "one instruction at a time"
host '' -accel kvm -cpu core2duo -S
without=$(grep -c "cannot give" "$work/said")
host cpuid=1:3:15 -accel kvm -cpu core2duo -S
says "a model: one warning for each feature" $((without + 1)) "cannot give"
says "a model: the feature is named" 1 "cannot give 'cmov'"
host cpuid=1:3:15 -accel kvm -cpu core2duo,check=off -S
says "a model: none with check=off" 0 "cannot give"

# x2APIC mode: bit 21 of ECX
given() { # NAME DIGIT OPTION...: the digit of ECX that has the bit
    host given=1:2 -S "${@:3}"
    says "$1" 1 "CPUID 0x1: 0x..[$2]"
}
given "a model has x2APIC mode" 2367abef -accel kvm -cpu qemu64
given "so has the usual one" 2367abef -accel kvm
given "not if it is taken away" 014589cd -accel kvm -cpu qemu64,-x2apic
given "nor where the kernel has no APICs" 014589cd -accel kvm,kernel-irqchip=off -cpu qemu64

# The paravirtual interface: bit 6 of EAX is kvm-pv-eoi, bit 0 of EDX that each CPU has a processor of its own
host given=0x40000001:0 -S -accel kvm -cpu host,migratable=on,host-phys-bits=on,pmu=off
with=$(sed -n 's/.*0x40000001: //p' "$work/said")
host given=0x40000001:0 -S -accel kvm -cpu "qemu64,kvm_pv_eoi=off,-kvm-steal-time,+kvmclock"
says "features of it can be taken away" 1 "$(printf '0x40000001: 0x%08x' $((with & ~0x60)))"
host given=0x40000001:3 -S -accel kvm -cpu host,kvm-hint-dedicated=on
says "the hint of processors of one's own" 1 "0x40000001: 0x00000001"
host cpuid=0x40000001:0:7 -S -accel kvm -cpu qemu64,+kvm_pv_unhalt
says "one that the host has not: a warning" 1 "cannot give 'kvm-pv-unhalt'"
refuses 'a name with a slip' "did you mean 'kvm-pv-unhalt'" -accel kvm -cpu qemu64,+kvm-pv-unhal
host '' -S -accel kvm -cpu host,pmu=on
says "performance counters: a warning" 1 "performance counters are not implemented"
host given=0x80000008:0 -S -accel kvm -cpu host,phys-bits=39
says "as many physical bits as are said" 1 "0x80000008: 0x....[0-9a-f][0-9a-f]27"

# Hyper-V's interface: leaf 0x40000003's EAX is what the guest may use, 0x40000004's EAX what it should
hyperv() { # WISH OPTIONS NAME COUNT TEXT
    host "$1" -S -accel kvm -cpu "qemu64,$2"
    says "$3" "$4" "$5"
}
windows=hv_relaxed,hv-vapic=on,hv_spinlocks=0x1fff,+hv_vpindex,hv-runtime,hv_synic,hv_stimer,hv_reset,hv_time
hyperv hyperv=0x22ff,given=0x40000003:0 $windows "what a guest of it may use" 1 "0x40000003: 0x000002ff"
hyperv hyperv=0x22ff,given=0x40000004:0 $windows "what it should use" 1 "0x40000004: 0x00000028"
hyperv hyperv=0x22ff,given=0x40000004:1 $windows "tries at a lock" 1 "0x40000004: 0x00001fff"
hyperv hyperv=0x22ff,given=0x40000000:1 $windows "it stands where KVM's own did" 1 "0x40000000: 0x7263694d"
hyperv hyperv=0x22ff,given=0x40000100:0 $windows "which stands behind it" 1 "0x40000100: 0x40000101"
hyperv hyperv=0x22ff,given=0x40000000:1 hv-relaxed,hv_vendor_id=ABCD "another name" 1 "0x40000000: 0x44434241"
hyperv hyperv=0x22ff,given=0x40000000:1 hv-vendor-id=ABCD "a name alone is nothing" 1 "0x40000000: 0x4b4d564b"
hyperv hyperv=0x22ff $windows,hv-enforce-cpuid "capabilities: SynIC, enforcement" 2 "capability \(148: 0\|199: 1\)"
hyperv hyperv=0x22ff,given=0x40000003:0 hv-passthrough,hv-reset=off "all that the host has" 1 "0x40000003: 0x0000227f"
hyperv hyperv=0x22ff,given=0x40000004:1 hv-passthrough "its tries at a lock" 1 "0x40000004: 0x00000fff"
hyperv hyperv=0x22fb $windows "what hangs on the missing is missing" 2 "cannot give 'hv-\(synic\|stimer\)'"
hyperv hyperv=0x22fb $windows "and nothing else" 2 "cannot give 'hv-"
hyperv cap=44:0 hv-relaxed,hv-spinlocks=8,hv-time "a host without it: a line each" 3 "cannot give 'hv-"
hyperv cap=44:0,given=0x40000000:1 hv-relaxed "its guest has KVM's own" 1 "0x40000000: 0x4b4d564b"
refuses hyperv=0x22ff "hv-stimer needs hv-synic" -accel kvm -cpu qemu64,hv-stimer,hv-vpindex,hv-time
refuses cap=44:0 "enforce=on.*'hv-relaxed'" -accel kvm -cpu kvm32,enforce=on,hv-relaxed
refuses 'a name with a slip of hv' "did you mean 'hv-relaxed'" -accel kvm -cpu qemu64,+hv-relaxd
host '' -S -accel tcg -cpu "max,$windows,hv-tlbflush"
says "translation takes the options and says nothing" 0 "hv-"

# MSRs: read and written when the machine stops and goes on
state msr=0x277 running
KVM_HOST=msr=0x174 LD_PRELOAD=$work/kvmhost.so start_vm token kvm -d unimp
for i in 1 2 3; do
    ask '{"execute":"stop"}' && hmp "info registers" && ask '{"execute":"cont"}'
done
stop_vm
[ "$(grep -c 'MSR 0x174' "$work/err")" = 1 ]
result $? "a refused MSR is noted once, and left out"

# Few memory slots: enough for RAM and ROM
cp "$top/tests/guest/x86/boot-probe.bin" "$work/disk"
truncate -s 1M "$work/disk"
for slots in 509 6 5; do
    KVM_HOST=cap=10:$slots LD_PRELOAD=$work/kvmhost.so timeout 100 "$MYNA" -arch x86_64 -M pc -m 64M -accel kvm \
        -nodefaults -display none -device VGA -drive "file=$work/disk,format=raw" -device isa-debug-exit,iobase=0x501 \
        -chardev "file,id=d,path=$work/probe-$slots" -device isa-debugcon,iobase=0xe9,chardev=d > "$work/err" 2>&1
    [ $? = 1 ] && cmp "$work/probe-509" "$work/probe-$slots" > "$work/err"
    result $? "$slots memory slots: the BIOS boots a disk, and tells it the same"
done

# Each way in which the kernel comes back
for reason in 0 1 9 16 17 23 26 29 30 34 77; do
    case $reason in
    17) for sub in 0 1 2 3 4; do state "exit=17:1,sub=$sub" internal-error; done ;;
    26 | 29 | 30) ;; # follow what the guest did
    *) state "exit=$reason:1" internal-error ;;
    esac
done
for reason in 3 7 10 33 37; do
    state "exit=$reason:1" running
done
state exit=24:1,sub=9 internal-error
for sub in 1 2; do # Hyper-V's interrupt controller was set up; a hypercall to a connection
    state "exit=27:1,sub=$sub" running
done
state exit=27:1,sub=3 internal-error
ends exit=8:1 "a shutdown of the CPU resets, which -no-reboot ends"
ends exit=24:1,sub=1 "the kernel's guest shuts down"
ends exit=24:1,sub=3 "a guest of Hyper-V's interface says that it crashed"
ends exit=24:1,sub=2 "the kernel's guest resets"
echo "1..$number"
