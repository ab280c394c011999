/*
 * handoff-handshake: does TLS 1.0 handshakes and gives the connections away.
 *
 * Started by tests/demo.  For each client: the handshake with libssl; the master secret into a
 * TLS1-MASTER key; four session keys from it; the Finished records processed once more with these
 * keys, which proves them and brings them to the state of the connection; four sealed blobs and
 * the client's socket to the application process; its own keys retired.  Never writes application
 * data.  Serves one client after the other and ends by itself.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <schannel/names.h>
#include "arguments.h"
#include "keys.h"
#include "passing.h"
#include "record_layer.h"
#include "report.h"
#include "socket_io.h"
#include "tls_server.h"

#define WHO             "handshake"
#define CLIENT_TIMEOUT  10 /* seconds */
#define LISTEN_BACKLOG  16
#define MAX_CONNECTIONS 1000000
#define MAX_SECONDS     86400 /* in milliseconds still an int */

/* Finished of TLS 1.0: type 20, length 12, verify data. */
#define FINISHED_TYPE 20
#define FINISHED_SIZE 16

struct options {
    const char *application_path; /* Unix socket of the process that serves */
    const char *port_file;        /* is told the port */
    const char *seal_key;         /* as the parameter "seal-key" */
    const char *claim_dir;        /* as the parameter "claim-dir", or NULL */
    const char *provider_path;    /* directory of schannel.so, or NULL */
    unsigned connections;         /* end after so many */
    unsigned idle_seconds;        /* end when none came for so long */
};

static const char usage_text[] =
    "usage: handoff-handshake --application PATH --port-file PATH --seal-key VALUE [options]\n"
    "  --application PATH   Unix socket of the process that serves the connections\n"
    "  --port-file PATH     file that is told the port, chosen by the kernel on 127.0.0.1\n"
    "  --seal-key VALUE     sealing key of the blobs: fd:N, file:PATH, runtime or user\n"
    "  --claim-dir PATH     where opened blobs are recorded; needless with runtime\n"
    "  --connections N      end after N connections (default 1)\n"
    "  --idle SECONDS       end when no connection came for so long (default 30)\n"
    "  --provider-path DIR  where schannel.so lies\n";

static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        { "application", required_argument, NULL, 'a' },
        { "port-file", required_argument, NULL, 'f' },
        { "seal-key", required_argument, NULL, 's' },
        { "claim-dir", required_argument, NULL, 'd' },
        { "connections", required_argument, NULL, 'c' },
        { "idle", required_argument, NULL, 'i' },
        { "provider-path", required_argument, NULL, 'p' },
        { NULL, 0, NULL, 0 },
    };
    int option, ok = 1;

    *options = (struct options){ .connections = 1, .idle_seconds = 30 };
    while (ok && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'a':
            options->application_path = optarg;
            break;
        case 'f':
            options->port_file = optarg;
            break;
        case 's':
            options->seal_key = optarg;
            break;
        case 'd':
            options->claim_dir = optarg;
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
        default:
            ok = 0;
        }
    }
    return ok && optind == argc && options->application_path != NULL &&
           options->port_file != NULL && options->seal_key != NULL;
}

/* Opens the records of one side.  The last one has to be Finished, those before it empty. */
static int open_finished(struct record_direction *direction,
                         const struct protected_records *records, uint8_t finished[FINISHED_SIZE])
{
    uint8_t record[TLS_SERVER_MAX_RECORD];
    size_t i, length = 0;

    for (i = 0; i < records->count; i++) {
        const size_t size = records->record[i].size;

        memcpy(record, records->record[i].data, size);
        if (length > 0 || record_open(direction, record, size, &length) != RECORD_OK)
            return 0;
    }
    if (length != FINISHED_SIZE || record[0] != TLS_HANDSHAKE ||
        record[TLS_RECORD_HEADER_SIZE] != FINISHED_TYPE)
        return 0;
    memcpy(finished, record + TLS_RECORD_HEADER_SIZE, FINISHED_SIZE);
    return 1;
}

/* The client's keys read its Finished, as the reader of the connection does. */
static int replay_client(const struct session_keys *keys, const struct protected_records *records)
{
    struct record_direction reader;
    uint8_t finished[FINISHED_SIZE];
    int ok;

    if (!record_bind(&reader, keys->key[CLIENT_WRITE_KEY], keys->key[CLIENT_WRITE_MAC], 0))
        return 0;
    ok = open_finished(&reader, records, finished);
    record_release(&reader);
    return ok;
}

