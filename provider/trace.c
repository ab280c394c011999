/* Diagnostics: see trace.h. */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include "errors.h"
#include "environment.h"

#define VARIABLE      "SCHANNEL_TRACE"
#define STDERR        "stderr"
#define MAX_LINE_SIZE 1024

struct trace {
    int fd;
};

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY,
                S_IRUSR | S_IWUSR);
}

struct trace *trace_open(const char *configured)
{
    const char *name = environment(VARIABLE);
    struct trace *trace;

    if (name == NULL)
        name = configured;
    if (name == NULL || *name == '\0' || (trace = OPENSSL_malloc(sizeof(*trace))) == NULL)
        return NULL;
    trace->fd = strcmp(name, STDERR) == 0 ? STDERR_FILENO : open_file(name);
    if (trace->fd >= 0)
        return trace;
    fprintf(stderr, "schannel: no diagnostics: %s: %s\n", name, SYSTEM_TEXT(errno));
    OPENSSL_free(trace);
    return NULL;
}

void trace_close(struct trace *trace)
{
    if (trace == NULL)
        return;
    if (trace->fd != STDERR_FILENO)
        close(trace->fd);
    OPENSSL_free(trace);
}

/* How much of |room| snprintf has filled. */
static size_t filled(int written, size_t room)
{
    if (written < 0)
        return 0;
    return (size_t)written < room ? (size_t)written : room - 1;
}

static size_t print_start(char *line, size_t room)
{
    struct timespec now = { 0, 0 };
    struct tm utc;
    char time[32];

    clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &utc) == NULL || strftime(time, sizeof(time), "%FT%T", &utc) == 0)
        strcpy(time, "?");
    return filled(snprintf(line, room, "%s.%06ldZ %ld ", time, now.tv_nsec / 1000, (long)getpid()),
                  room);
}

/* A file name can have anything in it, and one thing is one line. */
static void replace_controls(char *line, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        if ((unsigned char)line[n] < ' ' || line[n] == 0x7f)
            line[n] = '?';
    }
}

void trace_write(const struct trace *trace, const char *format, ...)
{
    char line[MAX_LINE_SIZE];
    const int error = errno;
    va_list arguments;
    size_t size;

    if (trace == NULL)
        return;
    size = print_start(line, sizeof(line) - 1);
    va_start(arguments, format);
    size += filled(vsnprintf(line + size, sizeof(line) - 1 - size, format, arguments),
                   sizeof(line) - 1 - size);
    va_end(arguments);
    replace_controls(line, size);
    line[size++] = '\n';
    /* in one piece; that it fails is no reason for anything else to fail */
    if (write(trace->fd, line, size) < 0)
        errno = error;
    errno = error;
}
