/* blob/seal: the sealed bytes against a second implementation written from seal.h, and that nothing
 * opens but what was sealed. */
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include "blob/seal.h"
#include "recorded_errors.h"

/* The info string of seal.h, version included. */
#define SEAL_INFO        "schannel opaque key blob seal 1"

#define REFUSED_SENTENCE "altered, cut short, or sealed under another key"
#define MAX_PLAINTEXT    300
#define MAX_SEALED       (MAX_PLAINTEXT + SEAL_OVERHEAD)
#define UNTOUCHED        0xa5

struct world {
    struct recorded_errors *recorded;
    struct sealer *sealer;
    struct sealing_key key;
    uint8_t salt[SEAL_SALT_SIZE], header[45], plaintext[MAX_PLAINTEXT];
};

/* One blob, in buffers that tests may change. */
struct blob {
    struct sealing_key key;
    uint8_t salt[SEAL_SALT_SIZE];
    uint8_t header[45];
    uint8_t sealed[MAX_SEALED];
    size_t size; /* of the plaintext */
};

static void fill(uint8_t *bytes, size_t size, unsigned seed)
{
    for (size_t n = 0; n < size; n++)
        bytes[n] = (uint8_t)((n + seed) * 151 + (n >> 8) + seed);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    world->recorded = recorded_errors_new();
    world->sealer = sealer_new(NULL, NULL, recorded_errors_target(world->recorded));
    assert_non_null(world->sealer);
    fill(world->key.secret, sizeof(world->key.secret), 1);
    fill(world->key.id, sizeof(world->key.id), 2);
    fill(world->salt, sizeof(world->salt), 3);
    fill(world->header, sizeof(world->header), 4);
    fill(world->plaintext, sizeof(world->plaintext), 5);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    sealer_free(world->sealer);
    recorded_errors_free(world->recorded);
    free(world);
    return 0;
}

static struct octets octets(const void *data, size_t size)
{
    return (struct octets){ data, size };
}

/* A buffer that ends where its allocation ends, none of it zero. */
static uint8_t *exact_buffer(size_t size)
{
    uint8_t *buffer = malloc(size);

    assert_true(buffer != NULL || size == 0);
    if (size != 0)
        memset(buffer, UNTOUCHED, size);
    return buffer;
}

static void assert_cleansed(const uint8_t *data, size_t size)
{
    for (size_t n = 0; n < size; n++)
        assert_int_equal(data[n], 0);
}

static void make_blob(struct world *world, size_t size, struct blob *blob)
{
    blob->key = world->key;
    memcpy(blob->salt, world->salt, sizeof(blob->salt));
    memcpy(blob->header, world->header, sizeof(blob->header));
    blob->size = size;
    assert_int_equal(seal(world->sealer, &blob->key, blob->salt,
                          octets(blob->header, sizeof(blob->header)),
                          octets(world->plaintext, size), blob->sealed),
                     1);
    expect_no_error(world->recorded);
}

static void assert_opens(struct world *world, const struct blob *blob)
{
    uint8_t *sealed = exact_buffer(blob->size + SEAL_OVERHEAD), *out = exact_buffer(blob->size);

    memcpy(sealed, blob->sealed, blob->size + SEAL_OVERHEAD);
    assert_int_equal(unseal(world->sealer, &blob->key, blob->salt,
                            octets(blob->header, sizeof(blob->header)),
                            octets(sealed, blob->size + SEAL_OVERHEAD), out),
                     1);
    expect_no_error(world->recorded);
    if (blob->size != 0)
        assert_memory_equal(out, world->plaintext, blob->size);
    free(out);
    free(sealed);
}

