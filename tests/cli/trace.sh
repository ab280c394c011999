#!/usr/bin/env bash
# Diagnostics: what SCHANNEL_TRACE and "trace" of the configuration write, where, and what they never do.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

secret=$(hex_range 16 63)
make_master=(schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:TLS1-MASTER
    -pkeyopt "hexsecret:$secret" -pkeyopt "hexclient-random:$(hex_range 64 95)"
    -pkeyopt "hexserver-random:$(hex_range 96 127)" -out master.pem)
line='^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z [0-9]+ '
id='[0-9a-f]{16}'

# traced REGEX FILE: a line of it ends like this.
traced() {
    grep -q -E "$line$1\$" "$2"
}

# expect_traced SENTENCE REGEX FILE
expect_traced() {
    if traced "$2" "$3"; then
        pass "$1"
    else
        fail "$1" "no line \"$2\" in $(cat "$3")"
    fi
}

# with_trace VALUE COMMAND...
with_trace() {
    local SCHANNEL_TRACE=$1

    export SCHANNEL_TRACE
    shift
    "$@"
}

# A write key of SSL 2.0 is the secret of its MAC as well.
derive_ssl2() {
    schannel_openssl genpkey -algorithm SCHANNEL -pkeyopt alg:SSL2-MASTER \
        -pkeyopt "hexsecret:$(hex_range 16 31)" -pkeyopt cipher:RC4 \
        -pkeyopt "hexclient-random:$(hex_range 64 79)" -pkeyopt "hexserver-random:$(hex_range 96 111)" \
        -out ssl2.pem &&
        schannel_openssl genpkey -paramfile ssl2.pem -pkeyopt usage:client-write-key -out write.pem
}

# ---- what is written ----

expect_ok "a master is made with diagnostics to a file" with_trace trace.log "${make_master[@]}"
expect_equal "nobody else can read the file" 600 "$(stat -c %a trace.log)"
expect_traced "the first line says which versions there are" \
    'schannel [0-9.]+ loaded, with OpenSSL .*: seal-key by default, claim-dir by default' trace.log
expect_traced "then what was made, and of what" "key $id TLS1-MASTER: made: known bytes" trace.log
expect_traced "and into what it was sealed" \
    "key $id TLS1-MASTER: sealed into opaque blob [0-9a-f]{32}: snapshot, under sealing key $id, .*" \
    trace.log
expect_traced "and that it was freed" "key $id TLS1-MASTER: freed" trace.log
expect_traced "the last line says good bye" 'schannel unloaded' trace.log

expect_ok "a key is derived, for a transfer" with_trace trace.log schannel_openssl genpkey \
    -paramfile master.pem -pkeyopt cipher:AES-128-CBC -pkeyopt digest:SHA1 \
    -pkeyopt usage:server-write-key -pkeyopt blob-mode:transfer -out key.pem
expect_traced "the lines go on in the same file" \
    "key $id AES-128-CBC server-write-key, position 0: derived from a master key" trace.log
printf 'hello' >hello
expect_ok "a transfer for somebody is made" with_trace trace.log schannel_openssl genpkey \
    -algorithm SCHANNEL -pkeyopt alg:RC4 -pkeyopt blob-mode:transfer -pkeyopt audience:alice \
    -out somebody.pem
expect_traced "that it is for somebody is in the line, and not for whom" \
    "key $id RC4, position 0: sealed into opaque blob [0-9a-f]{32}: transfer, .*, for an audience" \
    trace.log
expect_ok "a key is sealed under a passphrase" with_trace trace.log schannel_openssl pkey \
    -in master.pem -aes256 -passout pass:secret-words -out passphrase.pem
expect_traced "the line has no sealing key then" \
    "key $id TLS1-MASTER: sealed into opaque blob [0-9a-f]{32}: snapshot, under a passphrase, .*" \
    trace.log
expect_equal "and nothing of the passphrase or the audience" 0 \
    "$(grep -c -E 'secret-words|alice' trace.log)"
expect_ok "it encrypts a message" \
    with_trace trace.log schannel_openssl pkeyutl -encrypt -inkey key.pem -in hello -out letter
expect_traced "the transfer was claimed" \
    "key $id AES-128-CBC server-write-key, position 0: the transfer is claimed" trace.log
expect_traced "the key has moved on" \
    "key $id AES-128-CBC server-write-key, position 5: freed" trace.log
expect_ok "a MAC key is made" with_trace trace.log schannel_openssl genpkey -algorithm SCHANNEL \
    -pkeyopt alg:TLS1-MAC -pkeyopt digest:SHA1 -pkeyopt "hexsecret:$(hex_range 16 35)" -out mac.pem
expect_traced "it stands at a record" \
    "key $id TLS1-MAC, sequence 0, 0 bytes absorbed: made: known bytes" trace.log
