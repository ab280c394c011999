#!/usr/bin/env bash
# Blobs that open once: blob-mode transfer from the openssl program.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

opened_before="blob was opened before"
expired="blob has expired"
not_recorded="claim cannot be recorded"
not_for_you="blob is for another audience"

unhex "$(hex_range 0 31)" >seal.key
chmod 600 seal.key
mkdir -m 0700 claims

# The sealing key is a file that both sides have, and so is the directory of the claims.
make_configuration sealing.cnf "file:$PWD/seal.key"
make_configuration both.cnf "file:$PWD/seal.key"
printf 'claim-dir = %s\n' "$PWD/claims" >>both.cnf
PROVIDER_OPTIONS=()
export OPENSSL_CONF="$PWD/both.cnf"

schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:AES-128-CBC \
    -pkeyopt "hexsecret:$(hex_range 0 15)" -out k.pem 2>"$ERR" || bail "a key is made"

# offer FILE OPTION...: a transfer of the key, with those generation options.
# shellcheck disable=SC2317 # called through run
offer() {
    local file=$1 option
    local -a options=()

    shift
    for option in "$@"; do
        options+=(-pkeyopt "$option")
    done
    schannel_openssl genpkey -paramfile k.pem -pkeyopt blob-mode:transfer "${options[@]}" -out "$file"
}

# made FILE OPTION...: the same, for an hour unless an option says otherwise, and it has to work.
made() {
    local file=$1

    shift
    offer "$file" lifetime:3600 "$@" 2>"$ERR" || bail "a transfer is made"
    [ -s "$file" ] || bail "a transfer is written"
}

# count_claims DIRECTORY
count_claims() {
    find "$1" -type f | wc -l
}

# take FILE OUT: the first use, an export.
# shellcheck disable=SC2317 # called through run
take() {
    schannel_openssl pkey -in "$1" -out "$2"
}

# ---- looking, and the one opening ----

expect_ok "a transfer is made" offer t.pem
expect_equal "under the label of every opaque blob" "-----BEGIN SCHANNEL OPAQUE KEY BLOB-----" \
    "$(head -1 t.pem)"
now=$(date +%s)
for time in first second; do
    expect_ok "its text is shown, the $time time" schannel_openssl pkey -in t.pem -noout -text
    expect_line "it says that it opens once" '    Transfer: opens once, not claimed here'
    expect_line "and until when" '    Not after: [0-9-]+ [0-9:]+ UTC \([0-9]+\)'
done
not_after=$(sed -n 's/^    Not after: .*(\([0-9]*\))$/\1/p' "$OUT")
if [ "$not_after" -ge $((now + 40)) ] && [ "$not_after" -le $((now + 61)) ]; then
    pass "which is a minute from when it was made"
else
    fail "which is a minute from when it was made" "now $now, not after $not_after"
fi
expect_ok "it can be checked" schannel_openssl pkey -in t.pem -noout -check
expect_ok "storeutl shows it" schannel_openssl storeutl -noout -text t.pem
expect_line "as what it is" '    Transfer: opens once, not claimed here'
expect_fail "it has no public part to write" "key has no public part" 'public' \
    schannel_openssl pkey -in t.pem -pubout -out "$REFUSED"
expect_equal "nothing of that was a claim" 0 "$(count_claims claims)"

expect_ok "it is opened" take t.pem x.pem
expect_equal "which is one claim" 1 "$(count_claims claims)"
if find claims -type f | grep -q -x -E 'claims/[0-9a-f]{16}-[0-9a-f]{16}-[0-9a-f]{8}-[0-9a-f]{32}'; then
    pass "by name"
else
    fail "by name" "$(ls claims)"
fi
expect_equal "and an empty file of its owner" "600 0" "$(stat -c '%a %s' claims/*)"
expect_fail "it does not open again" "$opened_before" "opened before \\(claim-dir $PWD/claims\\)" \
    take t.pem "$REFUSED"
# libcrypto asks two encoders for DER, so the reason comes twice: not expect_fail
rm -f "$REFUSED"
run schannel_openssl pkey -in t.pem -outform DER -out "$REFUSED"
if [ "$STATUS" -eq 0 ] || crashed || [ -s "$REFUSED" ] || [ "$(count_reasons)" -eq 0 ] ||
    [ "$(count_reasons)" -ne "$(grep -c ":schannel:.*:$opened_before:" "$ERR")" ]; then
    fail "nor to DER" "expected the command to fail with \"$opened_before\" and nothing else of ours"
