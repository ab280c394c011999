/*
 * interop-tap: stands between a client and a server on loopback, passes on every byte of one
 * connection and writes both streams down as two lines of a vector file, ClientStream and
 * ServerStream.
 *
 * Started by record_sessions.sh.  Ends when both sides have closed, or when nothing moved for too
 * long.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "arguments.h"
#include "bytes.h"
#include "loopback.h"
#include "socket_io.h"

#define IDLE_SECONDS 10
#define MAX_PORT     65535
#define PIECE        4096

/* One direction of the connection. */
struct stream {
    const char *name;
    int from, to;
    int is_open;
    struct buffer seen;
};

/* Passes on what has come; the end as well. */
static int pass_on(struct stream *stream)
{
    uint8_t piece[PIECE];
    const ssize_t size = recv(stream->from, piece, sizeof(piece), 0);

    if (size <= 0) {
        stream->is_open = 0;
        shutdown(stream->to, SHUT_WR);
        return 1;
    }
    buffer_add(&stream->seen, piece, (size_t)size);
    return !stream->seen.failed && socket_write(stream->to, piece, (size_t)size) == SOCKET_DONE;
}

static int relay(struct stream streams[2])
{
    while (streams[0].is_open || streams[1].is_open) {
        struct pollfd wait[2];
        int n;

        for (n = 0; n < 2; n++)
            wait[n] = (struct pollfd){ .fd = streams[n].is_open ? streams[n].from : -1,
                                       .events = POLLIN };
        if (poll(wait, 2, IDLE_SECONDS * 1000) <= 0)
            return 0;
        for (n = 0; n < 2; n++)
            if (wait[n].revents != 0 && !pass_on(&streams[n]))
                streams[n].is_open = 0; /* the other side has gone: what it sent counts */
    }
    return 1;
}

static void print_stream(const struct stream *stream)
{
    size_t n;

    printf("%s = ", stream->name);
    for (n = 0; n < stream->seen.size; n++)
        printf("%02x", stream->seen.data[n]);
    printf("\n");
}

static int tap(int client, int server)
{
    struct stream streams[2] = {
        { .name = "ClientStream", .from = client, .to = server, .is_open = 1 },
        { .name = "ServerStream", .from = server, .to = client, .is_open = 1 },
    };
    const int ok = relay(streams);
    int n;

    for (n = 0; n < 2; n++) {
        print_stream(&streams[n]);
        buffer_free(&streams[n].seen);
    }
    return ok && fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
    unsigned server_port = 0, port = 0;
    int listener, client, server, ok;

    if (argc != 3 || !argument_number(argv[2], MAX_PORT, &server_port)) {
        fputs("usage: interop-tap PORT-FILE SERVER-PORT\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listener = loopback_listen(&port);
    if (listener < 0 || !loopback_tell_port(argv[1], port))
        return 1;
    client = loopback_accept(listener, IDLE_SECONDS);
    server = client >= 0 ? loopback_connect(server_port) : -1;
    ok = server >= 0 && tap(client, server);
    close(listener);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
