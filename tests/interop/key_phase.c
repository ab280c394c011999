/* What the key phases of SSL 2.0 and PCT 1.0 have in common, see key_phase.h. */
#include "key_phase.h"

#include <string.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <schannel/names.h>

#define HEADER_SIZE       2 /* of a record without padding */
#define MAX_CLEAR         11
#define SSL2_RANDOM       16
#define PCT1_RANDOM       32
#define PCT1_MASTER       16
#define MAX_RSA_SIZE      1024
#define MAX_MASTER_PARAMS 11

/* SSL 2.0: the cipher kind; PCT 1.0: cipher type, cipher bits and MAC bits less 64. */
#define SSL2(name, code, cipher, bits, secret, clear, iv)                                          \
    {                                                                                              \
        RECORD_SSL2, name, code, cipher, bits, "MD5", 0, secret, clear, iv                         \
    }
#define PCT1_CODE(type, bits, mac_bits)                                                            \
    ((uint32_t)(type) << 16 | (uint32_t)(bits) << 8 | ((mac_bits)-64))
#define PCT1_MD5(name, type, cipher, bits, clear, iv)                                              \
    {                                                                                              \
        RECORD_PCT1, name, PCT1_CODE(type, bits, 128), cipher, bits, "MD5", 1, PCT1_MASTER, clear, \
            iv                                                                                     \
    }
#define PCT1_SHA(name, type, cipher, bits, clear, iv)                                              \
    {                                                                                              \
        RECORD_PCT1, name, PCT1_CODE(type, bits, 160), cipher, bits, "SHA1", 3, PCT1_MASTER,       \
            clear, iv                                                                              \
    }

static const struct key_phase_suite suites[] = {
    SSL2("SSL_CK_RC4_128_WITH_MD5", 0x010080, "RC4", 128, 16, 0, 0),
    SSL2("SSL_CK_RC4_128_EXPORT40_WITH_MD5", 0x020080, "RC4", 128, 5, 11, 0),
    SSL2("SSL_CK_RC2_128_CBC_WITH_MD5", 0x030080, "RC2-CBC", 128, 16, 0, 8),
    SSL2("SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5", 0x040080, "RC2-CBC", 128, 5, 11, 8),
    SSL2("SSL_CK_DES_64_CBC_WITH_MD5", 0x060040, "DES-CBC", 64, 8, 0, 8),
    SSL2("SSL_CK_DES_192_EDE3_CBC_WITH_MD5", 0x0700c0, "DES-EDE3-CBC", 192, 24, 0, 8),
    PCT1_MD5("PCT_CIPHER_RC4 128 MD5", 4, "RC4", 128, 0, 0),
    PCT1_SHA("PCT_CIPHER_RC4 128 SHA", 4, "RC4", 128, 0, 0),
    PCT1_MD5("PCT_CIPHER_RC4 40 MD5", 4, "RC4", 40, 11, 0),
    PCT1_SHA("PCT_CIPHER_RC4 40 SHA", 4, "RC4", 40, 11, 0),
    PCT1_MD5("PCT_CIPHER_RC2 128 MD5", 3, "RC2-CBC", 128, 0, 8),
    PCT1_SHA("PCT_CIPHER_RC2 40 SHA", 3, "RC2-CBC", 40, 11, 8),
    PCT1_MD5("PCT_CIPHER_DES 56 MD5", 1, "DES-CBC", 56, 0, 8),
    PCT1_SHA("PCT_CIPHER_DES 56 SHA", 1, "DES-CBC", 56, 0, 8),
    PCT1_MD5("PCT_CIPHER_DES 40 MD5", 1, "DES-CBC", 40, 11, 8),
    PCT1_MD5("PCT_CIPHER_DES_112 112 MD5", 5, "DES-EDE-CBC", 112, 0, 8),
    PCT1_SHA("PCT_CIPHER_DES_112 112 SHA", 5, "DES-EDE-CBC", 112, 0, 8),
    PCT1_MD5("PCT_CIPHER_DES_168 168 MD5", 6, "DES-EDE3-CBC", 168, 0, 8),
    PCT1_SHA("PCT_CIPHER_DES_168 168 SHA", 6, "DES-EDE3-CBC", 168, 0, 8),
};

size_t key_phase_suite_count(void)
{
    return sizeof(suites) / sizeof(suites[0]);
}

const struct key_phase_suite *key_phase_suite_at(size_t n)
{
    return &suites[n];
}

/* ---- begin and end ---- */

static int is_ssl2(const struct key_phase *phase)
{
    return phase->suite->protocol == RECORD_SSL2;
}

size_t key_phase_random_size(const struct key_phase *phase)
{
    return is_ssl2(phase) ? SSL2_RANDOM : PCT1_RANDOM;
}

int key_phase_fail(struct key_phase *phase, const char *why)
{
    if (phase->failure == NULL)
        phase->failure = why;
    return 0;
}

