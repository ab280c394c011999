/* A record MAC key and its running state: see mac_value.h. */
#include "key/mac_value.h"

#include <inttypes.h>
#include <string.h>
#include <openssl/crypto.h>

/* TLS 1.0 (RFC 2246 section 6.2.3.1): seq_num(8) || type(1) || version(2) || length(2) */
#define TLS1_HEADER_SIZE 13

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
    hmac_key_init(&value->hmac, digest, value->key, value->key_size);
}

void mac_value_clear(struct mac_value *value)
{
    OPENSSL_cleanse(value, sizeof(*value));
}

void mac_value_drop(struct mac_value *value)
{
    OPENSSL_cleanse(&value->running, sizeof(value->running));
    value->started = 0;
    value->in_record = 0;
    value->record_length = 0;
    value->absorbed = 0;
}

static void absorb_tls1_header(struct mac_value *value, const struct mac_record *record)
{
    uint8_t header[TLS1_HEADER_SIZE];

    for (size_t n = 0; n < 8; n++)
        header[n] = (uint8_t)(value->sequence >> (56 - 8 * n));
    header[8] = record->type;
    header[9] = (uint8_t)(record->version >> 8);
    header[10] = (uint8_t)record->version;
    header[11] = (uint8_t)(record->length >> 8);
    header[12] = (uint8_t)record->length;
    digest_update(&value->running, header, sizeof(header));
}

/* Begins a message unless one is being absorbed. */
static int start(const struct provctx *provctx, struct mac_value *value, struct mac_record *record)
{
    if (value->started)
        return 1;
    if (record->enabled) {
        if (!record->has_version)
            return RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                         "record-version: TLS1-MAC needs it in record mode, 769 (0x0301) for "
                         "TLS 1.0");
        if (!record->has_length)
            return RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                         "record-length: has to be set before each record, since the header that "
                         "holds it is authenticated first");
        if (value->sequence == UINT64_MAX)
            return RAISE(provctx->errors, SCHANNEL_R_SEQUENCE_EXHAUSTED,
                         "sequence: the last record number is reached; it must not wrap");
    }
    hmac_start(&value->hmac, &value->running);
    value->started = 1;
    if (record->enabled) {
        value->in_record = 1;
        value->record_length = record->length;
        record->has_length = 0;
        absorb_tls1_header(value, record);
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

int mac_value_final(const struct provctx *provctx, struct mac_value *value,
                    struct mac_record *record, uint8_t *out)
{
    unsigned expected = value->started ? value->record_length : record->length;
    int in_record = value->started ? value->in_record : record->enabled && record->has_length;

    if (in_record && value->absorbed != expected)
        return RAISE(provctx->errors, SCHANNEL_R_RECORD_LENGTH_MISMATCH,
                     "record-length: said %u bytes, the data had %" PRIu64, expected,
                     value->absorbed);
    if (!start(provctx, value, record))
        return 0;
    hmac_finish(&value->hmac, &value->running, out);
    if (value->in_record) {
        value->sequence++;
        record->has_length = 0;
    }
    mac_value_drop(value);
    return 1;
}
