/*
 * The key phases of SSL 2.0 and PCT 1.0, where no peer of another make is packaged: our client and
 * our server come to the same keys, in both roles, with every cipher; what is altered on the way is
 * noticed where the protocol promises it.
 */
#include "fixture.h"
#include "key_phase.h"

#define MAX_RECORDS 6
#define NOWHERE     SIZE_MAX

static struct identity identity;

static int setup(void **state)
{
    fixture_setup(state);
    assert_true(identity_make(libctx, &identity));
    return 0;
}

static int teardown(void **state)
{
    identity_free(&identity);
    return fixture_teardown(state);
}

struct pair {
    struct key_phase client, server;
    size_t records; /* that were passed on, counted from 0 */
};

/* Which byte of which record is changed on the way: |record| NOWHERE for none. */
struct change {
    size_t record, at;
};

/* Takes the first record out of |output|. */
static size_t take_record(enum record_protocol protocol, struct buffer *output, uint8_t *record)
{
    const size_t size = record_whole_size(protocol, output->data, output->size);

    assert_true(size > 0 && size <= output->size && size <= RECORD_MAX_SIZE);
    memcpy(record, output->data, size);
    buffer_drop(output, size);
    return size;
}

/* Passes on what |from| has to send; 0 when |to| refuses it. */
static int pass_on(struct pair *pair, struct key_phase *from, struct key_phase *to,
                   struct change change)
{
    static uint8_t record[RECORD_MAX_SIZE];

    while (from->output.size > 0) {
        const size_t size = take_record(from->suite->protocol, &from->output, record);

        if (change.record == pair->records && change.at < size)
            record[change.at] ^= 0x01;
        pair->records++;
        if (!key_phase_receive(to, record, size))
            return 0;
    }
    return 1;
}

/* The whole phase; 1 when both sides are done. */
static int run(const struct key_phase_suite *suite, struct pair *pair, struct change change)
{
    int ok;

    memset(pair, 0, sizeof(*pair));
    ok = key_phase_begin(&pair->client, libctx, SESSION_CLIENT, suite, NULL) &&
         key_phase_begin(&pair->server, libctx, SESSION_SERVER, suite, &identity);
    assert_true(ok);
    while (ok && (pair->client.output.size > 0 || pair->server.output.size > 0))
        ok = pass_on(pair, &pair->client, &pair->server, change) &&
             pass_on(pair, &pair->server, &pair->client, change);
    return ok && pair->client.is_done && pair->server.is_done;
}

static void free_pair(struct pair *pair)
{
    key_phase_free(&pair->client);
    key_phase_free(&pair->server);
}

static const struct change unchanged = { NOWHERE, 0 };

/* One record each way; 1 when both arrive. */
static int talk(struct pair *pair, const char *text)
{
    struct key_phase *const sides[] = { &pair->client, &pair->server };
    static uint8_t record[RECORD_MAX_SIZE];
    int arrived = 0;

    for (size_t from = 0; from < 2; from++) {
        struct record_content content;
        size_t size = 0;

        assert_int_equal(record_seal(&sides[from]->records.writer, RECORD_NO_TYPE, text,
                                     strlen(text), record, &size),
                         1);
        if (record_open(&sides[1 - from]->records.reader, record, size, &content) != RECORD_OK)
            continue;
        assert_int_equal(content.size, strlen(text));
        assert_memory_equal(content.data, text, content.size);
        arrived++;
    }
    return arrived == 2;
}

static uint64_t sequence_of(const struct key_phase *phase, enum session_side writer)
{
    EVP_PKEY *mac = phase->keys.write_mac[writer];
    uint64_t sequence = 0;

    assert_true(record_get_sequence(mac != NULL ? mac : phase->keys.write_key[writer], &sequence));
    return sequence;
}

