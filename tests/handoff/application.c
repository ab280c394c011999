/*
 * handoff-application: serves HTTP over TLS 1.0 connections whose handshake another process did.
 *
 * Started by tests/demo.  Waits on a Unix socket for sealed keys and a client's socket, serves the
 * client with nothing but EVP calls, and can hand the connection on, in mid-stream, to another
 * process of the same kind.  Holds no certificate, private key or master secret, and no TLS
 * library.  Serves one connection after the other and ends by itself.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <schannel/names.h>
#include "arguments.h"
#include "connection.h"
#include "keys.h"
#include "passing.h"
#include "report.h"
#include "service.h"

#define MAX_CONNECTIONS 1000000
#define MAX_ANSWERS     1000000
#define MAX_SECONDS     86400 /* in milliseconds still an int */

struct options {
    const char *name;          /* in the transcript */
    const char *listen_path;   /* Unix socket on which connections come */
    const char *next_path;     /* Unix socket of the process to hand over to, or NULL */
    const char *seal_key;      /* as the parameter "seal-key" */
    const char *claim_dir;     /* as the parameter "claim-dir", or NULL */
    const char *provider_path; /* directory of schannel.so, or NULL */
    unsigned connections;      /* end after so many */
    unsigned idle_seconds;     /* end when none came for so long */
    unsigned hand_over_after;  /* hand over after so many answers, 0: only when asked */
};

static const char usage_text[] =
    "usage: handoff-application --listen PATH --seal-key VALUE [options]\n"
    "  --listen PATH          Unix socket on which connections are handed over to this process\n"
    "  --seal-key VALUE       sealing key of the blobs: fd:N, file:PATH, runtime or user\n"
    "  --claim-dir PATH       where opened blobs are recorded; needless with runtime\n"
    "  --next PATH            Unix socket of the process that this one hands over to\n"
    "  --hand-over-after N    hand over after N answers, not only on GET /handover\n"
    "  --connections N        end after N connections (default 1)\n"
    "  --idle SECONDS         end when no connection came for so long (default 30)\n"
    "  --provider-path DIR    where schannel.so lies\n"
    "  --name NAME            name in the transcript\n";

static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        { "listen", required_argument, NULL, 'l' },
        { "seal-key", required_argument, NULL, 's' },
        { "claim-dir", required_argument, NULL, 'd' },
        { "next", required_argument, NULL, 'n' },
        { "hand-over-after", required_argument, NULL, 'a' },
        { "connections", required_argument, NULL, 'c' },
        { "idle", required_argument, NULL, 'i' },
        { "provider-path", required_argument, NULL, 'p' },
        { "name", required_argument, NULL, 'N' },
        { NULL, 0, NULL, 0 },
    };
    int option, ok = 1;

    *options = (struct options){ .name = "application", .connections = 1, .idle_seconds = 30 };
    while (ok && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'l':
            options->listen_path = optarg;
            break;
        case 's':
            options->seal_key = optarg;
            break;
        case 'd':
            options->claim_dir = optarg;
            break;
        case 'n':
            options->next_path = optarg;
            break;
        case 'a':
            ok = argument_number(optarg, MAX_ANSWERS, &options->hand_over_after);
            break;
        case 'c':
            ok = argument_number(optarg, MAX_CONNECTIONS, &options->connections);
            break;
        case 'i':
            ok = argument_number(optarg, MAX_SECONDS, &options->idle_seconds);
            break;
        case 'p':
            options->provider_path = optarg;
            break;
        case 'N':
            options->name = optarg;
            break;
        default:
            ok = 0;
        }
    }
    return ok && optind == argc && options->listen_path != NULL && options->seal_key != NULL;
}

/* How a connection comes to this process, and how one goes to the next. */
static struct transfer_terms terms_for(const struct options *options, const char *audience)
{
    return (struct transfer_terms){ options->seal_key, options->claim_dir, audience };
}

static void report_taken(const struct options *options, const struct connection *connection,
                         const struct handover *handover)
{
    char key_id[KEY_TEXT_SIZE], algorithm[KEY_TEXT_SIZE];
    int id;

    report(options->name, "took over a connection after %lu requests: 4 keys imported in %llu us",
           (unsigned long)connection->requests,
           (unsigned long long)connection->import_microseconds);
    for (id = 0; id < SESSION_KEY_COUNT; id++) {
        EVP_PKEY *key = connection->keys.key[id];
        uint64_t sequence = 0;

        if (!keys_get_text(key, SCHANNEL_PARAM_KEY_ID, key_id) ||
            !keys_get_text(key, SCHANNEL_PARAM_ALG, algorithm))
            continue;
        if (id == CLIENT_WRITE_MAC || id == SERVER_WRITE_MAC) {
            keys_get_sequence(key, &sequence);
            report(options->name, "  %s %-11s key id %s, goes on with record %llu",
                   keys_usage((enum session_key_id)id), algorithm, key_id,
                   (unsigned long long)sequence);
        } else {
            report(options->name, "  %s %-11s key id %s", keys_usage((enum session_key_id)id),
                   algorithm, key_id);
        }
    }
    if (handover->pending_size > 0)
        report(options->name, "  and %zu bytes that were decrypted but not answered yet",
               handover->pending_size);
}

