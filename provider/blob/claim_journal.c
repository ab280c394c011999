/* The claim journal: see claim_journal.h. */
#define _XOPEN_SOURCE 700 /* S_ISVTX */
#include "blob/claim_journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include "blob/state_directory.h"
#include "fork_lock.h"

#define NAME_LENGTH (16 + 1 + 16 + 1 + 8 + 1 + 32)

struct claim_journal {
    const struct errors *errors;
    struct fork_lock lock;
    uint64_t cleaned; /* wall clock of the last cleaning */
    size_t count;     /* claims that were there then, and those made since */
    dev_t device;     /* of the directory that was cleaned */
    ino_t inode;
};

struct claim_journal *claim_journal_new(struct fork_guard *guard, const struct errors *errors)
{
    struct claim_journal *journal = OPENSSL_zalloc(sizeof(*journal));

    if (journal == NULL || !fork_lock_init(&journal->lock, guard)) {
        OPENSSL_free(journal);
        return NULL;
    }
    journal->errors = errors;
    return journal;
}

void claim_journal_free(struct claim_journal *journal)
{
    if (journal == NULL)
        return;
    fork_lock_destroy(&journal->lock);
    OPENSSL_free(journal);
}

/* ---- names ---- */

static uint64_t big_endian(const uint8_t bytes[8])
{
    uint64_t value = 0;

    for (size_t n = 0; n < 8; n++)
        value = value << 8 | bytes[n];
    return value;
}

/* The same for every opener, or two could succeed: nothing of the one that opens goes in. */
static void print_name(char name[NAME_LENGTH + 1], const uint8_t token[SEAL_CLAIM_SIZE],
                       const struct moment *deadline)
{
    snprintf(name, NAME_LENGTH + 1,
             "%016" PRIx64 "-%016" PRIx64 "-%08" PRIx32 "-%016" PRIx64 "%016" PRIx64,
             deadline->wall, big_endian(deadline->boot_id), deadline->boot, big_endian(token),
             big_endian(token + 8));
}

/* |digits| lower-case hex digits at |text|; 0 when they are not. */
static int parse_hex(const char *text, size_t digits, uint64_t *value)
{
    *value = 0;
    for (size_t n = 0; n < digits; n++) {
        char digit = text[n];
        unsigned nibble;

        if (digit >= '0' && digit <= '9')
            nibble = (unsigned)(digit - '0');
        else if (digit >= 'a' && digit <= 'f')
            nibble = (unsigned)(digit - 'a') + 10;
        else
            return 0;
        *value = *value << 4 | nibble;
    }
    return 1;
}

/* The deadline in the name of a claim; 0 for any other file. */
static int parse_name(const char *name, struct moment *deadline)
{
    uint64_t boot_id, boot, token;

    if (strlen(name) != NAME_LENGTH || name[16] != '-' || name[33] != '-' || name[42] != '-' ||
        !parse_hex(name, 16, &deadline->wall) || !parse_hex(name + 17, 16, &boot_id) ||
        !parse_hex(name + 34, 8, &boot) || !parse_hex(name + 43, 16, &token) ||
        !parse_hex(name + 59, 16, &token))
        return 0;
    for (size_t n = MOMENT_BOOT_ID_SIZE; n > 0; n--, boot_id >>= 8)
        deadline->boot_id[n - 1] = (uint8_t)boot_id;
    deadline->boot = (uint32_t)boot;
    return 1;
}

/* ---- cleaning ---- */

/*
 * Removes what may be forgotten and counts the rest.  1, or 0 with errno.  Another process may do
 * the same at the same time.
 */
static int clean(int directory, const struct moment *now, size_t *count)
{
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), failure;
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;
    struct moment deadline;

    *count = 0;
    if (stream == NULL) {
        failure = errno;
        if (copy >= 0)
            close(copy);
        errno = failure;
        return 0;
    }
    while ((entry = readdir(stream)) != NULL) {
        if (!parse_name(entry->d_name, &deadline))
            continue;
        deadline = moment_add(&deadline, CLAIM_MARGIN);
        if (!moment_is_long_past(&deadline, now) || unlinkat(directory, entry->d_name, 0) != 0)
            ++*count;
    }
    closedir(stream);
    return 1;
}

