/* Sealing keys by source, and what is kept of them: see sealing_key.h.  Files and directories of
 * the sources user and runtime are blob/state_directory. */
/* As primitive/hkdf. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "blob/sealing_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include "blob/state_directory.h"
#include "fork_lock.h"
#include "primitive/low_level.h"

/* 64 hex digits with CR LF, and one byte more to notice what is too long. */
#define MAX_CONTENT_SIZE (2 * SEALING_KEY_SIZE + 2 + 1)
#define MAX_SHOWN_SIZE   30 /* less than a key */
#define MAX_DESCRIPTORS  16
#define MAX_KEPT         (MAX_DESCRIPTORS + 2) /* and user and runtime */

/* A key that was read once and is kept by the name of its source. */
struct kept_key {
    char source[16]; /* "user", "runtime" or "fd:N" */
    struct sealing_key key;
};

struct sealing_keyring {
    OSSL_LIB_CTX *libctx;
    const struct errors *errors;
    struct fork_lock fd_lock; /* one descriptor is read at a time; it may have to be waited for */
    struct fork_lock lock;    /* of what follows, never held while anything is read */
    size_t count, descriptors;
    struct kept_key kept[MAX_KEPT];
};

struct sealing_keyring *sealing_keyring_new(OSSL_LIB_CTX *libctx, struct fork_guard *guard,
                                            const struct errors *errors)
{
    struct sealing_keyring *keyring = OPENSSL_zalloc(sizeof(*keyring));

    if (keyring == NULL)
        return NULL;
    if (!fork_lock_init(&keyring->lock, guard) || !fork_lock_init(&keyring->fd_lock, guard)) {
        sealing_keyring_free(keyring);
        return NULL;
    }
    keyring->libctx = libctx;
    keyring->errors = errors;
    return keyring;
}

void sealing_keyring_free(struct sealing_keyring *keyring)
{
    if (keyring == NULL)
        return;
    fork_lock_destroy(&keyring->lock);
    fork_lock_destroy(&keyring->fd_lock);
    OPENSSL_clear_free(keyring, sizeof(*keyring));
}

/* ---- the contents of a key file ---- */

static int hex_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

static int parse_hex(const uint8_t *text, uint8_t secret[SEALING_KEY_SIZE])
{
    for (size_t n = 0; n < SEALING_KEY_SIZE; n++) {
        int high = hex_value(text[2 * n]), low = hex_value(text[2 * n + 1]);

        if (high < 0 || low < 0)
            return 0;
        secret[n] = (uint8_t)(high << 4 | low);
    }
    return 1;
}

/* 32 bytes, or 64 hex digits and at most one end of line. */
static int parse_content(const struct errors *errors, const char *source, const uint8_t *content,
                         size_t size, uint8_t secret[SEALING_KEY_SIZE])
{
    size_t digits = size;

    if (size == SEALING_KEY_SIZE) {
        memcpy(secret, content, SEALING_KEY_SIZE);
        return 1;
    }
    if (digits > 0 && content[digits - 1] == '\n')
        digits--;
    if (digits < size && digits > 0 && content[digits - 1] == '\r')
        digits--;
    if (digits == 2 * SEALING_KEY_SIZE) {
        if (parse_hex(content, secret))
            return 1;
        return RAISE(errors, SCHANNEL_R_SEALING_KEY_INVALID,
                     "%s: has 64 characters that are not all hex digits", source);
    }
    return RAISE(errors, SCHANNEL_R_SEALING_KEY_INVALID,
                 "%s: expected 32 bytes or 64 hex digits, got %s%zu bytes", source,
                 size == MAX_CONTENT_SIZE ? "at least " : "", size);
}

/*
 * Up to |size| bytes, over short reads.  -1 with errno.  The position of a file stays: another
 * library context may read the same descriptor.
 */
static ssize_t read_all(int fd, uint8_t *out, size_t size)
{
    off_t start = lseek(fd, 0, SEEK_CUR); /* -1: not a file */
    size_t filled = 0;

    while (filled < size) {
        ssize_t got = start >= 0 ? pread(fd, out + filled, size - filled, start + (off_t)filled)
                                 : read(fd, out + filled, size - filled);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        filled += (size_t)got;
    }
    return (ssize_t)filled;
}

