#!/usr/bin/env bash
# Reads a file that a CryptoAPI program encrypted with a password: CryptHashData, CryptDeriveKey and
# CryptEncrypt with Final TRUE.  What the program did has to be known, or tried; see schannel-passwords(7).
#
# Usage: read_cryptoapi.sh FILE [NAME:VALUE ...]   the password is read from standard input, as it is
#
#   digest:MD5     what it hashed the password with (CALG_MD5, CALG_SHA, ...); default SHA1
#   alg:RC4        what it derived a key for (CALG_RC2, CALG_RC4, CALG_3DES, ...); default RC4
#   bits:40        how long; default: the algorithm's full size
#   utf16:1        it hashed UTF-16 characters, as the ...W functions of Windows give them
#   Others are generation options of the key: salt-mode, effective-bits, hexiv.
set -euo pipefail

file=${1:?usage: read_cryptoapi.sh FILE [NAME:VALUE ...]}
shift
options=(digest:SHA1 alg:RC4)
utf16=no
for option; do
    case $option in
    utf16:1) utf16=yes ;;
    *) options+=("$option") ;;
    esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work # the key is sealed for this one run
P=(-provider default -provider schannel)

# The password reaches the command as hex digits, since it may be any bytes.  Arguments of a command can
# be seen by other users of the machine: where that matters, do this in C (migration_keys.c).
if [ "$utf16" = yes ]; then
    password=$(iconv -f UTF-8 -t UTF-16LE | od -An -v -tx1 | tr -d ' \n')
else
    password=$(od -An -v -tx1 | tr -d ' \n')
fi

arguments=()
for option in "${options[@]}" "hexpass:$password"; do
    arguments+=(-pkeyopt "$option") # of two with one name the last one counts
done
openssl genpkey "${P[@]}" -algorithm SCHANNEL "${arguments[@]}" -out "$work/key.pem"
openssl pkeyutl "${P[@]}" -decrypt -inkey "$work/key.pem" -in "$file"
