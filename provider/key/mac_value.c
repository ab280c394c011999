/* A record MAC key and its running state: see mac_value.h. */
#include "key/mac_value.h"

#include <inttypes.h>
#include <string.h>
#include <openssl/crypto.h>
#include "primitive/ssl3_pad.h"

/* The longest header: TLS 1.0, seq_num(8) || type(1) || version(2) || length(2). */
#define MAX_HEADER_SIZE 13

void mac_value_init(struct mac_value *value, enum key_protocol protocol, enum digest_id digest,
                    struct octets key)
{
    memset(value, 0, sizeof(*value));
    value->protocol = protocol;
    value->digest = digest;
    if (key.size > sizeof(value->key)) {
        struct digest_state state;

        digest_init(&state, digest);
        digest_update(&state, key.data, key.size);
        digest_final(&state, value->key);
        value->key_size = (uint8_t)digest_size(digest);
    } else {
        if (key.size != 0)
            memcpy(value->key, key.data, key.size);
        value->key_size = (uint8_t)key.size;
    }
    if (protocol == KEY_PROTOCOL_TLS1)
        hmac_key_init(&value->hmac, digest, value->key, value->key_size);
}

void mac_value_clear(struct mac_value *value)
{
    OPENSSL_cleanse(value, sizeof(*value));
}

/* Ready for the next message; |running| is cleansed already. */
static void end_message(struct mac_value *value)
{
    value->started = 0;
    value->in_record = 0;
    value->record_length = 0;
    value->absorbed = 0;
}

void mac_value_drop(struct mac_value *value)
{
    OPENSSL_cleanse(&value->running, sizeof(value->running));
    end_message(value);
}

/* ---- the four formulas ---- */

static void start_keyed(const struct mac_value *value, struct digest_state *state)
{
    digest_init(state, value->digest);
    digest_update(state, value->key, value->key_size);
}

void mac_value_start(const struct mac_value *value, struct digest_state *running)
{
    switch (value->protocol) {
    case KEY_PROTOCOL_NONE:
        break;
    case KEY_PROTOCOL_PCT1:
        digest_init(running, value->digest);
        break;
    case KEY_PROTOCOL_SSL2:
        start_keyed(value, running);
        break;
    case KEY_PROTOCOL_SSL3:
        start_keyed(value, running);
        ssl3_pad_update(running, SSL3_PAD1);
        break;
    case KEY_PROTOCOL_TLS1:
        hmac_start(&value->hmac, running);
        break;
    }
}

/* The outer hash of PCT 1.0 and SSL 3.0 around the inner one. */
static void finish_nested(const struct mac_value *value, struct digest_state *running, uint8_t *out)
{
    uint8_t inner[DIGEST_MAX_SIZE];

    digest_final(running, inner);
    start_keyed(value, running);
    if (value->protocol == KEY_PROTOCOL_SSL3)
        ssl3_pad_update(running, SSL3_PAD2);
    digest_update(running, inner, digest_size(value->digest));
    digest_final(running, out);
    OPENSSL_cleanse(inner, sizeof(inner));
}

void mac_value_finish(const struct mac_value *value, struct digest_state *running, uint8_t *out)
{
    switch (value->protocol) {
    case KEY_PROTOCOL_NONE:
        break;
    case KEY_PROTOCOL_PCT1:
    case KEY_PROTOCOL_SSL3:
        finish_nested(value, running, out);
        break;
    case KEY_PROTOCOL_SSL2:
        digest_final(running, out);
        break;
    case KEY_PROTOCOL_TLS1:
        hmac_finish(&value->hmac, running, out);
        break;
    }
}

/* ---- records ---- */

/* SSL 3.0 and TLS 1.0 have a header before the data, the other two a number behind it. */
static int has_header(const struct mac_value *value)
{
    return value->protocol == KEY_PROTOCOL_SSL3 || value->protocol == KEY_PROTOCOL_TLS1;
}

static size_t put_big_endian(uint8_t *out, uint64_t number, size_t size)
{
    for (size_t n = size; n > 0; n--, number >>= 8)
        out[n - 1] = (uint8_t)number;
    return size;
}

static void absorb_header(struct mac_value *value, const struct mac_record *record)
{
    uint8_t header[MAX_HEADER_SIZE];
    size_t size = put_big_endian(header, value->sequence, 8);

    size += put_big_endian(header + size, record->type, 1);
    if (value->protocol == KEY_PROTOCOL_TLS1)
        size += put_big_endian(header + size, record->version, 2);
    size += put_big_endian(header + size, record->length, 2);
    digest_update(&value->running, header, size);
}

