/*
 * The protocol engine of engine.c with a client of this test's own: what must succeed, and where a
 * handshake that was tampered with has to fail.  Peers of other makes are peers.sh's.
 */
#include "fixture.h"
#include "engine.h"
#include "session.h"

#include <openssl/rand.h>
#include <openssl/x509.h>

#define CLIENT_HELLO        1
#define SERVER_HELLO        2
#define CLIENT_KEY_EXCHANGE 16
#define FINISHED            20

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

/* What this client does wrong, or in its own way. */
struct manner {
    size_t piece;            /* handshake bytes in a record; 0: whole messages */
    unsigned claims_version; /* the version in the premaster secret; 0: the right one */
    int breaks_padding;      /* of the encrypted premaster secret */
    size_t premaster_size;   /* 0: 48 */
    int breaks_finished;
};

struct client {
    struct engine *engine;
    enum record_protocol protocol;
    const struct engine_suite *suite;
    const struct manner *manner;
    uint8_t client_random[SESSION_RANDOM_SIZE], server_random[SESSION_RANDOM_SIZE];
    uint8_t premaster[SESSION_PREMASTER_SIZE];
    struct buffer handshake; /* all messages so far */
    EVP_PKEY *master;
    struct session_keys keys;
    struct session_records records;
    int is_protected;
};

static unsigned version_of(const struct client *client)
{
    return client->protocol == RECORD_SSL3 ? 0x0300 : 0x0301;
}

/* One record to the engine. */
static enum engine_result send_record(struct client *client, enum record_type type,
                                      const uint8_t *data, size_t size)
{
    static uint8_t record[RECORD_MAX_SIZE];
    struct record_content content;
    size_t record_size = RECORD_MAX_HEADER + size;

    if (client->is_protected) {
        assert_int_equal(
            record_seal(&client->records.writer, type, data, size, record, &record_size), 1);
    } else {
        record[0] = (uint8_t)type;
        record[1] = 3;
        record[2] = (uint8_t)version_of(client);
        record[3] = (uint8_t)(size >> 8);
        record[4] = (uint8_t)size;
        memcpy(record + RECORD_MAX_HEADER, data, size);
    }
    return engine_receive(client->engine, record, record_size, &content);
}

/* A message, perhaps in pieces. */
static enum engine_result send_message(struct client *client, unsigned type, struct buffer *body)
{
    struct buffer message = { 0 };
    enum engine_result result = ENGINE_OK;
    size_t done, piece;

    buffer_add_number(&message, type, 1);
    buffer_add_number(&message, body->size, 3);
    buffer_add(&message, body->data, body->size);
    buffer_add(&client->handshake, message.data, message.size);
    piece = client->manner->piece != 0 ? client->manner->piece : message.size;
    for (done = 0; done < message.size && result == ENGINE_OK; done += piece) {
        const size_t left = message.size - done;

        result =
            send_record(client, RECORD_HANDSHAKE, message.data + done, piece < left ? piece : left);
    }
    buffer_free(&message);
    buffer_free(body);
    return result;
}

/* The next record of the engine's, opened if it is protected. */
static void receive(struct client *client, enum record_type type, struct buffer *content)
{
    static uint8_t record[RECORD_MAX_SIZE];
    struct buffer *output = engine_output(client->engine);
    const size_t size = record_whole_size(client->protocol, output->data, output->size);
    struct record_content opened = { type, record + RECORD_MAX_HEADER, size - RECORD_MAX_HEADER };

    assert_true(size > 0 && size <= output->size);
    memcpy(record, output->data, size);
    buffer_drop(output, size);
    if (client->is_protected && type != RECORD_CHANGE_CIPHER_SPEC)
        assert_int_equal(record_open(&client->records.reader, record, size, &opened), RECORD_OK);
    assert_int_equal(record[0], type);
    buffer_add(content, opened.data, opened.size);
}

static enum engine_result hello(struct client *client)
{
    struct buffer body = { 0 }, content = { 0 };
    enum engine_result result;

    assert_int_equal(RAND_bytes_ex(libctx, client->client_random, SESSION_RANDOM_SIZE, 0), 1);
    buffer_add_number(&body, version_of(client), 2);
    buffer_add(&body, client->client_random, SESSION_RANDOM_SIZE);
    buffer_add_number(&body, 0, 1);
    buffer_add_number(&body, 2, 2);
    buffer_add_number(&body, client->suite->code, 2);
    buffer_add_number(&body, 1, 1);
    buffer_add_number(&body, 0, 1);
    result = send_message(client, CLIENT_HELLO, &body);
    if (result != ENGINE_OK)
        return result;
    for (int message = 0; message < 3; message++) {
        content.size = 0;
        receive(client, RECORD_HANDSHAKE, &content);
        buffer_add(&client->handshake, content.data, content.size);
        if (content.data[0] == SERVER_HELLO)
            memcpy(client->server_random, content.data + 6, SESSION_RANDOM_SIZE);
    }
    buffer_free(&content);
    return result;
}