static void both_sides_agree_with_every_suite(void **state)
{
    (void)state;
    for (size_t n = 0; n < key_phase_suite_count(); n++) {
        const struct key_phase_suite *suite = key_phase_suite_at(n);
        struct pair pair;

        if (!run(suite, &pair, unchanged))
            fail_msg("%s: client %s, server %s", suite->name,
                     pair.client.failure != NULL ? pair.client.failure : "content",
                     pair.server.failure != NULL ? pair.server.failure : "content");
        for (int round = 0; round < 3; round++)
            assert_true(talk(&pair, "over keys that no peer has any more"));
        /* every record counted, the unprotected ones too */
        for (int writer = 0; writer < SESSION_SIDES; writer++) {
            const unsigned handshake = suite->protocol == RECORD_SSL2 ? 3 : 2;

            assert_int_equal(sequence_of(&pair.client, (enum session_side)writer), handshake + 3);
            assert_int_equal(sequence_of(&pair.server, (enum session_side)writer), handshake + 3);
        }
        free_pair(&pair);
        print_message("           %s\n", suite->name);
    }
    assert_no_errors();
}

/* Two runs have nothing in common: every random is new. */
static void every_connection_has_its_own_keys(void **state)
{
    (void)state;
    for (size_t n = 0; n < key_phase_suite_count(); n += 3) {
        const struct key_phase_suite *suite = key_phase_suite_at(n);
        struct pair one, other, mixed;

        assert_true(run(suite, &one, unchanged));
        assert_true(run(suite, &other, unchanged));
        mixed = (struct pair){ .client = one.client, .server = other.server };
        assert_false(talk(&mixed, "to the wrong server"));
        one.client = mixed.client;
        other.server = mixed.server;
        free_pair(&one);
        free_pair(&other);
    }
}

static const struct key_phase_suite *suite_named(const char *name)
{
    for (size_t n = 0; n < key_phase_suite_count(); n++)
        if (strcmp(key_phase_suite_at(n)->name, name) == 0)
            return key_phase_suite_at(n);
    fail_msg("no suite %s", name);
    return NULL;
}

/* Each byte of both hellos: PCT 1.0 authenticates them, so the server never says SERVER_VERIFY. */
static void pct1_notices_altered_hellos(void **state)
{
    static const char *const names[] = { "PCT_CIPHER_RC4 128 MD5", "PCT_CIPHER_DES_168 168 SHA" };
    size_t tried = 0;

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        const struct key_phase_suite *suite = suite_named(names[n]);

        for (size_t record = 0; record < 2; record++)
            for (size_t at = 2; at < (record == 0 ? 92u : 600u); at += at < 110 ? 1 : 17) {
                struct pair pair;

                assert_false(run(suite, &pair, (struct change){ record, at }));
                assert_false(pair.server.is_done);
                assert_false(pair.client.is_done);
                free_pair(&pair);
                ERR_clear_error();
                tried++;
            }
    }
    print_message("           %zu altered hellos\n", tried);
}

/* SERVER_VERIFY: all of it but the byte that may have any value. */
static void pct1_notices_an_altered_server_verify(void **state)
{
    const struct key_phase_suite *suite = suite_named("PCT_CIPHER_RC4 128 MD5");

    (void)state;
    for (size_t at = 0; at < 2 + 1 + 1 + 32 + 2 + 16; at++) {
        struct pair pair;

        assert_int_equal(run(suite, &pair, (struct change){ 3, at }), at == 3);
        assert_int_equal(pair.client.is_done, at == 3);
        free_pair(&pair);
    }
    assert_no_errors();
}

/* A master key that cannot be decrypted: the server goes on with another, and the next step fails. */
static void an_altered_encrypted_key_is_noticed_by_its_consequences(void **state)
{
    (void)state;
    for (size_t n = 0; n < key_phase_suite_count(); n += 2) {
        const struct key_phase_suite *suite = key_phase_suite_at(n);
        const size_t header = suite->protocol == RECORD_SSL2 ? 2 + 10 : 2 + 18;
        struct pair pair;

        assert_false(run(suite, &pair, (struct change){ 2, header + suite->clear_size + 40 }));
        assert_string_equal(pair.server.failure, suite->protocol == RECORD_SSL2
                                                     ? "a record that does not verify"
                                                     : "VERIFY_PRELUDE is wrong");
        assert_false(pair.client.is_done);
        free_pair(&pair);
    }
    assert_no_errors();
}

