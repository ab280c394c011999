/* MACs and masters of the model: see model.h. */
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include "fuzz.h"
#include "model.h"

void model_mac_setup(void);

static EVP_MD *md5, *sha1;
static EVP_MD_CTX *digest_context;
static EVP_KDF_CTX *prf_context;

void model_mac_setup(void)
{
    EVP_KDF *prf = EVP_KDF_fetch(fuzz.libctx, "TLS1-PRF", "provider!=schannel");

    md5 = EVP_MD_fetch(fuzz.libctx, "MD5", NULL);
    sha1 = EVP_MD_fetch(fuzz.libctx, "SHA1", NULL);
    digest_context = EVP_MD_CTX_new();
    prf_context = prf == NULL ? NULL : EVP_KDF_CTX_new(prf);
    fuzz_expect(md5 != NULL && sha1 != NULL && digest_context != NULL && prf_context != NULL,
                "OpenSSL's digests");
    EVP_KDF_free(prf);
}

static const EVP_MD *md_of(const char *digest)
{
    return strcmp(digest, "MD5") == 0 ? md5 : sha1;
}

size_t model_mac_size(const struct model_key *key)
{
    return (size_t)EVP_MD_get_size(md_of(key->algorithm->digest));
}

/* The digest of up to five parts. */
static void digest(const EVP_MD *md, const struct octets *parts, size_t count, uint8_t *out)
{
    int ok = EVP_DigestInit_ex2(digest_context, md, NULL);

    for (size_t n = 0; n < count; n++)
        ok = ok && EVP_DigestUpdate(digest_context, parts[n].data, parts[n].size);
    fuzz_expect(ok && EVP_DigestFinal_ex(digest_context, out, NULL), "OpenSSL's digest");
}

/* ---- the four MACs ---- */

/* H(k || pad2 || H(k || pad1 || data)), RFC 6101 section 5.2.3.1; PCT 1.0 has no pads, no inner key. */
static void nested(const struct model_key *key, const uint8_t *data, size_t size, uint8_t *out)
{
    const EVP_MD *md = md_of(key->algorithm->digest);
    const int is_ssl3 = key->algorithm->protocol == MODEL_SSL3;
    const size_t pad = !is_ssl3 ? 0 : md == md5 ? 48 : 40;
    const struct octets secret = { key->secret, key->secret_size };
    uint8_t pad1[48], pad2[48], inner[MODEL_MAX_MAC];

    memset(pad1, 0x36, sizeof(pad1));
    memset(pad2, 0x5c, sizeof(pad2));
    digest(md,
           (struct octets[]){
               { key->secret, is_ssl3 ? key->secret_size : 0 }, { pad1, pad }, { data, size } },
           3, inner);
    digest(md, (struct octets[]){ secret, { pad2, pad }, { inner, model_mac_size(key) } }, 3, out);
}

/* RFC 2104; keys are shorter than a block. */
static void hmac(const struct model_key *key, const uint8_t *data, size_t size, uint8_t *out)
{
    const EVP_MD *md = md_of(key->algorithm->digest);
    uint8_t inner_key[64] = { 0 }, outer_key[64], inner[MODEL_MAX_MAC];

    memcpy(inner_key, key->secret, key->secret_size);
    for (size_t n = 0; n < sizeof(inner_key); n++) {
        outer_key[n] = inner_key[n] ^ 0x5c;
        inner_key[n] ^= 0x36;
    }
    digest(md, (struct octets[]){ { inner_key, 64 }, { data, size } }, 2, inner);
    digest(md, (struct octets[]){ { outer_key, 64 }, { inner, model_mac_size(key) } }, 2, out);
}

static void compute(const struct model_key *key, const uint8_t *data, size_t size, uint8_t *out)
{
    if (key->algorithm->protocol == MODEL_TLS1)
        hmac(key, data, size, out);
    else if (key->algorithm->protocol == MODEL_SSL2)
        digest(md5, (struct octets[]){ { key->secret, key->secret_size }, { data, size } }, 2, out);
    else
        nested(key, data, size, out);
}

