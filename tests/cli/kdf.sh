#!/usr/bin/env bash
# openssl kdf: every usage of TLS1-KDF against published vectors, the values of the spec for the KDFs
# of the other protocols, and what is refused.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Which one "kdf" and "derives" use.
algorithm=TLS1-KDF

# kdf KEYLEN OPTION...
# shellcheck disable=SC2317 # called through run
kdf() {
    local keylen=$1 options=() option

    shift
    for option in "$@"; do
        options+=(-kdfopt "$option")
    done
    schannel_openssl kdf -keylen "$keylen" "${options[@]}" "$algorithm"
}

# derives SENTENCE EXPECTED_HEX OPTION...: the length is that of what is expected.
derives() {
    local sentence=$1 expected=$2

    shift 2
    run kdf $((${#expected} / 2)) "$@"
    if [ "$STATUS" -ne 0 ] || [ -s "$ERR" ]; then
        fail "$sentence"
    else
        expect_equal "$sentence" "$expected" "$(bare_hex <"$OUT")"
    fi
}

# ---- NIST TLS 1.0 vectors, as shipped with OpenSSL (evpkdf_tls1_prf.txt) ----

pm=bded7fa5c1699c010be23dd06ada3a48349f21e5f86263d512c0c5cc379f0e780ec55d9844b2f1db02a96453513568d0
cr=e5acaf549cd25c22d964c0d930fa4b5261d2507fad84c33715b7b9a864020693
sr=135e4d557fdf3aa6406d82975d5c606a9734c9334b42136e96990fbd5358cdb2
ms=2f6962dfbc744c4b2138bb6b3d33054c5ecc14f24851d9896395a44ab3964efc2090c5bf51a0891209f46c1e1e998f62
derives "NIST: the master secret from the premaster secret" $ms usage:master-secret \
    hexpremaster:$pm hexclient-random:$cr hexserver-random:$sr

cr=d58a7b1cd4fedaa232159df652ce188f9d997e061b9bf48e83b62990440931f6
sr=67267e650eb32444119d222a368c191af3082888dc35afe8368e638c828874be
kb=3088825988e77fce68d19f756e18e43eb7fe672433504feaf99b3c503d9091b164f166db301d70c9fc0870b4a94563907bee1a61fb786cb717576890bcc51cb9ead97e01d0a2fea99c953377b195205ff07b369589178796edc963fd80fdbe518a2fc1c35c18ae8d
master=("hexsecret:$ms" "hexclient-random:$cr" "hexserver-random:$sr")
aes=("${master[@]}" cipher:AES-128-CBC digest:SHA1)
derives "NIST: the key block" $kb usage:key-block "${master[@]}"
derives "the key block is what is derived when no usage is given" $kb "${master[@]}"
derives "one byte of the key block is its first" ${kb:0:2} "${master[@]}"
run kdf 3000 "${master[@]}"
expect_equal "a longer key block starts like a shorter one" \
    "$kb 6000" "$(bare_hex <"$OUT" | head -c 208) $(bare_hex <"$OUT" | wc -c)"
derives "AES-128-CBC with SHA1: client write MAC secret" ${kb:0:40} usage:client-write-mac "${aes[@]}"
derives "AES-128-CBC with SHA1: server write MAC secret" ${kb:40:40} usage:server-write-mac "${aes[@]}"
derives "AES-128-CBC with SHA1: client write key" ${kb:80:32} usage:client-write-key "${aes[@]}"
derives "AES-128-CBC with SHA1: server write key" ${kb:112:32} usage:server-write-key "${aes[@]}"
derives "AES-128-CBC with SHA1: client write IV" ${kb:144:32} usage:client-write-iv "${aes[@]}"
derives "AES-128-CBC with SHA1: server write IV" ${kb:176:32} usage:server-write-iv "${aes[@]}"
derives "RC4 with MD5: client write key, 128 bits when nothing else is said" ${kb:64:32} \
    usage:client-write-key "${master[@]}" cipher:RC4 digest:MD5
derives "RC4 with MD5: server write key" ${kb:96:32} \
    usage:server-write-key "${master[@]}" cipher:RC4 digest:MD5 cipher-bits:128
derives "AES-256-CBC with MD5: server write key" ${kb:128:64} \
    usage:server-write-key "${master[@]}" cipher:AES-256-CBC digest:MD5 mac-bits:128
derives "DES-EDE3-CBC with MD5: client write key, bits counted with parity" ${kb:64:48} \
    usage:client-write-key "${master[@]}" cipher:DES-EDE3-CBC digest:MD5 cipher-bits:192
derives "DES-EDE3-CBC with MD5: server write key, bits counted without parity" ${kb:112:48} \
    usage:server-write-key "${master[@]}" cipher:DES-EDE3-CBC digest:MD5 cipher-bits:168

# ---- the chain recorded against Windows (Wine's rsaenh tests, "schannel provider") ----

pm=030118d154c323693a3eb86534985ecf4e10c43f3be6fa4faa09b588f86e587e446d393965f9215a8bf5e81ee3fa19cd
ms=68862830e89878f96000c93a347336eb1a945e447355392ef63da803c3a42fe2d8b9943b228b779db15d285bbd09a3bf
cr=$(printf 'Super Secret Client Secret 12345\0' | od -An -v -tx1 | tr -d ' \n')
sr=$(printf 'Super Secret Server Secret 12345\0' | od -An -v -tx1 | tr -d ' \n')
wine=(relaxed-randoms:1 "hexclient-random:$cr" "hexserver-random:$sr" cipher:DES-CBC digest:MD5)
derives "Wine: the master secret, with randoms of 33 bytes" $ms usage:master-secret \
    hexpremaster:$pm "${wine[@]}"
for from in hexpremaster:$pm hexsecret:$ms; do
    derives "Wine: client write MAC secret from ${from%%:*}" 5161f54c15b17144d9e0bc46615e71d6 \
        usage:client-write-mac "$from" "${wine[@]}"
    derives "Wine: server write MAC secret from ${from%%:*}" f7828609cc943747762370e929c42177 \
        usage:server-write-mac "$from" "${wine[@]}"
    derives "Wine: client write DES key from ${from%%:*}" 345445ece519fc58 \
        usage:client-write-key "$from" "${wine[@]}"
    derives "Wine: server write DES key from ${from%%:*}" 3b4dfd71471b9e51 \
        usage:server-write-key "$from" "${wine[@]}"
    derives "Wine: client write IV from ${from%%:*}" fc9fa7e481290cfa \
        usage:client-write-iv "$from" "${wine[@]}"
    derives "Wine: server write IV from ${from%%:*}" 7f45363d8af89e71 \
        usage:server-write-iv "$from" "${wine[@]}"
done
derives "Wine: the PRF with label and seed" a8b2a6ef834e74b1f3b1515a1a2b1131 usage:prf \
    hexsecret:$ms "label:client finished" seed:123456789012345678901234567890123456
derives "a Finished value is that PRF over the handshake hash, of any length" \
    a8b2a6ef834e74b1f3b1515a1a2b1131 usage:finished-client hexsecret:$ms \
    handshake-hash:123456789012345678901234567890123456

# ---- export suites, RFC 2246 section 6.3.1 (computed from the specification) ----

ms=$(hex_range 0 47)
kb=c8d7f2a96d11fcf322bc8642653ee7863891bcae449ecdbf5ead09a4be5a290dff561d90f5daa6329466babd7999acac5a33
iv=a1954aa00f605f6cb14dbdf693dd0bd8
master=("hexsecret:$ms" "hexclient-random:$(hex_range 64 95)" "hexserver-random:$(hex_range 128 159)")
rc4=("${master[@]}" cipher:RC4 cipher-bits:40 export:1 digest:SHA1)
rc2=("${master[@]}" cipher:RC2-CBC cipher-bits:40 export:1 digest:SHA1)
des=("${master[@]}" cipher:DES-CBC cipher-bits:40 export:1 digest:SHA1)
derives "export: the key block" $kb "${master[@]}"
derives "export: client write MAC secret" ${kb:0:40} usage:client-write-mac "${rc4[@]}"
derives "export: server write MAC secret" ${kb:40:40} usage:server-write-mac "${rc4[@]}"
derives "export: RC4-40 client key" 7b951fee17f39477f67298fec48af103 usage:client-write-key "${rc4[@]}"
derives "export: RC4-40 server key" 7b42d600ccc222bb40dce9574152d38a usage:server-write-key "${rc4[@]}"
derives "export: RC2-40 client key" 7b951fee17f39477f67298fec48af103 usage:client-write-key "${rc2[@]}"
derives "export: RC2-40 server IV" ${iv:16} usage:server-write-iv "${rc2[@]}"
derives "export: DES-40 client key" 7b951fee17f39477 usage:client-write-key "${des[@]}"
derives "export: DES-40 server key" 7b42d600ccc222bb usage:server-write-key "${des[@]}"
derives "export: DES-40 client IV" ${iv:0:16} usage:client-write-iv "${des[@]}"
derives "export: the IV block is the PRF with an empty secret" $iv usage:prf secret: \
    "label:IV block" "hexseed:$(hex_range 64 95)$(hex_range 128 159)"
derives "a 40-bit key without export is the material itself" ${kb:80:10} usage:client-write-key \
    "${master[@]}" cipher:RC4 cipher-bits:40 digest:SHA1
derives "Finished of the client over the handshake messages" 54a203053070e439e5482ba6 \
    usage:finished-client "hexsecret:$ms" handshake:handshake
derives "Finished of the server over the handshake messages" b15d7865b01f0dcfd72cd6e7 \
    usage:finished-server "hexsecret:$ms" handshake:handshake
printf handshake >messages
hash=$(plain_openssl dgst -md5 -r messages | cut -d' ' -f1)$(plain_openssl dgst -sha1 -r messages | cut -d' ' -f1)
derives "Finished of the server over their hashes" b15d7865b01f0dcfd72cd6e7 \
    usage:finished-server "hexsecret:$ms" "hexhandshake-hash:$hash"

# ---- OpenSSL's own PRF as a second opinion ----

for secret in 78 7879 787978 "$(hex_range 0 46)" "$(hex_range 0 127)"; do
    derives "the PRF of a secret of $((${#secret} / 2)) bytes equals that of OpenSSL" \
        "$(plain_openssl kdf -keylen 77 -kdfopt digest:MD5-SHA1 -kdfopt "hexsecret:$secret" \
            -kdfopt "seed:some labelsome seed" TLS1-PRF | bare_hex)" \
        usage:prf "hexsecret:$secret" "label:some label" "seed:some seed"
done

# ---- refusals ----

ms=hexsecret:$(hex_range 0 47)
cr=hexclient-random:$(hex_range 64 95)
sr=hexserver-random:$(hex_range 128 159)
key=("$ms" "$cr" "$sr" cipher:AES-128-CBC digest:SHA1 usage:client-write-key)
short=hexclient-random:$(hex_range 0 30)
expect_ok "the command that the refusals vary is right" kdf 16 "${key[@]}"
expect_fail "a key shorter than the key is refused" "invalid length" '^keylen: .*16.*15' \
    kdf 15 "${key[@]}"
expect_fail "a key longer than the key is refused" "invalid length" '^keylen: .*16.*17' \
    kdf 17 "${key[@]}"
expect_fail "a MAC secret of another length is refused" "invalid length" '^keylen: .*20.*16' \
    kdf 16 "${key[@]}" usage:server-write-mac
expect_fail "a master secret of 47 bytes is refused" "invalid length" '^keylen: .*48.*47' \
    kdf 47 "hexpremaster:$(hex_range 0 47)" "$cr" "$sr" usage:master-secret
expect_fail "an IV of another length is refused" "invalid length" '^keylen: .*16.*8' \
    kdf 8 "${key[@]}" usage:client-write-iv
expect_fail "a missing client random is said" "missing parameter" '^client-random: ' \
    kdf 16 "$ms" "$sr" cipher:AES-128-CBC digest:SHA1 usage:client-write-key
expect_fail "a missing server random is said" "missing parameter" '^server-random: ' \
    kdf 104 "$ms" "$cr"
expect_fail "a random of 31 bytes is refused" "invalid length" '^client-random: .*32.*31' \
    kdf 104 "$ms" "$short" "$sr"
expect_fail "a random of 33 bytes is refused" "invalid length" '^server-random: .*32.*33' \
    kdf 104 "$ms" "$cr" "hexserver-random:$(hex_range 0 32)"
expect_ok "relaxed-randoms accepts a random of 1 byte" \
    kdf 104 "$ms" "$cr" hexserver-random:00 relaxed-randoms:1
expect_ok "relaxed-randoms accepts a random of 64 bytes" \
    kdf 104 "$ms" "$cr" "hexserver-random:$(hex_range 0 63)" relaxed-randoms:1
expect_fail "not even relaxed-randoms accepts 65 bytes" "invalid length" '^server-random: .*64.*65' \
    kdf 104 "$ms" "$cr" "hexserver-random:$(hex_range 0 64)" relaxed-randoms:1
expect_fail "secret and premaster together are refused" "conflicting parameters" 'premaster.*secret' \
    kdf 104 "$ms" "hexpremaster:$(hex_range 0 47)" "$cr" "$sr"
expect_fail "neither secret nor premaster is said" "missing parameter" '^secret: ' \
    kdf 104 "$cr" "$sr"
expect_fail "a master secret of 47 bytes as input is refused" "invalid length" '^secret: .*48.*47' \
    kdf 104 "hexsecret:$(hex_range 0 46)" "$cr" "$sr"
expect_fail "the master secret is not made from itself" "missing parameter" '^premaster: ' \
    kdf 48 "$ms" "$cr" "$sr" usage:master-secret
expect_fail "an unknown usage is refused" "unknown usage" '^usage: .*"both-write-key"' \
    kdf 16 "${key[@]}" usage:both-write-key
expect_fail "an unknown cipher is refused" "unknown algorithm" '^cipher: .*"CAMELLIA"' \
    kdf 16 "${key[@]}" cipher:CAMELLIA
expect_fail "an unknown digest is refused" "unknown algorithm" '^digest: .*"SHA256"' \
    kdf 16 "${key[@]}" digest:SHA256
expect_fail "a key without cipher is refused" "missing parameter" '^cipher: ' \
    kdf 16 "$ms" "$cr" "$sr" digest:SHA1 usage:client-write-key
expect_fail "a key without digest is refused" "missing parameter" '^digest: ' \
    kdf 16 "$ms" "$cr" "$sr" cipher:AES-128-CBC usage:client-write-key
expect_fail "a stream cipher has no IV" "unknown usage" '^usage: .*RC4.*IV' \
    kdf 8 "${key[@]}" cipher:RC4 usage:client-write-iv
expect_fail "AES-128-CBC has no key of 40 bits" "invalid parameter" '^cipher-bits: .*40' \
    kdf 5 "${key[@]}" cipher-bits:40
expect_fail "SHA1 has no MAC secret of 128 bits" "invalid parameter" '^mac-bits: .*160.*128' \
    kdf 20 "${key[@]}" mac-bits:128 usage:client-write-mac
expect_fail "the PRF needs a seed" "missing parameter" '^seed: ' \
    kdf 16 "$ms" usage:prf label:l
expect_fail "a Finished value needs the handshake" "missing parameter" '^handshake: ' \
    kdf 12 "$ms" usage:finished-client
expect_fail "a handshake hash has 36 bytes" "invalid length" '^handshake-hash: .*36.*35' \
    kdf 12 "$ms" usage:finished-client "hexhandshake-hash:$(hex_range 0 34)"
expect_fail "a flag is 0 or 1" "invalid parameter" '^export: .*2' \
    kdf 16 "${key[@]}" export:2
expect_foreign_fail "an unknown parameter is refused by openssl itself" "Parameter unknown" \
    kdf 16 "${key[@]}" colour:red

# ---- SSL 3.0: the published trace of an RSA_EXPORT_WITH_RC4_40_MD5 connection ----

algorithm=SSL3-KDF
pm=030043c00615e40ae7fab08f6c95d76ba677309ab80d0254b98421330b9d4621ecc79bd0d76ce3b53ff9641be0fe5b83
ms=f66398c5c484e0c4c1e74b2def629cf9fd493007ce6cb700ad0023a50d2e40b288074f19ac52b6436177d787bb179cc4
kb=182a7551f89f5cf95c900d0d762f1e9e33705828f90503855b9dac3963c9e69cd64f8ae7c966ea2d48c080a54d4af2df94d55ab3a6bcd37a00222f638eca51c6649b859b3216005cf291b24020fc613b590e9393146ac279ff41eb07c048972c7935a564eb42fa12d18115e010cfa093
trace=(hexclient-random:000000000000000000000000000000009006466920816408bab43f9f81fa5b20
    hexserver-random:340287248eeabdf7c28cfcfe395490bb06fe48b4a207fc9d2ad2d92c848258be)
rc4=(digest:MD5 cipher:RC4 cipher-bits:40 export:1)
derives "SSL 3.0: the master secret from the premaster secret" $ms usage:master-secret \
    hexpremaster:$pm "${trace[@]}"
derives "SSL 3.0: the key block, when no usage is given" $kb hexsecret:$ms "${trace[@]}"
derives "SSL 3.0: the key block from the premaster secret" $kb hexpremaster:$pm "${trace[@]}"
for from in hexpremaster:$pm hexsecret:$ms; do
    derives "SSL 3.0: client write MAC secret from ${from%%:*}" ${kb:0:32} usage:client-write-mac \
        "$from" "${trace[@]}" "${rc4[@]}"
    derives "SSL 3.0: server write MAC secret from ${from%%:*}" ${kb:32:32} usage:server-write-mac \
        "$from" "${trace[@]}" "${rc4[@]}"
    derives "SSL 3.0: final client key from ${from%%:*}" 3210cde1d6dc0783f3754c322e599661 \
        usage:client-write-key "$from" "${trace[@]}" "${rc4[@]}"
    derives "SSL 3.0: final server key from ${from%%:*}" ed0e56c8951237b621171c727991121e \
        usage:server-write-key "$from" "${trace[@]}" "${rc4[@]}"
done
derives "SSL 3.0: without export the material is the key" ${kb:64:10} usage:client-write-key \
    hexsecret:$ms "${trace[@]}" digest:MD5 cipher:RC4 cipher-bits:40
ssl3=("hexsecret:$ms" "${trace[@]}")
run kdf 416 "${ssl3[@]}"
expect_equal "SSL 3.0: the key block has up to 416 bytes" "$kb 832" \
    "$(bare_hex <"$OUT" | head -c 224) $(bare_hex <"$OUT" | wc -c)"
expect_fail "SSL 3.0: and no more" "invalid length" '^keylen: .*416.*417' kdf 417 "${ssl3[@]}"
expect_fail "SSL 3.0: a Finished hash has 36 bytes" "invalid length" '^keylen: .*36.*37' \
    kdf 37 "${ssl3[@]}" usage:finished-client handshake:h
ms=$(hex_range 0 47)
inner() { # DIGEST COUNT: MD5 or SHA-1 of the messages, the master secret and pad 1
    (printf messages && unhex "$ms" && unhex "$(printf '36%.0s' $(seq "$2"))") |
        plain_openssl dgst "-$1" -binary
}
outer() {
    (unhex "$ms" && unhex "$(printf '5c%.0s' $(seq "$2"))" && inner "$1" "$2") |
        plain_openssl dgst "-$1" -r | cut -d ' ' -f 1
}
derives "SSL 3.0: what a client signs, put together by openssl dgst" \
    "$(outer md5 48)$(outer sha1 40)" usage:certificate-verify "hexsecret:$ms" handshake:messages
expect_fail "SSL 3.0: the handshake cannot come hashed" "conflicting parameters" '^handshake-hash: ' \
    kdf 36 "${ssl3[@]}" usage:finished-client "hexhandshake-hash:$(hex_range 0 35)"
expect_fail "SSL 3.0: its function has no label" "conflicting parameters" '^label: ' \
    kdf 16 "${ssl3[@]}" usage:prf label:l seed:s

# ---- SSL 2.0 and PCT 1.0 (computed from the drafts) ----

algorithm=SSL2-KDF
ssl2=("hexclient-random:$(hex_range 16 31)" "hexserver-random:$(hex_range 48 63)")
full=("hexsecret:$(hex_range 0 15)" "${ssl2[@]}")
des=("hexsecret:$(hex_range 0 7)" "${ssl2[@]}" cipher:DES-CBC)
derives "SSL 2.0: the key material, when no usage is given" \
    70e16c433ad6bb6d0dc8c61cb0735d615ee3a45d1cd691391d2573f5d18dd286d8f31030c9c048f7f99fd4822d6b835a \
    "${full[@]}"
derives "SSL 2.0: client write key" 5ee3a45d1cd691391d2573f5d18dd286 usage:client-write-key \
    "${full[@]}" cipher:RC4
derives "SSL 2.0: server write key" 70e16c433ad6bb6d0dc8c61cb0735d61 usage:server-write-key \
    "${full[@]}" cipher:RC2-CBC
derives "SSL 2.0: an export key has a clear part" 5ee3a45d1cd691391d2573f5d18dd286 \
    usage:client-write-key "hexsecret:$(hex_range 11 15)" "hexclear-key:$(hex_range 0 10)" \
    "${ssl2[@]}" cipher:RC4 cipher-bits:40
derives "SSL 2.0: DES keys are hashed with a digit" 0a1138e48249374c usage:client-write-key \
    "${des[@]}"
derives "SSL 2.0: or without, as the draft says" 8b95ec7462fcdfce usage:client-write-key \
    "${des[@]}" ssl2-des-digit:0
expect_fail "SSL 2.0 has no MAC keys" "unknown usage" '^usage: SSL 2.0 has no client-write-mac' \
    kdf 16 "${full[@]}" usage:client-write-mac
expect_fail "SSL 2.0: a clear key that is too long" "invalid length" '^clear-key: .*17' \
    kdf 16 "${full[@]}" cipher:RC4 usage:client-write-key "hexclear-key:$(hex_range 0 16)"
expect_fail "SSL 2.0 has no certificate" "conflicting parameters" '^certificate: ' \
    kdf 16 "${full[@]}" certificate:c

algorithm=PCT1-KDF
pct1=("hexsecret:$(hex_range 0 15)" "hexclient-random:$(hex_range 32 63)"
    "hexserver-random:$(hex_range 96 127)" "certificate:PCT server certificate" digest:MD5)
derives "PCT 1.0: client write key" 0df1588924a512237a356e88d7a6358b usage:client-write-key \
    "${pct1[@]}" cipher:RC4
derives "PCT 1.0: server write key" 95b70f1df51290991fa1a8a8ecb7794f usage:server-write-key \
    "${pct1[@]}" cipher:RC4
derives "PCT 1.0: client write MAC key" f830e44160f64543e7ff6cac72c05403bdf9d36c \
    usage:client-write-mac "${pct1[@]}" mac-bits:160
derives "PCT 1.0: a short key is expanded by the clear key" c24f210877b30b983faadfdea6111ddc \
    usage:client-write-key "${pct1[@]}" cipher:RC4 cipher-bits:40 "hexclear-key:$(hex_range 160 170)"
derives "PCT 1.0: a DES key has its parity" 0df8571092259425 usage:client-write-key "${pct1[@]}" \
    cipher:DES-CBC
derives "PCT 1.0: or is the hash itself" 0df1588924a51223 usage:client-write-key "${pct1[@]}" \
    cipher:DES-CBC pct-raw-des:1
expect_fail "PCT 1.0: a short key without a clear key is refused" "missing parameter" '^clear-key: ' \
    kdf 16 "${pct1[@]}" usage:client-write-key cipher:RC4 cipher-bits:40
expect_fail "PCT 1.0 has no key block, which is what no usage means" "unknown usage" \
    '^usage: PCT 1.0 has no key-block' kdf 16 "${pct1[@]}"
expect_fail "PCT 1.0 has no premaster secret" "conflicting parameters" '^premaster: ' \
    kdf 16 "${pct1[@]}" premaster:p usage:client-write-key cipher:RC4

finish
