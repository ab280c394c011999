/* Sockets on 127.0.0.1, see loopback.h. */
#include "loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG  8
#define MAX_PATH 4096

static struct sockaddr_in loopback(unsigned port)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons((in_port_t)port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    return address;
}

int loopback_listen(unsigned *port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);

    if (listener >= 0 && (bind(listener, (const struct sockaddr *)&address, size) != 0 ||
                          listen(listener, BACKLOG) != 0 ||
                          getsockname(listener, (struct sockaddr *)&address, &size) != 0)) {
        close(listener);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return listener;
}

int loopback_tell_port(const char *path, unsigned port)
{
    char temporary[MAX_PATH];
    FILE *file;
    int ok;

    if ((size_t)snprintf(temporary, sizeof(temporary), "%s.new", path) >= sizeof(temporary))
        return 0;
    file = fopen(temporary, "w");
    if (file == NULL)
        return 0;
    ok = fprintf(file, "%u\n", port) > 0;
    return fclose(file) == 0 && ok && rename(temporary, path) == 0;
}

int loopback_accept(int listener, unsigned seconds)
{
    struct pollfd wait = { .fd = listener, .events = POLLIN };

    return poll(&wait, 1, (int)seconds * 1000) > 0 ? accept(listener, NULL, NULL) : -1;
}

int loopback_connect(unsigned port)
{
    const struct sockaddr_in address = loopback(port);
    const int server = socket(AF_INET, SOCK_STREAM, 0);

    if (server >= 0 && connect(server, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        close(server);
        return -1;
    }
    return server;
}
