#!/usr/bin/env bash
# A session key is made, a message encrypted with it, and both are sent: SIMPLEBLOB, from the openssl
# program.  Masters, the SSL 2.0 fallback mark, and the signed envelope against replay.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=parties.sh
. "$CLI_DIR/parties.sh"

simple="SCHANNEL SIMPLE KEY BLOB"
does_not_open="blob does not open"

# bytes FILE FIRST COUNT: of a blob in PEM, in hex.
bytes() {
    binary "$1" | od -An -v -tx1 -j "$2" -N "$3" | tr -d ' \n'
}

# wire FILE: the RSA ciphertext of a simple blob in the order that RSA and TLS have it.
wire() {
    binary "$1" | perl -0777 -ne 'print scalar reverse substr($_, 12)'
}

# ---- every cipher, every way to name the receiver, both paddings ----

# exchange SENTENCE ALG_ID BYTES RECEIVER PAD_MODE OPTION...: of a key of known bytes.
exchange() {
    local sentence=$1 alg_id=$2 size=$3 receiver=$4 mode=$5 secret
    local uri="schannel:sent.pem?exchange-key=bob.pem&pad-mode=$mode" padding=pkcs1

    shift 5
    secret=$(plain_openssl rand -hex "$size")
    made new session.pem "$@" "hexsecret:$secret" exportable:1
    expect_ok "$sentence: a message is encrypted" seal_message session.pem message message.enc
    expect_ok "$sentence: the key is sent to $receiver, $mode" send sent.pem session.pem \
        blob:simpleblob "exchange-key:$receiver" "pad-mode:$mode"
    expect_equal "under its label" "-----BEGIN $simple-----" "$(head -1 sent.pem)"
    expect_equal "with the header of CryptoAPI" "01020000${alg_id}00a40000" "$(bytes sent.pem 0 12)"
    expect_equal "and a ciphertext of 256 bytes" 268 "$(binary sent.pem | wc -c)"
    expect_ok "$sentence: the receiver decrypts" open_message "$uri" message.enc message.dec
    expect_same_files "the message" message message.dec
    [ "$mode" = pkcs1 ] || padding=oaep
    wire sent.pem >ciphertext
    expect_equal "OpenSSL itself finds the key bytes in the ciphertext" "$secret" \
        "$(plain_openssl pkeyutl -decrypt -inkey bob.pem -pkeyopt "rsa_padding_mode:$padding" \
            -in ciphertext | od -An -v -tx1 | tr -d ' \n')"
    expect_no_secret "they are in nothing that is sent" "$secret" sent.pem message.enc "$OUT" "$ERR"
}

exchange "RC4" 01680000 16 bob.crt pkcs1 alg:RC4
exchange "RC4 of 56 bits" 01680000 7 bob.pub.pem oaep alg:RC4
exchange "RC2" 02660000 16 bob.pub.msblob pkcs1 alg:RC2-CBC
exchange "DES" 01660000 8 bob.pem pkcs1 alg:DES-CBC
exchange "two-key triple DES" 09660000 16 bob.msblob oaep alg:DES-EDE-CBC
exchange "triple DES" 03660000 24 bob.crt oaep alg:DES-EDE3-CBC
exchange "AES-128" 0e660000 16 bob.pub.pem pkcs1 alg:AES-128-CBC
exchange "AES-192" 0f660000 24 bob.pub.msblob oaep alg:AES-192-CBC
exchange "AES-256" 10660000 32 "file:$PWD/bob.crt" pkcs1 alg:AES-256-CBC

# what OpenSSL alone puts together, as any other implementation would
foreign=$(plain_openssl rand -hex 32)
unhex "$foreign" | plain_openssl pkeyutl -encrypt -pubin -inkey bob.pub.pem |
    perl -0777 -ne 'print pack("H*", "010200001066000000a40000"), scalar reverse' >foreign.blob
