/* The parameters of a derivation: see derivation.h. */
#include "key/derivation.h"

#include <string.h>
#include <openssl/params.h>
#include "params.h"
#include "schannel/names.h"

#define MAX_KEY_BITS                                                                               \
    4096 /* more than any row of the cipher table: a bound for the number itself  \
                           */

static int set_random(const struct provctx *provctx, struct derivation_random *random,
                      const OSSL_PARAM *param)
{
    struct octets value;

    if (!params_get_octets(provctx->errors, param, 1, DERIVATION_MAX_RANDOM_SIZE, &value))
        return 0;
    memcpy(random->data, value.data, value.size);
    random->size = (uint8_t)value.size;
    return 1;
}

static int set_client_random(const struct provctx *provctx, struct derivation *derivation,
                             const OSSL_PARAM *param)
{
    return set_random(provctx, &derivation->client_random, param);
}

static int set_server_random(const struct provctx *provctx, struct derivation *derivation,
                             const OSSL_PARAM *param)
{
    return set_random(provctx, &derivation->server_random, param);
}

static int set_cipher(const struct provctx *provctx, struct derivation *derivation,
                      const OSSL_PARAM *param)
{
    char name[PARAMS_NAME_SIZE];
    const struct bulk_cipher *cipher;

    if (!params_get_name(provctx->errors, param, name, sizeof(name)))
        return 0;
    if ((cipher = bulk_cipher_by_name(name)) == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_UNKNOWN_ALGORITHM,
                     "cipher: expected RC4, RC2-CBC, DES-CBC, DES-EDE-CBC, DES-EDE3-CBC, "
                     "AES-128-CBC, AES-192-CBC or AES-256-CBC, got \"%s\"",
                     name);
    derivation->cipher = cipher;
    return 1;
}

static int set_digest(const struct provctx *provctx, struct derivation *derivation,
                      const OSSL_PARAM *param)
{
    return params_get_digest(provctx->errors, param, &derivation->digest);
}

static int set_bits(const struct provctx *provctx, const OSSL_PARAM *param, uint16_t *bits)
{
    uint64_t number;

    if (!params_get_number(provctx->errors, param, 1, MAX_KEY_BITS, &number))
        return 0;
    *bits = (uint16_t)number;
    return 1;
}

static int set_cipher_bits(const struct provctx *provctx, struct derivation *derivation,
                           const OSSL_PARAM *param)
{
    return set_bits(provctx, param, &derivation->cipher_bits);
}

static int set_mac_bits(const struct provctx *provctx, struct derivation *derivation,
                        const OSSL_PARAM *param)
{
    return set_bits(provctx, param, &derivation->mac_bits);
}

static int set_export(const struct provctx *provctx, struct derivation *derivation,
                      const OSSL_PARAM *param)
{
    int flag;

    if (!params_get_flag(provctx->errors, param, &flag))
        return 0;
    derivation->has_export = 1;
    derivation->is_export = (uint8_t)flag;
    return 1;
}

static int set_relaxed(const struct provctx *provctx, struct derivation *derivation,
                       const OSSL_PARAM *param)
{
    int flag;

    if (!params_get_flag(provctx->errors, param, &flag))
        return 0;
    derivation->has_relaxed = 1;
    derivation->relaxed = (uint8_t)flag;
    return 1;
}

static const struct {
    const char *name;
    int (*set)(const struct provctx *, struct derivation *, const OSSL_PARAM *);
} setters[] = {
    { SCHANNEL_PARAM_CLIENT_RANDOM, set_client_random },
    { SCHANNEL_PARAM_SERVER_RANDOM, set_server_random },
    { SCHANNEL_PARAM_CIPHER, set_cipher },
    { SCHANNEL_PARAM_CIPHER_BITS, set_cipher_bits },
    { SCHANNEL_PARAM_EXPORT, set_export },
    { SCHANNEL_PARAM_DIGEST, set_digest },
    { SCHANNEL_PARAM_MAC_BITS, set_mac_bits },
    { SCHANNEL_PARAM_RELAXED_RANDOMS, set_relaxed },
};

int derivation_set(const struct provctx *provctx, struct derivation *derivation,
                   const OSSL_PARAM params[])
{
    struct derivation changed = *derivation;

    for (; params != NULL && params->key != NULL; params++) {
        for (size_t n = 0; n < sizeof(setters) / sizeof(setters[0]); n++) {
            if (strcmp(params->key, setters[n].name) == 0 &&
                !setters[n].set(provctx, &changed, params))
                return 0;
        }
    }
    *derivation = changed;
    return 1;
}

