#!/usr/bin/env bash
# Exchange and signature keys in a TPM: swtpm emulates it, tpm2-openssl is its provider.  Simple blobs
# are opened and signed blobs made with keys that cannot leave it.
#
# The emulator serves sockets in the test's own directory and ends with the test.
set -u
# shellcheck source-path=SCRIPTDIR source=../cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib.sh"

# ---- the emulator ----

for program in swtpm tpm2_createprimary tpm2_evictcontrol tpm2_flushcontext; do
    command -v "$program" >/dev/null || bail "$program is missing: see tests/lib/install.sh"
done
TPM_MODULES=$(plain_openssl version -m | sed 's/^MODULESDIR: "\(.*\)"$/\1/')
[ -f "$TPM_MODULES/tpm2.so" ] || bail "tpm2-openssl is missing: see tests/lib/install.sh"

# A relative path is short enough for a socket, wherever the test's directory is.  "timeout" ends the
# emulator when nobody else does.
mkdir tpm-state || exit 1
timeout 1200 swtpm socket --tpm2 --tpmstate dir=tpm-state \
    --server type=unixio,path=tpm.socket --ctrl type=unixio,path=tpm.socket.ctrl \
    --flags not-need-init,startup-clear --seccomp action=none >swtpm.log 2>&1 </dev/null &
swtpm_pid=$!

trap 'kill "$swtpm_pid" 2>/dev/null; wait "$swtpm_pid" 2>/dev/null; rm -rf "$WORK"' EXIT

for ((tries = 0; tries < 300; tries++)); do
    if [ -S tpm.socket ] && [ -S tpm.socket.ctrl ]; then
        break
    fi
    kill -0 "$swtpm_pid" 2>/dev/null || bail "swtpm ended: $(tail -n 3 swtpm.log)"
    sleep 0.1
done
[ -S tpm.socket.ctrl ] || bail "swtpm has no sockets after 30 seconds: $(tail -n 3 swtpm.log)"
export TPM2TOOLS_TCTI=swtpm:path=tpm.socket TPM2OPENSSL_TCTI=swtpm:path=tpm.socket
export TSS2_LOG=all+none

# ---- the provider ----

# libcrypto takes the first provider that offers RSA: everything is done with the default one first
# and with that of the TPM first.
default_first=(-provider default -provider-path "$MODULE_DIR" -provider schannel
    -provider-path "$TPM_MODULES" -provider tpm2)
tpm_first=(-provider-path "$TPM_MODULES" -provider tpm2 -provider default
    -provider-path "$MODULE_DIR" -provider schannel)
TPM_OPTIONS=("${default_first[@]}")

tpm_openssl() {
    local subcommand=$1 runtime=()

    shift
    if [ -n "${SANITIZER_RUNTIME:-}" ]; then
        runtime=("LD_PRELOAD=$SANITIZER_RUNTIME" ASAN_OPTIONS=detect_leaks=0)
    fi
    timeout 120 env "${runtime[@]}" openssl "$subcommand" "${TPM_OPTIONS[@]}" "$@"
}

# ---- keys in the TPM ----

# make_key HANDLE ALGORITHM ATTRIBUTE [OPTION...]: a key that the TPM makes and keeps.
make_key() {
    local handle=$1 algorithm=$2 attribute=$3

    shift 3
    timeout 300 tpm2_createprimary -Q -C o -G "$algorithm" -c key.ctx "$@" \
        -a "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|$attribute" &&
        timeout 60 tpm2_evictcontrol -Q -C o -c key.ctx "$handle" &&
        timeout 60 tpm2_flushcontext -t
}

# public_of KEY FILE [OPTION...]
public_of() {
    local key=$1 file=$2

    shift 2
    tpm_openssl pkey -in "$key" "$@" -pubout -out "$file" 2>"$ERR" || bail "$key has a public part"
}

make_key 0x81000001 rsa2048 decrypt 2>"$ERR" || bail "the TPM makes an RSA key that decrypts"
make_key 0x81000002 rsa2048 sign 2>"$ERR" || bail "the TPM makes an RSA key that signs"
make_key 0x81000003 ecc256 sign 2>"$ERR" || bail "the TPM makes an EC key that signs"
make_key 0x81000004 rsa2048 decrypt -p secret 2>"$ERR" ||
    bail "the TPM makes an RSA key with a passphrase"
