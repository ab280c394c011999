/*
 * Whole pieces on blocking sockets, see socket_io.h.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include "socket_io.h"

int socket_set_timeout(int socket, unsigned seconds)
{
    const struct timeval time = { .tv_sec = (time_t)seconds };

    return setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) == 0 &&
           setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)) == 0;
}

static enum socket_result why_it_stopped(ssize_t moved, size_t done)
{
    if (moved == 0)
        return done == 0 ? SOCKET_CLOSED : SOCKET_FAILED;
    return errno == EAGAIN || errno == EWOULDBLOCK ? SOCKET_TIMEOUT : SOCKET_FAILED;
}

enum socket_result socket_read(int socket, void *data, size_t size)
{
    uint8_t *to = data;
    size_t done = 0;

    while (done < size) {
        const ssize_t moved = recv(socket, to + done, size - done, 0);

        if (moved < 0 && errno == EINTR)
            continue;
        if (moved <= 0)
            return why_it_stopped(moved, done);
        done += (size_t)moved;
    }
    return SOCKET_DONE;
}

enum socket_result socket_write(int socket, const void *data, size_t size)
{
    const uint8_t *from = data;
    size_t done = 0;

    while (done < size) {
        const ssize_t moved = send(socket, from + done, size - done, MSG_NOSIGNAL);

        if (moved < 0 && errno == EINTR)
            continue;
        if (moved <= 0)
            return why_it_stopped(moved, done);
        done += (size_t)moved;
    }
    return SOCKET_DONE;
}
