/*
 * Keys and fork: what a child inherits it cannot advance, the parent goes on unharmed, and there are
 * ways to allow it or to move the state.
 *
 * Children end with _exit; a failed assertion in one aborts it, with its message, and the parent sees
 * that.
 */
#include "stream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIME_LIMIT   600 /* seconds, for the whole program */
#define CHILD_LIMIT  20  /* seconds, for a child */
#define HANG_LIMIT   30  /* seconds, for one that does not wait for anybody */
#define CUT          21  /* units that the parent has done before it forks */

#define REFUSED      "key was inherited over fork"

#define SIZES(array) (array), sizeof(array) / sizeof((array)[0])

static const size_t block_sizes[] = { 48, 16 }, byte_sizes[] = { 60, 1 };
static const size_t record_sizes[] = { 40, 9 };

/* A key that the parent has advanced, and what is left of its stream; in a child that makes one of its
 * own also the one it came with. */
static struct {
    struct stream stream;
    struct holder holder;   /* the key object */
    EVP_CIPHER_CTX *cipher; /* bound to it; the other is NULL */
    EVP_MAC_CTX *mac;
    size_t written;
} own, inherited;

/* ---- processes ---- */

static pid_t start_child(void (*work)(void), unsigned limit)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child != 0)
        return child;
    alarm(limit);
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    work();
    _exit(0);
}

static void end_child(pid_t child)
{
    int status = -1;

    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        fail_msg("the child died of signal %d", WTERMSIG(status));
    assert_int_equal(status, 0);
}

static void in_child(void (*work)(void))
{
    end_child(start_child(work, CHILD_LIMIT));
}

/* ---- the key ---- */

static void make_stream(unsigned algorithm)
{
    if (algorithms[algorithm].cipher == NULL)
        stream_init(&own.stream, algorithm, 0, 0, 1, 0, SIZES(record_sizes));
    else if (algorithms[algorithm].block == 1)
        stream_init(&own.stream, algorithm, 1, 0, 0, 0, SIZES(byte_sizes));
    else
        stream_init(&own.stream, algorithm, 1, 0, 0, 0, SIZES(block_sizes));
}

static void bind_contexts(void)
{
    if (algorithms[own.stream.algorithm].cipher != NULL)
        own.cipher = stream_bind_cipher(&own.stream, own.holder.key);
    else
        own.mac = stream_bind_mac(&own.stream, own.holder.key);
}

static void release_contexts(void)
{
    EVP_CIPHER_CTX_free(own.cipher);
    EVP_MAC_CTX_free(own.mac);
    own.cipher = NULL;
    own.mac = NULL;
}

static void advance(size_t from, size_t to)
{
    uint8_t out[STREAM_MAX_OUTPUT];
    size_t size;

    stream_run(&own.stream, own.cipher, own.mac, from, to, 0, out, &size);
    assert_memory_equal(out, own.stream.expected + own.written, size);
    own.written += size;
}

/* Makes the key of |algorithm| and advances it by |units|, with contexts bound to it. */
static void make_own(unsigned algorithm, size_t units)
{
    memset(&own, 0, sizeof(own));
    make_stream(algorithm);
    holder_make(&own.holder, &own.stream, 0);
    bind_contexts();
    advance(0, units);
}

/* The parent's state is unharmed: the stream ends as if nothing had been. */
static void finish_own(size_t from)
{
    advance(from, own.stream.units);
    assert_int_equal(own.written, own.stream.expected_size);
    assert_no_errors();
    release_contexts();
    holder_free(&own.holder);
}

static void free_own(void)
{
    release_contexts();
    holder_free(&own.holder);
}

static int is_cipher(void)
{
    return own.cipher != NULL;
}

/* Every algorithm that has key objects. */
static void for_every_algorithm(void (*check)(void))
{
    for (unsigned a = 0; a < MAC_SHORT; a++) {
        make_own(a, CUT);
        check();
        finish_own(CUT);
    }
}

/* ---- refusals ---- */

static void expect_refusal(int result)
{
    assert_true(result <= 0);
    assert_reason(REFUSED, "fork");
}

