#!/usr/bin/env bash
# openssl genpkey: keys of known bytes, random keys, derivation from a master, duplicates.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# options OPTION...: each behind -pkeyopt, in the array OPTIONS.
options() {
    local option

    OPTIONS=()
    for option in "$@"; do
        OPTIONS+=(-pkeyopt "$option")
    done
}

# new FILE OPTION...: a key without template.
# shellcheck disable=SC2317 # called through run
new() {
    local file=$1

    shift
    options "$@"
    schannel_openssl genpkey -algorithm SCHANNEL "${OPTIONS[@]}" -out "$file"
}

# from TEMPLATE FILE OPTION...: a key from a template.
# shellcheck disable=SC2317 # called through run
from() {
    local template=$1 file=$2

    shift 2
    options "$@"
    schannel_openssl genpkey -paramfile "$template" "${OPTIONS[@]}" -out "$file"
}

# shows SENTENCE FILE REGEX...: the text of the key has all these lines.
shows() {
    local sentence=$1 file=$2 regex

    shift 2
    run key_text "$file"
    for regex in "$@"; do
        if ! grep -q -x -E -e " *$regex" "$OUT"; then
            fail "$sentence" "expected a line \"$regex\""
            return
        fi
    done
    pass "$sentence"
}

secret=$(hex_range 64 111)
cr=hexclient-random:$(hex_range 0 31)
sr=hexserver-random:$(hex_range 128 159)

# ---- masters ----

expect_ok "a master is made from a known master secret" \
    new m.pem alg:TLS1-MASTER "hexsecret:$secret" "$cr" "$sr"
shows "it is a TLS1-MASTER of 384 bits that holds the master secret and the randoms" m.pem \
    'SCHANNEL Key: TLS1-MASTER \(master, 384 bit\)' 'Protocol: TLS 1.0' 'Exportable: no' \
    'Holds: master secret' 'Client random: set' 'Server random: set' 'Origin: opaque blob' \
    'Blob: type 9, version 2, ALG_ID 0x00004c06, format version 1, snapshot' \
    'Blob id: [0-9a-f]{32}' 'Sealed under: key [0-9a-f]{16}' 'Sealed at: 20[0-9-]+ [0-9:]+ UTC .*'
expect_no_secret "neither its text nor its file shows secret bytes" "$secret" "$OUT" m.pem
expect_ok "a master is made from a premaster secret" \
    new pm.pem alg:TLS1-MASTER "hexpremaster:0301$secret"
shows "it holds the premaster secret, and no randoms" pm.pem \
    'Holds: premaster secret' 'Client random: not set' 'Server random: not set'
expect_ok "a master is made of random bytes" new random.pem alg:TLS1-MASTER
shows "it holds a premaster secret of 48 bytes" random.pem \
    'SCHANNEL Key: TLS1-MASTER \(master, 384 bit\)' 'Holds: premaster secret'
expect_ok "the defaults of a derivation can be kept with the master" \
    new full.pem alg:TLS1-MASTER "hexsecret:$secret" "$cr" "$sr" cipher:AES-256-CBC digest:MD5
shows "its text shows them" full.pem 'Cipher: AES-256-CBC' 'Digest: MD5'

# ---- masters of the other protocols ----

while read -r alg bits shown holds; do
    expect_ok "a random $alg of $bits bits is made" new r.pem "alg:$alg" "bits:$bits"
    shows "it has $shown bits and holds a ${holds//-/ }" r.pem \
        "SCHANNEL Key: $alg \\(master, $shown bit\\)" "Holds: ${holds//-/ }"
    expect_ok "a random $alg is made" new r.pem "alg:$alg"
done <<'KEYS'
PCT1-MASTER 128 128 master-key
SSL2-MASTER 40 40 master-key
SSL2-MASTER 64 64 master-key
SSL2-MASTER 128 128 master-key
SSL2-MASTER 192 192 master-key
SSL3-MASTER 384 384 premaster-secret
TLS1-MASTER 384 384 premaster-secret
KEYS
expect_fail "PCT 1.0 has masters of one size" "invalid parameter" '^bits: .*128.*120' \
    new "$REFUSED" alg:PCT1-MASTER bits:120
expect_fail "SSL 2.0 from 40 bits on" "invalid parameter" '^bits: .*40 to 192.*32' \
    new "$REFUSED" alg:SSL2-MASTER bits:32
expect_fail "and up to 192" "invalid parameter" '^bits: .*40 to 192.*200' \
    new "$REFUSED" alg:SSL2-MASTER bits:200