/*
 * The server's keys have to write their Finished once more.  What it says is learnt by reading it
 * with duplicates of the keys; what is written then has to be what libssl sent, bit for bit.
 */
static int replay_server(const struct session_keys *keys, const struct session_keys *copies,
                         const struct protected_records *records)
{
    struct record_direction reader = { 0 }, writer = { 0 };
    uint8_t finished[FINISHED_SIZE], record[TLS_MAX_RECORD];
    size_t size = 0;
    int ok = 0;

    if (records->count == 1 &&
        record_bind(&reader, copies->key[SERVER_WRITE_KEY], copies->key[SERVER_WRITE_MAC], 0) &&
        record_bind(&writer, keys->key[SERVER_WRITE_KEY], keys->key[SERVER_WRITE_MAC], 1) &&
        open_finished(&reader, records, finished) &&
        record_seal(&writer, TLS_HANDSHAKE, finished, sizeof(finished), record, &size))
        ok = size == records->record[0].size && memcmp(record, records->record[0].data, size) == 0;
    record_release(&reader);
    record_release(&writer);
    return ok;
}

static int retire_keys(const struct session_keys *keys)
{
    int id, ok = 1;

    for (id = 0; id < SESSION_KEY_COUNT; id++)
        if (keys->key[id] != NULL)
            ok &= keys_retire(keys->key[id]);
    return ok;
}

/* Brings fresh session keys to the state that they have after both Finished records. */
static int replay_finished(const struct session_keys *keys, const struct tls_handshake *handshake)
{
    struct session_keys copies;
    uint64_t read_next = 0, write_next = 0;

    if (!keys_duplicate(keys, &copies))
        return report_failure(WHO, "the keys cannot be duplicated");
    if (!replay_client(keys, &handshake->from_client) ||
        !replay_server(keys, &copies, &handshake->from_server)) {
        keys_free(&copies);
        return report_failure(WHO, "the derived keys do not fit the Finished records");
    }
    retire_keys(&copies);
    keys_free(&copies);
    if (!keys_get_sequence(keys->key[CLIENT_WRITE_MAC], &read_next) ||
        !keys_get_sequence(keys->key[SERVER_WRITE_MAC], &write_next))
        return report_failure(WHO, "the record numbers cannot be read");
    report(WHO,
           "both Finished records processed again with these keys: MACs verify, ciphertext "
           "identical; next records %llu in, %llu out",
           (unsigned long long)read_next, (unsigned long long)write_next);
    return 1;
}

static int derive_keys(const struct tls_handshake *handshake, EVP_PKEY *master,
                       struct session_keys *keys)
{
    char key_id[KEY_TEXT_SIZE];
    uint64_t start = report_clock(), spent;

    if (!keys_derive(master, keys))
        return report_failure(WHO, "the session keys cannot be derived");
    spent = report_clock() - start;
    if (!keys_get_text(master, SCHANNEL_PARAM_KEY_ID, key_id))
        return report_failure(WHO, "the master key has no identifier");
    report(WHO, "4 keys for %s and %s derived from the master key %s in %llu us",
           handshake->secrets.cipher, handshake->secrets.digest, key_id, (unsigned long long)spent);
    return replay_finished(keys, handshake);
}

static int export_keys(const struct options *options, const struct session_keys *keys,
                       struct key_blobs *blobs)
{
    const struct transfer_terms terms = { options->seal_key, options->claim_dir,
                                          options->application_path };
    const uint64_t start = report_clock();
    char key_id[KEY_TEXT_SIZE], algorithm[KEY_TEXT_SIZE];
    uint64_t spent;
    int id;

    if (!keys_export(keys, &terms, blobs))
        return report_failure(WHO, "the keys cannot be exported");
    spent = report_clock() - start;
    report(WHO, "4 keys exported for one opening by %s, in %llu us:", options->application_path,
           (unsigned long long)spent);
    for (id = 0; id < SESSION_KEY_COUNT; id++) {
        if (!keys_get_text(keys->key[id], SCHANNEL_PARAM_KEY_ID, key_id) ||
            !keys_get_text(keys->key[id], SCHANNEL_PARAM_ALG, algorithm))
            return report_failure(WHO, "a key does not say what it is");
        report(WHO, "  %s %-11s key id %s, sealed blob of %zu bytes",
               keys_usage((enum session_key_id)id), algorithm, key_id, blobs->blob[id].size);
    }
    return 1;
}

