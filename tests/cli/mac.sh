#!/usr/bin/env bash
# openssl mac TLS1-MAC: raw mode, record mode, and OpenSSL's own HMAC as a second opinion.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# mac FILE OPTION...
# shellcheck disable=SC2317 # called through run
mac() {
    local file=$1 options=() option

    shift
    for option in "$@"; do
        options+=(-macopt "$option")
    done
    schannel_openssl mac "${options[@]}" -in "$file" TLS1-MAC
}

# authenticates SENTENCE EXPECTED_HEX FILE OPTION...
authenticates() {
    local sentence=$1 expected=$2

    shift 2
    run mac "$@"
    if [ "$STATUS" -ne 0 ] || [ -s "$ERR" ]; then
        fail "$sentence"
    else
        expect_equal "$sentence" "$expected" "$(bare_hex <"$OUT")"
    fi
}

# hmac DIGEST HEXKEY FILE: OpenSSL's own.
hmac() {
    plain_openssl mac -digest "$1" -macopt "hexkey:$2" -in "$3" HMAC | bare_hex
}

md5=(digest:MD5 "hexkey:$(hex_range 0 15)")
sha1=(digest:SHA1 "hexkey:$(hex_range 0 19)")

# ---- raw mode ----

unhex a8b2a6ef834e74b1f3b1515a1a2b1131 >wine
authenticates "Wine: HMAC-MD5 with the server write MAC secret" e1653fdbbb3d993c3dca6a6ffa154eaa \
    wine digest:MD5 hexkey:f7828609cc943747762370e929c42177
for size in 0 1 55 56 63 64 65 119 120 1000 16384 100000; do
    perl -e 'print map { chr($_ * 7 % 251) } 1 .. $ARGV[0]' "$size" >data
    authenticates "raw: MD5 of $size bytes equals OpenSSL's HMAC" \
        "$(hmac MD5 "$(hex_range 0 15)" data)" data "${md5[@]}"
    authenticates "raw: SHA1 of $size bytes equals OpenSSL's HMAC" \
        "$(hmac SHA1 "$(hex_range 0 19)" data)" data "${sha1[@]}"
done
for size in 1 63 64 65 200; do
    key=$(repeat a5 "$size")
    authenticates "raw: a key of $size bytes works as with OpenSSL's HMAC" \
        "$(hmac SHA1 "$key" data)" data digest:SHA1 "hexkey:$key"
done
authenticates "options are taken in any order" "$(hmac MD5 "$(hex_range 0 15)" data)" data \
    "hexkey:$(hex_range 0 15)" digest:MD5
authenticates "a sequence number changes nothing in raw mode" \
    "$(hmac MD5 "$(hex_range 0 15)" data)" data "${md5[@]}" sequence:12345
printf 'key as text' >text
authenticates "a key can be given as text" "$(hmac MD5 "$(printf secret | od -An -tx1 | tr -d ' ')" text)" \
    text digest:MD5 key:secret
expect_ok "-digest names the digest too" schannel_openssl mac -digest SHA1 \
    -macopt "hexkey:$(hex_range 0 19)" -in data TLS1-MAC
expect_equal "and is the same" "$(hmac SHA1 "$(hex_range 0 19)" data)" "$(bare_hex <"$OUT")"
expect_ok "-binary writes the bytes" schannel_openssl mac -binary -macopt digest:MD5 \
    -macopt "hexkey:$(hex_range 0 15)" -in data -out mac.bin TLS1-MAC
expect_equal "which are 16" 16 "$(wc -c <mac.bin)"

# ---- record mode: RFC 2246 section 6.2.3.1 (vectors computed from it) ----

printf hello >hello
authenticates "record: HMAC-SHA1 of an application record, sequence 0" \
    b93da3fdf9dd3bb5ad401cc1e6ec33858a033768 hello "${sha1[@]}" \
    record-type:23 record-version:769 record-length:5
authenticates "record: HMAC-MD5 of the same" 95a4549583f41e0de8de87d93ec5731e hello "${md5[@]}" \
    record-type:0x17 record-version:0x0301 record-length:0x05
authenticates "record: a sequence number of 0 is the default" 95a4549583f41e0de8de87d93ec5731e \
    hello "${md5[@]}" sequence:0 record-type:23 record-version:769 record-length:5

# record SEQUENCE TYPE VERSION LENGTH: a record as it is authenticated, before its data; the first
# 16 hex digits are the sequence number.
record() {
    printf '%s%02x%04x%04x' "$1" "$2" "$3" "$4"
}
while read -r sequence hex type version size; do
    perl -e 'print "x" x $ARGV[0]' "$size" >data
    {
        unhex "$(record "$hex" "$type" "$version" "$size")"
        cat data
    } >whole
    authenticates "record: number $sequence, type $type, version $version, $size bytes" \
        "$(hmac SHA1 "$(hex_range 0 19)" whole)" data "${sha1[@]}" "sequence:$sequence" \
        "record-type:$type" "record-version:$version" "record-length:$size"
done <<'RECORDS'
0 0000000000000000 22 769 16
1 0000000000000001 23 769 0
255 00000000000000ff 20 769 1
4294967295 00000000ffffffff 21 770 2
4294967296 0000000100000000 23 769 16384
18446744073709551614 fffffffffffffffe 23 770 100
RECORDS

# ---- refusals ----

expect_fail "no digest is said" "missing parameter" '^digest: ' mac hello hexkey:00
expect_fail "another digest is refused" "unknown algorithm" '^digest: .*"SHA256"' \
    mac hello hexkey:00 digest:SHA256
expect_fail "no key is said" "no key" 'TLS1-MAC' mac hello digest:MD5
expect_fail "record mode without length is refused" "missing parameter" '^record-length: ' \
    mac hello "${md5[@]}" record-type:23 record-version:769
expect_fail "record mode without version is refused" "missing parameter" '^record-version: ' \
    mac hello "${md5[@]}" record-type:23 record-length:5
expect_fail "a record that is longer than was said is refused" "record length mismatch" \
    '^record-length: .*4.*5' \
    mac hello "${md5[@]}" record-type:23 record-version:769 record-length:4
expect_fail "a record that is shorter than was said is refused" "record length mismatch" \
    '^record-length: .*6.*5' \
    mac hello "${md5[@]}" record-type:23 record-version:769 record-length:6
expect_fail "a content type beyond a byte is refused" "invalid parameter" '^record-type: .*255.*256' \
    mac hello "${md5[@]}" record-type:256
expect_fail "a version beyond two bytes is refused" "invalid parameter" '^record-version: .*65536' \
    mac hello "${md5[@]}" record-version:65536
expect_fail "a key handle of this process only is refused elsewhere" "unknown key handle" \
    '^key-handle: ' mac hello digest:MD5 "hexkey-handle:$(hex_range 0 15)"
expect_fail "a key handle has 16 bytes" "invalid length" '^key-handle: .*16.*15' \
    mac hello digest:MD5 "hexkey-handle:$(hex_range 0 14)"

finish