static void cipher_is_refused(EVP_CIPHER_CTX *context)
{
    uint8_t out[64], iv[16] = { 0 };
    int size = 0;

    for (int again = 0; again < 2; again++) {
        expect_refusal(EVP_CipherUpdate(context, out, &size, (const uint8_t *)"x", 1));
        expect_refusal(EVP_CipherFinal_ex(context, out, &size));
        expect_refusal(EVP_Cipher(context, out, own.stream.text, 16));
        expect_refusal(EVP_CipherInit_ex2(context, NULL, NULL, NULL, 1, NULL));
        expect_refusal(EVP_CipherInit_ex2(context, NULL, NULL, iv, 1, NULL));
    }
}

static void mac_is_refused(EVP_MAC_CTX *context)
{
    uint8_t out[20];
    size_t size = 0;

    for (int again = 0; again < 2; again++) {
        expect_refusal(EVP_MAC_update(context, (const uint8_t *)"x", 1));
        expect_refusal(EVP_MAC_final(context, out, &size, sizeof(out)));
        expect_refusal(EVP_MAC_init(context, NULL, 0, NULL));
    }
}

static void a_new_context_is_refused(EVP_PKEY *key)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };

    get_handle(key, handle);
    if (is_cipher()) {
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

        expect_refusal(
            EVP_CipherInit_ex2(context, stream_cipher(&own.stream), NULL, NULL, 1, bind));
        EVP_CIPHER_CTX_free(context);
    } else {
        EVP_MAC_CTX *context = EVP_MAC_CTX_new(stream_mac(&own.stream));

        expect_refusal(EVP_MAC_init(context, NULL, 0, bind));
        EVP_MAC_CTX_free(context);
    }
}

static void messages_are_refused(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);

    expect_refusal(EVP_PKEY_encrypt_init(context));
    expect_refusal(EVP_PKEY_decrypt_init(context));
    EVP_PKEY_CTX_free(context);
}

static EVP_MD_CTX *start_signature(EVP_PKEY *key, int record, int verify)
{
    struct stream_record params;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *inner = NULL;

    assert_int_equal(verify
                         ? EVP_DigestVerifyInit_ex(context, &inner, NULL, libctx, NULL, key, NULL)
                         : EVP_DigestSignInit_ex(context, &inner, NULL, libctx, NULL, key, NULL),
                     1);
    stream_record(&algorithms[own.stream.algorithm], NULL, &params);
    if (record)
        assert_int_equal(EVP_PKEY_CTX_set_params(inner, params.params), 1);
    return context;
}

static void record_signatures_are_refused(EVP_PKEY *key)
{
    uint8_t out[20] = { 0 };
    size_t size = sizeof(out);
    EVP_MD_CTX *context = start_signature(key, 1, 0);

    assert_int_equal(EVP_DigestSignUpdate(context, "record", 6), 1);
    expect_refusal(EVP_DigestSignFinal(context, out, &size));
    EVP_MD_CTX_free(context);
    context = start_signature(key, 1, 1);
    assert_int_equal(EVP_DigestVerifyUpdate(context, "record", 6), 1);
    expect_refusal(EVP_DigestVerifyFinal(context, out, size));
    EVP_MD_CTX_free(context);
}

static void everything_is_refused(EVP_PKEY *key)
{
    a_new_context_is_refused(key);
    if (is_cipher())
        messages_are_refused(key);
    else
        record_signatures_are_refused(key);
}

static void child_is_refused(void)
{
    if (is_cipher())
        cipher_is_refused(own.cipher);
    else
        mac_is_refused(own.mac);
    everything_is_refused(own.holder.key);
    assert_no_errors();
}

static void fork_and_be_refused(void)
{
    in_child(child_is_refused);
}

static void an_inherited_key_does_not_advance_and_the_parent_goes_on(void **state)
{
    (void)state;
    for_every_algorithm(fork_and_be_refused);
}

/* The parent goes on between forks, in the middle of blocks and records. */
static void a_parent_that_forks_at_every_position_goes_on(void **state)
{
    size_t forks = 0;

    (void)state;
    for (unsigned a = DES_EDE3; a < MAC_SHORT; a += 2) {
        make_own(a, 0);
        for (size_t at = 0; at < own.stream.units; at++, forks++) {
            in_child(child_is_refused);
            advance(at, at + 1);
        }
        finish_own(own.stream.units);
    }
    print_message("%zu forks\n", forks);
}