else
    pass "nor to DER"
fi
expect_fail "nor for a duplicate" "$opened_before" 'opens once' \
    schannel_openssl genpkey -paramfile t.pem -out "$REFUSED"
expect_ok "it can still be looked at" schannel_openssl pkey -in t.pem -noout -text
expect_line "and says what it is" '    Transfer: opens once, not claimed here'
expect_equal "there is still one claim" 1 "$(count_claims claims)"

expect_ok "what came out of it is an ordinary key" schannel_openssl pkey -in x.pem -noout -text
expect_no_line "and no transfer" 'Transfer'
expect_equal "it is the key of the transfer" "$(key_id t.pem)" "$(key_id x.pem)"
expect_ok "it can be written again" take x.pem y.pem
expect_ok "and again" take x.pem y.pem
expect_ok "or offered again" schannel_openssl genpkey -paramfile x.pem -pkeyopt blob-mode:transfer \
    -out z.pem
expect_ok "which opens" take z.pem y.pem
expect_fail "once" "$opened_before" 'opens once' take z.pem "$REFUSED"

# ---- the binary form is the same blob ----

made t.pem
sed '/^-----/d' t.pem | plain_openssl base64 -d >t.blob
expect_ok "the binary form is shown" schannel_openssl pkey -in t.blob -noout -text
expect_line "as a transfer" '    Transfer: opens once, not claimed here'
expect_ok "storeutl shows it too" schannel_openssl storeutl -noout -text t.blob
expect_ok "it is opened" take t.blob x.pem
expect_fail "it does not open again" "$opened_before" 'opens once' take t.blob "$REFUSED"
expect_fail "and neither does the PEM of it" "$opened_before" 'opens once' take t.pem "$REFUSED"

# ---- other first uses ----

printf '0123456789abcdef' >block
made t.pem
expect_ok "a message is encrypted with it" \
    schannel_openssl pkeyutl -encrypt -inkey t.pem -in block -out message
expect_fail "which was its one opening" "$opened_before" 'opens once' take t.pem "$REFUSED"
made t.pem
expect_ok "a duplicate is generated from it" schannel_openssl genpkey -paramfile t.pem -out x.pem
expect_fail "which was its one opening too" "$opened_before" 'opens once' take t.pem "$REFUSED"
expect_fail "for another use as well" "$opened_before" 'opens once' \
    schannel_openssl pkeyutl -encrypt -inkey t.pem -in block -out "$REFUSED"

# ---- too late ----

made t.pem lifetime:1
sleep 3
expect_fail "a transfer expires" "$expired" 'expired [0-9]+ seconds ago' take t.pem "$REFUSED"
expect_ok "it can still be looked at" schannel_openssl pkey -in t.pem -noout -text
expect_line "and says so" '    Transfer: opens once, has expired'
made t.pem lifetime:86400
expect_ok "a transfer lives for a day at most" schannel_openssl pkey -in t.pem -noout
expect_fail "not for longer" "invalid parameter" '^lifetime: ' offer "$REFUSED" lifetime:86401
expect_fail "and for a second at least" "invalid parameter" '^lifetime: ' offer "$REFUSED" lifetime:0

# ---- where the claims are ----

claims_before=$(count_claims claims)
mkdir -m 0700 elsewhere
export OPENSSL_CONF="$PWD/sealing.cnf"
expect_fail "without a claim-dir there is no transfer" "$not_recorded" '^claim-dir: is not set' \
    offer "$REFUSED"
expect_ok "the claim-dir can be a generation option" offer t.pem "claim-dir:$PWD/elsewhere"
expect_ok "looking needs none" schannel_openssl pkey -in t.pem -noout -text
expect_fail "using does" "$not_recorded" '^claim-dir: is not set' take t.pem "$REFUSED"
# as an option of the duplicate it says where that one's claims are, not where this one is claimed
expect_fail "and an option for the duplicate is none for the original" "$not_recorded" \
    '^claim-dir: is not set' schannel_openssl genpkey -paramfile t.pem \
    -pkeyopt "claim-dir:$PWD/elsewhere" -out "$REFUSED"
expect_equal "nothing was claimed by that" 0 "$(count_claims elsewhere)"
export OPENSSL_CONF="$PWD/both.cnf"
expect_ok "with the configuration it opens" take t.pem x.pem
expect_equal "there" "$((claims_before + 1))" "$(count_claims claims)"

