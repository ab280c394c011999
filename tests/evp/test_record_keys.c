/*
 * Keys that authenticate records, beyond EVP_MAC alone: a write key of SSL 2.0, which is its own
 * MAC secret and so has two states in one key object, and all MACs through EVP_DigestSign and
 * EVP_DigestVerify.
 */
#include "record_mac.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SSL2_ROW  2
#define IV_SIZE   8
#define TEXT_SIZE 240

/* ---- write keys of SSL 2.0 ---- */

struct write_cipher {
    const char *name;
    size_t key_size, iv_size;
};

static const struct write_cipher ciphers[] = {
    { "RC4", 16, 0 },
    { "RC2-CBC", 16, 8 },
    { "DES-CBC", 8, 8 },
    { "DES-EDE3-CBC", 24, 8 },
};

static const uint8_t iv[IV_SIZE] = { 9, 8, 7, 6, 5, 4, 3, 2 };

static void describe(struct list *list, const char *cipher, uint8_t master[16],
                     uint8_t challenge[16], uint8_t id[16])
{
    pattern(master, 16, 1);
    pattern(challenge, 16, 2);
    pattern(id, 16, 3);
    list_start(list);
    add_octets(list, "secret", master, 16);
    add_octets(list, "client-random", challenge, 16);
    add_octets(list, "server-random", id, 16);
    add_text(list, "cipher", cipher);
}

/* A client write key with an IV, where there is one, and its bytes. */
static EVP_PKEY *write_key(const struct write_cipher *cipher, uint8_t bytes[24])
{
    uint8_t master[16], challenge[16], id[16];
    struct list list;
    EVP_PKEY *key, *from;

    describe(&list, cipher->name, master, challenge, id);
    add_text(&list, "usage", "client-write-key");
    derive_bytes("SSL2-KDF", &list, bytes, cipher->key_size);
    drop(&list, "usage");
    add_text(&list, "alg", "SSL2-MASTER");
    from = from_data(list.params);
    assert_non_null(from);
    list_start(&list);
    add_text(&list, "usage", "client-write-key");
    add_number(&list, "exportable", 1);
    if (cipher->iv_size != 0)
        add_octets(&list, "iv", iv, sizeof(iv));
    key = generate_from(from, &list);
    assert_non_null(key);
    EVP_PKEY_free(from);
    return key;
}

/* libcrypto's cipher over the whole text. */
static void reference(const struct write_cipher *cipher, const uint8_t *key, const uint8_t *text,
                      uint8_t *out)
{
    EVP_CIPHER *theirs = EVP_CIPHER_fetch(libctx, cipher->name, "provider!=schannel");
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int size = 0;

    assert_int_equal(EVP_EncryptInit_ex2(context, theirs, key, iv, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_padding(context, 0), 1);
    assert_int_equal(EVP_EncryptUpdate(context, out, &size, text, TEXT_SIZE), 1);
    assert_int_equal(size, TEXT_SIZE);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(theirs);
}

static EVP_CIPHER_CTX *bind_cipher(const struct write_cipher *cipher, EVP_PKEY *key)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM params[] = { octets_param("key-handle", handle, sizeof(handle)),
                            OSSL_PARAM_construct_end() };
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER *ours;
    char name[64];

    get_handle(key, handle);
    snprintf(name, sizeof(name), "SCHANNEL-%s", cipher->name);
    ours = EVP_CIPHER_fetch(libctx, name, NULL);
    assert_int_equal(EVP_EncryptInit_ex2(context, ours, NULL, NULL, params), 1);
    EVP_CIPHER_free(ours);
    return context;
}

static EVP_MAC_CTX *bind_mac(EVP_PKEY *key, int is_record)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    struct list list;
    EVP_MAC *mac = EVP_MAC_fetch(libctx, "SSL2-MAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);

    get_handle(key, handle);
    list_start(&list);
    add_octets(&list, "key-handle", handle, sizeof(handle));
    add_number(&list, "record-mode", (uint64_t)is_record);
    assert_int_equal(EVP_MAC_init(context, NULL, 0, list.params), 1);
    EVP_MAC_free(mac);
    return context;
}