/* ---- what a child can do ---- */

/* The refusals left the child's copy of the state alone, and a blob of it goes on. */
static void child_moves_the_state(void)
{
    static const enum way_out outs[] = { OUT_KEY_PARAM, OUT_BOUND_CONTEXT, OUT_PEM, OUT_DER };
    static const enum way_in ins[] = { IN_KEY_PARAM, IN_KEY_PARAM, IN_PEM, IN_CONTEXT_INIT };
    uint8_t blob[STREAM_MAX_BLOB];

    child_is_refused();
    for (size_t n = 0; n < sizeof(outs) / sizeof(outs[0]); n++) {
        struct holder moved;
        size_t size;

        if (outs[n] == OUT_BOUND_CONTEXT)
            continue; /* a context bound in the child is refused: below, that of the parent */
        size = holder_suspend(&own.holder, &own.stream, outs[n], blob);
        holder_resume(&moved, &own.stream, ins[n], blob, size);
        holder_finish(&moved, &own.stream, CUT, own.written);
        holder_free(&moved);
    }
    {
        OSSL_PARAM get[] = { octets_param("opaque-blob", blob, sizeof(blob)),
                             OSSL_PARAM_construct_end() };
        struct holder moved;

        assert_int_equal(is_cipher() ? EVP_CIPHER_CTX_get_params(own.cipher, get)
                                     : EVP_MAC_CTX_get_params(own.mac, get),
                         1);
        holder_resume(&moved, &own.stream, IN_KEY_PARAM, blob, get[0].return_size);
        holder_finish(&moved, &own.stream, CUT, own.written);
        holder_free(&moved);
    }
    assert_no_errors();
}

static void fork_and_move(void)
{
    in_child(child_moves_the_state);
}

static void a_blob_of_an_inherited_key_goes_on_in_the_child(void **state)
{
    (void)state;
    for_every_algorithm(fork_and_move);
}

static void child_reads_parameters(void)
{
    char text[32], id[32], alg[32];
    uint8_t octets[64], handle[KEY_HANDLE_SIZE];
    EVP_PKEY *key = own.holder.key;
    size_t size = 0;
    uint64_t sequence = 0;
    OSSL_PARAM get[] = { OSSL_PARAM_construct_uint64("sequence", &sequence),
                         OSSL_PARAM_construct_end() };
    int number = 0;

    get_id(key, id);
    get_handle(key, handle);
    assert_int_equal(EVP_PKEY_get_utf8_string_param(key, "alg", alg, sizeof(alg), NULL), 1);
    assert_int_equal(EVP_PKEY_get_utf8_string_param(key, "kind", text, sizeof(text), NULL), 1);
    assert_string_equal(text, is_cipher() ? "cipher" : "mac");
    assert_int_equal(EVP_PKEY_get_utf8_string_param(key, "fork", text, sizeof(text), NULL), 1);
    assert_string_equal(text, "refuse");
    assert_int_equal(EVP_PKEY_get_int_param(key, "bits", &number), 1);
    assert_int_equal(number, 8 * algorithms[own.stream.algorithm].key_size);
    if (algorithms[own.stream.algorithm].block > 1)
        assert_int_equal(EVP_PKEY_get_octet_string_param(key, "iv", octets, 64, &size), 1);
    if (!is_cipher()) {
        assert_int_equal(EVP_PKEY_get_params(key, get), 1);
        assert_int_equal(sequence, algorithms[own.stream.algorithm].first_sequence);
    }
    assert_int_equal(EVP_PKEY_eq(key, key), 1);
    assert_no_errors();
}

static void fork_and_read(void)
{
    in_child(child_reads_parameters);
}

static void parameters_of_an_inherited_key_can_be_read(void **state)
{
    (void)state;
    for_every_algorithm(fork_and_read);
}

