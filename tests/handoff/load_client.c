/* Many TLS 1.0 clients in one process: see load_client.h. */
#include "load_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include "report.h"

#define MAX_MESSAGE    700
#define MAX_HANDSHAKES 8 /* at once: the server does one after the other */

struct client {
    int socket;
    SSL *ssl; /* NULL: not open */
    int is_open, wants_write;
    uint64_t sent, received; /* bytes */
    uint64_t messages;       /* that came back whole */
    uint64_t message_end;    /* place in the stream */
};

struct clients {
    size_t most, in_flight;
    unsigned port;
    SSL_CTX *context;
    struct client *client;
    struct pollfd *wait;
    size_t open, shaking;
};

struct clients *clients_new(size_t most, unsigned port)
{
    struct clients *clients = calloc(1, sizeof(*clients));

    if (clients == NULL)
        return NULL;
    clients->most = most;
    clients->port = port;
    clients->client = calloc(most, sizeof(*clients->client));
    clients->wait = calloc(most, sizeof(*clients->wait));
    clients->context = SSL_CTX_new(TLS_client_method());
    if (clients->client != NULL && clients->wait != NULL && clients->context != NULL) {
        SSL_CTX_set_security_level(clients->context, 0);
        SSL_CTX_set_session_cache_mode(clients->context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_mode(clients->context, SSL_MODE_RELEASE_BUFFERS);
        if (SSL_CTX_set_min_proto_version(clients->context, TLS1_VERSION) &&
            SSL_CTX_set_max_proto_version(clients->context, TLS1_VERSION) &&
            SSL_CTX_set_cipher_list(clients->context, "AES128-SHA:@SECLEVEL=0"))
            return clients;
    }
    clients_free(clients);
    return NULL;
}

static void end(struct client *client)
{
    SSL_free(client->ssl);
    if (client->socket >= 0 && client->ssl != NULL)
        close(client->socket);
    memset(client, 0, sizeof(*client));
    client->socket = -1;
}

void clients_free(struct clients *clients)
{
    if (clients == NULL)
        return;
    for (size_t n = 0; clients->client != NULL && n < clients->most; n++)
        end(&clients->client[n]);
    free(clients->client);
    free(clients->wait);
    SSL_CTX_free(clients->context);
    free(clients);
}

/* ---- the streams ---- */

static uint8_t byte_at(size_t client, uint64_t place)
{
    uint64_t x = (client + 1) * UINT64_C(0x9e3779b97f4a7c15) + place;

    x ^= x >> 31;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    return (uint8_t)(x >> 40);
}

static size_t message_size(size_t client, uint64_t place)
{
    return 1 + ((size_t)byte_at(client, ~place) * 3 + client) % MAX_MESSAGE;
}

static int fail(size_t n, const char *why)
{
    fprintf(stderr, "client %zu: %s\n", n, why);
    ERR_print_errors_fp(stderr);
    return 0;
}

/* ---- one client ---- */

static int connect_to(unsigned port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

static int start(struct clients *clients, size_t n)
{
    struct client *client = &clients->client[n];

    client->socket = connect_to(clients->port);
    if (client->socket < 0 || (client->ssl = SSL_new(clients->context)) == NULL ||
        !SSL_set_fd(client->ssl, client->socket))
        return fail(n, "cannot connect");
    SSL_set_connect_state(client->ssl);
    clients->open++;
    clients->shaking++;
    return 1;
}

/* 1: go on, 0: later, -1: an error. */
static int outcome(struct client *client, int result)
{
    const int error = result > 0 ? SSL_ERROR_NONE : SSL_get_error(client->ssl, result);

    client->wants_write = error == SSL_ERROR_WANT_WRITE;
    if (error == SSL_ERROR_NONE)
        return 1;
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static int send_message(struct client *client, size_t n)
{
    uint8_t message[MAX_MESSAGE];
    const size_t size = message_size(n, client->sent);
    int result;

    for (size_t b = 0; b < size; b++)
        message[b] = byte_at(n, client->sent + b);
    result = outcome(client, SSL_write(client->ssl, message, (int)size));
    if (result == 1) {
        client->sent += size;
        client->message_end = client->sent;
    }
    return result;
}

static int receive(struct client *client, size_t n)
{
    uint8_t bytes[MAX_MESSAGE];
    const int size = SSL_read(client->ssl, bytes, sizeof(bytes));
    const int result = outcome(client, size);

    for (int b = 0; result == 1 && b < size; b++) {
        if (bytes[b] != byte_at(n, client->received + (uint64_t)b))
            return fail(n, "a byte is lost, repeated or out of place") - 1;
    }
    if (result == 1)
        client->received += (uint64_t)size;
    if (result == 1 && client->received > client->sent)
        return fail(n, "more came back than was sent") - 1;
    if (result == 1 && client->received == client->message_end)
        client->messages++;
    return result;
}

/* One message is on its way at any time, until all have come back.  0 on an error. */
static int step(struct clients *clients, size_t n, uint64_t messages)
{
    struct client *client = &clients->client[n];
    int result = 1;

    if (!client->is_open) {
        result = outcome(client, SSL_do_handshake(client->ssl));
        if (result == 1) {
            client->is_open = 1;
            clients->shaking--;
        }
    }
    while (result == 1) {
        if (client->received < client->sent)
            result = receive(client, n);
        else if (client->messages < messages)
            result = send_message(client, n);
        else
            break;
    }
    return result >= 0 || fail(n, "the connection failed");
}

/* ---- all of them ---- */

static void poll_all(struct clients *clients)
{
    for (size_t n = 0; n < clients->open; n++) {
        const struct client *client = &clients->client[n];

        clients->wait[n] = (struct pollfd){ .fd = client->socket,
                                            .events = client->wants_write ? POLLOUT : POLLIN };
    }
    (void)poll(clients->wait, clients->open, 100);
}

static size_t count_in_flight(const struct clients *clients)
{
    size_t count = 0;

    for (size_t n = 0; n < clients->open; n++)
        count += clients->client[n].received < clients->client[n].sent ? 1 : 0;
    return count;
}

static int are_done(const struct clients *clients, size_t open, uint64_t messages)
{
    if (clients->open < open)
        return 0;
    for (size_t n = 0; n < clients->open; n++) {
        if (clients->client[n].messages < messages)
            return 0;
    }
    return 1;
}

int clients_run_and(struct clients *clients, size_t open, uint64_t messages, unsigned seconds,
                    int (*then)(void *argument), void *argument)
{
    const uint64_t limit = report_clock() + UINT64_C(1000000) * seconds;

    /* who had nothing to do is not told by poll */
    for (size_t n = 0; n < clients->open; n++) {
        if (!step(clients, n, messages))
            return 0;
        if (then != NULL && count_in_flight(clients) >= clients->open / 2) {
            clients->in_flight = count_in_flight(clients);
            if (!then(argument))
                return 0;
            then = NULL;
        }
    }
    while (!are_done(clients, open, messages)) {
        while (clients->open < open && clients->shaking < MAX_HANDSHAKES) {
            if (!start(clients, clients->open) || !step(clients, clients->open - 1, messages))
                return 0;
        }
        poll_all(clients);
        for (size_t n = 0; n < clients->open; n++) {
            if (clients->wait[n].revents != 0 && !step(clients, n, messages))
                return 0;
        }
        if (report_clock() > limit)
            return fail(0, "it takes too long") || 0;
    }
    return 1;
}

int clients_run(struct clients *clients, size_t open, uint64_t messages, unsigned seconds)
{
    return clients_run_and(clients, open, messages, seconds, NULL, NULL);
}

size_t clients_in_flight(const struct clients *clients)
{
    return clients->in_flight;
}

uint64_t clients_bytes(const struct clients *clients)
{
    uint64_t sum = 0;

    for (size_t n = 0; n < clients->open; n++)
        sum += clients->client[n].received;
    return sum;
}

int clients_are_lost(struct clients *clients, unsigned seconds)
{
    const uint64_t limit = report_clock() + UINT64_C(1000000) * seconds;
    size_t lost = 0;

    for (size_t n = 0; n < clients->open; n++) {
        struct pollfd wait = { .fd = clients->client[n].socket, .events = POLLIN };
        uint8_t byte;

        while (lost == n && report_clock() < limit) {
            ERR_clear_error();
            if (poll(&wait, 1, 100) > 0 &&
                outcome(&clients->client[n], SSL_read(clients->client[n].ssl, &byte, 1)) < 0)
                lost++;
        }
    }
    ERR_clear_error();
    for (size_t n = 0; n < clients->open; n++)
        end(&clients->client[n]);
    if (lost != clients->open)
        fprintf(stderr, "%zu of %zu clients know that the server is gone\n", lost, clients->open);
    lost = lost == clients->open;
    clients->open = 0;
    return (int)lost;
}

int clients_are_refused(unsigned port)
{
    struct clients *one = clients_new(1, port);
    int fd = connect_to(port), refused = fd < 0;

    if (one != NULL && fd >= 0) {
        struct client *client = &one->client[0];
        uint8_t byte;
        int result = 0;

        client->socket = fd;
        client->ssl = SSL_new(one->context);
        fcntl(fd, F_SETFL, 0);
        if (client->ssl != NULL && SSL_set_fd(client->ssl, fd)) {
            SSL_set_connect_state(client->ssl);
            result = SSL_do_handshake(client->ssl) > 0 ? SSL_read(client->ssl, &byte, 1) : 0;
        }
        refused = result <= 0;
    }
    ERR_clear_error();
    clients_free(one);
    return refused;
}

void clients_close(struct clients *clients)
{
    for (size_t n = 0; n < clients->open; n++) {
        if (clients->client[n].is_open)
            SSL_shutdown(clients->client[n].ssl);
        end(&clients->client[n]);
    }
    ERR_clear_error();
    clients->open = 0;
    clients->shaking = 0;
}
