/*
 * Calls of the module into the C library: see file_calls.h.
 *
 * <fcntl.h> is left out: with _FORTIFY_SOURCE it has inline functions of these names.  The kernel is
 * called without the C library, so that there is nothing in between to recurse.
 */
#define _GNU_SOURCE /* syscall */
#include "file_calls.h"

#include <errno.h>
#include <linux/fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define VISIBLE __attribute__((visibility("default")))

static int counting;
static size_t count, last_step = FILE_CALLS_NEVER;
static struct file_call made[FILE_CALLS_MAX];
static char failing;
static int failure;

VISIBLE int open(const char *path, int flags, ...);
VISIBLE int open64(const char *path, int flags, ...);
VISIBLE int openat(int directory, const char *path, int flags, ...);
VISIBLE int openat64(int directory, const char *path, int flags, ...);
VISIBLE int __open_2(const char *path, int flags);
VISIBLE int __open64_2(const char *path, int flags);
VISIBLE int __openat_2(int directory, const char *path, int flags);
VISIBLE int __openat64_2(int directory, const char *path, int flags);

void file_calls_start(size_t step)
{
    count = 0;
    last_step = step;
    failing = 0;
    counting = 1;
}

void file_calls_fail(char name, int error)
{
    failing = name;
    failure = error;
}

size_t file_calls_stop(struct file_call *calls)
{
    counting = 0;
    for (size_t n = 0; calls != NULL && n < count; n++)
        calls[n] = made[n];
    return count;
}

static void die_at(size_t step)
{
    if (step == last_step)
        syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

/* Before a call: 1 when it is to fail. */
static int before(char name, int fd)
{
    if (!counting)
        return 0;
    if (count < FILE_CALLS_MAX) {
        made[count].name = name;
        made[count].fd = fd;
    }
    die_at(2 * count);
    if (name != failing)
        return 0;
    failing = 0;
    errno = failure;
    return 1;
}

static int after(int result, int is_fd)
{
    int saved = errno;

    if (counting) {
        if (is_fd && count < FILE_CALLS_MAX)
            made[count].fd = result;
        die_at(2 * count + 1);
        if (count < FILE_CALLS_MAX)
            count++;
    }
    errno = saved;
    return result;
}

static int open_file(int directory, const char *path, int flags, unsigned mode)
{
    if (before((flags & O_CREAT) != 0 ? 'c' : 'o', -1))
        return after(-1, 1);
    return after((int)syscall(SYS_openat, directory, path, flags, mode), 1);
}

/* The mode is there with O_CREAT and O_TMPFILE only. */
#define OPEN(directory, path, flags)                                                               \
    do {                                                                                           \
        va_list arguments;                                                                         \
        unsigned mode = 0;                                                                         \
                                                                                                   \
        va_start(arguments, flags);                                                                \
        if (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE)                            \
            mode = va_arg(arguments, unsigned);                                                    \
        va_end(arguments);                                                                         \
        return open_file(directory, path, flags, mode);                                            \
    } while (0)

int open(const char *path, int flags, ...)
{
    OPEN(AT_FDCWD, path, flags);
}

int open64(const char *path, int flags, ...)
{
    OPEN(AT_FDCWD, path, flags);
}

int openat(int directory, const char *path, int flags, ...)
{
    OPEN(directory, path, flags);
}

int openat64(int directory, const char *path, int flags, ...)
{
    OPEN(directory, path, flags);
}

int __open_2(const char *path, int flags)
{
    return open_file(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
    return open_file(AT_FDCWD, path, flags, 0);
}

int __openat_2(int directory, const char *path, int flags)
{
    return open_file(directory, path, flags, 0);
}

int __openat64_2(int directory, const char *path, int flags)
{
    return open_file(directory, path, flags, 0);
}

VISIBLE int fsync(int fd)
{
    return before('f', fd) ? after(-1, 0) : after((int)syscall(SYS_fsync, fd), 0);
}

VISIBLE int close(int fd)
{
    return before('x', fd) ? after(-1, 0) : after((int)syscall(SYS_close, fd), 0);
}

VISIBLE int unlinkat(int directory, const char *path, int flags)
{
    return before('u', directory) ? after(-1, 0)
                                  : after((int)syscall(SYS_unlinkat, directory, path, flags), 0);
}
