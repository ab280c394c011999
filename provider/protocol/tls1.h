/*
 * TLS 1.0 and 1.1 key derivation (RFC 2246 sections 5, 6.3, 6.3.1, 7.4.9, 8.1): pure functions.
 *
 * Nothing here allocates, fails, logs or knows OpenSSL's provider interface; callers check sizes.
 * Outputs are written whole and must not overlap inputs; intermediate values are cleansed.
 * Called by kdf/ and key/.
 */
#ifndef SCHANNEL_PROTOCOL_TLS1_H
#define SCHANNEL_PROTOCOL_TLS1_H

#include "primitive/hmac.h"
#include "protocol/connection.h"

#define TLS1_MASTER_SECRET_SIZE  48
#define TLS1_RANDOM_SIZE         32
#define TLS1_VERIFY_DATA_SIZE    12
#define TLS1_HANDSHAKE_HASH_SIZE 36 /* MD5 || SHA-1 of the handshake messages */

/*
 * A secret of any size, 0 included, as the PRF uses it: its halves as HMAC keys, so that they are
 * compressed once and not for each output.  A plain value; cleanse to destroy.
 */
struct tls1_secret {
    struct hmac_key md5, sha1;
};

void tls1_secret_init(struct tls1_secret *secret, struct octets bytes);

/* PRF(secret, label, seed1 || seed2), RFC 2246 section 5: any sizes, 0 included. */
void tls1_secret_prf(const struct tls1_secret *secret, struct octets label, struct octets seed1,
                     struct octets seed2, uint8_t *out, size_t size);
/* The same for a secret that is used once. */
void tls1_prf(struct octets secret, struct octets label, struct octets seed1, struct octets seed2,
              uint8_t *out, size_t size);

/* PRF(premaster, "master secret", client random || server random)[0..47], section 8.1. */
void tls1_master_secret(struct octets premaster, struct octets client_random,
                        struct octets server_random, uint8_t master[TLS1_MASTER_SECRET_SIZE]);

/* PRF(master, "key expansion", server random || client random), section 6.3: any |size|. */
void tls1_secret_key_block(const struct tls1_secret *master, struct octets client_random,
                           struct octets server_random, uint8_t *out, size_t size);
void tls1_key_block(const uint8_t master[TLS1_MASTER_SECRET_SIZE], struct octets client_random,
                    struct octets server_random, uint8_t *out, size_t size);

/* The MAC write secret of |side|: mac_bits / 8 bytes. */
void tls1_mac_secret(const uint8_t master[TLS1_MASTER_SECRET_SIZE],
                     const struct connection *connection, enum connection_side side, uint8_t *out);

/*
 * The write key of |side|, finalised when is_export (section 6.3.1), and its IV, zeros when
 * has_explicit_iv (RFC 4346 section 6.2.3.2); either output may be NULL.  Sizes are those of bulk_cipher_key_block_sizes.  0 when the cipher has no such size.
 */
int tls1_write_key(const uint8_t master[TLS1_MASTER_SECRET_SIZE],
                   const struct connection *connection, enum connection_side side, uint8_t *key,
                   uint8_t *iv);

/* MD5 || SHA-1 of the handshake messages. */
void tls1_handshake_hash(struct octets handshake, uint8_t out[TLS1_HANDSHAKE_HASH_SIZE]);

/* PRF(master, "client finished" | "server finished", handshake hash), section 7.4.9: any |size|. */
void tls1_finished(const uint8_t master[TLS1_MASTER_SECRET_SIZE], enum connection_side side,
                   const uint8_t handshake_hash[TLS1_HANDSHAKE_HASH_SIZE], uint8_t *out,
                   size_t size);

#endif
