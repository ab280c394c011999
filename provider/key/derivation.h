/*
 * What a derivation from a master needs: randoms, algorithms and sizes.
 *
 * One struct serves the three places that take these parameters: the master key object
 * (CryptSetKeyParam), the generation context (what differs from the master) and the KDF contexts.
 * Setting checks each value by itself; whether they fit together is checked when they are used.
 * Called by keymgmt/, kdf/ and blob/opaque.
 */
#ifndef SCHANNEL_KEY_DERIVATION_H
#define SCHANNEL_KEY_DERIVATION_H

#include <openssl/core.h>
#include "key/algorithm.h"
#include "primitive/digest.h"
#include "primitive/octets.h"
#include "protocol/bulk_cipher.h"
#include "protocol/tls1.h"
#include "provctx.h"

#define DERIVATION_MAX_RANDOM_SIZE 64 /* with relaxed-randoms; 32 otherwise */

struct derivation_random {
    uint8_t size; /* 0: not set */
    uint8_t data[DERIVATION_MAX_RANDOM_SIZE];
};

struct derivation {
    struct derivation_random client_random, server_random;
    const struct bulk_cipher *cipher; /* NULL: not set */
    uint16_t cipher_bits;             /* 0: not set, the cipher's full size */
    uint16_t mac_bits;                /* 0: not set, the digest's size */
    enum digest_id digest;
    uint8_t has_export, is_export;
    uint8_t has_relaxed, relaxed;
};

/*
 * Takes the parameters that belong to a derivation out of |params|; others are left alone.
 * All or nothing: 1, or 0 with a reason raised and |derivation| untouched.
 */
int derivation_set(const struct provctx *provctx, struct derivation *derivation,
                   const OSSL_PARAM params[]);

/* What |change| sets replaces what |base| has. */
void derivation_merge(struct derivation *base, const struct derivation *change);

/* The name of a parameter that is set, NULL when none is; |but_digest| overlooks the digest, which
 * a MAC key has as well. */
const char *derivation_given(const struct derivation *derivation, int but_digest);

/* 1 when both randoms are there and have a length that TLS 1.0 allows; else 0 with a reason. */
int derivation_check_randoms(const struct provctx *provctx, const struct derivation *derivation);

/*
 * Fills |connection| for tls1_* and |sizes|, for a cipher key (|for_mac| 0) or a MAC key.  The
 * part that the usage does not need may be missing only where the key block does not depend on it:
 * the MAC secrets come first in the block, so a MAC key needs no cipher.
 */
int derivation_tls1_connection(const struct provctx *provctx, const struct derivation *derivation,
                               int for_mac, struct tls1_connection *connection,
                               struct bulk_cipher_sizes *sizes);

struct octets derivation_random_octets(const struct derivation_random *random);

/* Descriptors of the parameters above, for the settable tables. */
#define DERIVATION_SETTABLE                                                                        \
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_CLIENT_RANDOM, NULL, 0),                                \
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_SERVER_RANDOM, NULL, 0),                            \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_CIPHER, NULL, 0),                                    \
        OSSL_PARAM_uint(SCHANNEL_PARAM_CIPHER_BITS, NULL),                                         \
        OSSL_PARAM_uint(SCHANNEL_PARAM_EXPORT, NULL),                                              \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_DIGEST, NULL, 0),                                    \
        OSSL_PARAM_uint(SCHANNEL_PARAM_MAC_BITS, NULL),                                            \
        OSSL_PARAM_uint(SCHANNEL_PARAM_RELAXED_RANDOMS, NULL)

#endif
