#!/usr/bin/env bash
# openssl pkeyutl -derive: PRF, Finished values and key block of a master in a file.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# OpenSSL 3.0 must not have a peer key for this, later versions want one.
needs_peer=0
at_least_3_5 && needs_peer=1

# derive FILE OPTION...: the bytes on standard output.
# shellcheck disable=SC2317 # called through run
derive() {
    local file=$1 options=() option

    shift
    for option in "$@"; do
        options+=(-pkeyopt "$option")
    done
    if [ "$needs_peer" -eq 1 ]; then
        options+=(-peerkey "$file")
    fi
    schannel_openssl pkeyutl -derive -inkey "$file" "${options[@]}"
}

# derives SENTENCE EXPECTED_HEX FILE OPTION...
derives() {
    local sentence=$1 expected=$2

    shift 2
    run derive "$@"
    if [ "$STATUS" -ne 0 ] || [ -s "$ERR" ]; then
        fail "$sentence"
    else
        expect_equal "$sentence" "$expected" "$(od -An -v -tx1 <"$OUT" | tr -d ' \n')"
    fi
}

# new FILE OPTION...
new() {
    local file=$1 options=() option

    shift
    for option in "$@"; do
        options+=(-pkeyopt "$option")
    done
    schannel_openssl genpkey -algorithm SCHANNEL "${options[@]}" -out "$file" 2>"$ERR" ||
        bail "$file is made"
}

# kdf NAME KEYLEN OPTION...
kdf() {
    local name=$1 keylen=$2 options=() option

    shift 2
    for option in "$@"; do
        options+=(-kdfopt "$option")
    done
    schannel_openssl kdf -keylen "$keylen" "${options[@]}" "$name" | bare_hex
}

ms=$(hex_range 0 47)
randoms=("hexclient-random:$(hex_range 64 95)" "hexserver-random:$(hex_range 128 159)")
new tls.pem alg:TLS1-MASTER "hexsecret:$ms" "${randoms[@]}"
new tls-open.pem alg:TLS1-MASTER "hexsecret:$ms" "${randoms[@]}" exportable:1
new ssl3.pem alg:SSL3-MASTER "hexsecret:$ms" "${randoms[@]}"
new ssl3-open.pem alg:SSL3-MASTER "hexsecret:$ms" "${randoms[@]}" exportable:1
new ssl2.pem alg:SSL2-MASTER "${randoms[@]}"
new pct1.pem alg:PCT1-MASTER "${randoms[@]}"
new aes.pem alg:AES-128-CBC
new mac.pem alg:SSL3-MAC digest:MD5

# ---- Finished values: vectors computed from RFC 2246 ----

derives "TLS 1.0: the client's Finished value has 12 bytes" 54a203053070e439e5482ba6 \
    tls.pem usage:finished-client handshake:handshake
derives "TLS 1.0: and the server's" b15d7865b01f0dcfd72cd6e7 \
    tls.pem usage:finished-server handshake:handshake
hashes=$(for digest in md5 sha1; do printf handshake | plain_openssl dgst "-$digest" -r; done |
    cut -d ' ' -f 1 | tr -d '\n')
derives "TLS 1.0: the hashes of the messages do as well" 54a203053070e439e5482ba6 \
    tls.pem usage:finished-client "hexhandshake-hash:$hashes"
derives "TLS 1.0: keylen shortens it" 54a2030530 tls.pem usage:finished-client handshake:handshake \
    keylen:5
for side in client server; do
    derives "SSL 3.0: the $side's Finished value has 36 bytes, those of the KDF" \
        "$(kdf SSL3-KDF 36 "hexsecret:$ms" "${randoms[@]}" "usage:finished-$side" handshake:messages)" \
        ssl3.pem "usage:finished-$side" handshake:messages
done

derives "SSL 3.0: what a client signs is that of the KDF" \
    "$(kdf SSL3-KDF 36 "hexsecret:$ms" usage:certificate-verify handshake:messages)" \
    ssl3.pem usage:certificate-verify handshake:messages
expect_fail "TLS 1.0: its client signs plain hashes" "unknown usage" \
    '^usage: TLS 1.0 has no certificate-verify: .*MD5-SHA1' \
    derive tls.pem usage:certificate-verify handshake:messages

# ---- the PRF: Wine's vector, recorded on Windows ----

wine=68862830e89878f96000c93a347336eb1a945e447355392ef63da803c3a42fe2d8b9943b228b779db15d285bbd09a3bf
new wine.pem alg:TLS1-MASTER "hexsecret:$wine" "${randoms[@]}"
derives "TLS 1.0: the PRF with label and seed" a8b2a6ef834e74b1f3b1515a1a2b1131 wine.pem usage:prf \
    "label:client finished" seed:123456789012345678901234567890123456 keylen:16
