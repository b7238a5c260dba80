#!/usr/bin/env bash
# Tortures what is lock-free: for each package, SECONDS of its torture tests, and the guesses at
# capabilities. Without the race detector, which would slow down what has to collide; the tests run
# under it elsewhere, and -race in the flags has them do so here.
#
#	scripts/torture.sh SECONDS [flags of go test]
#
# It prints what the last run of each package told, with the histograms of ages, and the whole of
# one that failed. The last line is "N passed, N failed".
set -u

[ $# -ge 1 ] && [ "$1" -ge 1 ] || {
	echo 'usage: scripts/torture.sh SECONDS [flags of go test]' >&2
	exit 2
}
seconds=$1
shift
cd "$(dirname "$0")/.." || exit
dir=$(mktemp -d) || exit
trap 'rm -rf "$dir"' EXIT

# What a test logs, behind its name.
told='/^=== (RUN|NAME)/ { test = $3 } sub(/^ +[a-z_]+\.go:[0-9]+: /, "") { print "  " test ": " $0 }'

passed=0 failed=0
for package in rcu cap ipc lockfree; do
	go test -c "$@" -o "$dir/$package" "./kernel/$package" || {
		failed=$((failed + 1))
		continue
	}
	runs=0 start=$SECONDS
	# Some tests last as long as they are told, the others are repeated.
	while left=$((start + seconds - SECONDS)) && [ "$left" -gt 0 ]; do
		runs=$((runs + 1))
		most=$((left > 4 ? left * 3 / 4 : 3)) # the rest is for those that show that the torture finds faults
		(cd "kernel/$package" && PDAC_TORTURE=${most}s "$dir/$package" -test.v -test.timeout 0 -test.run 'Torture|TestGuesses') >"$dir/log" 2>&1
		status=$?
		passed=$((passed + $(grep -c '^--- PASS' "$dir/log")))
		[ $status -eq 0 ] && continue
		failed=$((failed + 1))
		break
	done
	echo "kernel/$package: $runs runs, $((SECONDS - start)) s"
	if [ $status -eq 0 ]; then awk "$told" "$dir/log"; else cat "$dir/log"; fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
