/*
 * SSL 3.0 key derivation (RFC 6101 sections 5.6.8, 5.6.9, 6.1, 6.2.2): pure functions, as protocol/tls1.
 * Called by kdf/ and key/.
 */
#ifndef SCHANNEL_PROTOCOL_SSL3_H
#define SCHANNEL_PROTOCOL_SSL3_H

#include "protocol/connection.h"

#define SSL3_MASTER_SECRET_SIZE 48
#define SSL3_FINISHED_SIZE      36
#define SSL3_MAX_PRF_SIZE       416 /* 26 steps, "A" to "ZZZ...", of 16 bytes */

/*
 * The function behind master secret and key block, section 6.1:
 * MD5(secret || SHA("A" || secret || seed)) || MD5(secret || SHA("BB" || secret || seed)) || ...
 * with seed = seed1 || seed2.  |size| is at most SSL3_MAX_PRF_SIZE.
 */
void ssl3_prf(struct octets secret, struct octets seed1, struct octets seed2, uint8_t *out,
              size_t size);

void ssl3_master_secret(struct octets premaster, struct octets client_random,
                        struct octets server_random, uint8_t master[SSL3_MASTER_SECRET_SIZE]);
void ssl3_key_block(const uint8_t master[SSL3_MASTER_SECRET_SIZE], struct octets client_random,
                    struct octets server_random, uint8_t *out, size_t size);

/* The MAC write secret of |side|: mac_bits / 8 bytes. */
void ssl3_mac_secret(const uint8_t master[SSL3_MASTER_SECRET_SIZE],
                     const struct connection *connection, enum connection_side side, uint8_t *out);
/*
 * The write key of |side|, finalised when is_export (section 6.2.2), and its IV; either output may
 * be NULL.  Sizes are those of bulk_cipher_key_block_sizes.  0 when the cipher has no such size.
 */
int ssl3_write_key(const uint8_t master[SSL3_MASTER_SECRET_SIZE],
                   const struct connection *connection, enum connection_side side, uint8_t *key,
                   uint8_t *iv);

/*
 * Section 5.6.9.  |md5| and |sha1| have absorbed all handshake messages, with their headers; they
 * are copied.  MD5 first.
 */
void ssl3_finished(const uint8_t master[SSL3_MASTER_SECRET_SIZE], enum connection_side side,
                   const struct digest_state *md5, const struct digest_state *sha1,
                   uint8_t out[SSL3_FINISHED_SIZE]);
/* Section 5.6.8: what a client signs, which is the same without a sender.  RSA signs it whole, DSA
 * the SHA-1 half. */
void ssl3_certificate_verify(const uint8_t master[SSL3_MASTER_SECRET_SIZE],
                             const struct digest_state *md5, const struct digest_state *sha1,
                             uint8_t out[SSL3_FINISHED_SIZE]);

#endif
