#!/usr/bin/env bash
# How the module is linked and compiled: one exported symbol, relocations read-only and bound when it
# is loaded, no executable stack, no segment that is writable and executable, no path of this
# machine, stack protector and checked string functions.  A library that has none of that shows that
# each check sees it.
# shellcheck disable=SC2317 # the functions are called by name
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

exports_one_symbol() {
    [ "$(nm -D --defined-only "$1" | awk '{ print $2, $3 }')" = 'T OSSL_provider_init' ]
}

has_relro() {
    readelf -lW "$1" | grep -q GNU_RELRO
}

binds_now() {
    readelf -dW "$1" | grep -q BIND_NOW
}

has_no_executable_stack() {
    readelf -lW "$1" | grep GNU_STACK | grep -q ' RW  '
}

has_no_writable_code() {
    ! readelf -lW "$1" | grep LOAD | grep -q 'RWE'
}

has_no_text_relocations() {
    ! readelf -dW "$1" | grep -q TEXTREL
}

has_no_path() {
    ! readelf -dW "$1" | grep -qE 'RPATH|RUNPATH'
}

has_stack_protector() {
    nm -D --undefined-only "$1" | grep -q __stack_chk_fail
}

is_fortified() {
    nm -D --undefined-only "$1" | grep -qE '__(mem|str|v?s)[a-z]*_chk'
}

lacks() {
    ! "$@"
}

properties=(exports_one_symbol has_relro binds_now has_no_executable_stack has_no_writable_code
    has_no_text_relocations has_no_path has_stack_protector is_fortified)

cat >soft.c <<'EOF'
#include <string.h>
int first(char *out, const char *in) { char copy[64]; strcpy(copy, in); return out[0] = copy[1]; }
int second(void) { return 0; }
EOF
cc -shared -fPIC -O1 -fno-stack-protector -U_FORTIFY_SOURCE soft.c -o soft.so -Wl,-z,norelro \
    -Wl,-z,lazy -Wl,-z,execstack -Wl,-rpath,/nowhere 2>/dev/null

for check in "${properties[@]}"; do
    expect_ok "the module: ${check//_/ }" "$check" "$MODULE_DIR/schannel.so"
    case $check in
    has_no_writable_code | has_no_text_relocations) ;; # no linker makes them unasked
    *) expect_ok "a soft library is seen: not ${check//_/ }" lacks "$check" soft.so ;;
    esac
done
finish
