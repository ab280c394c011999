/*
 * Whole messages: cipher keys through EVP_PKEY_encrypt and EVP_PKEY_decrypt, MAC keys through
 * EVP_DigestSign and EVP_DigestVerify.
 */
#include "fixture.h"

#include <pthread.h>

#define MAX_TEXT  256
#define MAX_OUT   (MAX_TEXT + 32)
#define MAX_MAC   20
#define DATA_TYPE 23
#define TLS1      0x301

/* A cipher key, or a MAC key with its digest. */
struct row {
    const char *alg, *digest, *other_digest;
    size_t key_size, block_size;
};

static const struct row ciphers[] = {
    { "RC4", NULL, NULL, 16, 1 },
    { "DES-EDE3-CBC", NULL, NULL, 24, 8 },
    { "AES-128-CBC", NULL, NULL, 16, 16 },
    { "AES-256-CBC", NULL, NULL, 32, 16 },
};

static const struct row macs[] = {
    { "TLS1-MAC", "MD5", "SHA1", 16, 0 },
    { "TLS1-MAC", "SHA1", "MD5", 20, 0 },
};

static const struct row master = { "TLS1-MASTER", NULL, NULL, 48, 0 };

#define CIPHERS (sizeof(ciphers) / sizeof(ciphers[0]))
#define MACS    (sizeof(macs) / sizeof(macs[0]))

static int starts_with_a_clean_queue(void **state)
{
    (void)state;
    ERR_clear_error();
    return 0;
}

static EVP_PKEY *make_key(const struct row *row)
{
    uint8_t secret[48] = { 0 }, iv[16] = { 0 };
    OSSL_PARAM params[5], *p = params;
    EVP_PKEY *key;

    pattern(secret, sizeof(secret), 11);
    pattern(iv, sizeof(iv), 77);
    *p++ = text_param("alg", row->alg);
    *p++ = octets_param("secret", secret, row->key_size);
    if (row->digest != NULL)
        *p++ = text_param("digest", row->digest);
    if (row->block_size > 1)
        *p++ = octets_param("iv", iv, row->block_size);
    *p = OSSL_PARAM_construct_end();
    key = from_data(params);
    assert_non_null(key);
    return key;
}

static void retire(EVP_PKEY *key)
{
    int yes = 1;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_int("retire", &yes), OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_PKEY_set_params(key, params), 1);
}

/* ---- EVP_PKEY_encrypt and EVP_PKEY_decrypt ---- */

/* libcrypto's own cipher with make_key's key and IV, which goes on from call to call. */
static EVP_CIPHER_CTX *new_reference(const struct row *row, int encrypt)
{
    uint8_t secret[48] = { 0 }, iv[16] = { 0 };
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, row->alg, "provider!=schannel");
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    pattern(secret, sizeof(secret), 11);
    pattern(iv, sizeof(iv), 77);
    assert_non_null(cipher);
    assert_int_equal(EVP_CipherInit_ex2(context, cipher, secret, iv, encrypt, NULL), 1);
    EVP_CIPHER_free(cipher);
    return context;
}

/* |size| bytes more through |context|, padded if asked for. */
static size_t reference(EVP_CIPHER_CTX *context, int padding, const uint8_t *in, size_t size,
                        uint8_t *out)
{
    int written = 0, last = 0;

    EVP_CIPHER_CTX_set_padding(context, padding);
    assert_int_equal(EVP_CipherUpdate(context, out, &written, in, (int)size), 1);
    if (padding)
        assert_int_equal(EVP_CipherFinal_ex(context, out + written, &last), 1);
    return (size_t)(written + last);
}

/* A whole padded message from the original IV. */
static size_t reference_message(const struct row *row, const uint8_t *in, size_t size, uint8_t *out)
{
    EVP_CIPHER_CTX *context = new_reference(row, 1);
    size_t written = reference(context, 1, in, size, out);

    EVP_CIPHER_CTX_free(context);
    return written;
}

static EVP_PKEY_CTX *new_message_context(EVP_PKEY *key, int encrypt)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);

    assert_non_null(context);
    assert_int_equal((encrypt ? EVP_PKEY_encrypt_init_ex : EVP_PKEY_decrypt_init_ex)(context, NULL),
                     1);
    return context;
}

static int set_flag(EVP_PKEY_CTX *context, const char *name, int value)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_int(name, &value), OSSL_PARAM_construct_end() };

    return EVP_PKEY_CTX_set_params(context, params);
}

static int process(EVP_PKEY_CTX *context, int encrypt, const uint8_t *in, size_t size, uint8_t *out,
                   size_t *out_size)
{
    return (encrypt ? EVP_PKEY_encrypt : EVP_PKEY_decrypt)(context, out, out_size, in, size) > 0;
}

/* A message that has to be taken; gives the size of what came out. */
static size_t message(EVP_PKEY_CTX *context, int encrypt, const uint8_t *in, size_t size,
                      uint8_t *out)
{
    size_t written = MAX_OUT;

    assert_int_equal(process(context, encrypt, in, size, out, &written), 1);
    assert_no_errors();
    return written;
}

/* One message on a context of its own, with |final| given when it is not the default. */
static size_t message_of(EVP_PKEY *key, int encrypt, int final, const uint8_t *in, size_t size,
                         uint8_t *out)
{
    EVP_PKEY_CTX *context = new_message_context(key, encrypt);
    size_t written;

    if (!final)
        assert_int_equal(set_flag(context, "final", 0), 1);
    written = message(context, encrypt, in, size, out);
    EVP_PKEY_CTX_free(context);
    return written;
}

static void assert_message_refused(EVP_PKEY *key, int encrypt, int final, const uint8_t *in,
                                   size_t size, const char *reason, const char *detail)
{
    EVP_PKEY_CTX *context = new_message_context(key, encrypt);
    uint8_t out[MAX_OUT];
    size_t written = sizeof(out);

    assert_int_equal(set_flag(context, "final", final), 1);
    assert_int_equal(process(context, encrypt, in, size, out, &written), 0);
    assert_reason(reason, detail);
    EVP_PKEY_CTX_free(context);
}

