/*
 * Handing a connection to another process, see passing.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include "passing.h"
#include "socket_io.h"

#define MAGIC           0x746c733eu /* "tls>" */
#define PRELUDE_SIZE    8
#define MAX_BODY_SIZE   (4 + SESSION_KEY_COUNT * (2 + KEY_BLOB_MAX_SIZE) + 2 + PASSING_MAX_PENDING)
#define MESSAGE_TIMEOUT 5 /* seconds */
#define LISTEN_BACKLOG  16

/* Bounded reading and writing: once something does not fit, |ok| stays 0 and nothing moves. */
struct cursor {
    uint8_t *at;
    size_t left;
    int ok;
};

static uint8_t *cursor_take(struct cursor *cursor, size_t size)
{
    uint8_t *taken = cursor->at;

    if (!cursor->ok || size > cursor->left) {
        cursor->ok = 0;
        return NULL;
    }
    cursor->at += size;
    cursor->left -= size;
    return taken;
}

static void put_number(struct cursor *cursor, size_t bytes, uint32_t value)
{
    uint8_t *to = cursor_take(cursor, bytes);

    while (to != NULL && bytes-- > 0) {
        to[bytes] = (uint8_t)value;
        value >>= 8;
    }
}

static uint32_t get_number(struct cursor *cursor, size_t bytes)
{
    const uint8_t *from = cursor_take(cursor, bytes);
    uint32_t value = 0;

    while (from != NULL && bytes-- > 0)
        value = value << 8 | *from++;
    return value;
}

static void put_vector(struct cursor *cursor, const uint8_t *data, size_t size)
{
    uint8_t *to;

    put_number(cursor, 2, (uint32_t)size);
    to = cursor_take(cursor, size);
    if (to != NULL && size > 0)
        memcpy(to, data, size);
}

static void get_vector(struct cursor *cursor, uint8_t *data, size_t room, size_t *size)
{
    const uint8_t *from;

    *size = get_number(cursor, 2);
    if (*size > room)
        cursor->ok = 0;
    from = cursor_take(cursor, *size);
    if (from != NULL)
        memcpy(data, from, *size);
}

static size_t write_body(const struct handover *handover, uint8_t *body, size_t room)
{
    struct cursor cursor = { body, room, 1 };
    int id;

    put_number(&cursor, 4, handover->requests);
    for (id = 0; id < SESSION_KEY_COUNT; id++)
        put_vector(&cursor, handover->keys.blob[id].data, handover->keys.blob[id].size);
    put_vector(&cursor, handover->pending, handover->pending_size);
    return cursor.ok ? room - cursor.left : 0;
}

static int read_body(struct handover *handover, uint8_t *body, size_t size)
{
    struct cursor cursor = { body, size, 1 };
    int id;

    handover->requests = get_number(&cursor, 4);
    for (id = 0; id < SESSION_KEY_COUNT; id++)
        get_vector(&cursor, handover->keys.blob[id].data, KEY_BLOB_MAX_SIZE,
                   &handover->keys.blob[id].size);
    get_vector(&cursor, handover->pending, PASSING_MAX_PENDING, &handover->pending_size);
    return cursor.ok && cursor.left == 0;
}

static int unix_address(const char *path, struct sockaddr_un *address)
{
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    if (OPENSSL_strlcpy(address->sun_path, path, sizeof(address->sun_path)) <
        sizeof(address->sun_path))
        return 1;
    errno = ENAMETOOLONG;
    return 0;
}

