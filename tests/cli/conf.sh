#!/usr/bin/env bash
# Everything with nothing but OPENSSL_CONF, which names a file made from openssl.cnf.sample.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command_line=("${PROVIDER_OPTIONS[@]}")
PROVIDER_OPTIONS=()

# use SEAL_KEY: from here on with a configuration of that sealing key, '' for the sample's default.
use() {
    make_configuration "$WORK/openssl.cnf" "$1"
    export OPENSSL_CONF="$WORK/openssl.cnf"
}

use ''
expect_ok "the providers are listed" schannel_openssl list -providers
# the legacy provider where it is installed
sample_providers=$'  default\n  schannel'
plain_openssl list -provider legacy -providers >/dev/null 2>&1 &&
    sample_providers=$'  default\n  legacy\n  schannel'
expect_equal "they are those of the sample" "$sample_providers" \
    "$(grep -x -E '  [a-z]+' "$OUT" | sort)"
run schannel_openssl list -cipher-algorithms
expect_line "SCHANNEL-RC4 is there" '  SCHANNEL-RC4 @ schannel'
expect_equal "and AES-128-CBC is still OpenSSL's own" default \
    "$(sed -n 's/^  {.*[ ,]AES-128-CBC[ ,].*} @ //p' "$OUT")"

# ---- every feature, with each kind of sealing key ----

unhex "$(hex_range 0 31)" >binary.key
hex_range 32 63 >hex.key
chmod 600 binary.key
chmod 640 hex.key
printf 'hello' >hello

# lifecycle NAME: derive, export, look, with the present configuration.
lifecycle() {
    local seal=$1

    expect_ok "$seal: a master is made" schannel_openssl genpkey -algorithm SCHANNEL \
        -pkeyopt alg:TLS1-MASTER -pkeyopt "hexsecret:$(hex_range 0 47)" \
        -pkeyopt "hexclient-random:$(hex_range 64 95)" \
        -pkeyopt "hexserver-random:$(hex_range 128 159)" -out "$seal.master.pem"
    expect_ok "$seal: a key is derived from it" schannel_openssl genpkey \
        -paramfile "$seal.master.pem" -pkeyopt usage:server-write-key \
        -pkeyopt cipher:AES-128-CBC -pkeyopt digest:SHA1 -out "$seal.key.pem"
    expect_ok "$seal: its text is shown" schannel_openssl pkey -in "$seal.key.pem" -text -noout
    expect_line "$seal: with its usage" '    Usage: server-write-key'
    cp "$OUT" "$seal.text"
    expect_ok "$seal: it is written as binary blob" schannel_openssl pkey -in "$seal.key.pem" \
        -outform DER -out "$seal.key.blob"
    expect_ok "$seal: which is recognised" schannel_openssl pkey -in "$seal.key.blob" -text -noout
    expect_same_key "$seal: and is the same key" "$OUT" "$seal.text"
    expect_ok "$seal: storeutl finds it" schannel_openssl storeutl -noout "$seal.key.blob"
    expect_line "$seal: once" 'Total found: 1'
    expect_ok "$seal: a duplicate is made" schannel_openssl genpkey -paramfile "$seal.key.pem" \
        -out "$seal.copy.pem"
}

lifecycle default
expect_equal "the default sealing key is made in a directory with mode 0700" 700 \
    "$(stat -c %a "$XDG_STATE_HOME/schannel")"
expect_equal "as a file with mode 0600" 600 "$(stat -c %a "$XDG_STATE_HOME/schannel/seal.key")"
expect_equal "of 32 bytes" 32 "$(stat -c %s "$XDG_STATE_HOME/schannel/seal.key")"
expect_equal "and nothing else lies beside it" seal.key "$(ls -A "$XDG_STATE_HOME/schannel")"
use user
lifecycle user
expect_ok "user is the default: what was sealed by it opens" \
    schannel_openssl pkey -in default.key.pem -noout
use runtime
lifecycle runtime
expect_equal "the runtime sealing key is made in a directory with mode 0700" 700 \
    "$(stat -c %a "$XDG_RUNTIME_DIR/schannel")"
expect_equal "as a file with mode 0600 " 600 "$(stat -c %a "$XDG_RUNTIME_DIR/schannel/seal.key")"
expect_fail "what the user key sealed does not open with the runtime key" "sealed with another key" \
    'runtime' schannel_openssl pkey -in user.key.pem -out "$REFUSED"
use "file:$PWD/binary.key"
lifecycle file-of-32-bytes
use "file:$PWD/hex.key"
lifecycle file-of-64-hex-digits
expect_fail "another file does not open what the first sealed" "sealed with another key" \
    'hex.key' schannel_openssl pkey -in file-of-32-bytes.key.pem -out "$REFUSED"