clear=$(hex_range 200 210)
certificate=$(hex_range 210 240)
expect_ok "a PCT1 master keeps clear key and certificate" new pct1.pem alg:PCT1-MASTER \
    "hexsecret:${secret:0:32}" "$cr" "$sr" "hexclear-key:$clear" "hexcertificate:$certificate" \
    digest:MD5
shows "its text tells their sizes" pct1.pem 'Protocol: PCT 1.0' 'Holds: master key' \
    'Clear key: 11 bytes' 'Certificate: 31 bytes'
expect_no_secret "but does not show the secret" "${secret:0:32}" "$OUT" pct1.pem
expect_ok "an SSL2 master keeps a clear key" new ssl2.pem alg:SSL2-MASTER \
    "hexsecret:${secret:0:10}" "$cr" "$sr" "hexclear-key:$clear"
shows "its text tells the size" ssl2.pem 'Protocol: SSL 2.0' 'Holds: master key' \
    'Clear key: 11 bytes'
expect_ok "an SSL3 master keeps the highest version" new ssl3.pem alg:SSL3-MASTER \
    "hexpremaster:0300$(hex_range 1 46)" "$cr" "$sr" highest-version:0x0300 digest:SHA1
shows "its text shows it" ssl3.pem 'Protocol: SSL 3.0' 'Highest version: 0x0300'
while read -r master lacking; do
    expect_fail "$lacking is refused for $master" "conflicting parameters" "^${lacking%%:*}: " \
        new "$REFUSED" "alg:$master" "$lacking"
done <<'LACKING'
SSL3-MASTER clear-key:text
TLS1-MASTER clear-key:text
SSL2-MASTER certificate:text
SSL3-MASTER certificate:text
PCT1-MASTER highest-version:0x0301
SSL2-MASTER premaster:text
SSL3-MASTER record-version:0x0301
LACKING

while read -r master cipher shown state; do
    expect_ok "$master: a $cipher client write key is derived" from "$master.pem" k.pem \
        usage:client-write-key "cipher:$cipher"
    shows "it is a key of $shown bits with its usage" k.pem \
        "SCHANNEL Key: $cipher \\(cipher, $shown bit\\)" 'Usage: client-write-key' "${state//_/ }"
done <<'KEYS'
pct1 RC4 128 Protocol:_PCT_1.0
pct1 DES-CBC 64 Protocol:_PCT_1.0
pct1 RC2-CBC 128 Effective_bits:_128
ssl2 RC4 128 Sequence:_0
ssl2 RC2-CBC 128 Effective_bits:_128
ssl2 DES-CBC 64 Digest:_MD5
ssl2 DES-EDE3-CBC 192 Protocol:_SSL_2.0
ssl3 RC4 128 Protocol:_SSL_3.0
ssl3 AES-192-CBC 192 Protocol:_SSL_3.0
KEYS
for master in pct1 ssl3; do
    expect_ok "$master: a server write MAC key is derived" from "$master.pem" k.pem \
        usage:server-write-mac
    shows "it begins with record 0" k.pem "SCHANNEL Key: ${master^^}-MAC \\(mac, .*" 'Sequence: 0'
done
expect_fail "SSL 2.0 has no MAC keys" "unknown usage" '^usage: .*write key is the MAC secret' \
    from ssl2.pem "$REFUSED" usage:server-write-mac cipher:RC4

# ---- session keys of known and of random bytes ----

key=$(hex_range 160 175)
expect_ok "an AES-128 key is made from known bytes" new aes.pem alg:AES-128-CBC "hexsecret:$key"
shows "it is a cipher key of 128 bits without usage" aes.pem \
    'SCHANNEL Key: AES-128-CBC \(cipher, 128 bit\)' 'Position: 0 bytes'
expect_no_line "it has no usage" 'Usage:'
expect_no_secret "neither its text nor its file shows secret bytes" "$key" "$OUT" aes.pem
expect_ok "a key is made from bytes given as text" new text.pem alg:AES-128-CBC secret:sixteen-bytes-ok
expect_no_secret "neither its file shows the text" "$(printf sixteen-bytes-ok | od -An -tx1 | tr -d ' \n')" \
    text.pem
while read -r alg bits shown; do
    expect_ok "a random $alg key of ${bits} is made" new "r.pem" "alg:$alg" "bits:$bits"
    shows "it has $shown bits" r.pem "SCHANNEL Key: $alg \\(cipher, $shown bit\\)"
