/* The parameters of a derivation: see derivation.h. */
#include "key/derivation.h"

#include <stdio.h>
#include <string.h>
#include <openssl/params.h>
#include "params.h"
#include "schannel/names.h"

#define PCT1      (1u << KEY_PROTOCOL_PCT1)
#define SSL2      (1u << KEY_PROTOCOL_SSL2)
#define SSL3      (1u << KEY_PROTOCOL_SSL3)
#define TLS1      (1u << KEY_PROTOCOL_TLS1)
#define EVERY_ONE (PCT1 | SSL2 | SSL3 | TLS1)

/* ---- setting ---- */

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

/* Replaces a reference that |derivation| owns.  No bytes: as if it had never been set. */
static int set_shared(const struct provctx *provctx, const OSSL_PARAM *param, size_t most,
                      struct shared_octets **shared)
{
    struct shared_octets *made = NULL;
    struct octets value;

    if (!params_get_octets(provctx->errors, param, 0, most, &value))
        return 0;
    if (value.size != 0 && (made = shared_octets_new(value)) == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "%s: no memory for it", param->key);
    shared_octets_free(*shared);
    *shared = made;
    return 1;
}

static int set_clear_key(const struct provctx *provctx, struct derivation *derivation,
                         const OSSL_PARAM *param)
{
    return set_shared(provctx, param, DERIVATION_MAX_CLEAR_KEY_SIZE, &derivation->clear_key);
}

static int set_certificate(const struct provctx *provctx, struct derivation *derivation,
                           const OSSL_PARAM *param)
{
    return set_shared(provctx, param, DERIVATION_MAX_CERTIFICATE_SIZE, &derivation->certificate);
}

static int set_cipher(const struct provctx *provctx, struct derivation *derivation,
                      const OSSL_PARAM *param)
{
    return params_get_cipher(provctx->errors, param, &derivation->cipher);
}

static int set_digest(const struct provctx *provctx, struct derivation *derivation,
                      const OSSL_PARAM *param)
{
    return params_get_digest(provctx->errors, param, &derivation->digest);
}

