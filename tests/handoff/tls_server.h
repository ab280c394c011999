/*
 * The server side of a TLS 1.0 handshake with libssl, and nothing behind it: libssl gets exactly
 * the records of the handshake, one by one, so that whatever the client sends next stays in the
 * socket for the process that will read it.  Called by handshake.c.
 */
#ifndef HANDOFF_TLS_SERVER_H
#define HANDOFF_TLS_SERVER_H

#include <openssl/ssl.h>
#include "keys.h"

#define TLS_SERVER_MAX_PROTECTED 4   /* a Finished record, and empty ones if a peer likes them */
#define TLS_SERVER_MAX_RECORD    512 /* Finished with the longest padding needs less */

/* The records that one side sent under the new keys, as they were on the wire. */
struct protected_records {
    size_t count;
    struct {
        size_t size;
        uint8_t data[TLS_SERVER_MAX_RECORD];
    } record[TLS_SERVER_MAX_PROTECTED];
};

struct tls_handshake {
    char suite[64];
    struct tls_secrets secrets; /* cleanse them */
    struct protected_records from_client, from_server;
};

/*
 * A context that does TLS 1.0 with AES-CBC and SHA-1, with an RSA key and a self-signed certificate
 * that are made here and never leave this process's memory.  NULL with the reason on the error
 * queue.
 */
SSL_CTX *tls_server_new(void);

/*
 * Does the handshake with the client on |socket|, which has a timeout.  1, or 0 with |*why| set to
 * what went wrong, and perhaps more on the error queue.
 */
int tls_server_handshake(SSL_CTX *server, int socket, struct tls_handshake *handshake,
                         const char **why);

#endif
