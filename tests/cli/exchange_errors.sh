#!/usr/bin/env bash
# What a user can get wrong with exchanged, plaintext and signed blobs: one clear reason of the
# provider each time, and nothing written.  Malformed blobs likewise, in PEM and binary.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=parties.sh
. "$CLI_DIR/parties.sh"

missing="missing parameter"
invalid="invalid parameter"
length="invalid length"
conflict="conflicting parameters"
wrong_kind="wrong kind of key"
not_exportable="key is not exportable"
unreadable="exchange or signature key cannot be read"
malformed="malformed blob"

secret=$(plain_openssl rand -hex 16)
made new key.pem alg:AES-128-CBC "hexsecret:$secret" exportable:1
made new private.pem alg:RC4
made new mac.pem alg:TLS1-MAC digest:MD5 exportable:1
made new premaster.pem alg:TLS1-MASTER exportable:1
made new master.pem alg:TLS1-MASTER "hexsecret:$(hex_range 0 47)" exportable:1
made new other-premaster.pem alg:TLS1-MASTER "hexpremaster:$(hex_range 0 63)" exportable:1
made new ssl2.pem alg:SSL2-MASTER exportable:1 "hexclient-random:$(hex_range 0 15)" \
    "hexserver-random:$(hex_range 0 15)"
made send ssl2-key.pem ssl2.pem usage:client-write-key cipher:RC4 exportable:1
key_pair small -algorithm RSA -pkeyopt rsa_keygen_bits:512
key_pair ec -algorithm EC -pkeyopt ec_paramgen_curve:P-256
key_pair x25519 -algorithm X25519
key_pair pss -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048
printf 'nothing\n' >garbage
mkdir directory
plain_openssl pkey -in bob.pem -aes-256-cbc -passout pass:open-sesame -out locked.pem 2>"$ERR" ||
    bail "bob's key under a passphrase"

# ---- exports ----

# bad_send SENTENCE REASON DETAIL KEY OPTION...
bad_send() {
    expect_fail "$1" "$2" "$3" send "$REFUSED" "${@:4}"
}

simple=blob:simpleblob
signed=(blob:signedblob signature-key:alice.pem)
to_bob=exchange-key:bob.crt

bad_send "a simple blob for nobody" "$missing" '^exchange-key: is not set' key.pem $simple
bad_send "a simple blob of a key that is not exportable" "$not_exportable" '^simple blob: .*RC4' \
    private.pem $simple $to_bob
bad_send "a simple blob of a MAC key" "$wrong_kind" '^simple blob: .*MAC key' mac.pem $simple $to_bob
bad_send "a simple blob of an SSL 2.0 write key" "$wrong_kind" '^simple blob: .*SSL 2.0' \
    ssl2-key.pem $simple $to_bob
bad_send "a simple blob of a master secret" "$wrong_kind" '^simple blob: .*master secret.*premaster' \
    master.pem $simple $to_bob
bad_send "a simple blob of a premaster secret that is none of RSA" "$length" '^simple blob: .*48.*64' \
    other-premaster.pem $simple $to_bob
bad_send "a receiver's file that is not there" "$unreadable" '^exchange-key: "nobody.pem": No such file' \
    key.pem $simple exchange-key:nobody.pem
bad_send "a receiver's file that holds no key" "$unreadable" '^exchange-key: no public key.*"garbage"' \
    key.pem $simple exchange-key:garbage
bad_send "a directory as the receiver's file" "$unreadable" '^exchange-key: expected a regular file .*"directory"' \
    key.pem $simple exchange-key:directory
bad_send "a blob as the receiver's file" "$unreadable" '^exchange-key: no public key.*"key.pem"' \
    key.pem $simple exchange-key:key.pem
bad_send "a blob's URI as the receiver's" "$unreadable" '^exchange-key: no public key.*"schannel:' \
    key.pem $simple exchange-key:schannel:key.pem
bad_send "a receiver's URI of a scheme that nobody knows" "$unreadable" '^exchange-key: no public key' \
    key.pem $simple exchange-key:nowhere:bob
bad_send "an empty name of a receiver" "$length" '^exchange-key: is empty' key.pem $simple exchange-key:
bad_send "a receiver's key under a passphrase" "$unreadable" '^exchange-key: "locked.pem" is encrypted' \
    key.pem $simple exchange-key:locked.pem
bad_send "two receivers of one simple blob" "$invalid" '^exchange-key: expected one key' \
    key.pem $simple exchange-key:bob.crt,carol.pem
