#!/usr/bin/env bash
# The commands of the manual: each is taken out of its page and run, and has to print what the page
# says.  See manual_lib.sh; the C examples are manual_c.sh.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=manual_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/manual_lib.sh"

# What comes before the commands of a page.
# shellcheck disable=SC2016,SC2317 # for the other shell; called through run
prelude() {
    echo 'P="-provider default -provider schannel"'
    echo "PEER=$(at_least_3_5 && echo '"-peerkey master.pem"')"
    echo "SAMPLE='$SOURCE_DIR/openssl.cnf.sample'"
    # a sanitizer's runtime, see lib.sh
    [ -z "${SANITIZER_RUNTIME:-}" ] ||
        echo 'openssl() { LD_PRELOAD=$SANITIZER_RUNTIME ASAN_OPTIONS=detect_leaks=0 command openssl "$@"; }'
}

# script PAGE: its commands, with the standard output of each block in a file of its own.
# shellcheck disable=SC2317 # called through run
script() {
    local n
    prelude
    for ((n = 1; n <= $(count_blocks "$1" sh); n++)); do
        echo "exec >out.$n"
        blocks "$1" sh "$n"
    done
}

# runs PAGE: in a directory of its own, which becomes the working directory.
# shellcheck disable=SC2317 # called through run
runs() {
    local n status=0
    mkdir "$WORK/$1" && cd "$WORK/$1" || return 1
    script "$1" >commands.sh
    OPENSSL_MODULES="$MODULE_DIR" bash -eu -o pipefail commands.sh || status=1
    for ((n = 1; n <= $(count_blocks "$1" sh); n++)); do
        cat "out.$n"
    done
    return "$status"
}

# expected_outputs PAGE: for each block of output its kind, and the number of the commands before it.
expected_outputs() {
    perl -ne 'next unless /^=for testing (\S+)/;
        $n++ if $1 eq "sh";
        print "$1 $n\n" if $1 eq "output" || $1 eq "last-line"' "$SOURCE_DIR/doc/$1.pod"
}

# check_outputs PAGE: what its commands have printed is what it shows.
check_outputs() {
    local page=$1 kind n expected actual
    local -A count=([output]=0 [last-line]=0)

    while read -r kind n; do
        count[$kind]=$((count[$kind] + 1))
        expected=$(blocks "$page" "$kind" "${count[$kind]}" | sed '/^$/d')
        actual=$(cat "$WORK/$page/out.$n")
        [ "$kind" = output ] || actual=$(tail -n 1 <<<"$actual")
        # blank lines, as those of openssl kdf, are not shown
        expect_equal "$page: block $n prints what the page shows" "$expected" \
            "$(sed '/^$/d' <<<"$actual")"
    done < <(expected_outputs "$page")
}

# ---- every page ----

commands=0
for page in $(pages_with sh); do
    expect_ok "the commands of $page run" runs "$page"
    check_outputs "$page"
    commands=$((commands + $(blocks "$page" sh | grep -c 'openssl ')))
    cp "$OUT" "$WORK/$page/all"
done
echo "# $commands calls of openssl in the manual are run"
expect_equal "the manual has commands" yes "$([ "$commands" -ge 90 ] && echo yes || echo "only $commands")"

# A command that is not run says so.  schannel-versions(7) has those of later versions of OpenSSL,
# which cli/skey and cli/parties run with them.
for page in $(all_pages | grep -v -x schannel-versions); do
    expect_equal "$page: every block of commands is run, or says why not" "" "$(perl -ne '
        $marked = 1, next if /^=for testing/;
        if (/^\S/) { $marked = 0 }
        print "$.: $_" if !$marked && /^    (openssl|genpkey|pkeyutl) [a-z-]/;' "$SOURCE_DIR/doc/$page.pod")"
done

# ---- what particular pages promise ----

# said PAGE: what its commands have printed is the last output again.
said() {
    cp "$WORK/$1/all" "$OUT"
    cd "$WORK/$1" || exit 1
}

said schannel-exchange
expect_equal "both messages are read" 2 "$(grep -c -x 'a message' "$OUT")"
expect_line "the vault lists its key" \
    'AES-128-CBC, position 0; signed blob of signer [0-9a-f]{16}'
expect_line "the backup authority reads it" 'SCHANNEL Key: AES-128-CBC \(cipher, 128 bit\)'
expect_equal "nothing half-written is left in the vault" key.pem "$(ls -A vault)"
expect_equal "and what is there is its owner's" 600 "$(stat -c %a vault/key.pem)"

# The recipe for files, again and again, while somebody reads: always a whole key.
{
    prelude
    echo 'for n in 1 2 3 4 5 6 7 8; do'
    blocks schannel-exchange sh 4
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

said schannel-csp
expect_equal "what a client of SSL 3.0 signs has 36 bytes" 36 "$(wc -c <verify)"
expect_line "and is signed and verified as it is" 'Signature Verified Successfully'

said schannel-migration
expect_line "a known key has what it was given" '    Effective bits: 64'
expect_line "the message is read" 'a message'
expect_line "a signature that was turned round twice verifies" 'Verified OK'
expect_line "the plaintext blob holds the generated key" 'SCHANNEL Key: RC4 \(cipher, 40 bit\)'
expect_equal "a record MAC has 20 bytes" 20 "$(wc -c <record.mac)"
expect_equal "CALG_SSL3_SHAMD5 is what OpenSSL makes of 36 bytes" 256 "$(wc -c <shamd5)"

# Each C program that the page names is there, and each that is there is named.
examples=$SOURCE_DIR/tests/examples
expect_equal "the page names the C examples" "$(cd "$examples" && ls -- migration_*.c)" \
    "$(grep -o 'F<migration_[a-z]*\.c>' "$SOURCE_DIR/doc/schannel-migration.pod" | sed 's/F<\(.*\)>/\1/' | sort -u)"
for file in "$examples"/*.c "$examples"/*.sh "$examples"/*.py; do
    expect_equal "the page names ${file##*/}" yes \
        "$(grep -q -F "F<${file##*/}>" "$SOURCE_DIR/doc/schannel-migration.pod" && echo yes)"
done
for file in "$examples"/*.c "$examples"/*.sh "$examples"/*.py; do
    expect_equal "${file##*/} has less than 150 lines" yes \
        "$([ "$(wc -l <"$file")" -lt 150 ] && echo yes || echo no)"
done
for file in "$examples"/migration_*.c; do
    expect_equal "${file##*/} needs OpenSSL and the names alone" "" \
        "$(grep '^#include' "$file" | grep -v -E '<(openssl/[a-z0-9_]*|schannel/names|std[a-z]*|string)\.h>')"
done

finish
