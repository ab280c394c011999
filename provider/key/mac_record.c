/* Parameters of the records to come: see mac_record.h. */
#include "key/mac_record.h"

#include "params.h"
#include "schannel/names.h"

/* Sets |given| and |number| when the parameter is there; 0 when it does not fit. */
static int get(const struct provctx *provctx, const OSSL_PARAM params[], const char *name,
               uint64_t most, uint8_t *given, uint64_t *number)
{
    const OSSL_PARAM *param = OSSL_PARAM_locate_const(params, name);

    if (param == NULL)
        return 1;
    *given = 1;
    return params_get_number(provctx->errors, param, 0, most, number);
}

int mac_record_set(const struct provctx *provctx, struct mac_record *record,
                   const OSSL_PARAM params[])
{
    struct mac_record changed = *record;
    uint64_t type = record->type, version = record->version, length = record->length;

    if (params == NULL)
        return 1;
    if (!get(provctx, params, SCHANNEL_PARAM_RECORD_TYPE, UINT8_MAX, &changed.enabled, &type) ||
        !get(provctx, params, SCHANNEL_PARAM_RECORD_VERSION, UINT16_MAX, &changed.has_version,
             &version) ||
        !get(provctx, params, SCHANNEL_PARAM_RECORD_LENGTH, MAC_RECORD_MAX_SIZE,
             &changed.has_length, &length))
        return 0;
    changed.type = (uint8_t)type;
    changed.version = (uint16_t)version;
    changed.length = (uint16_t)length;
    *record = changed;
    return 1;
}
