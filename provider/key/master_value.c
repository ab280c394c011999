/* A master key: see master_value.h. */
#include "key/master_value.h"

#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include "protocol/ssl3.h"
#include "protocol/tls1.h"

void master_value_init_secret(struct master_value *value, enum key_protocol protocol,
                              struct octets secret)
{
    memset(value, 0, sizeof(*value));
    value->protocol = protocol;
    value->converted = 1;
    memcpy(value->secret, secret.data, secret.size);
    value->secret_size = (uint8_t)secret.size;
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
    derivation_clear(&value->derivation);
    OPENSSL_cleanse(value, sizeof(*value));
}

int master_value_copy(struct master_value *to, const struct master_value *from)
{
    *to = *from;
    derivation_copy(&to->derivation, &from->derivation);
    if (from->premaster == NULL)
        return 1;
    to->premaster = OPENSSL_memdup(from->premaster, from->premaster_size);
    if (to->premaster != NULL)
        return 1;
    master_value_clear(to);
    return 0;
}

static void convert(struct master_value *value, struct octets premaster,
                    const struct derivation *derivation)
{
    const struct octets client = derivation_random_octets(&derivation->client_random);
    const struct octets server = derivation_random_octets(&derivation->server_random);

    if (value->protocol == KEY_PROTOCOL_SSL3)
        ssl3_master_secret(premaster, client, server, value->secret);
    else
        tls1_master_secret(premaster, client, server, value->secret);
    value->secret_size = MASTER_VALUE_MAX_SECRET_SIZE;
}

/* 0xff when the premaster begins with the version, else 0: no branch on its bytes. */
static uint8_t version_mask(const struct master_value *value)
{
    unsigned differs = value->premaster[0] ^ (unsigned)(value->highest_version >> 8);

    differs |= value->premaster[1] ^ (value->highest_version & 0xffu);
    return (uint8_t)((differs - 1) >> 8);
}

/* With a version to check: the premaster secret or, byte by byte in its place, random ones. */
static int convert_checked(const struct provctx *provctx, struct master_value *value,
                           const struct derivation *derivation)
{
    uint8_t chosen[MASTER_VALUE_RSA_PREMASTER_SIZE];
    uint8_t good = 0;

    if (RAND_priv_bytes_ex(provctx->libctx, chosen, sizeof(chosen), 0) != 1)
        return errors_raise_no_random(provctx->errors, provctx->libctx, "a premaster secret");
    if (value->premaster_size == sizeof(chosen))
        good = version_mask(value);
    for (size_t n = 0; n < sizeof(chosen) && n < value->premaster_size; n++)
        chosen[n] = (uint8_t)((chosen[n] & ~good) | (value->premaster[n] & good));
    convert(value, (struct octets){ chosen, sizeof(chosen) }, derivation);
    OPENSSL_cleanse(chosen, sizeof(chosen));
    return 1;
}

int master_value_convert(const struct provctx *provctx, struct master_value *value,
                         const struct derivation *derivation)
{
    if (value->converted)
        return 1;
    if (!derivation_check_randoms(provctx->errors, value->protocol, derivation))
        return 0;
    if (value->highest_version == 0)
        convert(value, (struct octets){ value->premaster, value->premaster_size }, derivation);
    else if (!convert_checked(provctx, value, derivation))
        return 0;
    OPENSSL_clear_free(value->premaster, value->premaster_size);
    value->premaster = NULL;
    value->premaster_size = 0;
    value->converted = 1;
    return 1;
}

struct octets master_value_secret(const struct master_value *value)
{
    if (value->converted)
        return (struct octets){ value->secret, value->secret_size };
    return (struct octets){ value->premaster, value->premaster_size };
}
