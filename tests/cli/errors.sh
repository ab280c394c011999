#!/usr/bin/env bash
# What a user can get wrong: one clear reason of the provider each time, and nothing written.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# options OPTION...: each behind -pkeyopt, in the array OPTIONS.
options() {
    local option

    OPTIONS=()
    for option in "$@"; do
        OPTIONS+=(-pkeyopt "$option")
    done
}

# new OPTION...: a key without template, written where refused commands write.
# shellcheck disable=SC2317 # called through run
new() {
    options "$@"
    schannel_openssl genpkey -algorithm SCHANNEL "${OPTIONS[@]}" -out "$REFUSED"
}

# from TEMPLATE OPTION...
# shellcheck disable=SC2317 # called through run
from() {
    local template=$1

    shift
    options "$@"
    schannel_openssl genpkey -paramfile "$template" "${OPTIONS[@]}" -out "$REFUSED"
}

# open_key FILE
# shellcheck disable=SC2317 # called through run
open_key() {
    schannel_openssl pkey -in "$1" -passin pass: -out "$REFUSED"
}

# make FILE OPTION...: material.
make() {
    local file=$1

    shift
    options "$@"
    schannel_openssl genpkey -algorithm SCHANNEL "${OPTIONS[@]}" -out "$file" 2>"$ERR" ||
        bail "genpkey $*"
}

cr=hexclient-random:$(hex_range 0 31)
sr=hexserver-random:$(hex_range 128 159)
key16=hexsecret:$(hex_range 0 15)
make master.pem alg:TLS1-MASTER "hexsecret:$(hex_range 0 47)" "$cr" "$sr"
make bare.pem alg:TLS1-MASTER "hexsecret:$(hex_range 0 47)"
make key.pem alg:AES-128-CBC "$key16"
make mac.pem alg:TLS1-MAC digest:MD5 "$key16"
schannel_openssl pkey -in key.pem -outform DER -out key.blob 2>"$ERR" || bail "a blob is made"
expect_ok "(the material is good)" schannel_openssl pkey -in key.pem -noout
expect_ok "(in both forms)" schannel_openssl pkey -in key.blob -noout

# ---- making keys ----

expect_fail "genpkey without alg" "missing parameter" '^alg: ' new bits:128
expect_fail "genpkey with an alg that does not exist" "unknown algorithm" '^alg: .*"BLOWFISH"' \
    new alg:BLOWFISH
expect_fail "genpkey with a session key for a master secret" "invalid length" '^secret: .*48.*16' \
    new alg:TLS1-MASTER "$key16"
expect_fail "genpkey with a key that is too short for AES" "invalid length" '^secret: .*15' \
    new alg:AES-128-CBC "hexsecret:$(hex_range 0 14)"
expect_fail "genpkey with a key of AES-256 for AES-128" "invalid length" '^secret: .*32' \
    new alg:AES-128-CBC "hexsecret:$(hex_range 0 31)"
expect_fail "genpkey with a random of 31 bytes" "invalid length" '^client-random: .*32.*31' \
    new alg:TLS1-MASTER "hexsecret:$(hex_range 0 47)" "hexclient-random:$(hex_range 0 30)"
expect_fail "genpkey with an RC4 key of 4 bytes" "invalid length" '^secret: .*4' \
    new alg:RC4 hexsecret:01020304
expect_fail "genpkey with an empty secret" "invalid length" '^secret: .*0' new alg:RC4 secret:
expect_fail "genpkey with bits that fit no AES-128 key" "invalid parameter" '^bits: .*256' \
    new alg:AES-128-CBC bits:256
expect_fail "genpkey with RC4 bits that are no multiple of 8" "invalid parameter" '^bits: .*44' \
    new alg:RC4 bits:44
expect_fail "genpkey with fewer RC4 bits than 40" "invalid parameter" '^bits: .*32' new alg:RC4 bits:32
expect_fail "genpkey with more RC4 bits than 128" "invalid parameter" '^bits: .*136' \
    new alg:RC4 bits:136
