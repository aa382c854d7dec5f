#!/usr/bin/perl
# The gdb protocol by hand: what gdb itself does not send, and what nobody should. The seed of the
# garbage is printed; GDB_SEED sets it.
use strict;
use warnings;
no warnings 'qw';
use IO::Socket::UNIX;
use IO::Select;
use File::Temp qw(tempdir);
use Test::More;

my $seed = $ENV{GDB_SEED} // time ^ $$;
my $dir = tempdir(CLEANUP => 1);
my $path = "$dir/gdb";
my $pid;

plan skip_all => 'no machine virt' unless `$ENV{MYNA} -arch riscv64 -machine help 2>&1` =~ /^virt/m;
$SIG{PIPE} = 'IGNORE';

sub start {
    $pid = fork // die;
    if (!$pid) {
        open STDERR, '>', "$dir/stderr";
        open STDIN, '<', '/dev/null';
        exec $ENV{MYNA}, qw(-arch riscv64 -M virt -m 64M -smp 3 -bios none -display none -S),
            qw(-serial null -monitor none -cpu rv64,v=on,vlen=256 -gdb), "unix:$path", @_;
    }
}

sub attach {
    my $s;
    for (1 .. 400) {
        last if $s = IO::Socket::UNIX->new(Peer => $path);
        select undef, undef, undef, 0.02;
    }
    die "no socket" unless $s;
    return $s;
}

sub frame {
    my $data = shift;
    my $sum = 0;
    $sum += ord for split //, $data;
    return sprintf '$%s#%02x', $data, $sum & 255;
}

# The next byte, undef at the end or after 20 seconds.
sub byte {
    my $s = shift;
    return undef unless IO::Select->new($s)->can_read(20);
    my $n = sysread $s, my $c, 1;
    return $n ? $c : undef;
}

# The next packet, without acknowledgements.
sub packet {
    my $s = shift;
    my $text = '';
    while (1) {
        my $c = byte($s) // return undef;
        next if $text eq '' && $c ne '$';
        $text .= $c;
        last if $c eq '#';
    }
    my $sum = byte($s) . byte($s);
    $text =~ s/^\$|#$//g;
    die "wrong checksum of '$text'" unless frame($text) eq "\$$text#$sum";
    syswrite $s, '+';
    return $text;
}

sub ask {
    my ($s, $data) = @_;
    syswrite $s, frame($data);
    return packet($s);
}

# The most memory it ever had, in KiB.
sub peak {
    open my $f, '<', "/proc/$pid/status" or return 0;
    return join('', <$f>) =~ /^VmHWM:\s*(\d+)/m ? $1 : 0;
}

sub hex_of { return unpack 'H*', shift }

start();
my $s = attach();

# framing
syswrite $s, '$?#00';
is byte($s), '-', 'a wrong checksum is refused';
syswrite $s, frame('?');
is byte($s), '+', 'a right one is acknowledged';
like packet($s), qr/^T05thread:1;$/, 'why it stopped';
syswrite $s, '-';
like packet($s), qr/^T05thread:1;$/, 'sent again on request';
is ask($s, 'x' x 0x4001), 'E22', 'a packet too long';
is ask($s, 'vMustReplyEmpty'), '', 'an unknown packet';
like ask($s, 'qSupported:swbreak+;hwbreak+'), qr/PacketSize=4000;.*qXfer:features:read\+/, 'qSupported';

# threads
is ask($s, 'qfThreadInfo'), 'm1,2,3', 'threads';
is ask($s, 'qsThreadInfo'), 'l', 'and no more';
is ask($s, 'T3'), 'OK', 'one lives';
is ask($s, 'T4'), 'E22', 'one does not';
is ask($s, 'Hg4'), 'E22', 'nor is it chosen';
is ask($s, 'Hg2'), 'OK', 'another is';
is ask($s, 'qC'), 'QC2', 'and told';
is ask($s, 'qAttached'), '1', 'qAttached';
like pack('H*', ask($s, 'qThreadExtraInfo,3')), qr/^CPU#2 rv64 /, 'qThreadExtraInfo';

# registers
is length ask($s, 'g'), 33 * 16, 'g has the general registers';
is ask($s, 'P5=8877665544332211'), 'OK', 'P';
is ask($s, 'p5'), '8877665544332211', 'p';
is substr(ask($s, 'g'), 5 * 16, 16), '8877665544332211', 'the same in g';
is ask($s, 'P5=887766'), 'E22', 'too short a value';
is ask($s, 'P5=88776655443322110'), 'E22', 'too long a one';
is ask($s, 'G' . '00' x 40), 'OK', 'a short G sets what it has';
is ask($s, 'p5'), '8877665544332211', 'and no more';
is ask($s, 'pffff'), 'E22', 'no such register';
is ask($s, 'p'), 'E22', 'no number';
is length ask($s, 'p1042'), 64, 'a vector register has the length of this CPU';

