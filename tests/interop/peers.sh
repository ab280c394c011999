#!/usr/bin/env bash
# Real peers fetch a page from our protocol engine: NSS tstclnt, GnuTLS gnutls-cli and openssl
# s_client, each suite on its own.  One line "ok" or "not ok" for each.
#
# CTest test interop/peers.  Expects in the environment, beside MODULE_DIR (see tests/cli/lib.sh):
#   PEER_SERVER  the program interop-peer-server
#
# The server listens on 127.0.0.1 and serves as many connections as a script line asks for; what does
# not end by itself in time ends by its process id.

: "${PEER_SERVER:?has to name the program interop-peer-server}"
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib.sh"

CLIENT_SECONDS=10 # for one connection; a good one takes a few hundredths
PAGE='This page was protected by keys of the schannel provider.'

for program in tstclnt gnutls-cli openssl; do
    command -v "$program" >/dev/null || bail "$program is missing: tests/lib/install.sh has its package"
done

server=
# shellcheck disable=SC2317 # the traps call it
stop_server() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null
        wait "$server" 2>/dev/null
        server=
    fi
}
trap 'stop_server; rm -rf "$WORK"' EXIT

printf 'GET / HTTP/1.0\r\n\r\n' >request

# start_server VERSION CONNECTIONS: sets server and port.
start_server() {
    local tries

    rm -f port
    "$PEER_SERVER" --version "$1" --connections "$2" --port-file port --idle 15 \
        --provider-path "$MODULE_DIR" >server.log 2>&1 &
    server=$!
    for ((tries = 0; tries < 200; tries++)); do
        [ ! -e port ] || break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    if [ ! -e port ]; then
        cat server.log
        bail "the server for $1 does not start"
    fi
    port=$(cat port)
}

# End of one version: the server has served everybody and ends by itself.
end_server() {
    wait "$server"
    COMMAND="$PEER_SERVER" STATUS=$?
    server=
    cp server.log "$OUT"
    if [ "$STATUS" -eq 0 ] && ! grep -q -e Sanitizer -e 'runtime error:' server.log; then
        pass "$1: the server ends by itself"
    else
        fail "$1: the server ends by itself" "it ended with status $STATUS"
    fi
}

# expect_page SENTENCE LOG COMMAND...: the client has the page, and the server's log line is LOG.
expect_page() {
    local sentence=$1 log=$2 before

    shift 2
    before=$(wc -l <server.log)
    COMMAND="$*"
    timeout "$CLIENT_SECONDS" "$@" <request >"$OUT" 2>"$ERR"
    STATUS=$?
    # the server writes its line when the client has closed
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ "$(wc -l <server.log)" -eq "$before" ] || break
        sleep 0.1
    done
    if ! tr -d '\r' <"$OUT" | grep -q -x -F "$PAGE"; then
        fail "$sentence" "the client has not got the page; server: $(tail -n +$((before + 1)) server.log)"
    elif [ "$(tail -n +$((before + 1)) server.log)" != "$log" ]; then
        fail "$sentence" "the server said \"$(tail -n +$((before + 1)) server.log)\", expected \"$log\""
    else
        pass "$sentence"
    fi
}

# shellcheck disable=SC2317 # all three are exported to the shell that timeout starts
nss() { # VERSION-RANGE SUITE
    tstclnt -D -h 127.0.0.1 -p "$port" -o -V "$1" -c ":$2" -A request
}

# shellcheck disable=SC2317
gnutls() { # CIPHER MAC
    gnutls-cli --insecure --logfile /dev/null -p "$port" 127.0.0.1 --priority \
        "NONE:+VERS-TLS1.0:+RSA:+$1:+$2:+COMP-NULL:+SIGN-ALL:+CTYPE-X509"
}

# shellcheck disable=SC2317
s_client() { # SUITE
    openssl s_client -quiet -tls1 -cipher "$1:@SECLEVEL=0" -connect "127.0.0.1:$port"
}

# NSS's name of a suite is its number; ours is what the server prints.
nss_suites='0004 RC4_128_MD5
0005 RC4_128_SHA
0009 DES_CBC_SHA
000A 3DES_EDE_CBC_SHA
002F AES_128_CBC_SHA
0035 AES_256_CBC_SHA'

gnutls_suites='ARCFOUR-128 MD5 RC4_128_MD5
ARCFOUR-128 SHA1 RC4_128_SHA
3DES-CBC SHA1 3DES_EDE_CBC_SHA
AES-128-CBC SHA1 AES_128_CBC_SHA
AES-256-CBC SHA1 AES_256_CBC_SHA'

openssl_suites='AES128-SHA AES_128_CBC_SHA
AES256-SHA AES_256_CBC_SHA'

# timeout runs programs, not functions
export port
export -f nss gnutls s_client

start_server ssl3 6
while read -r code name; do
    expect_page "SSL 3.0, NSS, $name" "served SSL3 $name" bash -c "nss ssl3:ssl3 $code"
done <<<"$nss_suites"
end_server 'SSL 3.0'

start_server tls1 13
while read -r code name; do
    expect_page "TLS 1.0, NSS, $name" "served TLS1 $name" bash -c "nss tls1.0:tls1.0 $code"
done <<<"$nss_suites"
while read -r cipher mac name; do
    expect_page "TLS 1.0, GnuTLS, $name" "served TLS1 $name" bash -c "gnutls $cipher $mac"
done <<<"$gnutls_suites"
while read -r suite name; do
    expect_page "TLS 1.0, OpenSSL, $name" "served TLS1 $name" bash -c "s_client $suite"
done <<<"$openssl_suites"
end_server 'TLS 1.0'

finish