expect_fail "genpkey with bits for a master that it cannot have" "invalid parameter" '^bits: .*384.*128' \
    new alg:TLS1-MASTER bits:128
expect_fail "genpkey with bits and a secret that disagree" "invalid length" '^secret: .*5.*16' \
    new alg:RC4 bits:40 "$key16"
expect_fail "genpkey with premaster and secret" "conflicting parameters" 'premaster.*secret' \
    new alg:TLS1-MASTER "hexsecret:$(hex_range 0 47)" "hexpremaster:$(hex_range 0 47)"
expect_fail "genpkey with a premaster for a cipher key" "conflicting parameters" '^premaster: ' \
    new alg:AES-128-CBC "hexpremaster:$(hex_range 0 15)"
expect_fail "genpkey with randoms for a cipher key" "conflicting parameters" '^client-random: ' \
    new alg:AES-128-CBC "$cr"
expect_fail "genpkey with a MAC key without digest" "missing parameter" '^digest: ' new alg:TLS1-MAC
expect_fail "genpkey with a digest that TLS 1.0 has not" "unknown algorithm" '^digest: .*"SHA256"' \
    new alg:TLS1-MAC digest:SHA256
expect_fail "genpkey with an IV of the wrong length" "invalid length" '^iv: .*16.*8' \
    new alg:AES-128-CBC "hexiv:$(hex_range 0 7)"
expect_fail "genpkey with an IV for a stream cipher" "conflicting parameters" '^iv: .*RC4' \
    new alg:RC4 "hexiv:$(hex_range 0 7)"
expect_fail "genpkey with a sequence for a cipher key" "conflicting parameters" '^sequence: ' \
    new alg:RC4 sequence:1
expect_fail "genpkey with a salt for a key that has none" "invalid parameter" '^salt-mode: ' \
    new alg:AES-128-CBC salt-mode:zero
expect_fail "genpkey with an unknown salt-mode" "invalid parameter" '^salt-mode: .*"pepper"' \
    new alg:RC4 bits:40 salt-mode:pepper
expect_fail "genpkey with a flag of 2" "invalid parameter" '^exportable: .*2' new alg:RC4 exportable:2
expect_fail "genpkey with a usage, but no master" "conflicting parameters" '^usage: .*master' \
    new alg:RC4 usage:client-write-key
expect_foreign_fail "genpkey with an option that does not exist" "Error setting colour:red" \
    new alg:RC4 colour:red
expect_foreign_fail "genpkey with hex that is none" "illegal hex digit" new alg:RC4 hexsecret:xyxyxyxyxy

# ---- deriving keys ----

aes=(cipher:AES-128-CBC digest:SHA1)
expect_fail "deriving without usage" "missing parameter" '^usage: ' from master.pem "${aes[@]}"
expect_fail "deriving with an unknown usage" "unknown usage" '^usage: .*"read-key"' \
    from master.pem usage:read-key "${aes[@]}"
expect_fail "deriving an IV as a key" "unknown usage" '^usage: .*"client-write-iv"' \
    from master.pem usage:client-write-iv "${aes[@]}"
expect_fail "deriving from a session key" "wrong kind of key" '^usage: .*AES-128-CBC' \
    from key.pem usage:client-write-key
expect_fail "deriving from a MAC key" "wrong kind of key" '^usage: .*TLS1-MAC' \
    from mac.pem usage:client-write-key
expect_fail "a cipher for the duplicate of a session key" "wrong kind of key" '^cipher: ' \
    from key.pem cipher:RC4
expect_fail "a secret for a derived key" "conflicting parameters" '^secret: ' \
    from master.pem usage:client-write-key "${aes[@]}" "$key16"
expect_fail "an alg for a derived key" "conflicting parameters" '^alg: ' \
    from master.pem usage:client-write-key "${aes[@]}" alg:RC4
expect_fail "a secret for a duplicate" "conflicting parameters" '^secret: ' from key.pem "$key16"
expect_fail "deriving without randoms" "missing parameter" '^client-random: ' \
    from bare.pem usage:client-write-key "${aes[@]}"