static int read_key(const struct errors *errors, const char *source, int fd,
                    uint8_t secret[SEALING_KEY_SIZE])
{
    uint8_t content[MAX_CONTENT_SIZE];
    ssize_t size = read_all(fd, content, sizeof(content));
    int ok;

    if (size < 0)
        ok = RAISE(errors, SCHANNEL_R_SEALING_KEY_UNREADABLE, "%s: cannot be read: %s", source,
                   SYSTEM_TEXT(errno));
    else
        ok = parse_content(errors, source, content, (size_t)size, secret);
    OPENSSL_cleanse(content, sizeof(content));
    return ok;
}

/* ---- the sources ---- */

/* Who may use the key is decided by the file: others must neither read nor write it, and of the
 * group it is only read. */
static int check_file(const struct errors *errors, const char *source, const struct stat *status)
{
    unsigned mode = (unsigned)status->st_mode & 07777;

    if (!S_ISREG(status->st_mode))
        return RAISE(errors, SCHANNEL_R_SEALING_KEY_INVALID, "%s: is not a regular file", source);
    if ((mode & S_IROTH) != 0)
        return RAISE(errors, SCHANNEL_R_SEALING_KEY_EXPOSED,
                     "%s: can be read by everybody (mode %04o): chmod o-r it", source, mode);
    if ((mode & (S_IWGRP | S_IWOTH)) != 0)
        return RAISE(errors, SCHANNEL_R_SEALING_KEY_EXPOSED,
                     "%s: can be written by others than its owner (mode %04o): chmod go-w it",
                     source, mode);
    return 1;
}

