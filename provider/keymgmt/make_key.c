/*
 * Making a key out of a request: known bytes, a sealed blob, or random ones.  See request.h.
 */
#include "keymgmt/request.h"

#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include "blob/opaque.h"
#include "schannel/names.h"

/* CryptGenKey gives DES keys odd parity: the lowest bit of each byte. */
static void set_odd_parity(uint8_t *key, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        unsigned bits = key[n] >> 1;

        bits ^= bits >> 4;
        bits ^= bits >> 2;
        bits ^= bits >> 1;
        key[n] = (uint8_t)((key[n] & 0xfe) | (~bits & 1));
    }
}

static int random_bytes(const struct provctx *provctx, uint8_t *out, size_t size)
{
    return RAND_priv_bytes_ex(provctx->libctx, out, size, 0) == 1 ||
           errors_raise_no_random(provctx->errors, provctx->libctx, "a key");
}

/* ---- masters ---- */

static int check_master_bits(const struct provctx *provctx, const struct request *request)
{
    if (request->bits == 0 || request->bits == 8 * TLS1_MASTER_SECRET_SIZE)
        return 1;
    return RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER, "bits: a %s key has %d, got %u",
                 request->algorithm->name, 8 * TLS1_MASTER_SECRET_SIZE, request->bits);
}

static int make_master(struct key *key, const struct request *request)
{
    const struct provctx *provctx = key->provctx;
    struct octets secret = { request->secret, request->secret_size };
    struct octets premaster = { request->premaster, request->premaster_size };
    /* CryptGenKey: the version first, here that of TLS 1.0 */
    uint8_t generated[TLS1_MASTER_SECRET_SIZE] = { 3, 1 };
    struct master_value *master;
    int ok;

    if (!check_master_bits(provctx, request))
        return 0;
    if (secret.data != NULL && secret.size != TLS1_MASTER_SECRET_SIZE)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "secret: expected the %d bytes of a master secret, got %zu",
                     TLS1_MASTER_SECRET_SIZE, secret.size);
    if ((master = OPENSSL_zalloc(sizeof(*master))) == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a key");
    key->value.master = master;
    if (secret.data != NULL) {
        master_value_init_secret(master, key->protocol, secret);
    } else {
        ok = 1;
        if (premaster.data == NULL) {
            ok = random_bytes(provctx, generated + 2, sizeof(generated) - 2);
            premaster = (struct octets){ generated, sizeof(generated) };
        }
        if (ok && !master_value_init_premaster(master, key->protocol, premaster))
            ok = RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a key");
        OPENSSL_cleanse(generated, sizeof(generated));
        if (!ok)
            return 0;
    }
    master->derivation = request->derivation;
    return 1;
}

/* ---- cipher keys ---- */

static int check_cipher_size(const struct provctx *provctx, const struct request *request,
                             const struct bulk_cipher *cipher, size_t *size)
{
    size_t wanted = key_size_for_bits(cipher, request->bits);

    if (wanted == 0)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "bits: %s has no key of %u bits", cipher->name, request->bits);
    if (request->secret != NULL && request->bits == 0) {
        if (!key_size_is_valid(cipher, request->secret_size))
            return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                         "secret: %s has no key of %zu bytes", cipher->name, request->secret_size);
        wanted = request->secret_size;
    }
    if (request->secret != NULL && request->secret_size != wanted)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "secret: expected %zu bytes for %u bits, got %zu", wanted, request->bits,
                     request->secret_size);
    *size = wanted;
    return 1;
}

static int no_salt(const struct provctx *provctx, const char *name,
                   const struct bulk_cipher *cipher, size_t key_size)
{
    return RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                 "%s: only RC2 and RC4 keys of exactly 40 bits have a salt, this is %s with %zu",
                 name, cipher->name, 8 * key_size);
}

/* CryptoAPI: keys of exactly 40 bits get a salt of zeros when they are generated, none here when
 * their bytes are given. */
