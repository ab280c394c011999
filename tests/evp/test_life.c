/*
 * The provider comes and goes: loaded and unloaded a thousand times, in two library contexts at
 * once, by configuration and by hand at once, cleaned up beneath live keys, and inherited by children
 * that are forked at awkward moments.
 *
 * Each test runs in a process of its own, so that libcrypto starts afresh and may be cleaned up.
 */
#include "fixture.h"

#include "sample.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOADS      1000
#define TIME_LIMIT 120  /* seconds, for one test; a sample is run by slow tools */
#define WARM_UP    10   /* one in so many loads, until the allocator has what it needs */
#define MAX_GROWTH 1024 /* KiB after that */
#define TEXT_SIZE  32

/* ---- processes ---- */

/* In a child: what fails there ends it, with a message. */
static void in_a_process(void (*work)(void))
{
    int status = -1;
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        alarm(is_sample() ? 10 * TIME_LIMIT : TIME_LIMIT);
        setenv("CMOCKA_TEST_ABORT", "1", 1);
        work();
        exit(0); /* through libcrypto's own cleaning up */
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        fail_msg("the process died of signal %d", WTERMSIG(status));
    assert_int_equal(status, 0);
}

static size_t open_files(void)
{
    DIR *files = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(files);
    while (readdir(files) != NULL)
        count++;
    closedir(files);
    return count;
}

static long resident_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long size, resident;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ---- a library context with a key in it ---- */

struct world {
    OSSL_LIB_CTX *libctx; /* NULL: the default one */
    OSSL_PROVIDER *standard, *schannel;
    EVP_PKEY *key;
    EVP_CIPHER_CTX *context; /* bound to it */
    EVP_MD_CTX *signature;   /* in the middle of a message */
};

static void load(struct world *world)
{
    world->standard = OSSL_PROVIDER_load(world->libctx, "default");
    assert_non_null(world->standard);
    assert_int_equal(OSSL_PROVIDER_set_default_search_path(world->libctx, MODULE_DIR), 1);
    world->schannel = OSSL_PROVIDER_load(world->libctx, "schannel");
    assert_non_null(world->schannel);
}

static void unload(struct world *world)
{
    assert_int_equal(OSSL_PROVIDER_unload(world->schannel), 1);
    assert_int_equal(OSSL_PROVIDER_unload(world->standard), 1);
}

static EVP_PKEY *new_key(OSSL_LIB_CTX *own, const char *alg, const char *digest)
{
    uint8_t secret[20] = { 0 };
    OSSL_PARAM params[] = { text_param("alg", alg), octets_param("secret", secret, 16),
                            OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *import = EVP_PKEY_CTX_new_from_name(own, "SCHANNEL", NULL);
    EVP_PKEY *key = NULL;

    pattern(secret, sizeof(secret), 5);
    if (digest != NULL) {
        params[1].data_size = 20;
        params[2] = text_param("digest", digest);
    }
    assert_int_equal(EVP_PKEY_fromdata_init(import), 1);
    assert_int_equal(EVP_PKEY_fromdata(import, &key, EVP_PKEY_KEYPAIR, params), 1);
    EVP_PKEY_CTX_free(import);
    return key;
}

static void bind_to(struct world *world, const uint8_t handle[KEY_HANDLE_SIZE])
{
    OSSL_PARAM params[] = { octets_param("key-handle", handle, KEY_HANDLE_SIZE),
                            OSSL_PARAM_construct_end() };
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(world->libctx, "SCHANNEL-RC4", NULL);

    assert_non_null(cipher);
    world->context = EVP_CIPHER_CTX_new();
    if (!EVP_EncryptInit_ex2(world->context, cipher, NULL, NULL, params)) {
        EVP_CIPHER_CTX_free(world->context);
        world->context = NULL;
    }
    EVP_CIPHER_free(cipher);
}

static void make_key_and_contexts(struct world *world)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    EVP_PKEY *mac = new_key(world->libctx, "TLS1-MAC", "SHA1");

    world->key = new_key(world->libctx, "RC4", NULL);
    get_handle(world->key, handle);
    bind_to(world, handle);
    assert_non_null(world->context);
    world->signature = EVP_MD_CTX_new();
    assert_int_equal(
        EVP_DigestSignInit_ex(world->signature, NULL, NULL, world->libctx, NULL, mac, NULL), 1);
    assert_int_equal(EVP_DigestSignUpdate(world->signature, handle, sizeof(handle)), 1);
    EVP_PKEY_free(mac); /* the context has it */
}