/* |size| is that of the whole sealed run, which may be cut. */
static void assert_refused(struct world *world, const struct blob *blob, struct octets header,
                           size_t size)
{
    const size_t room = size < SEAL_OVERHEAD ? 0 : size - SEAL_OVERHEAD;
    uint8_t *sealed = exact_buffer(size), *out = exact_buffer(room);

    if (size != 0)
        memcpy(sealed, blob->sealed, size);
    assert_int_equal(
        unseal(world->sealer, &blob->key, blob->salt, header, octets(sealed, size), out), 0);
    expect_one_error(world->recorded, SCHANNEL_R_SEAL_DOES_NOT_VERIFY, REFUSED_SENTENCE);
    assert_cleansed(out, room);
    free(out);
    free(sealed);
}

static void assert_changed_refused(struct world *world, const struct blob *blob)
{
    assert_refused(world, blob, octets(blob->header, sizeof(blob->header)),
                   blob->size + SEAL_OVERHEAD);
}

/* ---- the second implementation ---- */

struct derived {
    uint8_t key[32], nonce[12], commitment[32];
};

static void derive(const uint8_t *secret, const uint8_t *salt, struct derived *derived)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    uint8_t out[32 + 12 + 32];
    size_t size = sizeof(out);

    assert_non_null(context);
    assert_int_equal(EVP_PKEY_derive_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_hkdf_md(context, EVP_sha256()), 1);
    assert_int_equal(EVP_PKEY_CTX_set1_hkdf_key(context, secret, 32), 1);
    assert_int_equal(EVP_PKEY_CTX_set1_hkdf_salt(context, salt, 16), 1);
    assert_int_equal(EVP_PKEY_CTX_add1_hkdf_info(context, (const unsigned char *)SEAL_INFO,
                                                 (int)strlen(SEAL_INFO)),
                     1);
    assert_int_equal(EVP_PKEY_derive(context, out, &size), 1);
    assert_int_equal(size, sizeof(out));
    EVP_PKEY_CTX_free(context);
    memcpy(derived->key, out, 32);
    memcpy(derived->nonce, out + 32, 12);
    memcpy(derived->commitment, out + 44, 32);
}

/* commitment || ciphertext || tag */
static void seal_again(const struct derived *derived, struct octets header, struct octets plaintext,
                       uint8_t *out)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t nothing[16];
    int length = 0;

    assert_non_null(context);
    memcpy(out, derived->commitment, 32);
    out += 32;
    assert_int_equal(
        EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, derived->key, derived->nonce), 1);
    if (header.size != 0)
        assert_int_equal(EVP_EncryptUpdate(context, NULL, &length, header.data, (int)header.size),
                         1);
    /* Byte by byte, which a counter mode must not notice. */
    for (size_t n = 0; n < plaintext.size; n++) {
        assert_int_equal(EVP_EncryptUpdate(context, out++, &length, plaintext.data + n, 1), 1);
        assert_int_equal(length, 1);
    }
    assert_int_equal(EVP_EncryptFinal_ex(context, nothing, &length), 1);
    assert_int_equal(length, 0);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, out), 1);
    EVP_CIPHER_CTX_free(context);
}

static void the_sealed_bytes_are_those_of_a_second_implementation(void **state)
{
    struct world *world = *state;
    struct derived derived;

    derive(world->key.secret, world->salt, &derived);
    for (size_t size = 0; size <= MAX_PLAINTEXT; size += size < 40 ? 1 : 13) {
        for (size_t header = 0; header <= sizeof(world->header); header += 9) {
            uint8_t *ours = exact_buffer(size + SEAL_OVERHEAD), theirs[MAX_SEALED];

            assert_int_equal(seal(world->sealer, &world->key, world->salt,
                                  octets(world->header, header), octets(world->plaintext, size),
                                  ours),
                             1);
            expect_no_error(world->recorded);
            seal_again(&derived, octets(world->header, header), octets(world->plaintext, size),
                       theirs);
            assert_memory_equal(ours, theirs, 32 + size + 16);
            free(ours);
        }
    }
}