/* Retires, and looks whether the keys know it. */
static int destroy_keys(EVP_PKEY *master, const struct session_keys *keys)
{
    char reason[KEY_TEXT_SIZE];
    int id, ok = keys_retire(master) && retire_keys(keys) && keys_is_retired(master, reason);

    for (id = 0; ok && id < SESSION_KEY_COUNT; id++)
        ok = keys_is_retired(keys->key[id], reason);
    if (!ok)
        return report_failure(WHO, "the keys cannot be retired");
    report(WHO, "master key and 4 keys retired; using one says: %s", reason);
    return 1;
}

/* From the secrets of a handshake to sealed blobs; no usable key is left behind. */
static int make_blobs(const struct options *options, struct tls_handshake *handshake,
                      struct key_blobs *blobs)
{
    struct session_keys keys = { { NULL } };
    EVP_PKEY *master = keys_make_master(&handshake->secrets);
    int ok = 0;

    OPENSSL_cleanse(handshake->secrets.master, sizeof(handshake->secrets.master));
    if (master == NULL)
        report_failure(WHO, "the master key cannot be made");
    else
        ok = derive_keys(handshake, master, &keys) && export_keys(options, &keys, blobs) &&
             destroy_keys(master, &keys);
    keys_free(&keys);
    EVP_PKEY_free(master);
    return ok;
}

static int give_away(const struct options *options, struct handover *handover)
{
    const int channel = passing_connect(options->application_path);
    int ok = 0;

    if (channel < 0)
        return report_failure(WHO, "cannot reach %s: %s", options->application_path,
                              strerror(errno));
    ok = passing_send(channel, handover);
    close(channel);
    if (!ok)
        return report_failure(WHO, "the application process does not take the connection");
    report(WHO, "blobs and socket passed on; this process is done with the connection");
    return 1;
}

static int take_client(const struct options *options, SSL_CTX *server, int client)
{
    struct tls_handshake handshake;
    struct handover *handover = calloc(1, sizeof(*handover));
    const char *why = "out of memory";
    int ok = 0;

    if (handover == NULL || !socket_set_timeout(client, CLIENT_TIMEOUT) ||
        !tls_server_handshake(server, client, &handshake, &why)) {
        report_failure(WHO, "no handshake: %s", why);
    } else {
        handover->socket = client;
        report(WHO, "TLS 1.0 handshake with a client done, %s", handshake.suite);
        ok = make_blobs(options, &handshake, &handover->keys) && give_away(options, handover);
    }
    OPENSSL_cleanse(&handshake, sizeof(handshake));
    OPENSSL_clear_free(handover, sizeof(*handover));
    return ok;
}

/* A listening socket on a port that the kernel chooses, or -1. */
static int listen_on_loopback(unsigned *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);

    if (listener >= 0 && (bind(listener, (const struct sockaddr *)&address, size) != 0 ||
                          listen(listener, LISTEN_BACKLOG) != 0 ||
                          getsockname(listener, (struct sockaddr *)&address, &size) != 0)) {
        close(listener);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return listener;
}

static int write_port(const char *path, unsigned port)
{
    FILE *file = fopen(path, "w");
    int ok;

    if (file == NULL)
        return 0;
    ok = fprintf(file, "%u\n", port) > 0;
    return fclose(file) == 0 && ok;
}

static int accept_client(int listener, unsigned seconds)
{
    struct pollfd wait = { .fd = listener, .events = POLLIN };

    return poll(&wait, 1, (int)seconds * 1000) > 0 ? accept(listener, NULL, NULL) : -1;
}

static int serve(const struct options *options, SSL_CTX *server, int listener)
{
    unsigned taken;
    int ok = 1;

    for (taken = 0; taken < options->connections; taken++) {
        const int client = accept_client(listener, options->idle_seconds);

        if (client < 0)
            return report_failure(WHO, "no client came in %u seconds", options->idle_seconds);
        ok &= take_client(options, server, client);
        close(client);
    }
    return ok;
}

static int run(const struct options *options)
{
    SSL_CTX *server = tls_server_new();
    unsigned port = 0;
    int listener = -1, ok = 0;

    if (server == NULL)
        return report_failure(WHO, "libssl cannot be set up");
    listener = listen_on_loopback(&port);
    if (listener < 0 || !write_port(options->port_file, port)) {
        report_failure(WHO, "cannot listen on 127.0.0.1 or tell the port: %s", strerror(errno));
    } else {
        report(WHO,
               "RSA key and certificate made in memory; waiting on 127.0.0.1:%u, sealing key %s",
               port, options->seal_key);
        ok = serve(options, server, listener);
    }
    if (listener >= 0)
        close(listener);
    SSL_CTX_free(server);
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
        report_failure(WHO, "cannot load the providers");
    keys_unload_providers(&providers);
    return ok ? 0 : 1;
}
