/*
 * Exchanged and signed blobs in many threads at once, with keys, files and a store that they share;
 * and in children that are forked in the middle of it.
 */
#include "blob_calls.h"
#include "sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS     32
#define ROUNDS      6
#define CHILDREN    8
#define CHILD_LIMIT 60 /* seconds */

static char private_path[96], public_path[96], file_path[96];
static EVP_PKEY *shared; /* exported by everybody */
static struct exported *simple, *signed_simple;
static atomic_int failures;
static size_t rounds;

/* Not the assertions of CMocka: they leave the thread that runs the test. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition) && atomic_fetch_add(&failures, 1) == 0)                                   \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                \
    } while (0)

static void receiver_params(OSSL_PARAM params[4], const char *exchange_key,
                            const char *signature_key)
{
    *params++ = text_param("exchange-key", exchange_key);
    if (signature_key != NULL)
        *params++ = text_param("signature-key", signature_key);
    *params = OSSL_PARAM_construct_end();
}

static int setup(void **state)
{
    OSSL_PARAM params[4];

    if (fixture_setup(state) != 0)
        return -1;
    snprintf(private_path, sizeof(private_path), "%s/rsa.pem", directory);
    snprintf(public_path, sizeof(public_path), "%s/rsa.pub.pem", directory);
    snprintf(file_path, sizeof(file_path), "%s/blob", directory);
    write_rsa_key(private_path, public_path, 1024);
    shared = secret_key(libctx, "TLS1-MASTER", 48);
    simple = malloc(sizeof(*simple));
    signed_simple = malloc(sizeof(*signed_simple));
    assert_non_null(simple);
    assert_non_null(signed_simple);
    receiver_params(params, public_path, NULL);
    assert_int_equal(export_as(shared, "simpleblob", params, simple), 1);
    receiver_params(params, public_path, private_path);
    params[2] = text_param("inner", "simpleblob");
    params[3] = OSSL_PARAM_construct_end();
    assert_int_equal(export_as(shared, "signedblob", params, signed_simple), 1);
    write_file(file_path, simple->data, simple->size);
    rounds = sampled_rounds(ROUNDS, 1);
    return 0;
}

static int teardown(void **state)
{
    EVP_PKEY_free(shared);
    free(simple);
    free(signed_simple);
    unlink(private_path);
    unlink(public_path);
    unlink(file_path);
    return fixture_teardown(state);
}

/* ---- one round of everything ---- */

static int open_blob(const struct exported *blob, const char *exchange_key,
                     const char *signature_key)
{
    OSSL_PARAM params[4];
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *decoder =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, "SCHANNEL", EVP_PKEY_KEYPAIR, libctx, NULL);
    const unsigned char *at = blob->data;
    size_t left = blob->size;
    int ok;

    receiver_params(params, exchange_key, signature_key);
    ok = decoder != NULL && OSSL_DECODER_CTX_set_params(decoder, params) &&
         OSSL_DECODER_from_data(decoder, &at, &left) && EVP_PKEY_eq(key, shared) == 1;
    OSSL_DECODER_CTX_free(decoder);
    EVP_PKEY_free(key);
    return ok;
}

static int make_blob(const char *type, const OSSL_PARAM params[])
{
    OSSL_ENCODER_CTX *encoder =
        OSSL_ENCODER_CTX_new_for_pkey(shared, EVP_PKEY_KEYPAIR, type, NULL, NULL);
    unsigned char *data = NULL;
    size_t size = 0;
    int ok = encoder != NULL && OSSL_ENCODER_CTX_set_params(encoder, params) &&
             OSSL_ENCODER_to_data(encoder, &data, &size);

    OSSL_ENCODER_CTX_free(encoder);
    OPENSSL_free(data);
    return ok && size != 0;
}

static int load_file(void)
{
    char uri[300];
    OSSL_STORE_CTX *store;
    OSSL_STORE_INFO *info = NULL;
    int ok;

    snprintf(uri, sizeof(uri), "schannel:%s?exchange-key=%s", file_path, private_path);
    store = OSSL_STORE_open_ex(uri, libctx, NULL, NULL, NULL, NULL, NULL, NULL);
    if (store != NULL)
        info = OSSL_STORE_load(store);
    ok = info != NULL && EVP_PKEY_eq(OSSL_STORE_INFO_get0_PKEY(info), shared) == 1;
    OSSL_STORE_INFO_free(info);
    OSSL_STORE_close(store);
    return ok;
}

static void *work(void *unused)
{
    for (size_t n = 0; n < rounds; n++) {
        OSSL_PARAM params[4];

        CHECK(open_blob(simple, private_path, NULL));
        CHECK(open_blob(signed_simple, private_path, public_path));
        receiver_params(params, public_path, NULL);
        CHECK(make_blob("simpleblob", params));
        receiver_params(params, public_path, private_path);
        params[2] = text_param("inner", "simpleblob");
        params[3] = OSSL_PARAM_construct_end();
        CHECK(make_blob("signedblob", params));
        CHECK(load_file());
        /* One that fails beside them: its errors are its own, and it is not inside for ever. */
        CHECK(!open_blob(simple, file_path, NULL));
        CHECK(ERR_peek_error() != 0);
        ERR_clear_error();
    }
    OPENSSL_thread_stop_ex(libctx);
    return unused;
}

static void start(pthread_t threads[THREADS])
{
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(pthread_create(&threads[n], NULL, work, NULL), 0);
}

static void join(pthread_t threads[THREADS])
{
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(pthread_join(threads[n], NULL), 0);
    assert_int_equal(atomic_load(&failures), 0);
}

static void many_threads_share_keys_files_and_the_store(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    start(threads);
    join(threads);
    assert_no_errors();
}

/* ---- fork ---- */

static void run_child(void)
{
    alarm(is_sample() ? 10 * CHILD_LIMIT : CHILD_LIMIT);
    (void)work(NULL);
    _exit(atomic_load(&failures) != 0);
}

static void wait_for(pid_t child)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        fail_msg("the child died of signal %d", WTERMSIG(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_child_exchanges_with_what_it_inherits(void **state)
{
    pid_t child[CHILDREN];

    (void)state;
    for (size_t n = 0; n < CHILDREN; n++) {
        assert_true((child[n] = fork()) >= 0);
        if (child[n] == 0)
            run_child();
    }
    (void)work(NULL);
    for (size_t n = 0; n < CHILDREN; n++)
        wait_for(child[n]);
    assert_int_equal(atomic_load(&failures), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_share_keys_files_and_the_store),
        cmocka_unit_test(a_child_exchanges_with_what_it_inherits),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
