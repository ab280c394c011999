#!/usr/bin/env bash
#
# Every example of README.md is taken out of it and run: the shell blocks one after another in one
# shell, the C program compiled as the README says.
# Needs MODULE_DIR (where the built module is) and SOURCE_DIR; LINK_OPTIONS are those of the build.
set -u
: "${MODULE_DIR:?}" "${SOURCE_DIR:?}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir -m 0700 "$work/state" "$work/runtime"
export XDG_STATE_HOME=$work/state XDG_RUNTIME_DIR=$work/runtime OPENSSL_MODULES=$MODULE_DIR OPENSSL_CONF=/dev/null
failed=0

check() { # check SENTENCE COMMAND...
    local sentence=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        printf 'ok - %s\n' "$sentence"
    else
        printf 'not ok - %s\n' "$sentence"
        sed 's/^/    /' "$work/output"
        failed=1
    fi
}

# The nth block of a language.
block() {
    awk -v language="$1" -v wanted="$2" '
        $0 == "```" language { n++; inside = n == wanted; next }
        $0 == "```" { inside = 0 }
        inside' "$SOURCE_DIR/README.md"
}

# The first block builds, which is done; what it sets is kept but for the module's place.
block sh 1 | grep '^P=' >"$work/commands.sh"
number=2
while [ -n "$(block sh "$number")" ]; do
    block sh "$number" >>"$work/commands.sh"
    number=$((number + 1))
done
block c 1 >"$work/example.c"
cd "$work" || exit 1

check 'the shell examples run' bash -eu commands.sh
cp output said
check 'they show the derived key' grep -q 'SCHANNEL Key: AES-128-CBC (cipher, 128 bit)' said
check 'they show its usage' grep -q 'Usage: server-write-key' said
check 'storeutl finds one key in the binary blob' grep -q 'Total found: 1' said
check 'they show a blob that opens once' grep -q 'Transfer: opens once' said
check 'the message is readable again' grep -q '^hello, application$' said
check 'the exchanged messages are readable' test "$(grep -c '^hello, bob$' said)" -eq 2
check 'the stored key is listed' grep -q '^AES-256-CBC, position 0; signed blob of signer' said
check 'and restored by the backup authority' test -s restored.pem
read -ra libcrypto <<<"$(pkg-config --cflags --libs libcrypto) ${LINK_OPTIONS:-}"
check 'the C example compiles' "${CC:-cc}" -Wall -Werror -I"$SOURCE_DIR/include" example.c \
    "${libcrypto[@]}" -o example
check 'the C example moves a key' ./example
exit "$failed"
