/*
 * Copies of a state are independent: duplicates of keys and contexts, blobs taken at two moments, and
 * blobs taken while another thread advances the key.
 */
#include "stream.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#define TIME_LIMIT   240 /* seconds, for the whole program */

#define SIZES(array) (array), sizeof(array) / sizeof((array)[0])

static const size_t padded[] = { 37, 0, 21 }, unpadded[] = { 48, 16 };
static const size_t bytes[] = { 40, 1 }, records[] = { 70, 0, 9 }, message[] = { 75, 3 };

static struct stream stream;

/* Calls |check| for every variant of every algorithm, cut at every position. */
static void for_every_cut(void (*check)(size_t cut))
{
    size_t cuts = 0;

    for (unsigned a = 0; a < RC4_ANY; a++) {
        for (int variant = 0; variant < 4; variant++) {
            int first = variant & 1, second = variant >> 1;

            if (algorithms[a].block <= 1 && second)
                continue;
            if (algorithms[a].cipher == NULL && first)
                stream_init(&stream, a, 0, 0, 1, 0, SIZES(records));
            else if (algorithms[a].cipher == NULL)
                stream_init(&stream, a, 0, 0, 0, 0, SIZES(message));
            else if (algorithms[a].block == 1)
                stream_init(&stream, a, first, 0, 0, 0, SIZES(bytes));
            else if (second)
                stream_init(&stream, a, first, 1, 0, 0, SIZES(padded));
            else
                stream_init(&stream, a, first, 0, 0, 0, SIZES(unpadded));
            for (size_t cut = 0; cut <= stream.units; cut++, cuts++)
                check(cut);
        }
    }
    print_message("%zu cuts\n", cuts);
    assert_no_errors();
}

static void run_to(struct holder *holder, size_t cut, size_t *written)
{
    uint8_t out[STREAM_MAX_OUTPUT];

    holder_run(holder, &stream, 0, cut, 0, out, written);
    assert_memory_equal(out, stream.expected, *written);
}

/* ---- duplicates ---- */

/* The copy goes first, or the original does, or the copy goes on when the original is gone. */
static void check_duplicate(size_t cut)
{
    for (int in_context = algorithms[stream.algorithm].no_key_object; in_context < 2;
         in_context++) {
        struct holder holder, copy, second;
        size_t written;

        holder_make(&holder, &stream, in_context);
        run_to(&holder, cut, &written);
        holder_duplicate(&copy, &holder);
        holder_duplicate(&second, &copy);
        holder_finish(cut % 2 == 0 ? &copy : &holder, &stream, cut, written);
        holder_finish(cut % 2 == 0 ? &holder : &copy, &stream, cut, written);
        holder_free(&holder);
        holder_free(&copy);
        holder_finish(&second, &stream, cut, written);
        holder_free(&second);
    }
}

static void duplicates_of_keys_and_contexts_continue_by_themselves(void **state)
{
    (void)state;
    for_every_cut(check_duplicate);
}

/* Ends the stream with the context in |with| and compares. */
static void finish_context(EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, size_t cut, size_t written)
{
    struct holder holder = { .cipher = cipher, .mac = mac };

    holder_finish(&holder, &stream, cut, written);
}

/* A duplicate of a bound context works on a duplicate of the key. */
static void check_bound_duplicate(size_t cut)
{
    EVP_CIPHER_CTX *cipher = NULL, *cipher_copy = NULL;
    EVP_MAC_CTX *mac = NULL, *mac_copy = NULL;
    uint8_t out[STREAM_MAX_OUTPUT];
    struct holder holder;
    size_t written;

    if (algorithms[stream.algorithm].no_key_object)
        return;
    holder_make(&holder, &stream, 0);
    if (algorithms[stream.algorithm].cipher != NULL) {
        cipher = stream_bind_cipher(&stream, holder.key);
        stream_run(&stream, cipher, NULL, 0, cut, 0, out, &written);
        cipher_copy = EVP_CIPHER_CTX_new();
        assert_int_equal(EVP_CIPHER_CTX_copy(cipher_copy, cipher), 1);
    } else {
        mac = stream_bind_mac(&stream, holder.key);
        stream_run(&stream, NULL, mac, 0, cut, 0, out, &written);
        mac_copy = EVP_MAC_CTX_dup(mac);
        assert_non_null(mac_copy);
    }
    assert_memory_equal(out, stream.expected, written);
    finish_context(cipher_copy, mac_copy, cut, written);
    /* the key stayed where it was: another context bound to it goes on from there */
    EVP_CIPHER_CTX_free(cipher);
    EVP_MAC_CTX_free(mac);
    holder_finish(&holder, &stream, cut, written);
    holder_free(&holder);
    EVP_CIPHER_CTX_free(cipher_copy);
    EVP_MAC_CTX_free(mac_copy);
}

