/*
 * What a derivation from a master needs: randoms, algorithms and sizes.
 *
 * One struct serves the places that take these parameters: the master key object
 * (CryptSetKeyParam), the generation context (what differs from the master), KDF and key exchange
 * contexts.  Setting checks each value by itself; whether they fit together, and the protocol, is
 * checked when they are used: key/session_keys.
 *
 * Certificate and clear key are references: whoever keeps a derivation owns one of each
 * (derivation_copy, derivation_clear); a plain struct copy borrows them.
 */
#ifndef SCHANNEL_KEY_DERIVATION_H
#define SCHANNEL_KEY_DERIVATION_H

#include <openssl/core.h>
#include "key/algorithm.h"
#include "key/shared_octets.h"
#include "primitive/digest.h"
#include "primitive/octets.h"
#include "provctx.h"

#define DERIVATION_MAX_RANDOM_SIZE      64 /* with relaxed-randoms; less otherwise */
#define DERIVATION_MAX_BITS             4096 /* of cipher-bits and mac-bits: more than any cipher has */
#define DERIVATION_MAX_CLEAR_KEY_SIZE   8192
#define DERIVATION_MAX_CERTIFICATE_SIZE 32767 /* what a record of PCT 1.0 holds */

/* Values of record-version on a TLS1 master or derivation. */
#define DERIVATION_TLS1_0 0x0301
#define DERIVATION_TLS1_1 0x0302

struct derivation_random {
    uint8_t size; /* 0: not set */
    uint8_t data[DERIVATION_MAX_RANDOM_SIZE];
};

/* A choice of yes or no that may be left open. */
struct derivation_choice {
    uint8_t is_given, value;
};

struct derivation {
    struct derivation_random client_random, server_random;
    const struct bulk_cipher *cipher; /* NULL: not set */
    uint16_t cipher_bits;             /* 0: not set, the cipher's full size */
    uint16_t mac_bits;                /* 0: not set, the digest's size */
    enum digest_id digest;
    struct derivation_choice is_export, relaxed, ssl2_des_digit, pct_raw_des, is_tls1_1;
    struct shared_octets *clear_key, *certificate; /* NULL: not set */
};

/*
 * Takes the parameters that belong to a derivation out of |params|; others are left alone.  With a
 * |protocol| those that it has no use for are refused; KEY_PROTOCOL_NONE: it is not known yet.
 * All or nothing: 1, or 0 with a reason raised and |derivation| untouched.
 */
int derivation_set(const struct provctx *provctx, enum key_protocol protocol,
                   struct derivation *derivation, const OSSL_PARAM params[]);

/* A copy that owns its references. */
void derivation_copy(struct derivation *to, const struct derivation *from);
void derivation_clear(struct derivation *derivation);

/* What |change| sets replaces what |base| has; the result borrows the references of both. */
void derivation_merge(struct derivation *base, const struct derivation *change);

/* The name of a parameter that is set, NULL when none is; |but_digest| overlooks the digest and its
 * size, which a MAC key has as well. */
const char *derivation_given(const struct derivation *derivation, int but_digest);

/* 1 when |protocol| has a use for everything that is set; else 0 with a reason. */
int derivation_check_protocol(const struct errors *errors, enum key_protocol protocol,
                              const struct derivation *derivation);
/* 1 when the randoms that are set have a length that |protocol| allows; else 0 with a reason. */
int derivation_check_lengths(const struct errors *errors, enum key_protocol protocol,
                             const struct derivation *derivation);
/* The same, and both have to be set. */
int derivation_check_randoms(const struct errors *errors, enum key_protocol protocol,
                             const struct derivation *derivation);

struct octets derivation_random_octets(const struct derivation_random *random);

/* Descriptors of the parameters above, for the settable tables: of all protocols. */
#define DERIVATION_SETTABLE                                                                        \
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_CLIENT_RANDOM, NULL, 0),                                \
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_SERVER_RANDOM, NULL, 0),                            \
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_CLEAR_KEY, NULL, 0),                                \
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_CERTIFICATE, NULL, 0),                              \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_CIPHER, NULL, 0),                                    \
        OSSL_PARAM_uint(SCHANNEL_PARAM_CIPHER_BITS, NULL),                                         \
        OSSL_PARAM_uint(SCHANNEL_PARAM_EXPORT, NULL),                                              \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_DIGEST, NULL, 0),                                    \
        OSSL_PARAM_uint(SCHANNEL_PARAM_MAC_BITS, NULL),                                            \
        OSSL_PARAM_uint(SCHANNEL_PARAM_RELAXED_RANDOMS, NULL),                                     \
        OSSL_PARAM_uint(SCHANNEL_PARAM_RECORD_VERSION, NULL),                                      \
        OSSL_PARAM_uint(SCHANNEL_PARAM_SSL2_DES_DIGIT, NULL),                                      \
        OSSL_PARAM_uint(SCHANNEL_PARAM_PCT_RAW_DES, NULL)

#endif
