#!/usr/bin/env bash
# Lists the instructions of one path through a guest, function by function, by
# stepping it in gdb under --icount: the profile of what is too short to sample.
#
# The path begins when SYMBOL is reached for the (SKIP+1)-th time and ends when
# it is reached again, or after MAX instructions. A line is a stay in a function,
# in order; the totals follow, largest first.
#
# The program to profile repeats one thing for ever: see test/bench/path.
#
#	go run ./cmd/kbuild -o build/path.elf ./test/bench/path
#	scripts/path.sh build/path.elf pdac/kernel/linux.sysFutex 900 3000 --append env.PATH_OF=futex
set -u

[ $# -ge 2 ] || {
	echo 'usage: scripts/path.sh KERNEL SYMBOL [SKIP [MAX [options of run-qemu.sh]]]' >&2
	exit 2
}
here=$(dirname "$0")
kernel=$1 symbol=$2 skip=${3-100} max=${4-5000}
shift $(($# < 4 ? $# : 4))

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go tool nm -n "$kernel" | awk '$2 == "T" || $2 == "t" { $2 = ""; print }' >"$work/symbols"
"$here/run-qemu.sh" --kernel "$kernel" --icount --mem 512M --timeout 300 "$@" \
	-- -S -gdb "unix:$work/gdb,server=on,wait=off" </dev/null >"$work/console" 2>&1 &
guest=$!
until [ -S "$work/gdb" ]; do
	kill -0 $guest 2>/dev/null || {
		cat "$work/console" >&2
		exit 1
	}
	sleep 0.1
done
PATH_SYMBOLS=$work/symbols PATH_SOCKET=$work/gdb PATH_FROM=$symbol PATH_SKIP=$skip PATH_MAX=$max PATH_REPORT=$work/report \
	gdb -nx -batch -x "$here/path.py" >"$work/errors" 2>&1
status=$?
if [ -s "$work/report" ]; then
	cat "$work/report"
else
	cat "$work/errors" "$work/console" >&2
fi
kill $guest 2>/dev/null
wait $guest 2>/dev/null
exit $status
