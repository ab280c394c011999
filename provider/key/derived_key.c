/* A session key out of a master key: see derived_key.h. */
#include "key/derived_key.h"

#include <openssl/crypto.h>
#include "key/session_keys.h"

static enum connection_side side_of(const struct key *key)
{
    return key_usage_is_server(key->usage) ? SIDE_SERVER : SIDE_CLIENT;
}

static int derive_mac(struct key *key, const struct master_value *master,
                      const struct derivation *derivation, struct key_block *kept)
{
    uint8_t bytes[SESSION_MAX_MAC_SIZE];
    size_t size;
    int ok = session_mac_key(key->provctx->errors, key->protocol, master_value_secret(master),
                             derivation, kept, side_of(key), bytes, &size);

    if (ok) {
        key->algorithm = key_algorithm_by_id(KEY_MAC_OF(key->protocol));
        mac_value_init(&key->value.mac, key->protocol, derivation->digest,
                       (struct octets){ bytes, size });
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return ok;
}

static int derive_cipher(struct key *key, const struct master_value *master,
                         const struct derivation *derivation, struct key_block *kept)
{
    uint8_t bytes[BULK_CIPHER_MAX_KEY_SIZE], iv[BULK_CIPHER_MAX_BLOCK_SIZE];
    struct cipher_value *cipher = &key->value.cipher;
    struct session_key_sizes sizes;
    int ok = session_write_key(key->provctx->errors, key->protocol, master_value_secret(master),
                               derivation, kept, side_of(key), bytes, iv, &sizes);

    if (ok) {
        key->algorithm = key_algorithm_by_cipher(derivation->cipher);
        cipher_value_init(cipher, derivation->cipher, (struct octets){ bytes, sizes.key },
                          (struct octets){ NULL, 0 });
        if (sizes.iv != 0)
            cipher_value_set_iv(cipher, iv);
        if (derivation->cipher->id == BULK_CIPHER_RC2)
            cipher_value_set_effective_bits(cipher, CIPHER_VALUE_PROTOCOL_EFFECTIVE_BITS);
        if (key->protocol == KEY_PROTOCOL_SSL2 && !key_add_ssl2_mac(key))
            ok = RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a key");
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    OPENSSL_cleanse(iv, sizeof(iv));
    return ok;
}

struct key *derived_key_new(struct provctx *provctx, const struct master_value *master,
                            enum key_usage usage, const struct derivation *change,
                            struct key_block *kept)
{
    struct derivation derivation = master->derivation;
    struct key *key = key_new(provctx);
    int ok;

    if (key == NULL)
        return NULL;
    derivation_merge(&derivation, change);
    key->protocol = master->protocol;
    key->usage = usage;
    key->origin = KEY_ORIGIN_MASTER;
    ok = key_usage_is_mac(usage) ? derive_mac(key, master, &derivation, kept)
                                 : derive_cipher(key, master, &derivation, kept);
    if (ok)
        return key;
    key_free(key);
    return NULL;
}

void derived_key_trial_master(struct master_value *trial, const struct master_value *master)
{
    static const uint8_t zeros[MASTER_VALUE_MAX_SECRET_SIZE];
    struct octets secret = { zeros, MASTER_VALUE_MAX_SECRET_SIZE };

    if (master->converted)
        secret.size = master->secret_size;
    master_value_init_secret(trial, master->protocol, secret);
    trial->derivation = master->derivation; /* borrowed */
}

int derived_key_convert(struct key *key, const struct derivation *change)
{
    struct derivation derivation;
    int ok = 1;

    if (!key_lock_for(key, KEY_USE))
        return 0;
    if (change != NULL) {
        derivation = key->value.master->derivation;
        derivation_merge(&derivation, change);
        ok = master_value_convert(key->provctx, key->value.master, &derivation);
    }
    key_unlock(key);
    return ok;
}

/* With the master locked for a look. */
static int try_derivation(const struct key *master, enum key_usage usage,
                          const struct derivation *change)
{
    struct master_value trial;
    struct key *key;

    if (master->value.master->converted && master->transfer == NULL)
        return 1;
    derived_key_trial_master(&trial, master->value.master);
    key = derived_key_new(master->provctx, &trial, usage, change, NULL);
    key_free(key);
    return key != NULL;
}

struct key *derived_key_from(struct key *master, enum key_usage usage,
                             const struct derivation *change)
{
    struct key *copy, *key = NULL;
    int ok;

    if (!key_lock_kind(master, KEY_KIND_MASTER, KEY_LOOK, "derive"))
        return NULL;
    ok = try_derivation(master, usage, change);
    key_unlock(master);
    if (!ok || !derived_key_convert(master, change))
        return NULL;
    copy = key_duplicate(master); /* derives without holding the master's lock */
    if (copy != NULL)
        key = derived_key_new(master->provctx, copy->value.master, usage, change, NULL);
    key_free(copy);
    return key;
}