static void child_signs_raw(void)
{
    const struct algorithm *algorithm = &algorithms[own.stream.algorithm];
    uint8_t secret[256], expected[20], actual[20];
    size_t size = sizeof(actual), expected_size;
    EVP_MD_CTX *context;

    if (is_cipher())
        return;
    stream_secret(&own.stream, secret);
    expected_size = stream_raw_mac(algorithm, secret, algorithm->key_size,
                                   (const uint8_t *)"message", 7, expected);
    context = start_signature(own.holder.key, 0, 0);
    assert_int_equal(EVP_DigestSignUpdate(context, "message", 7), 1);
    assert_int_equal(EVP_DigestSignFinal(context, actual, &size), 1);
    assert_int_equal(size, expected_size);
    assert_memory_equal(actual, expected, size);
    EVP_MD_CTX_free(context);
    context = start_signature(own.holder.key, 0, 1);
    assert_int_equal(EVP_DigestVerifyUpdate(context, "message", 7), 1);
    assert_int_equal(EVP_DigestVerifyFinal(context, actual, size), 1);
    EVP_MD_CTX_free(context);
    assert_no_errors();
}

static void fork_and_sign(void)
{
    in_child(child_signs_raw);
}

static void raw_signatures_need_no_state_and_work_in_the_child(void **state)
{
    (void)state;
    for_every_algorithm(fork_and_sign);
}

/* ---- keys of the child ---- */

static void child_uses_a_key_of_its_own(void)
{
    unsigned algorithm = own.stream.algorithm;

    inherited = own; /* and stays beside it */
    make_own(algorithm, CUT);
    in_child(child_is_refused);
    in_child(child_moves_the_state);
    finish_own(CUT);
    own = inherited;
    free_own();
}

static void child_tries_old_and_new(void)
{
    child_is_refused();
    child_uses_a_key_of_its_own();
}

/* The same in a process that had never asked for its generation before it forked. */
static void child_forks_at_once(void)
{
    in_child(child_tries_old_and_new);
    child_tries_old_and_new();
}

static void fork_twice(void)
{
    in_child(child_tries_old_and_new);
    in_child(child_forks_at_once);
}

static void a_key_of_the_child_works_there_and_not_in_the_grandchild(void **state)
{
    (void)state;
    for_every_algorithm(fork_twice);
}

/* ---- fork: allow ---- */

static void child_goes_on(void)
{
    size_t written = own.written;
    struct holder copy;

    /* a duplicate is allowed what the original is */
    holder_duplicate(&copy, &own.holder);
    holder_finish(&copy, &own.stream, CUT, written);
    holder_free(&copy);
    advance(CUT, own.stream.units);
    assert_int_equal(own.written, own.stream.expected_size);
    assert_no_errors();
}

static void set_fork(EVP_PKEY *key, const char *value)
{
    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "fork", value), 1);
}

static void child_allows_itself(void)
{
    child_is_refused();
    set_fork(own.holder.key, "allow");
    child_goes_on();
}

static void fork_with_allow(void)
{
    set_fork(own.holder.key, "allow");
    in_child(child_goes_on);
    set_fork(own.holder.key, "refuse");
    in_child(child_is_refused);
    in_child(child_allows_itself);
}

static void fork_allow_can_be_set_and_taken_back(void **state)
{
    (void)state;
    for_every_algorithm(fork_with_allow);
}

static void fork_allow_travels_in_a_blob(void **state)
{
    (void)state;
    for (unsigned a = 0; a < MAC_SHORT; a++) {
        for (int allow = 0; allow < 2; allow++) {
            uint8_t blob[STREAM_MAX_BLOB];
            size_t size;

            make_own(a, CUT);
            set_fork(own.holder.key, allow ? "allow" : "refuse");
            size = holder_suspend(&own.holder, &own.stream, allow ? OUT_KEY_PARAM : OUT_PEM, blob);
            free_own();
            holder_resume(&own.holder, &own.stream, allow ? IN_KEY_PARAM : IN_PEM, blob, size);
            bind_contexts();
            in_child(allow ? child_goes_on : child_is_refused);
            finish_own(CUT);
        }
    }
}

