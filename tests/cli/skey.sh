#!/usr/bin/env bash
# openssl skeyutl and enc -skeyopt: EVP_SKEY on the command line, OpenSSL 3.5 and later.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if ! at_least_3_5; then
    expect_foreign_fail "this OpenSSL has no symmetric key objects" "skeyutl" plain_openssl skeyutl
    expect_foreign_fail "and enc has no option for them" "Use -help for summary" schannel_openssl \
        enc -SCHANNEL-RC4 -skeyopt alg:RC4
    finish
fi

key=$(hex_range 0 15)
iv=$(hex_range 16 31)
perl -e 'print map { chr($_ * 7 % 256) } 0 .. 95' >plain
skeymgmt=(-skeymgmt SCHANNEL)

# ---- generation ----

expect_ok "the key manager is listed" schannel_openssl list -skey-managers
expect_line "by its name" ' *IDs: SCHANNEL @ schannel'
expect_ok "a key is generated" schannel_openssl skeyutl -genkey "${skeymgmt[@]}" -skeyopt alg:AES-128-CBC
expect_line "which has an identifier" 'An opaque key identified by [0-9a-f]{16} is created'
expect_line "and is the provider's" 'Provider: schannel'
expect_ok "libcrypto's key-length, in bytes, is bits" \
    schannel_openssl skeyutl -genkey "${skeymgmt[@]}" -skeyopt alg:RC4 -skeyopt key-length:5
expect_fail "a key has to be of some kind" "missing parameter" '^alg: ' \
    schannel_openssl skeyutl -genkey "${skeymgmt[@]}"
expect_fail "and of a size that it can have" "invalid parameter" '^bits: ' \
    schannel_openssl skeyutl -genkey "${skeymgmt[@]}" -skeyopt alg:AES-128-CBC -skeyopt key-length:17
expect_fail "given once" "conflicting parameters" '^key-length: excludes bits' schannel_openssl skeyutl \
    -genkey "${skeymgmt[@]}" -skeyopt alg:RC4 -skeyopt key-length:5 -skeyopt bits:40

# ---- encryption ----

aes=(-SCHANNEL-AES-128-CBC "${skeymgmt[@]}" -skeyopt alg:AES-128-CBC -iv "$iv")
plain_openssl enc -aes-128-cbc -nopad -K "$key" -iv "$iv" -in plain -out expected 2>"$ERR" ||
    bail "libcrypto encrypts"
expect_ok "enc takes key bytes" schannel_openssl enc "${aes[@]}" -skeyopt "hexraw-bytes:$key" -in plain -out ours
expect_same_files "and encrypts as libcrypto does, without padding" expected ours
expect_ok "and decrypts" schannel_openssl enc -d "${aes[@]}" -skeyopt "hexraw-bytes:$key" -in ours -out again
expect_same_files "what it was" plain again

plain_openssl enc -provider legacy -provider default -rc4 -K "$key" -in plain -out expected 2>"$ERR" ||
    bail "libcrypto encrypts"
schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:RC4 -pkeyopt "hexsecret:$key" -out key.pem 2>"$ERR" ||
    bail "a key is made"
schannel_openssl pkey -in key.pem -outform DER -out key.blob 2>"$ERR" || bail "a blob is made"
blob=$(od -An -v -tx1 <key.blob | tr -d ' \n')
expect_ok "enc takes a sealed blob" schannel_openssl enc -SCHANNEL-RC4 "${skeymgmt[@]}" \
    -skeyopt "hexopaque-blob:$blob" -in plain -out ours
expect_same_files "and encrypts with the key in it" expected ours

# ---- what goes wrong ----

expect_fail "a key of another cipher" "wrong kind of key" '^EVP_SKEY: expected a key of RC4' \
    schannel_openssl enc -SCHANNEL-RC4 "${skeymgmt[@]}" -skeyopt alg:AES-128-CBC \
    -skeyopt "hexraw-bytes:$key" -in plain -out "$REFUSED"
expect_fail "key bytes of another size" "invalid length" 'expected 16 bytes for AES-128-CBC, got 3' \
    schannel_openssl enc "${aes[@]}" -skeyopt hexraw-bytes:000102 -in plain -out "$REFUSED"
expect_fail "a handle of nobody" "unknown key handle" '' schannel_openssl enc -SCHANNEL-RC4 \
    "${skeymgmt[@]}" -skeyopt "hexkey-handle:$key" -in plain -out "$REFUSED"
expect_fail "a damaged blob" "seal does not verify" '' schannel_openssl enc -SCHANNEL-RC4 \
    "${skeymgmt[@]}" -skeyopt "hexopaque-blob:${blob%??}$([ "${blob: -2}" = 00 ] && echo 01 || echo 00)" \
    -in plain -out "$REFUSED"

finish