expect_fail "deriving with one random" "missing parameter" '^server-random: ' \
    from bare.pem usage:client-write-key "${aes[@]}" "$cr"
expect_fail "deriving with a random of 31 bytes" "invalid length" '^server-random: .*32.*31' \
    from bare.pem usage:client-write-key "${aes[@]}" "$cr" "hexserver-random:$(hex_range 0 30)"
expect_fail "deriving without cipher" "missing parameter" '^cipher: ' \
    from master.pem usage:client-write-key digest:SHA1
expect_fail "deriving without digest" "missing parameter" '^digest: ' \
    from master.pem usage:client-write-mac
expect_fail "deriving with an unknown cipher" "unknown algorithm" '^cipher: .*"IDEA"' \
    from master.pem usage:client-write-key cipher:IDEA digest:SHA1
expect_fail "deriving with bits that the cipher has not" "invalid parameter" '^cipher-bits: .*40' \
    from master.pem usage:client-write-key "${aes[@]}" cipher-bits:40
expect_fail "deriving with MAC bits that the digest has not" "invalid parameter" '^mac-bits: .*160.*100' \
    from master.pem usage:client-write-mac "${aes[@]}" mac-bits:100
expect_fail "an IV of the wrong length for a derived key" "invalid length" '^iv: .*16.*4' \
    from master.pem usage:client-write-key "${aes[@]}" hexiv:00010203
expect_fail "a sequence for a derived cipher key" "conflicting parameters" '^sequence: ' \
    from master.pem usage:client-write-key "${aes[@]}" sequence:1
expect_fail "making a duplicate exportable" "key is not exportable" '^exportable: ' \
    from key.pem exportable:1

# ---- what this release does not write ----

expect_fail "a blob-mode there is not" "invalid parameter" '^blob-mode: .*transfer.*"loan"' \
    from key.pem blob-mode:loan
expect_fail "a publickeyblob" "invalid parameter" '^blob: expected .*"publickeyblob"' \
    from key.pem blob:publickeyblob
expect_fail "a simpleblob without a receiver" "missing parameter" '^exchange-key: is not set' \
    new alg:RC4 exportable:1 blob:simpleblob
expect_fail "a plaintextblob by mistake" "key bytes in the clear are not allowed" \
    '^allow-plaintext: is not set' new alg:RC4 exportable:1 blob:plaintextblob

# ---- sealing keys ----

unhex "$(hex_range 0 31)" >good.key
chmod 600 good.key
expect_ok "(a sealing key of 32 bytes and mode 0600 is taken)" new alg:RC4 "seal-key:file:$PWD/good.key"

# sealing SENTENCE REASON DETAIL SEAL_KEY: sealing with it, and opening with it from a configuration.
sealing() {
    local sentence=$1 reason=$2 detail=$3 seal_key=$4

    expect_fail "sealing with $sentence" "$reason" "$detail" new alg:RC4 "seal-key:$seal_key"
    make_configuration sealing.cnf "$seal_key"
    expect_fail "opening PEM with $sentence" "$reason" "$detail" \
        with_configuration sealing.cnf open_key key.pem
    expect_fail "opening a binary blob with $sentence" "$reason" "$detail" \
        with_configuration sealing.cnf open_key key.blob
}

for mode in 0604 0644 0666; do
    cp good.key exposed.key
    chmod "$mode" exposed.key
    sealing "a file of mode $mode" "sealing key is exposed to others" "exposed.key.*$mode" \
        "file:$PWD/exposed.key"
done
for mode in 0620 0602 0660; do
    cp good.key exposed.key
    chmod "$mode" exposed.key
    sealing "a file of mode $mode" "sealing key is exposed to others" "exposed.key.*$mode" \
        "file:$PWD/exposed.key"
done
for mode in 0400 0440 0640; do
    chmod "$mode" good.key
    expect_ok "(mode $mode is taken: owner and group may read it)" \
        new alg:RC4 "seal-key:file:$PWD/good.key"
