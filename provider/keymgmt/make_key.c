/*
 * Making a key out of a request: known bytes, a sealed blob, a password, or random bytes.  See
 * request.h.
 */
#include "keymgmt/request.h"

#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include "blob/opaque.h"
#include "key/key_trace.h"
#include "protocol/des_key.h"
#include "protocol/ssl2.h"
#include "schannel/names.h"

#define RANDOM_BLOCK 16 /* of AES, which libcrypto's generator counts with */

/* In whole blocks: of one that is not wanted to its end the generator keeps the bytes, which would
 * outlive the key. */
static int random_bytes(const struct provctx *provctx, uint8_t *out, size_t size)
{
    uint8_t block[RANDOM_BLOCK];
    const size_t rest = size % sizeof(block);
    int ok = (size == rest || RAND_priv_bytes_ex(provctx->libctx, out, size - rest, 0) == 1) &&
             (rest == 0 || RAND_priv_bytes_ex(provctx->libctx, block, sizeof(block), 0) == 1);

    if (ok && rest != 0)
        memcpy(out + size - rest, block, rest);
    OPENSSL_cleanse(block, sizeof(block));
    return ok || errors_raise_no_random(provctx->errors, provctx->libctx, "a key");
}

/* ---- masters ---- */

/* The size of a master to be generated: SSL 2.0 has 40 to 192 bits, 128 by default. */
static int check_master_bits(const struct provctx *provctx, const struct request *request,
                             size_t *size)
{
    const struct key_algorithm *algorithm = request->algorithm;
    const int is_ssl2 = algorithm->protocol == KEY_PROTOCOL_SSL2;
    const unsigned full =
        8u * (unsigned)(is_ssl2 ? SSL2_FULL_MASTER_SIZE
                                : protocol_rules(algorithm->protocol)->max_master);
    const unsigned bits = request->bits != 0 ? request->bits : full;

    *size = bits / 8;
    if (bits == full || (is_ssl2 && bits >= 40 && bits <= 192 && bits % 8 == 0))
        return 1;
    return RAISE(
        provctx->errors, SCHANNEL_R_INVALID_PARAMETER, "bits: expected %s%u for %s, got %u",
        is_ssl2 ? "a multiple of 8 from 40 to 192, by default " : "", full, algorithm->name, bits);
}

static int check_master_secret(const struct provctx *provctx, const struct request *request,
                               size_t size)
{
    const struct protocol_rules *rules = protocol_rules(request->algorithm->protocol);
    const char *what = rules->has_premaster ? "secret" : "key";

    if (request->bits != 0 && size != request->secret_size)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "secret: expected %zu bytes for %u bits, got %zu", size, request->bits,
                     request->secret_size);
    if (request->secret_size >= rules->min_master && request->secret_size <= rules->max_master)
        return 1;
    if (rules->min_master == rules->max_master)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "secret: expected the %zu bytes of a master %s, got %zu", rules->min_master,
                     what, request->secret_size);
    return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                 "secret: expected the %zu to %zu bytes of a master %s, got %zu", rules->min_master,
                 rules->max_master, what, request->secret_size);
}

/* CryptGenKey: random bytes, in a premaster secret behind the version. */
static int generate_master(const struct provctx *provctx, const struct request *request,
                           struct master_value *master, size_t size)
{
    const enum key_protocol protocol = request->algorithm->protocol;
    const unsigned own = protocol == KEY_PROTOCOL_SSL3 ? 0x0300 : 0x0301;
    const unsigned version = request->highest_version != 0 ? request->highest_version : own;
    uint8_t bytes[MASTER_VALUE_MAX_SECRET_SIZE];
    int ok = random_bytes(provctx, bytes, size);