static void a_duplicate_of_a_bound_context_leaves_the_key_alone(void **state)
{
    (void)state;
    for_every_cut(check_bound_duplicate);
}

/* ---- blobs of two moments ---- */

/* Where what is sealed begins, without an audience: see the header in the manual. */
#define SEALED_AT 58

/* What a state gives for the unit |unit|, and a Final of the next message if need be. */
static size_t reaction(struct holder *holder, size_t from, uint8_t *out)
{
    size_t written;

    holder_run(holder, &stream, from, stream.units, 0, out, &written);
    return written;
}

static void check_two_moments(size_t cut)
{
    uint8_t blobs[2][STREAM_MAX_BLOB], outs[2][STREAM_MAX_OUTPUT];
    int in_context = algorithms[stream.algorithm].no_key_object;
    size_t sizes[2], written[2], some;
    struct holder holder;

    if (cut == stream.units)
        return;
    holder_make(&holder, &stream, in_context);
    run_to(&holder, cut, &written[0]);
    sizes[0] = holder_suspend(&holder, &stream, in_context ? OUT_CONTEXT : OUT_KEY_PARAM, blobs[0]);
    holder_run(&holder, &stream, cut, cut + 1, 0, outs[0], &some);
    written[1] = written[0] + some;
    sizes[1] = holder_suspend(&holder, &stream, in_context ? OUT_CONTEXT : OUT_KEY_PARAM, blobs[1]);
    holder_free(&holder);
    assert_memory_not_equal(blobs[0] + SEALED_AT, blobs[1] + SEALED_AT,
                            (sizes[0] < sizes[1] ? sizes[0] : sizes[1]) - SEALED_AT);
    for (size_t n = 0; n < 2; n++) {
        holder_resume(&holder, &stream, IN_CONTEXT_INIT, blobs[n], sizes[n]);
        holder_finish(&holder, &stream, cut + n, written[n]);
        holder_free(&holder);
    }
    /* the first does not do what the second does: RC4 and raw MACs tell after any byte */
    if (algorithms[stream.algorithm].block > 1 || stream.record || cut == bytes[0] ||
        cut == message[0] || cut >= stream.units - 2)
        return;
    for (size_t n = 0; n < 2; n++) {
        holder_resume(&holder, &stream, IN_CONTEXT_INIT, blobs[n], sizes[n]);
        some = reaction(&holder, cut + 1, outs[n]);
        holder_free(&holder);
    }
    assert_memory_not_equal(outs[0], outs[1], some);
}

static void blobs_from_before_and_after_a_byte_hold_different_states(void **state)
{
    (void)state;
    for_every_cut(check_two_moments);
}

/* ---- blobs taken beside a running context ---- */

#define CHUNK       7   /* bytes of an update: at odds with every block */
#define WINDOW      321 /* updates that may run beside one export */
#define EXPORTS     400
#define LONG_TEXT   (CHUNK * WINDOW * EXPORTS)
#define TAIL        64 /* what follows, for a blob of the end */
#define RECORD      50
#define RECORD_RUNS (WINDOW * EXPORTS / 8) /* of 8 updates each */

static atomic_size_t windows; /* that are open: one for each export so far */

/* The other thread keeps step with the exports, however few processors there are: update |n| waits
 * for its window. */
static void wait_for_window(size_t n)
{
    while (n / WINDOW >= atomic_load(&windows))
        sched_yield();
}

static void open_window(void)
{
    atomic_fetch_add(&windows, 1);
}

static uint8_t long_text[LONG_TEXT + TAIL], long_expected[LONG_TEXT + TAIL];

/* Bytes that do not repeat. */
static void fill_long_text(void)
{
    uint32_t number = 1;

    for (size_t n = 0; n < sizeof(long_text); n++) {
        number = number * 1664525u + 1013904223u;
        long_text[n] = (uint8_t)(number >> 24);
    }
}

/* No assertions: this is another thread. */
static void *run_cipher_in_chunks(void *context)
{
    uint8_t out[CHUNK + 16];
    uintptr_t failures = 0;
    int written;

    for (size_t at = 0; at < LONG_TEXT; at += CHUNK) {
        wait_for_window(at / CHUNK);
        failures += EVP_CipherUpdate(context, out, &written, long_text + at, CHUNK) != 1;
    }
    return (void *)failures;
}

