#!/usr/bin/env bash
# Storing a session key, signed: signedblob.  It is read back; one that was altered, substituted,
# stored for another purpose or not signed at all is refused, before anything inside is touched.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=parties.sh
. "$CLI_DIR/parties.sh"

another_signer="blob was signed by another key"
not_verified="signature does not verify"
another_purpose="blob was signed for another purpose"
not_signed="blob is not signed"
does_not_open="blob does not open"
signer=signature-key=alice.pub.pem

secret=$(plain_openssl rand -hex 16)
made new session.pem alg:AES-128-CBC "hexsecret:$secret" exportable:1
made seal_message session.pem message message.enc

# ---- stored and read back ----

# stored SENTENCE QUERY OPTION...: with alice's signature; opens with QUERY and decrypts the message.
stored() {
    local sentence=$1 query=$2

    shift 2
    expect_ok "$sentence: the key is stored" send stored.pem session.pem blob:signedblob \
        signature-key:alice.pem "$@"
    expect_equal "under its label" "-----BEGIN SCHANNEL SIGNED KEY BLOB-----" "$(head -1 stored.pem)"
    expect_ok "$sentence: it is read back" \
        open_message "schannel:stored.pem?$signer$query" message.enc message.dec
    expect_same_files "and decrypts" message message.dec
    binary stored.pem >stored.blob
    expect_ok "$sentence: in binary as well" \
        open_message "schannel:stored.blob?$signer$query" message.enc message.dec
}

stored "sealed" ""
cp stored.pem sealed.pem
expect_no_secret "the key is not to be seen in it" "$secret" sealed.pem stored.blob "$OUT" "$ERR"
expect_ok "the key is shown" schannel_openssl pkey -in "schannel:sealed.pem?$signer" -noout -text
expect_line "with all that it had" '    Exportable: yes'
stored "under one's own exchange key" "&exchange-key=bob.pem" inner:simpleblob exchange-key:bob.crt
expect_no_secret "nor in that one" "$secret" stored.pem stored.blob "$OUT" "$ERR"
stored "under one's own exchange key, oaep" "&exchange-key=bob.pem&pad-mode=oaep" inner:simpleblob \
    exchange-key:bob.crt pad-mode:oaep
stored "as key bytes" "" inner:plaintextblob allow-plaintext:1
if shows_secret stored.blob "$secret"; then
    pass "which shows them, as it was told to"
else
    fail "which shows them, as it was told to"
fi
stored "for a purpose" "&purpose=backup" purpose:backup
expect_fail "which is then not that of other stored keys" "$another_purpose" \
    '^purpose: expected "storage", the blob was signed for "backup"' \
    receive "schannel:stored.pem?$signer" "$REFUSED"
expect_fail "nor the other way round" "$another_purpose" \
    '^purpose: expected "backup", the blob was signed for "storage"' \
    receive "schannel:sealed.pem?$signer&purpose=backup" "$REFUSED"

# ---- every kind of signer ----

key_pair pss -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048
key_pair p256 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
key_pair p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
key_pair ed448 -algorithm ED448
key_pair x25519 -algorithm X25519
for name in bob pss p256 p384 alice ed448; do
    expect_ok "$name signs" send by.pem session.pem blob:signedblob "signature-key:$name.pem"
    case $name in
    bob | pss) number=01 ;;
    p256 | p384) number=02 ;;
    alice) number=03 ;;
    ed448) number=04 ;;
    esac
    expect_equal "and the blob says how" "$number" "$(binary by.pem | od -An -tx1 -j 9 -N 1 | tr -d ' ')"
    expect_equal "and who, by the SHA-256 of the public key" \
        "$(plain_openssl pkey -pubin -in "$name.pub.pem" -outform DER | plain_openssl dgst -sha256 -r | cut -c1-64)" \
        "$(binary by.pem | od -An -v -tx1 -j 18 -N 32 | tr -d ' \n')"
    expect_ok "the public key of $name verifies" receive "schannel:by.pem?signature-key=$name.pub.pem" kept.pem
    expect_fail "nobody else's does ($name)" "$another_signer" '^signature-key: expected the signer [0-9a-f]{16}, ' \
        receive "schannel:by.pem?signature-key=mallory.pub.pem" "$REFUSED"