    if (ok && protocol_rules(protocol)->has_premaster) {
        bytes[0] = (uint8_t)(version >> 8);
        bytes[1] = (uint8_t)version;
        ok = master_value_init_premaster(master, protocol, (struct octets){ bytes, size }) ||
             RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a key");
    } else if (ok) {
        master_value_init_secret(master, protocol, (struct octets){ bytes, size });
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return ok;
}

static int make_master(struct key *key, const struct request *request)
{
    const struct provctx *provctx = key->provctx;
    const struct octets secret = { request->secret, request->secret_size };
    const struct octets premaster = { request->premaster, request->premaster_size };
    struct master_value *master;
    size_t size;
    int ok = 1;

    if (!check_master_bits(provctx, request, &size) ||
        !derivation_check_protocol(provctx->errors, key->protocol, &request->derivation) ||
        !derivation_check_lengths(provctx->errors, key->protocol, &request->derivation) ||
        (secret.data != NULL && !check_master_secret(provctx, request, size)))
        return 0;
    if ((master = OPENSSL_zalloc(sizeof(*master))) == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a key");
    key->value.master = master;
    if (secret.data != NULL)
        master_value_init_secret(master, key->protocol, secret);
    else if (premaster.data == NULL)
        ok = generate_master(provctx, request, master, size);
    else if (!master_value_init_premaster(master, key->protocol, premaster))
        ok = RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a key");
    if (!ok)
        return 0;
    derivation_copy(&master->derivation, &request->derivation);
    master->highest_version = request->highest_version;
    return 1;
}

/* ---- cipher keys ---- */

static int check_cipher_size(const struct provctx *provctx, const struct request *request,
                             const struct bulk_cipher *cipher, size_t *size)
{
    size_t wanted = key_size_for_bits(cipher, request->bits);

    if (wanted == 0)
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "bits: expected %s%u for %s, got %u",
                     key_size_varies(cipher) ? "a multiple of 8 from 40 to " : "",
                     (unsigned)cipher->default_bits, cipher->name, request->bits);
    if (request->secret != NULL && request->bits == 0) {
        if (!key_size_is_valid(cipher, request->secret_size))
            return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                         "secret: expected %s%u bytes for %s, got %zu",
                         key_size_varies(cipher) ? "5 to " : "", cipher->default_bits / 8u,
                         cipher->name, request->secret_size);
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
 * their bytes are given.  The salt that is created for the key of a password comes with the key. */
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
    return mode == SALT_MODE_ZERO || password_given(&request->password) != NULL ||
           random_bytes(provctx, salt, CIPHER_VALUE_SALT_SIZE);
}

/* The bytes of a key of |size| bytes, and the salt of a password that |salt_mode| asks for. */
static int make_cipher_bytes(const struct provctx *provctx, const struct request *request,
                             const struct bulk_cipher *cipher, size_t size, uint8_t *bytes,
                             uint8_t *salt)
{
    if (request->secret != NULL) {
        memcpy(bytes, request->secret, size);
        return 1;
    }
    if (password_given(&request->password) != NULL)
        return password_derive(provctx, &request->password, cipher, size, bytes,
                               request->salt_mode == SALT_MODE_CREATE ? salt : NULL);
    if (!random_bytes(provctx, bytes, size))
        return 0;
    if (cipher->strength_bits != cipher->default_bits)
        des_key_set_parity(bytes, size); /* as CryptGenKey does */
    return 1;
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
    ok = make_cipher_bytes(provctx, request, cipher, size, bytes, salt);
    if (ok)
        cipher_value_init(&key->value.cipher, cipher, (struct octets){ bytes, size },
                          (struct octets){ salt, salt_size });
    if (ok && request->effective_bits != 0)
        cipher_value_set_effective_bits(&key->value.cipher, request->effective_bits);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return ok;
}

/* ---- MAC keys ---- */

/* The digest of a MAC key; SSL 2.0 has no choice. */
static int choose_digest(const struct provctx *provctx, const struct request *request,
                         enum digest_id *digest)
{
    const int is_ssl2 = request->algorithm->protocol == KEY_PROTOCOL_SSL2;

    *digest = request->derivation.digest;
    if (*digest == DIGEST_NONE && is_ssl2)
        *digest = DIGEST_MD5;
    if (*digest == DIGEST_NONE)
        return RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "digest: is not set for a key of %s: expected MD5 or SHA1",
                     request->algorithm->name);
    return !is_ssl2 || *digest == DIGEST_MD5 ||
           RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                 "digest: SSL2-MAC hashes with MD5, not %s", digest_name(*digest));
}