/* 1 when the key behind |blob|, going on at |at|, gives what OpenSSL gives there. */
static int goes_on_at(const uint8_t *blob, size_t size, size_t at)
{
    uint8_t out[80];
    size_t first = at / 16 * 16;
    int written = 0;
    struct holder holder;

    holder_resume(&holder, &stream, IN_CONTEXT_INIT, blob, size);
    EVP_CIPHER_CTX_set_padding(holder.cipher, 0);
    assert_int_equal(EVP_CipherUpdate(holder.cipher, out, &written, long_text + at, 48), 1);
    holder_free(&holder);
    return memcmp(out, long_expected + first, (size_t)written) == 0;
}

static void uncut_long_text(int encrypt)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, algorithms[stream.algorithm].cipher, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t key[256], iv[16];
    int written = 0;

    stream_secret(&stream, key);
    pattern(iv, sizeof(iv), 77);
    assert_int_equal(EVP_CipherInit_ex2(context, cipher, key, iv, encrypt, NULL), 1);
    EVP_CIPHER_CTX_set_padding(context, 0);
    assert_int_equal(
        EVP_CipherUpdate(context, long_expected, &written, long_text, sizeof(long_text)), 1);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
}

/* Does the chaining value fit?  It is the last block of ciphertext. */
static int chain_is_of(const uint8_t chain[16], int encrypt, size_t at)
{
    const uint8_t *ciphertext = encrypt ? long_expected : long_text;

    return at < 16 || memcmp(ciphertext + at / 16 * 16 - 16, chain, 16) == 0;
}

/* The first position from |at| on, at the end of a chunk, that the exported state can be of. */
static size_t position_of(struct holder *holder, enum way_out way, int encrypt, size_t at)
{
    uint8_t blob[STREAM_MAX_BLOB], chain[16];
    size_t size = holder_suspend(holder, &stream, way, blob), chain_size = 0;
    struct holder moved;

    holder_resume(&moved, &stream, IN_KEY_PARAM, blob, size);
    assert_int_equal(EVP_PKEY_get_octet_string_param(moved.key, "iv", chain, 16, &chain_size), 1);
    holder_free(&moved);
    while (at <= LONG_TEXT && (!chain_is_of(chain, encrypt, at) || !goes_on_at(blob, size, at)))
        at += CHUNK;
    return at;
}

static void check_exports_beside_a_cipher(int encrypt)
{
    EVP_CIPHER_CTX *context;
    struct holder holder;
    pthread_t thread;
    size_t at = 0, moments = 0;
    void *failures;

    stream_init(&stream, AES_128, encrypt, 0, 0, 0, SIZES(unpadded));
    uncut_long_text(encrypt);
    holder_make(&holder, &stream, 0);
    context = stream_bind_cipher(&stream, holder.key);
    atomic_store(&windows, 0);
    assert_int_equal(pthread_create(&thread, NULL, run_cipher_in_chunks, context), 0);
    for (size_t n = 0; n < EXPORTS; n++) {
        size_t last = at;

        open_window();
        at = position_of(&holder, n % 4 == 0 ? OUT_DER : OUT_KEY_PARAM, encrypt, at);
        if (at > LONG_TEXT)
            fail_msg("export %zu is of no moment of the stream", n);
        moments += at != last;
    }
    pthread_join(thread, &failures);
    assert_int_equal((uintptr_t)failures, 0);
    assert_int_equal(position_of(&holder, OUT_KEY_PARAM, encrypt, at), LONG_TEXT);
    EVP_CIPHER_CTX_free(context);
    holder_free(&holder);
    print_message("%d exports of %zu different moments\n", EXPORTS, moments);
    assert_int_not_equal(moments, 0);
}

static void an_export_beside_cbc_in_odd_chunks_sees_one_state(void **state)
{
    (void)state;
    fill_long_text();
    check_exports_beside_a_cipher(1);
    check_exports_beside_a_cipher(0);
    assert_no_errors();
}

static int announce(EVP_MAC_CTX *mac)
{
    unsigned type = 23, version = 0x301, length = RECORD;
    OSSL_PARAM record[] = { OSSL_PARAM_construct_uint("record-type", &type),
                            OSSL_PARAM_construct_uint("record-version", &version),
                            OSSL_PARAM_construct_uint("record-length", &length),
                            OSSL_PARAM_construct_end() };

    return EVP_MAC_CTX_set_params(mac, record);
}

static void *run_records_in_chunks(void *context)
{
    uint8_t out[20];
    uintptr_t failures = 0;
    size_t size, updates = 0;

    for (size_t n = 0; n < RECORD_RUNS; n++) {
        failures += announce(context) != 1;
        for (size_t at = 0; at < RECORD; at += CHUNK) {
            wait_for_window(updates++);
            failures += EVP_MAC_update(context, long_text + at,
                                       RECORD - at < CHUNK ? RECORD - at : CHUNK) != 1;
        }
        failures += EVP_MAC_final(context, out, &size, sizeof(out)) != 1;
    }
    return (void *)failures;
}

