/* Streams that can be cut anywhere: see stream.h. */
#include "stream.h"

#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include "record_mac.h"

#define SALT_SIZE                      11
#define MAX_KEY_SIZE                   256

#define CIPHER(name, block_size, size) .cipher = (name), .block = (block_size), .key_size = (size)
#define MAC(name, digest_name, size, sequence)                                                     \
    .mac = (name), .digest = (digest_name), .key_size = (size), .first_sequence = (sequence)

const struct algorithm algorithms[ALGORITHMS] = {
    [RC4_40] = { "RC4 40", CIPHER("RC4", 1, 5) },
    [RC4_40_SALTED] = { "RC4 40 salted", CIPHER("RC4", 1, 5), .is_salted = 1 },
    [RC4_128] = { "RC4 128", CIPHER("RC4", 1, 16) },
    [RC2_40_SALTED] = { "RC2-CBC 40 salted", CIPHER("RC2-CBC", 8, 5), .effective_bits = 40,
                        .is_salted = 1 },
    [RC2_128] = { "RC2-CBC 128, effective 64", CIPHER("RC2-CBC", 8, 16), .effective_bits = 64 },
    [DES] = { "DES-CBC", CIPHER("DES-CBC", 8, 8) },
    [DES_EDE] = { "DES-EDE-CBC", CIPHER("DES-EDE-CBC", 8, 16) },
    [DES_EDE3] = { "DES-EDE3-CBC", CIPHER("DES-EDE3-CBC", 8, 24) },
    [AES_128] = { "AES-128-CBC", CIPHER("AES-128-CBC", 16, 16) },
    [AES_192] = { "AES-192-CBC", CIPHER("AES-192-CBC", 16, 24) },
    [AES_256] = { "AES-256-CBC", CIPHER("AES-256-CBC", 16, 32) },
    [MAC_PCT1_MD5] = { "PCT1-MAC MD5", MAC("PCT1-MAC", "MD5", 16, 0xfffffffd) },
    [MAC_PCT1_SHA1] = { "PCT1-MAC SHA1, 40 bytes", MAC("PCT1-MAC", "SHA1", 40, 0xfffffffd) },
    [MAC_SSL2] = { "SSL2-MAC, 24 bytes", MAC("SSL2-MAC", "MD5", 24, 0xfffffffe) },
    [MAC_SSL3_MD5] = { "SSL3-MAC MD5", MAC("SSL3-MAC", "MD5", 16, FIRST_SEQUENCE) },
    [MAC_SSL3_SHA1] = { "SSL3-MAC SHA1", MAC("SSL3-MAC", "SHA1", 20, FIRST_SEQUENCE) },
    [MAC_MD5] = { "TLS1-MAC MD5", MAC("TLS1-MAC", "MD5", 16, FIRST_SEQUENCE) },
    [MAC_SHA1] = { "TLS1-MAC SHA1", MAC("TLS1-MAC", "SHA1", 20, FIRST_SEQUENCE) },
    [MAC_SHORT] = { "TLS1-MAC MD5, 5 bytes", MAC("TLS1-MAC", "MD5", 5, FIRST_SEQUENCE),
                    .no_key_object = 1 },
    [MAC_LONG] = { "TLS1-MAC SHA1, 100 bytes", MAC("TLS1-MAC", "SHA1", 100, FIRST_SEQUENCE),
                   .no_key_object = 1 },
    [RC4_ANY] = { "RC4 of any size", CIPHER("RC4", 1, 16), .no_key_object = 1 },
};

static EVP_CIPHER *ciphers[ALGORITHMS];
static EVP_MAC *macs[ALGORITHMS];

static const struct algorithm *algorithm_of(const struct stream *stream)
{
    return &algorithms[stream->algorithm];
}

const char *stream_name(const struct stream *stream)
{
    static char name[128];
    const struct algorithm *algorithm = algorithm_of(stream);

    if (algorithm->cipher == NULL)
        snprintf(name, sizeof(name), "%s, %s mode", algorithm->label,
                 stream->record ? "record" : "raw");
    else
        snprintf(name, sizeof(name), "%s (%zu-byte key), %s, padding %s", algorithm->label,
                 stream->key_size, stream->encrypt ? "encrypt" : "decrypt",
                 stream->padding ? "on" : "off");
    return name;
}