/* Across exec nobody shall inherit a client's connection. */
static void close_on_exec(int fd)
{
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int passing_listen(const char *path)
{
    struct sockaddr_un address;
    const mode_t mask = umask(S_IRWXG | S_IRWXO);
    int listener = -1;

    if (unix_address(path, &address))
        listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (listener >= 0) {
        close_on_exec(listener);
        if (bind(listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
            listen(listener, LISTEN_BACKLOG) != 0) {
            close(listener);
            listener = -1;
        }
    }
    umask(mask);
    return listener;
}

int passing_accept(int listener, unsigned seconds)
{
    struct pollfd wait = { .fd = listener, .events = POLLIN };
    int channel = -1;

    if (poll(&wait, 1, (int)seconds * 1000) > 0)
        channel = accept(listener, NULL, NULL);
    if (channel >= 0)
        close_on_exec(channel);
    return channel;
}

int passing_connect(const char *path)
{
    struct sockaddr_un address;
    int channel = -1;

    if (unix_address(path, &address))
        channel = socket(AF_UNIX, SOCK_STREAM, 0);
    if (channel >= 0 && connect(channel, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        close(channel);
        channel = -1;
    }
    if (channel >= 0)
        close_on_exec(channel);
    return channel;
}

/* Room for one descriptor, aligned as the kernel wants it. */
union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
};

static int send_with_socket(int channel, uint8_t *data, size_t size, int passed)
{
    union control control;
    struct iovec vector = { .iov_base = data, .iov_len = size };
    struct msghdr message = { .msg_iov = &vector,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    struct cmsghdr *header;
    ssize_t sent;

    memset(&control, 0, sizeof(control));
    header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &passed, sizeof(int));
    sent = sendmsg(channel, &message, MSG_NOSIGNAL);
    return sent == (ssize_t)size;
}

/* -1 when the message did not bring exactly one descriptor; whatever else came is closed. */
static int received_socket(struct msghdr *message)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    size_t count = 0, i;
    int passed = -1;

    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (i = 0; i < count; i++) {
        memcpy(&passed, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
        if (count == 1 && (message->msg_flags & MSG_CTRUNC) == 0)
            return passed;
        close(passed);
    }
    return -1;
}

static int receive_with_socket(int channel, uint8_t *data, size_t size, int *passed)
{
    union control control;
    struct iovec vector = { .iov_base = data, .iov_len = size };
    struct msghdr message = { .msg_iov = &vector,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    const ssize_t received = recvmsg(channel, &message, 0);

    if (received <= 0)
        return 0;
    *passed = received_socket(&message);
    if (*passed < 0)
        return 0;
    close_on_exec(*passed);
    return socket_read(channel, data + received, size - (size_t)received) == SOCKET_DONE;
}

int passing_send(int channel, const struct handover *handover)
{
    uint8_t *message = malloc(PRELUDE_SIZE + MAX_BODY_SIZE);
    struct cursor prelude = { message, PRELUDE_SIZE, 1 };
    size_t size = 0;
    int ok = 0;

    if (message != NULL && socket_set_timeout(channel, MESSAGE_TIMEOUT))
        size = write_body(handover, message + PRELUDE_SIZE, MAX_BODY_SIZE);
    if (size > 0) {
        put_number(&prelude, 4, MAGIC);
        put_number(&prelude, 4, (uint32_t)size);
        ok = send_with_socket(channel, message, PRELUDE_SIZE, handover->socket) &&
             socket_write(channel, message + PRELUDE_SIZE, size) == SOCKET_DONE;
    }
    if (message != NULL)
        OPENSSL_cleanse(message, PRELUDE_SIZE + MAX_BODY_SIZE);
    free(message);
    return ok;
}

int passing_receive(int channel, struct handover *handover)
{
    uint8_t start[PRELUDE_SIZE], *body = NULL;
    struct cursor prelude = { start, sizeof(start), 1 };
    size_t size = 0;
    int ok = 0;

    handover->socket = -1;
    if (socket_set_timeout(channel, MESSAGE_TIMEOUT) &&
        receive_with_socket(channel, start, sizeof(start), &handover->socket) &&
        get_number(&prelude, 4) == MAGIC)
        size = get_number(&prelude, 4);
    if (size > 0 && size <= MAX_BODY_SIZE)
        body = malloc(size);
    if (body != NULL && socket_read(channel, body, size) == SOCKET_DONE)
        ok = read_body(handover, body, size);
    if (body != NULL)
        OPENSSL_cleanse(body, size);
    free(body);
    return ok;
}