static void encrypt_premaster(const struct client *client, size_t size, struct buffer *out)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, identity.key, NULL);
    uint8_t encrypted[512];
    size_t encrypted_size = sizeof(encrypted);

    assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_encrypt(ctx, encrypted, &encrypted_size, client->premaster, size), 1);
    EVP_PKEY_CTX_free(ctx);
    if (client->manner->breaks_padding)
        encrypted[encrypted_size / 2] ^= 1;
    if (client->protocol == RECORD_TLS1)
        buffer_add_number(out, encrypted_size, 2);
    buffer_add(out, encrypted, encrypted_size);
}

static void make_keys(struct client *client)
{
    OSSL_PARAM params[] = {
        text_param("alg", client->protocol == RECORD_SSL3 ? "SSL3-MASTER" : "TLS1-MASTER"),
        octets_param("premaster", client->premaster, sizeof(client->premaster)),
        octets_param("client-random", client->client_random, SESSION_RANDOM_SIZE),
        octets_param("server-random", client->server_random, SESSION_RANDOM_SIZE),
        text_param("cipher", client->suite->cipher),
        text_param("digest", client->suite->digest),
        OSSL_PARAM_construct_end(),
    };

    client->master = session_import(libctx, params);
    assert_non_null(client->master);
    assert_true(session_derive(libctx, client->protocol, client->master, &client->keys));
    assert_true(
        session_bind(libctx, client->protocol, &client->keys, SESSION_CLIENT, &client->records));
}

static enum engine_result exchange_keys(struct client *client)
{
    const struct manner *manner = client->manner;
    const unsigned version =
        manner->claims_version != 0 ? manner->claims_version : version_of(client);
    struct buffer body = { 0 };

    assert_int_equal(RAND_bytes_ex(libctx, client->premaster, SESSION_PREMASTER_SIZE, 0), 1);
    client->premaster[0] = (uint8_t)(version >> 8);
    client->premaster[1] = (uint8_t)version;
    encrypt_premaster(client,
                      manner->premaster_size != 0 ? manner->premaster_size : SESSION_PREMASTER_SIZE,
                      &body);
    make_keys(client);
    return send_message(client, CLIENT_KEY_EXCHANGE, &body);
}

static enum engine_result finish(struct client *client)
{
    const uint8_t change_cipher_spec = 1;
    uint8_t finished[SESSION_MAX_FINISHED];
    struct buffer body = { 0 };
    size_t size;

    if (send_record(client, RECORD_CHANGE_CIPHER_SPEC, &change_cipher_spec, 1) != ENGINE_OK)
        return ENGINE_FAILED;
    client->is_protected = 1;
    assert_true(session_finished(libctx, client->master, SESSION_CLIENT, client->handshake.data,
                                 client->handshake.size, finished, &size));
    if (client->manner->breaks_finished)
        finished[0] ^= 1;
    buffer_add(&body, finished, size);
    return send_message(client, FINISHED, &body);
}

/* The engine's Finished is that of all messages before it. */
static void check_finished(struct client *client)
{
    uint8_t finished[SESSION_MAX_FINISHED];
    struct buffer content = { 0 };
    size_t size;

    receive(client, RECORD_CHANGE_CIPHER_SPEC, &content);
    content.size = 0;
    receive(client, RECORD_HANDSHAKE, &content);
    assert_true(session_finished(libctx, client->master, SESSION_SERVER, client->handshake.data,
                                 client->handshake.size, finished, &size));
    assert_int_equal(content.size, 4 + size);
    assert_int_equal(content.data[0], FINISHED);
    assert_memory_equal(content.data + 4, finished, size);
    buffer_free(&content);
}

/* The client's side of the whole handshake, as far as the engine goes along. */
static enum engine_result handshake(struct client *client, enum record_protocol protocol,
                                    unsigned suite, const struct manner *manner)
{
    enum engine_result result;

    memset(client, 0, sizeof(*client));
    client->protocol = protocol;
    client->suite = engine_suite_by_code(suite);
    client->manner = manner;
    client->engine = engine_new(libctx, protocol, &identity);
    assert_non_null(client->engine);
    result = hello(client);
    if (result == ENGINE_OK)
        result = exchange_keys(client);
    if (result == ENGINE_OK)
        result = finish(client);
    return result;
}

