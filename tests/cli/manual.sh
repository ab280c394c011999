#!/usr/bin/env bash
# The commands of the manual: what stands in a page behind "=for testing sh" is taken out of it and
# run, one block after another in one shell, and has to say what the page says.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# commands PAGE [NUMBER]: one of its blocks or all, without their indentation.
# shellcheck disable=SC2317 # called through run
commands() {
    awk -v wanted="${2:-}" '/^=for testing sh$/ { number++; inside = wanted == "" || number == wanted; next }
        /^[^ \t]/ { inside = 0 }
        inside { sub(/^    /, ""); print }' "$SOURCE_DIR/doc/$1.pod"
}

# What comes before the commands of a page.
# shellcheck disable=SC2016,SC2317 # for the other shell; called through run
prelude() {
    echo 'P="-provider default -provider schannel"'
    # a sanitizer's runtime, see lib.sh
    [ -z "${SANITIZER_RUNTIME:-}" ] ||
        echo 'openssl() { LD_PRELOAD=$SANITIZER_RUNTIME ASAN_OPTIONS=detect_leaks=0 command openssl "$@"; }'
}

# runs PAGE: in a directory of its own, which becomes the working directory.
# shellcheck disable=SC2317 # called through run
runs() {
    mkdir "$WORK/$1" && cd "$WORK/$1" || return 1
    {
        prelude
        commands "$1"
    } >commands.sh
    OPENSSL_MODULES="$MODULE_DIR" bash -eu -o pipefail commands.sh
}

# expect_blocks PAGE COUNT: so many of them, or a marker was lost.
expect_blocks() {
    expect_equal "$1 has $2 blocks of commands" "$2" \
        "$(grep -c '^=for testing sh$' "$SOURCE_DIR/doc/$1.pod")"
}

expect_blocks schannel-exchange 4
expect_ok "the commands of schannel-exchange run" runs schannel-exchange
expect_equal "both messages are read" 2 "$(grep -c -x 'a message' "$OUT")"
expect_line "the vault lists its key" \
    'AES-128-CBC, position 0; signed blob of signer [0-9a-f]{16}'
expect_line "the backup authority reads it" 'SCHANNEL Key: AES-128-CBC \(cipher, 128 bit\)'
expect_equal "nothing half-written is left in the vault" key.pem "$(ls -A "$WORK/schannel-exchange/vault")"
expect_equal "and what is there is its owner's" 600 "$(stat -c %a "$WORK/schannel-exchange/vault/key.pem")"

# The recipe for files, again and again, while somebody reads: always a whole key.
{
    prelude
    echo 'for n in 1 2 3 4 5 6 7 8; do'
    commands schannel-exchange 4
    echo 'done'
} >again.sh
OPENSSL_MODULES="$MODULE_DIR" bash -eu again.sh >/dev/null 2>&1 &
writer=$!
reads=0
broken=0
while kill -0 "$writer" 2>/dev/null || [ "$reads" -eq 0 ]; do
    run schannel_openssl pkey -noout \
        -in 'schannel:vault/key.pem?signature-key=alice.pub&exchange-key=bob.pem'
    [ "$STATUS" -eq 0 ] || broken=$((broken + 1))
    reads=$((reads + 1))
done
wait "$writer" || bail "the writer of the vault"
expect_equal "whoever reads while it is written finds a whole key ($reads times)" 0 "$broken"

# ---- from CryptoAPI ----

expect_blocks schannel-migration 7
expect_ok "the commands of schannel-migration run" runs schannel-migration
expect_line "a known key has what it was given" '    Effective bits: 64'
expect_line "the message is read" 'a message'
expect_line "a signature that was turned round twice verifies" 'Verified OK'
expect_line "the plaintext blob holds the generated key" 'SCHANNEL Key: RC4 \(cipher, 40 bit\)'
expect_equal "a record MAC has 20 bytes" 20 "$(wc -c <record.mac)"
expect_equal "CALG_SSL3_SHAMD5 is what OpenSSL makes of 36 bytes" 256 "$(wc -c <shamd5)"

# Each C program that the page names is there, and each that is there is named.
expect_equal "the page names the C examples" "$(cd "$SOURCE_DIR/tests/examples" && ls -- *.c)" \
    "$(grep -o 'F<migration_[a-z]*\.c>' "$SOURCE_DIR/doc/schannel-migration.pod" | sed 's/F<\(.*\)>/\1/' | sort -u)"
for file in "$SOURCE_DIR"/tests/examples/*.c; do
    expect_equal "${file##*/} has less than 150 lines" yes \
        "$([ "$(wc -l <"$file")" -lt 150 ] && echo yes || echo no)"
    expect_equal "and needs OpenSSL and the names alone" "" \
        "$(grep '^#include' "$file" | grep -v -E '<(openssl/[a-z0-9_]*|schannel/names|std[a-z]*|string)\.h>')"
done

finish