/* The size of a MAC key: of what is given, or of the digest. */
static int check_mac_size(const struct provctx *provctx, const struct request *request,
                          enum digest_id digest, size_t *size)
{
    const enum key_protocol protocol = request->algorithm->protocol;
    const size_t full = digest_size(digest);
    const unsigned bits = request->bits;

    *size = full;
    if (bits != 0) {
        *size = bits / 8;
        if (bits % 8 != 0 || !mac_key_size_is_valid(protocol, digest, *size))
            return RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                         "bits: expected %zu for %s, got %u", 8 * full, digest_name(digest), bits);
    } else if (request->secret != NULL &&
               mac_key_size_is_valid(protocol, digest, request->secret_size)) {
        *size = request->secret_size;
    }
    return request->secret == NULL || request->secret_size == *size ||
           RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                 "secret: expected %zu bytes for %s, got %zu", *size, digest_name(digest),
                 request->secret_size);
}

static int make_mac(struct key *key, const struct request *request)
{
    const struct provctx *provctx = key->provctx;
    enum digest_id digest;
    uint8_t bytes[MAC_VALUE_MAX_KEY_SIZE];
    size_t size;
    int ok = 1;

    if (!choose_digest(provctx, request, &digest) ||
        !check_mac_size(provctx, request, digest, &size))
        return 0;
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

static uint8_t origin_of(const struct request *request)
{
    if (request->secret != NULL || request->premaster != NULL)
        return KEY_ORIGIN_BYTES;
    return password_given(&request->password) != NULL ? KEY_ORIGIN_PASSWORD : KEY_ORIGIN_GENERATED;
}

int request_make_key(struct key *key, const struct request *request, int may_generate)
{
    const struct provctx *provctx = key->provctx;
    struct octets blob = { request->opaque_blob, request->opaque_blob_size };
    const char *password = password_given(&request->password);
    int ok;

    if (password != NULL && !may_generate)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "%s: keys are generated from passwords, not imported", password);
    if (request->usage != KEY_USAGE_NONE)
        return RAISE(
            provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
            "usage: needs a master key to derive from (EVP_PKEY_CTX_new_from_pkey, genpkey "
            "-paramfile)");
    if (blob.data != NULL) {
        ok = request_check_opaque(provctx, request) &&
             opaque_blob_import_into(key, blob, &request->options, NULL, OPAQUE_FOR_KEY);
    } else if (request->algorithm == NULL) {
        return RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "alg: is not set: expected " KEY_ALGORITHM_NAMES);
    } else if (!may_generate && request->secret == NULL && request->premaster == NULL) {
        return RAISE(provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "secret: is not set, and an import makes no random key");
    } else if (!request_check(provctx, request)) {
        return 0;
    } else {
        key->algorithm = request->algorithm;
        key->protocol = request->algorithm->protocol;
        key->exportable = request->exportable;
        key->origin = origin_of(request);
        ok = make_value(key, request);
    }
    ok = ok && request_apply_to(key, request);
    if (ok && blob.data == NULL)
        key_trace(key, "made: %s", key_origin_name(key));
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
                     "iv: %s keys have none, leave it out", key->algorithm->name);
    if (request->iv_size != size)
        return RAISE(key->provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "iv: expected %zu bytes for %s, got %u", size, key->algorithm->name,
                     (unsigned)request->iv_size);
    cipher_value_set_iv(&key->value.cipher, request->iv);
    return 1;
}

static int apply_sequence(struct key *key, const struct request *request)
{
    struct mac_value *mac = key_mac(key);

    if (!request->has_sequence)
        return 1;
    if (mac == NULL)
        return RAISE(key->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "sequence: %s keys have none, leave it out", key->algorithm->name);
    if (mac->started)
        return RAISE(key->provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "sequence: cannot change while a message is being absorbed");
    if (request->sequence > protocol_rules(mac->protocol)->last_sequence &&
        protocol_rules(mac->protocol)->last_sequence <= UINT32_MAX)
        return RAISE(key->provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "sequence: the numbers of %s have 32 bits", key_protocol_name(mac->protocol));
    mac->sequence = request->sequence;
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