made new session.pem alg:AES-256-CBC "hexsecret:$foreign"
made seal_message session.pem message message.enc
expect_ok "a SIMPLEBLOB made by others opens, without PEM" \
    open_message 'schannel:foreign.blob?exchange-key=bob.pem' message.enc message.dec
expect_same_files "the message of it" message message.dec
expect_ok "and with a PRIVATEKEYBLOB as the exchange key" \
    open_message 'schannel:foreign.blob?exchange-key=bob.msblob' message.enc message.dec
expect_ok "a random key of default size is sent as well" new session.pem alg:AES-128-CBC exportable:1
expect_ok "in one step with its making, when the sender has no use for it" \
    new sent.pem alg:AES-128-CBC exportable:1 blob:simpleblob exchange-key:bob.crt
expect_equal "under the label" "-----BEGIN $simple-----" "$(head -1 sent.pem)"

# ---- what a receiver gets ----

expect_ok "a received key is shown" \
    schannel_openssl pkey -in 'schannel:sent.pem?exchange-key=bob.pem' -noout -text
expect_line "as what it is" 'SCHANNEL Key: AES-128-CBC \(cipher, 128 bit\)'
expect_line "it is not exportable" '    Exportable: no'
expect_ok "unless that is asked for" \
    schannel_openssl pkey -in 'schannel:sent.pem?exchange-key=bob.pem&exportable=1' -noout -text
expect_line "then it is" '    Exportable: yes'
expect_ok "it can be kept as a key of one's own" \
    receive 'schannel:sent.pem?exchange-key=bob.pem' kept.pem
expect_equal "which is sealed" "-----BEGIN SCHANNEL OPAQUE KEY BLOB-----" "$(head -1 kept.pem)"
expect_fail "and cannot be sent on" "key is not exportable" '^simple blob: ' \
    send "$REFUSED" kept.pem blob:simpleblob exchange-key:carol.pem

# A simple blob is the key alone: an IV does not travel.
made new session.pem alg:AES-128-CBC exportable:1 "hexiv:$(hex_range 1 16)"
made seal_message session.pem message message.enc
made send sent.pem session.pem blob:simpleblob exchange-key:bob.crt
made receive 'schannel:sent.pem?exchange-key=bob.pem' kept.pem
made send with-iv.pem kept.pem "hexiv:$(hex_range 1 16)"
expect_ok "the receiver sets the IV" open_message with-iv.pem message.enc message.dec
expect_same_files "and has the message" message message.dec
made open_message kept.pem message.enc message.dec
if cmp -s message message.dec; then
    fail "which he has not without it"
else
    pass "which he has not without it"
fi

# Keys of exactly 40 bits: CryptoAPI's default salt of zeros on both sides, or none on both.
made new session.pem alg:RC4 bits:40 exportable:1
made seal_message session.pem message message.enc
made send sent.pem session.pem blob:simpleblob exchange-key:bob.crt
expect_ok "a random key of 40 bits has a salt of zeros, and so has the received one" \
    open_message 'schannel:sent.pem?exchange-key=bob.pem' message.enc message.dec
expect_same_files "the message under it" message message.dec
made new session.pem alg:RC4 hexsecret:0102030405 exportable:1
made seal_message session.pem message message.enc
made send sent.pem session.pem blob:simpleblob exchange-key:bob.crt
expect_ok "known bytes have none: then the receiver says so" \
    open_message 'schannel:sent.pem?exchange-key=bob.pem&salt-mode=none' message.enc message.dec
expect_same_files "and has the message under it" message message.dec

# ---- masters ----

randoms=("hexclient-random:$(hex_range 0 31)" "hexserver-random:$(hex_range 32 63)")

