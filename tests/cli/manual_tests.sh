#!/usr/bin/env bash
# What the manual pages promise: every test that they name is one that CTest runs, and what a client of
# SSL 3.0 signs is signed and verified as schannel-csp(7) shows.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
: "${SOURCE_DIR:?}" "${BUILD_DIR:?}"

# ---- names of tests ----

# The tests of one room, and those that the pages name.
tests_of() {
    sed -n 's/^add_test([^A-Za-z]*\([a-z0-9_/]*\).*/\1/p' "$BUILD_DIR/tests/$1/CTestTestfile.cmake"
}
named() {
    sed -n 's/F</\n&/gp' "$SOURCE_DIR"/doc/*.pod |
        sed -n 's/^F<\(\(unit\|evp\|cli\|interop\|second\|examples\)\/[a-z0-9_]*\)>.*/\1/p' | sort -u
}
known=$(for room in unit evp cli interop second examples; do tests_of "$room"; done)
count=$(named | grep -c .)
expect_equal "the pages name tests" yes "$([ "$count" -ge 30 ] && echo yes || echo "only $count")"
while read -r name; do
    expect_equal "there is a test $name" "$name" "$(grep -x -F "$name" <<<"$known")"
done < <(named)

# ---- the example of certificate verify ----

master=$(hex_range 0 47)
expect_ok "a master of SSL 3.0" schannel_openssl genpkey -algorithm SCHANNEL \
    -pkeyopt alg:SSL3-MASTER -pkeyopt "hexsecret:$master" -out master.pem
peer=()
at_least_3_5 && peer=(-peerkey master.pem)
expect_ok "what its client signs" schannel_openssl pkeyutl -derive -inkey master.pem "${peer[@]}" \
    -pkeyopt usage:certificate-verify -pkeyopt handshake:messages -out verify
expect_equal "has 36 bytes" 36 "$(wc -c <verify)"
expect_ok "the client's key" plain_openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 \
    -out client.pem
expect_ok "is signed as it is" plain_openssl pkeyutl -sign -inkey client.pem -in verify -out signature
expect_ok "which the server verifies" plain_openssl pkeyutl -verify -inkey client.pem -in verify \
    -sigfile signature

finish