static void assert_iv(const struct row *row, EVP_PKEY *key, const uint8_t *expected)
{
    uint8_t iv[16];
    size_t size = 0;

    assert_int_equal(EVP_PKEY_get_octet_string_param(key, "iv", iv, sizeof(iv), &size), 1);
    assert_int_equal(size, row->block_size);
    assert_memory_equal(iv, expected, size);
}

static void a_message_is_padded_and_the_key_returns_to_its_iv(void **state)
{
    uint8_t in[MAX_TEXT], iv[16];

    (void)state;
    pattern(in, sizeof(in), 3);
    pattern(iv, sizeof(iv), 77);
    for (size_t n = 1; n < CIPHERS; n++) {
        EVP_PKEY *sender = make_key(&ciphers[n]), *receiver = make_key(&ciphers[n]);
        EVP_PKEY_CTX *context = new_message_context(sender, 1);

        for (size_t size = 0; size <= 70; size++) {
            uint8_t expected[MAX_OUT], sealed[MAX_OUT], opened[MAX_OUT];
            size_t whole = reference_message(&ciphers[n], in, size, expected);

            assert_int_equal(whole, (size / ciphers[n].block_size + 1) * ciphers[n].block_size);
            for (int round = 0; round < 2; round++) { /* an old context and a new one */
                size_t written = round == 0 ? message(context, 1, in, size, sealed)
                                            : message_of(sender, 1, 1, in, size, sealed);

                assert_int_equal(written, whole);
                assert_memory_equal(sealed, expected, whole);
                assert_iv(&ciphers[n], sender, iv);
                assert_int_equal(message_of(receiver, 0, 1, sealed, whole, opened), size);
                assert_memory_equal(opened, in, size);
                assert_iv(&ciphers[n], receiver, iv);
            }
        }
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(sender);
        EVP_PKEY_free(receiver);
    }
}

static void with_final_0_the_chain_goes_on_to_the_next_message(void **state)
{
    uint8_t in[MAX_TEXT], iv[16];

    (void)state;
    pattern(in, sizeof(in), 3);
    pattern(iv, sizeof(iv), 77);
    for (size_t n = 0; n < CIPHERS; n++) {
        EVP_PKEY *sender = make_key(&ciphers[n]), *receiver = make_key(&ciphers[n]);
        EVP_CIPHER_CTX *chain = new_reference(&ciphers[n], 1);
        size_t at = 0;

        for (size_t size = 0; size <= 64; size += 16) {
            uint8_t expected[MAX_OUT], sealed[MAX_OUT], opened[MAX_OUT];

            assert_int_equal(message_of(sender, 1, 0, in + at, size, sealed), size);
            assert_int_equal(reference(chain, 0, in + at, size, expected), size);
            assert_memory_equal(sealed, expected, size);
            assert_int_equal(message_of(receiver, 0, 0, sealed, size, opened), size);
            assert_memory_equal(opened, in + at, size);
            at += size;
        }
        if (ciphers[n].block_size > 1) { /* the last message: padded, from where the chain is */
            uint8_t expected[MAX_OUT], sealed[MAX_OUT], opened[MAX_OUT];
            size_t whole = reference(chain, 1, in + at, 37, expected);

            assert_int_equal(message_of(sender, 1, 1, in + at, 37, sealed), whole);
            assert_memory_equal(sealed, expected, whole);
            assert_int_equal(message_of(receiver, 0, 1, sealed, whole, opened), 37);
            assert_memory_equal(opened, in + at, 37);
            assert_iv(&ciphers[n], sender, iv);
            assert_iv(&ciphers[n], receiver, iv);
        }
        EVP_CIPHER_CTX_free(chain);
        EVP_PKEY_free(sender);
        EVP_PKEY_free(receiver);
    }
}

static void rc4_stays_where_it_is_unless_it_is_asked_to_start_again(void **state)
{
    uint8_t in[MAX_TEXT], expected[MAX_OUT], out[MAX_OUT];
    EVP_PKEY *key = make_key(&ciphers[0]);
    EVP_PKEY_CTX *context = new_message_context(key, 1);
    EVP_CIPHER_CTX *stream = new_reference(&ciphers[0], 1);

    (void)state;
    memset(in, 0, sizeof(in));
    reference(stream, 0, in, sizeof(in), expected);
    assert_int_equal(message(context, 1, in, 20, out), 20);
    assert_memory_equal(out, expected, 20);
    assert_int_equal(message_of(key, 0, 1, in, 5, out), 5);
    assert_memory_equal(out, expected + 20, 5);
    /* Final=FALSE goes on whatever is asked for after a message */
    assert_int_equal(set_flag(context, "final-reset", 1), 1);
    assert_int_equal(set_flag(context, "final", 0), 1);
    assert_int_equal(message(context, 1, in, 7, out), 7);
    assert_memory_equal(out, expected + 25, 7);
    assert_int_equal(set_flag(context, "final", 1), 1);
    assert_int_equal(message(context, 1, in, 10, out), 10);
    assert_memory_equal(out, expected + 32, 10);
    assert_int_equal(message(context, 1, in, 30, out), 30);
    assert_memory_equal(out, expected, 30);
    assert_int_equal(set_flag(context, "final-reset", 0), 1);
    for (size_t at = 0; at < 60; at += 20) {
        assert_int_equal(message(context, 1, in, 20, out), 20);
        assert_memory_equal(out, expected + at, 20);
    }
    EVP_CIPHER_CTX_free(stream);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
}

/*
 * |sealed| is what |key| would decrypt, or encrypt, to |expected|: asking for the size and giving
 * too little room changes nothing, and just enough room will do.
 */
