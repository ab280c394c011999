/*
 * handoff-echo: the application process as a service under load.  Serves any number of TLS 1.0
 * connections at once, whose handshakes another process did, and sends back what comes.
 *
 * Started by load.c.  A new process of this kind takes over everything from a running one: it
 * listens on the same path, and SIGUSR1 then makes the old one hand over each connection and end.
 * SIGTERM makes it close what it serves and end.  Nothing of a connection is lost on the way:
 * records are read when they are there as a whole, so that what was not looked at is in the socket.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include "connection.h"
#include "passing.h"
#include "report.h"

#define WHO             "echo"
#define MAX_CONNECTIONS 4096

struct service {
    struct transfer_terms terms; /* |audience| is the path */
    int listener;
    size_t count;
    struct connection *connection[MAX_CONNECTIONS];
    struct pollfd wait[MAX_CONNECTIONS + 1]; /* the last is the listener */
    unsigned long served, failed;
    uint64_t bytes;
};

static volatile sig_atomic_t hand_over_wanted, end_wanted;

static void on_signal(int number)
{
    if (number == SIGUSR1)
        hand_over_wanted = 1;
    else
        end_wanted = 1;
}

/* ---- connections ---- */

static void drop(struct service *service, size_t n)
{
    struct connection *connection = service->connection[n];

    service->bytes += connection->bytes_in;
    if (connection->failed) {
        service->failed++;
        report_failure(WHO, "connection lost: %s", connection->ended);
    }
    connection_release(connection);
    OPENSSL_clear_free(connection, sizeof(*connection));
    service->connection[n] = service->connection[--service->count];
}

static void take(struct service *service, int channel)
{
    struct handover *handover = calloc(1, sizeof(*handover));
    struct connection *connection = calloc(1, sizeof(*connection));

    if (handover == NULL || connection == NULL || service->count == MAX_CONNECTIONS) {
        report_failure(WHO, "no room for another connection");
        OPENSSL_clear_free(connection, sizeof(*connection));
    } else if (!passing_receive(channel, handover)) {
        report_failure(WHO, "what came is no handed-over connection");
        if (handover->socket >= 0)
            close(handover->socket);
        OPENSSL_clear_free(connection, sizeof(*connection));
    } else if (!connection_start(connection, handover, &service->terms)) {
        report_failure(WHO, "the keys cannot be imported");
        connection_release(connection);
        OPENSSL_clear_free(connection, sizeof(*connection));
    } else {
        service->connection[service->count++] = connection;
        service->served++;
    }
    OPENSSL_clear_free(handover, sizeof(*handover));
}

/* How many bytes have to be there before a record can be read without waiting; 0: they are, or it
 * is the end. */
static int missing(int socket)
{
    uint8_t record[TLS_MAX_RECORD];
    ssize_t there = recv(socket, record, TLS_RECORD_HEADER_SIZE, MSG_PEEK | MSG_DONTWAIT);
    size_t size;

    if (there <= 0)
        return there < 0 && (errno == EAGAIN || errno == EINTR) ? 1 : 0;
    if (there < TLS_RECORD_HEADER_SIZE)
        return TLS_RECORD_HEADER_SIZE;
    size = TLS_RECORD_HEADER_SIZE + ((size_t)record[3] << 8 | record[4]);
    if (size > sizeof(record))
        return 0;
    there = recv(socket, record, size, MSG_PEEK | MSG_DONTWAIT);
    return there == (ssize_t)size ? 0 : (int)size;
}

/* One record, when it has come.  0 when the connection is over. */
static int serve(struct connection *connection, short events)
{
    const int wanted = missing(connection->socket);
    const uint8_t *input;
    size_t size;
    int ok;

    if (wanted != 0 && (events & (POLLHUP | POLLERR)) == 0) {
        /* poll is not to report it again before the rest has come */
        setsockopt(connection->socket, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof(wanted));
        return 1;
    }
    ok = connection_receive_record(connection);
    input = connection_input(connection, &size);
    if (ok && size > 0) {
        ok = connection_send(connection, input, size);
        connection_consume(connection, size);
        connection->requests++;
    }
    if (ok) {
        const int any = 1;

        setsockopt(connection->socket, SOL_SOCKET, SO_RCVLOWAT, &any, sizeof(any));
    }
    return ok;
}

