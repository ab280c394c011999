#!/usr/bin/env bash
# openssl dgst -sign and -prverify: the MACs of the four protocols over a file.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# digest NAME: that of standard input, in hex.
digest() {
    plain_openssl dgst "-$1" -r | cut -d ' ' -f 1
}

# expected PROTOCOL DIGEST HEXKEY FILE: the formula.
expected() {
    local protocol=$1 name=$2 key=$3 file=$4 count=48

    if [ "$name" = SHA1 ]; then
        count=40
    fi
    case $protocol in
    PCT1) { unhex "$key"; unhex "$(digest "$name" <"$file")"; } | digest "$name" ;;
    SSL2) { unhex "$key"; cat "$file"; } | digest "$name" ;;
    SSL3)
        {
            unhex "$key$(repeat 5c $count)"
            unhex "$({ unhex "$key$(repeat 36 $count)"; cat "$file"; } | digest "$name")"
        } | digest "$name"
        ;;
    TLS1) plain_openssl mac -digest "$name" -macopt "hexkey:$key" -in "$file" HMAC | bare_hex ;;
    esac
}

# generate FILE ARGUMENT...: genpkey.
generate() {
    local file=$1

    shift
    schannel_openssl genpkey "$@" -out "$file" 2>"$ERR" || bail "$file is made"
}

# signs SENTENCE KEY PROTOCOL DIGEST HEXKEY: -sign gives the formula, -prverify knows it.
signs() {
    local sentence=$1 key=$2 mac

    mac=$(expected "$3" "$4" "$5" data)
    unhex "$mac" >mac.bin
    expect_ok "$sentence: -sign works" schannel_openssl dgst -sign "$key" -out made.bin data
    expect_same_files "$sentence: it gives the MAC of the protocol" mac.bin made.bin
    expect_ok "$sentence: -prverify accepts it" \
        schannel_openssl dgst -prverify "$key" -signature made.bin data
    expect_line "$sentence: and says so" 'Verified OK'
    run schannel_openssl dgst -prverify "$key" -signature made.bin other
    expect_equal "$sentence: -prverify refuses that of other data, without a reason of ours" "1 0" \
        "$STATUS $(count_reasons)"
    expect_line "$sentence: and says so" 'Verification failure'
}

perl -e 'print map { chr($_ * 7 % 251) } 1 .. 1000' >data
printf other >other
while read -r protocol digest size; do
    bytes=$(hex_range 10 $((9 + size)))
    generate key.pem -algorithm SCHANNEL -pkeyopt "alg:$protocol-MAC" -pkeyopt "digest:$digest" \
        -pkeyopt "hexsecret:$bytes" -pkeyopt sequence:5
    signs "$protocol-MAC with $digest, $size bytes" key.pem "$protocol" "$digest" "$bytes"
    if [ "$digest" = MD5 ]; then other=sha1; else other=md5; fi
    expect_fail "$protocol-MAC with $digest: another digest is refused" "conflicting parameters" \
        "^digest: .*$digest" schannel_openssl dgst "-$other" -sign key.pem -out "$REFUSED" data
done <<'MACS'
PCT1 MD5 16
PCT1 MD5 40
PCT1 SHA1 20
PCT1 SHA1 8
SSL2 MD5 16
SSL2 MD5 5
SSL2 MD5 32
SSL3 MD5 16
SSL3 SHA1 20
TLS1 MD5 16
TLS1 SHA1 20
MACS

# A write key of SSL 2.0 is its own MAC secret.
master=$(hex_range 0 15)
challenge=$(hex_range 16 31)
id=$(hex_range 48 63)
generate master.pem -algorithm SCHANNEL -pkeyopt alg:SSL2-MASTER -pkeyopt "hexsecret:$master" \
    -pkeyopt "hexclient-random:$challenge" -pkeyopt "hexserver-random:$id"
while read -r cipher key; do
    generate key.pem -paramfile master.pem -pkeyopt usage:client-write-key -pkeyopt "cipher:$cipher"
    signs "SSL 2.0 $cipher write key" key.pem SSL2 MD5 "$key"
done <<'KEYS'
RC4 5ee3a45d1cd691391d2573f5d18dd286
RC2-CBC 5ee3a45d1cd691391d2573f5d18dd286
KEYS

generate aes.pem -algorithm SCHANNEL -pkeyopt alg:AES-192-CBC
expect_fail "an ordinary cipher key does not sign" "wrong kind of key" 'expected a mac key' \
    schannel_openssl dgst -sign aes.pem -out "$REFUSED" data

finish
