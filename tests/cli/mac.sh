#!/usr/bin/env bash
# openssl mac: TLS1-MAC with OpenSSL's own HMAC as a second opinion, in raw and in record mode; then
# the MACs of the other protocols.
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

# ---- the other protocols ----

# other_mac NAME FILE OPTION...
# shellcheck disable=SC2317 # called through run
other_mac() {
    local name=$1 file=$2 options=() option

    shift 2
    for option in "$@"; do
        options+=(-macopt "$option")
    done
    schannel_openssl mac "${options[@]}" -in "$file" "$name"
}

# gives SENTENCE EXPECTED_HEX NAME FILE OPTION...
gives() {
    local sentence=$1 expected=$2

    shift 2
    run other_mac "$@"
    if [ "$STATUS" -ne 0 ] || [ -s "$ERR" ]; then
        fail "$sentence"
    else
        expect_equal "$sentence" "$expected" "$(bare_hex <"$OUT")"
    fi
}

# digest NAME HEX...: of the bytes, in hex.
digest() {
    unhex "$2" | plain_openssl dgst "-$1" -r | cut -d ' ' -f 1
}

hello=68656c6c6f
pct=(digest:MD5 hexkey:f830e44160f64543e7ff6cac72c05403)
gives "PCT1-MAC: record 2" 8da3828c94d677e1a3debb0b68e9c803 PCT1-MAC hello "${pct[@]}" \
    record-mode:1 sequence:2
unhex "${hello}000000" >padded
gives "PCT1-MAC: record 2 with three bytes of padding" c65848b339d702e2453044d7fd5a03e4 PCT1-MAC \
    padded "${pct[@]}" record-mode:1 sequence:2
gives "PCT1-MAC: plain bytes with SHA1" \
    "$(digest SHA1 "$(hex_range 0 39)$(digest SHA1 "$hello")")" PCT1-MAC hello digest:SHA1 \
    "hexkey:$(hex_range 0 39)" sequence:7
gives "SSL2-MAC: record 3, with MD5 unsaid" ec7906755c8d3e5fd819512ee5e1fccd SSL2-MAC hello \
    hexkey:5ee3a45d1cd691391d2573f5d18dd286 record-mode:1 sequence:3
gives "SSL2-MAC: plain bytes" "$(digest MD5 "0102030405$hello")" SSL2-MAC hello digest:MD5 \
    hexkey:0102030405
unhex 14000024f240103f7463eae87a2723565f5907d2a3795db78b94dbcffaf51822157bf24a96529a0e >finished
gives "SSL3-MAC: the Finished message of the published trace" d309de2884a7075c7c0c08856b4f6304 \
    SSL3-MAC finished digest:MD5 hexkey:182a7551f89f5cf95c900d0d762f1e9e record-type:22 \
    record-length:40
gives "SSL3-MAC: an application record with SHA1" 2cbf31c4ffd93a78a9d6ee328a975d0393213d30 SSL3-MAC \
    hello "${sha1[@]}" record-type:23 record-length:5 sequence:0
gives "SSL3-MAC: plain bytes with SHA1" \
    "$(digest SHA1 "$(hex_range 0 19)$(repeat 5c 40)$(digest SHA1 \
        "$(hex_range 0 19)$(repeat 36 40)$hello")")" SSL3-MAC hello "${sha1[@]}"
gives "SSL2-MAC: the last record number" \
    "$(digest MD5 "$(hex_range 0 15)${hello}ffffffff")" SSL2-MAC hello "hexkey:$(hex_range 0 15)" \
    record-mode:1 sequence:4294967295
for name in PCT1-MAC SSL2-MAC; do
    for parameter in record-type:23 record-version:769 record-length:5; do
        expect_fail "$name: ${parameter%:*} is refused" "conflicting parameters" \
            "^${parameter%:*}: " other_mac "$name" hello "${md5[@]}" "$parameter"
    done
    expect_fail "$name: a number of more than 32 bits is refused" "invalid parameter" \
        '^sequence: .*4294967295.*4294967296' other_mac "$name" hello "${md5[@]}" \
        sequence:4294967296
done
expect_fail "SSL3-MAC: record-version is refused" "conflicting parameters" '^record-version: ' \
    other_mac SSL3-MAC hello "${md5[@]}" record-version:768
expect_fail "SSL3-MAC: a record needs its type" "missing parameter" '^record-type: ' \
    other_mac SSL3-MAC hello "${md5[@]}" record-mode:1 record-length:5
expect_fail "SSL3-MAC: and its length" "missing parameter" '^record-length: ' \
    other_mac SSL3-MAC hello "${md5[@]}" record-type:23
expect_fail "SSL2-MAC: another digest is refused" "conflicting parameters" '^digest: .*MD5.*SHA1' \
    other_mac SSL2-MAC hello "${sha1[@]}"
for name in PCT1-MAC SSL3-MAC; do
    expect_fail "$name: no digest is said" "missing parameter" '^digest: ' \
        other_mac "$name" hello "hexkey:$(hex_range 0 15)"
done

finish