static void check_room(EVP_PKEY *key, int encrypt, int final, const uint8_t *in, size_t size,
                       const uint8_t *expected, size_t expected_size)
{
    EVP_PKEY_CTX *context = new_message_context(key, encrypt);
    uint8_t out[MAX_OUT], zeros[MAX_OUT] = { 0 };
    size_t written = 0;

    assert_int_equal(set_flag(context, "final", final), 1);
    for (int round = 0; round < 3; round++) {
        written = 0;
        assert_int_equal(process(context, encrypt, in, size, NULL, &written), 1);
        if (encrypt)
            assert_int_equal(written, expected_size);
        else
            assert_in_range(written, expected_size, size);
    }
    for (size_t room = 0; room < expected_size; room++) {
        memset(out, 0, sizeof(out));
        written = room;
        assert_int_equal(process(context, encrypt, in, size, out, &written), 0);
        assert_reason("output buffer too small", "");
        assert_memory_equal(out, zeros, sizeof(out));
    }
    written = expected_size;
    assert_int_equal(process(context, encrypt, in, size, out, &written), 1);
    assert_int_equal(written, expected_size);
    assert_memory_equal(out, expected, expected_size);
    assert_memory_equal(out + expected_size, zeros, sizeof(out) - expected_size);
    EVP_PKEY_CTX_free(context);
}

static void asking_for_the_size_and_a_buffer_too_small_change_nothing(void **state)
{
    uint8_t in[MAX_TEXT];

    (void)state;
    pattern(in, sizeof(in), 3);
    for (size_t n = 0; n < CIPHERS; n++) {
        int padding = ciphers[n].block_size > 1;
        EVP_PKEY *sender = make_key(&ciphers[n]), *receiver = make_key(&ciphers[n]);
        EVP_CIPHER_CTX *chain = new_reference(&ciphers[n], 1);
        uint8_t sealed[MAX_OUT];
        size_t size = reference(chain, 0, in, 48, sealed);

        check_room(sender, 1, 0, in, 48, sealed, size);
        check_room(receiver, 0, 0, sealed, size, in, 48);
        size = reference(chain, padding, in, 37, sealed);
        check_room(sender, 1, 1, in, 37, sealed, size);
        check_room(receiver, 0, 1, sealed, size, in, 37);
        EVP_CIPHER_CTX_free(chain);
        EVP_PKEY_free(sender);
        EVP_PKEY_free(receiver);
    }
}

static void a_message_that_is_no_whole_number_of_blocks_or_badly_padded_changes_nothing(
    void **state)
{
    uint8_t in[MAX_TEXT], sealed[MAX_OUT], bad[MAX_OUT], out[MAX_OUT];

    (void)state;
    pattern(in, sizeof(in), 3);
    for (size_t n = 1; n < CIPHERS; n++) {
        size_t block = ciphers[n].block_size, size;
        EVP_PKEY *key = make_key(&ciphers[n]);
        EVP_CIPHER_CTX *chain = new_reference(&ciphers[n], 1);

        reference(chain, 0, in, 32, sealed);
        size = 32 + reference(chain, 1, in + 32, 37, sealed + 32);
        memcpy(bad, sealed, size);
        assert_int_equal(message_of(key, 0, 0, sealed, 32, out), 32);
        for (size_t odd = 1; odd < 2 * block; odd++) {
            if (odd == block)
                continue;
            assert_message_refused(key, 0, 0, sealed, odd, "partial block", "whole blocks");
            assert_message_refused(key, 0, 1, sealed, odd, "partial block", ciphers[n].alg);
            assert_message_refused(key, 1, 0, in, odd, "partial block", "whole blocks");
        }
        assert_message_refused(key, 0, 1, sealed, 0, "partial block", ciphers[n].alg);
        /* The last byte of the padding is 1..16: its top bit makes it 129..144. */
        bad[size - block - 1] ^= 0x80;
        assert_message_refused(key, 0, 1, bad + 32, size - 32, "bad decrypt", "padding");
        assert_int_equal(message_of(key, 0, 1, sealed + 32, size - 32, out), 37);
        assert_memory_equal(out, in + 32, 37);
        EVP_CIPHER_CTX_free(chain);
        EVP_PKEY_free(key);
    }
}

static EVP_CIPHER_CTX *bind_cipher(const struct row *row, EVP_PKEY *key)
{
    char name[64];
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM params[] = { octets_param("key-handle", handle, sizeof(handle)),
                            OSSL_PARAM_construct_end() };
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher;

    snprintf(name, sizeof(name), "SCHANNEL-%s", row->alg);
    cipher = EVP_CIPHER_fetch(libctx, name, NULL);
    assert_non_null(cipher);
    get_handle(key, handle);
    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, NULL, NULL, params), 1);
    EVP_CIPHER_free(cipher);
    return context;
}

static void messages_and_records_advance_one_state(void **state)
{
    uint8_t in[MAX_TEXT];

    (void)state;
    pattern(in, sizeof(in), 3);
    for (size_t n = 0; n < CIPHERS; n++) {
        uint8_t expected[MAX_OUT], out[MAX_OUT];
        EVP_PKEY *key = make_key(&ciphers[n]);
        EVP_CIPHER_CTX *record = bind_cipher(&ciphers[n], key);
        EVP_CIPHER_CTX *chain = new_reference(&ciphers[n], 1);
        int written = 0, more = 0;

        reference(chain, 0, in, 96, expected);
        assert_int_equal(EVP_EncryptUpdate(record, out, &written, in, 21), 1);
        if (ciphers[n].block_size > 1) {
            assert_message_refused(key, 1, 1, in, 16, "partial block", "bytes of a block");
            assert_message_refused(key, 0, 0, in, 16, "partial block", "bytes of a block");
        }
        assert_int_equal(EVP_EncryptUpdate(record, out + written, &more, in + 21, 27), 1);
        assert_int_equal(written + more, 48);
        assert_int_equal(message_of(key, 1, 0, in + 48, 32, out + 48), 32);
        assert_int_equal(EVP_EncryptUpdate(record, out + 80, &more, in + 80, 16), 1);
        assert_memory_equal(out, expected, 96);
        EVP_CIPHER_CTX_free(record);
        EVP_CIPHER_CTX_free(chain);
        EVP_PKEY_free(key);
    }
}