for name in ec alice x25519 pss; do
    bad_send "a receiver with another key than RSA ($name)" "$wrong_kind" \
        '^exchange-key: expected an RSA key, got ' key.pem $simple "exchange-key:$name.pub.pem"
done
bad_send "an RSA key that is too small for OAEP" "$length" '^exchange-key: .*48.*42.*512 bits' \
    premaster.pem $simple exchange-key:small.pem pad-mode:oaep
bad_send "a padding that is none" "$invalid" '^pad-mode: expected pkcs1 or oaep, got "raw"' \
    key.pem $simple $to_bob pad-mode:raw
bad_send "the fallback mark for a key of AES" "$wrong_kind" '^ssl2-fallback: .*AES-128-CBC' \
    key.pem $simple $to_bob ssl2-fallback:1
bad_send "the fallback mark for a TLS 1.0 master" "$wrong_kind" '^ssl2-fallback: .*TLS1-MASTER' \
    premaster.pem $simple $to_bob ssl2-fallback:1
bad_send "the fallback mark in OAEP" "$conflict" '^ssl2-fallback: .*oaep' \
    ssl2.pem $simple $to_bob ssl2-fallback:1 pad-mode:oaep
bad_send "a fallback mark of 2" "$invalid" '^ssl2-fallback: expected 0 to 1, got 2' \
    ssl2.pem $simple $to_bob ssl2-fallback:2
bad_send "a lifetime of a simple blob" "$conflict" '^lifetime: belongs to opaqueblob' \
    key.pem $simple $to_bob lifetime:5
bad_send "a simple blob that opens once" "$conflict" '^blob-mode transfer: belongs to opaqueblob' \
    key.pem $simple $to_bob blob-mode:transfer
bad_send "a signer of a simple blob" "$conflict" '^signature-key: belongs to signedblob' \
    key.pem $simple $to_bob signature-key:alice.pem
bad_send "a receiver of a sealed blob" "$conflict" '^exchange-key: belongs to simpleblob' key.pem $to_bob
bad_send "a padding of a sealed blob" "$conflict" '^pad-mode: belongs to simpleblob' key.pem pad-mode:oaep
bad_send "a purpose without a signature" "$conflict" '^purpose: belongs to signedblob' key.pem purpose:backup
bad_send "a serial without a signature" "$conflict" '^serial: belongs to signedblob' key.pem serial:1
bad_send "an inner blob of what is not signed" "$conflict" '^inner: belongs to signedblob' \
    key.pem inner:simpleblob
bad_send "a blob that there is not" "$invalid" '^blob: expected opaqueblob, .*"keystateblob"' \
    key.pem blob:keystateblob
bad_send "a plaintext blob without leave" "key bytes in the clear are not allowed" '^allow-plaintext: ' \
    key.pem blob:plaintextblob
bad_send "a plaintext blob of a key that is not exportable" "$not_exportable" '^plaintext blob: ' \
    private.pem blob:plaintextblob allow-plaintext:1
bad_send "a plaintext blob of a MAC key" "$wrong_kind" '^plaintext blob: ' \
    mac.pem blob:plaintextblob allow-plaintext:1
bad_send "a signed blob of nobody" "$missing" '^signature-key: is not set' key.pem blob:signedblob
for name in alice.pub.pem alice.crt; do
    bad_send "a signer's $name" "$unreadable" '^signature-key: no private key.*"alice' \
        key.pem blob:signedblob "signature-key:$name"
done
bad_send "a key that cannot sign" "$wrong_kind" '^signature-key: expected an RSA, EC, .*X25519' \
    key.pem blob:signedblob signature-key:x25519.pem
bad_send "two signers, which are one name" "$unreadable" '^signature-key: "alice.pem,bob.pem": No such' \
    key.pem blob:signedblob signature-key:alice.pem,bob.pem
bad_send "a signed blob in a signed blob" "$invalid" '^inner: expected opaqueblob, .*"signedblob"' \
    key.pem "${signed[@]}" inner:signedblob
bad_send "a signed simple blob for nobody" "$missing" '^exchange-key: is not set' \
    key.pem "${signed[@]}" inner:simpleblob
bad_send "key bytes, signed, without leave" "key bytes in the clear are not allowed" '^allow-plaintext: ' \
    key.pem "${signed[@]}" inner:plaintextblob
bad_send "a receiver of a signed sealed blob" "$conflict" '^exchange-key: belongs to simpleblob' \
    key.pem "${signed[@]}" $to_bob
bad_send "an empty purpose" "$length" '^purpose: is empty' key.pem "${signed[@]}" purpose:
bad_send "a purpose of 65 characters" "$length" '^purpose: expected at most 64' \
    key.pem "${signed[@]}" "purpose:$(repeat x 65)"