static void free_key_and_contexts(struct world *world)
{
    EVP_MD_CTX_free(world->signature);
    EVP_CIPHER_CTX_free(world->context);
    EVP_PKEY_free(world->key);
}

/* The next bytes of the stream; the first ones are those of RC4. */
static void encrypt(struct world *world, uint8_t out[TEXT_SIZE])
{
    static const uint8_t zeros[TEXT_SIZE];
    int size = 0;

    assert_int_equal(EVP_EncryptUpdate(world->context, out, &size, zeros, TEXT_SIZE), 1);
    assert_int_equal(size, TEXT_SIZE);
}

/* What comes after |pieces| of the stream of a key that nobody disturbs. */
static void serial(const struct world *world, unsigned pieces, uint8_t expected[TEXT_SIZE])
{
    struct world other = { .libctx = world->libctx };
    uint8_t handle[KEY_HANDLE_SIZE];

    other.key = new_key(world->libctx, "RC4", NULL);
    get_handle(other.key, handle);
    bind_to(&other, handle);
    for (unsigned n = 0; n < pieces; n++)
        encrypt(&other, expected);
    encrypt(&other, expected);
    free_key_and_contexts(&other);
}

static void expect_stream(struct world *world, unsigned pieces)
{
    uint8_t expected[TEXT_SIZE], actual[TEXT_SIZE];

    serial(world, pieces, expected);
    encrypt(world, actual);
    assert_memory_equal(actual, expected, TEXT_SIZE);
}

/* ---- loaded and unloaded ---- */

static void load_again_and_again(void)
{
    const size_t loads = sampled_rounds(LOADS, 2 * WARM_UP), warm_up = loads / WARM_UP;
    size_t files = 0;
    long resident = 0;

    for (size_t n = 0; n < loads; n++) {
        struct world world = { .libctx = n % 2 == 0 ? OSSL_LIB_CTX_new() : NULL };

        load(&world);
        make_key_and_contexts(&world);
        expect_stream(&world, 0);
        free_key_and_contexts(&world);
        unload(&world);
        OSSL_LIB_CTX_free(world.libctx);
        if (n == warm_up) {
            files = open_files();
            resident = resident_kib();
        }
    }
    assert_int_equal(open_files(), files);
    print_message("%zu loads: %ld KiB more than after %zu\n", loads, resident_kib() - resident,
                  warm_up);
#if !WITH_SANITIZER   /* which keeps freed memory back, and counts what is not freed */
    if (!is_sample()) /* memcheck does so too */
        assert_true(resident_kib() - resident < MAX_GROWTH);
#endif
}

static void a_thousand_loads_leave_nothing_behind(void **state)
{
    (void)state;
    in_a_process(load_again_and_again);
}

/* ---- two library contexts ---- */

static void use_two_contexts(void)
{
    struct world a = { .libctx = OSSL_LIB_CTX_new() }, b = { .libctx = OSSL_LIB_CTX_new() };
    struct world stranger = { .libctx = b.libctx };
    uint8_t handle[KEY_HANDLE_SIZE];

    load(&a);
    load(&b);
    make_key_and_contexts(&a);
    make_key_and_contexts(&b);
    expect_stream(&a, 0);
    expect_stream(&b, 0);
    get_handle(a.key, handle);
    bind_to(&stranger, handle); /* of the other context */
    assert_null(stranger.context);
    assert_reason("unknown key handle", "library context");
    free_key_and_contexts(&a);
    unload(&a);
    OSSL_LIB_CTX_free(a.libctx);
    expect_stream(&b, 1);
    free_key_and_contexts(&b);
    unload(&b);
    OSSL_LIB_CTX_free(b.libctx);
}

static void two_library_contexts_know_nothing_of_each_other(void **state)
{
    (void)state;
    in_a_process(use_two_contexts);
}

/* ---- configuration and -provider ---- */

static void write_configuration(const char *path, const char *seal_key)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fprintf(file,
            "openssl_conf = init\n[init]\nproviders = list\n[list]\ndefault = standard\n"
            "schannel = ours\n[standard]\nactivate = 1\n[ours]\nmodule = %s/schannel.so\n"
            "activate = 1\nseal-key = %s\n",
            MODULE_DIR, seal_key);
    fclose(file);
}

