#!/usr/bin/env bash
# Boots a kernel image in QEMU. The one place that knows QEMU's flags.
set -u

usage() {
	cat <<'EOF'
usage: scripts/run-qemu.sh [options] [-- raw QEMU arguments]

  --kernel F        image to boot                        (build/pdac.elf)
  --cpus N          CPUs                                 (4; 1 with --icount)
  --nodes N         NUMA nodes that share CPUs and memory; 0 adds no -numa
                    of its own, for your own in the raw arguments
                                                         (2; 1 with --icount)
  --mem SIZE        memory, with suffix K, M, G or T; MiB without
                                                         (1G)
  --append S        kernel command line, taken as it is
  --exec "cmds"     console commands to run at boot, split by ";"
  --initrd F        cpio archive of files for the guest
  --timeout S       seconds until the guest is stopped   (none)
  --machine q35|pc                                       (q35)
  --accel auto|kvm|tcg   auto: KVM where the CPU has vmx or svm
  --icount          one CPU whose clock counts instructions: same run, same figures
  --gdb             wait for gdb on TCP port 1234
  --dry-run         print the QEMU command and stop

The guest's console is on standard input and output. On a terminal the keys go
to the guest raw, ^C included, and Ctrl-A x stops QEMU (Ctrl-A h: help); a
guest that resets is started again there, and ends QEMU elsewhere.

Exit status: the guest's code, if its last line is "PDAC-EXIT code"; 124 after
--timeout; 125 if QEMU or the guest died otherwise; 2 for wrong usage.
EOF
}

fail() {
	printf 'run-qemu.sh: %s\n' "$*" >&2
	exit 2
}

number() { # number OPTION VALUE MIN MAX
	[[ $2 =~ ^[0-9]{1,9}$ ]] && ((10#$2 >= $3 && 10#$2 <= $4)) ||
		fail "$1 wants a number from $3 to $4, not '$2'"
}

mebibytes() { # mebibytes SIZE: prints it in MiB
	local n unit
	[[ $1 =~ ^([0-9]{1,9})([KMGT]?)$ ]] || fail "--mem wants a size like 512M or 8G, not '$1'"
	n=$((10#${BASH_REMATCH[1]})) unit=${BASH_REMATCH[2]}
	case $unit in
	K)
		((n % 1024 == 0)) || fail "--mem wants whole MiB, not '$1'"
		n=$((n / 1024))
		;;
	G) n=$((n * 1024)) ;;
	T) n=$((n * 1024 * 1024)) ;;
	esac
	((n > 0)) || fail "--mem wants more than '$1'"
	echo "$n"
}

quoted() { # quoted S: S in the double quotes of the kernel command line
	local s=${1//\\/\\\\}
	printf '"%s"' "${s//\"/\\\"}"
}

kernel=$(dirname "$0")/../build/pdac.elf
cpus='' nodes='' mem=1G append='' exec='' initrd='' timeout='' machine=q35 accel=auto
icount='' gdb='' dry='' raw=()

while (($#)); do
	case $1 in
	--kernel | --cpus | --nodes | --mem | --append | --exec | --initrd | --timeout | --machine | --accel)
		(($# > 1)) || fail "$1 wants a value"
		declare "${1#--}=$2"
		shift 2
		;;
	--icount | --gdb)
		declare "${1#--}=1"
		shift
		;;
	--dry-run)
		dry=1
		shift
		;;
	--help | -h)
		usage
		exit 0
		;;
	--)
		shift
		raw=("$@")
		break
		;;
	*) fail "unknown option '$1' (see --help)" ;;
	esac
done