done
# bad_content SENTENCE DETAIL: of the file bad.key, which stands ready.
bad_content() {
    chmod 600 bad.key
    sealing "$1" "sealing key is invalid" "bad.key.*$2" "file:$PWD/bad.key"
}
: >bad.key
bad_content "an empty file" '0 bytes'
unhex "$(hex_range 0 30)" >bad.key
bad_content "a file of 31 bytes" '31 bytes'
unhex "$(hex_range 0 32)" >bad.key
bad_content "a file of 33 bytes" '33 bytes'
printf '%s' "$(hex_range 0 30)ab" | cut -c1-63 | tr -d '\n' >bad.key
bad_content "a file of 63 hex digits" '63 bytes'
printf '%s' "$(hex_range 0 30)xy" >bad.key
bad_content "a file of 64 characters that are not all hex digits" 'hex digits'
printf '%s' "$(hex_range 0 99)" >bad.key
bad_content "a file that is much too long" 'at least'
sealing "a file that is missing" "sealing key cannot be read" 'missing.key' "file:$PWD/missing.key"
mkdir directory.key
sealing "a directory" "sealing key is invalid" 'directory.key' "file:$PWD/directory.key"
mkfifo -m 600 fifo.key
sealing "a named pipe" "sealing key is invalid" 'fifo.key' "file:$PWD/fifo.key"
sealing "a descriptor that is not open" "sealing key cannot be read" '^fd:9: ' fd:9
for value in nonsense file: fd: fd:x fd:-1 /path/without/scheme; do
    expect_fail "sealing with seal-key:$value" "invalid parameter" "^seal-key: .*\"$value\"" \
        new alg:RC4 "seal-key:$value"
done

expect_equal "(there is no runtime key yet)" '' "$(ls -A "$XDG_RUNTIME_DIR")"
XDG_RUNTIME_DIR="$WORK/missing" expect_fail "no runtime directory: sealing" \
    "no directory for the sealing key" "^seal-key runtime: .*XDG_RUNTIME_DIR" new alg:RC4 seal-key:runtime
expect_equal "it is not made either" no "$([ -e "$WORK/missing" ] && echo yes || echo no)"
mkdir -m 0755 "$WORK/open"
XDG_RUNTIME_DIR="$WORK/open" expect_fail "a runtime directory that others can enter: sealing" \
    "no directory for the sealing key" "^seal-key runtime: .*0700" new alg:RC4 seal-key:runtime
make_configuration runtime.cnf runtime
XDG_RUNTIME_DIR="$WORK/open" expect_fail "a runtime directory that others can enter: opening" \
    "no directory for the sealing key" "^seal-key runtime: .*0700" \
    with_configuration runtime.cnf open_key key.pem
expect_fail "a runtime key that was never made: opening" "sealing key cannot be read" 'no sealing key yet' \
    with_configuration runtime.cnf open_key key.pem
expect_equal "opening makes none" '' "$(ls -A "$XDG_RUNTIME_DIR")"
mkdir "$WORK/elsewhere"
XDG_STATE_HOME="$WORK/elsewhere" expect_fail "a user key that was never made: opening" \
    "sealing key cannot be read" 'no sealing key yet' open_key key.blob
expect_equal "opening makes none " '' "$(ls -A "$WORK/elsewhere")"
: >"$WORK/file"
XDG_STATE_HOME="$WORK/file" expect_fail "a state directory that is a file: sealing" \
    "no directory for the sealing key" 'cannot be' new alg:RC4
cp -a "$XDG_STATE_HOME/schannel" "$WORK/elsewhere/"
XDG_STATE_HOME="$WORK/elsewhere" expect_ok "(a copied user key opens)" \
    schannel_openssl pkey -in key.pem -noout
chmod 644 "$WORK/elsewhere/schannel/seal.key"
XDG_STATE_HOME="$WORK/elsewhere" expect_fail "a user key that others can read" \
    "sealing key is exposed to others" 'seal.key.*0644' open_key key.pem
chmod 600 "$WORK/elsewhere/schannel/seal.key"
chmod 755 "$WORK/elsewhere/schannel"
XDG_STATE_HOME="$WORK/elsewhere" expect_fail "a user key in a directory that others can enter" \
    "sealing key is exposed to others" 'schannel.*0755' open_key key.pem

