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
#include <stdio.h>
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
# ---- the wrong calls of schannel-errors(7) ----

# Each block: an expression that is false or NULL, and what the error queue says then.
perl -e '
    undef $/;
    my $page = <>;
    for my $block ($page =~ /^=for testing wrong-c\n\n((?:    .*\n)+)/mg) {
        my @lines = $block =~ /^    (.*)$/mg;
        my $call = shift @lines;
        $call .= " " . shift @lines while @lines && $lines[0] =~ /^    /;
        my $said = join " ", @lines;
        s/\s+/ /g for $call, $said;
        print "$call\n$said\n";
    }' "$SOURCE_DIR/doc/schannel-errors.pod" >wrong
{
    echo '    unsigned long code;'
    echo '    const char *text;'
    blocks schannel-errors wrong-c-setup
    while read -r call && read -r _; do
        printf '    ERR_clear_error();\n    ok = (%s) != 0;\n' "$call"
        echo '    while ((code = ERR_get_error_all(NULL, NULL, NULL, &text, NULL)) != 0)'
        echo '        if (strcmp(ERR_lib_error_string(code), "schannel") == 0)'
        # shellcheck disable=SC2028 # the escape is for C
        echo '            printf("%d %s: %s\n", ok, ERR_reason_error_string(code), text);'
    done <wrong
    echo '    EVP_CIPHER_CTX_free(context), EVP_CIPHER_free(cipher);'
    echo '    EVP_PKEY_CTX_free(import), EVP_PKEY_free(mac_key), EVP_PKEY_free(retired), EVP_PKEY_free(key);'
    echo '    ok = other == NULL && data == NULL;'
} >body
program body >example.c
expect_ok "the wrong calls compile" "${CC:-cc}" -std=c11 "${warnings[@]}" example.c "${libcrypto[@]}" \
    -o example
expect_ok "and are made" env OPENSSL_MODULES="$MODULE_DIR" ./example
cp "$OUT" said
calls=0
while read -r -u 3 call && read -r -u 3 expected; do
    calls=$((calls + 1))
    expect_equal "$call: $expected" "0 $expected" "$(sed -n "${calls}p" said)"
done 3<wrong
expect_equal "each with one reason" "$calls" "$(wc -l <said)"
expect_equal "each block of the page is one of them" "$(count_blocks schannel-errors wrong-c)" "$calls"
echo "# $calls wrong calls"

expect_equal "there are C examples" yes "$([ "$count" -ge 5 ] && echo yes || echo "only $count")"
finish
