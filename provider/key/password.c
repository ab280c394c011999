/* Keys from passwords: see password.h. */
#include "key/password.h"

#include <string.h>
#include <strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include "legacy_provider.h"
#include "schannel/names.h"

/* ---- the hash function ---- */

/* A hash of CryptDeriveKey's that nobody offers. */
static int unavailable(const struct provctx *provctx, const char *name)
{
    if (strcasecmp(name, "MD2") == 0)
        return RAISE(provctx->errors, SCHANNEL_R_ALGORITHM_UNAVAILABLE,
                     "digest: MD2 is offered by no provider here; OpenSSL has it only when it was "
                     "built with enable-md2");
    if (strcasecmp(name, "MD4") == 0)
        return legacy_provider_raise_missing(provctx->errors, name);
    return errors_raise_unavailable(provctx->errors, provctx->libctx, name);
}

/* The implementation of |name|, which the caller frees, and what CryptDeriveKey knows of it. */
static EVP_MD *fetch(const struct provctx *provctx, const char *name,
                     const struct cryptderivekey_hash **hash)
{
    EVP_MD *md = provctx_fetch_digest(provctx, name);

    if (md == NULL && cryptderivekey_hash_by_name(name) != NULL) {
        unavailable(provctx, name);
        return NULL;
    }
    if (md != NULL && (*hash = cryptderivekey_hash_of(md)) != NULL)
        return md;
    EVP_MD_free(md);
    RAISE(provctx->errors, SCHANNEL_R_UNKNOWN_ALGORITHM,
          "digest: expected " CRYPTDERIVEKEY_HASH_NAMES ", got \"%s\"", name);
    return NULL;
}

/* ---- parameters ---- */

static int set_pass(const struct provctx *provctx, struct password *password,
                    const OSSL_PARAM *param)
{
    struct octets value;
    uint8_t *copy;

    if (!params_get_octets_or_text(provctx->errors, param, 0, PASSWORD_MAX_SIZE, &value))
        return 0;
    /* One byte more, so that an empty password is not the same as none. */
    if ((copy = OPENSSL_zalloc(value.size + 1)) == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "pass: no memory for it");
    if (value.size != 0)
        memcpy(copy, value.data, value.size);
    OPENSSL_clear_free(password->pass, password->pass_size);
    password->pass = copy;
    password->pass_size = value.size;
    return 1;
}

static int set_hash(const struct provctx *provctx, struct password *password,
                    const OSSL_PARAM *param)
{
    struct octets value;

    if (!params_get_octets(provctx->errors, param, CRYPTDERIVEKEY_MIN_HASH_SIZE,
                           CRYPTDERIVEKEY_MAX_HASH_SIZE, &value))
        return 0;
    memcpy(password->hash, value.data, value.size);
    password->hash_size = (uint8_t)value.size;
    return 1;
}

/* MD5 and SHA-1 are digests of MAC keys too, which need no other provider: they are not fetched
 * before a key is made. */
static int set_digest(const struct provctx *provctx, struct password *password,
                      const OSSL_PARAM *param)
{
    const struct cryptderivekey_hash *hash;
    char name[PARAMS_NAME_SIZE];
    EVP_MD *md;

    if (!params_get_name(provctx->errors, param, name, sizeof(name)))
        return 0;
    if (digest_from_name(name) == DIGEST_NONE) {
        if ((md = fetch(provctx, name, &hash)) == NULL)
            return 0;
        EVP_MD_free(md);
    }
    memcpy(password->digest, name, sizeof(name));
    return 1;
}

int password_set(const struct provctx *provctx, struct password *password, const OSSL_PARAM *param)
{
    static const struct {
        const char *name;
        int (*set)(const struct provctx *, struct password *, const OSSL_PARAM *);
    } setters[] = {
        { SCHANNEL_PARAM_PASS, set_pass },
        { SCHANNEL_PARAM_HASH, set_hash },
        { SCHANNEL_PARAM_DIGEST, set_digest },
    };

    for (size_t n = 0; n < sizeof(setters) / sizeof(setters[0]); n++) {
        if (strcmp(param->key, setters[n].name) == 0)
            return setters[n].set(provctx, password, param);
    }
    return 1;
}

int password_copy(struct password *to, const struct password *from)
{
    *to = *from;
    if (from->pass == NULL)
        return 1;
    if ((to->pass = OPENSSL_memdup(from->pass, from->pass_size + 1)) != NULL)
        return 1;
    OPENSSL_cleanse(to, sizeof(*to));
    return 0;
}

void password_clear(struct password *password)
{
    OPENSSL_clear_free(password->pass, password->pass_size);
    OPENSSL_cleanse(password, sizeof(*password));
}

const char *password_given(const struct password *password)
{
    if (password->pass != NULL)
        return SCHANNEL_PARAM_PASS;
    return password->hash_size != 0 ? SCHANNEL_PARAM_HASH : NULL;
}

/* ---- keys ---- */

static int check(const struct provctx *provctx, const struct password *password)
{
    if (password_given(password) == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "pass: neither the password nor its hash is set");
    if (password->pass != NULL && password->hash_size != 0)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "hash: excludes pass, which is what is hashed");
    return password->digest[0] != '\0' ||
           RAISE(
               provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
               "digest: is not set, but passwords are hashed: expected " CRYPTDERIVEKEY_HASH_NAMES);
}

/* The hash, given or computed, at |value|. */
static int get_hash(const struct provctx *provctx, const struct password *password,
                    const EVP_MD *md, const struct cryptderivekey_hash *hash, uint8_t *value)
{
    if (password->pass != NULL)
        return EVP_Digest(password->pass, password->pass_size, value, NULL, md, NULL) ||
               RAISE(provctx->errors, SCHANNEL_R_LIBCRYPTO_FAILURE, "digest: %s failed",
                     hash->name[0]);
    if (password->hash_size != hash->size)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "hash: expected the %zu bytes of %s, got %u", hash->size, hash->name[0],
                     (unsigned)password->hash_size);
    memcpy(value, password->hash, hash->size);
    return 1;
}

int password_derive(const struct provctx *provctx, const struct password *password,
                    const struct bulk_cipher *cipher, size_t size, uint8_t *key, uint8_t *salt)
{
    uint8_t value[CRYPTDERIVEKEY_MAX_HASH_SIZE];
    const struct cryptderivekey_hash *hash;
    EVP_MD *md;
    int ok;

    if (!check(provctx, password) || (md = fetch(provctx, password->digest, &hash)) == NULL)
        return 0;
    ok = get_hash(provctx, password, md, hash, value);
    if (ok && key != NULL && !cryptderivekey_key(md, hash, value, cipher, key, size))
        ok = RAISE(provctx->errors, SCHANNEL_R_LIBCRYPTO_FAILURE, "digest: %s failed",
                   hash->name[0]);
    if (ok && salt != NULL)
        cryptderivekey_salt(value, cipher, size, salt);
    OPENSSL_cleanse(value, sizeof(value));
    EVP_MD_free(md);
    return ok;
}
