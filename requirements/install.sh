#!/bin/sh
# usage: requirements/install.sh FILE STAMP
# Installs the packages of FILE into .venv, which is made if it is missing or broken, and writes STAMP last.
set -eu

file=$1
stamp=$2
venv=.venv

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    say "$@"
    exit 1
}

# Sets `python` to $PYTHON, or else to the newest Python there is, if it is new enough.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        accept "$PYTHON" || too_old
        return
    fi
    minor=40
    while [ "$minor" -ge 11 ]; do
        accept "python3.$minor" && return
        minor=$((minor - 1))
    done
    accept python3 || accept python || too_old
}

# Sets `python` and succeeds if that command is Python 3.11 or newer; otherwise remembers the first one refused.
refused=
accept() {
    path=$(command -v "$1") || return 1
    version=$("$1" --version 2>&1) || return 1 # a shim may lead nowhere
    version=${version##*Python }
    case $version in
    3.[0-9] | 3.[0-9].* | 3.10 | 3.10.* | [012].*) refused=${refused:-"$version ($path)"} && return 1 ;;
    [3-9].*) python=$path ;;
    *) return 1 ;;
    esac
}

too_old() {
    fail "Chorus needs Python 3.11 or newer; found ${refused:-none}. Use another: make run PYTHON=…"
}

make_venv() {
    rm -rf "$venv"
    problem=$("$python" -m venv "$venv" 2>&1) && return
    rm -rf "$venv" # half made
    if command -v uv >/dev/null; then
        uv venv --quiet --seed --python "$python" "$venv" && return
        rm -rf "$venv"
    fi
    "$python" -m virtualenv --quiet "$venv" >/dev/null 2>&1 && return
    rm -rf "$venv"
    case $problem in
    *Errno*) say "$problem" ;; # a full disk, a directory that cannot be written to
    esac
    fail "Python's venv module is missing. Debian/Ubuntu: sudo apt-get install python3-venv   Then run make again."
}

if ! "$venv/bin/python" -c '' 2>/dev/null; then
    find_python
    say "Making $venv with $python"
    make_venv
fi
say "Installing $file (only when it has changed)"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r "$file" ||
    fail "Could not download packages (the first run needs a package index). Nothing was changed; run make again."
rm -f "${stamp%%-*}"-*
: >"$stamp"