static void what_a_second_implementation_sealed_opens(void **state)
{
    struct world *world = *state;
    struct derived derived;
    struct blob blob;

    make_blob(world, 77, &blob);
    derive(world->key.secret, world->salt, &derived);
    memset(blob.sealed, 0, sizeof(blob.sealed));
    seal_again(&derived, octets(blob.header, sizeof(blob.header)), octets(world->plaintext, 77),
               blob.sealed);
    assert_opens(world, &blob);
}

static void the_overhead_is_a_commitment_and_a_tag(void **state)
{
    (void)state;
    assert_int_equal(SEAL_SALT_SIZE, 16);
    assert_int_equal(SEAL_COMMITMENT_SIZE, 32);
    assert_int_equal(SEAL_TAG_SIZE, 16);
    assert_int_equal(SEAL_OVERHEAD, 48);
}

/* ---- round trip ---- */

static void what_was_sealed_opens_at_every_size(void **state)
{
    struct world *world = *state;
    struct blob blob;

    for (size_t size = 0; size <= MAX_PLAINTEXT; size++) {
        make_blob(world, size, &blob);
        assert_opens(world, &blob);
    }
}

static void an_empty_plaintext_is_sealed_all_the_same(void **state)
{
    struct world *world = *state;
    struct octets header = octets(world->header, sizeof(world->header));
    uint8_t *sealed = exact_buffer(SEAL_OVERHEAD), *out = exact_buffer(0);

    assert_int_equal(seal(world->sealer, &world->key, world->salt, header, octets(NULL, 0), sealed),
                     1);
    assert_int_equal(
        unseal(world->sealer, &world->key, world->salt, header, octets(sealed, SEAL_OVERHEAD), out),
        1);
    expect_no_error(world->recorded);
    sealed[SEAL_OVERHEAD - 1] ^= 1;
    assert_int_equal(
        unseal(world->sealer, &world->key, world->salt, header, octets(sealed, SEAL_OVERHEAD), out),
        0);
    expect_one_error(world->recorded, SCHANNEL_R_SEAL_DOES_NOT_VERIFY, REFUSED_SENTENCE);
    free(out);
    free(sealed);
}

static void another_sealer_opens_it_too(void **state)
{
    struct world *world = *state;
    struct sealer *first = world->sealer;
    struct blob blob;

    make_blob(world, 48, &blob);
    world->sealer = sealer_new(NULL, "provider!=schannel", recorded_errors_target(world->recorded));
    assert_non_null(world->sealer);
    sealer_free(first);
    assert_opens(world, &blob);
}

/* ---- what does not open ---- */