static int make_salt(const struct provctx *provctx, const struct request *request,
                     const struct bulk_cipher *cipher, size_t key_size, uint8_t *salt,
                     size_t *salt_size)
{
    enum salt_mode mode = request->salt_mode;
    int can_have = cipher_value_salt_is_valid(cipher, key_size, CIPHER_VALUE_SALT_SIZE);

    if (request->salt_size != 0) {
        if (!can_have)
            return no_salt(provctx, SCHANNEL_PARAM_SALT, cipher, key_size);
        memcpy(salt, request->salt, CIPHER_VALUE_SALT_SIZE);
        *salt_size = CIPHER_VALUE_SALT_SIZE;
        return 1;
    }
    if (mode == SALT_MODE_DEFAULT)
        mode = request->secret == NULL && can_have ? SALT_MODE_ZERO : SALT_MODE_NONE;
    *salt_size = 0;
    if (mode == SALT_MODE_NONE)
        return 1;
    if (!can_have)
        return no_salt(provctx, SCHANNEL_PARAM_SALT_MODE, cipher, key_size);
    *salt_size = CIPHER_VALUE_SALT_SIZE;
    memset(salt, 0, CIPHER_VALUE_SALT_SIZE);
    return mode == SALT_MODE_ZERO || random_bytes(provctx, salt, CIPHER_VALUE_SALT_SIZE);
}

static int make_cipher(struct key *key, const struct request *request)
{
    const struct provctx *provctx = key->provctx;
    const struct bulk_cipher *cipher = bulk_cipher_by_id(key->algorithm->cipher);
    uint8_t bytes[BULK_CIPHER_MAX_KEY_SIZE], salt[CIPHER_VALUE_SALT_SIZE];
    size_t size = 0, salt_size = 0;
    int ok;

    if (!check_cipher_size(provctx, request, cipher, &size) ||
        !make_salt(provctx, request, cipher, size, salt, &salt_size))
        return 0;
    if (request->secret != NULL) {
        memcpy(bytes, request->secret, size);
        ok = 1;
    } else {
        ok = random_bytes(provctx, bytes, size);
        if (cipher->strength_bits != cipher->default_bits)
            set_odd_parity(bytes, size);
    }
    if (ok)
        cipher_value_init(&key->value.cipher, cipher, (struct octets){ bytes, size },
                          (struct octets){ salt, salt_size });
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return ok;
}

/* ---- MAC keys ---- */

static int make_mac(struct key *key, const struct request *request)
{
    const struct provctx *provctx = key->provctx;
    enum digest_id digest = request->derivation.digest;
    size_t size = digest_size(digest);
    uint8_t bytes[DIGEST_MAX_SIZE];
    int ok = 1;

    if (digest == DIGEST_NONE)
        return RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "digest: a %s key needs it, MD5 or SHA1", key->algorithm->name);
    if (request->bits != 0 && request->bits != 8 * size)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "bits: expected %zu for %s, got %u", 8 * size, digest_name(digest),
                     request->bits);
    if (request->secret != NULL && request->secret_size != size)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "secret: expected %zu bytes for %s, got %zu", size, digest_name(digest),
                     request->secret_size);
    if (request->secret != NULL)
        memcpy(bytes, request->secret, size);
    else
        ok = random_bytes(provctx, bytes, size);
    if (ok)
        mac_value_init(&key->value.mac, key->protocol, digest, (struct octets){ bytes, size });
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return ok;
}

/* ---- all of them ---- */

/* Parameters that would have no effect on such a key are a misunderstanding: refused. */
static int check_combination(const struct provctx *provctx, const struct request *request)
{
    const struct key_algorithm *algorithm = request->algorithm;
    const char *name;

    if (request->premaster != NULL && algorithm->kind != KEY_KIND_MASTER)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "premaster: a %s key has none, its bytes are its secret", algorithm->name);
    if (request->premaster != NULL && request->secret != NULL)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "premaster: excludes secret, which is the master secret");
    if ((request->salt_mode != SALT_MODE_DEFAULT || request->salt_size != 0) &&
        algorithm->kind != KEY_KIND_CIPHER)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS, "%s: a %s key has no salt",
                     request->salt_size != 0 ? SCHANNEL_PARAM_SALT : SCHANNEL_PARAM_SALT_MODE,
                     algorithm->name);
    if (request->salt_mode != SALT_MODE_DEFAULT && request->salt_size != 0)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "salt-mode: excludes salt, which is the salt itself");
    name = derivation_given(&request->derivation, algorithm->kind == KEY_KIND_MAC);
    if (name != NULL && algorithm->kind != KEY_KIND_MASTER)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "%s: belongs to a master key or a derivation from one, not to a %s key", name,
                     algorithm->name);
    return 1;
}

