/*
 * SSL 2.0 key derivation (draft-hickman-netscape-ssl-00 sections 4.1.1 and 5.5.2): pure functions.
 * There is no premaster secret, no MAC secret of its own (the write key is it) and no derived IV
 * (KEY-ARG is sent).  Called by kdf/ and key/.
 */
#ifndef SCHANNEL_PROTOCOL_SSL2_H
#define SCHANNEL_PROTOCOL_SSL2_H

#include "protocol/connection.h"

#define SSL2_MIN_MASTER_SIZE  5
#define SSL2_MAX_MASTER_SIZE  32
#define SSL2_MIN_RANDOM_SIZE  16
#define SSL2_MAX_RANDOM_SIZE  32
#define SSL2_KEY_MATERIAL     48 /* KM_0 || KM_1 || KM_2 */
#define SSL2_DES_KEY_MATERIAL 16 /* the draft's form for DES, without a digit */
/* A domestic CSP's master: up to this much of it may be replaced by a clear key. */
#define SSL2_FULL_MASTER_SIZE 16
#define SSL2_MAX_CLEAR_SIZE   11

/*
 * MASTER-KEY = CLEAR-KEY-DATA || SECRET-KEY-DATA.  A 16-byte |secret| gives up its first bytes for
 * a clear key of up to 11, any other is kept whole.  The size of the master at |out|, which has
 * SSL2_MAX_MASTER_SIZE bytes; 0 when both do not fit.
 */
size_t ssl2_join_master(struct octets clear_key, struct octets secret, uint8_t *out);

/* How many bytes ssl2_key_material can give. */
size_t ssl2_key_material_size(const struct connection *connection);
/* The first |size| bytes of KEY-MATERIAL. */
void ssl2_key_material(struct octets master, const struct connection *connection, uint8_t *out,
                       size_t size);

/* Size of the write key; 0 when SSL 2.0 has no such cipher.  RC2 and RC4: 40 or 128 secret bits. */
size_t ssl2_key_size(const struct connection *connection);
/* The write key of |side|: ssl2_key_size bytes. */
void ssl2_write_key(struct octets master, const struct connection *connection,
                    enum connection_side side, uint8_t *key);

#endif
