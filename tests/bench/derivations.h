/*
 * The derivations of the benchmark as jobs: a new connection each time, that is other randoms under
 * the same secret, on contexts that are kept.  Called by the row groups of derivations and threads.
 */
#ifndef SCHANNEL_TESTS_BENCH_DERIVATIONS_H
#define SCHANNEL_TESTS_BENCH_DERIVATIONS_H

#include <openssl/provider.h>
#include "timing.h"

/* The KDFs of this provider: |size| bytes of key block, or of a write key in PCT 1.0. */
extern const struct job tls1_kdf_104, tls1_kdf_136, ssl3_kdf_104, ssl2_kdf_48, pct1_kdf_16;
/* The four key objects of a connection from a TLS1-MASTER key object. */
extern const struct job tls1_master_keys;

/* The same output without what this provider adds: TLS1-KDF, and EVP_PKEYs in which nothing is. */
extern const struct job empty_keys;
/* The provider of those, loaded; NULL on failure. */
OSSL_PROVIDER *load_empty_keys(void);

/* OpenSSL's TLS1-PRF with MD5-SHA1. */
extern const struct job tls1_prf_104, tls1_prf_136;
/* No derivation at all: four EVP_PKEYs of OpenSSL's own, made of bytes: what key objects cost alone. */
extern const struct job hmac_keys;
/* The key block of RFC 6101 section 6.2.2 written with EVP_MD. */
extern const struct job ssl3_formula_104;

#endif