# This one is kept in a file, wrapped by the TPM.
tpm_options_without_us=(-provider-path "$TPM_MODULES" -provider tpm2 -provider default)
timeout 300 openssl genpkey "${tpm_options_without_us[@]}" -algorithm RSA -pkeyopt bits:2048 \
    -out wrapped.pem 2>"$ERR" || bail "the TPM makes a key and wraps it"
grep -q '^-----BEGIN TSS2 PRIVATE KEY-----$' wrapped.pem || bail "the wrapped key is one of a TPM"

public_of handle:0x81000001 persistent.pub.pem
public_of handle:0x81000002 rsa.pub.pem
public_of handle:0x81000003 ec.pub.pem
public_of 'handle:0x81000004?pass' passphrase.pub.pem -passin pass:secret
public_of wrapped.pem wrapped.pub.pem

# ---- what is exchanged ----

echo 'a message for the owner of the TPM' >message
schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:AES-128-CBC -pkeyopt exportable:1 \
    -out key.pem 2>"$ERR" || bail "a session key is made"
schannel_openssl pkeyutl -encrypt -inkey key.pem -in message -out message.enc 2>"$ERR" ||
    bail "a message is encrypted with it"

master=(-algorithm SCHANNEL -pkeyopt alg:TLS1-MASTER -pkeyopt exportable:1
    -pkeyopt "hexpremaster:0301$(repeat 5a 46)")
derivation=(-pkeyopt "hexclient-random:$(repeat 11 32)" -pkeyopt "hexserver-random:$(repeat 22 32)"
    -pkeyopt cipher:RC4 -pkeyopt digest:MD5 -pkeyopt usage:client-write-key)

# encrypt_under MASTER FILE: a message with a key that is derived from the master.
encrypt_under() {
    schannel_openssl genpkey -paramfile "$1" "${derivation[@]}" -out derived.pem &&
        schannel_openssl pkeyutl -encrypt -inkey derived.pem -in message -out "$2"
}

schannel_openssl genpkey "${master[@]}" -out master.pem 2>"$ERR" || bail "a master is made"
encrypt_under master.pem expected.enc 2>"$ERR" || bail "a message is encrypted under the master"

# write_simple RECEIVER [OPTION...]: key.simple and master.simple
write_simple() {
    local receiver=$1

    shift
    schannel_openssl genpkey -paramfile key.pem -pkeyopt blob:simpleblob \
        -pkeyopt "exchange-key:$receiver" "$@" -out key.simple 2>"$ERR" ||
        bail "a session key is written to $receiver"
    schannel_openssl genpkey "${master[@]}" -pkeyopt blob:simpleblob \
        -pkeyopt "exchange-key:$receiver" "$@" -out master.simple 2>"$ERR" ||
        bail "a master is written to $receiver"
}

# opens_key SENTENCE URI [OPTION...]
opens_key() {
    local sentence=$1 uri=$2

    shift 2
    rm -f opened.pem message.dec
    expect_ok "$sentence: a session key" tpm_openssl pkey -in "$uri" "$@" -out opened.pem
    run schannel_openssl pkeyutl -decrypt -inkey opened.pem -in message.enc -out message.dec
    expect_same_files "it decrypts the message" message message.dec
}

# opens_master SENTENCE URI [OPTION...]
opens_master() {
    local sentence=$1 uri=$2

    shift 2
    rm -f opened.pem again.enc
    expect_ok "$sentence: a premaster secret" tpm_openssl pkey -in "$uri" "$@" -out opened.pem
    run encrypt_under opened.pem again.enc
    expect_same_files "the same keys are derived from it" expected.enc again.enc
}

# opens_or_says SENTENCE DETAIL URI: what newer releases of tpm2-openssl can and older ones cannot.
opens_or_says() {
    local sentence=$1 detail=$2 uri=$3

    run tpm_openssl pkey -in "$uri" -noout
    if [ "$STATUS" -eq 0 ]; then
        expect_ok "$sentence" tpm_openssl pkey -in "$uri" -noout
    else
        expect_fail "$sentence is not offered, and that is said" "wrong kind of key" "$detail" \
            tpm_openssl pkey -in "$uri" -noout
    fi
}

# ---- simple blobs ----