static void only_0_and_1_are_flags(void **state)
{
    static const char *const names[] = { "final", "final-reset" };
    uint8_t in[MAX_TEXT], expected[MAX_OUT], out[MAX_OUT];
    EVP_PKEY *key = make_key(&ciphers[2]);
    EVP_PKEY_CTX *context = new_message_context(key, 1);
    EVP_PKEY_CTX *fresh = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    size_t size = 0;

    (void)state;
    pattern(in, sizeof(in), 3);
    for (size_t n = 0; n < 2; n++) {
        OSSL_PARAM text[] = { text_param(names[n], "yes"), OSSL_PARAM_construct_end() };

        assert_int_equal(set_flag(context, names[n], 2), 0);
        assert_reason("invalid parameter", names[n]);
        assert_int_equal(set_flag(context, names[n], -1), 0);
        assert_reason("invalid parameter", names[n]);
        assert_int_not_equal(EVP_PKEY_CTX_set_params(context, text), 1);
        assert_reason("invalid parameter", names[n]);
        /* nor at the beginning */
        assert_int_not_equal(EVP_PKEY_encrypt_init_ex(fresh, text), 1);
        assert_reason("invalid parameter", names[n]);
    }
    size = reference_message(&ciphers[2], in, 37, expected);
    assert_int_equal(message(context, 1, in, 37, out), size);
    assert_memory_equal(out, expected, size);
    EVP_PKEY_CTX_free(fresh);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
}

static void only_cipher_keys_encrypt_and_decrypt(void **state)
{
    const struct row *wrong[] = { &macs[0], &macs[1], &master };

    (void)state;
    for (size_t n = 0; n < 3; n++) {
        EVP_PKEY *key = make_key(wrong[n]);
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);

        assert_int_not_equal(EVP_PKEY_encrypt_init(context), 1);
        assert_reason("wrong kind of key", "expected a cipher key");
        assert_int_not_equal(EVP_PKEY_decrypt_init(context), 1);
        assert_reason("wrong kind of key", "expected a cipher key");
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

static void a_retired_key_encrypts_and_decrypts_no_more(void **state)
{
    uint8_t in[16] = { 0 }, out[MAX_OUT];

    (void)state;
    for (int encrypt = 0; encrypt <= 1; encrypt++) {
        EVP_PKEY *key = make_key(&ciphers[2]);
        EVP_PKEY_CTX *context = new_message_context(key, encrypt);
        size_t written = sizeof(out);

        retire(key);
        assert_int_equal(process(context, encrypt, in, 16, out, &written), 0);
        assert_reason("key has been retired", "AES-128-CBC");
        assert_int_equal(process(context, encrypt, in, 16, NULL, &written), 0);
        assert_reason("key has been retired", "AES-128-CBC");
        assert_int_not_equal(EVP_PKEY_encrypt_init(context), 1);
        assert_reason("key has been retired", "AES-128-CBC");
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

/* ---- EVP_DigestSign and EVP_DigestVerify ---- */

/* HMAC with make_key's secret. */
static void hmac(const struct row *row, const uint8_t *data, size_t size, uint8_t *out)
{
    uint8_t secret[48] = { 0 };
    size_t written = 0;

    pattern(secret, sizeof(secret), 11);
    assert_non_null(EVP_Q_mac(libctx, "HMAC", "provider!=schannel", row->digest, NULL, secret,
                              row->key_size, data, size, out, MAX_MAC, &written));
    assert_int_equal(written, row->key_size);
}

/* RFC 2246 section 6.2.3.1: the MAC of an application data record. */
static void record_hmac(const struct row *row, uint64_t sequence, const uint8_t *data, size_t size,
                        uint8_t *out)
{
    uint8_t whole[13 + MAX_TEXT] = { 0 };

    for (size_t n = 0; n < 8; n++)
        whole[n] = (uint8_t)(sequence >> (56 - 8 * n));
    whole[8] = DATA_TYPE;
    whole[9] = TLS1 >> 8;
    whole[10] = TLS1 & 0xff;
    whole[11] = (uint8_t)(size >> 8);
    whole[12] = (uint8_t)size;
    memcpy(whole + 13, data, size);
    hmac(row, whole, 13 + size, out);
}

static void expected_mac(const struct row *row, int in_record, uint64_t sequence,
                         const uint8_t *data, size_t size, uint8_t *out)
{
    if (in_record)
        record_hmac(row, sequence, data, size, out);
    else
        hmac(row, data, size, out);
}

static void set_sequence(EVP_PKEY *key, uint64_t value)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64("sequence", &value),
                            OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_PKEY_set_params(key, params), 1);
}

static uint64_t get_sequence(EVP_PKEY *key)
{
    uint64_t value = 0;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64("sequence", &value),
                            OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_PKEY_get_params(key, params), 1);
    return value;
}

static int set_number(EVP_PKEY_CTX *context, const char *name, unsigned value)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint(name, &value), OSSL_PARAM_construct_end() };

    return EVP_PKEY_CTX_set_params(context, params);
}

static int init(EVP_MD_CTX *context, EVP_PKEY_CTX **inner, EVP_PKEY *key, int sign, int in_record,
                const char *digest)
{
    unsigned type = DATA_TYPE, version = TLS1;
    OSSL_PARAM record[] = { OSSL_PARAM_construct_uint("record-type", &type),
                            OSSL_PARAM_construct_uint("record-version", &version),
                            OSSL_PARAM_construct_end() };

    return (sign ? EVP_DigestSignInit_ex : EVP_DigestVerifyInit_ex)(
               context, inner, digest, libctx, NULL, key, in_record ? record : NULL) > 0;
}

static EVP_MD_CTX *new_signature_context(EVP_PKEY *key, int sign, int in_record)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    assert_int_equal(init(context, NULL, key, sign, in_record, NULL), 1);
    return context;
}

static void assert_signature(const struct row *row, EVP_MD_CTX *context, const uint8_t *expected)
{
    uint8_t actual[MAX_MAC];
    size_t size = sizeof(actual);

    assert_int_equal(EVP_DigestSignFinal(context, actual, &size), 1);
    assert_int_equal(size, row->key_size);
    assert_memory_equal(actual, expected, size);
    assert_no_errors();
}

/* Signs |data| in two pieces on a context of its own. */
static void check_signature(const struct row *row, EVP_PKEY *key, int in_record,
                            const uint8_t *data, size_t size)
{
    uint8_t expected[MAX_MAC];
    EVP_MD_CTX *context = new_signature_context(key, 1, in_record);

    expected_mac(row, in_record, get_sequence(key), data, size, expected);
    assert_int_equal(EVP_DigestSignUpdate(context, data, size / 3), 1);
    assert_int_equal(EVP_DigestSignUpdate(context, data + size / 3, size - size / 3), 1);
    assert_signature(row, context, expected);
    EVP_MD_CTX_free(context);
}

