/*
 * A record MAC key together with its running state: the half-absorbed message and the sequence
 * number.  A value struct: it belongs to a key object, which locks it, or to a MAC context that was
 * given plain key bytes.
 *
 * Raw mode: the MAC covers exactly the bytes given, and |sequence| stays.
 * Record mode: sequence number and record header are absorbed before the first byte, and a finished
 * record adds one to |sequence|.
 * Called by mac/, key/key and blob/opaque.
 */
#ifndef SCHANNEL_KEY_MAC_VALUE_H
#define SCHANNEL_KEY_MAC_VALUE_H

#include "key/algorithm.h"
#include "key/mac_record.h"
#include "primitive/hmac.h"
#include "primitive/octets.h"
#include "provctx.h"

#define MAC_VALUE_MAX_KEY_SIZE DIGEST_BLOCK_SIZE

struct mac_value {
    enum key_protocol protocol;
    enum digest_id digest;
    uint8_t key_size;
    uint8_t key[MAC_VALUE_MAX_KEY_SIZE];
    uint64_t sequence; /* number of the record being absorbed, or of the next one */

    /* The message being absorbed. */
    uint8_t started;   /* |running| is valid */
    uint8_t in_record; /* it is a record: header absorbed, sequence to be advanced */
    uint16_t record_length;
    uint64_t absorbed; /* bytes of data, header not counted */
    struct digest_state running;

    struct hmac_key hmac; /* follows from |key| */
};

/* A new key, sequence 0, nothing absorbed.  TLS 1.0: an HMAC key of any size, 0 included; one
 * longer than a block is replaced by its digest, as RFC 2104 does. */
void mac_value_init(struct mac_value *value, enum key_protocol protocol, enum digest_id digest,
                    struct octets key);
void mac_value_clear(struct mac_value *value);
/* Forgets the message being absorbed; |sequence| stays. */
void mac_value_drop(struct mac_value *value);

/* 1, or 0 with a reason raised and nothing absorbed.  The length in |record| is used up when a record
 * begins; one set later is for the next record. */
int mac_value_update(const struct provctx *provctx, struct mac_value *value,
                     struct mac_record *record, const uint8_t *data, size_t size);
/*
 * Ends the message: digest_size bytes to |out|.  0 with a reason raised when the record's length
 * was not met or its sequence number is the last one; the state is untouched then.
 */
int mac_value_final(const struct provctx *provctx, struct mac_value *value,
                    struct mac_record *record, uint8_t *out);

#endif