static void assert_mac(EVP_MAC_CTX *context, const uint8_t *expected)
{
    uint8_t actual[MAX_MAC];
    size_t size = 0;

    assert_int_equal(EVP_MAC_final(context, actual, &size, sizeof(actual)), 1);
    assert_int_equal(size, 16);
    assert_memory_equal(actual, expected, 16);
}

/* Both states at work: what goes on with |key| after |done| bytes of the text and |absorbed| of a
 * record with number |sequence|. */
static void go_on(const struct write_cipher *cipher, EVP_PKEY *key, const uint8_t *bytes,
                  size_t done, uint64_t sequence, size_t absorbed)
{
    uint8_t text[TEXT_SIZE], sealed[TEXT_SIZE], out[TEXT_SIZE + 16], expected[MAX_MAC];
    EVP_CIPHER_CTX *stream = bind_cipher(cipher, key);
    EVP_MAC_CTX *mac = bind_mac(key, 1);
    size_t at = done - done % (cipher->iv_size != 0 ? cipher->iv_size : 1);

    pattern(text, sizeof(text), 4);
    reference(cipher, bytes, text, sealed);
    for (int record = 0; record < 3; record++) {
        const size_t size = 30 + 7 * (size_t)record;
        int written = 0;

        assert_true(number_of(key, "sequence") == sequence);
        record_mac(&rows[SSL2_ROW], bytes, cipher->key_size, sequence, 0, text, 100, expected);
        assert_int_equal(EVP_MAC_update(mac, text + absorbed, 50 - absorbed), 1);
        assert_int_equal(EVP_EncryptUpdate(stream, out, &written, text + done, (int)size), 1);
        assert_memory_equal(out, sealed + at, (size_t)written);
        done += size;
        at += (size_t)written;
        assert_int_equal(EVP_MAC_update(mac, text + 50, 50), 1);
        assert_mac(mac, expected);
        sequence = sequence == LAST_32 ? 0 : sequence + 1;
        absorbed = 0;
    }
    assert_int_equal(at, done - done % (cipher->iv_size != 0 ? cipher->iv_size : 1));
    EVP_CIPHER_CTX_free(stream);
    EVP_MAC_CTX_free(mac);
}

static void advance_cipher(const struct write_cipher *cipher, EVP_PKEY *key, size_t size)
{
    uint8_t text[TEXT_SIZE], out[TEXT_SIZE + 16];
    EVP_CIPHER_CTX *context = bind_cipher(cipher, key);
    int written = 0;

    pattern(text, sizeof(text), 4);
    assert_int_equal(EVP_EncryptUpdate(context, out, &written, text, (int)size), 1);
    EVP_CIPHER_CTX_free(context);
}

static void absorb_some(EVP_PKEY *key, size_t size)
{
    uint8_t text[TEXT_SIZE];
    EVP_MAC_CTX *context = bind_mac(key, 1);

    pattern(text, sizeof(text), 4);
    assert_int_equal(EVP_MAC_update(context, text, size), 1);
    EVP_MAC_CTX_free(context);
}

static void a_write_key_encrypts_and_authenticates_with_its_own_bytes(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(ciphers); n++) {
        uint8_t bytes[24], expected[MAX_MAC];
        EVP_PKEY *key = write_key(&ciphers[n], bytes);
        EVP_PKEY *plain = make_key(ciphers[n].name, NULL, bytes, ciphers[n].key_size);
        EVP_MAC_CTX *raw;

        assert_int_equal(EVP_PKEY_eq(key, plain), 1);
        assert_text_of(key, "alg", ciphers[n].name);
        assert_text_of(key, "kind", "cipher");
        assert_text_of(key, "digest", "MD5");
        assert_text_of(key, "default-digest", "MD5");
        assert_int_equal(EVP_PKEY_get_size(key), 16);
        assert_true(number_of(key, "sequence") == 0);
        go_on(&ciphers[n], key, bytes, 0, 0, 0);
        raw = bind_mac(key, 0); /* in the middle of the stream */
        assert_int_equal(EVP_MAC_update(raw, bytes, 8), 1);
        raw_mac(&rows[SSL2_ROW], bytes, ciphers[n].key_size, bytes, 8, expected);
        assert_mac(raw, expected);
        assert_true(number_of(key, "sequence") == 3);
        assert_no_errors();
        EVP_MAC_CTX_free(raw);
        EVP_PKEY_free(plain);
        EVP_PKEY_free(key);
    }
}