static int make_value(struct key *key, const struct request *request)
{
    switch (request->algorithm->kind) {
    case KEY_KIND_MASTER:
        return make_master(key, request);
    case KEY_KIND_CIPHER:
        return make_cipher(key, request);
    case KEY_KIND_MAC:
        return make_mac(key, request);
    }
    return 0;
}

static int check_opaque(const struct provctx *provctx, const struct request *request)
{
    const char *name = derivation_given(&request->derivation, 0);

    if (request->algorithm != NULL)
        name = SCHANNEL_PARAM_ALG;
    else if (request->bits != 0)
        name = SCHANNEL_PARAM_BITS;
    else if (request->secret != NULL)
        name = SCHANNEL_PARAM_SECRET;
    else if (request->premaster != NULL)
        name = SCHANNEL_PARAM_PREMASTER;
    else if (request->salt_size != 0)
        name = SCHANNEL_PARAM_SALT;
    else if (request->salt_mode != SALT_MODE_DEFAULT)
        name = SCHANNEL_PARAM_SALT_MODE;
    return name == NULL ||
           RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                 "opaque-blob: holds the whole key, %s cannot be given beside it", name);
}

int request_make_key(struct key *key, const struct request *request, int may_generate)
{
    const struct provctx *provctx = key->provctx;
    struct octets blob = { request->opaque_blob, request->opaque_blob_size };
    int ok;

    if (request->usage != KEY_USAGE_NONE)
        return RAISE(
            provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
            "usage: needs a master key to derive from (EVP_PKEY_CTX_new_from_pkey, genpkey "
            "-paramfile)");
    if (blob.data != NULL) {
        ok = check_opaque(provctx, request) &&
             opaque_blob_import_into(key, blob, &request->options, NULL, OPAQUE_FOR_KEY);
    } else if (request->algorithm == NULL) {
        return RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "alg: is not set: what kind of key is it to be?");
    } else if (!may_generate && request->secret == NULL && request->premaster == NULL) {
        return RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "secret: is not set, and an import makes no random key");
    } else if (!check_combination(provctx, request)) {
        return 0;
    } else {
        key->algorithm = request->algorithm;
        key->protocol = request->algorithm->protocol;
        key->exportable = request->exportable;
        ok = make_value(key, request);
    }
    ok = ok && request_apply_to(key, request);
    if (!ok)
        key_reset(key);
    return ok;
}

static int apply_iv(struct key *key, const struct request *request)
{
    size_t size;

    if (request->iv_size == 0)
        return 1;
    size = key->algorithm->kind == KEY_KIND_CIPHER ? key->value.cipher.cipher->iv_size : 0;
    if (size == 0)
        return RAISE(key->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "iv: a %s key has none", key->algorithm->name);
    if (request->iv_size != size)
        return RAISE(key->provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "iv: expected %zu bytes for %s, got %u", size, key->algorithm->name,
                     (unsigned)request->iv_size);
    cipher_value_set_iv(&key->value.cipher, request->iv);
    return 1;
}

static int apply_sequence(struct key *key, const struct request *request)
{
    if (!request->has_sequence)
        return 1;
    if (key->algorithm->kind != KEY_KIND_MAC)
        return RAISE(key->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "sequence: a %s key has none", key->algorithm->name);
    if (key->value.mac.started)
        return RAISE(key->provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "sequence: cannot change while a message is being absorbed");
    key->value.mac.sequence = request->sequence;
    return 1;
}

/* Beside a blob the audience is who opens it, and not for whom a later export is. */
static int apply_options(struct key *key, const struct request *request)
{
    struct blob_options options = request->options;

    if (request->opaque_blob != NULL)
        options.audience = NULL;
    return key_set_options(key, &options);
}

int request_apply_to(struct key *key, const struct request *request)
{
    if (!apply_iv(key, request) || !apply_sequence(key, request) || !apply_options(key, request))
        return 0;
    if (request->has_fork)
        key->fork_allowed = request->fork_allowed;
    return !request->has_exportable || key_set_exportable(key, request->exportable);
}
