/*
 * MD2 (RFC 1319) as a provider of its own, for the library contexts of tests: OpenSSL has MD2 only
 * when it was built with it, and recorded answers use it.
 */
#ifndef SCHANNEL_TESTS_MD2_PROVIDER_H
#define SCHANNEL_TESTS_MD2_PROVIDER_H

#include <openssl/types.h>

/* Loads it into |libctx|; the caller unloads it with OSSL_PROVIDER_unload.  NULL on failure. */
OSSL_PROVIDER *md2_provider_load(OSSL_LIB_CTX *libctx);

#endif