printf 'a file\n' >file
make_configuration file.cnf "file:$PWD/seal.key"
printf 'claim-dir = %s\n' "$PWD/file" >>file.cnf
make_configuration missing.cnf "file:$PWD/seal.key"
printf 'claim-dir = %s\n' "$PWD/missing" >>missing.cnf
mkdir open
chmod 0777 open
make_configuration open.cnf "file:$PWD/seal.key"
printf 'claim-dir = %s\n' "$PWD/open" >>open.cnf
made t.pem
for place in file missing; do
    case $place in
    file) what="a file" ;;
    *) what="not there" ;;
    esac
    expect_fail "a claim-dir that is $what: nothing opens" "$not_recorded" \
        "claim-dir $PWD/$place: cannot be opened" with_configuration "$place.cnf" take t.pem "$REFUSED"
    expect_ok "but it can be looked at (claim-dir is $what)" \
        with_configuration "$place.cnf" schannel_openssl pkey -in t.pem -noout -text
done
expect_fail "a claim-dir that everybody can write: nothing opens" "$not_recorded" \
    "claim-dir $PWD/open: can be written by everybody" with_configuration open.cnf take t.pem "$REFUSED"
chmod 1777 open
expect_ok "unless it is sticky" with_configuration open.cnf take t.pem x.pem
expect_fail "then it does its work" "$opened_before" "claim-dir $PWD/open" \
    with_configuration open.cnf take t.pem "$REFUSED"

# ---- the runtime key has a directory of its own ----

export OPENSSL_CONF="$PWD/sealing.cnf"
expect_ok "a transfer under the runtime key needs no claim-dir" offer t.pem seal-key:runtime
make_configuration runtime.cnf runtime
expect_ok "it is opened" with_configuration runtime.cnf take t.pem x.pem
expect_equal "the claim is beside the key" 1 "$(count_claims "$XDG_RUNTIME_DIR/schannel/claims")"
expect_equal "in a directory of its owner" 700 "$(stat -c %a "$XDG_RUNTIME_DIR/schannel/claims")"
expect_fail "and it does not open again" "$opened_before" "$XDG_RUNTIME_DIR/schannel/claims" \
    with_configuration runtime.cnf take t.pem "$REFUSED"
make_configuration default.cnf ''
expect_ok "a transfer without any sealing key named is under the runtime key" \
    with_configuration default.cnf schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:RC4 \
    -pkeyopt blob-mode:transfer -out t.pem
expect_ok "and so is its import" with_configuration default.cnf take t.pem x.pem
expect_fail "which is one" "$opened_before" "$XDG_RUNTIME_DIR/schannel/claims" \
    with_configuration default.cnf take t.pem "$REFUSED"
export OPENSSL_CONF="$PWD/both.cnf"

# ---- for whom ----

made t.pem audience:alice
expect_ok "a transfer for an audience can be looked at" schannel_openssl pkey -in t.pem -noout -text
expect_line "and says that it is not for this one" \
    '    Transfer: opens once, not claimed here, for another audience'
claims_before=$(count_claims claims)
expect_fail "it does not open for who is not named" "$not_for_you" '^audience: .*named none' \
    take t.pem "$REFUSED"
expect_equal "which claims nothing" "$claims_before" "$(count_claims claims)"
# "audience" of the duplicate is for whom that one is
expect_fail "an audience for the duplicate is none for the original" "$not_for_you" \
    '^audience: .*named none' schannel_openssl genpkey -paramfile t.pem \
    -pkeyopt blob-mode:transfer -pkeyopt audience:alice -out "$REFUSED"
sed '/^-----/d' t.pem | plain_openssl base64 -d >t.blob
if [ ! -s t.blob ] || grep -q -a alice t.blob; then
    fail "the audience is not in the file"
else
    pass "the audience is not in the file"
fi

expect_fail "a snapshot has no audience" "conflicting parameters" '^audience: ' \
    schannel_openssl genpkey -paramfile k.pem -pkeyopt audience:alice -out "$REFUSED"
expect_fail "nor a lifetime" "conflicting parameters" '^lifetime: ' \
    schannel_openssl genpkey -paramfile k.pem -pkeyopt lifetime:60 -out "$REFUSED"
expect_fail "said or not" "conflicting parameters" '^lifetime: ' \
    schannel_openssl genpkey -paramfile k.pem -pkeyopt blob-mode:snapshot -pkeyopt lifetime:60 \
    -out "$REFUSED"

finish