static void free_client(struct client *client)
{
    engine_free(client->engine);
    session_release(&client->records);
    session_free_keys(&client->keys);
    EVP_PKEY_free(client->master);
    buffer_free(&client->handshake);
}

/* ---- what must succeed ---- */

static const enum record_protocol versions[] = { RECORD_SSL3, RECORD_TLS1 };
static const unsigned codes[] = { 0x0004, 0x0005, 0x0009, 0x000a, 0x002f, 0x0035 };
static const struct manner plain;

/* Application data through the engine and back, then good-bye. */
static void talk(struct client *client, size_t size)
{
    static uint8_t data[3 * RECORD_MAX_FRAGMENT], record[RECORD_MAX_SIZE];
    struct record_content content;
    struct buffer received = { 0 };
    size_t record_size = 0, piece = size < RECORD_MAX_FRAGMENT ? size : RECORD_MAX_FRAGMENT;

    pattern(data, size, 8);
    assert_int_equal(record_seal(&client->records.writer, RECORD_APPLICATION_DATA, data, piece,
                                 record, &record_size),
                     1);
    assert_int_equal(engine_receive(client->engine, record, record_size, &content), ENGINE_DATA);
    assert_int_equal(content.size, piece);
    assert_memory_equal(content.data, data, piece);
    assert_true(engine_send(client->engine, data, size));
    while (received.size < size)
        receive(client, RECORD_APPLICATION_DATA, &received);
    assert_int_equal(received.size, size);
    assert_memory_equal(received.data, data, size);
    buffer_free(&received);
}

static void handshakes_with_every_suite(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++)
        for (size_t n = 0; n < sizeof(codes) / sizeof(codes[0]); n++) {
            struct buffer content = { 0 };
            struct client client;

            assert_int_equal(handshake(&client, versions[v], codes[n], &plain), ENGINE_OK);
            assert_true(engine_is_connected(client.engine));
            assert_ptr_equal(engine_suite(client.engine), client.suite);
            check_finished(&client);
            talk(&client, 10);
            talk(&client, 3 * RECORD_MAX_FRAGMENT - 5);
            assert_true(engine_close(client.engine));
            receive(&client, RECORD_ALERT, &content);
            assert_memory_equal(content.data, "\x01\x00", 2);
            assert_false(engine_send(client.engine, "x", 1));
            buffer_free(&content);
            free_client(&client);
        }
    assert_no_errors();
}

/* Records are no messages. */
static void messages_may_come_in_pieces(void **state)
{
    static const size_t pieces[] = { 1, 3, 4, 5, 100 };

    (void)state;
    for (size_t n = 0; n < sizeof(pieces) / sizeof(pieces[0]); n++) {
        const struct manner manner = { .piece = pieces[n] };
        struct client client;

        assert_int_equal(handshake(&client, versions[n % 2], 0x002f, &manner), ENGINE_OK);
        check_finished(&client);
        talk(&client, 100);
        free_client(&client);
    }
    assert_no_errors();
}

/* ---- what must fail, and how ---- */

/*
 * A premaster secret with a fault: whatever it is, the engine goes on with one that nobody knows, and
 * the client's Finished record does not verify.
 */
static void faults_of_the_premaster_look_all_the_same(void **state)
{
    static const struct manner manners[] = {
        { .breaks_padding = 1 },      { .premaster_size = 47 },     { .premaster_size = 1 },
        { .claims_version = 0x0302 }, { .claims_version = 0x0200 }, { .claims_version = 0x0400 },
    };

    (void)state;
    for (size_t v = 0; v < 2; v++)
        for (size_t n = 0; n < sizeof(manners) / sizeof(manners[0]); n++) {
            struct buffer *output;
            struct client client;

            assert_int_equal(handshake(&client, versions[v], 0x0035, &manners[n]), ENGINE_FAILED);
            assert_string_equal(engine_failure(client.engine), "a record that does not verify");
            output = engine_output(client.engine);
            assert_int_equal(output->size, RECORD_MAX_HEADER + 2);
            assert_int_equal(output->data[0], RECORD_ALERT);
            assert_memory_equal(output->data + RECORD_MAX_HEADER, "\x02\x14", 2);
            free_client(&client);
            assert_no_errors();
        }
}

static void a_wrong_finished_is_refused(void **state)
{
    static const struct manner manner = { .breaks_finished = 1 };

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct client client;

        assert_int_equal(handshake(&client, versions[v], 0x0005, &manner), ENGINE_FAILED);
        assert_string_equal(engine_failure(client.engine), "the client's Finished is wrong");
        assert_false(engine_is_connected(client.engine));
        free_client(&client);
    }
    assert_no_errors();
}

