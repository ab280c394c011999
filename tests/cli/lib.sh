# shellcheck shell=bash
# Helpers of the command line tests: sourced by every script of this directory.
#
# Expects in the environment:
#   MODULE_DIR         the directory that holds schannel.so
#   SOURCE_DIR         the root of the source tree (scripts that need the sample configuration)
#   SANITIZER_RUNTIME  only for a module built with AddressSanitizer: the runtime library that has
#                      to be loaded before the openssl program, which was built without it
#
# A script runs commands with expect_ok, expect_fail and friends, each of which prints one line
# "ok - SENTENCE" or "not ok - SENTENCE" with what the command said, and ends with "finish".
# Every script works in a directory of its own, with sealing keys of its own, gone at its end.

if [ -z "${MODULE_DIR:-}" ] || [ ! -f "$MODULE_DIR/schannel.so" ]; then
    echo "MODULE_DIR has to name the directory of schannel.so, got \"${MODULE_DIR:-}\"" >&2
    exit 1
fi
MODULE_DIR=$(cd "$MODULE_DIR" && pwd)
# shellcheck disable=SC2034 # for the scripts
CLI_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ -n "${SOURCE_DIR:-}" ]; then
    SOURCE_DIR=$(cd "$SOURCE_DIR" && pwd)
fi

WORK=$(mktemp -d "${TMPDIR:-/tmp}/schannel-cli.XXXXXX") || exit 1
trap 'rm -rf "$WORK"' EXIT
trap 'exit 1' HUP INT TERM

mkdir -m 0700 "$WORK/state" "$WORK/runtime" "$WORK/files" || exit 1
cd "$WORK/files" || exit 1

export LC_ALL=C
export OPENSSL_CONF=/dev/null
export XDG_STATE_HOME="$WORK/state"
export XDG_RUNTIME_DIR="$WORK/runtime"
unset OPENSSL_MODULES
umask 022

# How the openssl program is told to load the provider; empty when a configuration does it.
PROVIDER_OPTIONS=(-provider-path "$MODULE_DIR" -provider default -provider schannel)

# What the last command wrote, and how it ended.
OUT="$WORK/stdout"
ERR="$WORK/stderr"
STATUS=0

# Where a command that is going to be refused is told to write: see expect_fail.
REFUSED=refused-output

checks=0
failures=0

# ---- running ----

# The openssl program itself.
openssl_program() {
    if [ -n "${SANITIZER_RUNTIME:-}" ]; then
        LD_PRELOAD="$SANITIZER_RUNTIME" ASAN_OPTIONS=detect_leaks=0 openssl "$@"
    else
        openssl "$@"
    fi
}

# schannel_openssl SUBCOMMAND ARGUMENTS...: with this provider and the default one.
schannel_openssl() {
    local subcommand=$1

    shift
    openssl_program "$subcommand" "${PROVIDER_OPTIONS[@]}" "$@"
}

# plain_openssl ARGUMENTS...: without this provider, whatever the configuration says.
plain_openssl() {
    OPENSSL_CONF=/dev/null openssl "$@"
}

# run COMMAND...: standard input is empty, results are in OUT, ERR and STATUS.
run() {
    COMMAND="$*"
    "$@" </dev/null >"$OUT" 2>"$ERR"
    STATUS=$?
}

# The number of our reasons on the error queue.
count_reasons() {
    grep -c '^[0-9A-F]*:error:[0-9A-F]*:schannel:' "$ERR"
}

# A signal, or a word of a sanitizer: never right, whatever a test expects.
crashed() {
    [ "$STATUS" -ge 124 ] || grep -q -e 'Sanitizer' -e 'runtime error:' "$ERR"
}

# at_least_3_5: is it OpenSSL 3.5 or later?
at_least_3_5() {
    case $(plain_openssl version) in
    "OpenSSL 3."[0-4].*) return 1 ;;
    esac
}

# ---- reporting ----

pass() {
    checks=$((checks + 1))
    echo "ok - $1"
}

# quote NAME FILE: the beginning of what a command wrote.
quote() {
    head -c 2000 "$2" | tr -c '[:print:]\n\t' '?' | awk -v name="$1" '{ print "    " name ": " $0 }'
}

# fail SENTENCE [WHY]: with the last command and what it said.
fail() {
    checks=$((checks + 1))
    failures=$((failures + 1))
    echo "not ok - $1"
    if [ -n "${2:-}" ]; then
        echo "    $2"
    fi
    if [ -n "${COMMAND:-}" ]; then
        echo "    command: $COMMAND"
        echo "    exit status: $STATUS"
        quote stdout "$OUT"
        quote stderr "$ERR"
    fi
}

