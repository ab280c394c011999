/*
 * One TLS 1.0 connection after its handshake, see connection.h.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include "connection.h"
#include "report.h"
#include "socket_io.h"

#define CLIENT_TIMEOUT  10 /* seconds */
#define CLOSING_TIMEOUT 2
#define MAX_IDLE        32 /* empty records, warnings and renegotiations in a row */

enum alert_level { ALERT_WARNING = 1, ALERT_FATAL = 2 };

enum alert_description {
    ALERT_CLOSE_NOTIFY = 0,
    ALERT_UNEXPECTED_MESSAGE = 10,
    ALERT_BAD_RECORD_MAC = 20,
    ALERT_RECORD_OVERFLOW = 22,
    ALERT_PROTOCOL_VERSION = 70,
    ALERT_INTERNAL_ERROR = 80,
    ALERT_NO_RENEGOTIATION = 100
};

int connection_start(struct connection *connection, struct handover *handover,
                     const struct transfer_terms *terms)
{
    const uint64_t start = report_clock();
    EVP_PKEY **key = connection->keys.key;

    memset(connection, 0, sizeof(*connection));
    connection->socket = handover->socket;
    handover->socket = -1;
    connection->requests = handover->requests;
    if (handover->pending_size > sizeof(connection->input) ||
        !socket_set_timeout(connection->socket, CLIENT_TIMEOUT) ||
        !keys_import(&handover->keys, terms, &connection->keys))
        return 0;
    connection->import_microseconds = report_clock() - start;
    memcpy(connection->input, handover->pending, handover->pending_size);
    connection->input_end = handover->pending_size;
    return record_bind(&connection->reader, key[CLIENT_WRITE_KEY], key[CLIENT_WRITE_MAC], 0) &&
           record_bind(&connection->writer, key[SERVER_WRITE_KEY], key[SERVER_WRITE_MAC], 1);
}

void connection_release(struct connection *connection)
{
    record_release(&connection->reader);
    record_release(&connection->writer);
    keys_free(&connection->keys);
    if (connection->socket >= 0)
        close(connection->socket);
    OPENSSL_cleanse(connection, sizeof(*connection));
    connection->socket = -1;
}

static int end(struct connection *connection, int failed, const char *why)
{
    if (connection->ended == NULL) {
        connection->ended = why;
        connection->failed = failed;
    }
    return 0;
}

static int send_record(struct connection *connection, enum tls_content_type type,
                       const void *fragment, size_t size)
{
    size_t first = 0, second = 0;

    /* TLS 1.0 chains records, so an attacker who chooses plaintext knows the next IV.  An empty
     * record puts a MAC that he cannot know in between, as libssl does it. */
    if (type == TLS_APPLICATION_DATA &&
        !record_seal(&connection->writer, type, NULL, 0, connection->outgoing, &first))
        return end(connection, 1, "an empty record cannot be sealed");
    if (!record_seal(&connection->writer, type, fragment, size, connection->outgoing + first,
                     &second))
        return end(connection, 1, "a record cannot be sealed");
    connection->records_out += first > 0 ? 2 : 1;
    if (socket_write(connection->socket, connection->outgoing, first + second) != SOCKET_DONE)
        return end(connection, 1, "the client does not take what is sent");
    return 1;
}

static int send_alert(struct connection *connection, enum alert_level level,
                      enum alert_description description)
{
    const uint8_t alert[2] = { (uint8_t)level, (uint8_t)description };

    return send_record(connection, TLS_ALERT, alert, sizeof(alert));
}

/* Ends the connection with an alert of our own. */
static int refuse(struct connection *connection, enum alert_description description,
                  const char *why)
{
    end(connection, 1, why);
    return send_alert(connection, ALERT_FATAL, description) && 0;
}

/* Header and body, never more than this record: the rest stays in the socket. */
static int read_record(struct connection *connection, size_t *size)
{
    uint8_t *header = connection->incoming;
    size_t body_size;

    switch (socket_read(connection->socket, header, TLS_RECORD_HEADER_SIZE)) {
    case SOCKET_DONE:
        break;
    case SOCKET_CLOSED:
        return end(connection, 1, "the client closed without close_notify");
    case SOCKET_TIMEOUT:
        return end(connection, 0, "the client was silent for too long");
    case SOCKET_FAILED:
        return end(connection, 1, "the client's socket failed");
    }
    body_size = (size_t)header[3] << 8 | header[4];
    if ((header[1] << 8 | header[2]) != TLS_RECORD_VERSION)
        return refuse(connection, ALERT_PROTOCOL_VERSION, "a record of another version");
    if (body_size > TLS_MAX_CIPHERTEXT)
        return refuse(connection, ALERT_RECORD_OVERFLOW, "a record that is too long");
    if (socket_read(connection->socket, header + TLS_RECORD_HEADER_SIZE, body_size) != SOCKET_DONE)
        return end(connection, 1, "the client stopped within a record");
    *size = TLS_RECORD_HEADER_SIZE + body_size;
    return 1;
}

