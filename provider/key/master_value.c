/* A master key: see master_value.h. */
#include "key/master_value.h"

#include <string.h>
#include <openssl/crypto.h>
#include "protocol/tls1.h"

void master_value_init_secret(struct master_value *value, enum key_protocol protocol,
                              struct octets secret)
{
    memset(value, 0, sizeof(*value));
    value->protocol = protocol;
    value->converted = 1;
    memcpy(value->secret, secret.data, sizeof(value->secret));
}

int master_value_init_premaster(struct master_value *value, enum key_protocol protocol,
                                struct octets premaster)
{
    memset(value, 0, sizeof(*value));
    value->protocol = protocol;
    value->premaster = OPENSSL_memdup(premaster.data, premaster.size);
    value->premaster_size = premaster.size;
    return value->premaster != NULL;
}

void master_value_clear(struct master_value *value)
{
    OPENSSL_clear_free(value->premaster, value->premaster_size);
    OPENSSL_cleanse(value, sizeof(*value));
}

int master_value_copy(struct master_value *to, const struct master_value *from)
{
    *to = *from;
    if (from->premaster == NULL)
        return 1;
    to->premaster = OPENSSL_memdup(from->premaster, from->premaster_size);
    if (to->premaster != NULL)
        return 1;
    master_value_clear(to);
    return 0;
}

int master_value_convert(const struct provctx *provctx, struct master_value *value,
                         const struct derivation *derivation)
{
    if (value->converted)
        return 1;
    if (!derivation_check_randoms(provctx, derivation))
        return 0;
    tls1_master_secret(master_value_secret(value),
                       derivation_random_octets(&derivation->client_random),
                       derivation_random_octets(&derivation->server_random), value->secret);
    OPENSSL_clear_free(value->premaster, value->premaster_size);
    value->premaster = NULL;
    value->premaster_size = 0;
    value->converted = 1;
    return 1;
}

struct octets master_value_secret(const struct master_value *value)
{
    if (value->converted)
        return (struct octets){ value->secret, sizeof(value->secret) };
    return (struct octets){ value->premaster, value->premaster_size };
}