static void the_record_number_belongs_to_the_write_key(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(ciphers); n++) {
        uint8_t bytes[24];
        EVP_PKEY *key = write_key(&ciphers[n], bytes);

        assert_int_equal(set_number(key, "sequence", LAST_32 + (uint64_t)1), 0);
        assert_reason("invalid parameter", "sequence: ");
        assert_int_equal(set_number(key, "sequence", LAST_32 - 1), 1);
        go_on(&ciphers[n], key, bytes, 0, LAST_32 - 1, 0); /* wraps */
        assert_true(number_of(key, "sequence") == 1);
        absorb_some(key, 5);
        assert_int_equal(set_number(key, "sequence", 7), 0);
        assert_reason("invalid parameter", "while a message is being absorbed");
        assert_true(number_of(key, "sequence") == 1);
        EVP_PKEY_free(key);
    }
}

static void a_duplicate_of_a_write_key_has_both_states_for_itself(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2 * COUNT(ciphers); n++) {
        const struct write_cipher *cipher = &ciphers[n / 2];
        uint8_t bytes[24];
        EVP_PKEY *key = write_key(cipher, bytes), *copy;

        assert_int_equal(set_number(key, "sequence", 5), 1);
        advance_cipher(cipher, key, 43);
        absorb_some(key, 13);
        copy = n % 2 == 0 ? EVP_PKEY_dup(key) : generate_from(key, NULL);
        assert_non_null(copy);
        go_on(cipher, key, bytes, 43, 5, 13);
        go_on(cipher, copy, bytes, 43, 5, 13);
        assert_int_equal(set_number(key, "retire", 1), 1);
        assert_true(number_of(copy, "sequence") == 8);
        EVP_PKEY_free(key);
        EVP_PKEY_free(copy);
    }
}

static void both_states_cross_in_one_blob(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(ciphers); n++) {
        size_t most = 0;

        for (size_t done = 0; done <= 20; done++) {
            for (size_t absorbed = 0; absorbed <= 50; absorbed += 1 + absorbed / 3) {
                uint8_t bytes[24], blob[MAX_BLOB];
                EVP_PKEY *key = write_key(&ciphers[n], bytes), *moved;
                size_t size;

                assert_int_equal(set_number(key, "sequence", LAST_32), 1);
                if (done != 0)
                    advance_cipher(&ciphers[n], key, done);
                if (absorbed != 0)
                    absorb_some(key, absorbed);
                size = export_blob(key, blob);
                if (size > most)
                    most = size;
                moved = import_blob(blob, size, "user");
                assert_non_null(moved);
                assert_text_of(moved, "usage", "client-write-key");
                go_on(&ciphers[n], moved, bytes, done, LAST_32, absorbed);
                EVP_PKEY_free(key);
                EVP_PKEY_free(moved);
            }
        }
        print_message("SSL 2.0 %s: blobs of at most %zu bytes\n", ciphers[n].name, most);
    }
}