# Two sealing keys: the reason names both, and the other way round when the other one is had.
unhex "$(hex_range 100 131)" >other.key
chmod 600 good.key other.key
for name in good other; do
    schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:RC4 -pkeyopt "seal-key:file:$PWD/$name.key" \
        -out "$name.pem" 2>"$ERR" || bail "a key sealed with $name.key is made"
    make_configuration "$name.cnf" "file:$PWD/$name.key"
done
expect_ok "(each opens with its own key)" with_configuration good.cnf schannel_openssl pkey -in good.pem -noout
# ids: the two key ids that the last reason names, in order.
ids() {
    sed -n 's/^.*sealed with key \([0-9a-f]\{16\}\), have \([0-9a-f]\{16\}\).*$/\1 \2/p' "$ERR"
}
expect_fail "a blob sealed with another key" "sealed with another key" 'other.key' \
    with_configuration other.cnf open_key good.pem
read -r good other <<<"$(ids)"
expect_different "the reason names both key ids" "${good:-}" "${other:-}"
expect_fail "and the other way round" "sealed with another key" 'good.key' \
    with_configuration good.cnf open_key other.pem
expect_equal "the same two" "${other:-none} ${good:-none}" "$(ids)"
expect_fail "a blob sealed with another key than the default" "sealed with another key" 'user' \
    open_key good.pem

# ---- damaged blobs ----

size=$(wc -c <key.blob)
mkdir damaged
perl -e '
    open my $in, "<", "key.blob" or die; binmode $in; local $/; my $blob = <$in>;
    for my $n (0 .. length($blob) - 1) {
        my $bad = $blob;
        substr($bad, $n, 1) ^= chr(1 << $n % 8);
        open my $out, ">", "damaged/$n" or die; binmode $out; print $out $bad;
    }'

# refused FILE: fails with one reason of ours and writes nothing; what else happened in PROBLEM.
refused() {
    rm -f "$REFUSED"
    run open_key "$1"
    if [ "$STATUS" -eq 0 ] || crashed || [ -s "$REFUSED" ] || [ "$(count_reasons)" -ne 1 ]; then
        PROBLEM="$1: exit status $STATUS, $(count_reasons) reasons"
        return 1
    fi
}

# One bit changed in byte N of the binary blob.  Its header is recognised by type, version, reserved
# field and ALG_ID together: one of them may be damaged, and the reason is still told.
wrong=
seen=0
for ((n = 0; n < size; n++)); do
    refused "damaged/$n" || wrong+=" $PROBLEM;"
    seen=$((seen + 1))
done
expect_equal "a binary blob with any byte changed is refused with one reason" "" "$wrong"
expect_equal "all bytes were tried" "$size" "$seen"
{ unhex 0903000001680001; head -c 200 /dev/zero; } >foreign.bin
expect_foreign_fail "a file with another version and ALG_ID is not ours" "key from" \
    open_key foreign.bin
# In PEM the label says that it is ours, so there every byte counts.
wrong=
for ((n = 0; n < size; n++)); do
    pem_of "damaged/$n" >damaged.pem
    refused damaged.pem || wrong+=" byte $n: $PROBLEM;"
done
expect_equal "a PEM blob with any byte changed is refused with one reason" "" "$wrong"
pem_of key.blob >damaged.pem
if refused damaged.pem; then
    fail "(the loop notices a blob that is not refused)"
else
    pass "(the loop notices a blob that is not refused)"
fi

for length in 8 9 57 58 100 105 106 $((size - 16)) $((size - 1)); do
    head -c "$length" key.blob >cut.blob
    expect_fail "a binary blob cut after $length bytes" "malformed blob" '^opaque blob: ' \
        open_key cut.blob
    pem_of cut.blob >cut.pem
    expect_fail "a PEM blob cut after $length bytes" "malformed blob" '^opaque blob: ' open_key cut.pem
