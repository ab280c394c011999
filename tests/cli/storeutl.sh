#!/usr/bin/env bash
# openssl storeutl: blobs are found in files of their own, in mixed files and in directories.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# storeutl's exit status counts what it could not decode otherwise on the way, for OpenSSL's own
# files too, so the tests look at what it found, and that the provider complained about nothing.
found() {
    local sentence=$1 expected=$2

    shift 2
    run "$@"
    if crashed || [ "$(count_reasons)" -ne 0 ]; then
        fail "$sentence" "expected no reason of the provider"
    else
        expect_equal "$sentence" "$expected" "$(grep -E '^ *([0-9]+: |Total found: )' "$OUT")"
    fi
}

schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:AES-128-CBC -out key.pem 2>"$ERR" ||
    bail "a key is made"
schannel_openssl pkey -in key.pem -outform DER -out key.blob 2>"$ERR" || bail "a blob is made"
plain_openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem 2>"$ERR" ||
    bail "an RSA key is made"
printf '[req]\ndistinguished_name = dn\n[dn]\n' >req.cnf
plain_openssl req -x509 -new -key rsa.pem -subj /CN=schannel.example -days 3650 -config req.cnf \
    -out cert.pem 2>"$ERR" || bail "a certificate is made"

one=$'0: Pkey\nTotal found: 1'
found "a PEM file holds one key" "$one" schannel_openssl storeutl -noout key.pem
found "a binary blob holds one key" "$one" schannel_openssl storeutl -noout key.blob
found "-keys finds it in the PEM file" "$one" schannel_openssl storeutl -noout -keys key.pem
found "-keys finds it in the binary blob" "$one" schannel_openssl storeutl -noout -keys key.blob
run schannel_openssl storeutl -noout -certs key.pem
if crashed || [ "$(count_reasons)" -ne 0 ] || finds_something; then
    fail "-certs finds no certificate in it"
else
    pass "-certs finds no certificate in it"
fi
found "a file: URI works" "$one" schannel_openssl storeutl -noout "file:$PWD/key.blob"
expect_ok "-text shows the key" schannel_openssl storeutl -noout -text key.blob
expect_line "what it is" 'SCHANNEL Key: AES-128-CBC \(cipher, 128 bit\)'
expect_line "and its id" "    Key id: $(key_id key.pem)"
schannel_openssl storeutl key.blob </dev/null 2>/dev/null | sed -n '/^-----BEGIN/,/^-----END/p' >again.pem
expect_equal "the PEM that storeutl prints is the key" "$(key_text key.pem | without_blob)" \
    "$(key_text again.pem | without_blob)"

# ---- three kinds of things in one file, in every place ----

for order in "cert rsa key" "key rsa cert" "rsa key cert"; do
    : >mixed.pem
    expected=
    n=0
    for part in $order; do
        cat "$part.pem" >>mixed.pem
        case $part in
        cert) expected+="$n: Certificate"$'\n' ;;
        *) expected+="$n: Pkey"$'\n' ;;
        esac
        n=$((n + 1))
    done
    found "certificate, RSA key and ours are found in a file in the order $order" \
        "${expected}Total found: 3" schannel_openssl storeutl -noout mixed.pem
    found "-keys finds both keys" $'0: Pkey\n1: Pkey\nTotal found: 2' \
        schannel_openssl storeutl -noout -keys mixed.pem
    found "-certs finds the certificate" $'0: Certificate\nTotal found: 1' \
        schannel_openssl storeutl -noout -certs mixed.pem
    run schannel_openssl storeutl -noout -text mixed.pem
    expect_line "-text shows our key" '    Key id: '"$(key_id key.pem)"
    expect_line "and the RSA key" 'Private-Key: \(2048 bit, 2 primes\)'
    expect_line "and the certificate" ' *Subject: CN ?= ?schannel\.example'
done
{
    echo "A line of explanation."
    cat key.pem
    echo
    cat key.pem
} >two.pem
found "two keys of ours and some text in one file are found" $'0: Pkey\n1: Pkey\nTotal found: 2' \
    schannel_openssl storeutl -noout two.pem

# ---- directories ----

mkdir directory
cp key.pem key.blob rsa.pem cert.pem directory
run schannel_openssl storeutl -noout directory
expect_equal "a directory lists its files" \
    $'directory/cert.pem\ndirectory/key.blob\ndirectory/key.pem\ndirectory/rsa.pem' \
    "$(sed -n 's/^[0-9]*: Name: //p' "$OUT" | sort)"
run schannel_openssl storeutl -noout -r directory
expect_equal "and -r looks into each of them" $'1   0: Certificate\n3   0: Pkey' \
    "$(grep -E '^  [0-9]+: ' "$OUT" | sort | uniq -c | sed 's/^ *//')"
expect_equal "without a complaint of the provider" 0 "$(count_reasons)"

# ---- a damaged one among good ones ----

sed 's/^-----END SCHANNEL.*/QUJD\n&/' key.pem >bad.pem
cat bad.pem >mixed.pem
expect_reason "a damaged blob is reported" "malformed blob" schannel_openssl storeutl -noout bad.pem
cat rsa.pem bad.pem >mixed.pem
run schannel_openssl storeutl -noout mixed.pem
if [ "$(count_reasons)" -eq 1 ] && grep -q ':malformed blob:' "$ERR" && grep -q '^0: Pkey$' "$OUT"; then
    pass "behind an RSA key too, which is found"
else
    fail "behind an RSA key too, which is found"
fi

finish
