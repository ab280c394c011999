#!/usr/bin/env bash
# The scripts of tests/examples do what they say: with recorded sessions of other makes, and with files
# that a recorded CryptoAPI has encrypted.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
examples=${SOURCE_DIR:?}/tests/examples
vectors=$SOURCE_DIR/tests/vectors

# The scripts call openssl by its name.
export OPENSSL_MODULES="$MODULE_DIR"
if [ -n "${SANITIZER_RUNTIME:-}" ]; then
    mkdir "$WORK/bin"
    printf '#!/bin/sh\nLD_PRELOAD=%s ASAN_OPTIONS=detect_leaks=0 exec %s "$@"\n' "$SANITIZER_RUNTIME" \
        "$(command -v openssl)" >"$WORK/bin/openssl"
    chmod +x "$WORK/bin/openssl"
    PATH=$WORK/bin:$PATH
fi

expect_ok "a message is sent" bash "$examples/send_message.sh" 'hello, bob'
expect_line "it arrives" 'hello, bob'
expect_line "and not with another letter" 'blob belongs to another message'

expect_ok "a key is stored and opened" bash "$examples/store_key.sh"
expect_equal "in three ways" 3 "$(grep -c -x 'what the key protects' "$OUT")"

expect_ok "Python does the main things" python3 "$examples/main_things.py"
for line in 'derive the keys of a connection: SCHANNEL Key: TLS1-MAC (mac, 160 bit)' \
    'authenticate a record: Verified OK' 'encrypt a message: a message' \
    'hand a key over: blob was opened before' 'give a key to a colleague: a letter' \
    'derive without keys: 12 bytes' 'list what is stored: 9 blobs'; do
    expect_equal "it says \"$line\"" 1 "$(grep -c -x -F "$line" "$OUT")"
done

# ---- files of CryptoAPI programs ----

# field NAME STANZA: of a stanza of a vector file.
field() {
    sed -n "s/^$1 = //p" <<<"$2"
}

# cryptoapi_file STANZA OPTION...: its ciphertext, read with its password.
# shellcheck disable=SC2317 # called through run
cryptoapi_file() {
    local stanza=$1

    shift
    unhex "$(field Ciphertext "$stanza")" >old.bin
    unhex "$(field Password "$stanza")" | bash "$examples/read_cryptoapi.sh" old.bin "$@"
}

# The files of one recorded provider that its keys make with this script's options: of each hash and
# cipher the first.
count=0
while read -r name hash alg bits; do
    stanza=$(awk -v RS= -v name="$name" '$0 ~ "\nName = " name "\n"' "$vectors/rsaenh-derive.txt")
    options=("digest:$hash" "alg:$alg" "bits:$bits")
    expect_ok "a file under a key of $hash and $alg, $bits bits, is read ($name)" \
        cryptoapi_file "$stanza" "${options[@]}"
    expect_equal "as it was" "$(field Plaintext "$stanza")" "$(od -An -v -tx1 "$OUT" | tr -d ' \n')"
    count=$((count + 1))
