/*
 * The calls that are wrapped: see points.h.  The linker has every call of them in this program's
 * objects, which the provider's are among, arrive here.
 *
 * <fcntl.h> is left out: with _FORTIFY_SOURCE it has inline functions of these names.
 */
#include "points.h"

#include <dirent.h>
#include <errno.h>
#include <linux/fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAILS(name) points_meet(POINT_FILE, name, 0)

static int fail(int error)
{
    errno = error;
    return -1;
}

static int count_opened(int fd)
{
    points_count_descriptors(fd >= 0);
    return fd;
}

/* ---- opening ---- */

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int directory, const char *path, int flags, ...);
int __wrap_openat(int directory, const char *path, int flags, ...);
int __wrap___open_2(const char *path, int flags);
int __wrap___openat_2(int directory, const char *path, int flags);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
DIR *__real_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_closedir(DIR *stream);
int __wrap_closedir(DIR *stream);

static unsigned mode_of(int flags, va_list arguments)
{
    return (flags & O_CREAT) != 0 ? va_arg(arguments, unsigned) : 0;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    unsigned mode;

    va_start(arguments, flags);
    mode = mode_of(flags, arguments);
    va_end(arguments);
    return FAILS("open") ? fail(EIO) : count_opened(__real_open(path, flags, mode));
}

int __wrap_openat(int directory, const char *path, int flags, ...)
{
    va_list arguments;
    unsigned mode;

    va_start(arguments, flags);
    mode = mode_of(flags, arguments);
    va_end(arguments);
    return FAILS("openat") ? fail(EIO) : count_opened(__real_openat(directory, path, flags, mode));
}

int __wrap___open_2(const char *path, int flags)
{
    return FAILS("open") ? fail(EIO) : count_opened(__real_open(path, flags));
}

int __wrap___openat_2(int directory, const char *path, int flags)
{
    return FAILS("openat") ? fail(EIO) : count_opened(__real_openat(directory, path, flags));
}

DIR *__wrap_opendir(const char *path)
{
    DIR *stream = NULL;

    if (FAILS("opendir"))
        errno = EIO;
    else
        stream = __real_opendir(path);
    points_count_descriptors(stream != NULL);
    return stream;
}

/* The descriptor goes over to the stream. */
DIR *__wrap_fdopendir(int fd)
{
    if (!FAILS("fdopendir"))
        return __real_fdopendir(fd);
    errno = EIO;
    return NULL;
}

/* A descriptor is gone even when closing it fails. */
int __wrap_close(int fd)
{
    const int result = __real_close(fd);

    points_count_descriptors(result == 0 ? -1 : 0);
    return FAILS("close") ? fail(EIO) : result;
}

int __wrap_closedir(DIR *stream)
{
    const int result = __real_closedir(stream);

    points_count_descriptors(-1);
    return FAILS("closedir") ? fail(EIO) : result;
}

/* ---- reading and writing ---- */

ssize_t __real_read(int fd, void *out, size_t size);
ssize_t __wrap_read(int fd, void *out, size_t size);
ssize_t __wrap___read_chk(int fd, void *out, size_t size, size_t room);
ssize_t __real_pread(int fd, void *out, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *out, size_t size, off_t offset);
ssize_t __wrap___pread_chk(int fd, void *out, size_t size, off_t offset, size_t room);
ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
off_t __real_lseek(int fd, off_t offset, int whence);
off_t __wrap_lseek(int fd, off_t offset, int whence);
struct dirent *__real_readdir(DIR *stream);
struct dirent *__wrap_readdir(DIR *stream);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

/* 0 when a call that moves *size bytes goes ahead, perhaps with fewer. */
static int disturb(const char *name, size_t *size, int error)
{
    if (FAILS(name))
        return fail(error);
    if (points_meet(POINT_INTERRUPTED, name, 0))
        return fail(EINTR);
    if (*size > 1 && points_meet(POINT_SHORT, name, 0))
        *size = 1;
    return 0;
}

ssize_t __wrap_read(int fd, void *out, size_t size)
{
    return disturb("read", &size, EIO) != 0 ? -1 : __real_read(fd, out, size);
}

ssize_t __wrap___read_chk(int fd, void *out, size_t size, size_t room)
{
    (void)room;
    return __wrap_read(fd, out, size);
}

ssize_t __wrap_pread(int fd, void *out, size_t size, off_t offset)
{
    return disturb("pread", &size, EIO) != 0 ? -1 : __real_pread(fd, out, size, offset);
}

ssize_t __wrap___pread_chk(int fd, void *out, size_t size, off_t offset, size_t room)
{
    (void)room;
    return __wrap_pread(fd, out, size, offset);
}

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
    return disturb("write", &size, ENOSPC) != 0 ? -1 : __real_write(fd, data, size);
}

off_t __wrap_lseek(int fd, off_t offset, int whence)
{
    return FAILS("lseek") ? fail(EIO) : __real_lseek(fd, offset, whence);
}

struct dirent *__wrap_readdir(DIR *stream)
{
    if (!FAILS("readdir"))
        return __real_readdir(stream);
    errno = EIO;
    return NULL;
}

int __wrap_fsync(int fd)
{
    return FAILS("fsync") ? fail(EIO) : __real_fsync(fd);
}

/* ---- names ---- */

int __real_stat(const char *path, struct stat *status);
int __wrap_stat(const char *path, struct stat *status);
int __real_fstat(int fd, struct stat *status);
int __wrap_fstat(int fd, struct stat *status);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __real_mkdirat(int directory, const char *path, mode_t mode);
int __wrap_mkdirat(int directory, const char *path, mode_t mode);
int __real_linkat(int from, const char *old, int to, const char *new, int flags);
int __wrap_linkat(int from, const char *old, int to, const char *new, int flags);
int __real_unlinkat(int directory, const char *path, int flags);
int __wrap_unlinkat(int directory, const char *path, int flags);

int __wrap_stat(const char *path, struct stat *status)
{
    return FAILS("stat") ? fail(EIO) : __real_stat(path, status);
}

int __wrap_fstat(int fd, struct stat *status)
{
    return FAILS("fstat") ? fail(EIO) : __real_fstat(fd, status);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    return FAILS("mkdir") ? fail(EACCES) : __real_mkdir(path, mode);
}

int __wrap_mkdirat(int directory, const char *path, mode_t mode)
{
    return FAILS("mkdirat") ? fail(EACCES) : __real_mkdirat(directory, path, mode);
}

int __wrap_linkat(int from, const char *old, int to, const char *new, int flags)
{
    return FAILS("linkat") ? fail(EIO) : __real_linkat(from, old, to, new, flags);
}

int __wrap_unlinkat(int directory, const char *path, int flags)
{
    return FAILS("unlinkat") ? fail(EIO) : __real_unlinkat(directory, path, flags);
}
