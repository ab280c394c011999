/*
 * The messages of PCT 1.0, see key_phase.h: draft-benaloh-pct-00, section 5.2.  All of them are in the
 * clear.  The keys are proved by two values that PCT1-MAC computes in raw mode, H(key || H(data)):
 * VERIFY_PRELUDE under the client's MAC key, over both hellos, and the server's response.
 */
#include "key_phase.h"

#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <schannel/names.h>

#define VERSION         0x8001
#define OFFSET          10 /* PCT_CH_OFFSET_V1: the lengths behind it */
#define EXCH_RSA_PKCS1  1
#define CERT_X509       1
#define SPEC_SIZE       4
#define CODE_SIZE       2
#define SESSION_ID_SIZE 32
#define KEY_HANDLE_SIZE 16

enum message_type { CLIENT_HELLO = 1, SERVER_HELLO = 2, CLIENT_MASTER_KEY = 3, SERVER_VERIFY = 4 };

/* ---- PCT1-MAC in raw mode ---- */

/* Bound to |key|, whose record number a raw MAC leaves alone. */
static EVP_MAC_CTX *bind_raw(OSSL_LIB_CTX *libctx, EVP_PKEY *key)
{
    uint8_t handle[KEY_HANDLE_SIZE];
    size_t size = 0;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle)),
        OSSL_PARAM_END,
    };
    EVP_MAC *mac = EVP_MAC_fetch(libctx, SCHANNEL_MAC_PCT1, SCHANNEL_PROPERTIES);
    EVP_MAC_CTX *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;

    if (ctx != NULL && (!EVP_PKEY_get_octet_string_param(key, SCHANNEL_PARAM_KEY_HANDLE, handle,
                                                         sizeof(handle), &size) ||
                        !EVP_MAC_init(ctx, NULL, 0, params))) {
        EVP_MAC_CTX_free(ctx);
        ctx = NULL;
    }
    EVP_MAC_free(mac);
    return ctx;
}

static int keyed_hash(const struct key_phase *phase, enum session_side side,
                      const struct buffer *data, uint8_t mac[RECORD_MAX_MAC], size_t *size)
{
    EVP_MAC_CTX *ctx = bind_raw(phase->libctx, phase->keys.write_mac[side]);
    const int ok = ctx != NULL && !data->failed && EVP_MAC_update(ctx, data->data, data->size) &&
                   EVP_MAC_final(ctx, mac, size, RECORD_MAX_MAC);

    EVP_MAC_CTX_free(ctx);
    return ok;
}

/* Hash( CLIENT_MAC_KEY, Hash( "cvp", CLIENT_HELLO, SERVER_HELLO ) ) */
static int verify_prelude(const struct key_phase *phase, uint8_t mac[RECORD_MAX_MAC], size_t *size)
{
    struct buffer data = { 0 };
    int ok;

    buffer_add(&data, "cvp", 3);
    buffer_add(&data, phase->client_hello.data, phase->client_hello.size);
    buffer_add(&data, phase->server_hello.data, phase->server_hello.size);
    ok = keyed_hash(phase, SESSION_CLIENT, &data, mac, size);
    buffer_free(&data);
    return ok;
}

/* Hash( SERVER_MAC_KEY, Hash( "sr", CHALLENGE, CONNECTION_ID, SESSION_ID ) ) */
static int server_response(const struct key_phase *phase, const uint8_t *session_id,
                           uint8_t mac[RECORD_MAX_MAC], size_t *size)
{
    const size_t random_size = key_phase_random_size(phase);
    struct buffer data = { 0 };
    int ok;

    buffer_add(&data, "sr", 2);
    buffer_add(&data, phase->challenge, random_size);
    buffer_add(&data, phase->connection_id, random_size);
    buffer_add(&data, session_id, SESSION_ID_SIZE);
    ok = keyed_hash(phase, SESSION_SERVER, &data, mac, size);
    buffer_free(&data);
    return ok;
}

/* ---- CLIENT_HELLO ---- */

int pct1_phase_begin(struct key_phase *phase)
{
    static const uint8_t no_session[SESSION_ID_SIZE];
    struct buffer message = { 0 };

    buffer_add_number(&message, CLIENT_HELLO, 1);
    buffer_add_number(&message, VERSION, 2);
    buffer_add_number(&message, 0, 1); /* CH_PAD */
    buffer_add(&message, no_session, sizeof(no_session));
    buffer_add(&message, phase->challenge, key_phase_random_size(phase));
    buffer_add_number(&message, OFFSET, 2);
    buffer_add_number(&message, SPEC_SIZE, 2);
    buffer_add_number(&message, CODE_SIZE, 2);
    buffer_add_number(&message, CODE_SIZE, 2);
    buffer_add_number(&message, CODE_SIZE, 2);
    buffer_add_number(&message, 0, 2); /* CH_KEY_ARG: not in a new session */
    buffer_add_number(&message, phase->suite->code, SPEC_SIZE);
    buffer_add_number(&message, phase->suite->hash_code, CODE_SIZE);
    buffer_add_number(&message, CERT_X509, CODE_SIZE);
    buffer_add_number(&message, EXCH_RSA_PKCS1, CODE_SIZE);
    buffer_add(&phase->client_hello, message.data, message.size);
    return key_phase_send(phase, &message);
}