int key_phase_begin(struct key_phase *phase, OSSL_LIB_CTX *libctx, enum session_side side,
                    const struct key_phase_suite *suite, const struct identity *identity)
{
    uint8_t *random;

    memset(phase, 0, sizeof(*phase));
    phase->libctx = libctx;
    phase->side = side;
    phase->suite = suite;
    phase->identity = identity;
    random = side == SESSION_CLIENT ? phase->challenge : phase->connection_id;
    if (RAND_bytes_ex(libctx, random, key_phase_random_size(phase), 0) <= 0)
        return key_phase_fail(phase, "no random numbers");
    if (side == SESSION_SERVER)
        return 1;
    return is_ssl2(phase) ? ssl2_phase_begin(phase) : pct1_phase_begin(phase);
}

void key_phase_free(struct key_phase *phase)
{
    session_release(&phase->records);
    session_free_keys(&phase->keys);
    buffer_free(&phase->client_hello);
    buffer_free(&phase->server_hello);
    buffer_free(&phase->certificate);
    buffer_free(&phase->output);
    OPENSSL_cleanse(phase, sizeof(*phase));
}

/* ---- records ---- */

static int is_bound(const struct key_phase *phase)
{
    return phase->records.writer.cipher != NULL;
}

static int send_protected(struct key_phase *phase, const struct buffer *message)
{
    uint8_t record[RECORD_MAX_SIZE];
    size_t size = 0;

    if (!record_seal(&phase->records.writer, RECORD_NO_TYPE, message->data, message->size, record,
                     &size))
        return 0;
    buffer_add(&phase->output, record, size);
    return 1;
}

int key_phase_send(struct key_phase *phase, struct buffer *message)
{
    int ok = !message->failed && message->size < 0x8000;

    if (ok && is_bound(phase)) {
        ok = send_protected(phase, message);
    } else if (ok) {
        buffer_add_number(&phase->output, 0x8000 | message->size, HEADER_SIZE);
        buffer_add(&phase->output, message->data, message->size);
    }
    phase->sent++;
    buffer_free(message);
    return (ok && !phase->output.failed) || key_phase_fail(phase, "a message cannot be sent");
}

int key_phase_receive(struct key_phase *phase, uint8_t *record, size_t size)
{
    struct record_content content = { RECORD_NO_TYPE, record + HEADER_SIZE, 0 };
    struct reader message;

    if (phase->failure != NULL || phase->is_done)
        return key_phase_fail(phase, "no message is expected");
    if (is_bound(phase)) {
        if (record_open(&phase->records.reader, record, size, &content) != RECORD_OK)
            return key_phase_fail(phase, "a record that does not verify");
    } else {
        if (record_whole_size(phase->suite->protocol, record, size) != size ||
            (record[0] & 0x80) == 0)
            return key_phase_fail(phase, "no record in the clear");
        content.size = size - HEADER_SIZE;
    }
    phase->received++;
    message = (struct reader){ content.data, content.size, 0 };
    return is_ssl2(phase) ? ssl2_phase_take(phase, message) : pct1_phase_take(phase, message);
}

/* ---- keys ---- */

/*
 * CryptImportKey, CryptSetKeyParam for everything, CryptCreateHash and CryptDeriveKey: the master is
 * needed no longer than until its keys are there.
 */
static int derive_keys(struct key_phase *phase, const uint8_t *secret, struct reader clear)
{
    const struct key_phase_suite *suite = phase->suite;
    const size_t random_size = key_phase_random_size(phase);
    unsigned bits = suite->cipher_bits;
    OSSL_PARAM params[MAX_MASTER_PARAMS];
    EVP_PKEY *master;
    size_t n = 0;
    int ok;

    params[n++] = session_text(SCHANNEL_PARAM_ALG, is_ssl2(phase) ? SCHANNEL_ALG_SSL2_MASTER
                                                                  : SCHANNEL_ALG_PCT1_MASTER);
    params[n++] = session_octets(SCHANNEL_PARAM_SECRET, secret, suite->secret_size);
    params[n++] = session_octets(SCHANNEL_PARAM_CLIENT_RANDOM, phase->challenge, random_size);
    params[n++] = session_octets(SCHANNEL_PARAM_SERVER_RANDOM, phase->connection_id, random_size);
    params[n++] = session_text(SCHANNEL_PARAM_CIPHER, suite->cipher);
    params[n++] = OSSL_PARAM_construct_uint(SCHANNEL_PARAM_CIPHER_BITS, &bits);
    if (clear.size > 0)
        params[n++] = session_octets(SCHANNEL_PARAM_CLEAR_KEY, clear.data, clear.size);
    if (!is_ssl2(phase)) {
        params[n++] = session_text(SCHANNEL_PARAM_DIGEST, suite->digest);
        params[n++] = session_octets(SCHANNEL_PARAM_CERTIFICATE, phase->certificate.data,
                                     phase->certificate.size);
    }
    params[n] = OSSL_PARAM_construct_end();
    master = session_import(phase->libctx, params);
    ok = master != NULL && session_derive(phase->libctx, suite->protocol, master, &phase->keys) &&
         (suite->iv_size == 0 || session_set_iv(&phase->keys, phase->iv, suite->iv_size));
    EVP_PKEY_free(master);
    return ok || key_phase_fail(phase, "the keys cannot be derived");
}

