/* The parameters of an existing key: see key_params.h. */
#include "keymgmt/key_params.h"

#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include "blob/opaque.h"
#include "key/derivation.h"
#include "key/options.h"
#include "params.h"
#include "schannel/names.h"

/* ---- get ---- */

static int get_text(const struct key *key, OSSL_PARAM *param, const char *text)
{
    return OSSL_PARAM_set_utf8_string(param, text) ||
           RAISE(key->provctx->errors, SCHANNEL_R_OUTPUT_TOO_SMALL,
                 "%s: is a UTF-8 string of %zu bytes", param->key, strlen(text));
}

static int get_number(const struct key *key, OSSL_PARAM *param, uint64_t number)
{
    return params_set_number(key->provctx->errors, param, number);
}

/* A parameter that this kind of key lacks. */
static int lacks(const struct key *key, const OSSL_PARAM *param)
{
    return RAISE(key->provctx->errors, SCHANNEL_R_WRONG_KIND_OF_KEY, "%s: %s keys have none",
                 param->key, key->algorithm->name);
}

static int get_algorithm(struct key *key, OSSL_PARAM *param)
{
    return get_text(key, param, key->algorithm->name);
}

static int get_kind(struct key *key, OSSL_PARAM *param)
{
    return get_text(key, param, key_kind_name(key->algorithm->kind));
}

static int get_bits(struct key *key, OSSL_PARAM *param)
{
    return get_number(key, param, key_bits(key));
}

static int get_security_bits(struct key *key, OSSL_PARAM *param)
{
    return get_number(key, param, key_security_bits(key));
}

/* SSL 3.0's function gives no more; that of TLS 1.0 any length, of which EVP_PKEY_derive says more. */
#define LARGEST_MASTER_OUTPUT 416

/* The largest output of an operation with the key: a MAC, a block, a master's PRF output. */
static int get_max_size(struct key *key, OSSL_PARAM *param)
{
    switch (key->algorithm->kind) {
    case KEY_KIND_MASTER:
        return get_number(key, param, LARGEST_MASTER_OUTPUT);
    case KEY_KIND_CIPHER:
        /* a block, or the MAC of an SSL 2.0 key */
        if (key->ssl2_mac != NULL)
            return get_number(key, param, digest_size(key->ssl2_mac->digest));
        return get_number(key, param, key->value.cipher.cipher->block_size);
    case KEY_KIND_MAC:
        break;
    }
    return get_number(key, param, digest_size(key->value.mac.digest));
}

static int get_usage(struct key *key, OSSL_PARAM *param)
{
    const char *name = key_usage_name(key->usage);

    return get_text(key, param, name != NULL ? name : "");
}

static int get_iv(struct key *key, OSSL_PARAM *param)
{
    struct octets chain = { NULL, 0 };

    if (key->algorithm->kind == KEY_KIND_CIPHER)
        chain = cipher_value_chain(&key->value.cipher);
    if (chain.size == 0)
        return lacks(key, param);
    return params_set_octets(key->provctx->errors, param, chain);
}

static int get_salt(struct key *key, OSSL_PARAM *param)
{
    if (key->algorithm->kind != KEY_KIND_CIPHER)
        return lacks(key, param);
    return params_set_octets(key->provctx->errors, param, cipher_value_salt(&key->value.cipher));
}

static int get_sequence(struct key *key, OSSL_PARAM *param)
{
    const struct mac_value *mac = key_mac(key);

    return mac == NULL ? lacks(key, param) : get_number(key, param, mac->sequence);
}

static const struct derivation *derivation_of(const struct key *key)
{
    return key->algorithm->kind == KEY_KIND_MASTER ? &key->value.master->derivation : NULL;
}

/* On a MAC key its digest, on a master the one for MAC keys. */
static int get_digest(struct key *key, OSSL_PARAM *param)
{
    const struct derivation *derivation = derivation_of(key);
    enum digest_id digest = DIGEST_NONE;

    if (derivation != NULL)
        digest = derivation->digest;
    else if (key_mac(key) != NULL)
        digest = key_mac(key)->digest;
    if (digest == DIGEST_NONE)
        return lacks(key, param);
    return get_text(key, param, digest_name(digest));
}

