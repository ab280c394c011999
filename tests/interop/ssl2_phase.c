/*
 * The messages of SSL 2.0, see key_phase.h: draft-hickman-netscape-ssl-00, sections 2.5 and 2.6.  The
 * keys are proved by what each side can say under them: the server returns the challenge, the client
 * the connection id.
 */
#include "key_phase.h"

#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#define VERSION          0x0002
#define X509_CERTIFICATE 1
#define SPEC_SIZE        3
#define SESSION_ID_SIZE  16

enum message_type {
    CLIENT_HELLO = 1,
    CLIENT_MASTER_KEY = 2,
    CLIENT_FINISHED = 3,
    SERVER_HELLO = 4,
    SERVER_VERIFY = 5,
    SERVER_FINISHED = 6
};

int ssl2_phase_begin(struct key_phase *phase)
{
    const size_t size = key_phase_random_size(phase);
    struct buffer message = { 0 };

    buffer_add_number(&message, CLIENT_HELLO, 1);
    buffer_add_number(&message, VERSION, 2);
    buffer_add_number(&message, SPEC_SIZE, 2);
    buffer_add_number(&message, 0, 2); /* no session to resume */
    buffer_add_number(&message, size, 2);
    buffer_add_number(&message, phase->suite->code, SPEC_SIZE);
    buffer_add(&message, phase->challenge, size);
    return key_phase_send(phase, &message);
}

static int offers_suite(const struct key_phase *phase, struct reader specs)
{
    while (specs.size >= SPEC_SIZE)
        if (reader_number(&specs, SPEC_SIZE) == phase->suite->code)
            return 1;
    return 0;
}

static int send_server_hello(struct key_phase *phase)
{
    const size_t size = key_phase_random_size(phase);
    struct buffer message = { 0 };

    buffer_add_number(&message, SERVER_HELLO, 1);
    buffer_add_number(&message, 0, 1); /* a new session */
    buffer_add_number(&message, X509_CERTIFICATE, 1);
    buffer_add_number(&message, VERSION, 2);
    buffer_add_number(&message, phase->identity->certificate_size, 2);
    buffer_add_number(&message, SPEC_SIZE, 2);
    buffer_add_number(&message, size, 2);
    buffer_add(&message, phase->identity->certificate, phase->identity->certificate_size);
    buffer_add_number(&message, phase->suite->code, SPEC_SIZE);
    buffer_add(&message, phase->connection_id, size);
    return key_phase_send(phase, &message);
}

static int take_client_hello(struct key_phase *phase, struct reader message)
{
    const unsigned version = reader_number(&message, 2);
    const size_t specs_size = reader_number(&message, 2);
    const size_t session_size = reader_number(&message, 2);
    const size_t challenge_size = reader_number(&message, 2);
    const struct reader specs = reader_part(&message, specs_size);
    const uint8_t *challenge;

    reader_part(&message, session_size);
    challenge = reader_bytes(&message, challenge_size);
    if (!reader_is_done(&message) || version != VERSION ||
        challenge_size != key_phase_random_size(phase) || !offers_suite(phase, specs))
        return key_phase_fail(phase, "an unacceptable CLIENT-HELLO");
    memcpy(phase->challenge, challenge, challenge_size);
    return send_server_hello(phase);
}

static int send_client_master_key(struct key_phase *phase)
{
    struct buffer message = { 0 }, clear = { 0 }, encrypted = { 0 };
    int ok = key_phase_choose_master(phase, &clear, &encrypted);

    buffer_add_number(&message, CLIENT_MASTER_KEY, 1);
    buffer_add_number(&message, phase->suite->code, SPEC_SIZE);
    buffer_add_number(&message, clear.size, 2);
    buffer_add_number(&message, encrypted.size, 2);
    buffer_add_number(&message, phase->suite->iv_size, 2);
    buffer_add(&message, clear.data, clear.size);
    buffer_add(&message, encrypted.data, encrypted.size);
    buffer_add(&message, phase->iv, phase->suite->iv_size);
    ok = ok && key_phase_send(phase, &message);
    buffer_free(&message);
    buffer_free(&clear);
    buffer_free(&encrypted);
    return ok;
}

/* A message that is nothing but its type and |data|, under the new keys. */
static int send_proof(struct key_phase *phase, enum message_type type, const uint8_t *data,
                      size_t size)
{
    struct buffer message = { 0 };

    buffer_add_number(&message, (uint64_t)type, 1);
    buffer_add(&message, data, size);
    return key_phase_send(phase, &message);
}

