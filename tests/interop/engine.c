/*
 * The server side of a handshake, see engine.h.
 *
 *     ClientHello         -->
 *                         <--   ServerHello, Certificate, ServerHelloDone
 *     ClientKeyExchange   -->   premaster secret, then the master key and four session keys
 *     ChangeCipherSpec    -->   from here the client writes with its keys
 *     Finished            -->
 *                         <--   ChangeCipherSpec, Finished
 *     data               <-->   data
 *
 * RFC 6101, section 5.5; RFC 2246, section 7.3.  No resumption, no compression, no client
 * certificates, and no extensions but the empty renegotiation_info of RFC 5746.
 */
#include "engine.h"

#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <schannel/names.h>
#include "session.h"

#define MAX_HANDSHAKE         65536 /* all messages of one; more is an attack */
#define HANDSHAKE_HEADER_SIZE 4     /* type, length */
#define MAX_SESSION_ID        32
#define SIGNALLING_SUITE      0x00ff /* TLS_EMPTY_RENEGOTIATION_INFO_SCSV, RFC 5746 */
#define RENEGOTIATION_INFO    0xff01
#define COMPRESSION_NULL      0
#define ALERT_WARNING         1
#define ALERT_FATAL           2
#define ALERT_CLOSE_NOTIFY    0
#define ALERT_UNEXPECTED      10
#define ALERT_BAD_RECORD_MAC  20
#define ALERT_HANDSHAKE       40
#define SSL3_VERSION_NUMBER   0x0300
#define TLS1_VERSION_NUMBER   0x0301

enum message_type {
    CLIENT_HELLO = 1,
    SERVER_HELLO = 2,
    CERTIFICATE = 11,
    SERVER_HELLO_DONE = 14,
    CLIENT_KEY_EXCHANGE = 16,
    FINISHED = 20
};

enum state {
    WANTS_CLIENT_HELLO,
    WANTS_CLIENT_KEY_EXCHANGE,
    WANTS_CHANGE_CIPHER_SPEC,
    WANTS_FINISHED,
    CONNECTED,
    OVER
};

struct engine {
    OSSL_LIB_CTX *libctx;
    enum record_protocol protocol;
    const struct identity *identity;
    enum state state;
    const char *failure;

    uint8_t client_random[SESSION_RANDOM_SIZE], server_random[SESSION_RANDOM_SIZE];
    unsigned client_version; /* the highest that it offered */
    int signals_renegotiation;
    const struct engine_suite *suite;

    EVP_PKEY *master;
    struct session_keys keys;
    struct session_records records;

    struct buffer incoming;  /* handshake messages, the last perhaps not whole */
    struct buffer handshake; /* all messages so far, which Finished authenticates */
    struct buffer output;
};

static const struct engine_suite suites[] = {
    { 0x0004, "RC4_128_MD5", SCHANNEL_ALG_RC4, "MD5" },
    { 0x0005, "RC4_128_SHA", SCHANNEL_ALG_RC4, "SHA1" },
    { 0x0009, "DES_CBC_SHA", SCHANNEL_ALG_DES_CBC, "SHA1" },
    { 0x000a, "3DES_EDE_CBC_SHA", SCHANNEL_ALG_DES_EDE3_CBC, "SHA1" },
    { 0x002f, "AES_128_CBC_SHA", SCHANNEL_ALG_AES_128_CBC, "SHA1" },
    { 0x0035, "AES_256_CBC_SHA", SCHANNEL_ALG_AES_256_CBC, "SHA1" },
};

const struct engine_suite *engine_suite_by_code(unsigned code)
{
    size_t n;

    for (n = 0; n < sizeof(suites) / sizeof(suites[0]); n++)
        if (suites[n].code == code)
            return &suites[n];
    return NULL;
}

static unsigned version_of(const struct engine *engine)
{
    return engine->protocol == RECORD_SSL3 ? SSL3_VERSION_NUMBER : TLS1_VERSION_NUMBER;
}

struct engine *engine_new(OSSL_LIB_CTX *libctx, enum record_protocol protocol,
                          const struct identity *identity)
{
    struct engine *engine = OPENSSL_zalloc(sizeof(*engine));

    if (engine == NULL)
        return NULL;
    engine->libctx = libctx;
    engine->protocol = protocol;
    engine->identity = identity;
    engine->failure = "none";
    return engine;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    session_release(&engine->records);
    session_free_keys(&engine->keys);
    EVP_PKEY_free(engine->master);
    buffer_free(&engine->incoming);
    buffer_free(&engine->handshake);
    buffer_free(&engine->output);
    OPENSSL_clear_free(engine, sizeof(*engine));
}

