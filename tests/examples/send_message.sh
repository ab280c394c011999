#!/usr/bin/env bash
# Sends a message to a colleague: a random session key encrypts it, an envelope under the colleague's RSA
# key carries the key, and the sender's signature ties the two together.  CryptoAPI's "manual session key
# exchange", with what its documentation recommends against replay.  See schannel-exchange(7).
#
# Usage: send_message.sh TEXT    everything happens in a temporary directory; prints what arrives
set -euo pipefail

text=${1:?usage: send_message.sh TEXT}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export XDG_STATE_HOME=$work
P=(-provider default -provider schannel)

hash_of() { openssl dgst -sha256 -r "$1" | cut -d' ' -f1; }

# Long ago: each has a key pair, and the other one's public key.
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out bob.pem
openssl pkey -in bob.pem -pubout -out bob.pub
openssl genpkey -algorithm ED25519 -out alice.pem
openssl pkey -in alice.pem -pubout -out alice.pub

# Alice: a key for this message alone.  She sends letter.bin and envelope.pem.
openssl genpkey "${P[@]}" -algorithm SCHANNEL -pkeyopt alg:AES-256-CBC -pkeyopt exportable:1 \
    -out session.pem
printf '%s\n' "$text" | openssl pkeyutl "${P[@]}" -encrypt -inkey session.pem -out letter.bin
openssl genpkey "${P[@]}" -paramfile session.pem -out envelope.pem \
    -pkeyopt blob:signedblob -pkeyopt inner:simpleblob -pkeyopt exchange-key:bob.pub \
    -pkeyopt signature-key:alice.pem -pkeyopt purpose:letter -pkeyopt serial:0001 \
    -pkeyopt "hexmessage-hash:$(hash_of letter.bin)"
rm session.pem

# Bob: opens it if Alice signed it for this purpose and this letter, it is the next one, and it is new.
envelope() {
    printf 'schannel://%s?exchange-key=bob.pem&signature-key=alice.pub&purpose=letter' "$PWD/envelope.pem"
    printf '&expect-serial=0001&max-age=600&hexmessage-hash=%s' "$(hash_of letter.bin)"
}
openssl pkeyutl "${P[@]}" -decrypt -inkey "$(envelope)" -in letter.bin

# An envelope with another letter does not open.
printf x >>letter.bin
if openssl pkeyutl "${P[@]}" -decrypt -inkey "$(envelope)" -in letter.bin 2>refused; then
    echo 'a letter that was changed is read' >&2
    exit 1
fi
grep -o 'blob belongs to another message' refused
