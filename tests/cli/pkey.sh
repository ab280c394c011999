#!/usr/bin/env bash
# openssl pkey: looking at blobs and turning one form into the other.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

secret=$(hex_range 100 147)
schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:TLS1-MASTER -pkeyopt "hexsecret:$secret" \
    -out master.pem 2>"$ERR" || bail "a master is made"
schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:AES-256-CBC -pkeyopt "hexsecret:${secret:0:64}" \
    -pkeyopt "hexiv:$(hex_range 0 15)" -out aes.pem 2>"$ERR" || bail "an AES key is made"
schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:RC4 -pkeyopt "hexsecret:${secret:0:32}" \
    -out rc4.pem 2>"$ERR" || bail "an RC4 key is made"
schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:DES-EDE3-CBC -pkeyopt "hexsecret:${secret:0:48}" \
    -out des3.pem 2>"$ERR" || bail "a triple DES key is made"
schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:TLS1-MAC -pkeyopt digest:SHA1 \
    -pkeyopt "hexsecret:${secret:0:40}" -pkeyopt sequence:5 -out mac.pem 2>"$ERR" || bail "a MAC key is made"

# make FILE OPTION...: genpkey, without a template.
make() {
    local file=$1 options=() option

    shift
    for option in "$@"; do
        options+=(-pkeyopt "$option")
    done
    schannel_openssl genpkey -algorithm SCHANNEL "${options[@]}" -out "$file" 2>"$ERR" ||
        bail "$file is made"
}

randoms=("hexclient-random:$(hex_range 0 31)" "hexserver-random:$(hex_range 32 63)")
make pct1.pem alg:PCT1-MASTER "hexsecret:${secret:0:32}" "${randoms[@]}" certificate:certificate
make ssl2.pem alg:SSL2-MASTER "hexsecret:${secret:0:32}" "${randoms[@]}" clear-key:clear
make ssl3.pem alg:SSL3-MASTER "hexpremaster:$secret" highest-version:0x0300
make rc2.pem alg:RC2-CBC "hexsecret:${secret:0:32}" effective-bits:40 "hexiv:$(hex_range 0 7)"
make rc2-40.pem alg:RC2-CBC "hexsecret:${secret:0:10}" salt:eleven-byte
make des.pem alg:DES-CBC "hexsecret:${secret:0:16}"
make des2.pem alg:DES-EDE-CBC "hexsecret:${secret:0:32}"
make aes192.pem alg:AES-192-CBC "hexsecret:${secret:0:48}"
make pct1-mac.pem alg:PCT1-MAC digest:SHA1 "hexsecret:${secret:0:80}" sequence:4294967295
make ssl2-mac.pem alg:SSL2-MAC "hexsecret:${secret:0:48}" sequence:3
make ssl3-mac.pem alg:SSL3-MAC digest:MD5 "hexsecret:${secret:0:32}" sequence:4294967296
schannel_openssl genpkey -paramfile ssl2.pem -pkeyopt usage:client-write-key -pkeyopt cipher:RC2-CBC \
    -pkeyopt sequence:9 -out ssl2-key.pem 2>"$ERR" || bail "an SSL 2.0 write key is made"

# stdin_text FILE: as key_text, by standard input.
# shellcheck disable=SC2317 # called through run
stdin_text() {
    schannel_openssl pkey -text -noout <"$1"
}

# The search for secrets has to find one that is there, in each way of printing it.
printf '    %s\n' "${secret^^}" | sed 's/../&:/g' >control
if shows_secret control "$secret"; then
    pass "(the search finds a secret that is printed with colons)"
else
    fail "(the search finds a secret that is printed with colons)"
fi
unhex "ffff${secret:10:20}ff" >control
if shows_secret control "$secret"; then
    pass "(the search finds a part of a secret as it is)"
else
    fail "(the search finds a part of a secret as it is)"
fi