/* Gives what EVP_DigestVerifyFinal gives. */
static int verify(EVP_PKEY *key, int in_record, const uint8_t *data, size_t size,
                  const uint8_t *signature, size_t signature_size)
{
    EVP_MD_CTX *context = new_signature_context(key, 0, in_record);
    int result;

    assert_int_equal(EVP_DigestVerifyUpdate(context, data, size / 2), 1);
    assert_int_equal(EVP_DigestVerifyUpdate(context, data + size / 2, size - size / 2), 1);
    result = EVP_DigestVerifyFinal(context, signature, signature_size);
    EVP_MD_CTX_free(context);
    return result;
}

static void a_raw_signature_is_hmac_and_verifies(void **state)
{
    uint8_t data[MAX_TEXT], expected[MAX_MAC];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < MACS; n++) {
        EVP_PKEY *key = make_key(&macs[n]);

        set_sequence(key, 5);
        for (size_t size = 0; size < MAX_TEXT; size += 1 + size / 9) {
            uint8_t actual[MAX_MAC];
            size_t written = sizeof(actual);
            EVP_MD_CTX *context = new_signature_context(key, 1, 0);

            hmac(&macs[n], data, size, expected);
            check_signature(&macs[n], key, 0, data, size);
            assert_int_equal(EVP_DigestSign(context, actual, &written, data, size), 1);
            assert_int_equal(written, macs[n].key_size);
            assert_memory_equal(actual, expected, written);
            assert_int_equal(verify(key, 0, data, size, actual, written), 1);
            EVP_MD_CTX_free(context);
        }
        assert_int_equal(get_sequence(key), 5);
        EVP_PKEY_free(key);
    }
}

static void a_record_signature_takes_the_keys_sequence_number_and_adds_one(void **state)
{
    uint8_t data[MAX_TEXT], expected[MAX_MAC];

    (void)state;
    for (size_t n = 0; n < MACS; n++) {
        EVP_PKEY *sender = make_key(&macs[n]), *receiver = make_key(&macs[n]);

        set_sequence(sender, 0xfffffff0);
        set_sequence(receiver, 0xfffffff0);
        for (uint64_t sequence = 0xfffffff0; sequence < 0x100000010; sequence++) {
            size_t size = sequence % MAX_TEXT;

            pattern(data, sizeof(data), (unsigned)sequence);
            record_hmac(&macs[n], sequence, data, size, expected);
            check_signature(&macs[n], sender, 1, data, size);
            assert_int_equal(get_sequence(sender), sequence + 1);
            assert_int_equal(verify(receiver, 1, data, size, expected, macs[n].key_size), 1);
            assert_int_equal(get_sequence(receiver), sequence + 1);
        }
        EVP_PKEY_free(sender);
        EVP_PKEY_free(receiver);
    }
}

static void one_context_signs_record_after_record(void **state)
{
    uint8_t data[MAX_TEXT], expected[MAX_MAC];
    EVP_PKEY *key = make_key(&macs[1]);
    EVP_PKEY_CTX *inner = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    (void)state;
    assert_int_equal(init(context, &inner, key, 1, 1, NULL), 1);
    for (uint64_t sequence = 0; sequence < 10; sequence++) {
        pattern(data, sizeof(data), (unsigned)sequence);
        record_hmac(&macs[1], sequence, data, 50, expected);
        if (sequence != 0) /* type and version stay */
            assert_int_equal(init(context, NULL, NULL, 1, 0, NULL), 1);
        assert_int_equal(EVP_DigestSignUpdate(context, data, 50), 1);
        assert_signature(&macs[1], context, expected);
    }
    assert_int_equal(get_sequence(key), 10);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

static void a_wrong_mac_is_an_answer_and_no_error(void **state)
{
    uint8_t data[80], signature[MAX_MAC + 1];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < MACS; n++) {
        for (int in_record = 0; in_record <= 1; in_record++) {
            EVP_PKEY *key = make_key(&macs[n]);
            size_t size = macs[n].key_size;
            uint64_t sequence = 0;

            for (size_t bit = 0; bit < 8 * size; bit++) {
                expected_mac(&macs[n], in_record, sequence, data, sizeof(data), signature);
                signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_int_equal(verify(key, in_record, data, sizeof(data), signature, size), 0);
                assert_no_reason();
                sequence += (uint64_t)in_record;
                assert_int_equal(get_sequence(key), sequence);
            }
            for (size_t wrong = 0; wrong <= size + 1; wrong++) {
                expected_mac(&macs[n], in_record, sequence, data, sizeof(data), signature);
                signature[size] = 0;
                assert_int_equal(verify(key, in_record, data, sizeof(data), signature, wrong),
                                 wrong == size);
                assert_no_reason();
                sequence += (uint64_t)in_record;
            }
            check_signature(&macs[n], key, in_record, data, sizeof(data));
            assert_int_equal(get_sequence(key), sequence + (uint64_t)in_record);
            EVP_PKEY_free(key);
        }
    }
}

static void asking_for_the_size_of_a_signature_changes_nothing(void **state)
{
    uint8_t data[80], expected[MAX_MAC], out[MAX_MAC] = { 0 }, zeros[MAX_MAC] = { 0 };

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < MACS; n++) {
        for (int in_record = 0; in_record <= 1; in_record++) {
            EVP_PKEY *key = make_key(&macs[n]);
            EVP_MD_CTX *context = new_signature_context(key, 1, in_record);
            size_t size = 0;

            expected_mac(&macs[n], in_record, 0, data, sizeof(data), expected);
            assert_int_equal(EVP_PKEY_get_size(key), macs[n].key_size);
            assert_int_equal(EVP_DigestSignUpdate(context, data, 33), 1);
            for (int round = 0; round < 3; round++) {
                assert_int_equal(EVP_DigestSignFinal(context, NULL, &size), 1);
                assert_int_equal(size, macs[n].key_size);
            }
            assert_int_equal(EVP_DigestSignUpdate(context, data + 33, sizeof(data) - 33), 1);
            for (size_t room = 0; room < macs[n].key_size; room++) {
                size = room;
                assert_int_not_equal(EVP_DigestSignFinal(context, out, &size), 1);
                assert_reason("output buffer too small", "signature: needs");
                assert_memory_equal(out, zeros, sizeof(out));
            }
            assert_int_equal(get_sequence(key), 0);
            assert_signature(&macs[n], context, expected);
            EVP_MD_CTX_free(context);
            EVP_PKEY_free(key);
        }
    }
}

