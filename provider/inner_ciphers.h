/*
 * libcrypto's own ciphers, which do the block work of ours: fetched on first use, kept as long as
 * the provider context.
 *
 * They come from the other providers of the application's library context.  RC2 and DES are in
 * OpenSSL's legacy provider: see legacy_provider.h.  Called by provctx only.
 */
#ifndef SCHANNEL_PROVIDER_INNER_CIPHERS_H
#define SCHANNEL_PROVIDER_INNER_CIPHERS_H

#include <openssl/types.h>
#include "errors.h"
#include "protocol/bulk_cipher.h"

struct inner_ciphers;
struct legacy_provider;

/* |libctx|, |property_query| and |legacy| are borrowed.  NULL when memory is out. */
struct inner_ciphers *inner_ciphers_new(OSSL_LIB_CTX *libctx, const char *property_query,
                                        struct legacy_provider *legacy,
                                        const struct errors *errors);
void inner_ciphers_free(struct inner_ciphers *ciphers);

/* Owned by |ciphers|; NULL with a reason raised.  Safe from any thread. */
const EVP_CIPHER *inner_ciphers_get(struct inner_ciphers *ciphers,
                                    const struct bulk_cipher *cipher);

#endif