cpus=${cpus:-$((icount ? 1 : 4))}
nodes=${nodes:-$((icount ? 1 : 2))}
number --cpus "$cpus" 1 255
number --nodes "$nodes" 0 64
cpus=$((10#$cpus)) nodes=$((10#$nodes))
mib=$(mebibytes "$mem") || exit 2
((nodes <= mib)) || fail "--nodes $nodes wants at least $nodes MiB of memory"
[[ -z $timeout || $timeout =~ ^[0-9]+(\.[0-9]+)?$ ]] || fail "--timeout wants seconds, not '$timeout'"
[[ $machine == q35 || $machine == pc ]] || fail "--machine wants q35 or pc, not '$machine'"
[[ $accel == auto || $accel == kvm || $accel == tcg ]] || fail "--accel wants auto, kvm or tcg, not '$accel'"
[[ $exec != *$'\n'* ]] || fail "--exec wants one line, commands split by ';'"
if ((icount)); then
	((cpus == 1)) || fail "--icount has one CPU, not $cpus"
	[[ $accel != kvm ]] || fail "--icount needs --accel tcg"
	accel=tcg
fi
[[ -r $kernel && ! -d $kernel ]] || fail "no kernel image $kernel (make kernel builds build/pdac.elf)"
[[ -z $initrd || -r $initrd && ! -d $initrd ]] || fail "no archive $initrd"
if [[ $accel == auto ]]; then
	accel=tcg
	if [[ -w /dev/kvm ]] && grep -qwE 'vmx|svm' /proc/cpuinfo; then accel=kvm; fi
fi

qemu=(qemu-system-x86_64 -no-user-config -nodefaults -display none -machine "$machine")
if ((icount)); then
	qemu+=(-accel tcg -cpu max -icount shift=0,sleep=off -seed 1 -rtc clock=vm)
elif [[ $accel == kvm ]]; then
	qemu+=(-accel kvm -cpu host)
else
	qemu+=(-accel "tcg,thread=multi" -cpu max)
fi

# A socket per node where the CPUs divide evenly, as real machines have it.
smp=$cpus
((nodes > 1 && cpus % nodes == 0)) && smp+=,sockets=$nodes,cores=$((cpus / nodes)),threads=1
qemu+=(-smp "$smp" -m "${mib}M")

# Memory backends are mapped lazily: what the guest does not touch costs nothing.
for ((i = 0; i < nodes; i++)); do
	size=$((mib * (i + 1) / nodes - mib * i / nodes))
	first=$((cpus * i / nodes)) last=$((cpus * (i + 1) / nodes - 1))
	node=node,nodeid=$i,memdev=ram$i
	((first > last)) || node+=,cpus=$first-$last
	qemu+=(-object "memory-backend-ram,id=ram$i,size=${size}M" -numa "$node")
done
for ((i = 0; i < nodes; i++)); do
	for ((j = i + 1; j < nodes; j++)); do qemu+=(-numa "dist,src=$i,dst=$j,val=20"); done
done

qemu+=(-device "isa-debug-exit,iobase=0xf4,iosize=0x04")
# The host's entropy would make two counted runs differ.
((icount)) || qemu+=(-device virtio-rng-pci,disable-legacy=on)

qemu+=(-kernel "$kernel")
[[ -z $initrd ]] || qemu+=(-initrd "$initrd")
line=''
[[ -z $exec ]] || line="exec=$(quoted "$exec")"
[[ -z $append ]] || line+="${line:+ }$append"
[[ -z $line ]] || qemu+=(-append "$line")
((gdb)) && qemu+=(-S -gdb tcp::1234)

chardev=stdio,id=console,signal=off
if [[ -t 0 ]]; then
	chardev+=,mux=on
	qemu+=(-mon chardev=console)
else
	qemu+=(-no-reboot) # a triple fault ends the run
fi

if ((dry)); then
	printf '%q ' "${qemu[@]}" -chardev "$chardev" -serial chardev:console
	((${#raw[@]} == 0)) || printf '%q ' "${raw[@]}"
	echo
	exit 0
fi
command -v qemu-system-x86_64 >/dev/null ||
	fail "no qemu-system-x86_64 (Debian package qemu-system-x86; make run installs it)"

# QEMU writes the console to our output and to the log; its end is read when
# QEMU is gone. So nothing stands between the guest and its user.
dir=$(mktemp -d) || exit 125
qemu+=(-chardev "$chardev,logfile=$dir/console" -serial chardev:console)
((${#raw[@]} == 0)) || qemu+=("${raw[@]}")
tty=$([[ -t 0 ]] && stty -g)
pid='' timer=''

stop() { # ends QEMU, which may be too stuck to heed a polite signal
	[[ -n $pid ]] || return
	kill "$pid" 2>/dev/null
	sleep 3 &
	local grace=$! first=''
	wait -n -p first "$pid" "$grace" 2>/dev/null
	[[ $first == "$pid" ]] || kill -KILL "$pid" 2>/dev/null
	kill "$grace" 2>/dev/null
	pid=''
}
leave() {
	stop
	[[ -z $timer ]] || kill "$timer" 2>/dev/null
	[[ -z $tty ]] || stty "$tty"
	rm -rf "$dir"
}
trap leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

((gdb)) && echo "gdb -ex \"directory \$(go env GOROOT)/src\" -ex 'set substitute-path pdac .' -ex 'target remote :1234' $kernel" >&2
# <&0: bash would give a background command /dev/null.
"${qemu[@]}" <&0 &
pid=$!
if [[ -n $timeout ]]; then
	sleep "$timeout" &
	timer=$!
fi
first=''
wait -n -p first "$pid" $timer
status=$?
if [[ $first != "$pid" ]]; then
	timer=''
	stop
	echo "run-qemu.sh: stopped after $timeout s" >&2
	exit 124
fi
pid=''

# isa-debug-exit makes QEMU's status 2n+1, so a guest that exits 0 gives the 1
# with which QEMU itself fails: only the guest's own last line is believed.
last=$(tail -c 256 "$dir/console" 2>/dev/null | tr -d '\r\0' | tail -n 1)
if [[ $last =~ ^PDAC-EXIT\ ([0-9]{1,3})$ ]]; then
	code=${BASH_REMATCH[1]}
	((code <= 255 && (status == 0 || status == ((2 * code + 1) & 255)))) && exit "$code"
fi
echo "run-qemu.sh: QEMU ended with status $status, without the PDAC-EXIT line of a guest that exits" >&2
exit 125
