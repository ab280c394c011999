/*
 * A master key: premaster or master secret, or the master key of PCT 1.0 and SSL 2.0, and the
 * parameters set on it.  A value struct, owned and locked by a key object.
 * Called by key/key, keymgmt/, keyexch/ and blob/opaque.
 */
#ifndef SCHANNEL_KEY_MASTER_VALUE_H
#define SCHANNEL_KEY_MASTER_VALUE_H

#include "key/derivation.h"

/* A Diffie-Hellman premaster secret is as long as the group's prime: 16384 bits and more fit. */
#define MASTER_VALUE_MAX_PREMASTER_SIZE 4096
#define MASTER_VALUE_MAX_SECRET_SIZE    48
/* The premaster secret of RSA key exchange: two bytes of version and random ones. */
#define MASTER_VALUE_RSA_PREMASTER_SIZE 48

struct master_value {
    enum key_protocol protocol;
    uint8_t converted; /* |secret| is what keys are derived from; else |premaster| waits for its
                        * randoms */
    uint8_t secret_size;
    uint8_t secret[MASTER_VALUE_MAX_SECRET_SIZE];
    uint8_t *premaster; /* owned, OPENSSL_malloc; NULL once converted */
    size_t premaster_size;
    uint16_t highest_version; /* KP_HIGHEST_VERSION; 0: not set, no check */
    struct derivation derivation;
};

/* |secret| has a size that the protocol allows. */
void master_value_init_secret(struct master_value *value, enum key_protocol protocol,
                              struct octets secret);
/* 0 when memory is out.  |premaster| has 1..MASTER_VALUE_MAX_PREMASTER_SIZE bytes. */
int master_value_init_premaster(struct master_value *value, enum key_protocol protocol,
                                struct octets premaster);
void master_value_clear(struct master_value *value);
/* 0 when memory is out; |to| is cleared then. */
int master_value_copy(struct master_value *to, const struct master_value *from);

/*
 * Turns the premaster secret into the master secret with the randoms of |derivation|, once; a
 * converted master is left as it is.  A premaster that does not begin with highest_version is a
 * version rolled back: a random one takes its place, in the same time, and nobody is told
 * (RFC 2246 section 7.4.7.1).  1, or 0 with a reason raised and nothing changed.
 */
int master_value_convert(const struct provctx *provctx, struct master_value *value,
                         const struct derivation *derivation);

/* What the key is made of now: premaster or master secret, borrowed. */
struct octets master_value_secret(const struct master_value *value);

#endif