static int open_record(struct connection *connection, size_t size, size_t *length)
{
    switch (record_open(&connection->reader, connection->incoming, size, length)) {
    case RECORD_OK:
        break;
    case RECORD_BAD:
        return refuse(connection, ALERT_BAD_RECORD_MAC, "a record whose MAC does not verify");
    case RECORD_FAILED:
        return refuse(connection, ALERT_INTERNAL_ERROR, "a record cannot be opened");
    }
    if (*length > TLS_MAX_FRAGMENT)
        return refuse(connection, ALERT_RECORD_OVERFLOW, "a fragment that is too long");
    connection->records_in++;
    return 1;
}

static int take_alert(struct connection *connection, const uint8_t *alert, size_t size)
{
    if (size != 2)
        return refuse(connection, ALERT_UNEXPECTED_MESSAGE, "an alert that is none");
    if (alert[1] == ALERT_CLOSE_NOTIFY) {
        end(connection, 0, "close_notify received");
        /* a client need not wait for the answer */
        if (!connection->closing && send_alert(connection, ALERT_WARNING, ALERT_CLOSE_NOTIFY))
            connection->ended = "close_notify received and answered";
        return 0;
    }
    if (alert[0] != ALERT_WARNING)
        return end(connection, 1, "the client sent a fatal alert");
    return 1;
}

static int append_input(struct connection *connection, const uint8_t *data, size_t size)
{
    const size_t kept = connection->input_end - connection->input_begin;

    if (size > sizeof(connection->input) - kept)
        return refuse(connection, ALERT_INTERNAL_ERROR, "more input than fits");
    memmove(connection->input, connection->input + connection->input_begin, kept);
    memcpy(connection->input + kept, data, size);
    connection->input_begin = 0;
    connection->input_end = kept + size;
    connection->bytes_in += size;
    return 1;
}

static int take_fragment(struct connection *connection, size_t size)
{
    const uint8_t *fragment = connection->incoming + TLS_RECORD_HEADER_SIZE;

    switch (connection->incoming[0]) {
    case TLS_APPLICATION_DATA:
        return append_input(connection, fragment, size);
    case TLS_ALERT:
        return take_alert(connection, fragment, size);
    case TLS_HANDSHAKE: /* nobody here could do another handshake */
        return send_alert(connection, ALERT_WARNING, ALERT_NO_RENEGOTIATION);
    default:
        return refuse(connection, ALERT_UNEXPECTED_MESSAGE, "a record of an unexpected type");
    }
}

int connection_receive_record(struct connection *connection)
{
    const uint64_t before = connection->bytes_in;
    size_t size = 0, length = 0;

    if (connection->ended != NULL || !read_record(connection, &size) ||
        !open_record(connection, size, &length) || !take_fragment(connection, length))
        return 0;
    connection->idle = connection->bytes_in == before ? connection->idle + 1 : 0;
    if (connection->idle > MAX_IDLE)
        return refuse(connection, ALERT_UNEXPECTED_MESSAGE, "too many records without data");
    return connection->ended == NULL;
}

int connection_receive(struct connection *connection)
{
    const uint64_t before = connection->bytes_in;

    while (connection->bytes_in == before) {
        if (!connection_receive_record(connection))
            return 0;
    }
    return 1;
}

const uint8_t *connection_input(const struct connection *connection, size_t *size)
{
    *size = connection->input_end - connection->input_begin;
    return connection->input + connection->input_begin;
}

void connection_consume(struct connection *connection, size_t size)
{
    connection->input_begin += size;
}

int connection_send(struct connection *connection, const void *data, size_t size)
{
    const uint8_t *from = data;

    while (size > 0) {
        const size_t part = size < TLS_MAX_FRAGMENT ? size : TLS_MAX_FRAGMENT;

        if (!send_record(connection, TLS_APPLICATION_DATA, from, part))
            return 0;
        connection->bytes_out += part;
        from += part;
        size -= part;
    }
    return 1;
}

void connection_close(struct connection *connection)
{
    if (connection->ended != NULL || !send_alert(connection, ALERT_WARNING, ALERT_CLOSE_NOTIFY))
        return;
    connection->closing = 1;
    /* reading to the client's end keeps what was sent last from being reset */
    shutdown(connection->socket, SHUT_WR);
    socket_set_timeout(connection->socket, CLOSING_TIMEOUT);
    while (connection_receive(connection))
        connection_consume(connection, connection->input_end - connection->input_begin);
    connection->ended = "close_notify sent";
    connection->failed = 0;
}

int connection_suspend(struct connection *connection, const struct transfer_terms *terms,
                       struct handover *handover)
{
    size_t pending_size;
    const uint8_t *pending = connection_input(connection, &pending_size);
    int id;

    if (pending_size > sizeof(handover->pending) ||
        !keys_export(&connection->keys, terms, &handover->keys))
        return 0;
    handover->socket = connection->socket;
    handover->requests = connection->requests;
    handover->pending_size = pending_size;
    memcpy(handover->pending, pending, pending_size);
    for (id = 0; id < SESSION_KEY_COUNT; id++)
        if (!keys_retire(connection->keys.key[id]))
            return 0;
    end(connection, 0, "handed over");
    return 1;
}