void stream_secret(const struct stream *stream, uint8_t secret[256])
{
    pattern(secret, MAX_KEY_SIZE, 11 + stream->algorithm);
}

static void stream_iv(uint8_t iv[16])
{
    pattern(iv, 16, 77);
}

static void stream_salt(uint8_t salt[SALT_SIZE])
{
    pattern(salt, SALT_SIZE, 200);
}

/* ---- what OpenSSL makes of it ---- */

/* What OpenSSL's cipher runs with: the salt follows the key. */
static size_t whole_key(const struct stream *stream, uint8_t key[MAX_KEY_SIZE])
{
    size_t size = stream->key_size;

    stream_secret(stream, key);
    if (algorithm_of(stream)->is_salted) {
        stream_salt(key + size);
        size += SALT_SIZE;
    }
    return size;
}

/* RC2 takes them before the key. */
static void set_effective_bits(EVP_CIPHER_CTX *context, const struct algorithm *algorithm)
{
    unsigned bits = algorithm->effective_bits;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint(OSSL_CIPHER_PARAM_RC2_KEYBITS, &bits),
                            OSSL_PARAM_construct_end() };

    if (bits != 0)
        assert_int_equal(EVP_CIPHER_CTX_set_params(context, params), 1);
}

/* All messages, in the direction given; each message's Final leaves the chain where it is. */
static size_t uncut_cipher(const struct stream *stream, int encrypt, const uint8_t *in,
                           const size_t *sizes, uint8_t *out, size_t *out_sizes)
{
    const struct algorithm *algorithm = algorithm_of(stream);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, algorithm->cipher, "provider!=schannel");
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t key[MAX_KEY_SIZE], iv[16];
    size_t key_size = whole_key(stream, key), total = 0;

    assert_non_null(cipher);
    stream_iv(iv);
    assert_int_equal(EVP_CipherInit_ex2(context, cipher, NULL, NULL, encrypt, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_key_length(context, (int)key_size), 1);
    set_effective_bits(context, algorithm);
    assert_int_equal(EVP_CipherInit_ex2(context, NULL, key, iv, encrypt, NULL), 1);
    for (size_t n = 0; n < stream->messages; n++) {
        int first = 0, last = 0;
        const uint8_t *chain;

        EVP_CIPHER_CTX_set_padding(context, stream->padding);
        assert_int_equal(EVP_CipherUpdate(context, out, &first, in, (int)sizes[n]), 1);
        assert_int_equal(EVP_CipherFinal_ex(context, out + first, &last), 1);
        out_sizes[n] = (size_t)(first + last);
        /* a new message starts with the last block of ciphertext */
        chain = encrypt ? out + out_sizes[n] : in + sizes[n];
        if (algorithm->block > 1 && (encrypt ? out_sizes[n] : sizes[n]) != 0) {
            assert_int_equal(
                EVP_CipherInit_ex2(context, NULL, NULL, chain - algorithm->block, encrypt, NULL),
                1);
        }
        in += sizes[n];
        out += out_sizes[n];
        total += out_sizes[n];
    }
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return total;
}

static void init_cipher(struct stream *stream, const size_t *sizes)
{
    uint8_t plain[STREAM_MAX_TEXT], encrypted[STREAM_MAX_OUTPUT];
    size_t encrypted_sizes[STREAM_MAX_MESSAGES], plain_sizes[STREAM_MAX_MESSAGES], size;

    pattern(plain, sizeof(plain), 3);
    size = uncut_cipher(stream, 1, plain, sizes, encrypted, encrypted_sizes);
    if (stream->encrypt) {
        memcpy(stream->size, sizes, stream->messages * sizeof(*sizes));
        memcpy(stream->text, plain, sizeof(plain));
        memcpy(stream->expected, encrypted, size);
        stream->expected_size = size;
        return;
    }
    assert_in_range(size, 0, sizeof(stream->text));
    memcpy(stream->size, encrypted_sizes, stream->messages * sizeof(*sizes));
    memcpy(stream->text, encrypted, size);
    stream->expected_size =
        uncut_cipher(stream, 0, encrypted, encrypted_sizes, stream->expected, plain_sizes);
    assert_memory_equal(stream->expected, plain, stream->expected_size);
}

