#!/usr/bin/env bash
# The store schannel: files and directories of blobs, named by URIs that carry the import's options.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=parties.sh
. "$CLI_DIR/parties.sh"

unreadable="file cannot be read"
secret=$(plain_openssl rand -hex 16)
made new session.pem alg:AES-128-CBC "hexsecret:$secret" exportable:1
made send sent.pem session.pem blob:simpleblob exchange-key:bob.crt
made send signed.pem session.pem blob:signedblob signature-key:alice.pem
made send plain.pem session.pem blob:plaintextblob allow-plaintext:1
made new mac.pem alg:TLS1-MAC digest:SHA1 sequence:7
binary sent.pem >sent.blob

# shows SENTENCE URI [ARGUMENT...]: pkey shows the session key.
shows() {
    expect_ok "$1" schannel_openssl pkey -in "$2" -noout -text "${@:3}"
    expect_line "it is the session key" 'SCHANNEL Key: AES-128-CBC \(cipher, 128 bit\)'
}

# found SENTENCE LINES URI: what storeutl finds.
found() {
    run schannel_openssl storeutl -noout "$3"
    expect_equal "$1" "$2" "$(cat "$OUT")"
    expect_equal "without a complaint" 0 "$(count_reasons)"
}

# encoded TEXT: percent-encoded as far as it has to be.
encoded() {
    perl -e '$_ = $ARGV[0]; s/([^A-Za-z0-9._~\/-])/sprintf "%%%02X", ord $1/ge; print' "$1"
}

# ---- ways to name a file ----

shows "a relative path" 'schannel:sent.pem?exchange-key=bob.pem'
shows "a relative path of a binary blob" 'schannel:sent.blob?exchange-key=bob.pem'
shows "an absolute path" "schannel:$PWD/sent.pem?exchange-key=$PWD/bob.pem"
shows "an absolute path behind two slashes" "schannel://$PWD/sent.pem?exchange-key=$PWD/bob.pem"
shows "the scheme in capitals" 'SCHANNEL:sent.pem?exchange-key=bob.pem'
shows "a file without options" schannel:session.pem
shows "an empty query" 'schannel:session.pem?'
shows "the private key as a file: URI" "schannel:sent.pem?exchange-key=file:$PWD/bob.pem"
shows "percent-encoded, all of it" \
    'schannel:%73ent.pem?exchange%2Dkey=%62ob%2epem'
for name in 'two words' 'what?' '100%' 'a&b' 'a=b' '#1' 'grün' 'a:b' "it's" 'comma,comma' $'new\nline'; do
    cp sent.pem "$name.pem"
    shows "a file name with $(printf '%q' "$name")" "schannel:$(encoded "$name.pem")?exchange-key=bob.pem"
    cp bob.pem "$name.key"
    [ "$name" = 'comma,comma' ] ||
        shows "an exchange key of that name" "schannel:sent.pem?exchange-key=$(encoded "$name.key")"
done
shows "spaces need no encoding" 'schannel:two words.pem?exchange-key=two words.key'
expect_fail "a comma in the name of a key is one between two keys" \
    "exchange or signature key cannot be read" '^exchange-key: "comma"' \
    receive "schannel:sent.pem?exchange-key=comma%2Ccomma.key" "$REFUSED"

# The core looks for a file that is called like the URI first, but not when there are two slashes.
cp mac.pem schannel:session.pem
run schannel_openssl pkey -in schannel:session.pem -noout -text
expect_line "a file that is called like the URI comes first" 'SCHANNEL Key: TLS1-MAC .*'
shows "two slashes avoid that" "schannel://$PWD/session.pem"
rm schannel:session.pem

# ---- every command ----

printf 'some words' >text
expect_ok "pkeyutl takes the URI as its key" schannel_openssl pkeyutl -encrypt \
    -inkey 'schannel:sent.pem?exchange-key=bob.pem' -in text -out text.enc
expect_ok "to decrypt as well" schannel_openssl pkeyutl -decrypt \
    -inkey 'schannel:signed.pem?signature-key=alice.crt' -in text.enc -out text.dec
expect_same_files "with the same key" text text.dec
expect_ok "dgst takes it" schannel_openssl dgst -sign schannel:mac.pem -out text.mac text
expect_ok "pkey -check takes it" \
    schannel_openssl pkey -in 'schannel:sent.pem?exchange-key=bob.pem' -check -noout
