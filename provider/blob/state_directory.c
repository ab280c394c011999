/* The directories of the sealing keys "user" and "runtime": see state_directory.h. */
#define _GNU_SOURCE /* secure_getenv */
#include "blob/state_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include "blob/sealing_key.h"
#include "environment.h"

#define DIRECTORY_NAME "schannel"
#define KEY_FILE_NAME  "seal.key"
#define CLAIMS_NAME    "claims"

/* The XDG base directory specification: a relative path is to be ignored. */
static const char *xdg_directory(const char *name)
{
    const char *path = environment(name);

    return path != NULL && path[0] == '/' ? path : NULL;
}

static int print_path(char *path, size_t size, const char *directory, const char *rest)
{
    int length = snprintf(path, size, "%s%s", directory, rest);

    return length >= 0 && (size_t)length < size;
}

/* $HOME, else what the user database says. */
static int home_directory(char *home, size_t size)
{
    const char *variable = environment("HOME");
    struct passwd entry, *found = NULL;
    char buffer[4096];

    if (variable != NULL && variable[0] == '/')
        return print_path(home, size, variable, "");
    return getpwuid_r(geteuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found != NULL &&
           entry.pw_dir[0] == '/' && print_path(home, size, entry.pw_dir, "");
}

/* ---- where ---- */

static int user_base(const struct errors *errors, char *base, size_t size)
{
    const char *state = xdg_directory("XDG_STATE_HOME");
    char home[PATH_MAX];
    int ok;

    if (state != NULL)
        return print_path(base, size, state, "") ||
               RAISE(errors, SCHANNEL_R_NO_STATE_DIRECTORY,
                     "seal-key user: the path in XDG_STATE_HOME is too long");
    else if (geteuid() == 0)
        ok = print_path(base, size, "/var/lib", "");
    else
        ok = home_directory(home, sizeof(home)) && print_path(base, size, home, "/.local/state");
    return ok ||
           RAISE(errors, SCHANNEL_R_NO_STATE_DIRECTORY,
                 "seal-key user: no home directory is known, or its path is too long; set HOME or "
                 "XDG_STATE_HOME, or use seal-key file:PATH or fd:N");
}

/* A directory that is ours and closed to everybody else. */
static int is_private(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
           (status.st_mode & 07777) == 0700;
}

static int runtime_base(const struct errors *errors, char *base, size_t size)
{
    const char *runtime = xdg_directory("XDG_RUNTIME_DIR");
    char number[32];

    if (runtime != NULL) {
        if (is_private(runtime) && print_path(base, size, runtime, ""))
            return 1;
        return RAISE(errors, SCHANNEL_R_NO_STATE_DIRECTORY,
                     "seal-key runtime: XDG_RUNTIME_DIR=%s is not a directory of this user with "
                     "mode 0700",
                     runtime);
    }
    if (geteuid() == 0)
        return print_path(base, size, "/run", "");
    snprintf(number, sizeof(number), "%lu", (unsigned long)geteuid());
    if (print_path(base, size, "/run/user/", number) && is_private(base))
        return 1;
    return RAISE(errors, SCHANNEL_R_NO_STATE_DIRECTORY,
                 "seal-key runtime: there is no runtime directory: XDG_RUNTIME_DIR is not set and "
                 "/run/user/%s is not ours with mode 0700; set XDG_RUNTIME_DIR, or use seal-key "
                 "user, file:PATH or fd:N",
                 number);
}

/* ---- directories ---- */

/* mkdir -p with mode 0700; |path| is restored. */
static int make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        int made;

        if (slash != NULL)
            *slash = '\0';
        made = mkdir(path, 0700) == 0 || errno == EEXIST;
        if (slash != NULL)
            *slash = '/';
        if (slash == NULL || !made)
            return made;
    }
}

static int check_ours(const struct errors *errors, const char *path, const struct stat *status,
                      unsigned mode)
{
    if (status->st_uid != geteuid())
        return RAISE(errors, SCHANNEL_R_SEALING_KEY_EXPOSED,
                     "%s: belongs to user id %lu, not to this one", path,
                     (unsigned long)status->st_uid);
    if ((status->st_mode & 077) != 0)
        return RAISE(errors, SCHANNEL_R_SEALING_KEY_EXPOSED,
                     "%s: is open to others (mode %04o): chmod %04o it", path,
                     (unsigned)status->st_mode & 07777, mode);
    return 1;
}

static int stat_ours(const struct errors *errors, int fd, const char *path, unsigned mode)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return RAISE(errors, SCHANNEL_R_NO_STATE_DIRECTORY, "%s: %s", path, SYSTEM_TEXT(errno));
    return check_ours(errors, path, &status, mode);
}

/* An import in a place where nothing was ever sealed. */
static int no_key_yet(const struct errors *errors, const char *path)
{
    return RAISE(errors, SCHANNEL_R_SEALING_KEY_UNREADABLE,
                 "%s: there is no sealing key yet, so nothing can have been sealed under it: name "
                 "the right one with seal-key",
                 path);
}

