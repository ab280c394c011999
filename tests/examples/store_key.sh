#!/usr/bin/env bash
# Stores a session key and opens it again, in three ways: for this user of this machine, under a
# passphrase, and signed and readable by a backup authority too.  See schannel-blob(7) and
# schannel-exchange(7).
#
# Usage: store_key.sh    everything happens in a temporary directory; prints the message three times
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export XDG_STATE_HOME=$work
P=(-provider default -provider schannel)

openssl genpkey "${P[@]}" -algorithm SCHANNEL -pkeyopt alg:AES-128-CBC -pkeyopt exportable:1 -out key.pem
echo 'what the key protects' | openssl pkeyutl "${P[@]}" -encrypt -inkey key.pem -out message.bin

read_with() { openssl pkeyutl "${P[@]}" -decrypt -inkey "$1" -in message.bin "${@:2}"; }

# 1. A key file is sealed already: under a key of this user, made on first use.  Nothing else is needed,
# and losing that file loses the key: back it up, or do one of the others as well.
read_with key.pem
[ -s "$XDG_STATE_HOME/schannel/seal.key" ]

# 2. Under a passphrase, for another machine.
openssl pkey "${P[@]}" -in key.pem -aes256 -passout pass:correct-horse -out locked.pem
read_with locked.pem -passin pass:correct-horse

# 3. For oneself and a backup authority, signed, so that it cannot be replaced by another one.
openssl genpkey -algorithm ED25519 -out signer.pem
openssl pkey -in signer.pem -pubout -out signer.pub
for name in own backup; do
    openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out $name.pem
    openssl pkey -in $name.pem -pubout -out $name.pub
done
mkdir vault
openssl genpkey "${P[@]}" -paramfile key.pem -out vault/.key.new \
    -pkeyopt blob:signedblob -pkeyopt inner:simpleblob -pkeyopt exchange-key:own.pub,backup.pub \
    -pkeyopt signature-key:signer.pem -pkeyopt purpose:archive
sync vault/.key.new            # a file is there as a whole or not at all
mv vault/.key.new vault/key.pem

# The own key pair is lost.
rm own.pem key.pem locked.pem
openssl storeutl "${P[@]}" -noout -text \
    "schannel://$PWD/vault?signature-key=signer.pub&purpose=archive&exchange-key=backup.pem" >listing
grep -q 'AES-128-CBC, position 0; signed blob of signer' listing
read_with "schannel://$PWD/vault/key.pem?signature-key=signer.pub&purpose=archive&exchange-key=backup.pem"
