#!/usr/bin/env bash
# Records whole sessions between peers of other makes, for tests/vectors/session-*.txt.  Nothing of
# this project takes part but the tap in the middle.  Not run by CTest: run it when the files are to be
# made anew, and commit what test_sessions.c then opens.
#
#     BUILD_DIR=build tests/interop/record_sessions.sh tests/vectors
#
# Needs libnss3-tools, gnutls-bin, openssl.  Each session is one stanza:
#
#   Alg, Cipher, Digest    what was negotiated
#   ServerKey              the RSA key of the server, PKCS #8 in DER: opens an RSA key exchange
#   MasterSecret           from the client's key log, where it writes one
#   ClientData             the request that the client was given
#   ServerData             what the client printed: the plaintext as this peer has decrypted it
#   ClientStream           every byte from client to server
#   ServerStream           every byte from server to client
#
# The keys are made for the recording and protect nothing.
set -u

out=${1:?usage: record_sessions.sh DIRECTORY}
out=$(cd "$out" && pwd) || exit 1
build=$(cd "${BUILD_DIR:?has to name the build directory}" && pwd) || exit 1
tap=$build/tests/interop/interop-tap
[ -x "$tap" ] || { echo "$tap is missing: build first" >&2; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/schannel-record.XXXXXX") || exit 1
server=
stop_server() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null
        wait "$server" 2>/dev/null
        server=
    fi
}
trap 'stop_server; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1

die() {
    echo "record_sessions.sh: $*" >&2
    tail -n 5 server.log client.log 2>/dev/null >&2
    exit 1
}

# What TLS 1.0 itself does not know: another MAC order and another master secret.
cat >openssl.cnf <<'END'
openssl_conf = main
[main]
ssl_conf = ssl
[ssl]
system_default = defaults
[defaults]
Options = -EncryptThenMac,-ExtendedMasterSecret
MinProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
END
export OPENSSL_CONF="$work/openssl.cnf"
export LC_ALL=C

openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=127.0.0.1 \
    -days 2 2>/dev/null || die 'no certificate'
openssl pkcs12 -export -inkey key.pem -in cert.pem -name server -passout pass: -out server.p12 ||
    die 'no PKCS #12 file'
mkdir nss
{ certutil -N -d sql:nss --empty-password && pk12util -i server.p12 -d sql:nss -W ''; } \
    >/dev/null || die 'no NSS database'
printf 'GET / HTTP/1.0\r\n\r\n' >request

hex() {
    od -An -v -tx1 | tr -d ' \n'
}

server_key=$(openssl pkcs8 -topk8 -nocrypt -in key.pem -outform DER | hex)

# start_server COMMAND...: %PORT in it becomes a free port; sets server and port.
start_server() {
    local attempt tries

    for attempt in 1 2 3 4 5; do
        port=$((20000 + (RANDOM + attempt) % 20000))
        "${@//%PORT/$port}" >server.log 2>&1 </dev/null &
        server=$!
        for ((tries = 0; tries < 50; tries++)); do
            kill -0 "$server" 2>/dev/null || break
            if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
                return
            fi
            sleep 0.1
        done
        stop_server
    done
    die "cannot start $1"
}

# record NAME ALG CIPHER DIGEST KEY SOURCE COMMAND...: %PORT in the command becomes the tap's.  KEY is
# "rsa" when the server's key opens the session.
record() {
    local name=$1 alg=$2 cipher=$3 digest=$4 key=$5 source=$6 tap_pid tap_port tries

    shift 6
    rm -f tap-port keys.log
    "$tap" tap-port "$port" >streams &
    tap_pid=$!
    for ((tries = 0; tries < 50; tries++)); do
        [ ! -e tap-port ] || break
        sleep 0.1
    done
    tap_port=$(cat tap-port) || die 'no tap'
    timeout 10 "${@//%PORT/$tap_port}" <request >answer 2>client.log
    wait "$tap_pid" || die "$name: the connection did not end"
    [ -s answer ] || die "$name: no answer"
    {
        echo
        echo "Test = session-$name"
        echo "Source = $source"
        echo "Op = session"
        echo "Alg = $alg"
        echo "Cipher = $cipher"
        echo "Digest = $digest"
        [ "$key" != rsa ] || echo "ServerKey = $server_key"
        if [ -s keys.log ]; then
            echo "MasterSecret = $(awk '$1 == "CLIENT_RANDOM" { print tolower($3) }' keys.log)"
        fi
        echo "ClientData = $(hex <request)"
        echo "ServerData = $(hex <answer)"
        cat streams
    } >>"$file"
    echo "$name: $(grep -o 'Stream = .*' streams | awk '{ print length($3) / 2 }' | paste -sd+ -) bytes"
}

begin_file() { # NAME FIRST-LINE
    file=$out/$1
    {
        echo "# $2"
        echo "# Recorded by tests/interop/record_sessions.sh, which says what the fields are."
    } >"$file"
}

