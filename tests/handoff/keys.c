/*
 * SCHANNEL keys of one TLS 1.0 connection, see keys.h.
 */
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <schannel/schannel.h>
#include "keys.h"

#define TRANSFER_LIFETIME 60 /* seconds */

static const struct {
    const char *usage;
    int is_mac;
} key_places[SESSION_KEY_COUNT] = {
    [CLIENT_WRITE_KEY] = { SCHANNEL_USAGE_CLIENT_WRITE_KEY, 0 },
    [SERVER_WRITE_KEY] = { SCHANNEL_USAGE_SERVER_WRITE_KEY, 0 },
    [CLIENT_WRITE_MAC] = { SCHANNEL_USAGE_CLIENT_WRITE_MAC, 1 },
    [SERVER_WRITE_MAC] = { SCHANNEL_USAGE_SERVER_WRITE_MAC, 1 },
};

int keys_load_providers(struct key_providers *providers, const char *directory)
{
    memset(providers, 0, sizeof(*providers));
    if (directory != NULL && !OSSL_PROVIDER_set_default_search_path(NULL, directory))
        return 0;
    providers->standard = OSSL_PROVIDER_load(NULL, "default");
    if (providers->standard == NULL)
        return 0;
    providers->schannel = OSSL_PROVIDER_load(NULL, SCHANNEL_PROVIDER_NAME);
    return providers->schannel != NULL;
}

void keys_unload_providers(struct key_providers *providers)
{
    if (providers->schannel != NULL)
        OSSL_PROVIDER_unload(providers->schannel);
    if (providers->standard != NULL)
        OSSL_PROVIDER_unload(providers->standard);
    memset(providers, 0, sizeof(*providers));
}

EVP_PKEY *keys_make_master(const struct tls_secrets *secrets)
{
    OSSL_PARAM params[] = {
        schannel_text(SCHANNEL_PARAM_ALG, SCHANNEL_ALG_TLS1_MASTER),
        schannel_octets(SCHANNEL_PARAM_SECRET, secrets->master, sizeof(secrets->master)),
        schannel_octets(SCHANNEL_PARAM_CLIENT_RANDOM, secrets->client_random,
                        sizeof(secrets->client_random)),
        schannel_octets(SCHANNEL_PARAM_SERVER_RANDOM, secrets->server_random,
                        sizeof(secrets->server_random)),
        schannel_text(SCHANNEL_PARAM_CIPHER, secrets->cipher),
        schannel_text(SCHANNEL_PARAM_DIGEST, secrets->digest),
        OSSL_PARAM_END,
    };

    return schannel_key_from(NULL, params);
}

int keys_derive(EVP_PKEY *master, struct session_keys *keys)
{
    /* one generation context is one master hash: it derives all four */
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, master, SCHANNEL_PROPERTIES);
    int id, ok;

    memset(keys, 0, sizeof(*keys));
    ok = ctx != NULL && EVP_PKEY_keygen_init(ctx) > 0;
    for (id = 0; ok && id < SESSION_KEY_COUNT; id++) {
        OSSL_PARAM params[] = {
            schannel_text(SCHANNEL_PARAM_USAGE, key_places[id].usage),
            OSSL_PARAM_END,
        };

        ok = EVP_PKEY_CTX_set_params(ctx, params) > 0 && EVP_PKEY_generate(ctx, &keys->key[id]) > 0;
    }
    EVP_PKEY_CTX_free(ctx);
    if (!ok)
        keys_free(keys);
    return ok;
}

int keys_duplicate(const struct session_keys *from, struct session_keys *to)
{
    int id;

    memset(to, 0, sizeof(*to));
    for (id = 0; id < SESSION_KEY_COUNT; id++) {
        to->key[id] = EVP_PKEY_dup(from->key[id]);
        if (to->key[id] == NULL) {
            keys_free(to);
            return 0;
        }
    }
    return 1;
}

void keys_free(struct session_keys *keys)
{
    int id;

    for (id = 0; id < SESSION_KEY_COUNT; id++) {
        EVP_PKEY_free(keys->key[id]);
        keys->key[id] = NULL;
    }
}