/* A context's blob is that of its key; a context that resumes it takes the state it needs. */
static void each_context_of_a_write_key_suspends_both_states(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2 * COUNT(ciphers); n++) {
        const struct write_cipher *cipher = &ciphers[n / 2];
        uint8_t bytes[24], blob[MAX_BLOB];
        OSSL_PARAM params[] = { octets_param("opaque-blob", memset(blob, 0, sizeof(blob)),
                                             MAX_BLOB),
                                OSSL_PARAM_construct_end() };
        EVP_PKEY *key = write_key(cipher, bytes), *moved;
        EVP_CIPHER_CTX *stream = bind_cipher(cipher, key);
        EVP_MAC_CTX *mac = bind_mac(key, 1), *there;
        EVP_MAC *fetched = EVP_MAC_fetch(libctx, "SSL2-MAC", NULL);

        assert_int_equal(set_number(key, "sequence", 20), 1);
        advance_cipher(cipher, key, 21);
        absorb_some(key, 11);
        if (n % 2 == 0)
            assert_int_equal(EVP_CIPHER_CTX_get_params(stream, params), 1);
        else
            assert_int_equal(EVP_MAC_CTX_get_params(mac, params), 1);
        moved = import_blob(blob, params[0].return_size, "user");
        assert_non_null(moved);
        go_on(cipher, moved, bytes, 21, 20, 11);
        /* a context alone would lose half of it */
        params[0] = octets_param("opaque-blob", blob, params[0].return_size);
        there = EVP_MAC_CTX_new(fetched);
        assert_int_equal(EVP_MAC_init(there, NULL, 0, params), 0);
        assert_reason("wrong kind of key", "SSL 2.0");
        go_on(cipher, key, bytes, 21, 20, 11); /* the original is where it was */
        EVP_MAC_CTX_free(there);
        EVP_MAC_CTX_free(mac);
        EVP_CIPHER_CTX_free(stream);
        EVP_MAC_free(fetched);
        EVP_PKEY_free(moved);
        EVP_PKEY_free(key);
    }
}

/* A copy of a context has a copy of the whole key. */
static void copies_of_its_contexts_have_keys_of_their_own(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(ciphers); n++) {
        uint8_t bytes[24], text[TEXT_SIZE], out[TEXT_SIZE], expected[MAX_MAC];
        EVP_PKEY *key = write_key(&ciphers[n], bytes);
        EVP_CIPHER_CTX *stream = bind_cipher(&ciphers[n], key), *stream_copy = EVP_CIPHER_CTX_new();
        EVP_MAC_CTX *mac = bind_mac(key, 1), *mac_copy;
        int written = 0;

        pattern(text, sizeof(text), 4);
        advance_cipher(&ciphers[n], key, 17);
        absorb_some(key, 19);
        mac_copy = EVP_MAC_CTX_dup(mac);
        assert_non_null(mac_copy);
        assert_int_equal(EVP_CIPHER_CTX_copy(stream_copy, stream), 1);
        assert_int_equal(EVP_EncryptUpdate(stream_copy, out, &written, text + 17, 50), 1);
        record_mac(&rows[SSL2_ROW], bytes, ciphers[n].key_size, 0, 0, text, 60, expected);
        assert_int_equal(EVP_MAC_update(mac_copy, text + 19, 41), 1);
        assert_mac(mac_copy, expected);
        go_on(&ciphers[n], key, bytes, 17, 0, 19);
        EVP_MAC_CTX_free(mac);
        EVP_MAC_CTX_free(mac_copy);
        EVP_CIPHER_CTX_free(stream);
        EVP_CIPHER_CTX_free(stream_copy);
        EVP_PKEY_free(key);
    }
}

static int discard(const OSSL_PARAM params[], void *arg)
{
    (void)params;
    (void)arg;
    return 1;
}

