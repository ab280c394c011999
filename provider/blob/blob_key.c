/* Key bytes of CryptoAPI's blobs: see blob_key.h. */
#include "blob/blob_key.h"

#include <string.h>
#include <openssl/crypto.h>

/* CryptoAPI knows SSL 2.0 masters of 40 to 192 bits. */
#define SSL2_MAX_BLOB_SIZE 24

struct blob_key_sizes blob_key_sizes(const struct key_algorithm *algorithm)
{
    struct blob_key_sizes sizes = { 0, 0 };

    if (algorithm->kind == KEY_KIND_MASTER) {
        const struct protocol_rules *rules = protocol_rules(algorithm->protocol);

        sizes.least = rules->min_master;
        sizes.most =
            algorithm->protocol == KEY_PROTOCOL_SSL2 ? SSL2_MAX_BLOB_SIZE : rules->max_master;
    } else if (algorithm->kind == KEY_KIND_CIPHER) {
        const struct bulk_cipher *cipher = bulk_cipher_by_id(algorithm->cipher);

        sizes.most = key_size_for_bits(cipher, 0);
        sizes.least = key_size_is_valid(cipher, KEY_MIN_VARIABLE_BITS / 8)
                          ? KEY_MIN_VARIABLE_BITS / 8
                          : sizes.most;
    }
    return sizes;
}

/* The lock is held. */
static int check_key(const struct key *key, const char *name)
{
    const struct errors *errors = key->provctx->errors;

    if (!key->exportable)
        return RAISE(errors, SCHANNEL_R_NOT_EXPORTABLE,
                     "%s: this %s key is not exportable: only the sealed opaque blob leaves the "
                     "provider",
                     name, key->algorithm->name);
    if (key->algorithm->kind == KEY_KIND_MAC)
        return RAISE(errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
                     "%s: CryptoAPI has no such blob of a MAC key: use the sealed opaque blob",
                     name);
    if (key->ssl2_mac != NULL)
        return RAISE(errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
                     "%s: a write key of SSL 2.0 is a MAC secret with a record number as well: use "
                     "the sealed opaque blob",
                     name);
    if (key->algorithm->kind == KEY_KIND_MASTER && protocol_rules(key->protocol)->has_premaster &&
        key->value.master->converted)
        return RAISE(errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
                     "%s: this key holds a master secret, which the receiver would take for a "
                     "premaster secret: use the sealed opaque blob",
                     name);
    return blob_key_check_size(key->provctx, key->algorithm, key_secret(key).size, name);
}

int blob_key_check_size(const struct provctx *provctx, const struct key_algorithm *algorithm,
                        size_t size, const char *name)
{
    const struct blob_key_sizes sizes = blob_key_sizes(algorithm);

    if (size >= sizes.least && size <= sizes.most)
        return 1;
    if (sizes.least == sizes.most)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "%s: expected %zu bytes for %s, got %zu", name, sizes.most, algorithm->name,
                     size);
    return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                 "%s: expected %zu to %zu bytes for %s, got %zu", name, sizes.least, sizes.most,
                 algorithm->name, size);
}

int blob_key_check(struct key *key, const char *name, const struct key_algorithm **algorithm,
                   size_t *size)
{
    int ok;

    if (!key_lock_for(key, KEY_LOOK))
        return 0;
    ok = check_key(key, name);
    *algorithm = key->algorithm;
    *size = key_secret(key).size;
    key_unlock(key);
    return ok;
}

int blob_key_take(struct key *key, const char *name, uint8_t *bytes, size_t *size)
{
    struct octets secret;
    int ok;

    if (!key_lock_for(key, KEY_USE))
        return 0;
    ok = check_key(key, name); /* again: another thread may have changed the key meanwhile */
    if (ok) {
        secret = key_secret(key);
        *size = secret.size;
        memcpy(bytes, secret.data, secret.size);
    }
    key_unlock(key);
    return ok;
}

int blob_key_check_options(const struct provctx *provctx, const struct key_algorithm *algorithm,
                           const struct blob_options *options, const char *name)
{
    if (options->audience != NULL)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "audience: belongs to an opaque blob, this is a %s", name);
    if (options->salt_mode == SALT_MODE_ZERO && algorithm->cipher != BULK_CIPHER_RC2 &&
        algorithm->cipher != BULK_CIPHER_RC4)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "salt-mode: only RC2 and RC4 keys of exactly 40 bits have a salt, this is %s",
                     algorithm->name);
    return 1;
}

static int make_master(struct key *key, struct octets bytes)
{
    struct master_value *master = OPENSSL_zalloc(sizeof(*master));

    if (master == NULL)
        return 0;
    key->value.master = master;
    if (protocol_rules(key->protocol)->has_premaster)
        return master_value_init_premaster(master, key->protocol, bytes);
    master_value_init_secret(master, key->protocol, bytes);
    return 1;
}

static void make_cipher(struct key *key, struct octets bytes, enum salt_mode salt_mode)
{
    static const uint8_t zeros[CIPHER_VALUE_SALT_SIZE];
    const struct bulk_cipher *cipher = bulk_cipher_by_id(key->algorithm->cipher);
    const int has_salt = salt_mode != SALT_MODE_NONE &&
                         cipher_value_salt_is_valid(cipher, bytes.size, CIPHER_VALUE_SALT_SIZE);

    cipher_value_init(&key->value.cipher, cipher, bytes,
                      (struct octets){ zeros, has_salt ? sizeof(zeros) : 0 });
}

struct key *blob_key_make(struct provctx *provctx, const struct key_algorithm *algorithm,
                          struct octets bytes, const struct blob_options *options,
                          enum key_origin origin)
{
    struct key *key = key_new(provctx);

    if (key == NULL)
        return NULL;
    key->algorithm = algorithm;
    key->protocol = algorithm->protocol;
    key->exportable = options->exportable.value;
    key->origin = (uint8_t)origin;
    if (algorithm->kind == KEY_KIND_MASTER && !make_master(key, bytes)) {
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a key");
        key_free(key);
        return NULL;
    }
    if (algorithm->kind == KEY_KIND_CIPHER)
        make_cipher(key, bytes, options->salt_mode);
    return key;
}