/* The provider's own check, without the one that OpenSSL's RSA makes: highest-version. */
static void the_master_checks_the_version_itself(void **state)
{
    static const char *const algorithms[] = { "SSL3-MASTER", "TLS1-MASTER" };
    uint8_t premaster[SESSION_PREMASTER_SIZE], random[SESSION_RANDOM_SIZE], bytes[3][36];

    (void)state;
    pattern(premaster, sizeof(premaster), 2);
    pattern(random, sizeof(random), 3);
    for (size_t v = 0; v < 2; v++) {
        for (unsigned n = 0; n < 3; n++) { /* no check, one that holds, one that does not */
            unsigned version = 0x0301 + n;
            OSSL_PARAM params[] = {
                text_param("alg", algorithms[v]),
                octets_param("premaster", premaster, sizeof(premaster)),
                octets_param("client-random", random, sizeof(random)),
                octets_param("server-random", random, sizeof(random)),
                n == 0 ? OSSL_PARAM_construct_end()
                       : OSSL_PARAM_construct_uint("highest-version", &version),
                OSSL_PARAM_construct_end(),
            };
            EVP_PKEY *master;
            size_t size;

            premaster[0] = 0x03;
            premaster[1] = 0x02;
            master = session_import(libctx, params);
            assert_non_null(master);
            assert_true(
                session_finished(libctx, master, SESSION_CLIENT, random, 10, bytes[n], &size));
            EVP_PKEY_free(master);
        }
        assert_memory_equal(bytes[0], bytes[1], 12);
        assert_memory_not_equal(bytes[0], bytes[2], 12);
    }
    assert_no_errors();
}

/* ChangeCipherSpec within a message: what came before would count as what comes after. */
static void a_message_ends_before_change_cipher_spec(void **state)
{
    static const uint8_t change_cipher_spec = 1;
    struct client client;

    (void)state;
    memset(&client, 0, sizeof(client));
    client.protocol = RECORD_TLS1;
    client.suite = engine_suite_by_code(0x002f);
    client.manner = &plain;
    client.engine = engine_new(libctx, RECORD_TLS1, &identity);
    assert_int_equal(hello(&client), ENGINE_OK);
    assert_int_equal(exchange_keys(&client), ENGINE_OK);
    assert_int_equal(send_record(&client, RECORD_HANDSHAKE, (const uint8_t *)"\x14\x00", 2),
                     ENGINE_OK);
    assert_int_equal(send_record(&client, RECORD_CHANGE_CIPHER_SPEC, &change_cipher_spec, 1),
                     ENGINE_FAILED);
    assert_string_equal(engine_failure(client.engine), "an unexpected ChangeCipherSpec");
    free_client(&client);
    assert_no_errors();
}

static void unexpected_records_are_refused(void **state)
{
    static const uint8_t change_cipher_spec = 1;
    static const struct {
        enum record_type type;
        const uint8_t *data;
        size_t size;
    } rows[] = {
        { RECORD_CHANGE_CIPHER_SPEC, &change_cipher_spec, 1 },
        { RECORD_APPLICATION_DATA, &change_cipher_spec, 1 },
        { RECORD_HANDSHAKE, (const uint8_t *)"\x14\x00\x00\x00", 4 },
        { RECORD_HANDSHAKE, (const uint8_t *)"\x01\x00\x00\x02\x03\x00", 6 },
        { RECORD_HANDSHAKE, (const uint8_t *)"\x10\x00\x00\x00", 4 },
        { (enum record_type)99, &change_cipher_spec, 1 },
    };

    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct client client = { .protocol = RECORD_TLS1, .manner = &plain };

        client.engine = engine_new(libctx, RECORD_TLS1, &identity);
        assert_int_equal(send_record(&client, rows[n].type, rows[n].data, rows[n].size),
                         ENGINE_FAILED);
        /* and it stays so */
        assert_int_equal(send_record(&client, RECORD_HANDSHAKE, rows[n].data, rows[n].size),
                         ENGINE_FAILED);
        free_client(&client);
    }
    assert_no_errors();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshakes_with_every_suite),
        cmocka_unit_test(messages_may_come_in_pieces),
        cmocka_unit_test(faults_of_the_premaster_look_all_the_same),
        cmocka_unit_test(a_wrong_finished_is_refused),
        cmocka_unit_test(the_master_checks_the_version_itself),
        cmocka_unit_test(a_message_ends_before_change_cipher_spec),
        cmocka_unit_test(unexpected_records_are_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