/* Its bytes alone would lose the record number. */
static void a_write_key_is_not_exported_raw_and_other_keys_are_no_mac_secrets(void **state)
{
    uint8_t bytes[24], handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM params[] = { octets_param("key-handle", handle, sizeof(handle)),
                            OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(libctx, "SSL2-MAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);

    (void)state;
    for (size_t n = 0; n < COUNT(ciphers); n++) {
        EVP_PKEY *key = write_key(&ciphers[n], bytes), *plain;

        assert_int_equal(number_of(key, "exportable"), 1);
        assert_int_equal(EVP_PKEY_export(key, EVP_PKEY_KEYPAIR, discard, NULL), 0);
        assert_reason("key is not exportable", "SSL 2.0");
        plain = make_key(ciphers[n].name, NULL, bytes, ciphers[n].key_size);
        get_handle(plain, handle);
        assert_int_equal(EVP_MAC_init(context, NULL, 0, params), 0);
        assert_reason("wrong kind of key", "expected a mac key, got a cipher key");
        assert_int_equal(set_number(plain, "sequence", 1), 0);
        assert_reason("wrong kind of key", "sequence: ");
        EVP_PKEY_free(key);
        EVP_PKEY_free(plain);
    }
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
}

/* ---- EVP_DigestSign and EVP_DigestVerify ---- */

struct signer {
    const struct row *row;
    EVP_PKEY *key;
    uint8_t bytes[MAX_KEY];
    size_t size;
};

#define SIGNERS (ROWS + COUNT(ciphers))

/* Every MAC key, and every write key of SSL 2.0. */
static struct signer new_signer(size_t n)
{
    struct signer signer;

    if (n < ROWS) {
        signer.row = &rows[n];
        signer.size = rows[n].key_size;
        pattern(signer.bytes, signer.size, 6);
        signer.key = make_key(rows[n].mac, rows[n].digest, signer.bytes, signer.size);
    } else {
        signer.row = &rows[SSL2_ROW];
        signer.size = ciphers[n - ROWS].key_size;
        signer.key = write_key(&ciphers[n - ROWS], signer.bytes);
    }
    return signer;
}

static EVP_MD_CTX *start(const struct signer *signer, int sign, int is_record, size_t length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    struct list list;

    list_start(&list);
    if (is_record && signer->row->protocol == SSL3) {
        add_number(&list, "record-type", DATA_TYPE);
        if (length != SIZE_MAX)
            add_number(&list, "record-length", length);
    } else {
        add_number(&list, "record-mode", (uint64_t)is_record);
    }
    assert_int_equal((sign ? EVP_DigestSignInit_ex : EVP_DigestVerifyInit_ex)(
                         context, NULL, NULL, libctx, NULL, signer->key, list.params),
                     1);
    return context;
}

static void signatures_are_the_macs_and_advance_the_number_in_record_mode(void **state)
{
    uint8_t data[MAX_TEXT], expected[MAX_MAC], actual[MAX_MAC];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < SIGNERS; n++) {
        struct signer signer = new_signer(n);
        const struct row *row = signer.row;
        uint64_t sequence = 100;

        assert_int_equal(set_number(signer.key, "sequence", sequence), 1);
        for (size_t size = 0; size < MAX_TEXT; size += 1 + size / 3) {
            for (int how = 0; how < 4; how++) {
                const int sign = how % 2 == 0, is_record = how / 2;
                EVP_MD_CTX *context = start(&signer, sign, is_record, size % 2 ? size : SIZE_MAX);
                int (*const update)(EVP_MD_CTX *, const void *, size_t) =
                    sign ? EVP_DigestSignUpdate : EVP_DigestVerifyUpdate;
                size_t written = 0;

                if (is_record)
                    record_mac(row, signer.bytes, signer.size, sequence, DATA_TYPE, data, size,
                               expected);
                else
                    raw_mac(row, signer.bytes, signer.size, data, size, expected);
                assert_int_equal(update(context, data, size / 3), 1);
                assert_int_equal(update(context, data + size / 3, size - size / 3), 1);
                if (sign) {
                    assert_int_equal(EVP_DigestSignFinal(context, NULL, &written), 1);
                    assert_int_equal(written, row->size);
                    assert_true(number_of(signer.key, "sequence") == sequence);
                    written = sizeof(actual);
                    assert_int_equal(EVP_DigestSignFinal(context, actual, &written), 1);
                    assert_int_equal(written, row->size);
                    assert_memory_equal(actual, expected, written);
                } else {
                    assert_int_equal(EVP_DigestVerifyFinal(context, expected, row->size), 1);
                }
                sequence += (uint64_t)is_record;
                assert_true(number_of(signer.key, "sequence") == sequence);
                EVP_MD_CTX_free(context);
            }
        }
        assert_no_errors();
        EVP_PKEY_free(signer.key);
    }
}

static void a_wrong_mac_is_an_answer_without_a_reason(void **state)
{
    uint8_t data[40], expected[MAX_MAC + 1];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < SIGNERS; n++) {
        struct signer signer = new_signer(n);
        const size_t size = signer.row->size;

        raw_mac(signer.row, signer.bytes, signer.size, data, sizeof(data), expected);
        expected[size] = 0;
        for (size_t byte = 0; byte < size + 2; byte++) {
            EVP_MD_CTX *context = start(&signer, 0, 0, 0);
            /* each byte wrong, one too few, one too many */
            const size_t told = byte < size ? size : byte == size ? size - 1 : size + 1;

            expected[byte < size ? byte : 0] ^= byte < size;
            assert_int_equal(EVP_DigestVerifyUpdate(context, data, sizeof(data)), 1);
            assert_int_equal(EVP_DigestVerifyFinal(context, expected, told), 0);
            expected[byte < size ? byte : 0] ^= byte < size;
            EVP_MD_CTX_free(context);
        }
        assert_no_reason();
        EVP_PKEY_free(signer.key);
    }
}