derives "TLS 1.0: 48 bytes when nothing else is said" \
    "$(kdf TLS1-KDF 48 "hexsecret:$wine" usage:prf label:any seed:thing)" \
    wine.pem usage:prf label:any seed:thing
derives "SSL 3.0: of an exportable master" \
    "$(kdf SSL3-KDF 48 "hexsecret:$ms" usage:prf seed:thing)" ssl3-open.pem usage:prf seed:thing

# ---- key blocks ----

for protocol in tls ssl3; do
    name=$([ "$protocol" = tls ] && echo TLS1-KDF || echo SSL3-KDF)
    derives "$protocol: the key block of an exportable master" \
        "$(kdf "$name" 104 "hexsecret:$ms" "${randoms[@]}")" \
        "$protocol-open.pem" usage:key-block keylen:104
    expect_fail "$protocol: not that of any other" "key is not exportable" '^usage: .*key-block' \
        derive "$protocol.pem" usage:key-block keylen:104
done
expect_fail "a key block has no length of its own" "missing parameter" '^keylen: ' \
    derive tls-open.pem usage:key-block

# ---- what would give the connection's keys away ----

for label in "master secret" "key expansion" "client write key" "server write key" "IV block"; do
    expect_fail "the label \"$label\" is refused" "key is not exportable" '^usage: .*label' \
        derive tls.pem usage:prf "label:$label" seed:seed
    expect_fail "and split after its first bytes" "key is not exportable" '^usage: .*label' \
        derive tls.pem usage:prf "label:${label:0:3}" "seed:${label:3}seed"
    expect_fail "and all in the seed" "key is not exportable" '^usage: .*label' \
        derive tls.pem usage:prf "seed:$label"
    derives "but not of an exportable master" \
        "$(kdf TLS1-KDF 48 "hexsecret:$ms" usage:prf "label:$label" seed:seed)" \
        tls-open.pem usage:prf "label:$label" seed:seed
done
expect_fail "SSL 3.0's function is refused, which has no labels" "key is not exportable" \
    '^usage: .*prf' derive ssl3.pem usage:prf seed:thing

# ---- a premaster secret ----

pm=0301$(hex_range 1 46)
new pm.pem alg:TLS1-MASTER "hexpremaster:$pm"
derives "a premaster secret is converted with the randoms of the derivation" \
    "$(kdf TLS1-KDF 12 "hexpremaster:$pm" "${randoms[@]}" usage:finished-client handshake:messages)" \
    pm.pem usage:finished-client handshake:messages "${randoms[@]}"
expect_fail "without them it is not" "missing parameter" '^client-random: ' \
    derive pm.pem usage:finished-client handshake:messages

# ---- refusals ----

# The option that the other versions want.
needs_peer=$((1 - needs_peer))
if [ "$needs_peer" -eq 0 ]; then
    expect_foreign_fail "OpenSSL 3.5 and later derive nothing without -peerkey" \
        "missing -peerkey option" derive tls.pem usage:finished-client handshake:x
else
    expect_foreign_fail "OpenSSL before 3.5 refuses -peerkey" \
        "Error setting up peer key" derive tls.pem usage:finished-client handshake:x
fi
needs_peer=$((1 - needs_peer))

expect_fail "no usage is said" "missing parameter" '^usage: ' derive tls.pem
expect_fail "session keys are generated" "unknown usage" '^usage: .*"client-write-key"' \
    derive tls.pem usage:client-write-key
expect_fail "no handshake is said" "missing parameter" '^handshake: ' \
    derive tls.pem usage:finished-client
expect_fail "no seed is said" "missing parameter" '^seed: ' derive tls.pem usage:prf label:free
expect_fail "a length of 0 is none" "invalid parameter" '^keylen: ' \
    derive tls.pem usage:finished-client handshake:x keylen:0
expect_fail "SSL 3.0's Finished value ends after 36 bytes" "invalid length" '^keylen: .*36.*37' \
    derive ssl3.pem usage:finished-client handshake:x keylen:37
expect_fail "PCT 1.0 has no PRF" "unknown usage" '^usage: PCT 1.0 has no prf' \
    derive pct1.pem usage:prf
expect_fail "nor Finished values" "unknown usage" '^usage: PCT 1.0 has no finished-client' \
    derive pct1.pem usage:finished-client
expect_fail "SSL 2.0 has no PRF" "unknown usage" '^usage: SSL 2.0 has no prf' \
    derive ssl2.pem usage:prf
expect_fail "nor Finished values" "unknown usage" '^usage: SSL 2.0 has no finished-server' \
    derive ssl2.pem usage:finished-server
expect_fail "a cipher key derives nothing" "wrong kind of key" 'expected a master key' \
    derive aes.pem usage:prf
expect_fail "a MAC key derives nothing" "wrong kind of key" 'expected a master key' \
    derive mac.pem usage:prf

finish
