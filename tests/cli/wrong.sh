#!/usr/bin/env bash
# schannel-errors(7): every wrong command of the page is run and has to fail with exactly the one reason and
# sentence that stand below it ("..." for what differs from run to run), and every reason of the provider has
# its entry.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=manual_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/manual_lib.sh"

export OPENSSL_MODULES="$MODULE_DIR"
# shellcheck disable=SC2034 # for the commands
P="-provider default -provider schannel" PEER=
# shellcheck disable=SC2034
at_least_3_5 && PEER="-peerkey master.pem"

# The commands of the page say "openssl".
# shellcheck disable=SC2317 # they are evaluated
openssl() {
    case ${SANITIZER_RUNTIME:-} in
    '') command openssl "$@" ;;
    *) LD_PRELOAD="$SANITIZER_RUNTIME" ASAN_OPTIONS=detect_leaks=0 command openssl "$@" ;;
    esac
}

blocks schannel-errors sh >setup.sh
# shellcheck disable=SC1091 # taken out of the page
. ./setup.sh >"$OUT" 2>"$ERR" || bail "the keys and blobs of the page"

# Each block: the command, which ends with the first line that has no backslash at its end, and in one line
# what it says, "..." for anything.
perl -e '
    undef $/;
    my $page = <>;
    for my $block ($page =~ /^=for testing wrong\n\n((?:    .*\n)+)/mg) {
        my ($command, $said) = $block =~ /^((?:[^\n]*\\\n)*[^\n]*\n)(.*)$/s or die;
        s/\\\n//g, s/\s+/ /g, s/^ | $//g for $command, $said;
        print "$command\n$said\n";
    }' "$SOURCE_DIR/doc/schannel-errors.pod" >wrong || bail "the wrong commands"

# said: reason and sentence of the last command, in one line.
said() {
    sed -n -E 's/^[0-9A-F]+:error:[0-9A-F]+:schannel:[^:]*:([^:]*):[^:]*:[0-9]+:/\1: /p' "$ERR" |
        sed 's/  */ /g; s/ $//'
}

# matches TEXT EXPECTED: equal, but for what "..." stands for.
matches() {
    local pattern=${2//\\/\\\\}

    pattern=${pattern//\*/\\*}
    pattern=${pattern//\?/\\?}
    pattern=${pattern//\[/\\[}
    pattern=${pattern//.../*}
    # shellcheck disable=SC2053 # a pattern
    [[ $1 == $pattern ]]
}

# ---- the wrong commands ----

wrong=0
while read -r -u 3 command && read -r -u 3 expected; do
    wrong=$((wrong + 1))
    rm -f no.pem no.bin
    run eval "$command"
    COMMAND=$command
    text=$(said)
    if [ "$STATUS" -eq 0 ] || crashed; then
        fail "$command" "expected it to fail"
    elif [ "$(count_reasons)" -ne 1 ]; then
        fail "$command" "expected exactly one reason"
    elif ! matches "$text" "$expected"; then
        fail "$command" "expected \"$expected\", got \"$text\""
    elif [ -s no.pem ] || [ -s no.bin ]; then
        fail "$command" "it failed, but wrote a file"
    else
        pass "$command: $text"
    fi
done 3<wrong
COMMAND=
expect_equal "each block of the page is one of them" "$(count_blocks schannel-errors wrong)" "$wrong"
expect_equal "there are at least 60" yes "$([ "$wrong" -ge 60 ] && echo yes || echo "$wrong")"
echo "# $wrong wrong commands"

# ---- the reasons ----

# Numbers and texts as the provider has them, and as the page has them.
: "${SOURCE_DIR:?}"
names=$(sed -n '/^enum schannel_reason/,/^}/s/^ *\(SCHANNEL_R_[A-Z0-9_]*\).*/\1/p' "$SOURCE_DIR/provider/errors.h")
number=0
for name in $names; do
    number=$((number + 1))
    text=$(sed -n "s/^ *{ $name, (void \*)\"\(.*\)\" },/\1/p" "$SOURCE_DIR/provider/errors.c")
    expect_equal "the page explains $name" 1 \
        "$(grep -c -x -F "=item $text ($number)" "$SOURCE_DIR/doc/schannel-errors.pod")"
done
expect_equal "and no other reason" "$number" \
    "$(grep -c '^=item .* ([0-9]*)$' "$SOURCE_DIR/doc/schannel-errors.pod")"

finish