package_version() {
    dpkg-query -W -f '${Version}' "$1" 2>/dev/null || echo 'unknown version'
}

# ---- SSL 3.0: NSS on both ends ----

begin_file session-ssl3.txt 'Whole SSL 3.0 sessions of NSS selfserv and tstclnt.'
source="NSS $(package_version libnss3-tools), selfserv and tstclnt"
start_server selfserv -d sql:nss -n server -p %PORT -V ssl3:ssl3 -c ':0004:0005:0009:000A:002F:0035'
nss_session() { # NAME VERSION SUITE CIPHER DIGEST
    local alg=SSL3

    [ "$2" = ssl3 ] || alg=TLS1
    export SSLKEYLOGFILE=$work/keys.log
    record "$1" "$alg" "$4" "$5" rsa "$source" \
        tstclnt -D -h 127.0.0.1 -p %PORT -o -V "$2:$2" -c ":$3" -A request
    unset SSLKEYLOGFILE
}
nss_session ssl3-nss-rc4-md5 ssl3 0004 RC4 MD5
nss_session ssl3-nss-rc4-sha ssl3 0005 RC4 SHA1
nss_session ssl3-nss-des-cbc-sha ssl3 0009 DES-CBC SHA1
nss_session ssl3-nss-3des-cbc-sha ssl3 000A DES-EDE3-CBC SHA1
nss_session ssl3-nss-aes128-cbc-sha ssl3 002F AES-128-CBC SHA1
nss_session ssl3-nss-aes256-cbc-sha ssl3 0035 AES-256-CBC SHA1
stop_server

# ---- TLS 1.0: OpenSSL or GnuTLS on both ends, then one of them and NSS ----

# NSS has no switch for the extended master secret: it is on one end only.

begin_file session-tls1.txt 'Whole TLS 1.0 sessions of OpenSSL, GnuTLS and NSS.'
source="OpenSSL $(openssl version | cut -d ' ' -f 2), s_server and s_client"
start_server openssl s_server -tls1 -accept 127.0.0.1:%PORT -cert cert.pem -key key.pem -www \
    -no_ticket
openssl_session() { # NAME SUITE CIPHER KEY
    record "tls1-$1" TLS1 "$3" SHA1 "$4" "$source" \
        openssl s_client -quiet -tls1 -cipher "$2:@SECLEVEL=0" -connect 127.0.0.1:%PORT \
        -keylogfile keys.log
}
openssl_session openssl-aes128-cbc-sha AES128-SHA AES-128-CBC rsa
openssl_session openssl-aes256-cbc-sha AES256-SHA AES-256-CBC rsa
openssl_session openssl-ecdhe-aes256-cbc-sha ECDHE-RSA-AES256-SHA AES-256-CBC none
stop_server

source="GnuTLS $(package_version gnutls-bin), gnutls-serv and gnutls-cli"
start_server gnutls-serv -q --http --x509certfile cert.pem --x509keyfile key.pem -p %PORT --priority \
    'NORMAL:+VERS-TLS1.0:+ARCFOUR-128:+3DES-CBC:+MD5:+SHA1:+RSA:%NO_ETM:%NO_SESSION_HASH'
gnutls_session() { # NAME CIPHER MAC OUR-CIPHER DIGEST
    export SSLKEYLOGFILE=$work/keys.log
    record "tls1-gnutls-$1" TLS1 "$4" "$5" rsa "$source" \
        gnutls-cli --insecure --logfile /dev/null -p %PORT 127.0.0.1 --priority \
        "NONE:+VERS-TLS1.0:+RSA:+$2:+$3:+COMP-NULL:+SIGN-ALL:+CTYPE-X509:%NO_ETM:%NO_SESSION_HASH"
    unset SSLKEYLOGFILE
}
gnutls_session rc4-md5 ARCFOUR-128 MD5 RC4 MD5
gnutls_session rc4-sha ARCFOUR-128 SHA1 RC4 SHA1
gnutls_session 3des-cbc-sha 3DES-CBC SHA1 DES-EDE3-CBC SHA1
gnutls_session aes128-cbc-sha AES-128-CBC SHA1 AES-128-CBC SHA1

source="NSS $(package_version libnss3-tools) tstclnt, GnuTLS $(package_version gnutls-bin) gnutls-serv"
nss_session tls1-nss-gnutls-rc4-sha tls1.0 0005 RC4 SHA1
nss_session tls1-nss-gnutls-3des-cbc-sha tls1.0 000A DES-EDE3-CBC SHA1
nss_session tls1-nss-gnutls-aes256-cbc-sha tls1.0 0035 AES-256-CBC SHA1
stop_server

source="OpenSSL $(openssl version | cut -d ' ' -f 2) s_client, NSS $(package_version libnss3-tools) selfserv"
start_server selfserv -d sql:nss -n server -p %PORT -V tls1.0:tls1.0 -c ':002F:0035'
openssl_session openssl-nss-aes128-cbc-sha AES128-SHA AES-128-CBC rsa
stop_server
