#!/usr/bin/env bash
# Installs the real servers that `make test-real` runs against. What is there already is left alone.
# One more server: a line `need PROGRAM PACKAGE` for a Debian package, or a section of its own below.
set -euo pipefail

wanted=()
need() { # need PROGRAM PACKAGE: the package, if the program is not on the PATH
    if ! command -v "$1" >/dev/null && [[ " ${wanted[*]-} " != *" $2 "* ]]; then wanted+=("$2"); fi
}

need prometheus prometheus
need promtool prometheus

if [ ${#wanted[@]} -eq 0 ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "the real servers come from Debian's packages and apt-get is not here: install ${wanted[*]} by hand" >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "neither root nor sudo: have an administrator run: apt-get install --no-install-recommends ${wanted[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "Installing ${wanted[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