int key_phase_bind(struct key_phase *phase)
{
    const enum session_side peer = phase->side == SESSION_CLIENT ? SESSION_SERVER : SESSION_CLIENT;

    return (session_set_sequence(&phase->keys, phase->side, phase->sent) &&
            session_set_sequence(&phase->keys, peer, phase->received) &&
            session_bind(phase->libctx, phase->suite->protocol, &phase->keys, phase->side,
                         &phase->records)) ||
           key_phase_fail(phase, "the keys cannot be bound");
}

/* ---- RSA ---- */

static EVP_PKEY *certified_key(const struct key_phase *phase)
{
    const uint8_t *der = phase->certificate.data;
    X509 *certificate = d2i_X509(NULL, &der, (long)phase->certificate.size);
    EVP_PKEY *key = certificate != NULL ? X509_get_pubkey(certificate) : NULL;

    X509_free(certificate);
    return key;
}

/* PKCS #1, block type 2: the default of EVP_PKEY_encrypt. */
static int encrypt_secret(struct key_phase *phase, const uint8_t *secret, struct buffer *encrypted)
{
    uint8_t out[MAX_RSA_SIZE];
    size_t size = sizeof(out);
    EVP_PKEY *key = certified_key(phase);
    EVP_PKEY_CTX *ctx = key != NULL ? EVP_PKEY_CTX_new_from_pkey(phase->libctx, key, NULL) : NULL;
    const int ok = ctx != NULL && EVP_PKEY_encrypt_init(ctx) > 0 &&
                   EVP_PKEY_encrypt(ctx, out, &size, secret, phase->suite->secret_size) > 0;

    if (ok)
        buffer_add(encrypted, out, size);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok || key_phase_fail(phase, "the master key cannot be encrypted");
}

/*
 * The secret part, or random bytes when it cannot be decrypted or has another size: the client then
 * fails later, as with a wrong key, and learns nothing (Bleichenbacher 1998; DROWN 2016).  Before
 * OpenSSL 3.2 the time that the decryption takes still tells: a server that the world can reach wants
 * a later one.
 */
static int decrypt_secret(struct key_phase *phase, struct reader encrypted,
                          uint8_t secret[KEY_PHASE_MAX_MASTER])
{
    const size_t wanted = phase->suite->secret_size;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(phase->libctx, phase->identity->key, NULL);
    uint8_t plain[MAX_RSA_SIZE];
    size_t size = sizeof(plain);
    int ok = ctx != NULL && EVP_PKEY_decrypt_init(ctx) > 0 &&
             RAND_priv_bytes_ex(phase->libctx, secret, wanted, 0) > 0;

    if (ok) {
        ERR_set_mark();
        if (EVP_PKEY_decrypt(ctx, plain, &size, encrypted.data, encrypted.size) > 0 &&
            size == wanted)
            memcpy(secret, plain, wanted);
        ERR_pop_to_mark();
    }
    OPENSSL_cleanse(plain, sizeof(plain));
    EVP_PKEY_CTX_free(ctx);
    return ok || key_phase_fail(phase, "the master key cannot be decrypted");
}

int key_phase_choose_master(struct key_phase *phase, struct buffer *clear, struct buffer *encrypted)
{
    const struct key_phase_suite *suite = phase->suite;
    uint8_t secret[KEY_PHASE_MAX_MASTER], clear_part[MAX_CLEAR];
    const struct reader given = { clear_part, suite->clear_size, 0 };
    int ok = RAND_priv_bytes_ex(phase->libctx, secret, suite->secret_size, 0) > 0 &&
             RAND_bytes_ex(phase->libctx, clear_part, sizeof(clear_part), 0) > 0 &&
             RAND_bytes_ex(phase->libctx, phase->iv, sizeof(phase->iv), 0) > 0;

    ok = ok && encrypt_secret(phase, secret, encrypted) && derive_keys(phase, secret, given);
    buffer_add(clear, clear_part, suite->clear_size);
    OPENSSL_cleanse(secret, sizeof(secret));
    return ok || key_phase_fail(phase, "no random numbers");
}

int key_phase_accept_master(struct key_phase *phase, struct reader clear, struct reader encrypted,
                            struct reader iv)
{
    const struct key_phase_suite *suite = phase->suite;
    uint8_t secret[KEY_PHASE_MAX_MASTER];
    int ok;

    if (clear.size != suite->clear_size || iv.size != suite->iv_size)
        return key_phase_fail(phase, "a clear key or KEY-ARG of another size");
    if (iv.size > 0)
        memcpy(phase->iv, iv.data, iv.size);
    ok = decrypt_secret(phase, encrypted, secret) && derive_keys(phase, secret, clear);
    OPENSSL_cleanse(secret, sizeof(secret));
    return ok;
}