/* ---- records ---- */

static int has_header(const struct model_key *key)
{
    return key->algorithm->protocol == MODEL_SSL3 || key->algorithm->protocol == MODEL_TLS1;
}

static void append(struct model_key *key, const uint8_t *data, size_t size)
{
    fuzz_expect(size <= sizeof(key->message) - key->message_size, "room in the model");
    if (size != 0)
        memcpy(key->message + key->message_size, data, size);
    key->message_size += size;
}

static void append_number(struct model_key *key, uint64_t number, size_t size)
{
    uint8_t bytes[8];

    for (size_t n = size; n-- > 0; number >>= 8)
        bytes[n] = (uint8_t)number;
    append(key, bytes, size);
}

uint64_t model_largest_sequence(const struct model_key *key)
{
    return has_header(key) ? UINT64_MAX : UINT32_MAX;
}

/* The last number that a record can have; the last of 64 bits is kept back. */
static uint64_t last_sequence(const struct model_key *key)
{
    return has_header(key) ? UINT64_MAX - 1 : UINT32_MAX;
}

/* Begins a message unless one has begun. */
static int begin(struct model_key *key, struct model_record *record)
{
    if (key->is_absorbing)
        return 1;
    if (record->is_enabled) {
        if (has_header(key) && (!record->has_type || !record->has_length ||
                                (key->algorithm->protocol == MODEL_TLS1 && !record->has_version)))
            return 0;
        if (key->sequence > last_sequence(key))
            return 0;
    }
    key->is_absorbing = 1;
    key->is_record = record->is_enabled;
    key->absorbed = key->message_size = key->record_length = 0;
    if (!key->is_record || !has_header(key))
        return 1;
    key->record_length = record->length;
    record->has_length = 0;
    append_number(key, key->sequence, 8);
    append_number(key, record->type, 1);
    if (key->algorithm->protocol == MODEL_TLS1)
        append_number(key, record->version, 2);
    append_number(key, record->length, 2);
    return 1;
}

int model_absorb(struct model_key *key, struct model_record *record, const uint8_t *data,
                 size_t size)
{
    if (!begin(key, record))
        return 0;
    append(key, data, size);
    key->absorbed += size;
    return 1;
}

int model_finish(struct model_key *key, struct model_record *record, uint8_t *mac)
{
    if (has_header(key)) {
        const int starts = !key->is_absorbing && record->is_enabled && record->has_length;
        const int goes_on = key->is_absorbing && key->is_record;

        if ((starts && record->length != 0) || (goes_on && key->record_length != key->absorbed))
            return 0;
    }
    if (!begin(key, record))
        return 0;
    if (key->is_record && !has_header(key))
        append_number(key, key->sequence, 4);
    compute(key, key->message, key->message_size, mac);
    if (key->is_record) {
        key->sequence++;
        if (key->algorithm->protocol == MODEL_SSL2)
            key->sequence &= UINT32_MAX;
        record->has_length = 0;
    }
    key->is_absorbing = key->is_record = 0;
    key->record_length = 0;
    key->absorbed = key->message_size = 0;
    return 1;
}

int model_sign(struct model_key *key, const struct model_record *record, const uint8_t *data,
               size_t size, uint8_t *mac)
{
    static struct model_key message;
    struct model_record own = *record;

    if (record->is_enabled && key->is_absorbing && key->is_record)
        return 0;
    message = *key;
    message.is_absorbing = 0;
    message.message_size = message.absorbed = 0;
    own.has_length = 1;
    own.length = (unsigned)size;
    if (!model_absorb(&message, &own, data, size) || !model_finish(&message, &own, mac))
        return 0;
    key->sequence = message.sequence;
    return 1;
}

/* ---- masters ---- */