void derivation_merge(struct derivation *base, const struct derivation *change)
{
    if (change->client_random.size != 0)
        base->client_random = change->client_random;
    if (change->server_random.size != 0)
        base->server_random = change->server_random;
    if (change->cipher != NULL) {
        base->cipher = change->cipher;
        /* A size belongs to the cipher it was given for. */
        base->cipher_bits = 0;
    }
    if (change->cipher_bits != 0)
        base->cipher_bits = change->cipher_bits;
    if (change->digest != DIGEST_NONE) {
        base->digest = change->digest;
        base->mac_bits = 0;
    }
    if (change->mac_bits != 0)
        base->mac_bits = change->mac_bits;
    if (change->has_export) {
        base->has_export = 1;
        base->is_export = change->is_export;
    }
    if (change->has_relaxed) {
        base->has_relaxed = 1;
        base->relaxed = change->relaxed;
    }
}

const char *derivation_given(const struct derivation *derivation, int but_digest)
{
    const struct {
        const char *name;
        int given;
    } all[] = {
        { SCHANNEL_PARAM_CLIENT_RANDOM, derivation->client_random.size != 0 },
        { SCHANNEL_PARAM_SERVER_RANDOM, derivation->server_random.size != 0 },
        { SCHANNEL_PARAM_CIPHER, derivation->cipher != NULL },
        { SCHANNEL_PARAM_CIPHER_BITS, derivation->cipher_bits != 0 },
        { SCHANNEL_PARAM_EXPORT, derivation->has_export },
        { SCHANNEL_PARAM_DIGEST, !but_digest && derivation->digest != DIGEST_NONE },
        { SCHANNEL_PARAM_MAC_BITS, derivation->mac_bits != 0 },
        { SCHANNEL_PARAM_RELAXED_RANDOMS, derivation->has_relaxed },
    };

    for (size_t n = 0; n < sizeof(all) / sizeof(all[0]); n++) {
        if (all[n].given)
            return all[n].name;
    }
    return NULL;
}

struct octets derivation_random_octets(const struct derivation_random *random)
{
    return (struct octets){ random->data, random->size };
}

static int check_random(const struct provctx *provctx, const struct derivation *derivation,
                        const struct derivation_random *random, const char *name)
{
    if (random->size == 0)
        return RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "%s: is not set, but this derivation needs it", name);
    if (!derivation->relaxed && random->size != TLS1_RANDOM_SIZE)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "%s: expected %d bytes, got %u (relaxed-randoms accepts 1 to %d)", name,
                     TLS1_RANDOM_SIZE, (unsigned)random->size, DERIVATION_MAX_RANDOM_SIZE);
    return 1;
}

int derivation_check_randoms(const struct provctx *provctx, const struct derivation *derivation)
{
    return check_random(provctx, derivation, &derivation->client_random,
                        SCHANNEL_PARAM_CLIENT_RANDOM) &&
           check_random(provctx, derivation, &derivation->server_random,
                        SCHANNEL_PARAM_SERVER_RANDOM);
}

/* The MAC secret is as long as the digest: RFC 2246 section 6.3 knows no other. */
static int check_digest(const struct provctx *provctx, const struct derivation *derivation)
{
    size_t bits = 8 * digest_size(derivation->digest);

    if (derivation->digest == DIGEST_NONE)
        return RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "digest: is not set, but the MAC secrets come first in the key block: "
                     "expected MD5 or SHA1");
    if (derivation->mac_bits != 0 && derivation->mac_bits != bits)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "mac-bits: expected %zu for %s, got %u", bits, digest_name(derivation->digest),
                     (unsigned)derivation->mac_bits);
    return 1;
}

int derivation_tls1_connection(const struct provctx *provctx, const struct derivation *derivation,
                               int for_mac, struct tls1_connection *connection,
                               struct bulk_cipher_sizes *sizes)
{
    memset(sizes, 0, sizeof(*sizes));
    if (!derivation_check_randoms(provctx, derivation) || !check_digest(provctx, derivation))
        return 0;
    if (!for_mac && derivation->cipher == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "cipher: is not set, but this derivation needs it");
    if (!for_mac && !bulk_cipher_key_block_sizes(derivation->cipher, derivation->cipher_bits,
                                                 derivation->is_export, sizes))
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "cipher-bits: %s has no key of %u bits%s", derivation->cipher->name,
                     (unsigned)derivation->cipher_bits,
                     derivation->is_export ? " for export" : " without export");
    connection->client_random = derivation_random_octets(&derivation->client_random);
    connection->server_random = derivation_random_octets(&derivation->server_random);
    connection->cipher = derivation->cipher;
    connection->cipher_bits = derivation->cipher_bits;
    connection->is_export = derivation->is_export;
    connection->mac_size = digest_size(derivation->digest);
    return 1;
}
