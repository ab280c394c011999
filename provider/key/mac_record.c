/* Parameters of the records to come: see mac_record.h. */
#include "key/mac_record.h"

#include "params.h"
#include "schannel/names.h"

#define SSL3 (1u << KEY_PROTOCOL_SSL3)
#define TLS1 (1u << KEY_PROTOCOL_TLS1)

/* Sets |given| and |number| when the parameter is there; 0 when it does not fit. */
static int get(const struct provctx *provctx, enum key_protocol protocol, unsigned protocols,
               const OSSL_PARAM *param, uint64_t most, uint8_t *given, uint64_t *number)
{
    if (param == NULL)
        return 1;
    if ((protocols >> protocol & 1) == 0)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "%s: is not authenticated in records of %s", param->key,
                     key_protocol_name(protocol));
    *given = 1;
    return params_get_number(provctx->errors, param, 0, most, number);
}

int mac_record_set(const struct provctx *provctx, enum key_protocol protocol,
                   struct mac_record *record, const OSSL_PARAM params[])
{
    struct mac_record changed = *record;
    uint64_t type = record->type, version = record->version, length = record->length;
    const OSSL_PARAM *mode, *given_type;
    int enabled;

    if (params == NULL)
        return 1;
    mode = OSSL_PARAM_locate_const(params, SCHANNEL_PARAM_RECORD_MODE);
    given_type = OSSL_PARAM_locate_const(params, SCHANNEL_PARAM_RECORD_TYPE);
    if (!get(provctx, protocol, SSL3 | TLS1, given_type, UINT8_MAX, &changed.has_type, &type) ||
        !get(provctx, protocol, TLS1,
             OSSL_PARAM_locate_const(params, SCHANNEL_PARAM_RECORD_VERSION), UINT16_MAX,
             &changed.has_version, &version) ||
        !get(provctx, protocol, SSL3 | TLS1,
             OSSL_PARAM_locate_const(params, SCHANNEL_PARAM_RECORD_LENGTH), MAC_RECORD_MAX_SIZE,
             &changed.has_length, &length))
        return 0;
    if (given_type != NULL)
        changed.enabled = 1;
    if (mode != NULL) {
        if (!params_get_flag(provctx->errors, mode, &enabled))
            return 0;
        changed.enabled = (uint8_t)enabled;
    }
    changed.type = (uint8_t)type;
    changed.version = (uint16_t)version;
    changed.length = (uint16_t)length;
    *record = changed;
    return 1;
}