for name in master aes rc4 des3 mac pct1 ssl2 ssl3 rc2 rc2-40 des des2 aes192 pct1-mac ssl2-mac \
    ssl3-mac ssl2-key; do
    expect_ok "$name: -text -noout works on PEM" schannel_openssl pkey -in "$name.pem" -text -noout
    cp "$OUT" "$name.text"
    expect_line "$name: the text begins with what the key is" 'SCHANNEL Key: .* \(.*, [0-9]+ bit\)'
    expect_no_secret "$name: neither text nor PEM shows secret bytes" "$secret" "$OUT" "$name.pem"

    expect_ok "$name: -outform DER writes the binary blob" \
        schannel_openssl pkey -in "$name.pem" -outform DER -out "$name.blob"
    expect_equal "$name: it starts with the BLOBHEADER of an OPAQUEKEYBLOB" "09020000" \
        "$(od -An -N4 -tx1 "$name.blob" | tr -d ' \n')"
    expect_no_secret "$name: it shows no secret bytes" "$secret" "$name.blob"
    expect_ok "$name: the binary blob is recognised without -inform" \
        schannel_openssl pkey -in "$name.blob" -text -noout
    expect_same_key "$name: and shows the same key, id and state" "$OUT" "$name.text"
    expect_foreign_fail "$name: -inform DER cannot work: the core wants a DER value" \
        "key from" schannel_openssl pkey -in "$name.blob" -inform DER -out "$REFUSED"
    expect_ok "$name: -inform PEM reads the PEM" \
        schannel_openssl pkey -in "$name.pem" -inform PEM -noout

    expect_ok "$name: the binary blob becomes PEM" \
        schannel_openssl pkey -in "$name.blob" -outform PEM -out "$name.2.pem"
    expect_equal "$name: under the label of opaque blobs" "-----BEGIN SCHANNEL OPAQUE KEY BLOB-----" \
        "$(head -1 "$name.2.pem")"
    expect_ok "$name: and that a binary blob again" \
        schannel_openssl pkey -in "$name.2.pem" -outform DER -out "$name.2.blob"
    run key_text "$name.2.blob"
    expect_same_key "$name: PEM to binary to PEM to binary keeps key, id and state" "$OUT" "$name.text"
    expect_equal "$name: and the size" "$(wc -c <"$name.blob")" "$(wc -c <"$name.2.blob")"
    if cmp -s "$name.blob" "$name.2.blob"; then
        fail "$name: every export is sealed afresh"
    else
        pass "$name: every export is sealed afresh"
    fi
    pem_of "$name.blob" >wrapped.pem
    run key_text wrapped.pem
    expect_same_key "$name: PEM is the binary blob in base64 and nothing else" "$OUT" "$name.text"

    expect_ok "$name: pkey without options writes PEM" schannel_openssl pkey -in "$name.pem"
    expect_line "$name: with the END line" '-----END SCHANNEL OPAQUE KEY BLOB-----'
    expect_ok "$name: the key is read from standard input" stdin_text "$name.pem"
    expect_same_key "$name: and is the same" "$OUT" "$name.text"
    expect_fail "$name: -pubout says that there is no public part" "key has no public part" \
        'public' schannel_openssl pkey -in "$name.pem" -pubout -out "$REFUSED"
    expect_fail "$name: -pubout says so for the binary form too" "key has no public part" \
        'public' schannel_openssl pkey -in "$name.blob" -pubout -outform DER -out "$REFUSED"
    expect_ok "$name: -check says that the key is valid" \
        schannel_openssl pkey -in "$name.pem" -check -noout
    expect_foreign_fail "$name: the traditional format has no such key" "unsupported" \
        schannel_openssl pkey -in "$name.pem" -traditional -out "$REFUSED"
done

expect_ok "-passin is of no consequence for a blob without passphrase" \
    schannel_openssl pkey -in aes.pem -passin pass:secret -noout
expect_equal "the MAC key kept its sequence" "    Sequence: 5" "$(grep Sequence: mac.text)"
for pair in pct1-mac:4294967295 ssl2-mac:3 ssl3-mac:4294967296 ssl2-key:9; do
    expect_equal "${pair%:*}: it kept its sequence" "    Sequence: ${pair#*:}" \
        "$(grep Sequence: "${pair%:*}.text")"
done
for pair in rc2:40 rc2-40:40 ssl2-key:128; do
    expect_equal "${pair%:*}: it kept its effective bits" "    Effective bits: ${pair#*:}" \
        "$(grep Effective "${pair%:*}.text")"
done

# sizes that the contract promises
for name in aes des3 rc2 rc2-40 des des2 aes192; do
    size=$(wc -c <"$name.blob")
    if [ "$size" -le 224 ]; then
        pass "$name: a sealed CBC key has at most 224 bytes ($size)"
    else
        fail "$name: a sealed CBC key has at most 224 bytes ($size)"
    fi
done
size=$(wc -c <rc4.blob)
if [ "$size" -le 480 ]; then
    pass "rc4: a sealed RC4 key has at most 480 bytes ($size)"
else
    fail "rc4: a sealed RC4 key has at most 480 bytes ($size)"
fi

finish