bad_send "an empty serial" "$length" '^serial: expected 1 to 32 bytes, got 0' \
    key.pem "${signed[@]}" serial:
bad_send "a serial of 33 bytes" "$length" '^serial: expected 1 to 32 bytes, got 33' \
    key.pem "${signed[@]}" "serial:$(repeat x 33)"
bad_send "a message hash of 65 bytes" "$length" '^message-hash: expected 1 to 64 bytes, got 65' \
    key.pem "${signed[@]}" "message-hash:$(repeat x 65)"
bad_send "a master with a cipher, but no usage" "$missing" '^usage: is not set' \
    premaster.pem $simple $to_bob cipher:RC4
expect_fail "a passphrase over a simple blob" "$conflict" '^cipher: .*simple blob' \
    schannel_openssl genpkey -paramfile key.pem -pkeyopt $simple -pkeyopt $to_bob -aes256 \
    -pass pass:sesame -out "$REFUSED"
expect_foreign_fail "an option of imports" "Error setting max-age:5" send "$REFUSED" key.pem max-age:5

# ---- imports ----

made send sent.pem key.pem $simple $to_bob
made send ssl2-sent.pem ssl2.pem $simple $to_bob
made send signed.pem key.pem "${signed[@]}"
made send plain.pem key.pem blob:plaintextblob allow-plaintext:1
binary sent.pem >sent.blob
binary plain.pem >plain.blob
with_key='schannel:sent.pem?exchange-key=bob.pem'

# bad_receive SENTENCE REASON DETAIL URI [ARGUMENT...]
bad_receive() {
    expect_fail "$1" "$2" "$3" receive "$4" "$REFUSED" "${@:5}"
}

bad_receive "a simple blob without a key" "$missing" '^exchange-key: is not set.*schannel:' sent.pem
bad_receive "the same by its URI" "$missing" '^exchange-key: is not set' schannel:sent.pem
bad_receive "a signed blob without a signer" "$missing" '^signature-key: is not set.*schannel:' signed.pem
for name in bob.crt bob.pub.pem bob.pub.msblob garbage; do
    bad_receive "$name as the private key" "$unreadable" "^exchange-key: no private key.*\"$name\"" \
        "schannel:sent.pem?exchange-key=$name"
done
bad_receive "a directory as the private key" "$unreadable" \
    '^exchange-key: expected a regular file .*"directory"' 'schannel:sent.pem?exchange-key=directory'
bad_receive "a private key that is not there" "$unreadable" '^exchange-key: "nobody": No such file' \
    'schannel:sent.pem?exchange-key=nobody'
bad_receive "a private key under a passphrase that is not given" "$unreadable" '^exchange-key: .*encrypted' \
    'schannel:sent.pem?exchange-key=locked.pem' -passin pass:
bad_receive "an empty name of a private key" "$length" '^exchange-key: is empty' \
    'schannel:sent.pem?exchange-key='
bad_receive "the blob itself as the private key" "$unreadable" '^exchange-key: no private key' \
    'schannel:sent.pem?exchange-key=sent.pem'
bad_receive "a blob that opens itself as the private key" "$unreadable" '^exchange-key: no private key' \
    'schannel:sent.pem?exchange-key=schannel:sent.pem%3Fexchange-key=bob.pem'
bad_receive "a private key that is none of RSA" "$wrong_kind" '^exchange-key: expected an RSA key, got EC' \
    'schannel:sent.pem?exchange-key=ec.pem'
bad_receive "one of two private keys that is none of RSA" "$wrong_kind" '^exchange-key: ' \
    'schannel:sent.pem?exchange-key=bob.pem&exchange-key=ec.pem'
bad_receive "a private key of another size" "$malformed" '^simple blob: 256 bytes .*64' \
    'schannel:sent.pem?exchange-key=small.pem'
bad_receive "somebody else's private key" "blob does not open" '^simple blob: .*AES-128-CBC' \
    'schannel:sent.pem?exchange-key=mallory.pem'
bad_receive "the other padding" "blob does not open" '^simple blob: .*AES-128-CBC' "$with_key&pad-mode=oaep"
bad_receive "the fallback check for a key of AES" "$wrong_kind" '^ssl2-fallback: ' \
    "$with_key&ssl2-fallback=1"
bad_receive "the fallback check in OAEP" "$conflict" '^ssl2-fallback: .*oaep' \
    'schannel:ssl2-sent.pem?exchange-key=bob.pem&ssl2-fallback=1&pad-mode=oaep'
