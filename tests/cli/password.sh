#!/usr/bin/env bash
# Keys from passwords on the command line: openssl kdf CRYPTDERIVEKEY, genpkey with pass or hash,
# and messages of CryptEncrypt opened with pkeyutl and enc.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# kdf KEYLEN OPTION...
# shellcheck disable=SC2317 # called through run
kdf() {
    local keylen=$1 options=() option

    shift
    for option in "$@"; do
        options+=(-kdfopt "$option")
    done
    schannel_openssl kdf -keylen "$keylen" "${options[@]}" CRYPTDERIVEKEY
}

# derives SENTENCE EXPECTED_HEX OPTION...: the length is that of what is expected.
derives() {
    local sentence=$1 expected=$2

    shift 2
    run kdf $((${#expected} / 2)) "$@"
    if [ "$STATUS" -ne 0 ] || [ -s "$ERR" ]; then
        fail "$sentence"
    else
        expect_equal "$sentence" "$expected" "$(bare_hex <"$OUT")"
    fi
}

# new FILE OPTION...
# shellcheck disable=SC2317 # called through run
new() {
    local file=$1 options=() option

    shift
    for option in "$@"; do
        options+=(-pkeyopt "$option")
    done
    schannel_openssl genpkey -algorithm SCHANNEL "${options[@]}" -out "$file"
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

# opens SENTENCE KEY_FILE SEALED_HEX PLAIN_HEX: and seals again to the same bytes.
opens() {
    local sentence=$1 key=$2 sealed=$3 plain=$4

    unhex "$sealed" >message
    run schannel_openssl pkeyutl -decrypt -inkey "$key" -in message
    expect_equal "$sentence" "$plain" "$(od -An -v -tx1 "$OUT" | tr -d ' \n')"
    unhex "$plain" >text
    run schannel_openssl pkeyutl -encrypt -inkey "$key" -in text
    expect_equal "and the key seals it to the same bytes" "$sealed" \
        "$(od -An -v -tx1 "$OUT" | tr -d ' \n')"
}

# ---- Microsoft's "Key Derivation Sample" ----

plain=$(hex_range 0 31)
sample=(digest:MD5 pass:1134-kelp cipher:RC4 cipher-bits:40)
derives "the sample's key" 7340e6e274 "${sample[@]}"
derives "the same from the password in hex" 7340e6e274 \
    digest:MD5 "hexpass:$(printf 1134-kelp | od -An -tx1 | tr -d ' \n')" cipher:RC4 cipher-bits:40
derives "the same from its hash" 7340e6e274 \
    digest:MD5 hexhash:7340e6e274b8ea399395aa29d638b52a cipher:RC4 cipher-bits:40
derives "what the cipher runs with has a salt of zeros" 7340e6e2740000000000000000000000 \
    "${sample[@]}" usage:cipher-key
derives "or one that the hash gives" 7340e6e274b8ea399395aa29d638b52a \
    "${sample[@]}" usage:cipher-key salt-mode:create
derives "or none" 7340e6e274 "${sample[@]}" usage:cipher-key salt-mode:none
while read -r mode sealed; do
    expect_ok "the sample's key object is made with $mode" \
        new sample.pem alg:RC4 bits:40 digest:MD5 pass:1134-kelp "${mode//salt:/salt-mode:}"
    opens "it opens the sample's message" sample.pem "$sealed" "$plain"
done <<'ANSWERS'
exportable:0 2659de2444fa369c110cbb9db6a2bd24042ee3ba7276f3278dd5b42f56cff8c9
salt:zero 2659de2444fa369c110cbb9db6a2bd24042ee3ba7276f3278dd5b42f56cff8c9
salt:create 47f45de2cc3b871b95bcfc39fb86d305daa291fb80f12a22c3b9ec91dd9faf50
salt:none e21578e95ab37636d3601237f08c7e6fece0aca5e970e5909dad37e3b0686920
ANSWERS
new sample.pem alg:RC4 bits:40 digest:MD5 pass:1134-kelp
shows "its text shows size and salt" sample.pem 'SCHANNEL Key: RC4 \(cipher, 40 bit\)' \
    'Salt: 11 bytes' 'Exportable: no'
expect_no_secret "neither its text nor its file shows the password or its hash" \
    "$(printf 1134-kelp | od -An -tx1 | tr -d ' \n')7340e6e274b8ea399395aa29d638b52a" \
    "$OUT" sample.pem

# ---- .NET on Windows ----

derives "a DES key has the parity that Windows gives it" b0685d8c98f4854a \
    digest:SHA1 pass:PasswordGoesHere cipher:DES-CBC

# ---- the table of Wine's rsaenh tests: d[j] = j + i, and its first 4 bytes encrypted ----

base_data() {
    local n

    for ((n = 0; n < 512; n++)); do
        printf '%02x' $(((n + $1) % 256))
    done
}

while read -r alg digest i sealed; do
    expect_ok "Wine: a $alg key from $digest" new wine.pem "alg:$alg" "digest:$digest" \
        "hexpass:$(base_data "$i")"
    opens "Wine: opens the message with pkeyutl" wine.pem "$sealed" "$(hex_range "$i" $((i + 3)))"
done <<'ROWS'
DES-CBC MD4 12 215abd26b43e8604
AES-128-CBC MD4 21 8a24d07a03e7a702f2174c01d50e7f12
DES-EDE-CBC MD5 25 5170e0b7000d3e21
DES-EDE3-CBC MD5 26 582375253f8825eb
RC2-CBC MD5 27 901c774587dd1c2e
RC4 MD5 28 c44cd2f1
AES-128-CBC MD5 33 976692026dec33f84e821120c7e2e6e8
DES-CBC SHA1 36 d4d8aa44ac5e0b8d
AES-192-CBC SHA1 46 a91383ca21a2f0be13bc55043808a9c4
AES-256-CBC SHA256 59 8ceb1fd37877f5bf7ade8d2ca516cce9
ROWS

# Without a key object: the KDF's key and an ordinary cipher.
run kdf 32 digest:SHA2-256 "hexpass:$(base_data 59)" cipher:AES-256-CBC
key=$(bare_hex <"$OUT")
unhex 8ceb1fd37877f5bf7ade8d2ca516cce9 >message
run plain_openssl enc -d -aes-256-cbc -K "$key" -iv 00000000000000000000000000000000 -in message
expect_equal "the KDF's key opens a message with openssl enc" 3b3c3d3e \
    "$(od -An -tx1 "$OUT" | tr -d ' \n')"

# ---- where hashes come from ----

OPENSSL_MODULES=$MODULE_DIR derives "MD4 is found where OPENSSL_MODULES hides the legacy provider" \
    31d6cfe0d16ae931b73c59d7e0c089c0 digest:MD4 pass: cipher:RC4
if openssl_program list -provider legacy -digest-algorithms | grep -q -w MD2; then
    echo "# this platform has MD2"
    derives "MD2 is the legacy provider's" da853b0d3f88d99b30283a69e6ded6bb \
        digest:MD2 pass:abc cipher:RC4
else
    echo "# this platform has no MD2"
    expect_fail "MD2 is not available, says the KDF" "algorithm is not available" '^digest: MD2' \
        kdf 16 digest:MD2 pass:abc cipher:RC4
    expect_fail "and so does genpkey" "algorithm is not available" '^digest: MD2' \
        new "$REFUSED" alg:RC4 digest:MD2 pass:abc
fi

# ---- what is refused ----

expect_fail "a digest that CryptDeriveKey has not" "unknown algorithm" '^digest: .*"SHA3-256"' \
    kdf 16 digest:SHA3-256 pass:x cipher:RC4
expect_fail "a password without a digest" "missing parameter" '^digest: ' kdf 16 pass:x cipher:RC4
expect_fail "a digest without a password" "missing parameter" '^pass: ' kdf 16 digest:MD5 cipher:RC4
expect_fail "a password without a cipher" "missing parameter" '^cipher: ' kdf 16 digest:MD5 pass:x
expect_fail "a password and its hash" "conflicting parameters" '^hash: ' \
    kdf 16 digest:MD5 pass:x "hexhash:$(hex_range 0 15)" cipher:RC4
expect_fail "a hash of another size" "invalid length" '^hash: .*16 bytes of MD5, got 20' \
    kdf 16 digest:MD5 "hexhash:$(hex_range 0 19)" cipher:RC4
expect_fail "a length that is not the key's" "invalid length" '^keylen: .*gives 5 bytes.*16' \
    kdf 16 "${sample[@]}"
expect_fail "a size that the cipher has not" "invalid parameter" '^cipher-bits: .*44' \
    kdf 5 digest:MD5 pass:x cipher:RC4 cipher-bits:44
expect_fail "a usage of other KDFs" "unknown usage" '^usage: .*"key-block"' \
    kdf 5 "${sample[@]}" usage:key-block
expect_fail "a salt for a cipher that has none" "invalid parameter" '^salt-mode: ' \
    kdf 8 digest:MD5 pass:x cipher:DES-CBC salt-mode:create
expect_foreign_fail "a salt as in other KDFs" "salt" kdf 5 "${sample[@]}" salt:pepper
expect_fail "genpkey: a password without a digest" "missing parameter" '^digest: ' \
    new "$REFUSED" alg:RC4 pass:x
expect_fail "genpkey: a password beside bytes" "conflicting parameters" '^pass: .*secret' \
    new "$REFUSED" alg:RC4 digest:MD5 pass:x "hexsecret:$(hex_range 0 15)"
expect_fail "genpkey: a master from a password" "conflicting parameters" '^pass: .*TLS1-MASTER' \
    new "$REFUSED" alg:TLS1-MASTER digest:SHA1 pass:x
expect_fail "genpkey: a MAC key from a password" "conflicting parameters" '^pass: .*TLS1-MAC' \
    new "$REFUSED" alg:TLS1-MAC digest:SHA1 pass:x
expect_fail "genpkey: a created salt for more than 40 bits" "invalid parameter" '^salt-mode: .*56' \
    new "$REFUSED" alg:RC4 bits:56 digest:MD5 pass:x salt-mode:create
new master.pem alg:TLS1-MASTER
expect_fail "genpkey: a password beside a master" "conflicting parameters" '^pass: ' \
    schannel_openssl genpkey -paramfile master.pem -pkeyopt usage:client-write-key \
    -pkeyopt pass:x -out "$REFUSED"

finish
