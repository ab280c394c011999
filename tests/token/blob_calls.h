/*
 * Exports and imports of blobs, as an application makes them: through encoders, decoders and the
 * store of the fixture's library context or another one.
 */
#ifndef SCHANNEL_TESTS_TOKEN_BLOB_CALLS_H
#define SCHANNEL_TESTS_TOKEN_BLOB_CALLS_H

#include "fixture.h"

#define MAX_EXPORT 70000

struct exported {
    size_t size;
    uint8_t data[MAX_EXPORT];
};

/* An exportable key of |alg| with |size| bytes, or for SSL3 and TLS1 masters a premaster secret. */
EVP_PKEY *secret_key(OSSL_LIB_CTX *context, const char *alg, size_t size);
/* An RSA key of 2048 bits: its private PEM in |private_path|, its public one in |public_path|. */
void write_rsa_key(const char *private_path, const char *public_path);

/* |type|: "simpleblob", ...  1, or 0 when the provider refuses, with its reason on the queue.  After a
 * success the queue is empty, or the test fails; so with all of these. */
int export_as(EVP_PKEY *key, const char *type, const OSSL_PARAM params[], struct exported *blob);
/* NULL when the provider refuses. */
EVP_PKEY *import_from(OSSL_LIB_CTX *context, const struct exported *blob,
                      const OSSL_PARAM params[]);
/* The first key that |uri| gives; NULL when it is refused. */
EVP_PKEY *import_uri(OSSL_LIB_CTX *context, const char *uri);

void write_file(const char *path, const void *data, size_t size);

#endif