/* ---- sending ---- */

static int is_protected(const struct record_direction *direction)
{
    return direction->cipher != NULL;
}

/* One record, protected as soon as there are keys to write with. */
static int send_record(struct engine *engine, int protect, enum record_type type, const void *data,
                       size_t size)
{
    uint8_t record[RECORD_MAX_SIZE];
    size_t record_size = 0;

    if (!protect) {
        buffer_add_number(&engine->output, (uint64_t)type, 1);
        buffer_add_number(&engine->output, version_of(engine), 2);
        buffer_add_number(&engine->output, size, 2);
        buffer_add(&engine->output, data, size);
    } else if (record_seal(&engine->records.writer, type, data, size, record, &record_size)) {
        buffer_add(&engine->output, record, record_size);
    } else {
        return 0;
    }
    return !engine->output.failed;
}

/* Is what we send protected?  From our Finished on, and it ends the handshake. */
static int writes_protected(const struct engine *engine)
{
    return engine->state == CONNECTED;
}

static void send_alert(struct engine *engine, int level, int description)
{
    const uint8_t alert[2] = { (uint8_t)level, (uint8_t)description };

    send_record(engine, writes_protected(engine), RECORD_ALERT, alert, sizeof(alert));
}

static enum engine_result fail(struct engine *engine, int description, const char *why)
{
    if (engine->state != OVER) {
        send_alert(engine, ALERT_FATAL, description);
        engine->failure = why;
        engine->state = OVER;
    }
    return ENGINE_FAILED;
}

/* A message of the handshake; Finished authenticates it too, and is itself part of the other's. */
static int send_message(struct engine *engine, int protect, enum message_type type,
                        const struct buffer *body)
{
    struct buffer message = { 0 };
    int ok;

    buffer_add_number(&message, (uint64_t)type, 1);
    buffer_add_number(&message, body->size, 3);
    buffer_add(&message, body->data, body->size);
    buffer_add(&engine->handshake, message.data, message.size);
    ok = !message.failed && !body->failed && message.size <= RECORD_MAX_FRAGMENT &&
         send_record(engine, protect, RECORD_HANDSHAKE, message.data, message.size);
    buffer_free(&message);
    return ok;
}

/* ---- hello ---- */

/* The first of our suites that the client offers too. */
static const struct engine_suite *choose_suite(struct engine *engine, struct reader offered)
{
    const struct engine_suite *chosen = NULL;

    while (offered.size > 0 && !offered.failed) {
        const unsigned code = reader_number(&offered, 2);
        const struct engine_suite *suite = engine_suite_by_code(code);

        if (code == SIGNALLING_SUITE)
            engine->signals_renegotiation = 1;
        if (suite != NULL && (chosen == NULL || suite > chosen))
            chosen = suite; /* the later in our table, the better */
    }
    return offered.failed ? NULL : chosen;
}

static int offers_no_compression(struct reader methods)
{
    while (methods.size > 0)
        if (reader_number(&methods, 1) == COMPRESSION_NULL)
            return 1;
    return 0;
}

static void read_extensions(struct engine *engine, struct reader *hello)
{
    struct reader extensions;

    if (hello->size == 0) /* SSL 3.0 and early TLS 1.0 have none */
        return;
    extensions = reader_vector(hello, 2);
    while (extensions.size > 0 && !extensions.failed) {
        const unsigned type = reader_number(&extensions, 2);

        reader_vector(&extensions, 2);
        if (type == RENEGOTIATION_INFO)
            engine->signals_renegotiation = 1;
    }
    hello->failed |= extensions.failed;
}

/* RFC 2246, section 7.4.1.2. */
static int read_client_hello(struct engine *engine, struct reader hello)
{
    struct reader session, methods, offered;
    const uint8_t *random;

    engine->client_version = reader_number(&hello, 2);
    random = reader_bytes(&hello, SESSION_RANDOM_SIZE);
    session = reader_vector(&hello, 1);
    offered = reader_vector(&hello, 2);
    methods = reader_vector(&hello, 1);
    read_extensions(engine, &hello);
    if (!reader_is_done(&hello) || session.size > MAX_SESSION_ID || offered.failed ||
        methods.failed || engine->client_version < version_of(engine) ||
        !offers_no_compression(methods))
        return 0;
    memcpy(engine->client_random, random, SESSION_RANDOM_SIZE);
    engine->suite = choose_suite(engine, offered);
    return engine->suite != NULL;
}

