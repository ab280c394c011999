/*
 * 64 threads on masters and session keys that they share.  Whatever the threads do beside each other,
 * the records of a key are those that one thread would have made, each of them once: expected ones
 * are computed one after the other on a duplicate, and compared sorted.
 *
 * ThreadSanitizer watches in the preset "tsan".
 */
#include "crew.h"
#include "protocols.h"
#include "stream.h"

#include <unistd.h>

#define RECORDS     12 /* of each thread */
#define TEXT_SIZE   48 /* a whole number of blocks, the same in every record */
#define RECORD_ROOM 64
#define TOTAL       (CREW_SIZE * RECORDS)
#define DERIVATIONS 4
#define USAGES      4
#define RETIRED     "key has been retired"

static const char *const usages[USAGES] = { "client-write-key", "server-write-key",
                                            "client-write-mac", "server-write-mac" };

/* What all threads of a test work on. */
static struct {
    const struct algorithm *algorithm;
    EVP_CIPHER *cipher; /* NULL: a MAC */
    EVP_PKEY *key;
    uint8_t expected[TOTAL + 1][RECORD_ROOM]; /* in the order of the stream, later sorted */
    uint8_t actual[TOTAL][RECORD_ROOM];
    atomic_uint produced;
    size_t usages;
    uint8_t derived[USAGES][RECORD_ROOM];
} shared;

static int compare_records(const void *a, const void *b)
{
    return memcmp(a, b, RECORD_ROOM);
}

static void sort_records(uint8_t (*records)[RECORD_ROOM], size_t count)
{
    qsort(records, count, RECORD_ROOM, compare_records);
}

/* ---- one record, in each way that there is; each is one atomic operation on the key ---- */

/* A context that is bound by the key's handle; NULL when the provider refuses. */
static EVP_CIPHER_CTX *bind(EVP_PKEY *key)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM params[] = { octets_param("key-handle", handle, sizeof(handle)),
                            OSSL_PARAM_construct_end() };
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    size_t size;

    if (EVP_PKEY_get_octet_string_param(key, "key-handle", handle, sizeof(handle), &size) &&
        EVP_EncryptInit_ex2(context, shared.cipher, NULL, NULL, params))
        return context;
    EVP_CIPHER_CTX_free(context);
    return NULL;
}

static int encrypt_record(EVP_CIPHER_CTX *context, uint8_t out[RECORD_ROOM])
{
    static const uint8_t text[TEXT_SIZE];
    int size = 0;

    return context != NULL && EVP_EncryptUpdate(context, out, &size, text, TEXT_SIZE) &&
           size == TEXT_SIZE;
}

static int encrypt_message(EVP_PKEY *key, uint8_t out[RECORD_ROOM])
{
    static const uint8_t text[TEXT_SIZE];
    unsigned last = 0;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint("final", &last), OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    size_t size = RECORD_ROOM;
    int ok = EVP_PKEY_encrypt_init_ex(context, params) > 0 &&
             EVP_PKEY_encrypt(context, out, &size, text, TEXT_SIZE) > 0 && size == TEXT_SIZE;

    EVP_PKEY_CTX_free(context);
    return ok;
}

static int sign_record(EVP_PKEY *key, uint8_t out[RECORD_ROOM])
{
    static const uint8_t text[TEXT_SIZE];
    struct stream_record record;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t size = RECORD_ROOM;
    int ok;

    stream_record(shared.algorithm, NULL, &record);
    ok = EVP_DigestSignInit_ex(context, NULL, NULL, libctx, NULL, key, record.params) > 0 &&
         EVP_DigestSign(context, out, &size, text, TEXT_SIZE) > 0;
    EVP_MD_CTX_free(context);
    return ok;
}

/* |bound| NULL: without a context of the thread's own. */
static int make_record(EVP_PKEY *key, EVP_CIPHER_CTX *bound, uint8_t out[RECORD_ROOM])
{
    if (shared.cipher == NULL)
        return sign_record(key, out);
    return bound != NULL ? encrypt_record(bound, out) : encrypt_message(key, out);
}

/* The key, and what it produces one after the other. */
static void share(unsigned which)
{
    const struct algorithm *algorithm = &algorithms[which];
    char name[32];
    uint8_t secret[64];
    EVP_PKEY *serial;

    memset(&shared, 0, sizeof(shared));
    shared.algorithm = algorithm;
    pattern(secret, sizeof(secret), 7);
    if (algorithm->cipher != NULL) {
        snprintf(name, sizeof(name), "SCHANNEL-%s", algorithm->cipher);
        shared.cipher = EVP_CIPHER_fetch(libctx, name, NULL);
        assert_non_null(shared.cipher);
        shared.key = make_key(algorithm->cipher, NULL, secret, algorithm->key_size);
    } else {
        shared.key = make_key(algorithm->mac, algorithm->digest, secret, algorithm->key_size);
    }
    serial = EVP_PKEY_dup(shared.key);
    for (size_t n = 0; n <= TOTAL; n++)
        assert_true(make_record(serial, NULL, shared.expected[n]));
    EVP_PKEY_free(serial);
}