/* Exports, retires and sends: 1 when the next process has the connection now. */
static int pass_on(const struct options *options, struct connection *connection, int channel,
                   struct handover *handover)
{
    const struct transfer_terms terms = terms_for(options, options->next_path);
    const uint64_t start = report_clock();
    char reason[KEY_TEXT_SIZE];
    uint64_t spent;

    if (!connection_suspend(connection, &terms, handover))
        return report_failure(options->name, "the keys cannot be exported");
    spent = report_clock() - start;
    if (!keys_is_retired(connection->keys.key[SERVER_WRITE_KEY], reason))
        return report_failure(options->name, "a retired key answers: %s", reason);
    if (!passing_send(channel, handover))
        return report_failure(options->name, "the next process does not take the connection");
    report(options->name,
           "handed over after %lu requests: 4 keys exported and retired in %llu us "
           "(now: \"%s\"), %zu bytes of unread plaintext",
           (unsigned long)connection->requests, (unsigned long long)spent, reason,
           handover->pending_size);
    return 1;
}

static int hand_over(const struct options *options, struct connection *connection)
{
    struct handover *handover = calloc(1, sizeof(*handover));
    const int channel = passing_connect(options->next_path);
    int ok = 0;

    if (handover == NULL || channel < 0)
        report_failure(options->name, "cannot reach %s: %s", options->next_path, strerror(errno));
    else
        ok = pass_on(options, connection, channel, handover);
    if (channel >= 0)
        close(channel);
    OPENSSL_clear_free(handover, sizeof(*handover));
    return ok;
}

/* 1 when the connection ended as it should. */
static int serve(const struct options *options, struct connection *connection)
{
    const struct service service = { options->name, options->next_path != NULL };
    enum service_outcome outcome = SERVICE_GO_ON;
    unsigned answers = 0;

    while (outcome == SERVICE_GO_ON) {
        outcome = service_answer(&service, connection);
        answers++;
        if (outcome == SERVICE_GO_ON && service.may_hand_over &&
            answers == options->hand_over_after)
            outcome = SERVICE_HAND_OVER;
    }
    if (outcome == SERVICE_HAND_OVER && !hand_over(options, connection))
        return 0;
    if (outcome == SERVICE_CLOSE)
        connection_close(connection);
    report(options->name,
           "connection left: %s; here %llu records and %llu bytes came, %llu records and "
           "%llu bytes went",
           connection->ended, (unsigned long long)connection->records_in,
           (unsigned long long)connection->bytes_in, (unsigned long long)connection->records_out,
           (unsigned long long)connection->bytes_out);
    return !connection->failed;
}

static int take_connection(const struct options *options, int channel)
{
    struct handover *handover = calloc(1, sizeof(*handover));
    struct connection *connection = calloc(1, sizeof(*connection));
    const struct transfer_terms terms = terms_for(options, options->listen_path);
    char reason[KEY_TEXT_SIZE];
    int ok = 0;

    if (handover == NULL || connection == NULL) {
        report_failure(options->name, "out of memory");
    } else if (!passing_receive(channel, handover)) {
        report_failure(options->name, "what came is no handed-over connection");
        if (handover->socket >= 0)
            close(handover->socket);
    } else if (!connection_start(connection, handover, &terms)) {
        report_failure(options->name, "the keys cannot be imported");
        connection_release(connection);
    } else if (!keys_open_only_once(&handover->keys, &terms, reason)) {
        report_failure(options->name, "the blobs open a second time: %s", reason);
        connection_release(connection);
    } else {
        report_taken(options, connection, handover);
        report(options->name, "  opening these blobs once more says: %s", reason);
        OPENSSL_cleanse(handover, sizeof(*handover));
        ok = serve(options, connection);
        connection_release(connection);
    }
    OPENSSL_clear_free(handover, sizeof(*handover));
    OPENSSL_clear_free(connection, sizeof(*connection));
    return ok;
}

static int run(const struct options *options)
{
    const int listener = passing_listen(options->listen_path);
    unsigned taken;
    int ok = 1;

    if (listener < 0)
        return report_failure(options->name, "cannot listen on %s: %s", options->listen_path,
                              strerror(errno));
    report(options->name, "waiting for connections on a Unix socket, sealing key %s",
           options->seal_key);
    for (taken = 0; taken < options->connections; taken++) {
        const int channel = passing_accept(listener, options->idle_seconds);

        if (channel < 0) {
            ok = report_failure(options->name, "no connection came in %u seconds",
                                options->idle_seconds);
            break;
        }
        ok &= take_connection(options, channel);
        close(channel);
    }
    close(listener);
    unlink(options->listen_path);
    return ok;
}

int main(int argc, char **argv)
{
    struct options options;
    struct key_providers providers;
    int ok = 0;

    if (!read_options(argc, argv, &options)) {
        fputs(usage_text, stderr);
        return 2;
    }
    report_open();
    signal(SIGPIPE, SIG_IGN);
    if (keys_load_providers(&providers, options.provider_path))
        ok = run(&options);
    else
        report_failure(options.name, "cannot load the providers");
    keys_unload_providers(&providers);
    return ok ? 0 : 1;
}
