/*
 * A reconnect storm: threads that set new randoms on one master key again and again, and others that
 * derive from it meanwhile.  Each generation context is one master hash: all its keys are those of
 * one pair of randoms, whichever the master had when the context took its copy.
 */
#include "protocols.h"

#include <pthread.h>
#include <stdatomic.h>

#define DERIVING  24
#define CHANGING  2
#define ROUNDS    50
#define PAIRS     32
#define USAGES    4
#define KEY_BYTES 16

static const char *const usages[USAGES] = { "client-write-key", "server-write-key",
                                            "client-write-mac", "server-write-mac" };

struct storm {
    const struct protocol *protocol;
    EVP_PKEY *master;
    size_t usages; /* SSL 2.0 has no MAC keys */
    struct material material[PAIRS];
    uint8_t expected[PAIRS][USAGES][KEY_BYTES];
    atomic_int is_over, refused, contexts, mixed;
};

static int set_pair(EVP_PKEY *master, struct material *material)
{
    OSSL_PARAM params[] = { octets_param("client-random", material->client, RANDOM_SIZE),
                            octets_param("server-random", material->server, RANDOM_SIZE),
                            OSSL_PARAM_construct_end() };

    return EVP_PKEY_set_params(master, params) > 0;
}

/* CMocka's assertions belong to the main thread. */
static void *change(void *argument)
{
    struct storm *storm = argument;

    for (size_t n = 0; !storm->is_over; n++) {
        if (!set_pair(storm->master, &storm->material[n % PAIRS]))
            storm->refused++;
    }
    return NULL;
}

static int take_bytes(const OSSL_PARAM params[], void *argument)
{
    const OSSL_PARAM *secret = OSSL_PARAM_locate_const(params, "secret");

    if (secret == NULL || secret->data_size != KEY_BYTES)
        return 0;
    memcpy(argument, secret->data, KEY_BYTES);
    return 1;
}

/* SSL 2.0's keys are not exported raw: what 16 zeros become under them. */
static int use_key(EVP_PKEY *key, uint8_t out[KEY_BYTES])
{
    static const uint8_t zeros[KEY_BYTES];
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    size_t size = KEY_BYTES;
    int ok = EVP_PKEY_encrypt_init(context) > 0 &&
             EVP_PKEY_encrypt(context, out, &size, zeros, KEY_BYTES) > 0 && size == KEY_BYTES;

    EVP_PKEY_CTX_free(context);
    return ok;
}

static int derive_next(const struct storm *storm, EVP_PKEY_CTX *context, const char *usage,
                       uint8_t out[KEY_BYTES])
{
    int yes = 1, ok;
    OSSL_PARAM params[] = { text_param("usage", usage),
                            OSSL_PARAM_construct_int("exportable", &yes),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY *key = NULL;

    ok = EVP_PKEY_CTX_set_params(context, params) > 0 && EVP_PKEY_generate(context, &key) > 0 &&
         (storm->protocol == &protocols[SSL2]
              ? use_key(key, out)
              : EVP_PKEY_export(key, EVP_PKEY_KEYPAIR, take_bytes, out));
    EVP_PKEY_free(key);
    return ok;
}

static int is_of_one_pair(const struct storm *storm, uint8_t keys[USAGES][KEY_BYTES])
{
    for (size_t n = 0; n < PAIRS; n++) {
        if (memcmp(storm->expected[n], keys, storm->usages * KEY_BYTES) == 0)
            return 1;
    }
    return 0;
}

static void *derive(void *argument)
{
    struct storm *storm = argument;

    for (size_t round = 0; round < ROUNDS; round++) {
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, storm->master, NULL);
        uint8_t keys[USAGES][KEY_BYTES];
        int ok = EVP_PKEY_keygen_init(context) > 0;

        for (size_t n = 0; ok && n < storm->usages; n++)
            ok = derive_next(storm, context, usages[n], keys[n]);
        EVP_PKEY_CTX_free(context);
        if (!ok)
            storm->refused++;
        else if (!is_of_one_pair(storm, keys))
            storm->mixed++;
        storm->contexts++;
    }
    return NULL;
}

/* The keys of each pair, one thread and one pair at a time. */
static void start(struct storm *storm, const struct protocol *protocol)
{
    memset(storm, 0, sizeof(*storm));
    storm->protocol = protocol;
    storm->usages = protocol->has_mac_keys ? USAGES : 2;
    for (unsigned n = 0; n < PAIRS; n++)
        make_material(&storm->material[n], n);
    storm->master = new_master(protocol, &storm->material[0]);
    for (size_t n = 0; n < PAIRS; n++) {
        EVP_PKEY_CTX *context = new_generation(storm->master, NULL);

        assert_true(set_pair(storm->master, &storm->material[n]));
        for (size_t u = 0; u < storm->usages; u++)
            assert_true(derive_next(storm, context, usages[u], storm->expected[n][u]));
        assert_int_equal(
            n > 0 && memcmp(storm->expected[n], storm->expected[n - 1], KEY_BYTES) == 0, 0);
        EVP_PKEY_CTX_free(context);
    }
}

static void each_context_has_the_randoms_of_one_moment(void **state)
{
    static struct storm storm;

    (void)state;
    for (size_t n = 0; n < PROTOCOLS; n++) {
        pthread_t threads[DERIVING + CHANGING];

        start(&storm, &protocols[n]);
        for (size_t t = 0; t < DERIVING + CHANGING; t++)
            assert_int_equal(
                pthread_create(&threads[t], NULL, t < DERIVING ? derive : change, &storm), 0);
        for (size_t t = 0; t < DERIVING; t++)
            pthread_join(threads[t], NULL);
        storm.is_over = 1;
        for (size_t t = DERIVING; t < DERIVING + CHANGING; t++)
            pthread_join(threads[t], NULL);
        print_message("%s: %d contexts in %d threads\n", protocols[n].master, storm.contexts,
                      DERIVING);
        assert_int_equal(storm.contexts, DERIVING * ROUNDS);
        assert_int_equal(storm.refused, 0);
        assert_int_equal(storm.mixed, 0);
        EVP_PKEY_free(storm.master);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_context_has_the_randoms_of_one_moment,
                               starts_with_a_clean_queue),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