# target description
my ($xml, $part) = ('');
while (defined($part = ask($s, sprintf 'qXfer:features:read:target.xml:%x,3f0', length $xml))) {
    $part =~ s/^([ml])//;
    my $last = $1 eq 'l';
    $part =~ s/\}(.)/chr(ord($1) ^ 0x20)/ges;
    $xml .= $part;
    last if $last;
}
like $xml, qr{^<\?xml.*<architecture>riscv:rv64</architecture>.*riscv\.cpu.*riscv\.fpu.*riscv\.csr.*riscv\.vector.*</target>$}s,
    'target.xml';
is scalar(() = $xml =~ /<feature/g), scalar(() = $xml =~ /<\/feature/g), 'features end';
like $xml, qr/name="vlenb"/, 'a unit that is off is shown';
is ask($s, 'qXfer:features:read:other.xml:0,100'), 'E00', 'no other file';
is ask($s, 'qXfer:features:read:target.xml:ffffffffffffffff,ffffffffffffffff'), 'l', 'behind its end';

# memory
is ask($s, 'M80000000,4:01020304'), 'OK', 'M';
is ask($s, "X80000004,4:}\x03}\x04\x05*"), 'OK', 'X';
is ask($s, 'm80000000,8'), '010203042324052a', 'm';
is ask($s, 'X80000000,0:'), 'OK', 'X of nothing';
is ask($s, 'X80000000,4:abc'), 'E22', 'X of another length';
is ask($s, 'M80000000,4:010203'), 'E22', 'M of another length';
is ask($s, 'm0,4'), 'E14', 'no memory';
is ask($s, 'mffffffffffffffff,2'), 'E22', 'around the end';
is ask($s, 'm83fffffe,10'), '0000', 'as far as there is memory';
is length ask($s, 'm80000000,ffffffff'), 0x4000, 'as much as fits';
{
    # What is asked for again and again, and not read, is not heaped up.
    my ($before, $wanted, $got) = (peak(), 2000 * 0x4004, '');
    syswrite $s, '-' x 2000;
    while ($wanted && IO::Select->new($s)->can_read(20)) {
        my $n = sysread $s, $got, 65536 or last;
        $wanted -= $n;
    }
    is $wanted, 0, 'all of it comes';
    cmp_ok peak() - $before, '<', 8192, 'with little memory';
}
is ask($s, 'm80000000'), 'E22', 'no length';

# points
is ask($s, 'Z0,80000000,4'), 'OK', 'Z0';
is ask($s, 'Z0,80000000,4'), 'OK', 'twice';
is ask($s, 'z0,80000000,4'), 'OK', 'z0';
is ask($s, 'Z5,80000000,4'), 'E22', 'no such type';
is ask($s, 'Z2,80000000,0'), 'E22', 'a watchpoint of nothing';
is ask($s, 'Z2,ffffffffffffffff,2'), 'E22', 'around the end';
is ask($s, 'Z2,fffffffffffffff8,8'), 'OK', 'up to the end';
is ask($s, 'z2,fffffffffffffff8,8'), 'OK', 'removed';

# running: 1: addi a1,a1,1; sd a1,0(a0); j 1b in all three
ask($s, 'M80000000,c:938515002330b5006ff09fff');
for my $t (1 .. 3) {
    ask($s, "Hg$t");
    ask($s, 'P20=0000008000000000');
    ask($s, sprintf 'Pa=%s', hex_of(pack 'Q<', 0x80001000 + 8 * $t));
    ask($s, 'Pb=0000000000000000');
}
is ask($s, 'vCont?'), 'vCont;c;C;s;S;t', 'vCont?';
is ask($s, 'vCont;x'), 'E22', 'no such action';
is ask($s, 'vCont'), 'E22', 'no action';
is ask($s, 'vCont;c:9'), 'E22', 'no such thread';
is ask($s, 'vCont;t'), 'E22', 'nothing to run';
like ask($s, 'vCont;s:2'), qr/^T05thread:2;/, 'one thread steps';
is ask($s, 'p20'), '0400008000000000', 'by one instruction';
for my $t (1, 3) {
    ask($s, "Hg$t");
    is ask($s, 'p20'), '0000008000000000', "while thread $t is held";
}
ask($s, 'Z1,80000008,4');
like ask($s, 'vCont;c:3'), qr/^T05thread:3;hwbreak:;/, 'one runs to a breakpoint';
ask($s, 'z1,80000008,4');
ask($s, 'Z2,80001008,8');
like ask($s, 'vCont;c'), qr/^T05thread:1;watch:80001008;/, 'a watchpoint, of the one that writes';
is ask($s, 'p20'), '0400008000000000', 'before the access';
is ask($s, 'm80001008,8'), '0000000000000000', 'which is not done';
like ask($s, 'c'), qr/^T05thread:1;watch:80001008;/, 'going on does it';
is ask($s, 'm80001008,8'), '0100000000000000', 'once';
ask($s, 'z2,80001008,8');
syswrite $s, frame('vCont;c');
select undef, undef, undef, 0.05;
syswrite $s, "\x03";
like packet($s), qr/^T02thread:/, 'interrupted';
syswrite $s, frame('s80000000');
like packet($s), qr/^T05thread:/, 's with an address';
is ask($s, 'p20'), '0400008000000000', 'went from there';
syswrite $s, frame('C05;80000004');
select undef, undef, undef, 0.05;
syswrite $s, "\x03";
like packet($s), qr/^T02thread:/, 'C with a signal and an address';

