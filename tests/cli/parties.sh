# shellcheck shell=bash
# Who exchanges keys in the command line tests: sourced, after lib.sh, by the scripts that need them.
#
#   bob    receives: RSA of 2048 bits, as key, public key, certificate and MSBLOB
#   carol  the backup authority: RSA of 1024 bits
#   alice  signs: Ed25519, with a certificate
#   mallory  has keys of his own: RSA of 2048 bits
#
# Each NAME has NAME.pem (the key pair), NAME.pub.pem and, all but carol and mallory, NAME.crt.

# options OPTION...: each behind -pkeyopt, in the array OPTIONS.
options() {
    local option

    OPTIONS=()
    for option in "$@"; do
        OPTIONS+=(-pkeyopt "$option")
    done
}

# new FILE OPTION...: a key without template.
# shellcheck disable=SC2317 # called through run
new() {
    local file=$1

    shift
    options "$@"
    schannel_openssl genpkey -algorithm SCHANNEL "${OPTIONS[@]}" -out "$file"
}

# send FILE KEY OPTION...: the key, written again with these options.
# shellcheck disable=SC2317 # called through run
send() {
    local file=$1 key=$2

    shift 2
    options "$@"
    schannel_openssl genpkey -paramfile "$key" "${OPTIONS[@]}" -out "$file"
}

# made FUNCTION ARGUMENTS...: one of the two, as material that has to be there.
made() {
    "$@" </dev/null 2>"$ERR" || bail "$*"
}

# receive URI FILE [ARGUMENT...]: the key that a URI names, as a key of one's own.
# shellcheck disable=SC2317 # called through run
receive() {
    schannel_openssl pkey -in "$1" -out "$2" "${@:3}"
}

# seal_message KEY IN OUT and open_message URI IN OUT
# shellcheck disable=SC2317 # called through run
seal_message() {
    schannel_openssl pkeyutl -encrypt -inkey "$1" -in "$2" -out "$3"
}
# shellcheck disable=SC2317 # called through run
open_message() {
    schannel_openssl pkeyutl -decrypt -inkey "$1" -in "$2" -out "$3"
}

# binary FILE: the blob in a PEM file.
binary() {
    sed '/^-----/d' "$1" | plain_openssl base64 -d
}

# dressed LABEL FILE: a binary blob in PEM, under "SCHANNEL LABEL KEY BLOB".
dressed() {
    echo "-----BEGIN SCHANNEL $1 KEY BLOB-----"
    plain_openssl base64 -in "$2"
    echo "-----END SCHANNEL $1 KEY BLOB-----"
}

# key_pair NAME ARGUMENT...: of OpenSSL's own, with its public half.
key_pair() {
    local name=$1

    shift
    plain_openssl genpkey "$@" -out "$name.pem" 2>"$ERR" || bail "the key of $name is made"
    plain_openssl pkey -in "$name.pem" -pubout -out "$name.pub.pem" || bail "and its public half"
}

# certificate NAME
certificate() {
    plain_openssl req -new -x509 -key "$1.pem" -subj "/CN=$1" -days 2 -config /dev/null -out "$1.crt" \
        2>"$ERR" || bail "the certificate of $1 is made"
}

key_pair bob -algorithm RSA -pkeyopt rsa_keygen_bits:2048
key_pair carol -algorithm RSA -pkeyopt rsa_keygen_bits:1024
key_pair mallory -algorithm RSA -pkeyopt rsa_keygen_bits:2048
key_pair alice -algorithm ED25519
certificate bob
certificate alice
plain_openssl rsa -in bob.pem -outform MSBLOB -out bob.msblob 2>"$ERR" || bail "bob's PRIVATEKEYBLOB"
plain_openssl rsa -in bob.pem -pubout -outform MSBLOB -out bob.pub.msblob 2>"$ERR" ||
    bail "bob's PUBLICKEYBLOB"
printf 'Meet me at the usual place, with the usual book.\n' >message