/* A key of |algorithm| by import or generation; NULL for |fork| says nothing about it. */
static EVP_PKEY *make_plain_key(unsigned algorithm, int generate, const char *fork_value)
{
    const struct algorithm *a = &algorithms[algorithm];
    uint8_t secret[256];
    OSSL_PARAM params[6], *p = params;
    EVP_PKEY_CTX *context;
    EVP_PKEY *key = NULL;

    pattern(secret, sizeof(secret), 9);
    *p++ = text_param("alg", a->cipher != NULL ? a->cipher : a->mac);
    if (a->digest != NULL)
        *p++ = text_param("digest", a->digest);
    if (fork_value != NULL)
        *p++ = text_param("fork", fork_value);
    if (!generate)
        *p++ = octets_param("secret", secret, a->key_size);
    *p++ = text_param("seal-key", seal_key_a);
    *p = OSSL_PARAM_construct_end();
    if (!generate)
        return from_data(params);
    context = EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

static void child_advances(void)
{
    uint8_t out[64];
    size_t size = 0;
    int some = 0;

    if (is_cipher()) {
        assert_int_equal(EVP_CipherUpdate(own.cipher, out, &some, own.stream.text, 40), 1);
    } else {
        assert_int_equal(EVP_MAC_update(own.mac, own.stream.text, 40), 1);
        assert_int_equal(EVP_MAC_final(own.mac, out, &size, sizeof(out)), 1);
    }
    assert_no_errors();
}

static void fork_allow_can_be_given_at_import_and_generation(void **state)
{
    static const char *const values[] = { NULL, "refuse", "allow" };

    (void)state;
    for (unsigned a = 0; a < MAC_SHORT; a++) {
        for (int generate = 0; generate < 2; generate++) {
            for (size_t n = 0; n < 3; n++) {
                char text[16];

                memset(&own, 0, sizeof(own));
                make_stream(a);
                own.holder.key = make_plain_key(a, generate, values[n]);
                assert_non_null(own.holder.key);
                assert_int_equal(EVP_PKEY_get_utf8_string_param(own.holder.key, "fork", text,
                                                                sizeof(text), NULL),
                                 1);
                assert_string_equal(text, n == 2 ? "allow" : "refuse");
                bind_contexts();
                in_child(n == 2 ? child_advances : child_is_refused);
                child_advances(); /* the parent too */
                free_own();
            }
        }
    }
}

static void fork_takes_no_other_value(void **state)
{
    (void)state;
    make_own(RC4_128, CUT);
    assert_int_equal(EVP_PKEY_set_utf8_string_param(own.holder.key, "fork", "maybe"), 0);
    assert_reason("invalid parameter", "fork");
    in_child(child_is_refused);
    finish_own(CUT);
    assert_null(make_plain_key(RC4_128, 0, "maybe"));
    assert_reason("invalid parameter", "fork");
}

/* ---- duplicates ---- */

/* A duplicate by generation: the key is the template. */
static EVP_PKEY *duplicate_by_generation(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    EVP_PKEY *copy = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_generate(context, &copy), 1);
    EVP_PKEY_CTX_free(context);
    return copy;
}

static void child_duplicates(void)
{
    EVP_PKEY *copies[2] = { EVP_PKEY_dup(own.holder.key), duplicate_by_generation(own.holder.key) };

    for (size_t n = 0; n < 2; n++) {
        assert_non_null(copies[n]);
        everything_is_refused(copies[n]);
        EVP_PKEY_free(copies[n]);
    }
    if (is_cipher()) {
        EVP_CIPHER_CTX *copy = EVP_CIPHER_CTX_new();

        assert_int_equal(EVP_CIPHER_CTX_copy(copy, own.cipher), 1);
        cipher_is_refused(copy);
        EVP_CIPHER_CTX_free(copy);
    } else {
        EVP_MAC_CTX *copy = EVP_MAC_CTX_dup(own.mac);

        assert_non_null(copy);
        mac_is_refused(copy);
        EVP_MAC_CTX_free(copy);
    }
    assert_no_errors();
}

static void fork_and_duplicate(void)
{
    struct holder key = own.holder, copy;

    in_child(child_duplicates);
    /* a duplicate of the parent's is inherited like any other key */
    holder_duplicate(&copy, &key);
    own.holder = copy;
    in_child(child_duplicates);
    own.holder = key;
    holder_finish(&copy, &own.stream, CUT, own.written);
    holder_free(&copy);
}

