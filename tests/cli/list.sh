#!/usr/bin/env bash
# What the provider offers is listed under its name, and nothing of OpenSSL's own is shadowed.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

expect_ok "openssl list -providers works with the provider loaded" \
    schannel_openssl list -providers -verbose
expect_line "the provider is listed as schannel" '  schannel'
expect_line "the provider says its name" '    name: Schannel CSP provider'
expect_line "the provider says its version" '    version: [0-9]+\.[0-9]+\.[0-9]+'
expect_line "the provider says its build" '    build info: schannel .*'
if [ "$(sed -n '/^  schannel$/,$p' "$OUT" | grep -c -x '    status: active')" -eq 1 ]; then
    pass "the provider says that it is active"
else
    fail "the provider says that it is active"
fi

# lists SENTENCE OPTION NAME...: exactly these names come from schannel.
lists() {
    local sentence=$1 option=$2 expected actual

    shift 2
    run schannel_openssl list "$option"
    expected=$(printf '%s\n' "$@" | sort)
    actual=$(sed -n 's/^ *\(IDs: \)\{0,1\}\(.*\) @ schannel.*$/\2/p' "$OUT" | sort)
    expect_equal "$sentence" "$expected" "$actual"
}

lists "the key derivations are those of the four protocols and CryptDeriveKey" -kdf-algorithms \
    PCT1-KDF SSL2-KDF SSL3-KDF TLS1-KDF CRYPTDERIVEKEY
lists "the ciphers carry the prefix SCHANNEL-" -cipher-algorithms \
    SCHANNEL-RC4 SCHANNEL-RC2-CBC SCHANNEL-DES-CBC SCHANNEL-DES-EDE-CBC SCHANNEL-DES-EDE3-CBC \
    SCHANNEL-AES-128-CBC SCHANNEL-AES-192-CBC SCHANNEL-AES-256-CBC
lists "the MACs are those of the four protocols" -mac-algorithms \
    PCT1-MAC SSL2-MAC SSL3-MAC TLS1-MAC
lists "the key type is SCHANNEL" -key-managers SCHANNEL
lists "there is no digest" -digest-algorithms ''
lists "the signature algorithm is SCHANNEL" -signature-algorithms SCHANNEL
lists "the asymmetric cipher is SCHANNEL" -asymcipher-algorithms SCHANNEL

run schannel_openssl list -encoders
for output in pem der text opaqueblob; do
    expect_line "there is an encoder of SCHANNEL keys to $output" \
        "  SCHANNEL @ schannel \(provider=schannel,output=$output(,.*)?\)"
done
run schannel_openssl list -decoders
expect_line "there is a decoder from PEM to the blob" \
    '  DER @ schannel \(provider=schannel,input=pem(,.*)?\)'
expect_line "there is a decoder that recognises the binary blob" \
    '  DER @ schannel \(provider=schannel,input=opaqueblob(,.*)?\)'
expect_line "there is a decoder from der to a SCHANNEL key" \
    '  SCHANNEL @ schannel \(provider=schannel,input=der(,.*)?\)'
expect_line "there is a decoder from opaqueblob to a SCHANNEL key" \
    '  SCHANNEL @ schannel \(provider=schannel,input=opaqueblob(,.*)?\)'

# propq QUERY: derives something with TLS1-KDF fetched under the property query.
# shellcheck disable=SC2317 # called through run
propq() {
    schannel_openssl kdf -propquery "$1" -keylen 4 -kdfopt usage:prf -kdfopt secret:s \
        -kdfopt seed:s TLS1-KDF
}

expect_ok "TLS1-KDF is fetched under provider=schannel" propq provider=schannel
expect_foreign_fail "TLS1-KDF is not fetched under provider=default" "Invalid KDF name" \
    propq provider=default

# Nothing standard is shadowed, whichever provider is loaded first.
for order in "default schannel" "schannel default"; do
    read -r first second <<<"$order"
    PROVIDER_OPTIONS=(-provider-path "$MODULE_DIR" -provider "$first" -provider "$second")
    printf 'The quick brown fox' >fox
    run schannel_openssl enc -aes-128-cbc -K "$(hex_range 0 15)" -iv "$(hex_range 16 31)" -in fox
    expect_equal "with $order, AES-128-CBC without properties is there" \
        "$(plain_openssl enc -aes-128-cbc -K "$(hex_range 0 15)" -iv "$(hex_range 16 31)" -in fox |
            od -An -tx1)" "$(od -An -tx1 "$OUT")"
    run schannel_openssl list -cipher-algorithms
    expect_equal "with $order, AES-128-CBC comes from the default provider only" \
        default "$(sed -n 's/^  {.*[ ,]AES-128-CBC[ ,].*} @ //p; s/^  AES-128-CBC @ //p' "$OUT")"
    run schannel_openssl list -digest-algorithms
    expect_equal "with $order, SHA256 comes from the default provider only" \
        default "$(sed -n 's/^  {.*[ ,]SHA256[ ,].*} @ //p' "$OUT")"
    run schannel_openssl list -key-managers
    expect_equal "with $order, RSA comes from the default provider only" \
        default "$(sed -n 's/^ *IDs: {.*[ ,]RSA[ ,].*} @ //p' "$OUT")"
done

run nm -D --defined-only "$MODULE_DIR/schannel.so"
expect_equal "the module exports OSSL_provider_init and nothing else" \
    OSSL_provider_init "$(sed 's/^.* //' "$OUT")"

finish
