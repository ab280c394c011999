/*
 * A record MAC key together with its running state: the half-absorbed message and the sequence
 * number.  A value struct: it belongs to a key object, which locks it, or to a MAC context that was
 * given plain key bytes.
 *
 *   PCT 1.0   H(k || H(data)); records: the sequence number, 32 bits, follows the data
 *   SSL 2.0   MD5(k || data); records: as in PCT 1.0
 *   SSL 3.0   H(k || pad2 || H(k || pad1 || data)); records: sequence number, 64 bits, type and
 *             length come before the data
 *   TLS 1.0   HMAC(k, data); records: as in SSL 3.0, with the version behind the type
 *
 * Raw mode: the MAC covers exactly the bytes given, and |sequence| stays.
 * Record mode: a finished record adds one to |sequence|.  That of SSL 2.0 wraps; the others end.
 * Called by mac/, signature/, key/key and blob/opaque.
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
    uint8_t in_record; /* it is a record: sequence to be absorbed or absorbed, then advanced */
    uint16_t record_length;
    uint64_t absorbed; /* bytes of data, header not counted */
    struct digest_state running;

    struct hmac_key hmac; /* TLS 1.0: follows from |key| */
};

/*
 * A new key, sequence 0, nothing absorbed.  TLS 1.0: an HMAC key of any size, 0 included; one
 * longer than a block is replaced by its digest, as RFC 2104 does.  The others: at most
 * MAC_VALUE_MAX_KEY_SIZE bytes.
 */
void mac_value_init(struct mac_value *value, enum key_protocol protocol, enum digest_id digest,
                    struct octets key);
void mac_value_clear(struct mac_value *value);
/* Forgets the message being absorbed; |sequence| stays. */
void mac_value_drop(struct mac_value *value);

/* Starts |running| as the protocol's raw mode does; a signature context has one of its own. */
void mac_value_start(const struct mac_value *value, struct digest_state *running);
/* Ends |running| that mac_value_start started: digest_size bytes to |out|. */
void mac_value_finish(const struct mac_value *value, struct digest_state *running, uint8_t *out);

/* 1 when |sequence| can have come about: at most one beyond the last, for those that end. */
int mac_value_sequence_is_valid(const struct mac_value *value);
/* 1 when the message being absorbed, if there is one, can have come about: a state that was read. */
int mac_value_is_consistent(const struct mac_value *value);

/* 1, or 0 with a reason raised and nothing absorbed.  The length in |record| is used up when a record
 * begins; one set later is for the next record. */
int mac_value_update(const struct provctx *provctx, struct mac_value *value,
                     struct mac_record *record, const uint8_t *data, size_t size);
/*
 * Ends the message: digest_size bytes to |out|.  0 with a reason raised when the record's length
 * was not met or there is no number left for it; the state is untouched then.
 */
int mac_value_final(const struct provctx *provctx, struct mac_value *value,
                    struct mac_record *record, uint8_t *out);

#endif