# The last line of every script.
finish() {
    echo "# $checks checks, $failures failed"
    if [ "$checks" -eq 0 ] || [ "$failures" -ne 0 ]; then
        exit 1
    fi
    exit 0
}

# Something that the test itself needs went wrong.
bail() {
    echo "not ok - $1"
    if [ -f "$ERR" ]; then
        sed 's/^/    stderr: /' "$ERR"
    fi
    exit 1
}

# ---- expectations on a command ----

# expect_ok SENTENCE COMMAND...
expect_ok() {
    local sentence=$1

    shift
    run "$@"
    if [ "$STATUS" -ne 0 ] || crashed; then
        fail "$sentence" "expected success"
    elif [ "$(count_reasons)" -ne 0 ]; then
        fail "$sentence" "succeeded, but left a reason on the error queue"
    else
        pass "$sentence"
    fi
}

# expect_fail SENTENCE REASON DETAIL COMMAND...
# Fails with exactly one reason of ours, which is REASON (its whole text), and whose sentence
# matches the extended regular expression DETAIL.  Nothing is written: $REFUSED is missing or empty
# (the openssl program may create its output file before it asks the provider).
expect_fail() {
    local sentence=$1 reason=$2 detail=$3 line

    shift 3
    rm -f "$REFUSED"
    run "$@"
    line=$(grep '^[0-9A-F]*:error:[0-9A-F]*:schannel:' "$ERR")
    if [ "$STATUS" -eq 0 ] || crashed; then
        fail "$sentence" "expected the command to fail with \"$reason\""
    elif [ "$(count_reasons)" -ne 1 ]; then
        fail "$sentence" "expected exactly one reason of the provider, \"$reason\""
    elif [[ $line != *:schannel:*:"$reason":* ]]; then
        fail "$sentence" "expected the reason \"$reason\""
    elif ! [[ ${line#*:schannel:*:"$reason":*:[0-9]*:} =~ $detail ]]; then
        fail "$sentence" "expected the reason to say \"$detail\""
    elif [ -s "$REFUSED" ]; then
        fail "$sentence" "the command failed, but wrote an output file"
    elif [ -s "$OUT" ]; then
        fail "$sentence" "the command failed, but wrote to standard output"
    else
        pass "$sentence"
    fi
}

# expect_foreign_fail SENTENCE TEXT COMMAND...
# Fails before or beside the provider: TEXT is on standard error, no reason of ours is.
expect_foreign_fail() {
    local sentence=$1 text=$2

    shift 2
    rm -f "$REFUSED"
    run "$@"
    if [ "$STATUS" -eq 0 ] || crashed; then
        fail "$sentence" "expected the command to fail"
    elif [ "$(count_reasons)" -ne 0 ]; then
        fail "$sentence" "expected no reason of this provider"
    elif ! grep -q -F -e "$text" "$ERR"; then
        fail "$sentence" "expected \"$text\""
    elif [ -s "$REFUSED" ]; then
        fail "$sentence" "the command failed, but wrote an output file"
    else
        pass "$sentence"
    fi
}

# finds_something: did the last storeutl?  From OpenSSL 3.5 on it counts no more after an error.
finds_something() {
    grep -q -E '^ *[0-9]+: |^Total found: [1-9]' "$OUT"
}

# expect_reason SENTENCE REASON COMMAND...
# For storeutl, whose exit status says little: the one reason of ours is REASON, nothing is found.
expect_reason() {
    local sentence=$1 reason=$2

    shift 2
    run "$@"
    if crashed || [ "$(count_reasons)" -ne 1 ] || ! grep -q -F ":$reason:" "$ERR"; then
        fail "$sentence" "expected exactly one reason of the provider, \"$reason\""
    elif finds_something; then
        fail "$sentence" "expected that nothing is found"
    else
        pass "$sentence"
    fi
}

# ---- expectations on what the last command wrote ----

# expect_line SENTENCE REGEX: a whole line of standard output matches.
expect_line() {
    if grep -q -x -E -e "$2" "$OUT"; then
        pass "$1"
    else
        fail "$1" "expected a line \"$2\""
    fi
}

# expect_no_line SENTENCE REGEX: no line of standard output contains a match.
expect_no_line() {
    if grep -q -E -e "$2" "$OUT"; then
        fail "$1" "expected nothing like \"$2\""
    else
        pass "$1"
    fi
}

# expect_equal SENTENCE EXPECTED ACTUAL
expect_equal() {
    if [ "$2" = "$3" ]; then
        pass "$1"
    else
        fail "$1" "expected \"$2\", got \"$3\""
    fi
}

# expect_different SENTENCE ONE OTHER: both there, and not the same.
expect_different() {
    if [ -n "$2" ] && [ -n "$3" ] && [ "$2" != "$3" ]; then
        pass "$1"
    else
        fail "$1" "expected two different values, got \"$2\" and \"$3\""
    fi
}

# expect_same_files SENTENCE ONE OTHER
expect_same_files() {
    if cmp -s "$2" "$3"; then
        pass "$1"
    else
        fail "$1" "$2 and $3 differ"
    fi
}

# hex_windows FILE: FILE as lower-case hex, once read as text that may hold hex (without colons and
# white space), once byte by byte.
hex_windows() {
    tr -d ': \t\r\n\000' <"$1" | tr 'A-F' 'a-f'
    echo
    od -An -v -tx1 <"$1" | tr -d ' \n'
    echo
}

# shows_secret FILE HEX: does any run of 6 bytes of HEX appear in FILE, printed or raw?
shows_secret() {
    local text position

    text=$(hex_windows "$1")
    for ((position = 0; position + 12 <= ${#2}; position += 2)); do
        if [[ $text == *"${2:position:12}"* ]]; then
            return 0
        fi
    done
    return 1
}

# expect_no_secret SENTENCE HEX FILE...
expect_no_secret() {
    local sentence=$1 secret=$2 file

    shift 2
    for file in "$@"; do
        if [ ! -e "$file" ] || shows_secret "$file" "$secret"; then
            fail "$sentence" "$file is missing or shows secret bytes"
            return
        fi
    done
    pass "$sentence"
}

# ---- material ----

# hex_range FIRST LAST: the bytes FIRST to LAST, counting up.
hex_range() {
    local n

    for ((n = $1; n <= $2; n++)); do
        printf '%02x' "$n"
    done
}

# repeat TEXT COUNT
repeat() {
    local n

    for ((n = 0; n < $2; n++)); do
        printf '%s' "$1"
    done
}

# unhex HEX: the bytes.
unhex() {
    perl -e 'print pack("H*", $ARGV[0])' "$1"
}

# bare_hex: standard input without colons and ends of line, in lower case.
bare_hex() {
    tr -d ':\n' | tr 'A-F' 'a-f'
}

# pem_of BLOB: the binary blob in the PEM dress of an opaque blob.
pem_of() {
    echo '-----BEGIN SCHANNEL OPAQUE KEY BLOB-----'
    plain_openssl base64 -in "$1"
    echo '-----END SCHANNEL OPAQUE KEY BLOB-----'
}

# key_text FILE: what -text shows of a key.
key_text() {
    schannel_openssl pkey -in "$1" -noout -text </dev/null 2>/dev/null
}

# without_blob: of such a text, what does not depend on the blob that the key was opened from.
without_blob() {
    grep -Ev '^    (Blob|Blob id|Sealed under|Sealed at): '
}

# expect_same_key SENTENCE TEXT TEXT: two files with texts of one key, opened from whatever blobs.
expect_same_key() {
    expect_equal "$1" "$(without_blob <"$2")" "$(without_blob <"$3")"
}

# key_id FILE
key_id() {
    key_text "$1" | sed -n 's/^ *Key id: //p'
}

# make_configuration FILE SEAL_KEY: the sample with the path of the module, and the sealing key when
# SEAL_KEY is not empty.
make_configuration() {
    local sample="${SOURCE_DIR:?has to name the source tree}/openssl.cnf.sample"

    sed "s|^# module = .*|module = $MODULE_DIR/schannel.so|" "$sample" >"$1"
    if [ -n "$2" ]; then
        sed -i "s|^# seal-key = .*|seal-key = $2|" "$1"
        grep -q "^seal-key = $2\$" "$1" || bail "the sample has no line \"# seal-key = \""
    fi
    grep -q '^module = ' "$1" || bail "the sample has no line \"# module = \""
}

# With a configuration, and without -provider: with_configuration FILE COMMAND...
with_configuration() {
    local OPENSSL_CONF=$1 PROVIDER_OPTIONS=()

    export OPENSSL_CONF
    shift
    "$@"
}