/* libcrypto's HMAC, of TLS1-MAC. */
static size_t hmac(const char *digest, const uint8_t *key, size_t key_size, const uint8_t *data,
                   size_t size, uint8_t out[20])
{
    size_t written = 0;

    assert_non_null(EVP_Q_mac(libctx, "HMAC", "provider!=schannel", digest, NULL, key, key_size,
                              data, size, out, 20, &written));
    return written;
}

/* The formula of another protocol; NULL for TLS 1.0. */
static const struct row *formula_of(const struct algorithm *algorithm)
{
    for (size_t n = 0; n < ROWS; n++) {
        if (strcmp(rows[n].mac, algorithm->mac) == 0 &&
            strcmp(rows[n].digest, algorithm->digest) == 0)
            return &rows[n];
    }
    return NULL;
}

size_t stream_raw_mac(const struct algorithm *algorithm, const uint8_t *key, size_t key_size,
                      const uint8_t *data, size_t size, uint8_t out[20])
{
    const struct row *formula = formula_of(algorithm);

    if (formula == NULL)
        return hmac(algorithm->digest, key, key_size, data, size, out);
    raw_mac(formula, key, key_size, data, size, out);
    return formula->size;
}

/* Over a record. */
static size_t whole_mac(const struct algorithm *algorithm, const uint8_t *key, size_t key_size,
                        uint64_t sequence, const uint8_t *data, size_t size, uint8_t out[20])
{
    const struct row *formula = formula_of(algorithm);
    uint8_t whole[13 + STREAM_MAX_TEXT], *at = whole;

    if (formula != NULL) {
        record_mac(formula, key, key_size, sequence, DATA_TYPE, data, size, out);
        return formula->size;
    }
    for (int shift = 56; shift >= 0; shift -= 8)
        *at++ = (uint8_t)(sequence >> shift);
    *at++ = DATA_TYPE;
    *at++ = 3;
    *at++ = 1;
    *at++ = (uint8_t)(size >> 8);
    *at++ = (uint8_t)size;
    memcpy(at, data, size);
    return hmac(algorithm->digest, key, key_size, whole, 13 + size, out);
}

static void init_mac(struct stream *stream, const size_t *sizes)
{
    const struct algorithm *algorithm = algorithm_of(stream);
    uint8_t key[MAX_KEY_SIZE];
    const uint8_t *text = stream->text;

    stream_secret(stream, key);
    pattern(stream->text, sizeof(stream->text), 3);
    memcpy(stream->size, sizes, stream->messages * sizeof(*sizes));
    for (size_t n = 0; n < stream->messages; n++, text += sizes[n - 1]) {
        uint8_t *out = stream->expected + stream->expected_size;

        stream->expected_size +=
            stream->record ? whole_mac(algorithm, key, stream->key_size,
                                       algorithm->first_sequence + n, text, sizes[n], out)
                           : stream_raw_mac(algorithm, key, stream->key_size, text, sizes[n], out);
    }
}

void stream_init(struct stream *stream, unsigned algorithm, int encrypt, int padding, int record,
                 size_t key_size, const size_t *sizes, size_t messages)
{
    memset(stream, 0, sizeof(*stream));
    stream->algorithm = algorithm;
    stream->encrypt = encrypt;
    stream->padding = padding;
    stream->record = record;
    stream->messages = messages;
    stream->key_size = key_size != 0 ? key_size : algorithms[algorithm].key_size;
    if (algorithms[algorithm].cipher != NULL)
        init_cipher(stream, sizes);
    else
        init_mac(stream, sizes);
    for (size_t n = 0; n < messages; n++)
        stream->units += stream->size[n] + 1;
}

/* ---- running ---- */