static void a_duplicate_made_in_the_child_is_refused_as_well(void **state)
{
    (void)state;
    for_every_algorithm(fork_and_duplicate);
}

/* ---- masters ---- */

static EVP_PKEY *master, *derived;

static EVP_PKEY *derive(EVP_PKEY *from, const char *usage)
{
    uint8_t random[32];
    OSSL_PARAM params[] = { text_param("usage", usage),
                            text_param("cipher", "AES-128-CBC"),
                            text_param("digest", "SHA1"),
                            octets_param("client-random", random, sizeof(random)),
                            octets_param("server-random", random, sizeof(random)),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, from, NULL);
    EVP_PKEY *key = NULL;

    pattern(random, sizeof(random), 40);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

static void child_derives(void)
{
    EVP_PKEY *key = derive(master, "client-write-key"), *mac = derive(master, "client-write-mac");
    EVP_PKEY *copy = EVP_PKEY_dup(master), *again = derive(copy, "client-write-key");

    if (derived != NULL) {
        assert_int_equal(EVP_PKEY_eq(key, derived), 1);
        assert_int_equal(EVP_PKEY_eq(again, derived), 1);
    }
    /* what was derived here is this process's own */
    memset(&own, 0, sizeof(own));
    make_stream(AES_128);
    own.holder.key = key;
    bind_contexts();
    child_advances();
    free_own();
    make_stream(MAC_SHA1);
    own.holder.key = mac;
    bind_contexts();
    child_advances();
    free_own();
    EVP_PKEY_free(copy);
    EVP_PKEY_free(again);
}

static void masters_derive_in_the_child(void **state)
{
    uint8_t secret[48];

    (void)state;
    pattern(secret, sizeof(secret), 41);
    for (int premaster = 0; premaster < 2; premaster++) {
        OSSL_PARAM params[] = { text_param("alg", "TLS1-MASTER"),
                                octets_param(premaster ? "premaster" : "secret", secret, 48),
                                OSSL_PARAM_construct_end() };

        master = from_data(params);
        assert_non_null(master);
        derived = NULL;
        in_child(child_derives);
        derived = derive(master, "client-write-key");
        in_child(child_derives);
        child_derives();
        EVP_PKEY_free(derived);
        EVP_PKEY_free(master);
    }
    assert_no_errors();
}

/* ---- contexts with key bytes of their own ---- */

static void child_goes_on_with_a_context(void)
{
    struct holder resumed;
    uint8_t blob[STREAM_MAX_BLOB];
    size_t size = holder_suspend(&own.holder, &own.stream, OUT_CONTEXT, blob);

    holder_finish(&own.holder, &own.stream, CUT, own.written);
    holder_resume(&resumed, &own.stream, IN_CONTEXT_INIT, blob, size);
    holder_finish(&resumed, &own.stream, CUT, own.written);
    holder_free(&resumed);
    assert_no_errors();
}

static void contexts_with_key_bytes_are_not_guarded(void **state)
{
    uint8_t out[STREAM_MAX_OUTPUT];

    (void)state;
    for (unsigned a = 0; a < RC4_ANY; a++) {
        memset(&own, 0, sizeof(own));
        make_stream(a);
        holder_make(&own.holder, &own.stream, 1); /* that of the salted key is resumed */
        holder_run(&own.holder, &own.stream, 0, CUT, 0, out, &own.written);
        in_child(child_goes_on_with_a_context);
        holder_finish(&own.holder, &own.stream, CUT, own.written);
        holder_free(&own.holder);
    }
    assert_no_errors();
}

/* ---- retiring, transfers ---- */

static void child_retires(void)
{
    uint8_t blob[STREAM_MAX_BLOB];
    size_t size = 0;
    int yes = 1;
    OSSL_PARAM retire[] = { OSSL_PARAM_construct_int("retire", &yes), OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_PKEY_set_params(own.holder.key, retire), 1);
    assert_int_equal(
        EVP_PKEY_get_octet_string_param(own.holder.key, "opaque-blob", blob, sizeof(blob), &size),
        0);
    assert_reason("key has been retired", "");
}

static void fork_and_retire(void)
{
    in_child(child_retires);
}

static void retiring_in_the_child_does_not_touch_the_parent(void **state)
{
    (void)state;
    for_every_algorithm(fork_and_retire);
}

static void child_of_an_unclaimed_transfer_is_refused(void)
{
    a_new_context_is_refused(own.holder.key);
}

/* A child that is refused does not claim the transfer either: the parent still can. */
static void a_refused_child_does_not_claim_a_transfer(void **state)
{
    char claims[128];
    uint8_t blob[STREAM_MAX_BLOB];
    size_t size;

    (void)state;
    snprintf(claims, sizeof(claims), "%s/claims", directory);
    for (unsigned a = 0; a < MAC_SHORT; a++) {
        OSSL_PARAM transfer[] = { text_param("blob-mode", "transfer"),
                                  text_param("claim-dir", claims), OSSL_PARAM_construct_end() };
        char command[160];

        assert_int_equal(mkdir(claims, 0700), 0);
        make_own(a, CUT);
        assert_int_equal(EVP_PKEY_set_params(own.holder.key, transfer), 1);
        size = holder_suspend(&own.holder, &own.stream, OUT_KEY_PARAM, blob);
        holder_free(&own.holder);
        {
            OSSL_PARAM import[] = { octets_param("opaque-blob", blob, size), transfer[1],
                                    text_param("seal-key", seal_key_a),
                                    OSSL_PARAM_construct_end() };

            own.holder.key = from_data(import);
            assert_non_null(own.holder.key);
        }
        in_child(child_of_an_unclaimed_transfer_is_refused);
        assert_int_equal(rmdir(claims), 0); /* nothing was recorded in it */
        assert_int_equal(mkdir(claims, 0700), 0);
        release_contexts();
        bind_contexts();
        finish_own(CUT);
        snprintf(command, sizeof(command), "rm -r '%s'", claims);
        assert_int_equal(system(command), 0);
    }
}

/* ---- many children, many threads ---- */

#define CHILDREN 64

static int gate[2];

static void child_waits_and_is_refused(void)
{
    char byte;

    close(gate[1]);
    child_is_refused();
    assert_int_equal(read(gate[0], &byte, 1), 0);
    child_is_refused();
}

static void sixty_four_children_of_one_parent_are_refused(void **state)
{
    (void)state;
    for (unsigned a = RC4_128; a < MAC_SHORT; a += 2) {
        pid_t children[CHILDREN];

        make_own(a, 0);
        assert_int_equal(pipe(gate), 0);
        for (size_t n = 0; n < CHILDREN; n++) {
            children[n] = start_child(child_waits_and_is_refused, CHILD_LIMIT);
            if (n < own.stream.units)
                advance(n, n + 1);
        }
        close(gate[0]);
        close(gate[1]);
        for (size_t n = 0; n < CHILDREN; n++)
            end_child(children[n]);
        finish_own(CHILDREN < own.stream.units ? CHILDREN : own.stream.units);
    }
}

#define THREADS 4
#define FORKS   150

static atomic_int stop_threads, threads_failed;
static EVP_CIPHER_CTX *thread_ciphers[THREADS];
static EVP_MAC_CTX *thread_macs[THREADS];

/* All threads advance the same key, each with a context of its own. */
static void *use_the_key(void *number)
{
    size_t n = (size_t)(uintptr_t)number;
    uint8_t in[4096] = { 0 }, out[4096 + 16];
    int written;

    while (!atomic_load(&stop_threads)) {
        int ok = thread_ciphers[n] != NULL
                     ? EVP_CipherUpdate(thread_ciphers[n], out, &written, in, sizeof(in))
                     : EVP_MAC_update(thread_macs[n], in, sizeof(in));

        if (ok != 1)
            atomic_fetch_add(&threads_failed, 1);
    }
    return NULL;
}

/* Whatever does not advance the key works, or says that it cannot know the key's state; it does not
 * wait for a thread that is not here. */
static void answers(int result)
{
    if (result <= 0)
        assert_reason(REFUSED, "fork");
    else
        assert_no_errors();
}

static void everything_answers(void)
{
    uint8_t handle[KEY_HANDLE_SIZE], blob[MAX_BLOB];
    char text[32];
    size_t size = 0;
    OSSL_PARAM allow[] = { text_param("fork", "allow"), OSSL_PARAM_construct_end() };
    EVP_PKEY *key = own.holder.key, *copy = EVP_PKEY_dup(key);

    answers(copy != NULL);
    EVP_PKEY_free(copy);
    answers(EVP_PKEY_get_utf8_string_param(key, "fork", text, sizeof(text), NULL));
    answers(EVP_PKEY_get_octet_string_param(key, "key-handle", handle, sizeof(handle), &size));
    answers(EVP_PKEY_get_octet_string_param(key, "opaque-blob", blob, sizeof(blob), &size));
    answers(EVP_PKEY_set_params(key, allow));
}

/* The lock may be held by a thread that is not here. */
static void child_of_threads_is_refused(void)
{
    for (size_t n = 0; n < THREADS; n++) {
        if (thread_ciphers[n] != NULL)
            cipher_is_refused(thread_ciphers[n]);
        else
            mac_is_refused(thread_macs[n]);
    }
    everything_answers();
}

static void a_child_forked_beside_running_threads_is_refused_and_does_not_hang(void **state)
{
    static const unsigned ids[] = { RC4_128, AES_128, MAC_SHA1 };

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        pthread_t threads[THREADS];

        make_own(ids[i], 0);
        atomic_store(&stop_threads, 0);
        for (size_t n = 0; n < THREADS; n++) {
            thread_ciphers[n] =
                is_cipher() ? stream_bind_cipher(&own.stream, own.holder.key) : NULL;
            thread_macs[n] = is_cipher() ? NULL : stream_bind_mac(&own.stream, own.holder.key);
            assert_int_equal(pthread_create(&threads[n], NULL, use_the_key, (void *)(uintptr_t)n),
                             0);
        }
        for (size_t n = 0; n < FORKS; n++)
            end_child(start_child(child_of_threads_is_refused, HANG_LIMIT));
        atomic_store(&stop_threads, 1);
        for (size_t n = 0; n < THREADS; n++) {
            pthread_join(threads[n], NULL);
            EVP_CIPHER_CTX_free(thread_ciphers[n]);
            EVP_MAC_CTX_free(thread_macs[n]);
        }
        assert_int_equal(atomic_load(&threads_failed), 0);
        free_own();
    }
    assert_no_errors();
}