static void every_flipped_bit_of_the_sealed_bytes_is_refused(void **state)
{
    struct world *world = *state;
    struct blob blob;

    make_blob(world, 33, &blob);
    for (size_t bit = 0; bit < 8 * (blob.size + SEAL_OVERHEAD); bit++) {
        blob.sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_changed_refused(world, &blob);
        blob.sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_opens(world, &blob);
}

static void every_flipped_bit_of_the_header_is_refused(void **state)
{
    struct world *world = *state;
    struct blob blob;

    make_blob(world, 33, &blob);
    for (size_t bit = 0; bit < 8 * sizeof(blob.header); bit++) {
        blob.header[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_changed_refused(world, &blob);
        blob.header[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_opens(world, &blob);
}

static void every_flipped_bit_of_the_salt_is_refused(void **state)
{
    struct world *world = *state;
    struct blob blob;

    make_blob(world, 33, &blob);
    for (size_t bit = 0; bit < 8 * sizeof(blob.salt); bit++) {
        blob.salt[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_changed_refused(world, &blob);
        blob.salt[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_opens(world, &blob);
}

static void every_flipped_bit_of_the_key_is_refused(void **state)
{
    struct world *world = *state;
    struct blob blob;

    make_blob(world, 33, &blob);
    for (size_t bit = 0; bit < 8 * sizeof(blob.key.secret); bit++) {
        blob.key.secret[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_changed_refused(world, &blob);
        blob.key.secret[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_opens(world, &blob);
}

static void every_truncation_is_refused(void **state)
{
    struct world *world = *state;
    struct blob blob;

    make_blob(world, 70, &blob);
    for (size_t size = 0; size < blob.size + SEAL_OVERHEAD; size++)
        assert_refused(world, &blob, octets(blob.header, sizeof(blob.header)), size);
    assert_opens(world, &blob);
}

static void bytes_cut_off_the_front_or_added_at_the_end_are_refused(void **state)
{
    struct world *world = *state;
    struct blob blob, cut;

    make_blob(world, 70, &blob);
    for (size_t gone = 1; gone < blob.size + SEAL_OVERHEAD; gone++) {
        cut = blob;
        memmove(cut.sealed, blob.sealed + gone, blob.size + SEAL_OVERHEAD - gone);
        assert_refused(world, &cut, octets(cut.header, sizeof(cut.header)),
                       blob.size + SEAL_OVERHEAD - gone);
    }
    for (size_t added = 1; added <= 20; added++) {
        blob.sealed[blob.size + SEAL_OVERHEAD + added - 1] = 0;
        assert_refused(world, &blob, octets(blob.header, sizeof(blob.header)),
                       blob.size + SEAL_OVERHEAD + added);
    }
}

static void a_shorter_header_is_refused(void **state)
{
    struct world *world = *state;
    struct blob blob;

    make_blob(world, 16, &blob);
    for (size_t size = 0; size < sizeof(blob.header); size++)
        assert_refused(world, &blob, octets(blob.header, size), blob.size + SEAL_OVERHEAD);
}

/* libcrypto counts in int: what it could not count is not even looked at. */
static void a_header_that_is_too_long_is_refused(void **state)
{
    struct world *world = *state;
    const struct octets header = octets(world->header, (size_t)INT_MAX + 1);
    uint8_t out[16 + SEAL_OVERHEAD];
    struct blob blob;

    make_blob(world, 16, &blob);
    memset(out, 0xa5, sizeof(out));
    assert_int_equal(
        seal(world->sealer, &world->key, world->salt, header, octets(world->plaintext, 16), out),
        0);
    expect_one_error(world->recorded, SCHANNEL_R_INVALID_LENGTH, "too much to seal");
    assert_cleansed(out, sizeof(out));
    memset(out, 0xa5, sizeof(out));
    assert_int_equal(
        unseal(world->sealer, &blob.key, blob.salt, header, octets(blob.sealed, sizeof(out)), out),
        0);
    expect_one_error(world->recorded, SCHANNEL_R_INVALID_LENGTH, "too much to seal");
    assert_cleansed(out, 16);
    assert_opens(world, &blob);
}

/* GCM alone would open this: the tag is right for the key, and only the commitment is another's. */
static void a_right_tag_under_a_wrong_commitment_is_refused(void **state)
{
    struct world *world = *state;
    struct derived derived, other;
    uint8_t other_secret[32];
    struct blob blob;

    make_blob(world, 50, &blob);
    fill(other_secret, sizeof(other_secret), 99);
    derive(world->key.secret, world->salt, &derived);
    derive(other_secret, world->salt, &other);
    memcpy(derived.commitment, other.commitment, sizeof(derived.commitment));
    seal_again(&derived, octets(blob.header, sizeof(blob.header)), octets(world->plaintext, 50),
               blob.sealed);
    assert_changed_refused(world, &blob);
    /* And a right commitment over another key's ciphertext. */
    derive(world->key.secret, world->salt, &derived);
    memcpy(other.commitment, derived.commitment, sizeof(other.commitment));
    seal_again(&other, octets(blob.header, sizeof(blob.header)), octets(world->plaintext, 50),
               blob.sealed);
    assert_changed_refused(world, &blob);
}

/* ---- one key for one blob ---- */

/* No six bytes in a row of one sealing are anywhere in the other. */
static void assert_nothing_shared(const struct blob *one, const struct blob *other)
{
    const size_t size = one->size + SEAL_OVERHEAD, run = 6;

    for (size_t here = 0; here + run <= size; here++) {
        for (size_t there = 0; there + run <= size; there++)
            assert_memory_not_equal(one->sealed + here, other->sealed + there, run);
    }
}

static void sealings_under_different_salts_share_nothing(void **state)
{
    struct world *world = *state;
    struct blob one, other;

    make_blob(world, 200, &one);
    for (size_t bit = 0; bit < 8 * SEAL_SALT_SIZE; bit += 17) {
        world->salt[bit / 8] ^= (uint8_t)(1u << bit % 8);
        make_blob(world, 200, &other);
        assert_nothing_shared(&one, &other);
        world->salt[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void sealings_under_different_keys_share_nothing(void **state)
{
    struct world *world = *state;
    struct blob one, other;

    make_blob(world, 200, &one);
    world->key.secret[31] ^= 0x80;
    make_blob(world, 200, &other);
    assert_nothing_shared(&one, &other);
}

/* The plaintext itself is nowhere in it. */
static void the_plaintext_does_not_show(void **state)
{
    struct world *world = *state;
    struct blob blob, plain;

    make_blob(world, 200, &blob);
    memset(&plain, 0, sizeof(plain));
    memcpy(plain.sealed, world->plaintext, sizeof(world->plaintext));
    plain.size = 200;
    assert_nothing_shared(&blob, &plain);
}

/* ---- without algorithms ---- */

static void without_the_algorithms_sealing_is_refused(void **state)
{
    struct world *world = *state;
    struct octets header = octets(world->header, sizeof(world->header));
    OSSL_LIB_CTX *empty = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *null_provider;
    struct sealer *sealer;
    uint8_t out[50 + SEAL_OVERHEAD];

    assert_non_null(empty);
    null_provider = OSSL_PROVIDER_load(empty, "null");
    assert_non_null(null_provider);
    sealer = sealer_new(empty, NULL, recorded_errors_target(world->recorded));
    assert_non_null(sealer);
    memset(out, UNTOUCHED, sizeof(out));
    assert_int_equal(
        seal(sealer, &world->key, world->salt, header, octets(world->plaintext, 50), out), 0);
    expect_one_error(world->recorded, SCHANNEL_R_ALGORITHM_UNAVAILABLE, "AES-256-GCM");
    assert_cleansed(out, sizeof(out));
    memset(out, UNTOUCHED, sizeof(out));
    assert_int_equal(unseal(sealer, &world->key, world->salt, header,
                            octets(world->plaintext, 50 + SEAL_OVERHEAD), out),
                     0);
    expect_one_error(world->recorded, SCHANNEL_R_ALGORITHM_UNAVAILABLE, "AES-256-GCM");
    assert_cleansed(out, 50);
    sealer_free(sealer);
    OSSL_PROVIDER_unload(null_provider);
    OSSL_LIB_CTX_free(empty);
}

static void the_property_query_is_followed(void **state)
{
    struct world *world = *state;
    struct sealer *sealer =
        sealer_new(NULL, "provider=nobody", recorded_errors_target(world->recorded));
    uint8_t out[1 + SEAL_OVERHEAD];

    assert_non_null(sealer);
    memset(out, UNTOUCHED, sizeof(out));
    assert_int_equal(seal(sealer, &world->key, world->salt, octets(world->header, 1),
                          octets(world->plaintext, 1), out),
                     0);
    expect_one_error(world->recorded, SCHANNEL_R_ALGORITHM_UNAVAILABLE, "offered by no other");
    assert_cleansed(out, sizeof(out));
    sealer_free(sealer);
}

static void freeing_nothing_is_allowed(void **state)
{
    struct world *world = *state;

    sealer_free(NULL);
    expect_no_error(world->recorded);
}

/* ---- threads ---- */

#define THREADS 8
#define ROUNDS  60

struct sealing_thread {
    struct world *world;
    pthread_barrier_t *start;
    pthread_t thread;
    unsigned number;
    int good;
};

/* The assertions of CMocka are for the test's own thread. */
static void *seal_and_open(void *argument)
{
    struct sealing_thread *self = argument;
    struct world *world = self->world;
    struct octets header = octets(world->header, sizeof(world->header));

    pthread_barrier_wait(self->start);
    self->good = 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint8_t plaintext[64], opened[64], sealed[64 + SEAL_OVERHEAD], again[64 + SEAL_OVERHEAD];
        uint8_t salt[SEAL_SALT_SIZE];

        fill(plaintext, sizeof(plaintext), self->number * ROUNDS + round);
        fill(salt, sizeof(salt), 7 * (self->number * ROUNDS + round));
        if (!seal(world->sealer, &world->key, salt, header, octets(plaintext, 64), sealed) ||
            !unseal(world->sealer, &world->key, salt, header, octets(sealed, sizeof(sealed)),
                    opened) ||
            memcmp(opened, plaintext, sizeof(opened)) != 0 ||
            !seal(world->sealer, &world->key, salt, header, octets(plaintext, 64), again) ||
            memcmp(again, sealed, sizeof(again)) != 0)
            self->good = 0;
    }
    return NULL;
}

/* A new sealer each time, so that the threads meet while it fetches its algorithms. */
static void eight_threads_seal_at_once(void **state)
{
    struct world *world = *state;

    for (unsigned times = 0; times < 10; times++) {
        struct sealing_thread threads[THREADS];
        pthread_barrier_t start;

        sealer_free(world->sealer);
        world->sealer = sealer_new(NULL, NULL, recorded_errors_target(world->recorded));
        assert_non_null(world->sealer);
        assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
        for (unsigned n = 0; n < THREADS; n++) {
            threads[n] = (struct sealing_thread){ .world = world, .start = &start, .number = n };
            assert_int_equal(pthread_create(&threads[n].thread, NULL, seal_and_open, &threads[n]),
                             0);
        }
        for (unsigned n = 0; n < THREADS; n++)
            assert_int_equal(pthread_join(threads[n].thread, NULL), 0);
        for (unsigned n = 0; n < THREADS; n++)
            assert_int_equal(threads[n].good, 1);
        assert_int_equal(pthread_barrier_destroy(&start), 0);
        expect_no_error(world->recorded);
    }
}

#define sealing_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        sealing_test(the_sealed_bytes_are_those_of_a_second_implementation),
        sealing_test(what_a_second_implementation_sealed_opens),
        sealing_test(the_overhead_is_a_commitment_and_a_tag),
        sealing_test(what_was_sealed_opens_at_every_size),
        sealing_test(an_empty_plaintext_is_sealed_all_the_same),
        sealing_test(another_sealer_opens_it_too),
        sealing_test(every_flipped_bit_of_the_sealed_bytes_is_refused),
        sealing_test(every_flipped_bit_of_the_header_is_refused),
        sealing_test(every_flipped_bit_of_the_salt_is_refused),
        sealing_test(every_flipped_bit_of_the_key_is_refused),
        sealing_test(every_truncation_is_refused),
        sealing_test(bytes_cut_off_the_front_or_added_at_the_end_are_refused),
        sealing_test(a_shorter_header_is_refused),
        sealing_test(a_header_that_is_too_long_is_refused),
        sealing_test(a_right_tag_under_a_wrong_commitment_is_refused),
        sealing_test(sealings_under_different_salts_share_nothing),
        sealing_test(sealings_under_different_keys_share_nothing),
        sealing_test(the_plaintext_does_not_show),
        sealing_test(without_the_algorithms_sealing_is_refused),
        sealing_test(the_property_query_is_followed),
        sealing_test(freeing_nothing_is_allowed),
        sealing_test(eight_threads_seal_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
