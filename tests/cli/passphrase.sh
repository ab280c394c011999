#!/usr/bin/env bash
# Keys under a passphrase: -aes256 and friends with -passout, -passin in all its forms.
#
# A passphrase is 600,000 rounds of PBKDF2 for each look at a key: every command here does double
# duty.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

phrase='Mellon und Pfirsich'
phrase_hex=$(printf %s "$phrase" | od -An -v -tx1 | tr -d ' \n')
secret=$(hex_range 100 147)
export PHRASE="$phrase"
printf '%s\n' "$phrase" >phrase.txt

# make NAME BYTES OPTION...: a key of the first BYTES bytes of the secret.
make() {
    local name=$1 size=$2 option options=()

    shift 2
    for option in "$@"; do
        options+=(-pkeyopt "$option")
    done
    schannel_openssl genpkey -algorithm SCHANNEL "${options[@]}" \
        -pkeyopt "hexsecret:${secret:0:2*size}" -out "$name.pem" 2>"$ERR" || bail "$name is made"
    key_text "$name.pem" >"$name.text"
}

make master 48 alg:TLS1-MASTER
make aes 32 alg:AES-256-CBC "hexiv:$(hex_range 0 15)"
make rc4 16 alg:RC4
make des3 24 alg:DES-EDE3-CBC
make mac 20 alg:TLS1-MAC digest:SHA1 sequence:5

# from_stdin COMMAND...: the passphrase is the first line of standard input.
# shellcheck disable=SC2317 # called through run
from_stdin() {
    "$@" <phrase.txt
}

# from_descriptor COMMAND...: the passphrase can be read from descriptor 9.
# shellcheck disable=SC2317 # called through run
from_descriptor() {
    "$@" 9<phrase.txt
}

# without_terminal COMMAND...: nobody can be asked.
# shellcheck disable=SC2317 # called through run
without_terminal() {
    if [ -n "${SANITIZER_RUNTIME:-}" ]; then
        LD_PRELOAD="$SANITIZER_RUNTIME" ASAN_OPTIONS=detect_leaks=0 \
            setsid openssl "$1" "${PROVIDER_OPTIONS[@]}" "${@:2}"
    else
        setsid openssl "$1" "${PROVIDER_OPTIONS[@]}" "${@:2}"
    fi
}

# header FILE FIRST BYTES: a part of the binary blob in a PEM file, in hex.
header() {
    sed '/^-----/d' "$1" | plain_openssl base64 -d | od -An -v -tx1 -j "$2" -N "$3" | tr -d ' \n'
}

# ---- every kind of key, every cipher name, every way to give the passphrase ----

# round NAME CIPHER WRAPPER SOURCE: NAME.pem under the passphrase and back.
round() {
    local name=$1 cipher=$2 wrapper=$3 source=$4 wrap=()

    if [ -n "$wrapper" ]; then
        wrap=("$wrapper")
    fi
    expect_ok "$name: pkey $cipher -passout ${source%%:*} writes it under a passphrase" \
        "${wrap[@]}" schannel_openssl pkey -in "$name.pem" "$cipher" -passout "$source" -out "$name.p.pem"
    expect_no_secret "$name: key and passphrase are not in what was written" "$secret" \
        "$OUT" "$ERR" "$name.p.pem"
    expect_no_secret "$name: nor in the blob inside" "$phrase_hex" "$OUT" "$ERR" "$name.p.pem"
    sed '/^-----/d' "$name.p.pem" | plain_openssl base64 -d >"$name.p.blob"
    expect_no_secret "$name: in neither form" "$secret$phrase_hex" "$name.p.blob"
    expect_equal "$name: one label, with nothing in clear behind it" \
        $'-----BEGIN SCHANNEL OPAQUE KEY BLOB-----\n-----END SCHANNEL OPAQUE KEY BLOB-----' \
        "$(grep -e '^-' -e : "$name.p.pem")"
    expect_equal "$name: the header says that it is under a passphrase" 02 \
        "$(header "$name.p.pem" 10 1)"
    expect_equal "$name: and under no sealing key" 0000000000000000 "$(header "$name.p.pem" 32 8)"
    expect_equal "$name: with 600000 iterations" 000927c0 "$(header "$name.p.pem" 57 4)"
    expect_ok "$name: -passin ${source%%:*} opens it, and writes it under the default key" \
        "${wrap[@]}" schannel_openssl pkey -in "$name.p.pem" -passin "$source" -out "$name.plain.pem"
    expect_no_secret "$name: which shows nothing" "$secret$phrase_hex" "$OUT" "$ERR" "$name.plain.pem"
    expect_equal "$name: the default key is no passphrase" 00 "$(header "$name.plain.pem" 10 1)"
    run key_text "$name.plain.pem"
    expect_same_key "$name: it is the same key, with id and state" "$OUT" "$name.text"
}

