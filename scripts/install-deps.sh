#!/usr/bin/env bash
# install-deps.sh COMMAND...: makes sure that the commands are there.
# On Debian and Ubuntu it installs what is missing by apt, as root or with sudo;
# elsewhere it names the package and fails.
set -eu

package() { # the Debian package of a command
	case $1 in
	qemu-system-x86_64) echo qemu-system-x86 ;;
	gcc) echo gcc libc6-dev ;;
	*) echo "$1" ;;
	esac
}

missing=()
for command in "$@"; do
	command -v "$command" >/dev/null && continue
	read -ra packages < <(package "$command")
	missing+=("${packages[@]}")
done
((${#missing[@]})) || exit 0

as_root=()
if ((EUID)); then as_root=(sudo); fi
if ! command -v apt-get >/dev/null || { ((EUID)) && ! command -v sudo >/dev/null; }; then
	echo "install-deps.sh: please install, by their Debian names: ${missing[*]}" >&2
	exit 1
fi
echo "installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"