static int teardown(void **state)
{
    stream_teardown();
    return fixture_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inherited_key_does_not_advance_and_the_parent_goes_on),
        cmocka_unit_test(a_parent_that_forks_at_every_position_goes_on),
        cmocka_unit_test(a_blob_of_an_inherited_key_goes_on_in_the_child),
        cmocka_unit_test(parameters_of_an_inherited_key_can_be_read),
        cmocka_unit_test(raw_signatures_need_no_state_and_work_in_the_child),
        cmocka_unit_test(a_key_of_the_child_works_there_and_not_in_the_grandchild),
        cmocka_unit_test(fork_allow_can_be_set_and_taken_back),
        cmocka_unit_test(fork_allow_travels_in_a_blob),
        cmocka_unit_test(fork_allow_can_be_given_at_import_and_generation),
        cmocka_unit_test(fork_takes_no_other_value),
        cmocka_unit_test(a_duplicate_made_in_the_child_is_refused_as_well),
        cmocka_unit_test(masters_derive_in_the_child),
        cmocka_unit_test(contexts_with_key_bytes_are_not_guarded),
        cmocka_unit_test(retiring_in_the_child_does_not_touch_the_parent),
        cmocka_unit_test(a_refused_child_does_not_claim_a_transfer),
        cmocka_unit_test(sixty_four_children_of_one_parent_are_refused),
        cmocka_unit_test(a_child_forked_beside_running_threads_is_refused_and_does_not_hang),
    };

    alarm(TIME_LIMIT);
    return cmocka_run_group_tests(tests, fixture_setup, teardown);
}