static int send_server_hello(struct engine *engine)
{
    struct buffer body = { 0 };
    int ok = RAND_bytes_ex(engine->libctx, engine->server_random, SESSION_RANDOM_SIZE, 0) > 0;

    buffer_add_number(&body, version_of(engine), 2);
    buffer_add(&body, engine->server_random, SESSION_RANDOM_SIZE);
    buffer_add_number(&body, 0, 1); /* no session id: nothing to resume */
    buffer_add_number(&body, engine->suite->code, 2);
    buffer_add_number(&body, COMPRESSION_NULL, 1);
    if (engine->signals_renegotiation) {
        buffer_add_number(&body, 5, 2); /* all extensions */
        buffer_add_number(&body, RENEGOTIATION_INFO, 2);
        buffer_add_number(&body, 1, 2);
        buffer_add_number(&body, 0, 1); /* the first handshake of the connection */
    }
    ok = ok && send_message(engine, 0, SERVER_HELLO, &body);
    buffer_free(&body);
    return ok;
}

static int send_certificate(struct engine *engine)
{
    const size_t size = engine->identity->certificate_size;
    struct buffer body = { 0 };
    int ok;

    buffer_add_number(&body, size + 3, 3);
    buffer_add_number(&body, size, 3);
    buffer_add(&body, engine->identity->certificate, size);
    ok = send_message(engine, 0, CERTIFICATE, &body);
    buffer_free(&body);
    return ok;
}

static enum engine_result take_client_hello(struct engine *engine, struct reader body)
{
    const struct buffer nothing = { 0 };

    if (!read_client_hello(engine, body))
        return fail(engine, ALERT_HANDSHAKE, "no version, suite or compression in common");
    if (!send_server_hello(engine) || !send_certificate(engine) ||
        !send_message(engine, 0, SERVER_HELLO_DONE, &nothing))
        return fail(engine, ALERT_HANDSHAKE, "the hello messages cannot be made");
    engine->state = WANTS_CLIENT_KEY_EXCHANGE;
    return ENGINE_OK;
}

/* ---- key exchange ---- */

/*
 * The premaster secret, or random bytes when the padding is wrong: which of them, nobody learns
 * (Bleichenbacher 1998; RFC 2246, section 7.4.7.1).  0 only for what was public before.
 */
static int decrypt_premaster(struct engine *engine, struct reader encrypted,
                             uint8_t premaster[SESSION_PREMASTER_SIZE])
{
    unsigned version = engine->client_version;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &version),
        OSSL_PARAM_END,
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(engine->libctx, engine->identity->key, NULL);
    size_t size = SESSION_PREMASTER_SIZE;
    int ok;

    ok = ctx != NULL && EVP_PKEY_decrypt_init(ctx) > 0 &&
         EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_WITH_TLS_PADDING) > 0 &&
         EVP_PKEY_CTX_set_params(ctx, params) > 0 &&
         EVP_PKEY_decrypt(ctx, premaster, &size, encrypted.data, encrypted.size) > 0 &&
         size == SESSION_PREMASTER_SIZE;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/*
 * CPImportKey and CPSetKeyParam: the master key and all that it derives with.  With highest-version
 * the key itself looks whether the premaster secret begins with what the client offered, and goes on
 * with a random one when it does not.
 */
static EVP_PKEY *make_master(struct engine *engine, const uint8_t premaster[SESSION_PREMASTER_SIZE])
{
    unsigned version = engine->client_version;
    OSSL_PARAM params[] = {
        session_text(SCHANNEL_PARAM_ALG, engine->protocol == RECORD_SSL3
                                             ? SCHANNEL_ALG_SSL3_MASTER
                                             : SCHANNEL_ALG_TLS1_MASTER),
        session_octets(SCHANNEL_PARAM_PREMASTER, premaster, SESSION_PREMASTER_SIZE),
        OSSL_PARAM_construct_uint(SCHANNEL_PARAM_HIGHEST_VERSION, &version),
        session_octets(SCHANNEL_PARAM_CLIENT_RANDOM, engine->client_random, SESSION_RANDOM_SIZE),
        session_octets(SCHANNEL_PARAM_SERVER_RANDOM, engine->server_random, SESSION_RANDOM_SIZE),
        session_text(SCHANNEL_PARAM_CIPHER, engine->suite->cipher),
        session_text(SCHANNEL_PARAM_DIGEST, engine->suite->digest),
        OSSL_PARAM_END,
    };

    return session_import(engine->libctx, params);
}