EVP_CIPHER *stream_cipher(const struct stream *stream)
{
    EVP_CIPHER **cipher = &ciphers[stream->algorithm];
    char name[64];

    snprintf(name, sizeof(name), "SCHANNEL-%s", algorithm_of(stream)->cipher);
    if (*cipher == NULL)
        *cipher = EVP_CIPHER_fetch(libctx, name, NULL);
    assert_non_null(*cipher);
    return *cipher;
}

EVP_MAC *stream_mac(const struct stream *stream)
{
    EVP_MAC **mac = &macs[stream->algorithm];

    if (*mac == NULL)
        *mac = EVP_MAC_fetch(libctx, algorithm_of(stream)->mac, NULL);
    assert_non_null(*mac);
    return *mac;
}

void stream_teardown(void)
{
    for (size_t n = 0; n < ALGORITHMS; n++) {
        EVP_CIPHER_free(ciphers[n]);
        EVP_MAC_free(macs[n]);
        ciphers[n] = NULL;
        macs[n] = NULL;
    }
}

EVP_CIPHER_CTX *stream_bind_cipher(const struct stream *stream, EVP_PKEY *key)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    get_handle(key, handle);
    assert_int_equal(
        EVP_CipherInit_ex2(context, stream_cipher(stream), NULL, NULL, stream->encrypt, bind), 1);
    EVP_CIPHER_CTX_set_padding(context, stream->padding);
    return context;
}

EVP_MAC_CTX *stream_bind_mac(const struct stream *stream, EVP_PKEY *key)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(stream_mac(stream));

    get_handle(key, handle);
    assert_int_equal(EVP_MAC_init(context, NULL, 0, bind), 1);
    return context;
}

void stream_record(const struct algorithm *algorithm, const size_t *length,
                   struct stream_record *record)
{
    const int is_tls1 = strcmp(algorithm->mac, "TLS1-MAC") == 0;
    OSSL_PARAM *p = record->params;

    record->type = DATA_TYPE;
    record->version = 0x301;
    record->length = length != NULL ? (unsigned)*length : 0;
    record->mode = 1;
    if (is_tls1 || strcmp(algorithm->mac, "SSL3-MAC") == 0) {
        *p++ = OSSL_PARAM_construct_uint("record-type", &record->type);
        if (is_tls1)
            *p++ = OSSL_PARAM_construct_uint("record-version", &record->version);
        if (length != NULL)
            *p++ = OSSL_PARAM_construct_uint("record-length", &record->length);
    } else {
        *p++ = OSSL_PARAM_construct_uint("record-mode", &record->mode);
    }
    *p = OSSL_PARAM_construct_end();
}

static void announce_record(const struct stream *stream, EVP_MAC_CTX *mac, size_t size)
{
    struct stream_record record;

    stream_record(algorithm_of(stream), &size, &record);
    assert_int_equal(EVP_MAC_CTX_set_params(mac, record.params), 1);
}

static void run_bytes(EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, const uint8_t *in, size_t size,
                      uint8_t *out, size_t *written)
{
    int some = 0;

    if (size == 0)
        return;
    if (mac != NULL) {
        assert_int_equal(EVP_MAC_update(mac, in, size), 1);
        return;
    }
    assert_int_equal(EVP_CipherUpdate(cipher, out + *written, &some, in, (int)size), 1);
    *written += (size_t)some;
}

static void run_final(EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, uint8_t *out, size_t *written)
{
    size_t size = 0;
    int some = 0;

    if (mac != NULL)
        assert_int_equal(EVP_MAC_final(mac, out + *written, &size, 20), 1);
    else
        assert_int_equal(EVP_CipherFinal_ex(cipher, out + *written, &some), 1);
    *written += size + (size_t)some;
}