hex_range 0 31 >same.key
chmod 600 same.key
use "file:$PWD/same.key"
expect_ok "the same bytes in hex are the same key" \
    schannel_openssl pkey -in file-of-32-bytes.key.pem -noout
use fd:9
# Every command reads the descriptor to its end, so it is opened anew for each.
# shellcheck disable=SC2317 # called through run
with_fd() {
    "$@" 9<binary.key
}
expect_ok "an inherited descriptor opens what the file with the same bytes sealed" \
    with_fd schannel_openssl pkey -in file-of-32-bytes.key.pem -noout
expect_ok "and seals" with_fd schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:RC4 -out fd.pem
expect_ok "for both" with_fd schannel_openssl pkey -in fd.pem -noout
use "file:$PWD/binary.key"
expect_ok "ways of naming it" schannel_openssl pkey -in fd.pem -noout

# a command can name another one than the configuration
expect_ok "seal-key of the command goes before that of the configuration" \
    schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:RC4 -pkeyopt "seal-key:file:$PWD/hex.key" \
    -out hex.pem
expect_fail "so the configured one does not open it" "sealed with another key" 'binary.key' \
    schannel_openssl pkey -in hex.pem -out "$REFUSED"
use "file:$PWD/hex.key"
expect_ok "and the other one does" schannel_openssl pkey -in hex.pem -noout
use "file:$PWD/missing.key"
expect_fail "a configured file that is missing is said" "sealing key cannot be read" 'missing.key' \
    schannel_openssl pkey -in hex.pem -out "$REFUSED"
use nonsense
expect_fail "a configured value that does not exist is said" "invalid parameter" \
    'seal-key: .*"nonsense"' schannel_openssl pkey -in hex.pem -out "$REFUSED"
expect_ok "but derivation without keys needs no sealing key" schannel_openssl kdf -keylen 16 \
    -kdfopt usage:prf -kdfopt secret:s -kdfopt seed:s TLS1-KDF

# ---- the other commands ----

use ''
expect_ok "openssl kdf derives" schannel_openssl kdf -keylen 12 -kdfopt usage:finished-client \
    -kdfopt "hexsecret:$(hex_range 0 47)" -kdfopt handshake:handshake TLS1-KDF
expect_equal "a Finished value" 54a203053070e439e5482ba6 "$(bare_hex <"$OUT")"
expect_ok "openssl mac authenticates" schannel_openssl mac -macopt digest:MD5 \
    -macopt "hexkey:$(hex_range 0 15)" -macopt record-type:23 -macopt record-version:769 \
    -macopt record-length:5 -in hello TLS1-MAC
expect_equal "a record" 95a4549583f41e0de8de87d93ec5731e "$(bare_hex <"$OUT")"
expect_ok "openssl enc encrypts" schannel_openssl enc -SCHANNEL-RC4 -K "$(hex_range 1 16)" -in hello -out rc4
expect_ok "and decrypts" schannel_openssl enc -d -SCHANNEL-RC4 -K "$(hex_range 1 16)" -in rc4 -out again
expect_same_files "what it was" hello again
expect_ok "an RSA key is made as ever" schannel_openssl genpkey -algorithm RSA \
    -pkeyopt rsa_keygen_bits:2048 -out rsa.pem
expect_ok "and read" schannel_openssl pkey -in rsa.pem -noout

# ---- parameters on the command line ----

if at_least_3_5; then
    expect_ok "-provparam is taken" schannel_openssl genpkey -provparam "schannel:seal-key=file:$PWD/hex.key" \
        -algorithm SCHANNEL -pkeyopt alg:RC4 -out late.pem
    expect_ok "but comes when the provider has read its configuration" \
        schannel_openssl pkey -in late.pem -noout
else
    expect_foreign_fail "there is no -provparam" "Use -help for summary" schannel_openssl genpkey \
        -provparam "schannel:seal-key=file:$PWD/hex.key" -algorithm SCHANNEL -pkeyopt alg:RC4
fi

# ---- configuration and command line at once ----

PROVIDER_OPTIONS=("${command_line[@]}")
use "file:$PWD/hex.key"
expect_ok "configuration and -provider at once: the providers are listed" \
    schannel_openssl list -providers
expect_equal "each of them once" "$sample_providers" "$(grep -x -E '  [a-z]+' "$OUT" | sort)"
lifecycle both
expect_ok "and the configured sealing key is used" schannel_openssl pkey -in hex.pem -noout
PROVIDER_OPTIONS=(-provider-path "$MODULE_DIR" -provider schannel)
expect_ok "-provider schannel alone suffices beside the configuration" \
    schannel_openssl pkey -in hex.pem -noout

finish
