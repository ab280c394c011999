/*
 * The session keys of a master, in any protocol: CryptDeriveKey on a master hash.
 *
 * Here the parameters of a derivation meet the rules of the protocol; the formulas are protocol/.
 * Functions return 1, or 0 with a reason raised (none when |errors| is NULL).
 * Called by keymgmt/generate and kdf/.
 */
#ifndef SCHANNEL_KEY_SESSION_KEYS_H
#define SCHANNEL_KEY_SESSION_KEYS_H

#include "key/derivation.h"
#include "protocol/key_block.h"

#define SESSION_MAX_MAC_SIZE 40 /* PCT 1.0: 319 bits */

struct session_key_sizes {
    size_t key;
    size_t iv; /* 0: the cipher has none, or it is not derived but sent */
};

/* Sizes of write key and derived IV, after every check that the derivation makes. */
int session_key_sizes(const struct errors *errors, enum key_protocol protocol,
                      const struct derivation *derivation, struct session_key_sizes *sizes);
/*
 * The write key of |side|: sizes->key bytes at |key|, BULK_CIPHER_MAX_KEY_SIZE there, and sizes->iv
 * bytes at |iv|, BULK_CIPHER_MAX_BLOCK_SIZE there.  Either output may be NULL.  |master| is the
 * master secret or, for PCT 1.0 and SSL 2.0, the master key; |kept| (NULL: none) keeps its key block.
 */
int session_write_key(const struct errors *errors, enum key_protocol protocol, struct octets master,
                      const struct derivation *derivation, struct key_block *kept,
                      enum connection_side side, uint8_t *key, uint8_t *iv,
                      struct session_key_sizes *sizes);

/* Size of a MAC secret in bytes. */
int session_mac_size(const struct errors *errors, enum key_protocol protocol,
                     const struct derivation *derivation, size_t *size);
/* The MAC secret of |side|, SESSION_MAX_MAC_SIZE bytes at |key|; |kept| as above. */
int session_mac_key(const struct errors *errors, enum key_protocol protocol, struct octets master,
                    const struct derivation *derivation, struct key_block *kept,
                    enum connection_side side, uint8_t *key, size_t *size);

/* SSL 2.0: clear key and secret part together; others: |secret| itself.  *joined is room for
 * SSL2_MAX_MASTER_SIZE bytes that the caller cleanses. */
int session_master(const struct errors *errors, enum key_protocol protocol, struct octets secret,
                   const struct derivation *derivation, uint8_t *joined, struct octets *master);

/* What the formulas take: borrows from |derivation|. */
struct connection session_connection(const struct derivation *derivation);

#endif