# physical memory, monitor
is ask($s, 'qqemu.sstepbits'), 'ENABLE=1,NOIRQ=2', 'what steps can be told';
is ask($s, 'qqemu.sstep'), '0x3', 'what they are told at first';
is ask($s, 'Qqemu.sstep=0x8'), 'E22', 'no such kind of step';
is ask($s, 'Qqemu.sstep'), 'E22', 'nothing told';
is ask($s, 'Qqemu.sstep=0x1'), 'OK', 'interrupts in steps';
is ask($s, 'qqemu.sstep'), '0x1', 'it says so';
is ask($s, 'Qqemu.PhyMemMode:2'), 'E22', 'no such mode';
is ask($s, 'Qqemu.PhyMemMode:1'), 'OK', 'physical';
is ask($s, 'qqemu.PhyMemMode'), '1', 'it says so';
is ask($s, 'm80000000,4'), '93851500', 'memory there';
like pack('H*', substr ask($s, 'qRcmd,' . hex_of('info status')), 1), qr/^VM status: paused/, 'qRcmd';
is packet($s), 'OK', 'and its end';
like pack('H*', substr ask($s, 'qRcmd,' . hex_of('gdbserver none')), 1), qr/not from within gdb/,
    'not to saw off the branch';
packet($s);
is ask($s, 'qRcmd,6'), 'E22', 'half a digit';

# without acknowledgements
is ask($s, 'QStartNoAckMode'), 'OK', 'QStartNoAckMode';
syswrite $s, frame('qC');
is byte($s), '$', 'no acknowledgement comes';
close $s;

# gone without a word, with points set: a new one finds none
$s = attach();
like ask($s, '?'), qr/^T..thread:/, 'back';
is ask($s, 'qqemu.PhyMemMode'), '0', 'nothing is left of the mode';
is ask($s, 'qqemu.sstep'), '0x3', 'nor of the steps';

# garbage
srand $seed;
diag "seed $seed" if $ENV{GDB_SEED};
note "seed $seed";
my @seeds = qw(? g p20 P20=0000008000000000 m80000000,40 M80000000,4:00000000 X80000000,1:a Z0,80000000,4
    z0,80000000,4 Z2,80000000,8 z2,80000000,8 Hg1 Hc-1 T1 qC qfThreadInfo qsThreadInfo
    qXfer:features:read:target.xml:0,100 qThreadExtraInfo,1 qSupported:a+;b- qRcmd,696e666f
    Qqemu.PhyMemMode:0 vCont;s:1 vCont;t s C05 vCont;s:p1.1;c:2);
my $sent = 0;
for my $round (1 .. 60) {
    for (1 .. 20) {
        my $data = $seeds[rand @seeds];
        for (0 .. rand 4) {
            my $at = rand(1 + length $data);
            my $kind = int rand 4;
            if ($kind == 0) { substr $data, $at, 1, chr(32 + int rand 224) if $at < length $data }
            elsif ($kind == 1) { substr $data, $at, 0, (',', ':', ';', 'f' x 17, '-1', "\0", '0')[rand 7] }
            elsif ($kind == 2) { $data = substr $data, 0, $at }
            else { $data .= $seeds[rand @seeds] }
        }
        # not what ends it or leaves; no commands of the monitor's
        next if $data =~ /^[kD]|^vKill|^qRcmd|^[cC]|vCont.*[cC]/;
        syswrite $s, frame($data) . (rand() < 0.1 ? join '', map { chr int rand 256 } 1 .. 20 : '');
        $sent++;
    }
    # read what there is
    while (IO::Select->new($s)->can_read(0.005)) {
        last unless sysread $s, my $chunk, 65536;
    }
}
close $s;
$s = attach();
ok $sent > 500, 'garbage was sent';
like ask($s, '?') // 'gone', qr/^T..thread:/, "still there after garbage (seed $seed)";

# every register takes any value, and the machine goes on
for my $round (1 .. 2) {
    for my $n (0 .. 4300) {
        syswrite $s, frame(sprintf 'P%x=%s', $n, join '', map { sprintf '%02x', int rand 256 } 1 .. 8);
        packet($s);
    }
    like ask($s, 's') // 'gone', qr/^T..thread:/, "a step after all registers were set (seed $seed)";
}

is ask($s, 'vKill;1'), 'OK', 'vKill';
waitpid $pid, 0;
is $?, 0, 'it ended as it should';

done_testing;