bad_receive "a padding that does not exist" "$invalid" '^pad-mode: ' "$with_key&pad-mode=raw"
bad_receive "a salt for AES" "$invalid" '^salt-mode: .*AES-128-CBC' "$with_key&salt-mode=zero"
bad_receive "a salt that is made up" "$invalid" '^salt-mode: expected none or zero' "$with_key&salt-mode=create"
bad_receive "an audience of a simple blob" "$conflict" '^audience: belongs to an opaque blob' \
    "$with_key&audience=bob"
for option in signature-key=alice.crt purpose=storage max-age=60 expect-serial=1 message-hash=1; do
    bad_receive "a signed blob expected by ${option%%=*}" "blob is not signed" '.*expects a signed blob' \
        "$with_key&$option"
done
bad_receive "a signed blob expected, a sealed one there" "blob is not signed" '^signature-key: .*opaque blob' \
    'schannel:key.pem?signature-key=alice.crt'
bad_receive "exportable, but the blob says no" "$not_exportable" '^exportable: ' \
    'schannel:private.pem?exportable=1'
bad_receive "an option that there is not" "$invalid" '^URI: expected seal-key, .*, got "colour"' "$with_key&colour=red"
bad_receive "an option of exports" "$invalid" '^URI: expected seal-key, .*, got "lifetime"' "$with_key&lifetime=60"
bad_receive "an option without a value" "$invalid" '^URI: expected NAME=VALUE.*"exportable"' \
    "$with_key&exportable"
bad_receive "a word for a number" "$invalid" '^URI: expected a number.*"exportable"' "$with_key&exportable=yes"
bad_receive "a number that is too large" "$invalid" '^URI: expected a number.*"max-age"' \
    "$with_key&max-age=99999999999"
bad_receive "an age of 0" "$invalid" '^max-age: expected 1 to ' "$with_key&max-age=0"
bad_receive "hex that is none" "$invalid" '^URI: expected hex digits.*"hexexpect-serial"' \
    "$with_key&hexexpect-serial=xy"
bad_receive "a relative claim-dir" "$invalid" '^claim-dir: expected an absolute path' "$with_key&claim-dir=here"
bad_receive "a sealing key that is none" "$invalid" '^seal-key: expected file:PATH' "$with_key&seal-key=here"
for uri in 'schannel:100%.pem' 'schannel:100%x.pem' 'schannel:100%00.pem' 'schannel:sent.pem?a%2=b'; do
    bad_receive "a percent sign with nothing behind it: $uri" "$invalid" '^URI: expected two hex digits' "$uri"
done
bad_receive "no path" "$length" '^URI: the path is empty' schannel:
bad_receive "options without a path" "$length" '^URI: the path is empty' 'schannel:?exchange-key=bob.pem'
bad_receive "a host" "$invalid" '^URI: expected an absolute path' schannel://host/sent.pem
bad_receive "a URI without end" "$length" '^URI: expected at most 8192' "schannel:$(repeat x 9000)"
bad_receive "a path without end" "file cannot be read" 'File name too long' "schannel:$(repeat x 5000)"

# ---- malformed blobs ----

# patched FILE OFFSET HEX: the file with other bytes at that place.
patched() {
    perl -0777 -pe 'BEGIN { ($n, $hex) = splice @ARGV, 0, 2 } substr($_, $n, length($hex) / 2) = pack "H*", $hex' \
        "$2" "$3" "$1"
}

# bad_blob SENTENCE REASON DETAIL LABEL QUERY: bad.blob is refused as a binary file and under its label.
bad_blob() {
    dressed "$4" bad.blob >bad.pem
    bad_receive "$1, binary" "$2" "$3" "schannel:bad.blob$5"
    bad_receive "$1, in PEM" "$2" "$3" "schannel:bad.pem$5"
}

query='?exchange-key=bob.pem'
# bad_simple SENTENCE REASON DETAIL OFFSET HEX
bad_simple() {
    patched sent.blob "$4" "$5" >bad.blob
    bad_blob "a simple blob with $1" "$2" "$3" SIMPLE "$query"
}
bad_simple "another version" "unsupported blob version" '^simple blob: expected version 2 .*got 3' 1 03
bad_simple "something in the reserved field" "$malformed" '^simple blob: .*reserved .*got 1' 2 0100
bad_simple "an algorithm that there is not" "unknown algorithm" '^simple blob: ALG_ID 0x00006699' 4 99660000
bad_simple "a hash for an algorithm" "unknown algorithm" '^simple blob: ALG_ID 0x00008004' 4 04800000
bad_simple "another exchange algorithm" "unknown algorithm" '^simple blob: .*CALG_RSA_KEYX.*0x0000aa02' \
    8 02aa0000