static int get_random(const struct key *key, OSSL_PARAM *param,
                      const struct derivation_random *random)
{
    return params_set_octets(key->provctx->errors, param, derivation_random_octets(random));
}

static int get_client_random(struct key *key, OSSL_PARAM *param)
{
    const struct derivation *derivation = derivation_of(key);

    return derivation == NULL ? lacks(key, param)
                              : get_random(key, param, &derivation->client_random);
}

static int get_server_random(struct key *key, OSSL_PARAM *param)
{
    const struct derivation *derivation = derivation_of(key);

    return derivation == NULL ? lacks(key, param)
                              : get_random(key, param, &derivation->server_random);
}

static int get_shared(struct key *key, OSSL_PARAM *param, int has_one,
                      const struct shared_octets *shared)
{
    if (!has_one)
        return lacks(key, param);
    return params_set_octets(key->provctx->errors, param, shared_octets_view(shared));
}

static int get_clear_key(struct key *key, OSSL_PARAM *param)
{
    const struct derivation *derivation = derivation_of(key);

    return derivation == NULL ? lacks(key, param)
                              : get_shared(key, param, protocol_rules(key->protocol)->has_clear_key,
                                           derivation->clear_key);
}

static int get_certificate(struct key *key, OSSL_PARAM *param)
{
    const struct derivation *derivation = derivation_of(key);

    return derivation == NULL
               ? lacks(key, param)
               : get_shared(key, param, protocol_rules(key->protocol)->has_certificate,
                            derivation->certificate);
}

static int get_highest_version(struct key *key, OSSL_PARAM *param)
{
    if (derivation_of(key) == NULL || !protocol_rules(key->protocol)->has_premaster)
        return lacks(key, param);
    return get_number(key, param, key->value.master->highest_version);
}

static int get_effective_bits(struct key *key, OSSL_PARAM *param)
{
    if (key->algorithm->cipher != BULK_CIPHER_RC2)
        return lacks(key, param);
    return get_number(key, param, key->value.cipher.effective_bits);
}

static int get_exportable(struct key *key, OSSL_PARAM *param)
{
    return get_number(key, param, key->exportable);
}

static int get_fork(struct key *key, OSSL_PARAM *param)
{
    return get_text(key, param, key->fork_allowed ? SCHANNEL_FORK_ALLOW : SCHANNEL_FORK_REFUSE);
}

static int get_id(struct key *key, OSSL_PARAM *param)
{
    char text[KEY_ID_TEXT];

    return key_id_text(key, text) && get_text(key, param, text);
}

const OSSL_PARAM key_params_gettable[] = {
    OSSL_PARAM_utf8_string(SCHANNEL_PARAM_ALG, NULL, 0),
    OSSL_PARAM_utf8_string(SCHANNEL_PARAM_KIND, NULL, 0),
    OSSL_PARAM_uint(SCHANNEL_PARAM_BITS, NULL),
    OSSL_PARAM_uint(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
    OSSL_PARAM_uint(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
    OSSL_PARAM_utf8_string(SCHANNEL_PARAM_USAGE, NULL, 0),
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_IV, NULL, 0),
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_SALT, NULL, 0),
    OSSL_PARAM_uint64(SCHANNEL_PARAM_SEQUENCE, NULL),
    OSSL_PARAM_utf8_string(SCHANNEL_PARAM_DIGEST, NULL, 0),
    OSSL_PARAM_utf8_string(SCHANNEL_PARAM_DEFAULT_DIGEST, NULL, 0),
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_CLIENT_RANDOM, NULL, 0),
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_SERVER_RANDOM, NULL, 0),
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_CLEAR_KEY, NULL, 0),
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_CERTIFICATE, NULL, 0),
    OSSL_PARAM_uint(SCHANNEL_PARAM_HIGHEST_VERSION, NULL),
    OSSL_PARAM_uint(SCHANNEL_PARAM_EFFECTIVE_BITS, NULL),
    OSSL_PARAM_uint(SCHANNEL_PARAM_EXPORTABLE, NULL),
    OSSL_PARAM_utf8_string(SCHANNEL_PARAM_FORK, NULL, 0),
    OSSL_PARAM_utf8_string(SCHANNEL_PARAM_KEY_ID, NULL, 0),
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_KEY_HANDLE, NULL, 0),
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_OPAQUE_BLOB, NULL, 0),
    OSSL_PARAM_END,
};