/* ---- handing over ---- */

/* What was sent to this process before another one took its place. */
static void drain(struct service *service)
{
    int channel;

    while ((channel = passing_accept(service->listener, 0)) >= 0) {
        take(service, channel);
        close(channel);
    }
}

static int pass_on(struct service *service, struct connection *connection,
                   struct handover *handover)
{
    const int channel = passing_connect(service->terms.audience);
    int ok;

    if (channel < 0)
        return report_failure(WHO, "cannot reach %s: %s", service->terms.audience, strerror(errno));
    ok = connection_suspend(connection, &service->terms, handover) &&
         passing_send(channel, handover);
    close(channel);
    return ok || report_failure(WHO, "the next process does not take the connection");
}

/* 1 when this process has none left. */
static int hand_over(struct service *service)
{
    struct handover *handover = calloc(1, sizeof(*handover));
    unsigned long passed = 0;
    int ok = handover != NULL;

    drain(service);
    while (ok && service->count > 0) {
        ok = pass_on(service, service->connection[service->count - 1], handover);
        passed += ok ? 1 : 0;
        if (ok || service->connection[service->count - 1]->ended != NULL)
            drop(service, service->count - 1);
    }
    report(WHO, "handed over %lu connections", passed);
    OPENSSL_clear_free(handover, sizeof(*handover));
    return ok;
}

/* ---- the loop ---- */

static void poll_once(struct service *service)
{
    const size_t count = service->count;

    for (size_t n = 0; n < count; n++)
        service->wait[n] =
            (struct pollfd){ .fd = service->connection[n]->socket, .events = POLLIN };
    service->wait[count] = (struct pollfd){ .fd = service->listener, .events = POLLIN };
    if (poll(service->wait, count + 1, 100) <= 0)
        return;
    if (service->wait[count].revents != 0)
        drain(service);
    for (size_t n = count; n-- > 0;) {
        if (service->wait[n].revents != 0 &&
            !serve(service->connection[n], service->wait[n].revents))
            drop(service, n);
    }
}

static int run(struct service *service)
{
    int handed_over = 0;

    while (!end_wanted && !handed_over) {
        if (hand_over_wanted) {
            hand_over_wanted = 0;
            handed_over = hand_over(service);
        } else {
            poll_once(service);
        }
    }
    while (service->count > 0) {
        connection_close(service->connection[service->count - 1]);
        drop(service, service->count - 1);
    }
    report(WHO, "served %lu connections, %lu failed, %llu bytes", service->served, service->failed,
           (unsigned long long)service->bytes);
    return service->failed == 0;
}

/* In the place of whoever listens there: nobody finds the path empty in between. */
static int listen_in_place(const char *path)
{
    char fresh[128];
    int listener;

    if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
        return -1;
    listener = passing_listen(fresh);
    if (listener >= 0 && rename(fresh, path) != 0) {
        close(listener);
        listener = -1;
    }
    return listener;
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        { "listen", required_argument, NULL, 'l' },
        { "seal-key", required_argument, NULL, 's' },
        { "claim-dir", required_argument, NULL, 'd' },
        { "provider-path", required_argument, NULL, 'p' },
        { NULL, 0, NULL, 0 },
    };
    static struct service service;
    struct sigaction action = { .sa_handler = on_signal };
    struct rlimit files;
    struct key_providers providers;
    const char *provider_path = NULL;
    int option, ok = 0;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'l')
            service.terms.audience = optarg;
        else if (option == 's')
            service.terms.seal_key = optarg;
        else if (option == 'd')
            service.terms.claim_dir = optarg;
        else if (option == 'p')
            provider_path = optarg;
        else
            return 2;
    }
    report_open();
    if (service.terms.audience == NULL || getrlimit(RLIMIT_NOFILE, &files) != 0)
        return 2;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!keys_load_providers(&providers, provider_path)) {
        report_failure(WHO, "cannot load the providers");
    } else if ((service.listener = listen_in_place(service.terms.audience)) < 0) {
        report_failure(WHO, "cannot listen on %s: %s", service.terms.audience, strerror(errno));
    } else {
        report(WHO, "ready");
        ok = run(&service);
        close(service.listener);
    }
    keys_unload_providers(&providers);
    return ok ? 0 : 1;
}
