/*
 * Whole sessions of peers of other makes, as record_sessions.sh has written them down: from the
 * server's RSA key, or from the master secret, to every byte of both directions.  Every MAC verified,
 * both Finished messages checked, and the plaintext is what the peer itself has decrypted.
 */
#include "fixture.h"
#include "bytes.h"
#include "session.h"
#include "vectors.h"

#include <openssl/kdf.h>
#include <openssl/x509.h>

#define CLIENT_HELLO        1
#define SERVER_HELLO        2
#define SERVER_HELLO_DONE   14
#define CLIENT_KEY_EXCHANGE 16
#define FINISHED            20
#define HEADER_SIZE         4 /* of a message */
#define MAX_RSA_SIZE        512

/* What one side has sent. */
struct side {
    struct buffer clear;     /* handshake messages before ChangeCipherSpec */
    struct reader rest;      /* the records behind it */
    struct buffer handshake; /* what these held, by type */
    struct buffer data;
    size_t records;
};

struct session {
    struct vectors *vectors;
    enum record_protocol protocol;
    struct side side[SESSION_SIDES];
    const uint8_t *client_random, *server_random;
    unsigned client_version;
    uint8_t premaster[SESSION_PREMASTER_SIZE];
};

/* ---- what is in the clear ---- */

static struct reader stream_of(struct vectors *vectors, const char *field)
{
    const struct octets stream = vectors_hex(vectors, field);

    return (struct reader){ stream.data, stream.size, 0 };
}

/* The next whole record. */
static struct reader next_record(const struct session *session, struct reader *stream)
{
    return reader_part(stream, record_whole_size(session->protocol, stream->data, stream->size));
}

static void read_clear_part(struct session *session, struct side *side, struct reader stream)
{
    while (stream.size > 0) {
        const struct reader record = next_record(session, &stream);

        assert_true(record.size >= RECORD_MAX_HEADER);
        if (record.data[0] == RECORD_CHANGE_CIPHER_SPEC)
            break;
        assert_int_equal(record.data[0], RECORD_HANDSHAKE);
        buffer_add(&side->clear, record.data + RECORD_MAX_HEADER, record.size - RECORD_MAX_HEADER);
    }
    assert_true(stream.size > 0);
    side->rest = stream;
}

/* The message with its header that |messages| begins with. */
static struct reader next_message(struct reader *messages)
{
    struct reader header = *messages;

    reader_number(&header, 1);
    return reader_part(messages, HEADER_SIZE + reader_number(&header, 3));
}

/* Without the header. */
static struct reader find_message(const struct buffer *clear, unsigned type)
{
    struct reader messages = { clear->data, clear->size, 0 };

    while (messages.size > 0 && !messages.failed) {
        struct reader message = next_message(&messages);

        if (reader_number(&message, 1) == type) {
            reader_number(&message, 3);
            return message;
        }
    }
    fail_msg("there is no message of type %u", type);
    return messages;
}

static void read_hellos(struct session *session)
{
    struct reader client = find_message(&session->side[SESSION_CLIENT].clear, CLIENT_HELLO);
    struct reader server = find_message(&session->side[SESSION_SERVER].clear, SERVER_HELLO);

    session->client_version = reader_number(&client, 2);
    session->client_random = reader_bytes(&client, SESSION_RANDOM_SIZE);
    reader_number(&server, 2);
    session->server_random = reader_bytes(&server, SESSION_RANDOM_SIZE);
    assert_false(client.failed || server.failed);
}

/* ---- masters ---- */