static void unshare(void)
{
    EVP_PKEY_free(shared.key);
    EVP_CIPHER_free(shared.cipher);
    assert_no_errors();
}

/* ---- masters ---- */

/* The bytes of a derived key are not exported for every protocol: what it makes of zeros is. */
static int derive(EVP_PKEY *master, const char *usage, uint8_t out[RECORD_ROOM])
{
    static const uint8_t zeros[TEXT_SIZE];
    OSSL_PARAM params[] = { text_param("usage", usage), OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, master, NULL), *use = NULL;
    EVP_MD_CTX *sign = EVP_MD_CTX_new();
    EVP_PKEY *key = NULL;
    size_t size = RECORD_ROOM;
    int ok = EVP_PKEY_keygen_init(context) > 0 && EVP_PKEY_CTX_set_params(context, params) > 0 &&
             EVP_PKEY_generate(context, &key) > 0;

    if (ok && strstr(usage, "-mac") != NULL)
        ok = EVP_DigestSignInit_ex(sign, NULL, NULL, libctx, NULL, key, NULL) > 0 &&
             EVP_DigestSign(sign, out, &size, zeros, TEXT_SIZE) > 0;
    else if (ok)
        ok = (use = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL)) != NULL &&
             EVP_PKEY_encrypt_init(use) > 0 &&
             EVP_PKEY_encrypt(use, out, &size, zeros, TEXT_SIZE) > 0;
    EVP_PKEY_CTX_free(use);
    EVP_MD_CTX_free(sign);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return ok;
}

static void derive_all(size_t thread)
{
    for (size_t n = 0; n < DERIVATIONS * shared.usages; n++) {
        const size_t which = (n + thread) % shared.usages;
        uint8_t out[RECORD_ROOM] = { 0 };

        CHECK(derive(shared.key, usages[which], out));
        CHECK(memcmp(out, shared.derived[which], RECORD_ROOM) == 0);
    }
}

static void many_threads_derive_what_one_would(void **state)
{
    (void)state;
    for (size_t p = 0; p < PROTOCOLS; p++) {
        struct material material;

        memset(&shared, 0, sizeof(shared));
        make_material(&material, 1);
        shared.key = new_master(&protocols[p], &material);
        shared.usages = protocols[p].has_mac_keys ? USAGES : 2;
        for (size_t n = 0; n < shared.usages; n++)
            assert_true(derive(shared.key, usages[n], shared.derived[n]));
        crew_run(derive_all);
        unshare();
    }
}

/* ---- session keys ---- */

/* Every other thread with a context of its own, the rest by messages that go on. */
static void produce(size_t thread)
{
    EVP_CIPHER_CTX *bound = shared.cipher != NULL && thread % 2 == 0 ? bind(shared.key) : NULL;

    for (size_t n = 0; n < RECORDS; n++)
        CHECK(make_record(shared.key, bound, shared.actual[thread * RECORDS + n]));
    EVP_CIPHER_CTX_free(bound);
}

/* ThreadSanitizer makes 64 threads slow: it sees those that stand first, one of each kind. */
static const unsigned keys[] = { RC4_128,  AES_128, MAC_SSL3_SHA1, MAC_SHA1, MAC_PCT1_MD5,
                                 DES_EDE3, RC2_128, DES,           DES_EDE,  AES_192,
                                 AES_256,  RC4_40,  MAC_SSL3_MD5,  MAC_MD5,  MAC_PCT1_SHA1 };

#ifdef __SANITIZE_THREAD__
#define KEYS 6
#else
#define KEYS COUNT(keys)
#endif

static void for_every_key(void (*check)(void))
{
    for (size_t n = 0; n < KEYS; n++) {
        share(keys[n]);
        check();
        unshare();
    }
}

static void produce_together(void)
{
    crew_run(produce);
    sort_records(shared.expected, TOTAL);
    sort_records(shared.actual, TOTAL);
    assert_memory_equal(shared.actual, shared.expected, sizeof(shared.actual));
}

static void the_records_of_many_threads_are_those_of_one(void **state)
{
    (void)state;
    for_every_key(produce_together);
}

/* ---- export beside them ---- */