static void activate_twice(void)
{
    struct world world = { .libctx = OSSL_LIB_CTX_new() };
    char path[128];
    uint8_t blob[MAX_BLOB];

    snprintf(path, sizeof(path), "%s/life.cnf", directory);
    write_configuration(path, seal_key_a);
    assert_int_equal(OSSL_LIB_CTX_load_config(world.libctx, path), 1);
    unlink(path);
    make_key_and_contexts(&world);
    load(&world);
    expect_stream(&world, 0);
    assert_true(export_blob(world.key, blob) > 0); /* sealed with the configuration's key */
    unload(&world);
    expect_stream(&world, 1); /* the configuration's activation holds */
    assert_true(export_blob(world.key, blob) > 0);
    free_key_and_contexts(&world);
    OSSL_LIB_CTX_free(world.libctx);
}

static void a_provider_activated_twice_stays_until_the_last_has_left(void **state)
{
    (void)state;
    in_a_process(activate_twice);
}

/* ---- OPENSSL_cleanup ---- */

static struct world live; /* so that nothing of it counts as leaked */

static void leave_live_keys_to_exit(void)
{
    load(&live);
    make_key_and_contexts(&live);
    expect_stream(&live, 0);
}

static void clean_up_beneath_live_keys(void)
{
    leave_live_keys_to_exit();
    OPENSSL_cleanup();
}

static void unload_beneath_live_keys(void)
{
    uint8_t expected[TEXT_SIZE], actual[TEXT_SIZE];

    leave_live_keys_to_exit();
    serial(&live, 1, expected);
    unload(&live);
    encrypt(&live, actual); /* a key keeps its provider */
    assert_memory_equal(actual, expected, TEXT_SIZE);
    free_key_and_contexts(&live);
}

static void the_end_of_libcrypto_may_come_before_that_of_a_key(void **state)
{
    (void)state;
    in_a_process(leave_live_keys_to_exit);
    in_a_process(clean_up_beneath_live_keys);
    in_a_process(unload_beneath_live_keys);
}

/* ---- fork ---- */

static void free_then_unload(void)
{
    free_key_and_contexts(&live);
    unload(&live);
}

static void unload_then_free(void)
{
    unload(&live);
    free_key_and_contexts(&live);
}

static void go_on_with_a_provider_of_its_own(void)
{
    struct world own = { .libctx = OSSL_LIB_CTX_new() };

    load(&own);
    make_key_and_contexts(&own);
    expect_stream(&own, 0);
    free_key_and_contexts(&own);
    unload(&own);
    OSSL_LIB_CTX_free(own.libctx);
    free_then_unload();
}

static void retire_then_clean_up(void)
{
    int yes = 1;
    OSSL_PARAM retire[] = { OSSL_PARAM_construct_int("retire", &yes), OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_PKEY_set_params(live.key, retire), 1);
    OPENSSL_cleanup();
}

/* With keys, bound contexts and a message in the middle; the parent's go on. */
static void fork_in_the_middle(void)
{
    static void (*const ends[])(void) = { free_then_unload, unload_then_free, OPENSSL_cleanup,
                                          retire_then_clean_up, go_on_with_a_provider_of_its_own };
    uint8_t mac[20];
    size_t size = sizeof(mac);
    unsigned pieces = 0;

    load(&live);
    in_a_process(go_on_with_a_provider_of_its_own); /* before the first use: nothing is fetched */
    make_key_and_contexts(&live);
    for (size_t n = 0; n < sizeof(ends) / sizeof(ends[0]); n++) {
        in_a_process(ends[n]);
        expect_stream(&live, pieces++);
    }
    assert_int_equal(EVP_DigestSignFinal(live.signature, mac, &size), 1);
    free_then_unload();
}

static void children_may_end_in_any_way(void **state)
{
    (void)state;
    in_a_process(fork_in_the_middle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_loads_leave_nothing_behind),
        cmocka_unit_test(two_library_contexts_know_nothing_of_each_other),
        cmocka_unit_test(a_provider_activated_twice_stays_until_the_last_has_left),
        cmocka_unit_test(the_end_of_libcrypto_may_come_before_that_of_a_key),
        cmocka_unit_test(children_may_end_in_any_way),
    };

    return cmocka_run_group_tests(tests, fixture_files, fixture_remove_files);
}