found "storeutl finds the key" $'0: Pkey\nTotal found: 1' 'schannel:sent.pem?exchange-key=bob.pem'
expect_foreign_fail "genpkey -paramfile takes files only" "schannel:session.pem" \
    schannel_openssl genpkey -paramfile schannel:session.pem -out "$REFUSED"

# ---- several blobs in one file ----

cat sent.pem mac.pem bob.pem alice.crt plain.pem >several.pem
found "storeutl finds all blobs of a PEM file, and nothing else" \
    $'0: Pkey\n1: Pkey\n2: Pkey\nTotal found: 3' 'schannel:several.pem?exchange-key=bob.pem'
run schannel_openssl storeutl -noout -text 'schannel:several.pem?exchange-key=bob.pem'
expect_equal "in their order" "AES-128-CBC TLS1-MAC AES-128-CBC" \
    "$(sed -n 's/^SCHANNEL Key: \([^ ]*\) .*/\1/p' "$OUT" | tr '\n' ' ' | sed 's/ $//')"
shows "pkey takes the first" 'schannel:several.pem?exchange-key=bob.pem'
found "text between them does not matter" $'0: Pkey\n1: Pkey\nTotal found: 2' \
    "schannel:$( (echo Words; cat mac.pem; echo; echo More words; cat plain.pem) >words.pem; echo words.pem)"
sed 's/^-----END SCHANNEL SIMPLE.*/QUJD\n&/' sent.pem >damaged.pem
cat mac.pem damaged.pem >several.pem
run schannel_openssl storeutl -noout 'schannel:several.pem?exchange-key=bob.pem'
expect_line "a damaged one behind a good one leaves that one found" '0: Pkey'
expect_equal "and is complained of once" "1 malformed blob" \
    "$(count_reasons) $(grep -o 'malformed blob' "$ERR")"

# ---- directories ----

mkdir vault vault/empty
cp sent.pem sent.blob mac.pem signed.pem plain.pem bob.pem alice.crt vault
cp sent.pem 'vault/what? 100% #1.pem'
cp sent.pem vault/.hidden.pem
printf 'nothing of ours\n' >vault/notes.txt
: >vault/nothing
printf '\001' >vault/byte
mkfifo vault/pipe
ln -s missing vault/dangling
options='exchange-key=bob.pem'
run schannel_openssl storeutl -noout -text "schannel:vault?$options"
listing=$(cat "$OUT")
names() {
    sed -n 's/^[0-9]*: Name: //p' <<<"$listing" | sort
}
expect_equal "a directory lists its blobs, each as a URI with the options" \
    "$(printf "schannel:vault/%s?$options\n" mac.pem plain.pem sent.blob sent.pem signed.pem \
        'what%3F%20100%25%20%231.pem' | sort)" "$(names)"
expect_equal "without a complaint" 0 "$(count_reasons)"
# described FILE REGEX: the line about it.
described() {
    local line

    line=$(grep -F -A1 "vault/$1?" <<<"$listing" | sed -n 2p)
    if [[ $line =~ ^$2$ ]]; then
        pass "$1 is described"
    else
        fail "$1 is described" "expected \"$2\", got \"$line\""
    fi
}
described mac.pem "TLS1-MAC key $(key_id mac.pem), sequence 7; opaque blob"
described sent.pem 'AES-128-CBC, position 0; simple blob'
described sent.blob 'AES-128-CBC, position 0; simple blob'
described plain.pem 'AES-128-CBC, position 0; plaintext blob'
described signed.pem 'signed blob of signer [0-9a-f]{16}, not opened: signature-key: is not set: .*'
options='signature-key=alice.crt'
run schannel_openssl storeutl -noout -text "schannel:vault?$options"
listing=$(cat "$OUT")
described signed.pem "AES-128-CBC key $(key_id 'schannel:signed.pem?signature-key=alice.crt'), position 0; signed blob of signer [0-9a-f]{16}"
described mac.pem 'TLS1-MAC; opaque blob, not opened: signature-key: expects a signed blob, .*'
run schannel_openssl storeutl -noout schannel:vault/
expect_line "a slash at the end of the path is not doubled" '[0-9]+: Name: schannel:vault/mac\.pem'
run schannel_openssl storeutl -noout "schannel://$PWD/vault"
expect_line "an absolute URI lists absolute ones" "[0-9]+: Name: schannel://$PWD/vault/mac\\.pem"
expect_ok "an empty directory can be listed" schannel_openssl storeutl -noout schannel:vault/empty
expect_equal "and has nothing" nothing "$(finds_something && cat "$OUT" || echo nothing)"
run schannel_openssl storeutl -noout -r 'schannel:vault?exchange-key=bob.pem'
expect_equal "-r opens each of them, but the one whose signer is not named" \
    "5 1" "$(grep -c '^  0: Pkey$' "$OUT") $(grep -c '^  Total found: 0$' "$OUT")"