static int offers(struct reader list, size_t size, uint32_t code)
{
    while (list.size >= size)
        if (reader_number(&list, size) == code)
            return 1;
    return 0;
}

static int send_server_hello(struct key_phase *phase)
{
    struct buffer message = { 0 };

    buffer_add_number(&message, SERVER_HELLO, 1);
    buffer_add_number(&message, 0, 1); /* SH_PAD */
    buffer_add_number(&message, VERSION, 2);
    buffer_add_number(&message, 0, 2); /* a new session, and no client certificate */
    buffer_add_number(&message, phase->suite->code, SPEC_SIZE);
    buffer_add_number(&message, phase->suite->hash_code, CODE_SIZE);
    buffer_add_number(&message, CERT_X509, CODE_SIZE);
    buffer_add_number(&message, EXCH_RSA_PKCS1, CODE_SIZE);
    buffer_add(&message, phase->connection_id, key_phase_random_size(phase));
    buffer_add_number(&message, phase->identity->certificate_size, 2);
    buffer_add_number(&message, 0, 6); /* no client certificate, signature, response */
    buffer_add(&message, phase->identity->certificate, phase->identity->certificate_size);
    buffer_add(&phase->certificate, phase->identity->certificate,
               phase->identity->certificate_size);
    buffer_add(&phase->server_hello, message.data, message.size);
    return key_phase_send(phase, &message);
}

static int take_client_hello(struct key_phase *phase, struct reader message)
{
    const unsigned version = reader_number(&message, 2);
    const uint8_t *challenge;
    size_t offset, sizes[5], n;
    struct reader lists[5];

    reader_part(&message, 1 + SESSION_ID_SIZE);
    challenge = reader_bytes(&message, key_phase_random_size(phase));
    offset = reader_number(&message, 2);
    for (n = 0; n < 5; n++)
        sizes[n] = reader_number(&message, 2);
    if (offset < OFFSET)
        return key_phase_fail(phase, "CH_OFFSET is too small");
    reader_part(&message, offset - OFFSET);
    for (n = 0; n < 5; n++)
        lists[n] = reader_part(&message, sizes[n]);
    if (!reader_is_done(&message) || version < VERSION ||
        !offers(lists[0], SPEC_SIZE, phase->suite->code) ||
        !offers(lists[1], CODE_SIZE, phase->suite->hash_code) ||
        !offers(lists[2], CODE_SIZE, CERT_X509) || !offers(lists[3], CODE_SIZE, EXCH_RSA_PKCS1))
        return key_phase_fail(phase, "an unacceptable CLIENT_HELLO");
    memcpy(phase->challenge, challenge, key_phase_random_size(phase));
    return send_server_hello(phase);
}

/* ---- CLIENT_MASTER_KEY ---- */

static int send_client_master_key(struct key_phase *phase)
{
    struct buffer message = { 0 }, clear = { 0 }, encrypted = { 0 };
    uint8_t prelude[RECORD_MAX_MAC];
    size_t size = 0;
    int ok =
        key_phase_choose_master(phase, &clear, &encrypted) && verify_prelude(phase, prelude, &size);

    buffer_add_number(&message, CLIENT_MASTER_KEY, 1);
    buffer_add_number(&message, 0, 1); /* CMK_PAD */
    buffer_add_number(&message, 0, 4); /* no client certificate and signature */
    buffer_add_number(&message, clear.size, 2);
    buffer_add_number(&message, encrypted.size, 2);
    buffer_add_number(&message, phase->suite->iv_size, 2);
    buffer_add_number(&message, size, 2);
    buffer_add_number(&message, 0, 4); /* no client certificate and response */
    buffer_add(&message, clear.data, clear.size);
    buffer_add(&message, encrypted.data, encrypted.size);
    buffer_add(&message, phase->iv, phase->suite->iv_size);
    buffer_add(&message, prelude, size);
    ok = ok && key_phase_send(phase, &message);
    buffer_free(&message);
    buffer_free(&clear);
    buffer_free(&encrypted);
    return ok || key_phase_fail(phase, "VERIFY_PRELUDE cannot be made");
}