void stream_run(const struct stream *stream, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, size_t from,
                size_t to, int started, uint8_t *out, size_t *written)
{
    size_t start = 0, offset = 0; /* of a message: its first unit, its first byte */

    *written = 0;
    for (size_t n = 0; n < stream->messages; n++) {
        size_t end = start + stream->size[n]; /* the unit of its Final */
        size_t first = from > start ? from : start, last = to < end ? to : end;

        if (first <= end && first < to) {
            if (mac != NULL && stream->record && first == start && !started)
                announce_record(stream, mac, stream->size[n]);
            if (last > first)
                run_bytes(cipher, mac, stream->text + offset + (first - start), last - first, out,
                          written);
            if (to > end)
                run_final(cipher, mac, out, written);
            started = 0;
        }
        start = end + 1;
        offset += stream->size[n];
    }
}

/* ---- holders ---- */

static int is_mac(const struct stream *stream)
{
    return algorithm_of(stream)->cipher == NULL;
}

static void make_key_object(struct holder *holder, const struct stream *stream)
{
    const struct algorithm *algorithm = algorithm_of(stream);
    uint8_t secret[MAX_KEY_SIZE], iv[16], salt[SALT_SIZE];
    uint64_t sequence = algorithm->first_sequence;
    unsigned effective_bits = algorithm->effective_bits;
    OSSL_PARAM params[8], *p = params;

    stream_secret(stream, secret);
    stream_iv(iv);
    stream_salt(salt);
    *p++ = text_param("alg", is_mac(stream) ? algorithm->mac : algorithm->cipher);
    *p++ = octets_param("secret", secret, stream->key_size);
    *p++ = text_param("seal-key", seal_key_a);
    if (is_mac(stream)) {
        *p++ = text_param("digest", algorithm->digest);
        *p++ = OSSL_PARAM_construct_uint64("sequence", &sequence);
    }
    if (algorithm->block > 1)
        *p++ = octets_param("iv", iv, algorithm->block);
    if (algorithm->is_salted)
        *p++ = octets_param("salt", salt, SALT_SIZE);
    if (effective_bits != 0)
        *p++ = OSSL_PARAM_construct_uint("effective-bits", &effective_bits);
    *p = OSSL_PARAM_construct_end();
    holder->key = from_data(params);
    assert_non_null(holder->key);
}

static void make_mac_context(struct holder *holder, const struct stream *stream)
{
    uint8_t secret[MAX_KEY_SIZE];
    uint64_t sequence = algorithm_of(stream)->first_sequence;
    OSSL_PARAM params[] = { text_param("digest", algorithm_of(stream)->digest),
                            OSSL_PARAM_construct_uint64("sequence", &sequence),
                            text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };

    stream_secret(stream, secret);
    holder->mac = EVP_MAC_CTX_new(stream_mac(stream));
    assert_int_equal(EVP_MAC_init(holder->mac, secret, stream->key_size, params), 1);
}

static void make_cipher_context(struct holder *holder, const struct stream *stream)
{
    uint8_t secret[MAX_KEY_SIZE], iv[16];
    OSSL_PARAM params[] = { text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };

    stream_secret(stream, secret);
    stream_iv(iv);
    holder->cipher = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_CipherInit_ex2(holder->cipher, stream_cipher(stream), NULL, NULL,
                                        stream->encrypt, params),
                     1);
    assert_int_equal(EVP_CIPHER_CTX_set_key_length(holder->cipher, (int)stream->key_size), 1);
    set_effective_bits(holder->cipher, algorithm_of(stream));
    assert_int_equal(EVP_CipherInit_ex2(holder->cipher, NULL, secret,
                                        algorithm_of(stream)->block > 1 ? iv : NULL,
                                        stream->encrypt, NULL),
                     1);
    EVP_CIPHER_CTX_set_padding(holder->cipher, stream->padding);
}

void holder_make(struct holder *holder, const struct stream *stream, int in_context)
{
    memset(holder, 0, sizeof(*holder));
    if (!in_context) {
        make_key_object(holder, stream);
    } else if (is_mac(stream)) {
        make_mac_context(holder, stream);
    } else if (algorithm_of(stream)->is_salted) {
        /* a context gets a salt with a blob only */
        struct holder key;
        uint8_t blob[STREAM_MAX_BLOB];
        size_t size;

        holder_make(&key, stream, 0);
        size = holder_suspend(&key, stream, OUT_KEY_PARAM, blob);
        holder_free(&key);
        holder_resume(holder, stream, IN_CONTEXT_INIT, blob, size);
    } else {
        make_cipher_context(holder, stream);
    }
}