bad_simple "another algorithm of another size" "blob does not open" 'AES-256-CBC' 4 10660000
bad_simple "the ciphertext changed" "blob does not open" 'AES-128-CBC' 20 0000000000000000
bad_simple "a ciphertext of zeros" "blob does not open" 'AES-128-CBC' 12 "$(repeat 00 256)"
bad_simple "a ciphertext that is larger than the modulus" "blob does not open" 'AES-128-CBC' 12 "$(repeat ff 256)"
for size in 8 11 12 13 139 267; do
    head -c "$size" sent.blob >bad.blob
    bad_blob "a simple blob cut after $size bytes" "$malformed" '^simple blob: ' SIMPLE "$query"
done
{
    cat sent.blob
    echo
} >bad.blob
bad_blob "a simple blob with a byte behind it" "$malformed" '^simple blob: 257 bytes' SIMPLE "$query"
head -c 5000 /dev/zero | cat sent.blob - >bad.blob
bad_blob "a simple blob without end" "$malformed" '^simple blob: longer than 2060' SIMPLE "$query"

# bad_plain SENTENCE REASON DETAIL OFFSET HEX
bad_plain() {
    patched plain.blob "$4" "$5" >bad.blob
    bad_blob "a plaintext blob with $1" "$2" "$3" PLAINTEXT ""
}
bad_plain "another version" "unsupported blob version" '^plaintext blob: ' 1 01
bad_plain "an algorithm that there is not" "unknown algorithm" '^plaintext blob: ALG_ID 0x00006699' 4 99660000
bad_plain "a size that is too large" "$malformed" '^plaintext blob: .*17 bytes, but 16 follow' 8 11000000
bad_plain "a size that is much too large" "$malformed" '^plaintext blob: .*4294967295 bytes' 8 ffffffff
bad_plain "a size that is too small" "$malformed" '^plaintext blob: .*15 bytes, but 16 follow' 8 0f000000
bad_plain "a key of another size" "$length" '^plaintext blob: expected 32 bytes for AES-256-CBC, got 16' \
    4 10660000
for size in 8 11 12 27; do
    head -c "$size" plain.blob >bad.blob
    bad_blob "a plaintext blob cut after $size bytes" "$malformed" '^plaintext blob: ' PLAINTEXT ""
done
dressed SIMPLE plain.blob >bad.pem
bad_receive "a plaintext blob under the label of a simple one" "$malformed" '^PEM: ' schannel:bad.pem
dressed SIMPLE bob.msblob >bad.pem
bad_receive "an RSA key under the label of a simple blob" "$malformed" '^PEM: ' "schannel:bad.pem$query"
plain_openssl pkey -in bob.msblob -noout 2>"$ERR" || bail "an MSBLOB is read by OpenSSL"
expect_ok "(RSA blobs are OpenSSL's own, with this provider too)" \
    schannel_openssl pkey -in bob.msblob -noout

# ---- the reason is visible everywhere ----

patched sent.blob 1 03 >version.blob
dressed SIMPLE version.blob >version.pem
for file in version.pem version.blob; do
    bad_receive "pkey -in $file says why" "unsupported blob version" '' "$file"
    expect_reason "storeutl $file says why" "unsupported blob version" schannel_openssl storeutl -noout "$file"
    expect_reason "storeutl -keys $file says why" "unsupported blob version" \
        schannel_openssl storeutl -noout -keys "$file"
    expect_reason "storeutl schannel:$file says why" "unsupported blob version" \
        schannel_openssl storeutl -noout "schannel:$file"
    expect_fail "pkeyutl -inkey $file says why" "unsupported blob version" '' \
        schannel_openssl pkeyutl -decrypt -inkey "$file" -in garbage -out "$REFUSED"
done
expect_fail "genpkey -paramfile says why" "unsupported blob version" '' send "$REFUSED" version.pem

# ---- and never a secret ----

: >said
for command in "send $REFUSED key.pem $simple" "send $REFUSED key.pem blob:plaintextblob" \
    "receive $with_key&pad-mode=oaep $REFUSED" "receive schannel:plain.pem?exportable=2 $REFUSED" \
    "receive schannel:bad.blob$query $REFUSED"; do
    # shellcheck disable=SC2086 # a command in words
    run $command
    cat "$ERR" >>said
done
patched plain.blob 8 0f000000 >bad.blob
run receive schannel:bad.blob "$REFUSED"
cat "$ERR" >>said
expect_no_secret "no reason shows key bytes" "$secret" said

finish