# master NAME ALG_ID SIZE [OPTION...]: client and server derive the same key from what was sent; the
# options are those of the derivation.
master() {
    local alg=$1 alg_id=$2 size=$3

    shift 3
    expect_ok "a client makes a $alg" new client.pem "alg:$alg" exportable:1
    expect_ok "and sends it under the server's key" \
        send sent.pem client.pem blob:simpleblob exchange-key:bob.crt
    expect_equal "as SIMPLEBLOB" "01020000${alg_id}00a40000" "$(bytes sent.pem 0 12)"
    wire sent.pem >ciphertext
    expect_equal "whose ciphertext, turned round, is what goes over the wire" "$size" \
        "$(plain_openssl pkeyutl -decrypt -inkey bob.pem -in ciphertext | wc -c)"
    expect_ok "the server imports it" receive 'schannel:sent.pem?exchange-key=bob.pem' server.pem
    for side in client server; do
        made send "$side-key.pem" "$side.pem" usage:client-write-key cipher:RC4 "$@" "${randoms[@]}"
    done
    made seal_message client-key.pem message message.enc
    expect_ok "a key derived from it ($alg) decrypts" \
        open_message server-key.pem message.enc message.dec
    expect_same_files "what the client encrypted" message message.dec
}

master TLS1-MASTER 064c0000 48 digest:SHA1
expect_equal "the premaster secret begins with the version" 0301 \
    "$(plain_openssl pkeyutl -decrypt -inkey bob.pem -in ciphertext | od -An -tx1 -N2 | tr -d ' \n')"
cp sent.pem tls1.pem
master SSL3-MASTER 014c0000 48 digest:MD5
master PCT1-MASTER 044c0000 16 digest:MD5 certificate:bytes-of-it
cp sent.pem pct1.pem
master SSL2-MASTER 054c0000 16
cp sent.pem ssl2.pem
expect_ok "(what was derived has not changed the client's file)" \
    schannel_openssl pkey -in client.pem -noout

# damaged FILE: with the last byte of the blob, the first of the ciphertext, changed.
damaged() {
    binary "$1" | perl -0777 -pe 'substr($_, -2, 1) ^= "\x01"' >damaged.blob
}

for name in tls1 pct1; do
    extra=(digest:MD5)
    [ "$name" = tls1 ] || extra+=(certificate:bytes-of-it)
    damaged "$name.pem"
    expect_ok "a damaged envelope of a $name master gives a random one, and nobody is told" \
        receive 'schannel:damaged.blob?exchange-key=bob.pem' server.pem
    expect_ok "which looks like any other" schannel_openssl pkey -in server.pem -noout -text
    expect_ok "so does an envelope for somebody else ($name)" \
        receive "schannel:$name.pem?exchange-key=mallory.pem" server.pem
    expect_ok "and the wrong padding ($name)" \
        receive "schannel:$name.pem?exchange-key=bob.pem&pad-mode=oaep" server.pem
    made new client.pem "alg:${name^^}-MASTER" exportable:1
    made send sent.pem client.pem blob:simpleblob exchange-key:bob.crt
    damaged sent.pem
    made receive 'schannel:damaged.blob?exchange-key=bob.pem' server.pem
    for side in client server; do
        made send "$side-key.pem" "$side.pem" usage:client-write-key cipher:RC4 "${extra[@]}" \
            "${randoms[@]}"
    done
    made seal_message client-key.pem message message.enc
    made open_message server-key.pem message.enc message.dec
    if cmp -s message message.dec; then
        fail "but it is not the client's ($name)"
    else
        pass "but it is not the client's ($name)"
    fi
done
damaged ssl2.pem
expect_fail "a damaged envelope of an SSL 2.0 master is refused" "$does_not_open" 'SSL2-MASTER' \
    receive 'schannel:damaged.blob?exchange-key=bob.pem' "$REFUSED"

# ---- the fallback mark ----

made new client.pem alg:SSL2-MASTER exportable:1
made send plain.pem client.pem blob:simpleblob exchange-key:bob.crt
expect_ok "a client that knows SSL 3.0 marks its SSL 2.0 envelope" \
    send marked.pem client.pem blob:simpleblob exchange-key:bob.crt ssl2-fallback:1