/* Cleans unless this was done within the second; then asks whether there is room for one more.
 * The lock is held. */
static int make_room(struct claim_journal *journal, int directory, const char *path,
                     const struct stat *status, const struct moment *now)
{
    if (journal->cleaned != now->wall || journal->device != status->st_dev ||
        journal->inode != status->st_ino) {
        if (!clean(directory, now, &journal->count))
            return RAISE(journal->errors, SCHANNEL_R_CLAIM_NOT_RECORDED,
                         "claim-dir %s: cannot be read: %s", path, SYSTEM_TEXT(errno));
        journal->cleaned = now->wall;
        journal->device = status->st_dev;
        journal->inode = status->st_ino;
    }
    if (journal->count >= CLAIM_MAX_COUNT)
        return RAISE(
            journal->errors, SCHANNEL_R_CLAIM_NOT_RECORDED,
            "claim-dir %s: holds %d claims that cannot be forgotten yet, which is the most", path,
            CLAIM_MAX_COUNT);
    journal->count++;
    return 1;
}

/* ---- recording ---- */

/* Whoever may remove files here could have a transfer opened twice. */
static int check_directory(const struct claim_journal *journal, int directory, const char *path,
                           struct stat *status)
{
    if (fstat(directory, status) != 0)
        return RAISE(journal->errors, SCHANNEL_R_CLAIM_NOT_RECORDED, "claim-dir %s: %s", path,
                     SYSTEM_TEXT(errno));
    if ((status->st_mode & S_IWOTH) != 0 && (status->st_mode & S_ISVTX) == 0)
        return RAISE(journal->errors, SCHANNEL_R_CLAIM_NOT_RECORDED,
                     "claim-dir %s: can be written by everybody (mode %04o): chmod o-w it", path,
                     (unsigned)status->st_mode & 07777);
    return 1;
}

/* A descriptor of |given| or of the default, whose name goes to |path|; -1 with a reason raised. */
static int open_directory(const struct claim_journal *journal, const char *given,
                          char path[PATH_MAX])
{
    int directory;

    if (given == NULL)
        return state_directory_open_claims(journal->errors, path, PATH_MAX);
    snprintf(path, PATH_MAX, "%s", given);
    if (given[0] != '/') {
        RAISE(journal->errors, SCHANNEL_R_CLAIM_NOT_RECORDED,
              "claim-dir %s: is not an absolute path", given);
        return -1;
    }
    directory = open(given, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        RAISE(journal->errors, SCHANNEL_R_CLAIM_NOT_RECORDED, "claim-dir %s: cannot be opened: %s",
              given, SYSTEM_TEXT(errno));
    return directory;
}

/* The claim itself: a file that was not there, and is on disk before this returns. */
static int make_claim(const struct claim_journal *journal, int directory, const char *path,
                      const char *name)
{
    int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int failure = fd < 0 ? errno : 0;

    if (fd >= 0 && (fsync(fd) != 0 || fsync(directory) != 0))
        failure = errno;
    if (fd >= 0)
        close(fd);
    if (failure == 0)
        return 1;
    if (failure == EEXIST)
        return RAISE(journal->errors, SCHANNEL_R_BLOB_ALREADY_OPENED,
                     "opaque blob: is a transfer, which opens once, and it was opened before "
                     "(claim-dir %s): export the key anew",
                     path);
    return RAISE(journal->errors, SCHANNEL_R_CLAIM_NOT_RECORDED,
                 "claim-dir %s: the claim cannot be written: %s", path, SYSTEM_TEXT(failure));
}

int claim_journal_record(struct claim_journal *journal, const char *directory,
                         const uint8_t token[SEAL_CLAIM_SIZE], const struct moment *deadline,
                         const struct moment *now)
{
    char name[NAME_LENGTH + 1], path[PATH_MAX];
    struct stat status;
    int fd = open_directory(journal, directory, path), ok;

    if (fd < 0)
        return 0;
    print_name(name, token, deadline);
    ok = check_directory(journal, fd, path, &status);
    if (ok) {
        fork_lock_enter(&journal->lock, FORK_LOCK_RENEW);
        ok = make_room(journal, fd, path, &status, now);
        fork_lock_leave(&journal->lock);
    }
    ok = ok && make_claim(journal, fd, path, name);
    close(fd);
    return ok;
}