done <<'KEYS'
RC4 40 40
RC4 48 48
RC4 128 128
RC2-CBC 40 40
RC2-CBC 56 56
RC2-CBC 128 128
DES-CBC 56 64
DES-CBC 64 64
DES-EDE-CBC 112 128
DES-EDE-CBC 128 128
DES-EDE3-CBC 168 192
DES-EDE3-CBC 192 192
AES-128-CBC 128 128
AES-192-CBC 192 192
AES-256-CBC 256 256
KEYS
expect_ok "a random key has its cipher's full size when bits are not given" new r.pem alg:RC4
shows "that is 128 bits for RC4" r.pem 'SCHANNEL Key: RC4 \(cipher, 128 bit\)'
expect_ok "a random RC4 key of 40 bits is made" new salted.pem alg:RC4 bits:40
shows "it has a salt of 11 bytes, as CryptGenKey gives" salted.pem 'Salt: 11 bytes'
expect_ok "so has a random RC2 key of 40 bits" new salted.pem alg:RC2-CBC bits:40
shows "which runs with 40 effective bits" salted.pem 'Salt: 11 bytes' 'Effective bits: 40'
expect_ok "other effective bits can be given" new r.pem alg:RC2-CBC bits:128 effective-bits:64
shows "its text shows them" r.pem 'Effective bits: 64'
expect_fail "other keys have none" "conflicting parameters" '^effective-bits: ' \
    new "$REFUSED" alg:DES-CBC effective-bits:56
expect_ok "salt-mode:none leaves the salt out" new unsalted.pem alg:RC4 bits:40 salt-mode:none
run key_text unsalted.pem
expect_no_line "then there is none" 'Salt:'
expect_ok "a 40-bit key of known bytes is made" new unsalted.pem alg:RC4 hexsecret:0102030405
run key_text unsalted.pem
expect_no_line "it has no salt" 'Salt:'
expect_ok "a MAC key starts where its sequence says" \
    new mac.pem alg:TLS1-MAC digest:SHA1 sequence:18446744073709551615
shows "its text shows digest, size and sequence" mac.pem \
    'SCHANNEL Key: TLS1-MAC \(mac, 160 bit\)' 'Digest: SHA1' 'Sequence: 18446744073709551615'
expect_ok "an MD5 MAC key of known bytes is made" \
    new mac.pem alg:TLS1-MAC digest:MD5 "hexsecret:$key"
shows "it has 128 bits and starts with record 0" mac.pem \
    'SCHANNEL Key: TLS1-MAC \(mac, 128 bit\)' 'Digest: MD5' 'Sequence: 0'
while read -r alg digest bits; do
    expect_ok "a random $alg key with $digest is made" new mac.pem "alg:$alg" "digest:$digest"
    shows "it has $bits bits" mac.pem "SCHANNEL Key: $alg \\(mac, $bits bit\\)" "Digest: $digest"
done <<'KEYS'
PCT1-MAC MD5 128
PCT1-MAC SHA1 160
SSL2-MAC MD5 128
SSL3-MAC MD5 128
SSL3-MAC SHA1 160
TLS1-MAC SHA1 160
KEYS
expect_ok "an SSL2-MAC key needs no digest" new mac.pem alg:SSL2-MAC bits:64
shows "since it has MD5" mac.pem 'SCHANNEL Key: SSL2-MAC \(mac, 64 bit\)' 'Digest: MD5'
expect_fail "and no other" "conflicting parameters" '^digest: .*SHA1' \
    new "$REFUSED" alg:SSL2-MAC digest:SHA1
expect_fail "the others have a choice" "missing parameter" '^digest: ' new "$REFUSED" alg:SSL3-MAC
expect_ok "an IV can be given" new iv.pem alg:AES-128-CBC "hexsecret:$key" "hexiv:$(hex_range 0 15)"
new one.pem alg:AES-128-CBC
new other.pem alg:AES-128-CBC
expect_different "two random keys have different ids" "$(key_id one.pem)" "$(key_id other.pem)"
if [[ $(key_id one.pem) =~ ^[0-9a-f]{16}$ ]]; then
    pass "a key id is 16 hex digits"
else
    fail "a key id is 16 hex digits"
fi
new one.pem alg:AES-128-CBC "hexsecret:$key"
new other.pem alg:AES-128-CBC "hexsecret:$key"
expect_different "two keys of the same bytes have different ids: an id tells nothing of the key" \
    "$(key_id one.pem)" "$(key_id other.pem)"
expect_equal "-out file is readable by its owner only" 600 "$(stat -c %a one.pem)"

# ---- exportable ----

expect_ok "a key can be made exportable" new exportable.pem alg:AES-128-CBC exportable:1
shows "its text says so" exportable.pem 'Exportable: yes'
expect_ok "a duplicate of it can be made not exportable" from exportable.pem not.pem exportable:0
shows "its text says so" not.pem 'Exportable: no'
expect_fail "but exportable is never set again" "key is not exportable" '^exportable: ' \
    from not.pem "$REFUSED" exportable:1

