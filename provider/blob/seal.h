/*
 * The seal of opaque blobs: authenticated encryption under a key that is used for one blob only.
 *
 *   PRK-and-expand: HKDF-SHA256(IKM = sealing key, salt = 16 random bytes of the blob,
 *                   info = "schannel opaque key blob seal 1")
 *                   -> 32 bytes AES-256-GCM key || 12 bytes nonce || 32 bytes key commitment
 *
 *   sealed = commitment (32) || ciphertext (as long as the plaintext) || GCM tag (16)
 *
 * The whole clear header of the blob is the associated data.  The commitment makes a sealed blob
 * openable under one sealing key only, which GCM alone does not promise.  It is compared in
 * constant time before the tag is checked.
 *
 * Called by blob/opaque.  The AEAD is fetched from |libctx| on first use and kept; a sealer is safe
 * from any thread.
 */
#ifndef SCHANNEL_BLOB_SEAL_H
#define SCHANNEL_BLOB_SEAL_H

#include "blob/sealing_key.h"
#include "primitive/octets.h"

#define SEAL_SALT_SIZE       16
#define SEAL_COMMITMENT_SIZE 32
#define SEAL_TAG_SIZE        16
#define SEAL_OVERHEAD        (SEAL_COMMITMENT_SIZE + SEAL_TAG_SIZE)

struct sealer;

/* What names a transfer in the claim journal, see blob/claim_journal.h. */
#define SEAL_CLAIM_SIZE 16

/* |libctx| and |property_query| are borrowed for the sealer's life.  NULL when memory is out. */
struct sealer *sealer_new(OSSL_LIB_CTX *libctx, const char *property_query,
                          const struct errors *errors);
void sealer_free(struct sealer *sealer);

/* Writes plaintext.size + SEAL_OVERHEAD bytes.  1, or 0 with a reason raised and |out| cleansed. */
int seal(struct sealer *sealer, const struct sealing_key *key, const uint8_t salt[SEAL_SALT_SIZE],
         struct octets header, struct octets plaintext, uint8_t *out);

/*
 * Writes sealed.size - SEAL_OVERHEAD bytes.  Anything that does not verify is one and the same
 * reason, SCHANNEL_R_SEAL_DOES_NOT_VERIFY, and |out| is cleansed.
 */
int unseal(struct sealer *sealer, const struct sealing_key *key, const uint8_t salt[SEAL_SALT_SIZE],
           struct octets header, struct octets sealed, uint8_t *out);

/*
 * HKDF-SHA256(IKM = sealing key, salt, info = "schannel opaque key blob claim 1") -> 16 bytes: who
 * does not hold the sealing key cannot tell which blob a claim belongs to.
 */
void seal_claim(const struct sealing_key *key, const uint8_t salt[SEAL_SALT_SIZE],
                uint8_t claim[SEAL_CLAIM_SIZE]);

#endif
