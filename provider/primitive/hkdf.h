/*
 * HKDF with SHA-256 (RFC 5869).
 *
 * On libcrypto's low-level SHA-256: its EVP_KDF fetches a digest and an HMAC and allocates contexts
 * for each derivation, which takes several times as long as the fourteen compressions of a seal.
 * Nothing here allocates or fails; intermediate values are cleansed.  Called by blob/seal.
 */
#ifndef SCHANNEL_PRIMITIVE_HKDF_H
#define SCHANNEL_PRIMITIVE_HKDF_H

#include "primitive/octets.h"

#define HKDF_MAX_SALT_SIZE 64 /* a block: longer ones would have to be hashed first */
#define HKDF_MAX_SIZE      (255 * 32)

/* |size| is at most HKDF_MAX_SIZE, |salt| as above; |secret| and |info| have any size. */
void hkdf_sha256(struct octets secret, struct octets salt, struct octets info, uint8_t *out,
                 size_t size);

#endif