# ---- derivation from a master ----

aes=(cipher:AES-128-CBC digest:SHA1)
ids=()
for usage in client-write-key server-write-key; do
    expect_ok "$usage is derived from the master" from m.pem "$usage.pem" "usage:$usage" "${aes[@]}"
    shows "it is an AES-128-CBC key with its usage, not exportable" "$usage.pem" \
        'SCHANNEL Key: AES-128-CBC \(cipher, 128 bit\)' "Usage: $usage" 'Protocol: TLS 1.0' \
        'Exportable: no' 'Position: 0 bytes'
    ids+=("$(key_id "$usage.pem")")
done
for usage in client-write-mac server-write-mac; do
    expect_ok "$usage is derived from the master" from m.pem "$usage.pem" "usage:$usage" "${aes[@]}"
    shows "it is a TLS1-MAC key with its usage, at record 0" "$usage.pem" \
        'SCHANNEL Key: TLS1-MAC \(mac, 160 bit\)' "Usage: $usage" 'Digest: SHA1' 'Sequence: 0'
    ids+=("$(key_id "$usage.pem")")
done
expect_equal "the master and its four keys have five different ids" 5 \
    "$(printf '%s\n' "$(key_id m.pem)" "${ids[@]}" | grep -E -x '[0-9a-f]{16}' | sort -u | wc -l)"
block=$(schannel_openssl kdf -keylen 104 -kdfopt "hexsecret:$secret" -kdfopt "$cr" -kdfopt "$sr" \
    TLS1-KDF | bare_hex)
expect_equal "(the key block to look for is known)" 208 ${#block}
for usage in client-write-key server-write-key client-write-mac server-write-mac; do
    key_text "$usage.pem" >text
    expect_no_secret "neither text nor file of the $usage shows bytes of the key block" \
        "$block" text "$usage.pem"
done
expect_ok "what the master holds need not be said again" from full.pem k.pem usage:server-write-key
shows "the cipher is the master's" k.pem 'SCHANNEL Key: AES-256-CBC \(cipher, 256 bit\)'
expect_ok "but can be said differently" from full.pem k.pem usage:server-write-key cipher:RC4
shows "the cipher is the one that was asked for" k.pem 'SCHANNEL Key: RC4 \(cipher, 128 bit\)'
expect_ok "an export key is derived" from m.pem k.pem usage:client-write-key cipher:RC4 \
    cipher-bits:40 export:1 digest:MD5
shows "an RC4 export key runs with 128 bits and no salt" k.pem 'SCHANNEL Key: RC4 \(cipher, 128 bit\)'
expect_ok "a master with a premaster secret takes the randoms of the derivation" \
    from pm.pem k.pem usage:client-write-mac digest:MD5 "$cr" "$sr"
shows "the key is a MAC key of 128 bits" k.pem 'SCHANNEL Key: TLS1-MAC \(mac, 128 bit\)'
expect_ok "a derived key is exportable when that is asked for" \
    from m.pem k.pem usage:client-write-key exportable:1 "${aes[@]}"
shows "its text says so" k.pem 'Exportable: yes'

# ---- duplicates ----

for usage in client-write-key server-write-mac; do
    expect_ok "a duplicate of the $usage is made" from "$usage.pem" copy.pem
    expect_equal "it is the same kind of key with the same state" \
        "$(key_text "$usage.pem" | without_blob | grep -v 'Key id:')" \
        "$(key_text copy.pem | without_blob | grep -v 'Key id:')"
    expect_different "with an id of its own" "$(key_id "$usage.pem")" "$(key_id copy.pem)"
done
expect_ok "a duplicate can start at another record" from server-write-mac.pem copy.pem sequence:7
shows "its text shows it" copy.pem 'Sequence: 7'

# ---- what else genpkey can do ----

expect_ok "-text prints the new key beside the PEM" \
    schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:RC4 -pkeyopt bits:128 -text
expect_line "there is the text" 'SCHANNEL Key: RC4 \(cipher, 128 bit\)'
expect_line "and where the key comes from" '    Origin: generated'
expect_line "and the PEM" '-----BEGIN SCHANNEL OPAQUE KEY BLOB-----'
expect_ok "-outform DER writes the binary blob" \
    schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:RC4 -outform DER -out k.blob
shows "which is recognised" k.blob 'SCHANNEL Key: RC4 \(cipher, 128 bit\)'
expect_foreign_fail "-paramfile reads PEM files only" "Error reading parameter file" \
    schannel_openssl genpkey -paramfile k.blob -out "$REFUSED"

finish