static int make_keys(struct engine *engine, struct reader encrypted)
{
    uint8_t premaster[SESSION_PREMASTER_SIZE];

    if (decrypt_premaster(engine, encrypted, premaster))
        engine->master = make_master(engine, premaster);
    OPENSSL_cleanse(premaster, sizeof(premaster));
    return engine->master != NULL &&
           session_derive(engine->libctx, engine->protocol, engine->master, &engine->keys);
}

/* SSL 3.0 sends the encrypted premaster secret bare, TLS 1.0 behind a length. */
static enum engine_result take_client_key_exchange(struct engine *engine, struct reader body)
{
    struct reader encrypted = body;

    if (engine->protocol == RECORD_TLS1) {
        encrypted = reader_vector(&body, 2);
        if (encrypted.failed || !reader_is_done(&body))
            return fail(engine, ALERT_HANDSHAKE, "a malformed ClientKeyExchange");
    }
    if (!make_keys(engine, encrypted))
        return fail(engine, ALERT_HANDSHAKE, "the session keys cannot be made");
    engine->state = WANTS_CHANGE_CIPHER_SPEC;
    return ENGINE_OK;
}

/* ---- finished ---- */

static enum engine_result take_change_cipher_spec(struct engine *engine,
                                                  const struct record_content *content)
{
    if (engine->state != WANTS_CHANGE_CIPHER_SPEC || engine->incoming.size > 0 ||
        content->size != 1 || content->data[0] != 1)
        return fail(engine, ALERT_UNEXPECTED, "an unexpected ChangeCipherSpec");
    if (!session_bind(engine->libctx, engine->protocol, &engine->keys, SESSION_SERVER,
                      &engine->records))
        return fail(engine, ALERT_HANDSHAKE, "the session keys cannot be bound");
    engine->state = WANTS_FINISHED;
    return ENGINE_OK;
}

static int check_finished(struct engine *engine, struct reader body)
{
    uint8_t expected[SESSION_MAX_FINISHED];
    size_t size;

    return session_finished(engine->libctx, engine->master, SESSION_CLIENT, engine->handshake.data,
                            engine->handshake.size, expected, &size) &&
           size == body.size && CRYPTO_memcmp(expected, body.data, size) == 0;
}

static int send_finished(struct engine *engine)
{
    const uint8_t change_cipher_spec = 1;
    uint8_t finished[SESSION_MAX_FINISHED];
    struct buffer body = { 0 };
    size_t size;
    int ok = session_finished(engine->libctx, engine->master, SESSION_SERVER,
                              engine->handshake.data, engine->handshake.size, finished, &size);

    if (ok)
        buffer_add(&body, finished, size);
    ok = ok && send_record(engine, 0, RECORD_CHANGE_CIPHER_SPEC, &change_cipher_spec, 1) &&
         send_message(engine, 1, FINISHED, &body);
    buffer_free(&body);
    return ok;
}

/* |message| is the whole one, which our own Finished authenticates. */
static enum engine_result take_finished(struct engine *engine, struct reader body,
                                        struct reader message)
{
    if (!check_finished(engine, body))
        return fail(engine, ALERT_HANDSHAKE, "the client's Finished is wrong");
    buffer_add(&engine->handshake, message.data, message.size);
    if (!send_finished(engine))
        return fail(engine, ALERT_HANDSHAKE, "Finished cannot be made");
    engine->state = CONNECTED;
    return ENGINE_OK;
}

/* ---- receiving ---- */

static enum engine_result take_message(struct engine *engine, struct reader message)
{
    struct reader body = message;
    const unsigned type = reader_number(&body, 1);

    reader_number(&body, 3);
    if (engine->state == WANTS_FINISHED && type == FINISHED)
        return take_finished(engine, body, message);
    buffer_add(&engine->handshake, message.data, message.size);
    if (engine->handshake.size > MAX_HANDSHAKE || engine->handshake.failed)
        return fail(engine, ALERT_HANDSHAKE, "the handshake is too long");
    if (engine->state == WANTS_CLIENT_HELLO && type == CLIENT_HELLO)
        return take_client_hello(engine, body);
    if (engine->state == WANTS_CLIENT_KEY_EXCHANGE && type == CLIENT_KEY_EXCHANGE)
        return take_client_key_exchange(engine, body);
    return fail(engine, ALERT_UNEXPECTED, "an unexpected message");
}