int keys_export(const struct session_keys *keys, const struct transfer_terms *terms,
                struct key_blobs *blobs)
{
    for (int id = 0; id < SESSION_KEY_COUNT; id++) {
        struct key_blob *blob = &blobs->blob[id];

        blob->size = sizeof(blob->data);
        if (!schannel_export_transfer(keys->key[id], TRANSFER_LIFETIME, terms->audience,
                                      terms->seal_key, terms->claim_dir, blob->data, &blob->size))
            return 0;
    }
    return 1;
}

/* The blob of a place has to hold the key of that place, or the two directions could be swapped. */
static int key_fits(EVP_PKEY *key, enum session_key_id id)
{
    char usage[KEY_TEXT_SIZE], algorithm[KEY_TEXT_SIZE];

    if (!keys_get_text(key, SCHANNEL_PARAM_USAGE, usage) ||
        !keys_get_text(key, SCHANNEL_PARAM_ALG, algorithm))
        return 0;
    return strcmp(usage, key_places[id].usage) == 0 &&
           (strcmp(algorithm, SCHANNEL_ALG_TLS1_MAC) == 0) == key_places[id].is_mac;
}

int keys_import(const struct key_blobs *blobs, const struct transfer_terms *terms,
                struct session_keys *keys)
{
    int id;

    memset(keys, 0, sizeof(*keys));
    for (id = 0; id < SESSION_KEY_COUNT; id++) {
        keys->key[id] = schannel_import(NULL, blobs->blob[id].data, blobs->blob[id].size,
                                        terms->audience, terms->seal_key, terms->claim_dir);
        if (keys->key[id] == NULL || !key_fits(keys->key[id], (enum session_key_id)id)) {
            keys_free(keys);
            return 0;
        }
    }
    return 1;
}

int keys_retire(EVP_PKEY *key)
{
    return schannel_retire(key);
}

/* What a key answers to somebody who wants a copy of it. */
static void try_copy(EVP_PKEY *key, char reason[KEY_TEXT_SIZE])
{
    const char *answer = "nothing: it can still be copied";
    EVP_PKEY *copy;

    ERR_clear_error();
    copy = EVP_PKEY_dup(key);
    if (copy == NULL) {
        answer = ERR_reason_error_string(ERR_peek_error());
        if (answer == NULL)
            answer = "no reason";
    }
    EVP_PKEY_free(copy);
    OPENSSL_strlcpy(reason, answer, KEY_TEXT_SIZE);
    ERR_clear_error();
}

int keys_open_only_once(const struct key_blobs *blobs, const struct transfer_terms *terms,
                        char reason[KEY_TEXT_SIZE])
{
    struct session_keys keys;
    int id, ok = 1;

    /* an import is no use yet: a transfer can be looked at */
    if (!keys_import(blobs, terms, &keys)) {
        OPENSSL_strlcpy(reason, "not even imported", KEY_TEXT_SIZE);
        return 0;
    }
    for (id = 0; ok && id < SESSION_KEY_COUNT; id++) {
        try_copy(keys.key[id], reason);
        ok = strcmp(reason, "blob was opened before") == 0;
    }
    keys_free(&keys);
    return ok;
}

int keys_is_retired(EVP_PKEY *key, char reason[KEY_TEXT_SIZE])
{
    try_copy(key, reason);
    return strcmp(reason, "key has been retired") == 0;
}

const char *keys_usage(enum session_key_id id)
{
    return key_places[id].usage;
}

int keys_get_text(EVP_PKEY *key, const char *parameter, char value[KEY_TEXT_SIZE])
{
    return EVP_PKEY_get_utf8_string_param(key, parameter, value, KEY_TEXT_SIZE, NULL);
}

int keys_get_sequence(EVP_PKEY *mac_key, uint64_t *sequence)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint64(SCHANNEL_PARAM_SEQUENCE, sequence),
        OSSL_PARAM_END,
    };

    return EVP_PKEY_get_params(mac_key, params);
}

int keys_get_handle(EVP_PKEY *key, uint8_t handle[KEY_HANDLE_SIZE])
{
    return schannel_key_handle(key, handle);
}