void holder_free(struct holder *holder)
{
    EVP_PKEY_free(holder->key);
    EVP_CIPHER_CTX_free(holder->cipher);
    EVP_MAC_CTX_free(holder->mac);
    memset(holder, 0, sizeof(*holder));
}

/* The context that works on the state: the holder's own, or one bound to its key. */
static void open_contexts(const struct holder *holder, const struct stream *stream,
                          EVP_CIPHER_CTX **cipher, EVP_MAC_CTX **mac)
{
    *cipher = holder->cipher;
    *mac = holder->mac;
    if (holder->key != NULL && is_mac(stream))
        *mac = stream_bind_mac(stream, holder->key);
    else if (holder->key != NULL)
        *cipher = stream_bind_cipher(stream, holder->key);
}

static void close_contexts(const struct holder *holder, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    if (holder->key == NULL)
        return;
    EVP_CIPHER_CTX_free(cipher);
    EVP_MAC_CTX_free(mac);
}

void holder_run(struct holder *holder, const struct stream *stream, size_t from, size_t to,
                int started, uint8_t *out, size_t *written)
{
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;

    open_contexts(holder, stream, &cipher, &mac);
    stream_run(stream, cipher, mac, from, to, started, out, written);
    close_contexts(holder, cipher, mac);
}

void holder_finish(struct holder *holder, const struct stream *stream, size_t from, size_t written)
{
    uint8_t out[STREAM_MAX_OUTPUT];
    size_t size;

    holder_run(holder, stream, from, stream->units, 0, out, &size);
    assert_int_equal(written + size, stream->expected_size);
    assert_memory_equal(out, stream->expected + written, size);
}

int holder_begin(struct holder *holder, const struct stream *stream, size_t at)
{
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;
    size_t start = 0, n = 0;

    while (n < stream->messages && start < at)
        start += stream->size[n++] + 1;
    if (!is_mac(stream) || !stream->record || n == stream->messages || start != at)
        return 0;
    open_contexts(holder, stream, &cipher, &mac);
    announce_record(stream, mac, stream->size[n]);
    assert_int_equal(EVP_MAC_update(mac, stream->text, 0), 1);
    close_contexts(holder, cipher, mac);
    return 1;
}

/* ---- moving ---- */

static size_t encode(EVP_PKEY *key, const char *type, uint8_t blob[STREAM_MAX_BLOB])
{
    OSSL_ENCODER_CTX *context =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, type, NULL, NULL);
    unsigned char *data = NULL;
    size_t size = 0;

    assert_int_equal(OSSL_ENCODER_to_data(context, &data, &size), 1);
    assert_in_range(size, 1, STREAM_MAX_BLOB);
    memcpy(blob, data, size);
    OPENSSL_free(data);
    OSSL_ENCODER_CTX_free(context);
    return size;
}

static EVP_PKEY *decode(const uint8_t *data, size_t size, const char *type)
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *context =
        OSSL_DECODER_CTX_new_for_pkey(&key, type, NULL, "SCHANNEL", EVP_PKEY_KEYPAIR, libctx, NULL);
    OSSL_PARAM params[] = { text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };

    assert_int_equal(OSSL_DECODER_CTX_set_params(context, params), 1);
    assert_int_equal(OSSL_DECODER_from_data(context, &data, &size), 1);
    OSSL_DECODER_CTX_free(context);
    assert_non_null(key);
    assert_int_equal(EVP_PKEY_set_params(key, params), 1);
    return key;
}

static size_t suspend_context(const struct holder *holder, const struct stream *stream,
                              uint8_t blob[STREAM_MAX_BLOB])
{
    OSSL_PARAM get[] = { octets_param("opaque-blob", blob, STREAM_MAX_BLOB),
                         OSSL_PARAM_construct_end() };
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;

    open_contexts(holder, stream, &cipher, &mac);
    assert_int_equal(
        mac != NULL ? EVP_MAC_CTX_get_params(mac, get) : EVP_CIPHER_CTX_get_params(cipher, get), 1);
    close_contexts(holder, cipher, mac);
    return get[0].return_size;
}

