/*
 * interop-peer-server: serves one page over SSL 3.0 or TLS 1.0 to peers that have nothing to do with
 * this project.  The protocol is engine.c's; here are the socket and the page.
 *
 * Started by peers.sh.  Makes its own key and certificate, listens on 127.0.0.1 on a port that the
 * kernel chooses, serves one client after the other and ends by itself.  For each connection it
 * prints one line: the version and suite that was spoken, or why not.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <schannel/names.h>
#include "arguments.h"
#include "engine.h"
#include "loopback.h"
#include "socket_io.h"

#define CLIENT_TIMEOUT  5 /* seconds without a byte */
#define MAX_CONNECTIONS 1000
#define MAX_SECONDS     600
#define MAX_REQUEST     4096

static const char page[] = "HTTP/1.0 200 OK\r\n"
                           "Content-Type: text/plain\r\n"
                           "Connection: close\r\n"
                           "\r\n"
                           "This page was protected by keys of the schannel provider.\n";

struct options {
    enum record_protocol protocol;
    const char *port_file;     /* is told the port */
    const char *provider_path; /* directory of schannel.so, or NULL */
    unsigned connections;      /* end after so many */
    unsigned idle_seconds;     /* end when none came for so long */
};

static const char usage_text[] =
    "usage: interop-peer-server --version ssl3|tls1 --port-file PATH [options]\n"
    "  --version ssl3|tls1  the one that is spoken\n"
    "  --port-file PATH     file that is told the port\n"
    "  --connections N      end after N connections (default 1)\n"
    "  --idle SECONDS       end when no connection came for so long (default 20)\n"
    "  --provider-path DIR  where schannel.so lies\n";

static int read_version(const char *text, enum record_protocol *protocol)
{
    *protocol = strcmp(text, "ssl3") == 0 ? RECORD_SSL3 : RECORD_TLS1;
    return *protocol == RECORD_SSL3 || strcmp(text, "tls1") == 0;
}

static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        { "version", required_argument, NULL, 'v' },
        { "port-file", required_argument, NULL, 'f' },
        { "connections", required_argument, NULL, 'c' },
        { "idle", required_argument, NULL, 'i' },
        { "provider-path", required_argument, NULL, 'p' },
        { NULL, 0, NULL, 0 },
    };
    int option, ok = 1;

    *options =
        (struct options){ .protocol = RECORD_PROTOCOL_COUNT, .connections = 1, .idle_seconds = 20 };
    while (ok && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'v':
            ok = read_version(optarg, &options->protocol);
            break;
        case 'f':
            options->port_file = optarg;
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
    return ok && optind == argc && options->protocol != RECORD_PROTOCOL_COUNT &&
           options->port_file != NULL;
}

/* ---- one client ---- */

/* One whole record; 0 when the client is gone. */
static int read_record(int client, enum record_protocol protocol, uint8_t record[RECORD_MAX_SIZE],
                       size_t *size)
{
    if (socket_read(client, record, RECORD_MAX_HEADER) != SOCKET_DONE)
        return 0;
    *size = record_whole_size(protocol, record, RECORD_MAX_HEADER);
    return *size <= RECORD_MAX_SIZE && socket_read(client, record + RECORD_MAX_HEADER,
                                                   *size - RECORD_MAX_HEADER) == SOCKET_DONE;
}

static int send_output(int client, struct engine *engine)
{
    struct buffer *output = engine_output(engine);

    if (output->size > 0 && socket_write(client, output->data, output->size) != SOCKET_DONE)
        return 0;
    buffer_drop(output, output->size);
    return 1;
}

static int ends_request(const struct buffer *request)
{
    return request->size >= 4 && memcmp(request->data + request->size - 4, "\r\n\r\n", 4) == 0;
}

/* Runs the engine until the request is there.  The text is why it ended, NULL for well. */
static const char *read_request(int client, struct engine *engine, enum record_protocol protocol,
                                struct buffer *request)
{
    static uint8_t record[RECORD_MAX_SIZE];
    struct record_content content;
    size_t size;

    while (!ends_request(request)) {
        enum engine_result result;

        if (request->size > MAX_REQUEST)
            return "the request is too long";
        if (!read_record(client, protocol, record, &size))
            return "the client went away";
        result = engine_receive(engine, record, size, &content);
        if (result == ENGINE_DATA)
            buffer_add(request, content.data, content.size);
        if (!send_output(client, engine))
            return "the client takes nothing more";
        if (result == ENGINE_CLOSED || result == ENGINE_FAILED)
            return engine_failure(engine);
    }
    return NULL;
}

/* Sends the page and waits until the client has closed, so that nothing of it gets lost. */
static const char *send_page(int client, struct engine *engine)
{
    uint8_t rest[512];

    if (!engine_send(engine, page, sizeof(page) - 1) || !engine_close(engine) ||
        !send_output(client, engine))
        return "the page cannot be sent";
    shutdown(client, SHUT_WR);
    while (recv(client, rest, sizeof(rest), 0) > 0)
        continue;
    return NULL;
}

static int serve(const struct options *options, const struct identity *identity, int client)
{
    struct engine *engine = engine_new(NULL, options->protocol, identity);
    struct buffer request = { 0 };
    const char *why = "out of memory";

    if (engine != NULL && socket_set_timeout(client, CLIENT_TIMEOUT))
        why = read_request(client, engine, options->protocol, &request);
    if (why == NULL)
        why = send_page(client, engine);
    if (why == NULL)
        printf("served %s %s\n", options->protocol == RECORD_SSL3 ? "SSL3" : "TLS1",
               engine_suite(engine)->name);
    else
        printf("not served: %s\n", why);
    ERR_print_errors_fp(stdout);
    fflush(stdout);
    buffer_free(&request);
    engine_free(engine);
    return why == NULL;
}

/* ---- all clients ---- */

static int serve_all(const struct options *options, const struct identity *identity)
{
    unsigned port = 0, taken;
    const int listener = loopback_listen(&port);
    int ok = listener >= 0 && loopback_tell_port(options->port_file, port);

    for (taken = 0; ok && taken < options->connections; taken++) {
        const int client = loopback_accept(listener, options->idle_seconds);

        if (client < 0) {
            printf("no client came in %u seconds\n", options->idle_seconds);
            ok = 0;
        } else {
            serve(options, identity, client);
            close(client);
        }
    }
    if (listener >= 0)
        close(listener);
    return ok;
}

/* The search path is for schannel alone: the default provider is built in. */
static int load_providers(const struct options *options, OSSL_PROVIDER *providers[2])
{
    if (options->provider_path != NULL &&
        !OSSL_PROVIDER_set_default_search_path(NULL, options->provider_path))
        return 0;
    providers[0] = OSSL_PROVIDER_load(NULL, "default");
    providers[1] = OSSL_PROVIDER_load(NULL, SCHANNEL_PROVIDER_NAME);
    return providers[0] != NULL && providers[1] != NULL;
}

int main(int argc, char **argv)
{
    OSSL_PROVIDER *providers[2] = { NULL, NULL };
    struct identity identity = { 0 };
    struct options options;
    int ok;

    if (!read_options(argc, argv, &options)) {
        fputs(usage_text, stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    ok = load_providers(&options, providers) && identity_make(NULL, &identity) &&
         serve_all(&options, &identity);
    ERR_print_errors_fp(stderr);
    identity_free(&identity);
    if (providers[1] != NULL)
        OSSL_PROVIDER_unload(providers[1]);
    if (providers[0] != NULL)
        OSSL_PROVIDER_unload(providers[0]);
    return ok ? 0 : 1;
}