static int get_opaque_blob(struct key *key, OSSL_PARAM *param)
{
    static const struct blob_options none;

    return opaque_blob_get_param(key, &none, param);
}

static int get_handle(struct key *key, OSSL_PARAM *param)
{
    uint8_t handle[KEY_HANDLE_SIZE];

    return key_get_handle(key, handle) &&
           params_set_octets(key->provctx->errors, param,
                             (struct octets){ handle, sizeof(handle) });
}

/* libcrypto asks every key for a default digest before it signs.  Only a live MAC key has one; others
 * stay silent, since the signature itself says what is wrong with them. */
static int get_default_digest(struct key *key, OSSL_PARAM *param)
{
    int ok = 1;

    if (!key_enter_inherited(key))
        return 1;
    if (!key->retired && key->algorithm != NULL && key_mac(key) != NULL)
        ok = get_digest(key, param);
    key_unlock(key);
    return ok;
}

static const struct {
    const char *name;
    int (*get)(struct key *, OSSL_PARAM *);
    enum { LOCKED, LOCKS_ITSELF } how; /* whether it is called under the key's lock */
} getters[] = {
    /* libcrypto asks each new key for these */
    { SCHANNEL_PARAM_BITS, get_bits, LOCKED },
    { OSSL_PKEY_PARAM_SECURITY_BITS, get_security_bits, LOCKED },
    { OSSL_PKEY_PARAM_MAX_SIZE, get_max_size, LOCKED },
    { SCHANNEL_PARAM_OPAQUE_BLOB, get_opaque_blob, LOCKS_ITSELF },
    { SCHANNEL_PARAM_KEY_HANDLE, get_handle, LOCKS_ITSELF },
    { SCHANNEL_PARAM_DEFAULT_DIGEST, get_default_digest, LOCKS_ITSELF },
    { SCHANNEL_PARAM_ALG, get_algorithm, LOCKED },
    { SCHANNEL_PARAM_KIND, get_kind, LOCKED },
    { SCHANNEL_PARAM_USAGE, get_usage, LOCKED },
    { SCHANNEL_PARAM_IV, get_iv, LOCKED },
    { SCHANNEL_PARAM_SALT, get_salt, LOCKED },
    { SCHANNEL_PARAM_SEQUENCE, get_sequence, LOCKED },
    { SCHANNEL_PARAM_DIGEST, get_digest, LOCKED },
    { SCHANNEL_PARAM_CLIENT_RANDOM, get_client_random, LOCKED },
    { SCHANNEL_PARAM_SERVER_RANDOM, get_server_random, LOCKED },
    { SCHANNEL_PARAM_CLEAR_KEY, get_clear_key, LOCKED },
    { SCHANNEL_PARAM_CERTIFICATE, get_certificate, LOCKED },
    { SCHANNEL_PARAM_HIGHEST_VERSION, get_highest_version, LOCKED },
    { SCHANNEL_PARAM_EFFECTIVE_BITS, get_effective_bits, LOCKED },
    { SCHANNEL_PARAM_EXPORTABLE, get_exportable, LOCKED },
    { SCHANNEL_PARAM_FORK, get_fork, LOCKED },
    { SCHANNEL_PARAM_KEY_ID, get_id, LOCKED },
};

#define GETTERS (sizeof(getters) / sizeof(getters[0]))

static int get_one(struct key *key, OSSL_PARAM *param)
{
    size_t n = 0;
    int ok;

    while (n < GETTERS && !params_is(param, getters[n].name))
        n++;
    if (n == GETTERS)
        return 1;
    if (getters[n].how == LOCKS_ITSELF)
        return getters[n].get(key, param);
    if (!key_lock(key))
        return 0;
    ok = getters[n].get(key, param);
    key_unlock(key);
    return ok;
}

int key_params_get(struct key *key, OSSL_PARAM params[])
{
    for (; params != NULL && params->key != NULL; params++) {
        if (!get_one(key, params))
            return 0;
    }
    return 1;
}

/* ---- set ---- */

