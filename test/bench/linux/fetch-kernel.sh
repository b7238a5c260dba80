#!/usr/bin/env bash
# Prints the path of a Linux kernel for the comparison: $LINUX_KERNEL, or
# Debian's cloud kernel, which is fetched by apt (not installed) into build/.
set -eu
if [[ -n ${LINUX_KERNEL:-} ]]; then
	echo "$LINUX_KERNEL"
	exit
fi
mkdir -p build/linux
cd build/linux
if ! compgen -G 'boot/vmlinuz-*' >/dev/null; then
	package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ {print $2; exit}')
	[[ -n $package ]] || {
		echo "no package linux-image-cloud-amd64 here: set LINUX_KERNEL to a bzImage" >&2
		exit 1
	}
	apt-get download -qq "$package" >&2
	dpkg -x "$package"_*.deb .
	rm -f "$package"_*.deb
fi
printf '%s\n' "$PWD"/boot/vmlinuz-* | head -n 1