wire marked.pem >ciphertext
expect_equal "with eight bytes 03 at the end of the padding" 030303030303030300 \
    "$(plain_openssl pkeyutl -decrypt -inkey bob.pem -pkeyopt rsa_padding_mode:none -in ciphertext |
        od -An -v -tx1 -j 231 -N 9 | tr -d ' \n')"
expect_ok "a server that knows SSL 2.0 only does not look" \
    receive 'schannel:marked.pem?exchange-key=bob.pem' server.pem
expect_ok "a server that knows more looks, and takes an envelope without the mark" \
    receive 'schannel:plain.pem?exchange-key=bob.pem&ssl2-fallback=1' server.pem
expect_fail "with the mark somebody has rolled the version back: refused" "$does_not_open" 'SSL2-MASTER' \
    receive 'schannel:marked.pem?exchange-key=bob.pem&ssl2-fallback=1' "$REFUSED"
cp "$ERR" rolled-back
damaged plain.pem
expect_fail "in the words of any envelope that does not open" "$does_not_open" 'SSL2-MASTER' \
    receive 'schannel:damaged.blob?exchange-key=bob.pem&ssl2-fallback=1' "$REFUSED"
expect_equal "the same words" "$(grep -o ':schannel:.*' rolled-back)" "$(grep -o ':schannel:.*' "$ERR")"

# ---- the signed envelope: who sent it, which message, which number, when ----

made new session.pem alg:AES-128-CBC exportable:1
made seal_message session.pem message message.enc
hash=$(plain_openssl dgst -sha256 -r message.enc | cut -d' ' -f1)
expect_ok "a sender signs the envelope" send sent.pem session.pem blob:signedblob inner:simpleblob \
    exchange-key:bob.crt signature-key:alice.pem purpose:message serial:0042 "hexmessage-hash:$hash"
expect_equal "under a label of its own" "-----BEGIN SCHANNEL SIGNED KEY BLOB-----" "$(head -1 sent.pem)"
signed='schannel:sent.pem?exchange-key=bob.pem&signature-key=alice.crt&purpose=message'
expect_ok "the receiver checks who, what for, which number, which message and when" \
    open_message "$signed&expect-serial=0042&hexmessage-hash=$hash&max-age=3600" message.enc message.dec
expect_same_files "and has the message of the envelope" message message.dec
expect_ok "the serial can be given in hex" \
    receive "$signed&hexexpect-serial=30303432" kept.pem
expect_fail "the envelope that comes again is not the one that is expected next" \
    "blob has another serial" '^expect-serial: ' \
    receive "$signed&expect-serial=0043" "$REFUSED"
expect_fail "it does not go with another message" "blob belongs to another message" '^message-hash: ' \
    receive "$signed&hexmessage-hash=$(plain_openssl dgst -sha256 -r message | cut -d' ' -f1)" "$REFUSED"
sleep 2.2
expect_fail "nor later than is allowed" "signature is too old" '^max-age: expected at most 1 seconds' \
    receive "$signed&max-age=1" "$REFUSED"
expect_ok "which is later than that" receive "$signed&max-age=3600" kept.pem
made send bare.pem session.pem blob:signedblob inner:simpleblob exchange-key:bob.crt \
    signature-key:alice.pem purpose:message
bare=${signed/sent/bare}
expect_fail "an envelope without serial is not one with the right serial" \
    "blob has another serial" 'has no serial' receive "$bare&expect-serial=0042" "$REFUSED"
expect_fail "nor one without message hash" "blob belongs to another message" 'names no message' \
    receive "$bare&hexmessage-hash=$hash" "$REFUSED"
made send forged.pem session.pem blob:signedblob inner:simpleblob exchange-key:bob.crt \
    signature-key:mallory.pem purpose:message serial:0042
expect_fail "nor one of somebody else's" "blob was signed by another key" '^signature-key: ' \
    receive "${signed/sent/forged}&expect-serial=0042" "$REFUSED"

finish