static void signatures_refuse_what_a_record_does_not_have(void **state)
{
    static const char *const names[] = { "record-type", "record-length", "record-version" };
    uint8_t out[MAX_MAC], text[16];

    (void)state;
    pattern(text, sizeof(text), 3);
    for (size_t n = 0; n < SIGNERS; n++) {
        struct signer signer = new_signer(n);
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        size_t size = sizeof(out);

        for (size_t name = signer.row->protocol == SSL3 ? 2 : 0; name < COUNT(names); name++) {
            struct list list;

            list_start(&list);
            add_number(&list, names[name], 1);
            assert_int_equal(
                EVP_DigestSignInit_ex(context, NULL, NULL, libctx, NULL, signer.key, list.params),
                0);
            assert_reason("conflicting parameters", names[name]);
        }
        EVP_MD_CTX_free(context);
        context = EVP_MD_CTX_new();
        assert_int_equal(EVP_DigestSignInit_ex(context, NULL,
                                               signer.row->size == 16 ? "SHA1" : "MD5", libctx,
                                               NULL, signer.key, NULL),
                         0);
        assert_reason("conflicting parameters", "digest: the key's own is ");
        EVP_MD_CTX_free(context);
        /* a last number that is used up, or a length that is not met */
        if (signer.row->protocol != SSL3 && signer.row->protocol != PCT1) {
            EVP_PKEY_free(signer.key);
            continue;
        }
        if (signer.row->protocol == PCT1) {
            assert_int_equal(set_number(signer.key, "sequence", LAST_32), 1);
            context = start(&signer, 1, 1, 0);
            assert_int_equal(EVP_DigestSign(context, out, &size, text, sizeof(text)), 1);
            EVP_MD_CTX_free(context);
        }
        context = start(&signer, 1, 1, 15);
        size = sizeof(out);
        assert_int_equal(EVP_DigestSign(context, out, &size, text, sizeof(text)), 0);
        assert_reason(signer.row->protocol == PCT1 ? "sequence numbers exhausted"
                                                   : "record length mismatch",
                      "");
        assert_true(number_of(signer.key, "sequence") ==
                    (signer.row->protocol == PCT1 ? LAST_32 + (uint64_t)1 : 0));
        EVP_MD_CTX_free(context);
        EVP_PKEY_free(signer.key);
    }
}

