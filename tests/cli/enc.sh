#!/usr/bin/env bash
# openssl enc with our ciphers and plain key bytes: byte for byte what OpenSSL's own give.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# same NAME STANDARD KEY IV SIZES...: both directions, both ways round.
same() {
    local ours=$1 standard=$2 key=(-K "$3") size

    if [ -n "$4" ]; then
        key+=(-iv "$4")
    fi
    shift 4
    for size in "$@"; do
        perl -e 'print map { chr($_ * 13 % 253) } 1 .. $ARGV[0]' "$size" >plain
        plain_openssl enc -provider legacy -provider default "-$standard" "${key[@]}" -in plain \
            -out expected 2>"$ERR" || bail "$standard encrypts"
        expect_ok "$ours encrypts $size bytes" \
            schannel_openssl enc "-$ours" "${key[@]}" -in plain -out ours
        expect_same_files "$ours: as $standard does" expected ours
        expect_ok "$ours decrypts them" \
            schannel_openssl enc -d "-$ours" "${key[@]}" -in expected -out again
        expect_same_files "$ours: to what they were" plain again
    done
}

iv=$(hex_range 240 255)
same SCHANNEL-AES-128-CBC aes-128-cbc "$(hex_range 0 15)" "$iv" 0 1 15 16 17 4096 4097 100003
same SCHANNEL-AES-256-CBC aes-256-cbc "$(hex_range 0 31)" "$iv" 0 1 15 16 17 100003
same SCHANNEL-DES-EDE3-CBC des-ede3-cbc "$(hex_range 0 23)" "${iv:0:16}" 0 1 7 8 9 100003
same SCHANNEL-RC4 rc4 "$(hex_range 0 15)" '' 1 2 255 256 257 100003

perl -e 'print "A" x 48' >plain
plain_openssl enc -aes-128-cbc -nopad -K "$(hex_range 0 15)" -iv "$iv" -in plain -out expected
expect_ok "-nopad encrypts whole blocks" \
    schannel_openssl enc -SCHANNEL-AES-128-CBC -nopad -K "$(hex_range 0 15)" -iv "$iv" -in plain -out ours
expect_same_files "without a block of padding" expected ours
expect_ok "the name is taken in lower case" \
    schannel_openssl enc -schannel-aes-128-cbc -nopad -K "$(hex_range 0 15)" -iv "$iv" -in plain -out ours
expect_same_files "and means the same" expected ours

# Test vector of 16 bytes at stream position 0, RFC 6229 (key of 128 bits 01 02 ... 10).
head -c 16 /dev/zero >zero
expect_ok "RC4 encrypts zeros" schannel_openssl enc -SCHANNEL-RC4 -K "$(hex_range 1 16)" -in zero -out ours
expect_equal "to the keystream of RFC 6229" 9ac7cc9a609d1ef7b2932899cde41b97 \
    "$(od -An -v -tx1 ours | tr -d ' \n')"
# FIPS 197 appendix C.1, as one CBC block with an IV of zeros.
unhex 00112233445566778899aabbccddeeff >block
expect_ok "AES-128 encrypts one block" schannel_openssl enc -SCHANNEL-AES-128-CBC -nopad \
    -K "$(hex_range 0 15)" -iv "$(repeat 00 16)" -in block -out ours
expect_equal "to that of FIPS 197" 69c4e0d86a7b0430d8cdb78070b4c55a "$(od -An -v -tx1 ours | tr -d ' \n')"

# ---- what goes wrong ----

# openssl enc writes what came out before the end, so these have no output to be silent about.
aes=(-SCHANNEL-AES-128-CBC -K "$(hex_range 0 15)" -iv "$iv")
head -c 17 plain >odd
expect_fail "an incomplete block cannot be decrypted" "partial block" 'AES-128-CBC' \
    schannel_openssl enc -d "${aes[@]}" -in odd -out /dev/null
expect_fail "nor encrypted without padding" "partial block" 'AES-128-CBC' \
    schannel_openssl enc -nopad "${aes[@]}" -in odd -out /dev/null
expect_fail "wrong padding is found" "bad decrypt" 'padding' \
    schannel_openssl enc -d "${aes[@]}" -in plain -out /dev/null

finish