static int take_server_hello(struct key_phase *phase, struct reader message)
{
    const unsigned version = (reader_number(&message, 1), reader_number(&message, 2));
    const unsigned restart_and_auth = reader_number(&message, 2);
    const uint32_t code = reader_number(&message, SPEC_SIZE);
    const unsigned hash_code = reader_number(&message, CODE_SIZE);
    const uint8_t *id;
    size_t size;
    struct reader certificate;

    reader_part(&message, 2 * CODE_SIZE);
    id = reader_bytes(&message, key_phase_random_size(phase));
    size = reader_number(&message, 2);
    reader_part(&message, 6);
    certificate = reader_part(&message, size);
    if (!reader_is_done(&message) || version != VERSION || restart_and_auth != 0 ||
        code != phase->suite->code || hash_code != phase->suite->hash_code)
        return key_phase_fail(phase, "an unacceptable SERVER_HELLO");
    memcpy(phase->connection_id, id, key_phase_random_size(phase));
    buffer_add(&phase->certificate, certificate.data, certificate.size);
    return send_client_master_key(phase);
}

/* ---- SERVER_VERIFY ---- */

/* From here on records are protected. */
static int finish(struct key_phase *phase)
{
    phase->is_done = key_phase_bind(phase);
    return phase->is_done;
}

static int send_server_verify(struct key_phase *phase)
{
    uint8_t session_id[SESSION_ID_SIZE], response[RECORD_MAX_MAC];
    struct buffer message = { 0 };
    size_t size = 0;

    if (RAND_bytes_ex(phase->libctx, session_id, sizeof(session_id), 0) <= 0 ||
        !server_response(phase, session_id, response, &size))
        return key_phase_fail(phase, "SERVER_VERIFY cannot be made");
    buffer_add_number(&message, SERVER_VERIFY, 1);
    buffer_add_number(&message, 0, 1); /* SV_PAD */
    buffer_add(&message, session_id, sizeof(session_id));
    buffer_add_number(&message, size, 2);
    buffer_add(&message, response, size);
    return key_phase_send(phase, &message) && finish(phase);
}

static int take_client_master_key(struct key_phase *phase, struct reader message)
{
    uint8_t expected[RECORD_MAX_MAC];
    struct reader clear, encrypted, iv, prelude;
    size_t sizes[6], n, size = 0;

    reader_part(&message, 1 + 4); /* CMK_PAD, no client certificate and signature */
    for (n = 0; n < 6; n++)
        sizes[n] = reader_number(&message, 2);
    clear = reader_part(&message, sizes[0]);
    encrypted = reader_part(&message, sizes[1]);
    iv = reader_part(&message, sizes[2]);
    prelude = reader_part(&message, sizes[3]);
    if (!reader_is_done(&message) || sizes[4] != 0 || sizes[5] != 0)
        return key_phase_fail(phase, "an unacceptable CLIENT_MASTER_KEY");
    if (!key_phase_accept_master(phase, clear, encrypted, iv))
        return 0;
    if (!verify_prelude(phase, expected, &size) || prelude.size != size ||
        CRYPTO_memcmp(prelude.data, expected, size) != 0)
        return key_phase_fail(phase, "VERIFY_PRELUDE is wrong");
    return send_server_verify(phase);
}

static int take_server_verify(struct key_phase *phase, struct reader message)
{
    const uint8_t *session_id = (reader_part(&message, 1), reader_bytes(&message, SESSION_ID_SIZE));
    const struct reader response = reader_vector(&message, 2);
    uint8_t expected[RECORD_MAX_MAC];
    size_t size = 0;

    if (!reader_is_done(&message) || !server_response(phase, session_id, expected, &size) ||
        response.size != size || CRYPTO_memcmp(response.data, expected, size) != 0)
        return key_phase_fail(phase, "SERVER_VERIFY is wrong");
    return finish(phase);
}

/* Each message comes once, to one side, as this many-th record. */
static const struct {
    enum message_type type;
    enum session_side to;
    unsigned place;
    int (*take)(struct key_phase *phase, struct reader message);
} messages[] = {
    { CLIENT_HELLO, SESSION_SERVER, 1, take_client_hello },
    { SERVER_HELLO, SESSION_CLIENT, 1, take_server_hello },
    { CLIENT_MASTER_KEY, SESSION_SERVER, 2, take_client_master_key },
    { SERVER_VERIFY, SESSION_CLIENT, 2, take_server_verify },
};

int pct1_phase_take(struct key_phase *phase, struct reader message)
{
    const struct reader whole = message;
    const unsigned type = reader_number(&message, 1);
    size_t n;

    /* both hellos are hashed as they came */
    if (phase->received == 1)
        buffer_add(phase->side == SESSION_SERVER ? &phase->client_hello : &phase->server_hello,
                   whole.data, whole.size);
    for (n = 0; n < sizeof(messages) / sizeof(messages[0]); n++)
        if ((unsigned)messages[n].type == type && messages[n].to == phase->side &&
            messages[n].place == phase->received)
            return messages[n].take(phase, message);
    return key_phase_fail(phase, "an unexpected message");
}