/* The directory "schannel" below |base|, which |path| names.  -1 with a reason raised. */
static int open_directory(const struct errors *errors, char *base, const char *path, int may_create)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = open(path, flags), failure;

    if (fd < 0 && errno == ENOENT && may_create) {
        if (!make_parents(base) || (mkdir(path, 0700) != 0 && errno != EEXIST)) {
            failure = errno;
            RAISE(errors, SCHANNEL_R_NO_STATE_DIRECTORY, "%s: cannot be made: %s", path,
                  SYSTEM_TEXT(failure));
            return -1;
        }
        fd = open(path, flags);
    }
    if (fd < 0) {
        failure = errno;
        if (failure == ENOENT)
            no_key_yet(errors, path);
        else
            RAISE(errors, SCHANNEL_R_NO_STATE_DIRECTORY, "%s: cannot be opened: %s", path,
                  SYSTEM_TEXT(failure));
        return -1;
    }
    if (!stat_ours(errors, fd, path, 0700)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* ---- the key file ---- */

static int write_all(int fd, const uint8_t *data, size_t size)
{
    while (size != 0) {
        ssize_t written = write(fd, data, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return 0;
        data += written;
        size -= (size_t)written;
    }
    return 1;
}

/*
 * Makes the key file: a new one is written and synced under a temporary name and then linked, so
 * that it appears whole, and so that of two processes the first one wins.
 */
static int make_key_file(OSSL_LIB_CTX *libctx, const struct errors *errors, int directory,
                         const char *path)
{
    uint8_t secret[SEALING_KEY_SIZE], tag[8];
    char name[64];
    int fd = -1, failure = 0, ok;

    errors_mark(errors);
    ok = RAND_bytes_ex(libctx, tag, sizeof(tag), 0) == 1 &&
         RAND_priv_bytes_ex(libctx, secret, sizeof(secret), 0) == 1;
    errors_unmark(errors, 0);
    if (!ok)
        return errors_raise_no_random(errors, libctx, "a sealing key");
    snprintf(name, sizeof(name), ".%s.%02x%02x%02x%02x%02x%02x%02x%02x", KEY_FILE_NAME, tag[0],
             tag[1], tag[2], tag[3], tag[4], tag[5], tag[6], tag[7]);
    fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    ok = fd >= 0 && write_all(fd, secret, sizeof(secret)) && fsync(fd) == 0 &&
         (linkat(directory, name, directory, KEY_FILE_NAME, 0) == 0 || errno == EEXIST) &&
         fsync(directory) == 0;
    if (!ok)
        failure = errno;
    OPENSSL_cleanse(secret, sizeof(secret));
    if (fd >= 0) {
        close(fd);
        unlinkat(directory, name, 0);
    }
    return ok || RAISE(errors, SCHANNEL_R_SEALING_KEY_UNREADABLE, "%s: cannot be made: %s", path,
                       SYSTEM_TEXT(failure));
}

static int open_key_file(const struct errors *errors, int directory, const char *path)
{
    int fd =
        openat(directory, KEY_FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;
    int ok;

    if (fd < 0)
        return -1;
    if (fstat(fd, &status) != 0)
        ok = RAISE(errors, SCHANNEL_R_SEALING_KEY_UNREADABLE, "%s: %s", path, SYSTEM_TEXT(errno));
    else if (!S_ISREG(status.st_mode))
        ok = RAISE(errors, SCHANNEL_R_SEALING_KEY_INVALID, "%s: is not a regular file", path);
    else
        ok = check_ours(errors, path, &status, 0600);
    if (ok)
        return fd;
    close(fd);
    errno = 0; /* the reason is raised already */
    return -1;
}

int state_directory_open_key(OSSL_LIB_CTX *libctx, const struct errors *errors,
                             enum state_directory which, int may_create, char *path, size_t size)
{
    char base[PATH_MAX], directory_path[PATH_MAX];
    int directory, fd = -1;

    if (!(which == STATE_USER ? user_base(errors, base, sizeof(base))
                              : runtime_base(errors, base, sizeof(base))))
        return -1;
    if (!print_path(directory_path, sizeof(directory_path), base, "/" DIRECTORY_NAME) ||
        !print_path(path, size, directory_path, "/" KEY_FILE_NAME)) {
        RAISE(errors, SCHANNEL_R_NO_STATE_DIRECTORY, "%s: the path is too long", base);
        return -1;
    }
    directory = open_directory(errors, base, directory_path, may_create);
    if (directory < 0)
        return -1;
    fd = open_key_file(errors, directory, path);
    if (fd < 0 && errno == ENOENT) {
        if (!may_create) {
            no_key_yet(errors, path);
            errno = 0;
        } else if (make_key_file(libctx, errors, directory, path)) {
            fd = open_key_file(errors, directory, path);
        } else {
            errno = 0;
        }
    }
    if (fd < 0 && errno != 0)
        RAISE(errors, SCHANNEL_R_SEALING_KEY_UNREADABLE, "%s: cannot be opened: %s", path,
              SYSTEM_TEXT(errno));
    close(directory);
    return fd;
}

int state_directory_open_claims(const struct errors *errors, char *path, size_t size)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    char base[PATH_MAX], directory_path[PATH_MAX];
    int directory, claims, made;

    if (!runtime_base(errors, base, sizeof(base)))
        return -1;
    if (!print_path(directory_path, sizeof(directory_path), base, "/" DIRECTORY_NAME) ||
        !print_path(path, size, directory_path, "/" CLAIMS_NAME)) {
        RAISE(errors, SCHANNEL_R_NO_STATE_DIRECTORY, "%s: the path is too long", base);
        return -1;
    }
    directory = open_directory(errors, base, directory_path, 1);
    if (directory < 0)
        return -1;
    made = mkdirat(directory, CLAIMS_NAME, 0700) == 0 || errno == EEXIST;
    claims = made ? openat(directory, CLAIMS_NAME, flags) : -1;
    if (claims < 0)
        RAISE(errors, SCHANNEL_R_CLAIM_NOT_RECORDED, "claim-dir %s: cannot be opened: %s", path,
              SYSTEM_TEXT(errno));
    close(directory);
    if (claims >= 0 && !stat_ours(errors, claims, path, 0700)) {
        close(claims);
        claims = -1;
    }
    return claims;
}