size_t holder_suspend(struct holder *holder, const struct stream *stream, enum way_out way,
                      uint8_t blob[STREAM_MAX_BLOB])
{
    size_t size = 0;

    assert_true((holder->key == NULL) == (way == OUT_CONTEXT));
    switch (way) {
    case OUT_KEY_PARAM:
        /* not export_blob: while another thread uses the key, its size changes */
        assert_int_equal(EVP_PKEY_get_octet_string_param(holder->key, "opaque-blob", blob,
                                                         STREAM_MAX_BLOB, &size),
                         1);
        return size;
    case OUT_PEM:
        return encode(holder->key, "PEM", blob);
    case OUT_DER:
        return encode(holder->key, "DER", blob);
    case OUT_OPAQUEBLOB:
        return encode(holder->key, "opaqueblob", blob);
    case OUT_BOUND_CONTEXT:
    case OUT_CONTEXT:
        break;
    }
    return suspend_context(holder, stream, blob);
}

static void resume_context(struct holder *holder, const struct stream *stream, int at_init,
                           const uint8_t *blob, size_t size)
{
    OSSL_PARAM resume[] = { octets_param("opaque-blob", blob, size),
                            text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };

    if (is_mac(stream)) {
        holder->mac = EVP_MAC_CTX_new(stream_mac(stream));
        assert_int_equal(at_init ? EVP_MAC_init(holder->mac, NULL, 0, resume)
                                 : EVP_MAC_CTX_set_params(holder->mac, resume),
                         1);
        return;
    }
    holder->cipher = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_CipherInit_ex2(holder->cipher, stream_cipher(stream), NULL, NULL,
                                        stream->encrypt, at_init ? resume : NULL),
                     1);
    if (!at_init)
        assert_int_equal(EVP_CIPHER_CTX_set_params(holder->cipher, resume), 1);
    EVP_CIPHER_CTX_set_padding(holder->cipher, stream->padding);
}

void holder_resume(struct holder *holder, const struct stream *stream, enum way_in way,
                   const uint8_t *blob, size_t size)
{
    memset(holder, 0, sizeof(*holder));
    switch (way) {
    case IN_KEY_PARAM:
        holder->key = import_blob(blob, size, seal_key_a);
        break;
    case IN_PEM:
        holder->key = decode(blob, size, "PEM");
        break;
    case IN_DER:
        holder->key = decode(blob, size, "DER");
        break;
    case IN_OPAQUEBLOB:
        holder->key = decode(blob, size, "opaqueblob");
        break;
    case IN_CONTEXT_INIT:
    case IN_CONTEXT_SET:
        resume_context(holder, stream, way == IN_CONTEXT_INIT, blob, size);
        return;
    }
    assert_non_null(holder->key);
}

/* EVP_CIPHER_CTX_dup came with OpenSSL 3.1. */
static EVP_CIPHER_CTX *duplicate_cipher(const EVP_CIPHER_CTX *from)
{
#if OPENSSL_VERSION_NUMBER >= 0x30100000L
    static unsigned calls;

    if (calls++ % 2 == 0)
        return EVP_CIPHER_CTX_dup(from);
#endif
    EVP_CIPHER_CTX *copy = EVP_CIPHER_CTX_new();

    assert_int_equal(EVP_CIPHER_CTX_copy(copy, from), 1);
    return copy;
}

void holder_duplicate(struct holder *copy, const struct holder *holder)
{
    memset(copy, 0, sizeof(*copy));
    if (holder->key != NULL)
        copy->key = EVP_PKEY_dup(holder->key);
    else if (holder->cipher != NULL)
        copy->cipher = duplicate_cipher(holder->cipher);
    else
        copy->mac = EVP_MAC_CTX_dup(holder->mac);
    assert_true(copy->key != NULL || copy->cipher != NULL || copy->mac != NULL);
}