# (storeutl -r drops the reasons of what it cannot open)
uri=$(sed -n 's/^[0-9]*: Name: \(.*what.*\)$/\1/p' "$OUT")
shows "a URI from the listing can be used as it is" "$uri"

# Looking is no use of a transfer.
made send vault/once.pem mac.pem blob-mode:transfer lifetime:3600 seal-key:runtime
run schannel_openssl storeutl -noout 'schannel:vault?seal-key=runtime'
expect_line "a transfer is listed as one" 'TLS1-MAC key .*, sequence 7, transfer; opaque blob'
expect_ok "and not claimed by that" receive 'schannel:vault/once.pem?seal-key=runtime' kept.pem

# ---- exchange keys under a passphrase ----

plain_openssl pkey -in bob.pem -aes-256-cbc -passout pass:open-sesame -out locked.pem 2>"$ERR" ||
    bail "bob's key under a passphrase"
shows "an encrypted exchange key takes -passin" 'schannel:sent.pem?exchange-key=locked.pem' \
    -passin pass:open-sesame
expect_no_secret "the passphrase is nowhere" "$(printf open-sesame | od -An -tx1 | tr -d ' \n')" "$OUT" "$ERR"
expect_fail "the wrong passphrase" "exchange or signature key cannot be read" \
    '^exchange-key: "locked.pem" is encrypted, and its passphrase is not given or wrong' \
    receive 'schannel:sent.pem?exchange-key=locked.pem' "$REFUSED" -passin pass:open-barley
expect_ok "(the commands before said no more than this)" \
    receive 'schannel:sent.pem?exchange-key=locked.pem' kept.pem -passin pass:open-sesame
expect_ok "pkeyutl takes the passphrase as well" schannel_openssl pkeyutl -decrypt \
    -inkey 'schannel:sent.pem?exchange-key=locked.pem' -passin pass:open-sesame -in text.enc -out text.dec

# ---- what cannot be opened ----

for pair in "missing.pem:No such file" "vault/pipe:neither a regular file" \
    "vault/dangling:No such file" "bob.pem/in-a-file:Not a directory" "/dev/null:neither a regular file"; do
    expect_fail "no blob: ${pair%%:*}" "$unreadable" "^${pair%%:*}: .*${pair#*:}" \
        receive "schannel:${pair%%:*}" "$REFUSED"
done
cp session.pem private.pem
chmod 000 private.pem
# unprivileged COMMAND...: root reads every file, unless it gives up the right to.
# shellcheck disable=SC2317 # called through run
unprivileged() {
    if [ "$(id -u)" -eq 0 ]; then
        LD_PRELOAD="${SANITIZER_RUNTIME:-}" ASAN_OPTIONS=detect_leaks=0 setpriv \
            --bounding-set=-dac_override,-dac_read_search openssl "$1" "${PROVIDER_OPTIONS[@]}" "${@:2}"
    else
        schannel_openssl "$@"
    fi
}
expect_fail "no blob: a file that one may not read" "$unreadable" '^private.pem: Permission denied' \
    unprivileged pkey -in schannel:private.pem -out "$REFUSED"
expect_fail "no exchange key: a file that one may not read" "exchange or signature key cannot be read" \
    '^exchange-key: "private.pem": Permission denied' \
    unprivileged pkey -in 'schannel:sent.pem?exchange-key=private.pem' -out "$REFUSED"
for file in bob.pem alice.crt vault/notes.txt vault/nothing vault/byte; do
    expect_fail "no blob in $file" "malformed blob" "^$file: holds no blob" \
        receive "schannel:$file" "$REFUSED"
done
expect_foreign_fail "a directory is no key" "schannel:vault" receive schannel:vault "$REFUSED"

# ---- nothing secret in what was shown ----

for uri in 'schannel:sent.pem?exchange-key=bob.pem' 'schannel:vault?exchange-key=bob.pem' \
    'schannel:signed.pem?signature-key=alice.crt' schannel:plain.pem; do
    run schannel_openssl storeutl -noout -text "$uri"
    expect_no_secret "storeutl -text $uri shows no key bytes" "$secret" "$OUT" "$ERR"
    run schannel_openssl storeutl "$uri"
    expect_no_secret "nor without -noout: it seals what it prints" "$secret" "$OUT" "$ERR"
done

finish
