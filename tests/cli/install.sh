#!/usr/bin/env bash
#
# cmake --install puts the module where OpenSSL looks for it, and the sample configuration, as it
# stands but for the module's path, activates it.
# Needs BUILD_DIR and MODULES_DIR (where OpenSSL's modules are, as CMake found it).
set -u
: "${BUILD_DIR:?}" "${MODULES_DIR:?}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

check() { # check SENTENCE COMMAND...
    local sentence=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        printf 'ok - %s\n' "$sentence"
    else
        printf 'not ok - %s\n' "$sentence"
        sed 's/^/    /' "$work/output"
        failed=1
    fi
}

check 'cmake --install succeeds' env DESTDIR="$work/root" cmake --install "$BUILD_DIR"
check 'the module is in the modules directory' test -f "$work/root$MODULES_DIR/schannel.so"
# An OpenSSL that was unpacked rather than installed has its root before what it was built with.
modules=$(openssl version -m | sed -n 's/^MODULESDIR: "\(.*\)"$/\1/p')
check 'that is where openssl version -m points' \
    test -n "$modules" -a "$MODULES_DIR" != "${MODULES_DIR%"$modules"}"
header=$(find "$work/root" -path '*/include/schannel/names.h')
check 'the public header is installed' test -n "$header"
sample=$(find "$work/root" -name openssl.cnf.sample)
check 'the sample configuration is installed' test -n "$sample"
check 'the sample as it stands activates the installed module' \
    grep -q 'name: Schannel CSP provider' \
    <(OPENSSL_CONF=$sample OPENSSL_MODULES=$work/root$MODULES_DIR openssl list -providers 2>&1)
exit "$failed"
