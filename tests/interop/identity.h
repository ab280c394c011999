/*
 * An RSA key and a self-signed certificate for 127.0.0.1, made in memory.
 * Called by peer_server.c and the tests beside it.
 */
#ifndef INTEROP_IDENTITY_H
#define INTEROP_IDENTITY_H

#include <stddef.h>
#include <openssl/evp.h>

struct identity {
    EVP_PKEY *key;
    uint8_t *certificate; /* DER */
    size_t certificate_size;
};

/* 1, or 0 with the reason on the error queue and nothing to free. */
int identity_make(OSSL_LIB_CTX *libctx, struct identity *identity);
void identity_free(struct identity *identity);

/* The certificate of a key that the caller has: the same without a new key. */
int identity_certify(struct identity *identity);

#endif