done
expect_ok "a certificate says who signed as well" receive \
    "schannel:sealed.pem?signature-key=alice.crt" kept.pem
expect_ok "and a key pair" receive "schannel:sealed.pem?signature-key=alice.pem" kept.pem
expect_fail "a key that cannot sign is none" "wrong kind of key" '^signature-key: expected .*EC' \
    receive "schannel:sealed.pem?signature-key=x25519.pub.pem" "$REFUSED"

# The format is what the manual says: OpenSSL alone verifies the signature.
binary sealed.pem >sealed.blob
head -c -66 sealed.blob >content
tail -c 64 sealed.blob >signature
expect_ok "OpenSSL verifies the signature over all that stands before it" \
    plain_openssl pkeyutl -verify -pubin -inkey alice.pub.pem -rawin -in content -sigfile signature

# ---- substituted, altered, spliced, unsigned ----

made new other.pem alg:AES-128-CBC exportable:1
made send substituted.pem other.pem blob:signedblob signature-key:mallory.pem
expect_fail "another key in its place, signed by somebody else, is refused" "$another_signer" \
    '^signature-key: ' receive "schannel:substituted.pem?$signer" "$REFUSED"
made send unsigned.pem other.pem blob:simpleblob exchange-key:bob.crt
expect_fail "another key that is not signed is refused" "$not_signed" '^signature-key: .*simple blob' \
    receive "schannel:unsigned.pem?$signer&exchange-key=bob.pem" "$REFUSED"
made send unsigned.pem other.pem blob:opaqueblob
expect_fail "a sealed one too" "$not_signed" '^signature-key: .*opaque blob' \
    receive "schannel:unsigned.pem?$signer" "$REFUSED"
made send unsigned.pem other.pem blob:plaintextblob allow-plaintext:1
expect_fail "and key bytes" "$not_signed" '^signature-key: .*plaintext blob' \
    receive "schannel:unsigned.pem?$signer" "$REFUSED"

# The inner blob of one, with what surrounds it in the other: both are alice's.
made send second.pem other.pem blob:signedblob signature-key:alice.pem
binary second.pem >second.blob
head -c -66 second.blob >spliced.blob
tail -c 66 sealed.blob >>spliced.blob
expect_fail "the signature of another blob does not fit" "$not_verified" 'altered' \
    receive "schannel:spliced.blob?$signer" "$REFUSED"
# behind magic, version, algorithm, time, signer, purpose "storage", no serial, no hash, count
head -c 61 sealed.blob >spliced.blob
tail -c +62 second.blob >>spliced.blob
expect_fail "nor does another head" "$not_verified" 'altered' \
    receive "schannel:spliced.blob?$signer" "$REFUSED"

# Every byte counts.  The label says that it is ours, so the first eight do as well.
perl -e '
    open my $in, "<", "sealed.blob" or die; binmode $in; local $/; my $blob = <$in>;
    mkdir "altered" or die;
    for my $n (0 .. length($blob) - 1) {
        my $bad = $blob;
        substr($bad, $n, 1) ^= chr(1 << $n % 8);
        open my $out, ">", "altered/$n" or die; binmode $out; print $out $bad;
    }' || bail "altered blobs are made"