static int set_bits(const struct provctx *provctx, const OSSL_PARAM *param, uint16_t *bits)
{
    uint64_t number;

    if (!params_get_number(provctx->errors, param, 1, DERIVATION_MAX_BITS, &number))
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

static int set_choice(const struct provctx *provctx, const OSSL_PARAM *param,
                      struct derivation_choice *choice)
{
    int flag;

    if (!params_get_flag(provctx->errors, param, &flag))
        return 0;
    *choice = (struct derivation_choice){ 1, (uint8_t)flag };
    return 1;
}

static int set_export(const struct provctx *provctx, struct derivation *derivation,
                      const OSSL_PARAM *param)
{
    return set_choice(provctx, param, &derivation->is_export);
}

static int set_relaxed(const struct provctx *provctx, struct derivation *derivation,
                       const OSSL_PARAM *param)
{
    return set_choice(provctx, param, &derivation->relaxed);
}

static int set_ssl2_des_digit(const struct provctx *provctx, struct derivation *derivation,
                              const OSSL_PARAM *param)
{
    return set_choice(provctx, param, &derivation->ssl2_des_digit);
}

static int set_pct_raw_des(const struct provctx *provctx, struct derivation *derivation,
                           const OSSL_PARAM *param)
{
    return set_choice(provctx, param, &derivation->pct_raw_des);
}

static int set_version(const struct provctx *provctx, struct derivation *derivation,
                       const OSSL_PARAM *param)
{
    uint64_t version;

    if (!params_get_number(provctx->errors, param, DERIVATION_TLS1_0, DERIVATION_TLS1_1, &version))
        return 0;
    derivation->is_tls1_1 = (struct derivation_choice){ 1, version == DERIVATION_TLS1_1 };
    return 1;
}

/* Each parameter, and the protocols that have a use for it. */
static const struct {
    const char *name;
    unsigned protocols;
    int (*set)(const struct provctx *, struct derivation *, const OSSL_PARAM *);
} setters[] = {
    { SCHANNEL_PARAM_CLIENT_RANDOM, EVERY_ONE, set_client_random },
    { SCHANNEL_PARAM_SERVER_RANDOM, EVERY_ONE, set_server_random },
    { SCHANNEL_PARAM_CLEAR_KEY, PCT1 | SSL2, set_clear_key },
    { SCHANNEL_PARAM_CERTIFICATE, PCT1, set_certificate },
    { SCHANNEL_PARAM_CIPHER, EVERY_ONE, set_cipher },
    { SCHANNEL_PARAM_CIPHER_BITS, EVERY_ONE, set_cipher_bits },
    { SCHANNEL_PARAM_EXPORT, EVERY_ONE, set_export },
    { SCHANNEL_PARAM_DIGEST, EVERY_ONE, set_digest },
    { SCHANNEL_PARAM_MAC_BITS, EVERY_ONE, set_mac_bits },
    { SCHANNEL_PARAM_RELAXED_RANDOMS, EVERY_ONE, set_relaxed },
    { SCHANNEL_PARAM_RECORD_VERSION, TLS1, set_version },
    { SCHANNEL_PARAM_SSL2_DES_DIGIT, SSL2, set_ssl2_des_digit },
    { SCHANNEL_PARAM_PCT_RAW_DES, PCT1, set_pct_raw_des },
};

#define SETTERS (sizeof(setters) / sizeof(setters[0]))

static int lacks(const struct errors *errors, enum key_protocol protocol, const char *name)
{
    return RAISE(errors, SCHANNEL_R_CONFLICTING_PARAMETERS, "%s: %s has none, leave it out", name,
                 key_protocol_name(protocol));
}

int derivation_set(const struct provctx *provctx, enum key_protocol protocol,
                   struct derivation *derivation, const OSSL_PARAM params[])
{
    struct derivation changed;

    if (params == NULL || params->key == NULL)
        return 1;
    derivation_copy(&changed, derivation);
    for (; params->key != NULL; params++) {
        size_t n = 0;

        while (n < SETTERS && !params_is(params, setters[n].name))
            n++;
        if (n == SETTERS)
            continue;
        if (protocol != KEY_PROTOCOL_NONE && (setters[n].protocols >> protocol & 1) == 0) {
            derivation_clear(&changed);
            return lacks(provctx->errors, protocol, params->key);
        }
        if (!setters[n].set(provctx, &changed, params)) {
            derivation_clear(&changed);
            return 0;
        }
    }
    derivation_clear(derivation);
    *derivation = changed;
    return 1;
}

/* ---- copies ---- */

void derivation_copy(struct derivation *to, const struct derivation *from)
{
    *to = *from;
    shared_octets_up_ref(to->clear_key);
    shared_octets_up_ref(to->certificate);
}

void derivation_clear(struct derivation *derivation)
{
    shared_octets_free(derivation->clear_key);
    shared_octets_free(derivation->certificate);
    memset(derivation, 0, sizeof(*derivation));
}

static void merge_choice(struct derivation_choice *base, const struct derivation_choice *change)
{
    if (change->is_given)
        *base = *change;
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
    if (change->clear_key != NULL)
        base->clear_key = change->clear_key;
    if (change->certificate != NULL)
        base->certificate = change->certificate;
    merge_choice(&base->is_export, &change->is_export);
    merge_choice(&base->relaxed, &change->relaxed);
    merge_choice(&base->ssl2_des_digit, &change->ssl2_des_digit);
    merge_choice(&base->pct_raw_des, &change->pct_raw_des);
    merge_choice(&base->is_tls1_1, &change->is_tls1_1);
}

/* ---- asking ---- */

/* Is the parameter of setters[n] set? */
static int is_given(const struct derivation *derivation, size_t n)
{
    const int given[] = {
        derivation->client_random.size != 0, derivation->server_random.size != 0,
        derivation->clear_key != NULL,       derivation->certificate != NULL,
        derivation->cipher != NULL,          derivation->cipher_bits != 0,
        derivation->is_export.is_given,      derivation->digest != DIGEST_NONE,
        derivation->mac_bits != 0,           derivation->relaxed.is_given,
        derivation->is_tls1_1.is_given,      derivation->ssl2_des_digit.is_given,
        derivation->pct_raw_des.is_given,
    };

    _Static_assert(sizeof(given) / sizeof(given[0]) == SETTERS, "one answer for each parameter");
    return given[n];
}

const char *derivation_given(const struct derivation *derivation, int but_digest)
{
    for (size_t n = 0; n < SETTERS; n++) {
        int is_digest = setters[n].set == set_digest;

        if (is_given(derivation, n) && !(but_digest && is_digest))
            return setters[n].name;
    }
    return NULL;
}

int derivation_check_protocol(const struct errors *errors, enum key_protocol protocol,
                              const struct derivation *derivation)
{
    for (size_t n = 0; n < SETTERS; n++) {
        if (is_given(derivation, n) && (setters[n].protocols >> protocol & 1) == 0)
            return lacks(errors, protocol, setters[n].name);
    }
    return 1;
}

struct octets derivation_random_octets(const struct derivation_random *random)
{
    return (struct octets){ random->data, random->size };
}

#define RANDOM_SIZES_TEXT 24

/* "32", or "16 to 32". */
static void random_sizes(const struct protocol_rules *rules, char text[RANDOM_SIZES_TEXT])
{
    if (rules->min_random == rules->max_random)
        snprintf(text, RANDOM_SIZES_TEXT, "%zu", rules->max_random);
    else
        snprintf(text, RANDOM_SIZES_TEXT, "%zu to %zu", rules->min_random, rules->max_random);
}

/* What is set has a length that the protocol allows. */
static int check_random(const struct errors *errors, const struct protocol_rules *rules,
                        const struct derivation *derivation, const struct derivation_random *random,
                        const char *name)
{
    char sizes[RANDOM_SIZES_TEXT];

    if (random->size == 0 || derivation->relaxed.value ||
        (random->size >= rules->min_random && random->size <= rules->max_random))
        return 1;
    random_sizes(rules, sizes);
    return RAISE(errors, SCHANNEL_R_INVALID_LENGTH,
                 "%s: expected %s bytes, got %u (relaxed-randoms accepts 1 to %d)", name, sizes,
                 (unsigned)random->size, DERIVATION_MAX_RANDOM_SIZE);
}

static int need_random(const struct errors *errors, const struct protocol_rules *rules,
                       const struct derivation_random *random, const char *name)
{
    char sizes[RANDOM_SIZES_TEXT];

    if (random->size != 0)
        return 1;
    random_sizes(rules, sizes);
    return RAISE(errors, SCHANNEL_R_MISSING_PARAMETER, "%s: is not set: expected %s bytes", name,
                 sizes);
}

int derivation_check_lengths(const struct errors *errors, enum key_protocol protocol,
                             const struct derivation *derivation)
{
    const struct protocol_rules *rules = protocol_rules(protocol);

    return check_random(errors, rules, derivation, &derivation->client_random,
                        SCHANNEL_PARAM_CLIENT_RANDOM) &&
           check_random(errors, rules, derivation, &derivation->server_random,
                        SCHANNEL_PARAM_SERVER_RANDOM);
}

int derivation_check_randoms(const struct errors *errors, enum key_protocol protocol,
                             const struct derivation *derivation)
{
    const struct protocol_rules *rules = protocol_rules(protocol);

    return need_random(errors, rules, &derivation->client_random, SCHANNEL_PARAM_CLIENT_RANDOM) &&
           need_random(errors, rules, &derivation->server_random, SCHANNEL_PARAM_SERVER_RANDOM) &&
           derivation_check_lengths(errors, protocol, derivation);
}