static void a_digest_given_has_to_be_the_keys_own(void **state)
{
    (void)state;
    for (size_t n = 0; n < MACS; n++) {
        EVP_PKEY *key = make_key(&macs[n]);
        char name[32] = "";

        assert_int_equal(EVP_PKEY_get_default_digest_name(key, name, sizeof(name)), 1);
        assert_int_equal(strncmp(name, macs[n].digest, 3), 0); /* SHA1 may be called SHA-1 */
        assert_int_equal(
            EVP_PKEY_get_utf8_string_param(key, "default-digest", name, sizeof(name), NULL), 1);
        assert_string_equal(name, macs[n].digest);
        for (int sign = 0; sign <= 1; sign++) {
            EVP_MD_CTX *context = EVP_MD_CTX_new();

            assert_int_equal(init(context, NULL, key, sign, 0, macs[n].digest), 1);
            assert_int_equal(init(context, NULL, key, sign, 0, macs[n].other_digest), 0);
            assert_reason("conflicting parameters", "digest: the key's own is");
            assert_int_equal(init(context, NULL, key, sign, 0, "SHA256"), 0);
            assert_reason("conflicting parameters", "SHA256");
            EVP_MD_CTX_free(context);
        }
        check_signature(&macs[n], key, 0, (const uint8_t *)"message", 7);
        EVP_PKEY_free(key);
    }
}

static void a_duplicate_context_absorbs_for_itself_and_shares_the_key(void **state)
{
    uint8_t data[2][80], expected[MAX_MAC];

    (void)state;
    pattern(data[0], 80, 3);
    pattern(data[1], 80, 3);
    data[1][60] ^= 1;
    for (size_t n = 0; n < MACS; n++) {
        for (int in_record = 0; in_record <= 1; in_record++) {
            EVP_PKEY *key = make_key(&macs[n]);
            EVP_MD_CTX *context = new_signature_context(key, 1, in_record);
            EVP_MD_CTX *copy = EVP_MD_CTX_new();
            uint8_t out[MAX_MAC];
            size_t size = sizeof(out);

            assert_int_equal(EVP_DigestSignUpdate(context, data[0], 33), 1);
            assert_int_equal(EVP_MD_CTX_copy_ex(copy, context), 1);
            assert_int_equal(EVP_DigestSignUpdate(copy, data[1] + 33, 47), 1);
            assert_int_equal(EVP_DigestSignUpdate(context, data[0] + 33, 47), 1);
            /* the one that finishes first has the first number */
            expected_mac(&macs[n], in_record, 0, data[1], 80, expected);
            assert_signature(&macs[n], copy, expected);
            expected_mac(&macs[n], in_record, 1, data[0], 80, expected);
            assert_signature(&macs[n], context, expected);
            assert_int_equal(get_sequence(key), in_record ? 2 : 0);
            EVP_MD_CTX_free(copy);

            copy = EVP_MD_CTX_new();
            assert_int_equal(init(context, NULL, key, 1, in_record, NULL), 1);
            assert_int_equal(EVP_MD_CTX_copy_ex(copy, context), 1);
            retire(key);
            assert_int_not_equal(EVP_DigestSignFinal(copy, out, &size), 1);
            assert_reason("key has been retired", "TLS1-MAC");
            EVP_MD_CTX_free(copy);
            EVP_MD_CTX_free(context);
            EVP_PKEY_free(key);
        }
    }
}

static void a_signature_starts_from_an_empty_message_and_leaves_the_keys_own_alone(void **state)
{
    uint8_t data[80], expected[MAX_MAC], actual[MAX_MAC];
    EVP_MAC *mac = EVP_MAC_fetch(libctx, "TLS1-MAC", NULL);

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < MACS; n++) {
        for (int in_record = 0; in_record <= 1; in_record++) {
            uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
            OSSL_PARAM params[] = { octets_param("key-handle", handle, sizeof(handle)),
                                    OSSL_PARAM_construct_end() };
            EVP_PKEY *key = make_key(&macs[n]);
            EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
            size_t size = 0;

            get_handle(key, handle);
            assert_int_equal(EVP_MAC_init(context, NULL, 0, params), 1);
            assert_int_equal(EVP_MAC_update(context, data, 50), 1);
            check_signature(&macs[n], key, in_record, data, 20);
            expected_mac(&macs[n], in_record, (uint64_t)in_record, data, 20, expected);
            assert_int_equal(verify(key, in_record, data, 20, expected, macs[n].key_size), 1);
            assert_int_equal(get_sequence(key), in_record ? 2 : 0);
            assert_int_equal(EVP_MAC_update(context, data + 50, 30), 1);
            assert_int_equal(EVP_MAC_final(context, actual, &size, sizeof(actual)), 1);
            hmac(&macs[n], data, 80, expected);
            assert_memory_equal(actual, expected, macs[n].key_size);
            EVP_MAC_CTX_free(context);
            EVP_PKEY_free(key);
        }
    }
    EVP_MAC_free(mac);
}