static EVP_PKEY *move(EVP_PKEY *key)
{
    uint8_t blob[MAX_BLOB] = { 0 };
    size_t size = 0;
    OSSL_PARAM params[] = { octets_param("opaque-blob", blob, 0),
                            text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
    EVP_PKEY *copy = NULL;

    if (EVP_PKEY_get_octet_string_param(key, "opaque-blob", blob, sizeof(blob), &size)) {
        params[0].data_size = size;
        if (EVP_PKEY_fromdata_init(context) <= 0 ||
            EVP_PKEY_fromdata(context, &copy, EVP_PKEY_KEYPAIR, params) <= 0)
            copy = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return copy;
}

/* A copy, by blob or duplication, goes on at one place of the stream, not between two. */
static void produce_or_copy(size_t thread)
{
    produce(thread);
    for (size_t n = 0; thread % 8 == 0 && n < 2; n++) {
        uint8_t record[RECORD_ROOM] = { 0 };
        EVP_PKEY *copy = n == 0 ? move(shared.key) : EVP_PKEY_dup(shared.key);

        CHECK(copy != NULL && make_record(copy, NULL, record));
        CHECK(bsearch(record, shared.expected, TOTAL + 1, RECORD_ROOM, compare_records) != NULL);
        EVP_PKEY_free(copy);
    }
}

static void copy_together(void)
{
    assert_int_equal(set_text(shared.key, "seal-key", seal_key_a), 1);
    sort_records(shared.expected, TOTAL + 1);
    crew_run(produce_or_copy);
}

static void an_export_beside_many_threads_sees_one_state(void **state)
{
    (void)state;
    for_every_key(copy_together);
}

/* ---- looking and setting beside them ---- */

static void look(size_t thread)
{
    char text[32];
    uint8_t octets[64];
    size_t size;
    EVP_PKEY *other = EVP_PKEY_dup(shared.key);

    CHECK(EVP_PKEY_get_utf8_string_param(shared.key, "key-id", text, sizeof(text), NULL));
    CHECK(EVP_PKEY_get_octet_string_param(shared.key, "key-handle", octets, 64, &size));
    CHECK(EVP_PKEY_eq(shared.key, other) == 1 && EVP_PKEY_eq(other, shared.key) == 1);
    CHECK(set_number(shared.key, "exportable", 0));
    CHECK(set_number(shared.key, "lifetime", 30 + thread));
    CHECK(set_text(shared.key, "blob-mode", "snapshot"));
    CHECK(set_text(shared.key, "fork", thread % 2 != 0 ? "allow" : "refuse"));
    CHECK(EVP_PKEY_get_bits(shared.key) > 0 && EVP_PKEY_get_security_bits(shared.key) > 0);
    EVP_PKEY_free(other);
}

static void produce_or_look(size_t thread)
{
    for (size_t n = 0; thread % 4 == 0 && n < RECORDS / 2; n++)
        look(thread);
    produce(thread);
}

static void look_together(void)
{
    crew_run(produce_or_look);
    sort_records(shared.expected, TOTAL);
    sort_records(shared.actual, TOTAL);
    assert_memory_equal(shared.actual, shared.expected, sizeof(shared.actual));
}

static void parameters_of_a_key_in_use_disturb_nothing(void **state)
{
    (void)state;
    for_every_key(look_together);
}

/* ---- retire ---- */

static void produce_until_retired(size_t thread)
{
    EVP_CIPHER_CTX *bound = shared.cipher != NULL && thread % 2 == 0 ? bind(shared.key) : NULL;
    uint8_t record[RECORD_ROOM] = { 0 };
    int was_retired = 0;

    for (unsigned n = 0; n < RECORDS && !was_retired; n++) {
        ERR_clear_error();
        if (make_record(shared.key, bound, record))
            memcpy(shared.actual[atomic_fetch_add(&shared.produced, 1)], record, RECORD_ROOM);
        else
            was_retired = 1;
        if (thread == 1 && n == RECORDS / 4)
            CHECK(set_number(shared.key, "retire", 1));
    }
    if (was_retired) {
        const char *reason = ERR_reason_error_string(ERR_peek_error());

        CHECK(reason != NULL && strcmp(reason, RETIRED) == 0);
    }
    CHECK(thread != 1 || !make_record(shared.key, NULL, record));
    ERR_clear_error();
    EVP_CIPHER_CTX_free(bound);
}

static void retire_together(void)
{
    size_t produced;

    crew_run(produce_until_retired);
    produced = atomic_load(&shared.produced);
    sort_records(shared.expected, produced);
    sort_records(shared.actual, produced);
    assert_memory_equal(shared.actual, shared.expected, produced * RECORD_ROOM);
}

static void a_key_retired_in_use_has_made_the_first_records_of_its_stream(void **state)
{
    (void)state;
    for_every_key(retire_together);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_derive_what_one_would),
        cmocka_unit_test(the_records_of_many_threads_are_those_of_one),
        cmocka_unit_test(an_export_beside_many_threads_sees_one_state),
        cmocka_unit_test(parameters_of_a_key_in_use_disturb_nothing),
        cmocka_unit_test(a_key_retired_in_use_has_made_the_first_records_of_its_stream),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
