/*
 * OpenSSL's legacy provider, which has RC2, DES and MD4 but which few applications load: loaded on
 * first need, into a library context that nobody else sees, and kept as long as the provider
 * context.  Called by provctx and inner_ciphers.
 */
#ifndef SCHANNEL_PROVIDER_LEGACY_PROVIDER_H
#define SCHANNEL_PROVIDER_LEGACY_PROVIDER_H

#include <openssl/types.h>
#include "errors.h"

struct legacy_provider;

/* NULL when memory is out. */
struct legacy_provider *legacy_provider_new(void);
void legacy_provider_free(struct legacy_provider *legacy);

/* The library context to fetch from, borrowed; NULL when there is no legacy provider; what
 * libcrypto raises then is the caller's to drop.  Safe from any thread. */
OSSL_LIB_CTX *legacy_provider_libctx(struct legacy_provider *legacy);

/* The legacy provider has |name|, but was not found.  0. */
int legacy_provider_raise_missing(const struct errors *errors, const char *name);

#endif
