/*
 * PCT 1.0 key derivation (draft-benaloh-pct-00 sections 5.3.1 to 5.3.3): pure functions.
 * There is no premaster secret and no derived IV (KEY-ARG is sent).  Called by kdf/ and key/.
 */
#ifndef SCHANNEL_PROTOCOL_PCT1_H
#define SCHANNEL_PROTOCOL_PCT1_H

#include "protocol/connection.h"

#define PCT1_MASTER_SIZE  16
#define PCT1_RANDOM_SIZE  32
#define PCT1_MIN_MAC_BITS 64
#define PCT1_MAX_MAC_BITS 319 /* 64 + what a byte of the cipher specification can say */
#define PCT1_MAX_MAC_SIZE 40

/* What the negotiated sizes come to. */
struct pct1_sizes {
    size_t bits;     /* of the write key as it is derived */
    size_t standard; /* of the key that the cipher runs with, parity not counted unless it is raw */
    size_t key;      /* bytes of that key; DES with parity */
    size_t parts;    /* into which a clear key is divided; 0 when it is not needed */
};

/* 0 when PCT 1.0 has no such cipher or size. */
int pct1_key_sizes(const struct connection *connection, struct pct1_sizes *sizes);

/* The write key of |side|, expanded by the clear key when it is a short one: sizes.key bytes. */
void pct1_write_key(const uint8_t master[PCT1_MASTER_SIZE], const struct connection *connection,
                    enum connection_side side, uint8_t *key);
/* The MAC key of |side|: mac_bits, rounded up to bytes; the bits left over are 0. */
void pct1_mac_key(const uint8_t master[PCT1_MASTER_SIZE], const struct connection *connection,
                  enum connection_side side, uint8_t *out);

#endif
