#!/usr/bin/env bash
# The C examples of the manual: each is compiled as OSSL_PROVIDER-schannel(7) says, as C and as C++, and
# the C program is run.  Needs LINK_OPTIONS, those of the build.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=manual_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/manual_lib.sh"

# program BODY-FILE: the function around an example.
program() {
    cat <<'C'
#include <string.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <schannel/schannel.h>

static int example(void)
{
    int ok = 0;

C
    sed 's/^./    &/' "$1"
    cat <<'C'
    return ok;
}

int main(void)
{
    OSSL_PROVIDER *standard = OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER *schannel = OSSL_PROVIDER_load(NULL, SCHANNEL_PROVIDER_NAME);
    int ok = standard != NULL && schannel != NULL && example();

    if (!ok)
        ERR_print_errors_fp(stderr);
    OSSL_PROVIDER_unload(schannel);
    OSSL_PROVIDER_unload(standard);
    return !ok;
}
C
}

read -ra libcrypto <<<"$(pkg-config --cflags --libs libcrypto) ${LINK_OPTIONS:-}"
warnings=(-Wall -Wextra -Wconversion -Werror -I"$SOURCE_DIR/include")
schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:RC4 -out key.pem 2>"$ERR" || bail "a key is made"
count=0
for page in $(pages_with c); do
    for ((n = 1; n <= $(count_blocks "$page" c); n++)); do
        blocks "$page" c "$n" >body
        program body >example.c
        expect_ok "$page: C example $n compiles" "${CC:-cc}" -std=c11 "${warnings[@]}" example.c \
            "${libcrypto[@]}" -o example
        expect_ok "and as C++" "${CXX:-c++}" -std=c++11 -x c++ -fsyntax-only "${warnings[@]}" example.c
        expect_ok "and runs" env OPENSSL_MODULES="$MODULE_DIR" ./example
        count=$((count + 1))
    done
done
expect_equal "there are C examples" yes "$([ "$count" -ge 5 ] && echo yes || echo "only $count")"
finish