expect_ok "a key of SSL 2.0 is derived" with_trace trace.log derive_ssl2
expect_traced "which has a record number too" \
    "key $id RC4 client-write-key, sequence 0, 0 bytes absorbed: derived from a master key" trace.log
expect_fail "once" "blob was opened before" "opens once" \
    with_trace trace.log schannel_openssl pkeyutl -encrypt -inkey key.pem -in hello -out "$REFUSED"
expect_traced "an error is a line too" 'error: blob was opened before: opaque blob: .*opens once.*' \
    trace.log
expect_ok "a MAC is computed" with_trace trace.log schannel_openssl kdf -keylen 12 \
    -kdfopt "hexsecret:$secret" -kdfopt usage:finished-client -kdfopt handshake:hello TLS1-KDF
expect_traced "and a derivation of bytes" 'TLS1-KDF: finished-client, 12 bytes' trace.log

expect_no_secret "no line shows secret bytes" "$secret" trace.log
expect_equal "every line has a time and a process" 0 "$(grep -c -v -E "$line" trace.log)"

# ---- where to ----

expect_ok "stderr is standard error" with_trace stderr schannel_openssl pkey -in master.pem -noout
expect_traced "there are the lines" "key $id TLS1-MASTER: opened from opaque blob .*" "$ERR"
expect_ok "nothing is written unless asked for" schannel_openssl pkey -in master.pem -noout
expect_equal "really nothing" "" "$(cat "$ERR")"
expect_ok "an empty value is none" with_trace '' schannel_openssl pkey -in master.pem -noout
expect_equal "and writes nothing" "" "$(cat "$ERR")"

make_configuration traced.cnf ''
sed -i "s|^# trace = .*|trace = $PWD/configured.log|" traced.cnf
expect_ok "the configuration can ask for them" \
    with_configuration "$PWD/traced.cnf" schannel_openssl pkey -in master.pem -noout
expect_traced "they are there" "key $id TLS1-MASTER: opened from .*" configured.log
before=$(wc -l <configured.log)
expect_ok "the environment comes before it" with_trace environment.log \
    with_configuration "$PWD/traced.cnf" schannel_openssl pkey -in master.pem -noout
expect_traced "they are in its file" "key $id TLS1-MASTER: opened from .*" environment.log
expect_equal "and not in the other one" "$before" "$(wc -l <configured.log)"

# ---- what can go wrong ----

expect_ok "a file that cannot be written stops nothing" \
    with_trace nowhere/trace.log schannel_openssl pkey -in master.pem -noout
expect_equal "but is said" "schannel: no diagnostics: nowhere/trace.log: No such file or directory" \
    "$(cat "$ERR")"
ln -s trace.log link.log
expect_ok "a symbolic link is not followed" \
    with_trace link.log schannel_openssl pkey -in master.pem -noout
expect_equal "and that is said" "schannel: no diagnostics: link.log: Too many levels of symbolic links" \
    "$(cat "$ERR")"
run with_trace broken.log schannel_openssl storeutl -noout $'schannel:no\nsuch\x1bfi\x7fle'
expect_equal "a name with line ends makes one line" 0 "$(grep -c -v -E "$line" broken.log)"
expect_equal "without control characters" 0 "$(grep -c -P '[\x00-\x08\x0b-\x1f\x7f]' broken.log)"
expect_traced "and it is there" 'error: file cannot be read: .*no.such.fi.le.*' broken.log
expect_ok "a file that takes nothing stops nothing" \
    with_trace /dev/full schannel_openssl pkey -in master.pem -noout
expect_equal "and is not complained of at each line" "" "$(cat "$ERR")"
long=/$(repeat a 2000)
make_configuration long.cnf ''
sed -i "s|^# claim-dir = .*|claim-dir = $long|" long.cnf
expect_ok "a long setting stops nothing" with_trace long.log \
    with_configuration "$PWD/long.cnf" schannel_openssl pkey -in master.pem -noout
expect_ok "its line ends where a line has to" test "$(head -n 1 long.log | wc -c)" -le 1024
expect_traced "in the middle of the setting" "schannel .*, claim-dir /a{800,}" long.log
expect_equal "and is followed by the others" 0 "$(grep -c -v -E "$line" long.log)"

# Two processes at once: lines stay whole.
for _ in 1 2 3 4 5 6; do
    with_trace together.log schannel_openssl pkey -in master.pem -noout </dev/null 2>/dev/null &
done
wait
expect_equal "processes that write together keep their lines whole" 0 \
    "$(grep -c -v -E "$line(schannel|key) " together.log)"
expect_equal "all of them" 6 "$(grep -c 'schannel unloaded$' together.log)"

finish
