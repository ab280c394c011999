/* Parameters of the records to come: see mac_record.h. */
#include "key/mac_record.h"

#include "params.h"
#include "schannel/names.h"

#define SSL3 (1u << KEY_PROTOCOL_SSL3)
#define TLS1 (1u << KEY_PROTOCOL_TLS1)

#define ALL  (~0u)

static void set_length(struct mac_record *record, uint64_t number)
{
    record->has_length = 1;
    record->length = (uint16_t)number;
}

static void set_type(struct mac_record *record, uint64_t number)
{
    record->has_type = 1;
    record->type = (uint8_t)number;
}

static void set_version(struct mac_record *record, uint64_t number)
{
    record->has_version = 1;
    record->version = (uint16_t)number;
}

static void set_mode(struct mac_record *record, uint64_t number)
{
    record->enabled = (uint8_t)number;
}

/* Each parameter, the protocols whose records have it, and its largest value. */
static const struct {
    const char *name;
    unsigned protocols;
    uint64_t most;
    void (*set)(struct mac_record *, uint64_t);
} setters[] = {
    { SCHANNEL_PARAM_RECORD_LENGTH, SSL3 | TLS1, MAC_RECORD_MAX_SIZE, set_length },
    { SCHANNEL_PARAM_RECORD_TYPE, SSL3 | TLS1, UINT8_MAX, set_type },
    { SCHANNEL_PARAM_RECORD_VERSION, TLS1, UINT16_MAX, set_version },
    { SCHANNEL_PARAM_RECORD_MODE, ALL, 1, set_mode },
};

#define SETTERS (sizeof(setters) / sizeof(setters[0]))

/* The setter of |param|, SETTERS when it is not ours. */
static size_t setter_of(const OSSL_PARAM *param)
{
    size_t n = 0;

    while (n < SETTERS && !params_is(param, setters[n].name))
        n++;
    return n;
}

static int get_number(const struct provctx *provctx, enum key_protocol protocol,
                      const OSSL_PARAM *param, size_t n, uint64_t *number)
{
    if ((setters[n].protocols >> protocol & 1) == 0)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "%s: is not authenticated in records of %s", param->key,
                     key_protocol_name(protocol));
    return params_get_number(provctx->errors, param, 0, setters[n].most, number);
}

int mac_record_set(const struct provctx *provctx, enum key_protocol protocol,
                   struct mac_record *record, const OSSL_PARAM params[], int *has_others)
{
    const struct mac_record before = *record;
    int has_type = 0, has_mode = 0, others = 0;

    for (; params != NULL && params->key != NULL; params++) {
        const size_t n = setter_of(params);
        uint64_t number;

        if (n == SETTERS) {
            others = 1;
            continue;
        }
        if (!get_number(provctx, protocol, params, n, &number)) {
            *record = before;
            return 0;
        }
        setters[n].set(record, number);
        has_type |= setters[n].set == set_type;
        has_mode |= setters[n].set == set_mode;
    }
    if (has_type && !has_mode)
        record->enabled = 1;
    if (has_others != NULL)
        *has_others = others;
    return 1;
}