static EVP_PKEY *make_master(const struct session *session, OSSL_PARAM secret, OSSL_PARAM version)
{
    OSSL_PARAM params[] = {
        text_param("alg", session->protocol == RECORD_SSL3 ? "SSL3-MASTER" : "TLS1-MASTER"),
        octets_param("client-random", session->client_random, SESSION_RANDOM_SIZE),
        octets_param("server-random", session->server_random, SESSION_RANDOM_SIZE),
        text_param("cipher", vectors_string(session->vectors, "Cipher")),
        text_param("digest", vectors_string(session->vectors, "Digest")),
        secret,
        version,
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *master = session_import(libctx, params);

    assert_non_null(master);
    return master;
}

/* ClientKeyExchange with the key that the server had. */
static void decrypt_premaster(struct session *session)
{
    const struct octets der = vectors_hex(session->vectors, "ServerKey");
    const uint8_t *start = der.data;
    EVP_PKEY *key = d2i_AutoPrivateKey_ex(NULL, &start, (long)der.size, libctx, NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    struct reader exchange =
        find_message(&session->side[SESSION_CLIENT].clear, CLIENT_KEY_EXCHANGE);
    struct reader encrypted = exchange;
    uint8_t plain[MAX_RSA_SIZE];
    size_t size = sizeof(plain);

    assert_non_null(ctx);
    if (session->protocol == RECORD_TLS1)
        encrypted = reader_vector(&exchange, 2);
    assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_decrypt(ctx, plain, &size, encrypted.data, encrypted.size), 1);
    assert_int_equal(size, SESSION_PREMASTER_SIZE);
    memcpy(session->premaster, plain, size);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
}

static EVP_PKEY *master_from_server_key(struct session *session)
{
    decrypt_premaster(session);
    return make_master(session,
                       octets_param("premaster", session->premaster, sizeof(session->premaster)),
                       OSSL_PARAM_construct_uint("highest-version", &session->client_version));
}

static EVP_PKEY *master_from_secret(struct session *session)
{
    const struct octets secret = vectors_hex(session->vectors, "MasterSecret");

    return make_master(session, octets_param("secret", secret.data, secret.size),
                       OSSL_PARAM_construct_end());
}

/* EVP_KDF makes the same master secret of the premaster secret as the peer has. */
static void check_master_secret(struct session *session)
{
    OSSL_PARAM params[] = {
        octets_param("premaster", session->premaster, sizeof(session->premaster)),
        octets_param("client-random", session->client_random, SESSION_RANDOM_SIZE),
        octets_param("server-random", session->server_random, SESSION_RANDOM_SIZE),
        text_param("usage", "master-secret"),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf =
        EVP_KDF_fetch(libctx, session->protocol == RECORD_SSL3 ? "SSL3-KDF" : "TLS1-KDF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    uint8_t secret[48];

    assert_int_equal(EVP_KDF_derive(ctx, secret, sizeof(secret), params), 1);
    vectors_expect(session->vectors, "MasterSecret", (struct octets){ secret, sizeof(secret) });
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

/* ---- what is protected ---- */

static void open_records(struct session *session, struct side *side,
                         struct record_direction *reader)
{
    static uint8_t record[RECORD_MAX_SIZE];
    struct reader rest = side->rest;

    side->handshake.size = 0;
    side->data.size = 0;
    for (side->records = 0; rest.size > 0; side->records++) {
        const struct reader next = next_record(session, &rest);
        struct record_content content;

        assert_true(next.size > 0);
        memcpy(record, next.data, next.size);
        if (record_open(reader, record, next.size, &content) != RECORD_OK)
            vectors_fail(session->vectors, "protected record %zu is refused", side->records + 1);
        if (content.type == RECORD_HANDSHAKE)
            buffer_add(&side->handshake, content.data, content.size);
        else if (content.type == RECORD_APPLICATION_DATA)
            buffer_add(&side->data, content.data, content.size);
        else
            assert_int_equal(content.type, RECORD_ALERT);
    }
}

static void check_finished(struct session *session, EVP_PKEY *master, enum session_side sender,
                           const struct buffer *before)
{
    const struct buffer *sent = &session->side[sender].handshake;
    uint8_t finished[SESSION_MAX_FINISHED];
    size_t size;

    assert_true(
        session_finished(libctx, master, sender, before->data, before->size, finished, &size));
    assert_int_equal(sent->size, HEADER_SIZE + size);
    assert_int_equal(sent->data[0], FINISHED);
    assert_memory_equal(sent->data + HEADER_SIZE, finished, size);
}

/*
 * All messages in the order of the handshake: ClientHello, those of the server up to ServerHelloDone,
 * the client's other ones, its Finished, what the server sent after that (a session ticket).
 */
static void check_both_finished(struct session *session, EVP_PKEY *master)
{
    const struct buffer *client = &session->side[SESSION_CLIENT].clear;
    const struct buffer *server = &session->side[SESSION_SERVER].clear;
    struct reader from_client = { client->data, client->size, 0 };
    struct reader from_server = { server->data, server->size, 0 };
    struct reader message = next_message(&from_client);
    struct buffer before = { 0 };

    buffer_add(&before, message.data, message.size);
    do {
        message = next_message(&from_server);
        assert_false(message.failed);
        buffer_add(&before, message.data, message.size);
    } while (message.data[0] != SERVER_HELLO_DONE);
    buffer_add(&before, from_client.data, from_client.size);
    check_finished(session, master, SESSION_CLIENT, &before);
    buffer_add(&before, session->side[SESSION_CLIENT].handshake.data,
               session->side[SESSION_CLIENT].handshake.size);
    buffer_add(&before, from_server.data, from_server.size);
    check_finished(session, master, SESSION_SERVER, &before);
    buffer_free(&before);
}

static void check_data(const struct session *session, enum session_side sender, const char *field)
{
    const struct buffer *data = &session->side[sender].data;

    vectors_expect(session->vectors, field, (struct octets){ data->data, data->size });
}

/* From a master to both streams. */
static void open_with(struct session *session, EVP_PKEY *master)
{
    struct session_keys keys;

    assert_true(session_derive(libctx, session->protocol, master, &keys));
    for (int side = 0; side < SESSION_SIDES; side++) {
        struct record_direction reader;

        assert_true(record_bind(&reader, libctx, session->protocol, keys.write_key[side],
                                keys.write_mac[side], 0));
        open_records(session, &session->side[side], &reader);
        record_release(&reader);
    }
    session_free_keys(&keys);
    check_both_finished(session, master);
    check_data(session, SESSION_CLIENT, "ClientData");
    check_data(session, SESSION_SERVER, "ServerData");
    EVP_PKEY_free(master);
}

/* ---- the files ---- */

/* The number of protected records. */
static size_t open_session(struct vectors *vectors)
{
    struct session session = { .vectors = vectors };
    const int has_key = vectors_has(vectors, "ServerKey");
    const int has_secret = vectors_has(vectors, "MasterSecret");
    size_t records;

    session.protocol =
        strcmp(vectors_string(vectors, "Alg"), "SSL3") == 0 ? RECORD_SSL3 : RECORD_TLS1;
    read_clear_part(&session, &session.side[SESSION_CLIENT], stream_of(vectors, "ClientStream"));
    read_clear_part(&session, &session.side[SESSION_SERVER], stream_of(vectors, "ServerStream"));
    read_hellos(&session);
    assert_true(has_key || has_secret);
    if (has_key)
        open_with(&session, master_from_server_key(&session));
    if (has_secret)
        open_with(&session, master_from_secret(&session));
    if (has_key && has_secret)
        check_master_secret(&session);
    records = session.side[SESSION_CLIENT].records + session.side[SESSION_SERVER].records;
    print_message("           %s: %zu protected records, from %s\n",
                  vectors_string(vectors, "Test"), records,
                  !has_secret ? "the server's key"
                  : !has_key  ? "the master secret"
                              : "the server's key and the master secret");
    for (int side = 0; side < SESSION_SIDES; side++) {
        buffer_free(&session.side[side].clear);
        buffer_free(&session.side[side].handshake);
        buffer_free(&session.side[side].data);
    }
    return records;
}

static void open_file(const char *file, size_t expected_sessions)
{
    struct vectors *vectors = vectors_open(file);
    size_t sessions = 0, records = 0;

    for (; vectors_next(vectors); sessions++)
        records += open_session(vectors);
    vectors_close(vectors);
    print_message("           %s: %zu records of %zu sessions\n", file, records, sessions);
    assert_int_equal(sessions, expected_sessions);
    assert_no_errors();
}

static void ssl3_sessions(void **state)
{
    (void)state;
    open_file("session-ssl3.txt", 6);
}

static void tls1_sessions(void **state)
{
    (void)state;
    open_file("session-tls1.txt", 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ssl3_sessions),
        cmocka_unit_test(tls1_sessions),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