/* What a set call asks for, collected before anything changes. */
struct changes {
    int retire, has_exportable, exportable, has_sequence, has_fork, fork_allowed;
    unsigned effective_bits;
    uint16_t highest_version;
    uint64_t sequence;
    struct octets iv, salt;
};

const OSSL_PARAM key_params_settable[] = {
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_IV, NULL, 0),
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_SALT, NULL, 0),
    OSSL_PARAM_uint64(SCHANNEL_PARAM_SEQUENCE, NULL),
    OSSL_PARAM_uint(SCHANNEL_PARAM_EFFECTIVE_BITS, NULL),
    OSSL_PARAM_uint(SCHANNEL_PARAM_HIGHEST_VERSION, NULL),
    OSSL_PARAM_uint(SCHANNEL_PARAM_EXPORTABLE, NULL),
    OSSL_PARAM_uint(SCHANNEL_PARAM_RETIRE, NULL),
    OSSL_PARAM_utf8_string(SCHANNEL_PARAM_FORK, NULL, 0),
    BLOB_OPTIONS_EXPORT,
    DERIVATION_SETTABLE,
    OSSL_PARAM_END,
};

static int collect_iv(const struct key *key, const OSSL_PARAM *param, struct changes *changes)
{
    size_t size = key->algorithm->kind == KEY_KIND_CIPHER ? key->value.cipher.cipher->iv_size : 0;

    return size == 0 ? lacks(key, param)
                     : params_get_octets(key->provctx->errors, param, size, size, &changes->iv);
}

static int collect_salt(const struct key *key, const OSSL_PARAM *param, struct changes *changes)
{
    const struct cipher_value *cipher = &key->value.cipher;

    if (key->algorithm->kind != KEY_KIND_CIPHER ||
        !cipher_value_salt_is_valid(cipher->cipher, cipher->key_size, CIPHER_VALUE_SALT_SIZE))
        return RAISE(key->provctx->errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
                     "salt: only RC2 and RC4 keys of exactly 40 bits have a salt");
    return params_get_octets(key->provctx->errors, param, CIPHER_VALUE_SALT_SIZE,
                             CIPHER_VALUE_SALT_SIZE, &changes->salt);
}

static int collect_sequence(const struct key *key, const OSSL_PARAM *param, struct changes *changes)
{
    const struct mac_value *mac = key_mac((struct key *)(uintptr_t)key);
    uint64_t last;

    if (mac == NULL)
        return lacks(key, param);
    if (mac->started)
        return RAISE(key->provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "sequence: cannot change while a message is being absorbed");
    last = protocol_rules(mac->protocol)->last_sequence;
    changes->has_sequence = 1;
    return params_get_number(key->provctx->errors, param, 0, last > UINT32_MAX ? UINT64_MAX : last,
                             &changes->sequence);
}

static int collect_effective_bits(const struct key *key, const OSSL_PARAM *param,
                                  struct changes *changes)
{
    uint64_t bits;

    if (key->algorithm->cipher != BULK_CIPHER_RC2)
        return lacks(key, param);
    if (!params_get_number(key->provctx->errors, param, 1, CIPHER_VALUE_MAX_EFFECTIVE_BITS, &bits))
        return 0;
    changes->effective_bits = (unsigned)bits;
    return 1;
}

static int collect_highest_version(const struct key *key, const OSSL_PARAM *param,
                                   struct changes *changes)
{
    if (key->algorithm->kind != KEY_KIND_MASTER || !protocol_rules(key->protocol)->has_premaster)
        return lacks(key, param);
    return params_get_version(key->provctx->errors, param, &changes->highest_version);
}

static int collect_exportable(const struct key *key, const OSSL_PARAM *param,
                              struct changes *changes)
{
    if (!params_get_flag(key->provctx->errors, param, &changes->exportable))
        return 0;
    if (changes->exportable && !key->exportable)
        return RAISE(key->provctx->errors, SCHANNEL_R_NOT_EXPORTABLE,
                     "exportable: can be cleared, but never set on a key that is not: ask for it "
                     "when the key is made");
    changes->has_exportable = 1;
    return 1;
}