/* A duplicate shares the key: one number for two signatures would be one too few. */
static void copies_of_a_signature_context_share_the_key(void **state)
{
    uint8_t data[64], expected[MAX_MAC], actual[MAX_MAC];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < SIGNERS; n++) {
        struct signer signer = new_signer(n);
        EVP_MD_CTX *context = start(&signer, 1, 1, SIZE_MAX), *copy = EVP_MD_CTX_new();

        assert_int_equal(EVP_DigestSignUpdate(context, data, 10), 1);
        assert_int_equal(EVP_MD_CTX_copy_ex(copy, context), 1);
        for (uint64_t sequence = 0; sequence < 2; sequence++) {
            EVP_MD_CTX *one = sequence == 0 ? copy : context;
            size_t size = sizeof(actual);

            assert_int_equal(EVP_DigestSignUpdate(one, data + 10, 7), 1);
            assert_int_equal(EVP_DigestSignFinal(one, actual, &size), 1);
            record_mac(signer.row, signer.bytes, signer.size, sequence, DATA_TYPE, data, 17,
                       expected);
            assert_memory_equal(actual, expected, size);
        }
        assert_true(number_of(signer.key, "sequence") == 2);
        EVP_MD_CTX_free(context);
        EVP_MD_CTX_free(copy);
        EVP_PKEY_free(signer.key);
    }
}

/* In the child, where CMocka must not fail: the number of the step that went wrong, or 0. */
static int try_all(const struct signer *signer, EVP_MAC_CTX *mac, EVP_CIPHER_CTX *stream,
                   EVP_MD_CTX *record)
{
    uint8_t out[64];
    uint64_t sequence = 1;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64("sequence", &sequence),
                            OSSL_PARAM_construct_end() };
    size_t size = sizeof(out);
    int written = 0;

    if (EVP_MAC_update(mac, out, 1) != 0)
        return 1;
    if (EVP_MAC_final(mac, out, &size, sizeof(out)) != 0)
        return 2;
    if (stream != NULL && EVP_EncryptUpdate(stream, out, &written, out, 8) != 0)
        return 3;
    size = sizeof(out);
    if (EVP_DigestSign(record, out, &size, out, 1) > 0)
        return 4;
    return EVP_PKEY_get_params(signer->key, params) == 1 && sequence == 0 ? 0 : 5;
}

/* Neither state may go on in two processes. */
static void a_forked_child_advances_no_state_of_its_parents_keys(void **state)
{
    (void)state;
    for (size_t n = 0; n < SIGNERS; n++) {
        struct signer signer = new_signer(n);
        uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
        OSSL_PARAM params[] = { octets_param("key-handle", handle, sizeof(handle)),
                                OSSL_PARAM_construct_end() };
        EVP_CIPHER_CTX *stream = n >= ROWS ? bind_cipher(&ciphers[n - ROWS], signer.key) : NULL;
        EVP_MD_CTX *record = start(&signer, 1, 1, SIZE_MAX);
        EVP_MAC *mac = EVP_MAC_fetch(libctx, signer.row->mac, NULL);
        EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
        int status = -1;
        pid_t child;

        get_handle(signer.key, handle);
        assert_int_equal(EVP_MAC_init(context, NULL, 0, params), 1);
        child = fork();
        assert_int_not_equal(child, -1);
        if (child == 0) {
            status = try_all(&signer, context, stream, record);
        } else {
            assert_int_equal(waitpid(child, &status, 0), child);
            assert_int_equal(status, 0);
            assert_int_equal(EVP_MAC_update(context, handle, 1), 1); /* the parent's own */
        }
        EVP_MD_CTX_free(record);
        EVP_MAC_CTX_free(context);
        EVP_MAC_free(mac);
        EVP_CIPHER_CTX_free(stream);
        EVP_PKEY_free(signer.key);
        if (child == 0)
            _exit(status);
    }
}

/* ---- transfers ---- */

static void remove_directory(const char *path)
{
    DIR *listing = opendir(path);

    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        char name[512];

        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            assert_int_equal(unlink(name), 0);
    }
    closedir(listing);
    assert_int_equal(rmdir(path), 0);
}

