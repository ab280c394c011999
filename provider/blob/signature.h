/*
 * The signature of a signed blob, with keys of any provider: RSA signs with PSS and SHA-256, EC with
 * ECDSA and SHA-256, Ed25519 and Ed448 as such.  Called by blob/signed.
 */
#ifndef SCHANNEL_BLOB_SIGNATURE_H
#define SCHANNEL_BLOB_SIGNATURE_H

#include <openssl/types.h>
#include "primitive/octets.h"
#include "provctx.h"

#define SIGNER_ID_SIZE     32
#define SIGNATURE_MAX_SIZE 2048 /* RSA of 16384 bits */

/* The numbers are written into blobs: never renumber. */
enum signature_algorithm {
    SIGNATURE_NONE = 0,
    SIGNATURE_RSA_PSS_SHA256 = 1,
    SIGNATURE_ECDSA_SHA256 = 2,
    SIGNATURE_ED25519 = 3,
    SIGNATURE_ED448 = 4
};

/* "RSA-PSS", ...; NULL for a number that is none of these. */
const char *signature_algorithm_name(unsigned algorithm);

/* What |key| signs with; SIGNATURE_NONE with a reason raised when it is of another type. */
enum signature_algorithm signature_algorithm_of(const struct provctx *provctx, const EVP_PKEY *key);

/* SHA-256 over the key's SubjectPublicKeyInfo.  1, or 0 with a reason raised. */
int signature_signer_id(const struct provctx *provctx, EVP_PKEY *key, uint8_t id[SIGNER_ID_SIZE]);

/* At most SIGNATURE_MAX_SIZE bytes.  1, or 0 with a reason raised. */
int signature_make(const struct provctx *provctx, EVP_PKEY *key, struct octets data,
                   uint8_t *signature, size_t *size);
/* 1 when |signature| is that of |data|; else 0 with a reason raised. */
int signature_verify(const struct provctx *provctx, EVP_PKEY *key, struct octets data,
                     struct octets signature);

#endif