/* RFC 2246 section 5, from OpenSSL. */
static void tls1_prf(struct octets secret, const char *label, const uint8_t *first,
                     const uint8_t *second, uint8_t *out, size_t size)
{
    OSSL_PARAM params[] = {
        fuzz_text_param(OSSL_KDF_PARAM_DIGEST, "MD5-SHA1"),
        fuzz_octets_param(OSSL_KDF_PARAM_SECRET, secret.data, secret.size),
        fuzz_octets_param(OSSL_KDF_PARAM_SEED, label, strlen(label)),
        fuzz_octets_param(OSSL_KDF_PARAM_SEED, first, MODEL_RANDOM_SIZE),
        fuzz_octets_param(OSSL_KDF_PARAM_SEED, second, MODEL_RANDOM_SIZE),
        OSSL_PARAM_construct_end(),
    };

    EVP_KDF_CTX_reset(prf_context);
    fuzz_expect(EVP_KDF_derive(prf_context, out, size, params) > 0, "OpenSSL's TLS1-PRF");
}

/* RFC 6101 sections 6.1 and 6.2.2: MD5(secret || SHA('A' || secret || randoms)) || ... 'BB' ... */
static void ssl3_expand(struct octets secret, const uint8_t *first, const uint8_t *second,
                        uint8_t *out, size_t size)
{
    uint8_t letters[16], inner[20], part[16];

    for (size_t n = 0; 16 * n < size; n++) {
        memset(letters, (int)('A' + n), n + 1);
        digest(sha1,
               (struct octets[]){ { letters, n + 1 },
                                  secret,
                                  { first, MODEL_RANDOM_SIZE },
                                  { second, MODEL_RANDOM_SIZE } },
               4, inner);
        digest(md5, (struct octets[]){ secret, { inner, sizeof(inner) } }, 2, part);
        memcpy(out + 16 * n, part, size - 16 * n < 16 ? size - 16 * n : 16);
    }
}

void model_convert(struct model_key *master)
{
    uint8_t secret[48];
    const struct octets premaster = { master->secret, master->secret_size };

    if (master->is_converted)
        return;
    if (master->algorithm->protocol == MODEL_TLS1)
        tls1_prf(premaster, "master secret", master->client_random, master->server_random, secret,
                 sizeof(secret));
    else
        ssl3_expand(premaster, master->client_random, master->server_random, secret,
                    sizeof(secret));
    memcpy(master->secret, secret, sizeof(secret));
    master->secret_size = sizeof(secret);
    master->is_converted = 1;
}

static const struct model_algorithm *mac_algorithm(enum model_protocol protocol, const char *name)
{
    const struct model_algorithm *found = model_algorithms + MODEL_CIPHERS;

    while (found->protocol != protocol || strcmp(found->digest, name) != 0)
        found++;
    return found;
}

void model_derive(const struct model_key *master, const struct model_algorithm *cipher,
                  const char *digest_name, int is_mac, int is_server, struct model_key *key)
{
    const size_t mac = (size_t)EVP_MD_get_size(md_of(digest_name));
    const size_t iv = cipher->block == 1 ? 0 : cipher->block;
    const size_t other = (size_t)(is_server != 0);
    const struct octets secret = { master->secret, master->secret_size };
    uint8_t block[2 * (MODEL_MAX_MAC + 32 + MODEL_MAX_BLOCK)];
    const size_t size = 2 * (mac + cipher->key_size + iv);

    if (master->algorithm->protocol == MODEL_TLS1)
        tls1_prf(secret, "key expansion", master->server_random, master->client_random, block,
                 size);
    else
        ssl3_expand(secret, master->server_random, master->client_random, block, size);
    if (is_mac) {
        key->algorithm = mac_algorithm(master->algorithm->protocol, digest_name);
        key->secret_size = mac;
        memcpy(key->secret, block + other * mac, mac);
        return;
    }
    key->algorithm = cipher;
    key->secret_size = cipher->key_size;
    memcpy(key->secret, block + 2 * mac + other * cipher->key_size, cipher->key_size);
    if (iv != 0)
        model_set_iv(key, block + 2 * (mac + cipher->key_size) + other * iv);
}