static void absorb_trailer(struct mac_value *value)
{
    uint8_t number[4];

    digest_update(&value->running, number, put_big_endian(number, value->sequence, sizeof(number)));
}

/* What a message begins with that is not data. */
static uint64_t prefix_size(const struct mac_value *value)
{
    uint64_t size = 0;

    if (value->protocol == KEY_PROTOCOL_TLS1)
        size = DIGEST_BLOCK_SIZE;
    else if (value->protocol == KEY_PROTOCOL_SSL2)
        size = value->key_size;
    else if (value->protocol == KEY_PROTOCOL_SSL3)
        size = value->key_size + (value->digest == DIGEST_MD5 ? 48u : 40u);
    if (value->in_record && has_header(value))
        size += value->protocol == KEY_PROTOCOL_TLS1 ? 13 : 11;
    return size;
}

int mac_value_sequence_is_valid(const struct mac_value *value)
{
    const struct protocol_rules *rules = protocol_rules(value->protocol);

    return value->sequence <= rules->last_sequence + !rules->sequence_wraps;
}

int mac_value_is_consistent(const struct mac_value *value)
{
    if (!value->started)
        return 1;
    if (value->in_record && value->sequence > protocol_rules(value->protocol)->last_sequence)
        return 0;
    /* More data than the record length is a state like any other: the end of the record tells. */
    if (!(value->in_record && has_header(value)) && value->record_length != 0)
        return 0;
    return value->absorbed <= UINT64_MAX / 16 &&
           digest_absorbed(&value->running) == prefix_size(value) + value->absorbed;
}

static int check_header(const struct provctx *provctx, const struct mac_value *value,
                        const struct mac_record *record)
{
    const char *protocol = key_protocol_name(value->protocol);

    if (!record->has_type)
        return RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "record-type: a record of %s needs it", protocol);
    if (value->protocol == KEY_PROTOCOL_TLS1 && !record->has_version)
        return RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "record-version: TLS1-MAC needs it in record mode, 769 (0x0301) for "
                     "TLS 1.0");
    return record->has_length ||
           RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                 "record-length: has to be set before each record, since the header that "
                 "holds it is authenticated first");
}

static int check_record(const struct provctx *provctx, const struct mac_value *value,
                        const struct mac_record *record)
{
    if (has_header(value) && !check_header(provctx, value, record))
        return 0;
    return value->sequence <= protocol_rules(value->protocol)->last_sequence ||
           RAISE(provctx->errors, SCHANNEL_R_SEQUENCE_EXHAUSTED,
                 "sequence: the last record number of %s is reached; it must not wrap",
                 key_protocol_name(value->protocol));
}

/* Begins a message unless one is being absorbed. */
static int start(const struct provctx *provctx, struct mac_value *value, struct mac_record *record)
{
    if (value->started)
        return 1;
    if (record->enabled && !check_record(provctx, value, record))
        return 0;
    mac_value_start(value, &value->running);
    value->started = 1;
    if (record->enabled) {
        value->in_record = 1;
        if (has_header(value)) {
            value->record_length = record->length;
            record->has_length = 0;
            absorb_header(value, record);
        }
    }
    return 1;
}

int mac_value_update(const struct provctx *provctx, struct mac_value *value,
                     struct mac_record *record, const uint8_t *data, size_t size)
{
    if (!start(provctx, value, record))
        return 0;
    digest_update(&value->running, data, size);
    value->absorbed += size;
    return 1;
}

static void advance(struct mac_value *value)
{
    const struct protocol_rules *rules = protocol_rules(value->protocol);

    if (rules->sequence_wraps && value->sequence == rules->last_sequence)
        value->sequence = 0;
    else
        value->sequence++;
}

int mac_value_final(const struct provctx *provctx, struct mac_value *value,
                    struct mac_record *record, uint8_t *out)
{
    unsigned expected = value->started ? value->record_length : record->length;
    int has_length = has_header(value) &&
                     (value->started ? value->in_record : record->enabled && record->has_length);

    if (has_length && value->absorbed != expected)
        return RAISE(provctx->errors, SCHANNEL_R_RECORD_LENGTH_MISMATCH,
                     "record-length: said %u bytes, the data had %" PRIu64, expected,
                     value->absorbed);
    if (!start(provctx, value, record))
        return 0;
    if (value->in_record && !has_header(value))
        absorb_trailer(value);
    mac_value_finish(value, &value->running, out);
    if (value->in_record) {
        advance(value);
        record->has_length = 0;
    }
    end_message(value);
    return 1;
}