done < <(perl -00 -ne '
    my %f = /^(\w+) = (.*)$/mg;
    my %alg = ("RC4" => "RC4", "RC2" => "RC2-CBC", "DES" => "DES-CBC", "3DES" => "DES-EDE3-CBC",
        "3DES_112" => "DES-EDE-CBC", "AES_128" => "AES-128-CBC", "AES_256" => "AES-256-CBC");
    my %hash = (MD5 => "MD5", SHA => "SHA1", SHA1 => "SHA1", SHA_256 => "SHA256", SHA256 => "SHA256");
    next unless $f{Ciphertext} && $alg{$f{KeyAlg}} && $hash{$f{Hash}} && !($f{Salt} // "" =~ /[1-9a-f]/);
    next if $f{KeyAlg} eq "RC2" && $f{EffectiveKeyLen} != $f{KeyLen} || hex($f{Flags}) & 0x14;
    next if $seen{"$f{Hash} $f{KeyAlg}"}++;
    print "$f{Name} $hash{$f{Hash}} $alg{$f{KeyAlg}} $f{KeyLen}\n"' "$vectors/rsaenh-derive.txt")
expect_equal "recorded files are read" yes "$([ "$count" -ge 6 ] && echo yes || echo "only $count")"

# utf16_file PASSWORD
# shellcheck disable=SC2317 # called through run
utf16_file() {
    printf %s "$1" | bash "$examples/read_cryptoapi.sh" old3.bin alg:DES-EDE3-CBC utf16:1
}
echo FQPvGsmt20d2XWyPt/4VDjVjOh3MDWt1 | plain_openssl base64 -d -out old3.bin
expect_ok "a file under a password of UTF-16 is read" utf16_file pa55word
expect_line "as it was" 'since 2001, longer'
expect_fail "another password does not read it" "bad decrypt" 'padding' utf16_file pa55wore

# ---- recorded sessions ----

# client_random STREAM: of the ClientHello at the beginning of a stream in hex.
client_random() {
    printf %s "${1:22:64}"
}

# rsa_line STANZA: the key log line of an RSA key exchange, opened with the server's key.
rsa_line() {
    local stream message encrypted
    stream=$(field ClientStream "$1")
    # the record behind the ClientHello's: the ClientKeyExchange, perhaps behind an empty Certificate
    message=${stream:$((2 * (5 + 16#${stream:6:4}) + 10))}
    message=${message#0b000003000000}
    encrypted=${message:8:512}
    unhex "$(field ServerKey "$1")" >server.der
    # TLS writes a length before it
    [ "$(field Alg "$1")" = SSL3 ] || encrypted=${message:12:512}
    unhex "$encrypted" >premaster.bin
    printf 'RSA %s %s\n' "${encrypted:0:16}" "$(plain_openssl pkeyutl -decrypt -inkey server.der \
        -in premaster.bin | od -An -v -tx1 | tr -d ' \n')"
}

# The first session of each protocol, cipher and kind of key log.
# shellcheck disable=SC2016 # of perl
first='my %f = /^(\w+) = (.*)$/mg;
    next unless $f{Test};
    next if $seen{"cipher $f{Alg} $f{Cipher}"}++ & !!$seen{"log $f{Alg} " . !!$f{MasterSecret}}++;
    print "$f{Test}\n"'

sessions=0
for file in "$vectors"/session-*.txt; do
    while read -r name; do
        stanza=$(awk -v RS= -v name="$name" '$0 ~ "(^|\n)Test = " name "\n"' "$file")
        stream=$(field ClientStream "$stanza")
        unhex "$stream" >client.bin
        unhex "$(field ServerStream "$stanza")" >server.bin
        master=$(field MasterSecret "$stanza")
        if [ -n "$master" ]; then
            echo "CLIENT_RANDOM $(client_random "$stream") $master" >keylog
        else
            rsa_line "$stanza" >keylog
        fi
        expect_ok "$name is decrypted" \
            python3 "$examples/decrypt_recording.py" keylog client.bin server.bin plain
        expect_equal "$name: what the client sent" "$(field ClientData "$stanza")" \
            "$(od -An -v -tx1 plain.client | tr -d ' \n')"
        expect_equal "$name: what the client got" "$(field ServerData "$stanza")" \
            "$(od -An -v -tx1 plain.server | tr -d ' \n')"
        sessions=$((sessions + 1))
    done < <(perl -00 -ne "$first" "$file")
done
expect_equal "sessions of both protocols are decrypted" yes \
    "$([ "$sessions" -ge 10 ] && echo yes || echo "only $sessions")"
echo "# $sessions sessions, $count recorded files"

# A record that was changed shows.
printf '\001' | dd of=server.bin bs=1 seek=$(($(stat -c %s server.bin) - 30)) conv=notrunc 2>/dev/null
run python3 "$examples/decrypt_recording.py" keylog client.bin server.bin plain
expect_equal "a record that was changed is found" yes "$([ "$STATUS" -ne 0 ] && echo yes)"

finish