static int read_file(const struct sealing_keyring *keyring, const char *source,
                     uint8_t secret[SEALING_KEY_SIZE])
{
    const char *path = source + strlen("file:");
    struct stat status;
    /* Not blocking: a FIFO would wait for a writer before it can be refused. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), ok;

    if (fd < 0 || fstat(fd, &status) != 0) {
        ok = RAISE(keyring->errors, SCHANNEL_R_SEALING_KEY_UNREADABLE, "%s: cannot be opened: %s%s",
                   source, SYSTEM_TEXT(errno),
                   errno == ENOENT ? " (openssl rand 32 makes the contents)" : "");
    } else {
        ok = check_file(keyring->errors, source, &status) &&
             read_key(keyring->errors, source, fd, secret);
    }
    if (fd >= 0)
        close(fd);
    return ok;
}

/* The number behind "fd:", or -1. */
static int parse_fd(const char *source)
{
    const char *text = source + strlen("fd:");
    char *end;
    long number;

    /* One spelling for each number, since keys are kept by the name of their source. */
    if (*text < '0' || *text > '9' || (*text == '0' && text[1] != '\0'))
        return -1;
    errno = 0;
    number = strtol(text, &end, 10);
    return errno != 0 || *end != '\0' || number > INT_MAX ? -1 : (int)number;
}

/* The descriptor is the application's: read to its end, never closed. */
static int read_fd(const struct sealing_keyring *keyring, const char *source,
                   uint8_t secret[SEALING_KEY_SIZE])
{
    return read_key(keyring->errors, source, parse_fd(source), secret);
}

static int read_state(const struct sealing_keyring *keyring, const char *source, int may_create,
                      uint8_t secret[SEALING_KEY_SIZE])
{
    enum state_directory which = strcmp(source, "user") == 0 ? STATE_USER : STATE_RUNTIME;
    char path[PATH_MAX];
    int fd = state_directory_open_key(keyring->libctx, keyring->errors, which, may_create, path,
                                      sizeof(path));
    int ok;

    if (fd < 0)
        return 0;
    ok = read_key(keyring->errors, path, fd, secret);
    close(fd);
    return ok;
}

int sealing_key_source_is_valid(const struct errors *errors, const char *source)
{
    if (strcmp(source, "user") == 0 || strcmp(source, "runtime") == 0)
        return 1;
    if (strncmp(source, "file:", 5) == 0 && source[5] != '\0')
        return 1;
    if (strncmp(source, "fd:", 3) == 0 && parse_fd(source) >= 0)
        return 1;
    /* A long one is not shown: somebody may have taken the parameter for the key itself. */
    if (strlen(source) > MAX_SHOWN_SIZE)
        return RAISE(
            errors, SCHANNEL_R_INVALID_PARAMETER,
            "seal-key: expected file:PATH, fd:N, user or runtime, got %zu other characters",
            strlen(source));
    return RAISE(errors, SCHANNEL_R_INVALID_PARAMETER,
                 "seal-key: expected file:PATH, fd:N, user or runtime, got \"%s\"", source);
}

/* ---- keeping ---- */

/* The lock is held, in either way. */
static const struct kept_key *find_kept(const struct sealing_keyring *keyring, const char *source)
{
    for (size_t n = 0; n < keyring->count; n++) {
        if (strcmp(keyring->kept[n].source, source) == 0)
            return &keyring->kept[n];
    }
    return NULL;
}

/* Cannot fail: a key that was read from a pipe would be lost. */
static void compute_id(struct sealing_key *key)
{
    static const char prefix[] = "schannel sealing key id";
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX sha256;

    SHA256_Init(&sha256);
    SHA256_Update(&sha256, prefix, sizeof(prefix) - 1);
    SHA256_Update(&sha256, key->secret, sizeof(key->secret));
    SHA256_Final(digest, &sha256);
    OPENSSL_cleanse(&sha256, sizeof(sha256));
    memcpy(key->id, digest, sizeof(key->id));
}

static int read_source(const struct sealing_keyring *keyring, const char *source, int may_create,
                       struct sealing_key *key)
{
    int ok;

    if (strncmp(source, "file:", 5) == 0)
        ok = read_file(keyring, source, key->secret);
    else if (strncmp(source, "fd:", 3) == 0)
        ok = read_fd(keyring, source, key->secret);
    else
        ok = read_state(keyring, source, may_create, key->secret);
    if (ok)
        compute_id(key);
    return ok;
}

/* 1 when the key of |source| is kept. */
static int get_kept(struct sealing_keyring *keyring, const char *source, struct sealing_key *key)
{
    const struct kept_key *kept;

    fork_lock_enter(&keyring->lock, FORK_LOCK_RENEW);
    if ((kept = find_kept(keyring, source)) != NULL)
        *key = kept->key;
    fork_lock_leave(&keyring->lock);
    return kept != NULL;
}

/* Keeps |key|, or replaces it by what another thread has kept in the meantime. */
static int keep(struct sealing_keyring *keyring, const char *source, struct sealing_key *key)
{
    const struct kept_key *kept;
    int is_fd = strncmp(source, "fd:", 3) == 0, ok = 1;

    fork_lock_enter(&keyring->lock, FORK_LOCK_RENEW);
    if ((kept = find_kept(keyring, source)) != NULL) {
        *key = kept->key;
    } else if (is_fd && keyring->descriptors == MAX_DESCRIPTORS) {
        ok = RAISE(keyring->errors, SCHANNEL_R_INVALID_PARAMETER,
                   "seal-key %s: at most %d different descriptors can be used in one process",
                   source, MAX_DESCRIPTORS);
    } else {
        struct kept_key *slot = &keyring->kept[keyring->count];

        OPENSSL_strlcpy(slot->source, source, sizeof(slot->source));
        slot->key = *key;
        keyring->count++;
        keyring->descriptors += (size_t)is_fd;
    }
    fork_lock_leave(&keyring->lock);
    return ok;
}

/* A descriptor that is not a file can be read only once: the others wait for the first one. */
static int read_descriptor(struct sealing_keyring *keyring, const char *source,
                           struct sealing_key *key)
{
    int ok;

    fork_lock_enter(&keyring->fd_lock, FORK_LOCK_RENEW);
    ok = get_kept(keyring, source, key) ||
         (read_source(keyring, source, 0, key) && keep(keyring, source, key));
    fork_lock_leave(&keyring->fd_lock);
    return ok;
}

int sealing_keyring_get(struct sealing_keyring *keyring, const char *source, int may_create,
                        struct sealing_key *key)
{
    int ok;

    memset(key, 0, sizeof(*key));
    if (!sealing_key_source_is_valid(keyring->errors, source))
        return 0;
    if (strncmp(source, "file:", 5) == 0)
        ok = read_source(keyring, source, may_create, key);
    else if (get_kept(keyring, source, key))
        ok = 1;
    else if (strncmp(source, "fd:", 3) == 0)
        ok = read_descriptor(keyring, source, key);
    else
        ok = read_source(keyring, source, may_create, key) && keep(keyring, source, key);
    if (!ok)
        OPENSSL_cleanse(key, sizeof(*key));
    return ok;
}