/* Messages and records need not begin and end together. */
static enum engine_result take_handshake(struct engine *engine,
                                         const struct record_content *content)
{
    enum engine_result result = ENGINE_OK;

    buffer_add(&engine->incoming, content->data, content->size);
    if (engine->incoming.failed || engine->incoming.size > MAX_HANDSHAKE)
        return fail(engine, ALERT_HANDSHAKE, "a message is too long");
    while (result == ENGINE_OK && engine->incoming.size >= HANDSHAKE_HEADER_SIZE) {
        struct reader header = { engine->incoming.data, HANDSHAKE_HEADER_SIZE, 0 };
        struct reader message = { engine->incoming.data, 0, 0 };

        reader_number(&header, 1);
        message.size = HANDSHAKE_HEADER_SIZE + reader_number(&header, 3);
        if (message.size > engine->incoming.size)
            break;
        result = take_message(engine, message);
        buffer_drop(&engine->incoming, message.size);
    }
    return result;
}

static enum engine_result take_alert(struct engine *engine, const struct record_content *content)
{
    const int is_close = content->size == 2 && content->data[1] == ALERT_CLOSE_NOTIFY;

    if (content->size == 2 && content->data[0] == ALERT_WARNING && !is_close)
        return ENGINE_OK;
    engine->state = OVER;
    engine->failure = is_close ? "closed by the client" : "an alert of the client's";
    return is_close ? ENGINE_CLOSED : ENGINE_FAILED;
}

static enum engine_result take_content(struct engine *engine, const struct record_content *content)
{
    switch (content->type) {
    case RECORD_HANDSHAKE:
        return take_handshake(engine, content);
    case RECORD_CHANGE_CIPHER_SPEC:
        return take_change_cipher_spec(engine, content);
    case RECORD_ALERT:
        return take_alert(engine, content);
    case RECORD_APPLICATION_DATA:
        if (engine->state == CONNECTED)
            return ENGINE_DATA;
        break;
    case RECORD_NO_TYPE:
        break;
    }
    return fail(engine, ALERT_UNEXPECTED, "an unexpected record");
}

/* Before ChangeCipherSpec; the version of a first record may be any of SSL 3.0 and TLS. */
static int read_clear_record(uint8_t *record, size_t size, struct record_content *content)
{
    if (size < RECORD_MAX_HEADER || record[1] != 3 ||
        size > RECORD_MAX_HEADER + RECORD_MAX_FRAGMENT)
        return 0;
    content->type = (enum record_type)record[0];
    content->data = record + RECORD_MAX_HEADER;
    content->size = size - RECORD_MAX_HEADER;
    return 1;
}

enum engine_result engine_receive(struct engine *engine, uint8_t *record, size_t size,
                                  struct record_content *content)
{
    if (engine->state == OVER)
        return ENGINE_FAILED;
    if (!is_protected(&engine->records.reader)) {
        if (!read_clear_record(record, size, content))
            return fail(engine, ALERT_UNEXPECTED, "no record of SSL 3.0 or TLS");
    } else if (record_open(&engine->records.reader, record, size, content) != RECORD_OK) {
        return fail(engine, ALERT_BAD_RECORD_MAC, "a record that does not verify");
    }
    return take_content(engine, content);
}

/* ---- the connection ---- */

int engine_send(struct engine *engine, const void *data, size_t size)
{
    const uint8_t *from = data;

    if (engine->state != CONNECTED)
        return 0;
    while (size > 0) {
        const size_t part = size < RECORD_MAX_FRAGMENT ? size : RECORD_MAX_FRAGMENT;

        if (!send_record(engine, 1, RECORD_APPLICATION_DATA, from, part))
            return 0;
        from += part;
        size -= part;
    }
    return 1;
}

int engine_close(struct engine *engine)
{
    if (engine->state != CONNECTED)
        return 0;
    send_alert(engine, ALERT_WARNING, ALERT_CLOSE_NOTIFY);
    engine->state = OVER;
    return 1;
}

struct buffer *engine_output(struct engine *engine)
{
    return &engine->output;
}

int engine_is_connected(const struct engine *engine)
{
    return engine->state == CONNECTED;
}

const struct engine_suite *engine_suite(const struct engine *engine)
{
    return engine->suite;
}

const char *engine_failure(const struct engine *engine)
{
    return engine->failure;
}