static void a_message_that_has_begun_is_no_record(void **state)
{
    uint8_t data[80], expected[MAX_MAC];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < MACS; n++) {
        EVP_PKEY *key = make_key(&macs[n]);
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        EVP_PKEY_CTX *inner = NULL;

        assert_int_equal(init(context, &inner, key, 1, 0, NULL), 1);
        assert_int_equal(EVP_DigestSignUpdate(context, data, 50), 1);
        assert_int_equal(set_number(inner, "record-type", DATA_TYPE), 1);
        assert_int_equal(set_number(inner, "record-version", TLS1), 1);
        assert_int_equal(EVP_DigestSignUpdate(context, data + 50, 30), 1);
        hmac(&macs[n], data, sizeof(data), expected);
        assert_signature(&macs[n], context, expected);
        assert_int_equal(get_sequence(key), 0);
        EVP_MD_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

/* Another context is absorbing the record that has the number. */
static void a_record_number_is_not_signed_with_twice(void **state)
{
    EVP_MAC *mac = EVP_MAC_fetch(libctx, "TLS1-MAC", NULL);
    uint8_t data[80], out[MAX_MAC], expected[MAX_MAC];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < MACS; n++) {
        EVP_PKEY *key = make_key(&macs[n]);
        EVP_MAC_CTX *absorbing = EVP_MAC_CTX_new(mac);
        EVP_MD_CTX *context = new_signature_context(key, 1, 1);
        unsigned type = DATA_TYPE, version = TLS1, length = sizeof(data);
        uint8_t handle[KEY_HANDLE_SIZE];
        OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                              OSSL_PARAM_construct_uint("record-type", &type),
                              OSSL_PARAM_construct_uint("record-version", &version),
                              OSSL_PARAM_construct_uint("record-length", &length),
                              OSSL_PARAM_construct_end() };
        size_t size = sizeof(out);

        get_handle(key, handle);
        assert_int_equal(EVP_MAC_init(absorbing, NULL, 0, bind), 1);
        assert_int_equal(EVP_MAC_update(absorbing, data, 50), 1);
        assert_int_equal(EVP_DigestSignUpdate(context, data, sizeof(data)), 1);
        assert_int_not_equal(EVP_DigestSignFinal(context, out, &size), 1);
        assert_reason("invalid parameter", "sequence: the key is absorbing a record");
        assert_int_equal(EVP_MAC_update(absorbing, data + 50, 30), 1);
        assert_int_equal(EVP_MAC_final(absorbing, out, &size, sizeof(out)), 1);
        record_hmac(&macs[n], 0, data, sizeof(data), expected);
        assert_memory_equal(out, expected, macs[n].key_size);
        check_signature(&macs[n], key, 1, data, sizeof(data));
        assert_int_equal(get_sequence(key), 2);
        EVP_MD_CTX_free(context);
        EVP_MAC_CTX_free(absorbing);
        EVP_PKEY_free(key);
    }
    EVP_MAC_free(mac);
}

static void a_record_of_another_length_than_told_is_refused(void **state)
{
    uint8_t data[80], out[MAX_MAC];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < MACS; n++) {
        static const unsigned told[] = { 0, 79, 81, 80 };
        EVP_PKEY *key = make_key(&macs[n]);

        for (size_t i = 0; i < 4; i++) {
            EVP_PKEY_CTX *inner = NULL;
            EVP_MD_CTX *context = EVP_MD_CTX_new();
            size_t size = sizeof(out);

            assert_int_equal(init(context, &inner, key, 1, 1, NULL), 1);
            assert_int_equal(set_number(inner, "record-length", told[i]), 1);
            assert_int_equal(EVP_DigestSignUpdate(context, data, sizeof(data)), 1);
            if (told[i] == 80) {
                uint8_t expected[MAX_MAC];

                record_hmac(&macs[n], 0, data, sizeof(data), expected);
                assert_signature(&macs[n], context, expected);
            } else {
                assert_int_not_equal(EVP_DigestSignFinal(context, out, &size), 1);
                assert_reason("record length mismatch", "record-length: said");
                assert_int_equal(get_sequence(key), 0);
            }
            EVP_MD_CTX_free(context);
        }
        assert_int_equal(get_sequence(key), 1);
        EVP_PKEY_free(key);
    }
}