static int collect_retire(const struct key *key, const OSSL_PARAM *param, struct changes *changes)
{
    return params_get_flag(key->provctx->errors, param, &changes->retire);
}

static int collect_fork(const struct key *key, const OSSL_PARAM *param, struct changes *changes)
{
    changes->has_fork = 1;
    return params_get_fork(key->provctx->errors, param, &changes->fork_allowed);
}

static const struct {
    const char *name;
    int (*collect)(const struct key *, const OSSL_PARAM *, struct changes *);
} collectors[] = {
    { SCHANNEL_PARAM_IV, collect_iv },
    { SCHANNEL_PARAM_SALT, collect_salt },
    { SCHANNEL_PARAM_SEQUENCE, collect_sequence },
    { SCHANNEL_PARAM_EFFECTIVE_BITS, collect_effective_bits },
    { SCHANNEL_PARAM_HIGHEST_VERSION, collect_highest_version },
    { SCHANNEL_PARAM_EXPORTABLE, collect_exportable },
    { SCHANNEL_PARAM_RETIRE, collect_retire },
    { SCHANNEL_PARAM_FORK, collect_fork },
};

static int collect(const struct key *key, const OSSL_PARAM params[], struct changes *changes)
{
    for (; params->key != NULL; params++) {
        for (size_t n = 0; n < sizeof(collectors) / sizeof(collectors[0]); n++) {
            if (params_is(params, collectors[n].name) &&
                !collectors[n].collect(key, params, changes))
                return 0;
        }
    }
    return 1;
}

/* Cannot fail: everything was checked before. */
static void apply(struct key *key, const struct changes *changes)
{
    if (changes->salt.size != 0)
        cipher_value_set_salt(&key->value.cipher, changes->salt.data);
    if (changes->iv.size != 0)
        cipher_value_set_iv(&key->value.cipher, changes->iv.data);
    if (changes->has_sequence)
        key_mac(key)->sequence = changes->sequence;
    if (changes->effective_bits != 0)
        cipher_value_set_effective_bits(&key->value.cipher, changes->effective_bits);
    if (changes->highest_version != 0)
        key->value.master->highest_version = changes->highest_version;
    if (changes->has_exportable)
        key->exportable = (uint8_t)changes->exportable;
    if (changes->has_fork)
        key->fork_allowed = (uint8_t)changes->fork_allowed;
}

/* The randoms and algorithms of a derivation belong to masters only. */
static int check_derivation(const struct key *key, const OSSL_PARAM params[])
{
    static const OSSL_PARAM names[] = { DERIVATION_SETTABLE, OSSL_PARAM_END };

    if (key->algorithm->kind == KEY_KIND_MASTER)
        return 1;
    for (const OSSL_PARAM *name = names; name->key != NULL; name++) {
        const OSSL_PARAM *param = OSSL_PARAM_locate_const(params, name->key);

        if (param != NULL)
            return lacks(key, param);
    }
    return 1;
}

/* The derivation parameters of a master: checked together with those that it has. */
static int set_derivation(struct key *key, const OSSL_PARAM params[])
{
    struct derivation changed, *derivation;

    if (key->algorithm->kind != KEY_KIND_MASTER)
        return 1;
    derivation = &key->value.master->derivation;
    derivation_copy(&changed, derivation);
    if (!derivation_set(key->provctx, key->protocol, &changed, params) ||
        !derivation_check_lengths(key->provctx->errors, key->protocol, &changed)) {
        derivation_clear(&changed);
        return 0;
    }
    derivation_clear(derivation);
    *derivation = changed;
    return 1;
}

int key_params_set(struct key *key, const OSSL_PARAM params[])
{
    struct blob_options options = { 0 };
    struct changes changes = { 0 };
    int ok;

    if (params == NULL || params->key == NULL)
        return 1;
    if (!blob_options_set(key->provctx, &options, OPTIONS_EXPORT, params))
        return 0;
    ok = key_lock(key);
    if (ok) {
        ok = collect(key, params, &changes) && check_derivation(key, params) &&
             set_derivation(key, params) && key_set_options(key, &options);
        if (ok)
            apply(key, &changes);
        key_unlock(key);
    }
    blob_options_clear(&options);
    return ok && (!changes.retire || key_retire(key));
}