/* SSL 2.0: whatever is changed in a protected message. */
static void ssl2_notices_altered_proofs(void **state)
{
    const struct key_phase_suite *suite = suite_named("SSL_CK_DES_192_EDE3_CBC_WITH_MD5");
    struct pair whole;

    (void)state;
    /* 0 CLIENT-HELLO, 1 SERVER-HELLO, 2 CLIENT-MASTER-KEY, then the protected ones */
    assert_true(run(suite, &whole, unchanged));
    assert_int_equal(whole.records, 6);
    free_pair(&whole);
    for (size_t record = 3; record < 6; record++)
        for (size_t at = 3; at < 3 + 40; at += 3) {
            struct pair pair;

            assert_false(run(suite, &pair, (struct change){ record, at }));
            free_pair(&pair);
        }
    assert_no_errors();
}

/* SSL 2.0: the randoms are part of the keys. */
static void ssl2_notices_altered_randoms(void **state)
{
    const struct key_phase_suite *suite = suite_named("SSL_CK_RC4_128_WITH_MD5");
    struct pair pair;

    (void)state;
    assert_false(run(suite, &pair, (struct change){ 0, 2 + 9 + 3 }));
    free_pair(&pair);
    assert_false(run(suite, &pair, (struct change){ 1, 2 + 11 + identity.certificate_size + 3 }));
    free_pair(&pair);
    assert_no_errors();
}

/* Messages at the wrong time, to the wrong side, or none at all. */
static void messages_out_of_order_are_refused(void **state)
{
    static const char *const names[] = { "SSL_CK_RC4_128_WITH_MD5", "PCT_CIPHER_RC4 128 MD5" };
    static uint8_t record[RECORD_MAX_SIZE], copy[RECORD_MAX_SIZE];

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct pair pair;
        size_t size;

        memset(&pair, 0, sizeof(pair));
        assert_true(
            key_phase_begin(&pair.client, libctx, SESSION_CLIENT, suite_named(names[n]), NULL));
        assert_true(key_phase_begin(&pair.server, libctx, SESSION_SERVER, suite_named(names[n]),
                                    &identity));
        size = take_record(pair.client.suite->protocol, &pair.client.output, record);
        memcpy(copy, record, size);
        assert_false(key_phase_receive(&pair.client, copy, size)); /* its own hello */
        memcpy(copy, record, size);
        assert_true(key_phase_receive(&pair.server, copy, size));
        memcpy(copy, record, size);
        assert_false(key_phase_receive(&pair.server, copy, size)); /* once more */
        assert_string_equal(pair.server.failure, "an unexpected message");
        free_pair(&pair);
        /* too short to be anything */
        assert_true(key_phase_begin(&pair.server, libctx, SESSION_SERVER, suite_named(names[n]),
                                    &identity));
        memset(&pair.client, 0, sizeof(pair.client));
        assert_false(key_phase_receive(&pair.server, record, 2));
        free_pair(&pair);
    }
    assert_no_errors();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_agree_with_every_suite),
        cmocka_unit_test(every_connection_has_its_own_keys),
        cmocka_unit_test(pct1_notices_altered_hellos),
        cmocka_unit_test(pct1_notices_an_altered_server_verify),
        cmocka_unit_test(an_altered_encrypted_key_is_noticed_by_its_consequences),
        cmocka_unit_test(ssl2_notices_altered_proofs),
        cmocka_unit_test(ssl2_notices_altered_randoms),
        cmocka_unit_test(messages_out_of_order_are_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