# exchange_key_opens NAME KEY
exchange_key_opens() {
    local where="$order, $1 key" key=$2

    write_simple "$1.pub.pem"
    opens_key "$where" "schannel:key.simple?exchange-key=$key"
    opens_master "$where" "schannel:master.simple?exchange-key=$key"
    rm -f message.dec
    expect_ok "$where: a message in one command, as in the manual" tpm_openssl pkeyutl -decrypt \
        -in message.enc -inkey "schannel:key.simple?exchange-key=$key" -out message.dec
    expect_same_files "it is the message" message message.dec

    write_simple "$1.pub.pem" -pkeyopt pad-mode:oaep
    opens_or_says "$where: OAEP" 'does not offer RSA decryption with this pad-mode' \
        "schannel:key.simple?exchange-key=$key&pad-mode=oaep"
    schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:SSL2-MASTER -pkeyopt exportable:1 \
        -pkeyopt "hexsecret:$(hex_range 1 16)" -pkeyopt blob:simpleblob \
        -pkeyopt "exchange-key:$1.pub.pem" -out ssl2.simple 2>"$ERR" || bail "a blob of SSL 2.0"
    opens_or_says "$where: the mark of a fallback" 'does not show the padding' \
        "schannel:ssl2.simple?exchange-key=$key&ssl2-fallback=1"
}

# ---- signed blobs ----

# signature_key_signs NAME KEY
signature_key_signs() {
    local where="$order, $1 key" key=$2

    rm -f key.signed
    expect_ok "$where signs a stored key" tpm_openssl genpkey -paramfile key.pem \
        -pkeyopt blob:signedblob -pkeyopt "signature-key:$key" -out key.signed
    opens_key "verified without the TPM" "schannel:key.signed?signature-key=$1.pub.pem"
    opens_key "verified with the key in the TPM" "schannel:key.signed?signature-key=$key"
    expect_fail "another signer is not taken for it" "blob was signed by another key" \
        'expected the signer' tpm_openssl pkey \
        -in "schannel:key.signed?signature-key=wrapped.pub.pem" -noout
}

plain_openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out authority.pem 2>"$ERR" ||
    bail "the key of a backup authority is made"

for order in "default provider first" "provider of the TPM first"; do
    case $order in
    default*) TPM_OPTIONS=("${default_first[@]}") ;;
    *) TPM_OPTIONS=("${tpm_first[@]}") ;;
    esac

    exchange_key_opens persistent handle:0x81000001
    exchange_key_opens wrapped wrapped.pem

    write_simple passphrase.pub.pem
    opens_key "$order, key with a passphrase" \
        'schannel:key.simple?exchange-key=handle:0x81000004%3Fpass' -passin pass:secret
    expect_fail "which has to be right" "blob does not open" 'finds no AES-128-CBC key inside' \
        tpm_openssl pkey -in 'schannel:key.simple?exchange-key=handle:0x81000004%3Fpass' \
        -passin pass:wrong -noout

    signature_key_signs rsa handle:0x81000002
    signature_key_signs ec handle:0x81000003

    # Stored for oneself, with the TPM, and for a backup authority, in one blob.
    rm -f both.signed
    expect_ok "$order: a blob for the TPM and a backup authority, signed by the TPM" \
        tpm_openssl genpkey -paramfile key.pem -pkeyopt blob:signedblob -pkeyopt inner:simpleblob \
        -pkeyopt exchange-key:handle:0x81000001,authority.pem \
        -pkeyopt signature-key:handle:0x81000002 -out both.signed
    both='schannel:both.signed?signature-key=rsa.pub.pem&exchange-key='
    opens_key "with the TPM" "${both}handle:0x81000001"
    opens_key "with the authority's key" "${both}authority.pem"

    expect_fail "an EC key opens nothing" "wrong kind of key" 'expected an RSA key, got EC' \
        tpm_openssl pkey -in "${both}handle:0x81000003" -noout
    expect_fail "nor does a handle that is free" "exchange or signature key cannot be read" \
        'no private key is found in "handle:0x81000009"' \
        tpm_openssl pkey -in "${both}handle:0x81000009" -noout
done

# ---- nothing of all this is left in the TPM ----

run timeout 60 tpm2_getcap handles-transient
expect_equal "no key is left open in the TPM" "" "$(cat "$OUT")"
run timeout 60 tpm2_getcap handles-persistent
expect_equal "and those that it keeps are there" 4 "$(grep -c 0x8100000 "$OUT")"
finish