static int take_server_hello(struct key_phase *phase, struct reader message)
{
    const unsigned hit_and_type = reader_number(&message, 2);
    const unsigned version = reader_number(&message, 2);
    const size_t certificate_size = reader_number(&message, 2);
    const size_t specs_size = reader_number(&message, 2);
    const size_t id_size = reader_number(&message, 2);
    const struct reader certificate = reader_part(&message, certificate_size);
    const struct reader specs = reader_part(&message, specs_size);
    const uint8_t *id = reader_bytes(&message, id_size);

    if (!reader_is_done(&message) || hit_and_type != X509_CERTIFICATE || version != VERSION ||
        id_size != key_phase_random_size(phase) || !offers_suite(phase, specs))
        return key_phase_fail(phase, "an unacceptable SERVER-HELLO");
    memcpy(phase->connection_id, id, id_size);
    buffer_add(&phase->certificate, certificate.data, certificate.size);
    return send_client_master_key(phase) && key_phase_bind(phase) &&
           send_proof(phase, CLIENT_FINISHED, phase->connection_id, id_size);
}

static int take_client_master_key(struct key_phase *phase, struct reader message)
{
    const uint32_t code = reader_number(&message, SPEC_SIZE);
    const size_t clear_size = reader_number(&message, 2);
    const size_t encrypted_size = reader_number(&message, 2);
    const size_t iv_size = reader_number(&message, 2);
    const struct reader clear = reader_part(&message, clear_size);
    const struct reader encrypted = reader_part(&message, encrypted_size);
    const struct reader iv = reader_part(&message, iv_size);

    if (!reader_is_done(&message) || code != phase->suite->code)
        return key_phase_fail(phase, "an unacceptable CLIENT-MASTER-KEY");
    return key_phase_accept_master(phase, clear, encrypted, iv) && key_phase_bind(phase) &&
           send_proof(phase, SERVER_VERIFY, phase->challenge, key_phase_random_size(phase));
}

static int is_proof(const struct key_phase *phase, struct reader message, const uint8_t *expected)
{
    return message.size == key_phase_random_size(phase) &&
           CRYPTO_memcmp(message.data, expected, message.size) == 0;
}

static int take_client_finished(struct key_phase *phase, struct reader message)
{
    uint8_t session_id[SESSION_ID_SIZE];

    if (!is_proof(phase, message, phase->connection_id))
        return key_phase_fail(phase, "CLIENT-FINISHED is wrong");
    phase->is_done = 1;
    return RAND_bytes_ex(phase->libctx, session_id, sizeof(session_id), 0) > 0 &&
           send_proof(phase, SERVER_FINISHED, session_id, sizeof(session_id));
}

static int take_server_verify(struct key_phase *phase, struct reader message)
{
    return is_proof(phase, message, phase->challenge) ||
           key_phase_fail(phase, "SERVER-VERIFY is wrong");
}

static int take_server_finished(struct key_phase *phase, struct reader message)
{
    if (message.size != SESSION_ID_SIZE)
        return key_phase_fail(phase, "SERVER-FINISHED is wrong");
    phase->is_done = 1;
    return 1;
}

/* Each message comes once, to one side, as this many-th record. */
static const struct {
    enum message_type type;
    enum session_side to;
    unsigned place;
    int (*take)(struct key_phase *phase, struct reader message);
} messages[] = {
    { CLIENT_HELLO, SESSION_SERVER, 1, take_client_hello },
    { CLIENT_MASTER_KEY, SESSION_SERVER, 2, take_client_master_key },
    { CLIENT_FINISHED, SESSION_SERVER, 3, take_client_finished },
    { SERVER_HELLO, SESSION_CLIENT, 1, take_server_hello },
    { SERVER_VERIFY, SESSION_CLIENT, 2, take_server_verify },
    { SERVER_FINISHED, SESSION_CLIENT, 3, take_server_finished },
};

int ssl2_phase_take(struct key_phase *phase, struct reader message)
{
    const unsigned type = reader_number(&message, 1);
    size_t n;

    for (n = 0; n < sizeof(messages) / sizeof(messages[0]); n++)
        if ((unsigned)messages[n].type == type && messages[n].to == phase->side &&
            messages[n].place == phase->received)
            return messages[n].take(phase, message);
    return key_phase_fail(phase, "an unexpected message");
}