static void uncut_record(uint64_t sequence, uint8_t out[20])
{
    uint8_t key[256], whole[13 + RECORD] = { 0, 0, 0, 0, 0, 0, 0, 0, 23, 3, 1, 0, RECORD };

    for (size_t n = 0; n < 8; n++)
        whole[n] = (uint8_t)(sequence >> (56 - 8 * n));
    memcpy(whole + 13, long_text, RECORD);
    stream_secret(&stream, key);
    assert_non_null(EVP_Q_mac(libctx, "HMAC", NULL, "SHA1", NULL, key, 20, whole, sizeof(whole),
                              out, 20, NULL));
}

/* 1 when the state behind |blob| has absorbed |absorbed| bytes of record |sequence|; RECORD + 1: it
 * has not begun it. */
static int ends_record(const uint8_t *blob, size_t size, uint64_t sequence, size_t absorbed)
{
    uint8_t expected[20], actual[20] = { 0 };
    struct holder holder;
    size_t written;
    int ok;

    uncut_record(sequence, expected);
    holder_resume(&holder, &stream, IN_CONTEXT_INIT, blob, size);
    if (absorbed > RECORD) {
        assert_int_equal(announce(holder.mac), 1);
        absorbed = 0;
    }
    ok = EVP_MAC_update(holder.mac, long_text + absorbed, RECORD - absorbed) == 1 &&
         EVP_MAC_final(holder.mac, actual, &written, sizeof(actual)) == 1;
    holder_free(&holder);
    ERR_clear_error();
    return ok && memcmp(actual, expected, 20) == 0;
}

static void an_export_beside_a_record_mac_sees_one_state(void **state)
{
    uint8_t blob[STREAM_MAX_BLOB];
    uint64_t sequence = 0, last = FIRST_SEQUENCE;
    OSSL_PARAM get[] = { OSSL_PARAM_construct_uint64("sequence", &sequence),
                         OSSL_PARAM_construct_end() };
    size_t inside = 0, size;
    EVP_MAC_CTX *context;
    struct holder holder, moved;
    pthread_t thread;
    void *failures;

    (void)state;
    fill_long_text();
    stream_init(&stream, MAC_SHA1, 0, 0, 1, 0, SIZES(records));
    holder_make(&holder, &stream, 0);
    context = stream_bind_mac(&stream, holder.key);
    atomic_store(&windows, 0);
    assert_int_equal(pthread_create(&thread, NULL, run_records_in_chunks, context), 0);
    for (size_t n = 0; n < EXPORTS; n++) {
        size_t absorbed = 0, fits = 0;

        open_window();
        size = holder_suspend(&holder, &stream, n % 4 == 0 ? OUT_DER : OUT_KEY_PARAM, blob);
        holder_resume(&moved, &stream, IN_KEY_PARAM, blob, size);
        assert_int_equal(EVP_PKEY_get_params(moved.key, get), 1);
        holder_free(&moved);
        assert_in_range(sequence, last, FIRST_SEQUENCE + RECORD_RUNS);
        last = sequence;
        for (; absorbed < RECORD; absorbed += CHUNK) {
            /* with 0 the header alone has been absorbed: no update does that here */
            if (absorbed != 0)
                fits += (size_t)ends_record(blob, size, sequence, absorbed);
        }
        fits += (size_t)ends_record(blob, size, sequence, RECORD);
        inside += fits;
        fits += (size_t)ends_record(blob, size, sequence, RECORD + 1);
        assert_int_equal(fits, 1);
    }
    pthread_join(thread, &failures);
    assert_int_equal((uintptr_t)failures, 0);
    print_message("%d exports, %zu inside a record\n", EXPORTS, inside);
    assert_int_not_equal(inside, 0);
    EVP_MAC_CTX_free(context);
    holder_free(&holder);
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
        cmocka_unit_test(duplicates_of_keys_and_contexts_continue_by_themselves),
        cmocka_unit_test(a_duplicate_of_a_bound_context_leaves_the_key_alone),
        cmocka_unit_test(blobs_from_before_and_after_a_byte_hold_different_states),
        cmocka_unit_test(an_export_beside_cbc_in_odd_chunks_sees_one_state),
        cmocka_unit_test(an_export_beside_a_record_mac_sees_one_state),
    };

    alarm(TIME_LIMIT);
    return cmocka_run_group_tests(tests, fixture_setup, teardown);
}