round master -aes-256-cbc "" "pass:$phrase"
round aes -aes128 "" env:PHRASE
round rc4 -des3 "" file:phrase.txt
round des3 -camellia256 from_descriptor fd:9
round mac -aes256 from_stdin stdin

# ---- other commands ----

case $(plain_openssl version) in
"OpenSSL 3."*)
    expect_foreign_fail "pkey itself allows a cipher for PEM only" \
        "Cipher options are supported only for" schannel_openssl pkey -in rc4.pem -aes256 \
        -passout "pass:$phrase" -outform DER -out "$REFUSED"
    ;;
*)
    expect_ok "pkey allows a cipher for DER too" schannel_openssl pkey -in rc4.pem -aes256 \
        -passout "pass:$phrase" -outform DER -out der.blob
    expect_ok "and gives a binary blob under the passphrase" \
        schannel_openssl pkey -in der.blob -passin "pass:$phrase" -noout
    expect_fail "which no other opens" "seal does not verify" '' \
        schannel_openssl pkey -in der.blob -passin pass:wrong -noout
    ;;
esac
expect_ok "the binary blob is found by storeutl -passin" \
    schannel_openssl storeutl -noout -text -passin "pass:$phrase" rc4.p.blob
expect_line "as one key" 'Total found: 1'
expect_line "of its kind" 'SCHANNEL Key: RC4 \(cipher, 128 bit\)'
expect_ok "genpkey -aes256 -pass makes a key under a passphrase" schannel_openssl genpkey \
    -algorithm SCHANNEL -pkeyopt alg:AES-128-CBC -pkeyopt "hexsecret:${secret:0:32}" -aes256 \
    -pass "pass:$phrase" -out new.pem
expect_equal "as its header says" 02 "$(header new.pem 10 1)"
expect_no_secret "and it shows nothing" "$secret$phrase_hex" "$OUT" "$ERR" new.pem

# ---- refusals ----

expect_fail "a wrong passphrase has one reason" "seal does not verify" '' \
    schannel_openssl pkey -in rc4.p.pem -passin "pass:${phrase}x" -out "$REFUSED"
expect_no_secret "which does not show it" "$phrase_hex" "$ERR"
expect_reason "storeutl with a wrong passphrase says why" "seal does not verify" \
    schannel_openssl storeutl -noout -passin "pass:${phrase}x" rc4.p.blob
expect_fail "a passphrase that nobody gives has one reason" "no passphrase" \
    'the application gave none' without_terminal pkey -in rc4.p.pem -out "$REFUSED"
expect_fail "a binary blob is no different" "no passphrase" 'the application gave none' \
    without_terminal pkey -in rc4.p.blob -out "$REFUSED"
expect_fail "nor is writing" "no passphrase" 'the application gave none' \
    without_terminal pkey -in rc4.pem -aes256 -out "$REFUSED"
expect_fail "nor is a new key" "no passphrase" 'the application gave none' without_terminal \
    genpkey -algorithm SCHANNEL -pkeyopt alg:RC4 -aes256 -out "$REFUSED"
expect_reason "storeutl says so too" "no passphrase" without_terminal storeutl -noout rc4.p.blob
expect_foreign_fail "the traditional format has no such key, under a passphrase or not" \
    "unsupported" schannel_openssl pkey -in rc4.pem -traditional -aes256 -passout "pass:$phrase" \
    -out "$REFUSED"

# ---- everybody else's keys ----

plain_openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem 2>"$ERR" ||
    bail "an RSA key is made"
plain_openssl pkey -in rsa.pem -aes256 -passout "pass:$phrase" -out rsa.p8.pem 2>"$ERR" ||
    bail "an RSA key is encrypted"
plain_openssl pkey -in rsa.pem -traditional -aes256 -passout "pass:$phrase" -out rsa.old.pem 2>"$ERR" ||
    bail "an RSA key is encrypted in the traditional format"
for name in rsa.p8 rsa.old; do
    expect_ok "$name: an encrypted RSA key loads as before" \
        schannel_openssl pkey -in "$name.pem" -passin "pass:$phrase" -out back.pem
    expect_same_files "$name: and is the same" back.pem rsa.pem
    expect_foreign_fail "$name: a wrong passphrase is not ours to complain about" "error" \
        schannel_openssl pkey -in "$name.pem" -passin pass:wrong -out "$REFUSED"
done
expect_ok "an RSA key is still written in the traditional format" schannel_openssl pkey -in rsa.pem \
    -traditional -aes256 -passout "pass:$phrase" -out back.pem
expect_equal "with its own header" "Proc-Type: 4,ENCRYPTED" "$(grep Proc-Type back.pem)"
expect_ok "and read back" plain_openssl pkey -in back.pem -passin "pass:$phrase" -noout

finish