/* Authenticating is a first use like encrypting: whichever comes first claims the key for both. */
static void a_transferred_write_key_is_claimed_by_either_use(void **state)
{
    char claims[128];

    (void)state;
    snprintf(claims, sizeof(claims), "%s/claims", directory);
    assert_int_equal(mkdir(claims, 0700), 0);
    for (int mac_first = 0; mac_first < 2; mac_first++) {
        uint8_t bytes[24], blob[MAX_BLOB];
        EVP_PKEY *key = write_key(&ciphers[0], bytes), *one, *other;
        EVP_MAC_CTX *mac;
        EVP_CIPHER_CTX *stream;
        struct list list;
        int written = 0;
        size_t size;

        assert_int_equal(set_text(key, "blob-mode", "transfer"), 1);
        assert_int_equal(set_text(key, "claim-dir", claims), 1);
        advance_cipher(&ciphers[0], key, 33);
        absorb_some(key, 12);
        size = octets_of(key, "opaque-blob", blob, sizeof(blob));
        list_start(&list);
        add_octets(&list, "opaque-blob", blob, size);
        add_text(&list, "claim-dir", claims);
        one = from_data(list.params);
        other = from_data(list.params);
        assert_non_null(one);
        assert_non_null(other);
        assert_true(number_of(other, "sequence") == 0); /* a look claims nothing */
        if (mac_first) {
            mac = bind_mac(one, 1);
            assert_int_equal(EVP_MAC_update(mac, bytes, 0), 1);
            EVP_MAC_CTX_free(mac);
        }
        go_on(&ciphers[0], one, bytes, 33, 0, 12);
        {
            uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
            OSSL_PARAM params[] = { octets_param("key-handle", handle, sizeof(handle)),
                                    OSSL_PARAM_construct_end() };
            EVP_CIPHER *rc4 = EVP_CIPHER_fetch(libctx, "SCHANNEL-RC4", NULL);
            EVP_MAC *fetched = EVP_MAC_fetch(libctx, "SSL2-MAC", NULL);

            get_handle(other, handle);
            stream = EVP_CIPHER_CTX_new();
            if (EVP_EncryptInit_ex2(stream, rc4, NULL, NULL, params) == 1)
                assert_int_equal(EVP_EncryptUpdate(stream, blob, &written, bytes, 1), 0);
            assert_reason("blob was opened before", "");
            mac = EVP_MAC_CTX_new(fetched);
            if (EVP_MAC_init(mac, NULL, 0, params) == 1)
                assert_int_equal(EVP_MAC_update(mac, bytes, 1), 0);
            assert_reason("blob was opened before", "");
            EVP_MAC_CTX_free(mac);
            EVP_CIPHER_CTX_free(stream);
            EVP_MAC_free(fetched);
            EVP_CIPHER_free(rc4);
        }
        EVP_PKEY_free(one);
        EVP_PKEY_free(other);
        EVP_PKEY_free(key);
    }
    remove_directory(claims);
}

#define TEST(name) cmocka_unit_test_setup(name, starts_with_a_clean_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_write_key_encrypts_and_authenticates_with_its_own_bytes),
        TEST(the_record_number_belongs_to_the_write_key),
        TEST(a_duplicate_of_a_write_key_has_both_states_for_itself),
        TEST(both_states_cross_in_one_blob),
        TEST(each_context_of_a_write_key_suspends_both_states),
        TEST(copies_of_its_contexts_have_keys_of_their_own),
        TEST(a_write_key_is_not_exported_raw_and_other_keys_are_no_mac_secrets),
        TEST(signatures_are_the_macs_and_advance_the_number_in_record_mode),
        TEST(a_wrong_mac_is_an_answer_without_a_reason),
        TEST(signatures_refuse_what_a_record_does_not_have),
        TEST(copies_of_a_signature_context_share_the_key),
        TEST(a_forked_child_advances_no_state_of_its_parents_keys),
        TEST(a_transferred_write_key_is_claimed_by_either_use),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