wrong=
seen=0
for file in altered/*; do
    dressed SIGNED "$file" >altered.pem
    rm -f "$REFUSED"
    run receive "schannel:altered.pem?$signer" "$REFUSED"
    if [ "$STATUS" -eq 0 ] || crashed || [ -s "$REFUSED" ] || [ "$(count_reasons)" -ne 1 ]; then
        wrong+=" $file: exit status $STATUS, $(count_reasons) reasons;"
    fi
    seen=$((seen + 1))
done
expect_equal "with any byte changed it is refused, with one reason" "" "$wrong"
expect_equal "all bytes were tried" "$(wc -c <sealed.blob)" "$seen"
for length in 9 50 61 62 100 $(($(wc -c <sealed.blob) - 1)); do
    head -c "$length" sealed.blob >cut.blob
    expect_fail "cut after $length bytes it is refused" "malformed blob" '^signed blob: ends' \
        receive "schannel:cut.blob?$signer" "$REFUSED"
done
{
    cat sealed.blob
    echo
} >long.blob
expect_fail "with a byte behind it too" "malformed blob" '^signed blob: 1 bytes follow' \
    receive "schannel:long.blob?$signer" "$REFUSED"

# ---- without a word on the signer nothing is opened, wherever it is read ----

for way in "pkey -in sealed.pem" "pkey -in sealed.blob" "pkey -in schannel:sealed.pem" \
    "genpkey -paramfile sealed.pem"; do
    # shellcheck disable=SC2086 # a command in words
    expect_fail "$way needs the signer's key" "missing parameter" '^signature-key: is not set' \
        schannel_openssl $way -out "$REFUSED"
done
for file in sealed.pem sealed.blob; do
    expect_reason "storeutl $file does too" "missing parameter" schannel_openssl storeutl -noout "$file"
done

# ---- nothing inside is touched before the signature has verified ----

# The reasons show which came first: a missing exchange key is found out inside.
made send inside.pem session.pem blob:signedblob inner:simpleblob exchange-key:bob.crt \
    signature-key:alice.pem
expect_fail "(behind a good signature the exchange key is missed)" "missing parameter" '^exchange-key: ' \
    receive "schannel:inside.pem?$signer" "$REFUSED"
binary inside.pem | perl -0777 -pe 'substr($_, -70, 1) ^= "\x01"' >inside.blob
expect_fail "behind a bad one nobody looks for it" "$not_verified" '' \
    receive "schannel:inside.blob?$signer" "$REFUSED"
expect_fail "nor behind another purpose" "$another_purpose" '' \
    receive "schannel:inside.pem?$signer&purpose=backup" "$REFUSED"

# ---- several receivers: the backup authority ----

expect_ok "a key is stored for its owner and for the backup authority" send both.pem session.pem \
    blob:signedblob inner:simpleblob exchange-key:bob.crt,carol.pub.pem signature-key:alice.pem
expect_equal "in one blob" 1 "$(grep -c BEGIN both.pem)"
for name in bob carol; do
    expect_ok "$name alone opens it" \
        open_message "schannel:both.pem?$signer&exchange-key=$name.pem" message.enc message.dec
    expect_same_files "and reads" message message.dec
done
expect_fail "mallory does not, though his key is as long as bob's" "$does_not_open" '^simple blob: ' \
    receive "schannel:both.pem?$signer&exchange-key=mallory.pem" "$REFUSED"
expect_ok "of several keys one has to fit" \
    receive "schannel:both.pem?$signer&exchange-key=mallory.pem&exchange-key=carol.pem" kept.pem
expect_ok "with commas as well" \
    receive "schannel:both.pem?$signer&exchange-key=mallory.pem,bob.pem" kept.pem
made new master.pem alg:TLS1-MASTER exportable:1
made send both.pem master.pem blob:signedblob inner:simpleblob exchange-key:bob.crt,carol.pub.pem \
    signature-key:alice.pem
expect_ok "a premaster secret for two is opened by either" \
    receive "schannel:both.pem?$signer&exchange-key=carol.pem" kept.pem
sixteen=$(repeat carol.pub.pem, 15)
expect_ok "there can be sixteen receivers" send many.pem session.pem blob:signedblob inner:simpleblob \
    "exchange-key:${sixteen}bob.crt" signature-key:alice.pem
expect_ok "the last one opens it" receive "schannel:many.pem?$signer&exchange-key=bob.pem" kept.pem
expect_fail "not seventeen" "invalid parameter" '^exchange-key: expected at most 16 keys' \
    send "$REFUSED" session.pem blob:signedblob inner:simpleblob signature-key:alice.pem \
    "exchange-key:${sixteen}bob.crt,carol.pem"

# ---- a transfer in a signed blob opens once ----

made send once.pem session.pem blob:signedblob blob-mode:transfer lifetime:3600 signature-key:alice.pem \
    seal-key:runtime
once="schannel:once.pem?$signer&seal-key=runtime"
expect_ok "a signed transfer can be looked at" schannel_openssl pkey -in "$once" -noout -text
expect_line "and says what it is" '    Transfer: opens once, not claimed here'
expect_ok "it opens" receive "$once" kept.pem
expect_fail "once" "blob was opened before" 'opens once' receive "$once" "$REFUSED"

finish