static void a_record_needs_its_version_and_a_length_that_fits(void **state)
{
    static uint8_t data[65535];
    EVP_PKEY *key = make_key(&macs[1]);
    EVP_PKEY_CTX *inner = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t out[MAX_MAC];
    size_t size = sizeof(out);

    (void)state;
    assert_int_equal(init(context, &inner, key, 1, 0, NULL), 1);
    assert_int_not_equal(set_number(inner, "record-type", 256), 1);
    assert_reason("invalid parameter", "record-type");
    assert_int_not_equal(set_number(inner, "record-version", 65536), 1);
    assert_reason("invalid parameter", "record-version");
    assert_int_not_equal(set_number(inner, "record-length", 65536), 1);
    assert_reason("invalid parameter", "record-length");
    assert_int_equal(set_number(inner, "record-type", DATA_TYPE), 1);
    assert_int_equal(EVP_DigestSignUpdate(context, data, 1), 1);
    assert_int_not_equal(EVP_DigestSignFinal(context, out, &size), 1);
    assert_reason("missing parameter", "record-version");
    EVP_MD_CTX_free(context);

    context = new_signature_context(key, 1, 1);
    assert_int_equal(EVP_DigestSignUpdate(context, data, sizeof(data)), 1);
    assert_int_not_equal(EVP_DigestSignUpdate(context, data, 1), 1);
    assert_reason("record length mismatch", "65535");
    assert_int_equal(get_sequence(key), 0);
    size = sizeof(out);
    assert_int_equal(EVP_DigestSignFinal(context, out, &size), 1);
    assert_int_equal(get_sequence(key), 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

static void the_last_sequence_number_is_never_signed_with(void **state)
{
    uint8_t data[20] = { 1 }, signature[MAX_MAC];
    EVP_PKEY *key = make_key(&macs[1]);
    EVP_MD_CTX *context;
    size_t size = sizeof(signature);

    (void)state;
    set_sequence(key, UINT64_MAX - 1);
    check_signature(&macs[1], key, 1, data, sizeof(data));
    context = new_signature_context(key, 1, 1);
    assert_int_equal(EVP_DigestSignUpdate(context, data, sizeof(data)), 1);
    assert_int_not_equal(EVP_DigestSignFinal(context, signature, &size), 1);
    assert_reason("sequence numbers exhausted", "wrap");
    assert_int_not_equal(verify(key, 1, data, sizeof(data), signature, MAX_MAC), 1);
    assert_reason("sequence numbers exhausted", "wrap");
    assert_int_equal(get_sequence(key), UINT64_MAX);
    check_signature(&macs[1], key, 0, data, sizeof(data));
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

static void only_mac_keys_sign_and_verify(void **state)
{
    (void)state;
    for (size_t n = 0; n <= CIPHERS; n++) {
        EVP_PKEY *key = make_key(n < CIPHERS ? &ciphers[n] : &master);

        for (int sign = 0; sign <= 1; sign++) {
            EVP_MD_CTX *context = EVP_MD_CTX_new();

            assert_int_equal(init(context, NULL, key, sign, 0, NULL), 0);
            assert_reason("wrong kind of key", "expected a mac key");
            EVP_MD_CTX_free(context);
            context = EVP_MD_CTX_new();
            assert_int_equal(init(context, NULL, key, sign, 0, "SHA1"), 0);
            assert_reason("wrong kind of key", "expected a mac key");
            EVP_MD_CTX_free(context);
        }
        EVP_PKEY_free(key);
    }
}

static void a_retired_key_signs_and_verifies_no_more(void **state)
{
    uint8_t data[20] = { 1 }, signature[MAX_MAC] = { 0 };

    (void)state;
    for (int in_record = 0; in_record <= 1; in_record++) {
        EVP_PKEY *key = make_key(&macs[1]);
        EVP_MD_CTX *signer = new_signature_context(key, 1, in_record);
        EVP_MD_CTX *verifier = new_signature_context(key, 0, in_record);
        size_t size = sizeof(signature);

        assert_int_equal(EVP_DigestSignUpdate(signer, data, sizeof(data)), 1);
        assert_int_equal(EVP_DigestVerifyUpdate(verifier, data, sizeof(data)), 1);
        retire(key);
        assert_int_not_equal(EVP_DigestSignFinal(signer, signature, &size), 1);
        assert_reason("key has been retired", "TLS1-MAC");
        assert_int_not_equal(EVP_DigestVerifyFinal(verifier, signature, MAX_MAC), 1);
        assert_reason("key has been retired", "TLS1-MAC");
        EVP_MD_CTX_free(signer);
        EVP_MD_CTX_free(verifier);
        EVP_PKEY_free(key);
    }
}

/* ---- threads ---- */

#define THREADS 16
#define RECORDS 300 /* of each thread */

struct worker {
    pthread_t thread;
    EVP_PKEY *key;
    int failed;
    uint8_t (*signatures)[MAX_MAC];
};

static void *sign_records(void *argument)
{
    struct worker *worker = argument;
    uint8_t data[50];

    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < RECORDS && !worker->failed; n++) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        size_t size = MAX_MAC;

        worker->failed =
            !init(context, NULL, worker->key, 1, 1, NULL) ||
            EVP_DigestSign(context, worker->signatures[n], &size, data, sizeof(data)) != 1 ||
            size != MAX_MAC;
        EVP_MD_CTX_free(context);
    }
    return NULL;
}

static int compare_signatures(const void *a, const void *b)
{
    return memcmp(a, b, MAX_MAC);
}

static void records_signed_by_many_threads_have_the_numbers_of_one_sequence(void **state)
{
    static uint8_t expected[THREADS * RECORDS][MAX_MAC], actual[THREADS * RECORDS][MAX_MAC];
    struct worker workers[THREADS];
    EVP_PKEY *key = make_key(&macs[1]);
    uint8_t data[50];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < THREADS * RECORDS; n++)
        record_hmac(&macs[1], n, data, sizeof(data), expected[n]);
    for (size_t n = 0; n < THREADS; n++) {
        workers[n] = (struct worker){ .key = key, .signatures = &actual[n * RECORDS] };
        assert_int_equal(pthread_create(&workers[n].thread, NULL, sign_records, &workers[n]), 0);
    }
    for (size_t n = 0; n < THREADS; n++) {
        pthread_join(workers[n].thread, NULL);
        assert_int_equal(workers[n].failed, 0);
    }
    assert_int_equal(get_sequence(key), THREADS * RECORDS);
    qsort(expected, THREADS * RECORDS, MAX_MAC, compare_signatures);
    qsort(actual, THREADS * RECORDS, MAX_MAC, compare_signatures);
    assert_memory_equal(actual, expected, sizeof(expected));
    EVP_PKEY_free(key);
}

#define TEST(name) cmocka_unit_test_setup(name, starts_with_a_clean_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_padded_and_the_key_returns_to_its_iv),
        TEST(with_final_0_the_chain_goes_on_to_the_next_message),
        TEST(rc4_stays_where_it_is_unless_it_is_asked_to_start_again),
        TEST(asking_for_the_size_and_a_buffer_too_small_change_nothing),
        TEST(a_message_that_is_no_whole_number_of_blocks_or_badly_padded_changes_nothing),
        TEST(messages_and_records_advance_one_state),
        TEST(only_0_and_1_are_flags),
        TEST(only_cipher_keys_encrypt_and_decrypt),
        TEST(a_retired_key_encrypts_and_decrypts_no_more),
        TEST(a_raw_signature_is_hmac_and_verifies),
        TEST(a_record_signature_takes_the_keys_sequence_number_and_adds_one),
        TEST(one_context_signs_record_after_record),
        TEST(a_wrong_mac_is_an_answer_and_no_error),
        TEST(asking_for_the_size_of_a_signature_changes_nothing),
        TEST(a_digest_given_has_to_be_the_keys_own),
        TEST(a_duplicate_context_absorbs_for_itself_and_shares_the_key),
        TEST(a_signature_starts_from_an_empty_message_and_leaves_the_keys_own_alone),
        TEST(a_message_that_has_begun_is_no_record),
        TEST(a_record_number_is_not_signed_with_twice),
        TEST(a_record_of_another_length_than_told_is_refused),
        TEST(a_record_needs_its_version_and_a_length_that_fits),
        TEST(the_last_sequence_number_is_never_signed_with),
        TEST(only_mac_keys_sign_and_verify),
        TEST(a_retired_key_signs_and_verifies_no_more),
        TEST(records_signed_by_many_threads_have_the_numbers_of_one_sequence),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