done
head -c 4 key.blob >cut.blob
pem_of cut.blob >cut.pem
expect_fail "a PEM blob of 4 bytes" "malformed blob" '^opaque blob: ' open_key cut.pem
for more in 1 16 4096 20000; do
    {
        cat key.blob
        head -c "$more" /dev/zero
    } >long.blob
    expect_fail "a binary blob with $more bytes behind it" "malformed blob" '^opaque blob: ' \
        open_key long.blob
    pem_of long.blob >long.pem
    expect_fail "a PEM blob with $more bytes behind it" "malformed blob" '^opaque blob: ' \
        open_key long.pem
done
cat key.blob key.blob >long.blob
expect_fail "two binary blobs in one file" "malformed blob" '^opaque blob: ' open_key long.blob

# ---- damaged PEM ----

sed '3s/^..../****/' key.pem >bad.pem
expect_fail "characters that are not base64" "malformed blob" '^PEM: ' open_key bad.pem
sed '/^-----END/d' key.pem >bad.pem
expect_fail "no END line" "malformed blob" '^PEM: ' open_key bad.pem
sed 's/^-----END SCHANNEL OPAQUE/-----END SCHANNEL SIMPLE/' key.pem >bad.pem
expect_fail "an END line of something else" "malformed blob" '^PEM: ' open_key bad.pem
sed '3d' key.pem >bad.pem
expect_fail "a line that is missing" "malformed blob" '^opaque blob: ' open_key bad.pem
sed '1a Proc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,0011223344556677\n' key.pem >bad.pem
expect_fail "encryption header lines" "malformed blob" '^PEM: ' open_key bad.pem
printf -- '-----BEGIN SCHANNEL OPAQUE KEY BLOB-----\n-----END SCHANNEL OPAQUE KEY BLOB-----\n' >bad.pem
expect_fail "nothing between BEGIN and END" "malformed blob" '' open_key bad.pem
plain_openssl genpkey -algorithm ED25519 -outform DER -out ed25519.der 2>"$ERR" || bail "a key is made"
pem_of ed25519.der >bad.pem
expect_fail "another key under our label" "malformed blob" '^PEM: what is under the label' open_key bad.pem

# ---- the reason is visible everywhere ----

pem_of damaged/60 >seal.pem
cp damaged/60 seal.blob
pem_of damaged/8 >version.pem
cp damaged/8 version.blob
for kind in "seal:seal does not verify" "version:unsupported blob version"; do
    name=${kind%%:*}
    reason=${kind#*:}
    expect_fail "pkey -in says \"$reason\" of a PEM file" "$reason" '' open_key "$name.pem"
    expect_fail "pkey -in says \"$reason\" of a binary file" "$reason" '' open_key "$name.blob"
    expect_fail "pkey -inform PEM says \"$reason\"" "$reason" '' \
        schannel_openssl pkey -inform PEM -in "$name.pem" -out "$REFUSED"
    expect_fail "genpkey -paramfile says \"$reason\"" "$reason" '' from "$name.pem"
    expect_reason "storeutl says \"$reason\" of a PEM file" "$reason" \
        schannel_openssl storeutl -noout "$name.pem"
    expect_reason "storeutl says \"$reason\" of a binary file" "$reason" \
        schannel_openssl storeutl -noout "$name.blob"
    expect_reason "storeutl -keys says \"$reason\" of a binary file" "$reason" \
        schannel_openssl storeutl -noout -keys "$name.blob"
done
expect_reason "storeutl says that the blob was sealed with another key" "sealed with another key" \
    schannel_openssl storeutl -noout good.pem
expect_fail "genpkey -paramfile says that the blob was sealed with another key" \
    "sealed with another key" 'user' from good.pem

# No reason shows a secret: the bytes of the keys of this test are known.
: >said
for command in "new alg:AES-128-CBC hexsecret:$(hex_range 0 14)" \
    "new alg:TLS1-MASTER $key16" "from master.pem $key16 usage:client-write-key" \
    "open_key seal.pem"; do
    # shellcheck disable=SC2086 # a command in words
    run $command
    cat "$ERR" >>said
done
expect_no_secret "no reason shows secret bytes" "$(hex_range 0 47)" said

finish
