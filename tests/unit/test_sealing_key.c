/*
 * blob/sealing_key and blob/state_directory: what each source accepts, what it refuses, and that a
 * key once made is one key for everybody.  All files are made in a new directory that the test
 * removes; it may run as root or as an ordinary user.
 */
#define _XOPEN_SOURCE 700 /* nftw */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>

#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include "blob/sealing_key.h"
#include "recorded_errors.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A user id that is not this one and owns nothing here; used only when this one is root. */
#define ANOTHER_USER 64913
/* Ends a test that hangs; no test waits for it. */
#define HANGING_SECONDS 60

static const char hex_text[] = "000102030405060708090A0B0C0D0E0Ff0e1d2c3b4a5968778695a4b3c2d1e0f";
static const uint8_t hex_secret[SEALING_KEY_SIZE] = {
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
    0xf0, 0xe1, 0xd2, 0xc3, 0xb4, 0xa5, 0x96, 0x87, 0x78, 0x69, 0x5a, 0x4b, 0x3c, 0x2d, 0x1e, 0x0f,
};

struct world {
    struct recorded_errors *recorded;
    struct sealing_keyring *keyring;
    char directory[512]; /* new, ours, 0700 */
    char *old_state, *old_runtime;
    size_t open_descriptors;
};

/* ---- the world of a test ---- */

static char *save_variable(const char *name)
{
    const char *value = getenv(name);
    char *copy = value != NULL ? strdup(value) : NULL;

    assert_true(value == NULL || copy != NULL);
    return copy;
}

static void restore_variable(const char *name, char *value)
{
    if (value != NULL)
        setenv(name, value, 1);
    else
        unsetenv(name);
    free(value);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static void remove_tree(const char *path)
{
    assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static size_t count_descriptors(void)
{
    size_t count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* Whatever libcrypto keeps open for its random numbers is open then. */
static void wake_random_numbers(void)
{
    uint8_t bytes[1];

    assert_int_equal(RAND_bytes(bytes, sizeof(bytes)), 1);
    assert_int_equal(RAND_priv_bytes(bytes, sizeof(bytes)), 1);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    const char *temporary = getenv("TMPDIR");

    assert_non_null(world);
    *state = world;
    world->old_state = save_variable("XDG_STATE_HOME");
    world->old_runtime = save_variable("XDG_RUNTIME_DIR");
    snprintf(world->directory, sizeof(world->directory), "%s/schannel-test-XXXXXX",
             temporary != NULL && temporary[0] == '/' ? temporary : "/tmp");
    assert_non_null(mkdtemp(world->directory));
    setenv("XDG_STATE_HOME", world->directory, 1);
    setenv("XDG_RUNTIME_DIR", world->directory, 1);
    world->recorded = recorded_errors_new();
    world->keyring = sealing_keyring_new(NULL, NULL, recorded_errors_target(world->recorded));
    assert_non_null(world->keyring);
    wake_random_numbers();
    world->open_descriptors = count_descriptors();
    alarm(HANGING_SECONDS);
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    size_t left_open = count_descriptors() - world->open_descriptors;

    alarm(0);
    sealing_keyring_free(world->keyring);
    recorded_errors_free(world->recorded);
    remove_tree(world->directory);
    restore_variable("XDG_STATE_HOME", world->old_state);
    restore_variable("XDG_RUNTIME_DIR", world->old_runtime);
    free(world);
    if (left_open != 0)
        print_error("%zu descriptors more are open than before the test\n", left_open);
    return left_open == 0 ? 0 : -1;
}

/* A name in the test's directory; the caller has |room| for it. */
static void name_path(const struct world *world, const char *name, char *path, size_t room)
{
    int length = snprintf(path, room, "%s/%s", world->directory, name);

    assert_in_range(length, 1, room - 1);
}

static void write_file(const char *path, const void *content, size_t size, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, size), size);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static void make_directory(const char *path, mode_t mode)
{
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static unsigned mode_of(const char *path)
{
    struct stat status;

    assert_int_equal(lstat(path, &status), 0);
    return (unsigned)status.st_mode & 07777;
}

static int exists(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

/* How many names a directory has. */
static size_t count_entries(const char *path)
{
    DIR *directory = opendir(path);
    size_t count = 0;

    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            count++;
    }
    closedir(directory);
    return count;
}

static struct sealing_keyring *new_keyring(const struct world *world)
{
    struct sealing_keyring *keyring =
        sealing_keyring_new(NULL, NULL, recorded_errors_target(world->recorded));

    assert_non_null(keyring);
    return keyring;
}

/* ---- accepting and refusing ---- */

static void expected_id(const uint8_t *secret, uint8_t id[SEALING_KEY_ID_SIZE])
{
    uint8_t message[sizeof("schannel sealing key id") - 1 + SEALING_KEY_SIZE];
    uint8_t digest[EVP_MAX_MD_SIZE];
    const size_t prefix = sizeof(message) - SEALING_KEY_SIZE;

    memcpy(message, "schannel sealing key id", prefix);
    memcpy(message + prefix, secret, SEALING_KEY_SIZE);
    assert_int_equal(EVP_Digest(message, sizeof(message), digest, NULL, EVP_sha256(), NULL), 1);
    memcpy(id, digest, SEALING_KEY_ID_SIZE);
}

static void accept_from(struct world *world, struct sealing_keyring *keyring, const char *source,
                        int may_create, struct sealing_key *key)
{
    uint8_t id[SEALING_KEY_ID_SIZE];
    int ok;

    memset(key, 0xa5, sizeof(*key));
    ok = sealing_keyring_get(keyring, source, may_create, key);
    expect_no_error(world->recorded);
    assert_int_equal(ok, 1);
    expected_id(key->secret, id);
    assert_memory_equal(key->id, id, sizeof(id));
}

static void accept(struct world *world, const char *source, const uint8_t *secret)
{
    struct sealing_key key;

    accept_from(world, world->keyring, source, 0, &key);
    assert_memory_equal(key.secret, secret, SEALING_KEY_SIZE);
}

static void refuse_from(struct world *world, struct sealing_keyring *keyring, const char *source,
                        int may_create, enum schannel_reason reason, const char *part)
{
    static const struct sealing_key zero;
    struct sealing_key key;

    memset(&key, 0xa5, sizeof(key));
    assert_int_equal(sealing_keyring_get(keyring, source, may_create, &key), 0);
    expect_one_error(world->recorded, reason, part);
    assert_memory_equal(&key, &zero, sizeof(key));
}

/* A refusal whose sentence names the source; neither an export nor an import gets the key. */
static void refuse(struct world *world, const char *source, enum schannel_reason reason)
{
    refuse_from(world, world->keyring, source, 0, reason, source);
    refuse_from(world, world->keyring, source, 1, reason, source);
}

/* ---- file: ---- */

/* The source file:PATH of a new file. */
static void file_source(const struct world *world, const void *content, size_t size, mode_t mode,
                        char *source, size_t room)
{
    char path[PATH_MAX];

    name_path(world, "key", path, sizeof(path));
    if (exists(path))
        assert_int_equal(unlink(path), 0);
    write_file(path, content, size, mode);
    assert_in_range(snprintf(source, room, "file:%s", path), 1, room - 1);
}

static void a_file_of_32_bytes_is_a_key(void **state)
{
    struct world *world = *state;
    uint8_t secret[SEALING_KEY_SIZE];
    char source[PATH_MAX + 8];

    /* Whatever the bytes are: an end of line at the end, a NUL within, digits throughout. */
    memcpy(secret, hex_secret, sizeof(secret));
    file_source(world, secret, sizeof(secret), 0600, source, sizeof(source));
    accept(world, source, secret);
    memcpy(secret + 30, "\r\n", 2);
    file_source(world, secret, sizeof(secret), 0600, source, sizeof(source));
    accept(world, source, secret);
    memset(secret, '7', sizeof(secret));
    file_source(world, secret, sizeof(secret), 0600, source, sizeof(source));
    accept(world, source, secret);
    memset(secret, 0, sizeof(secret));
    file_source(world, secret, sizeof(secret), 0600, source, sizeof(source));
    accept(world, source, secret);
}

static void a_file_of_64_hex_digits_is_a_key(void **state)
{
    static const char *const ends[] = { "", "\n", "\r\n" };
    struct world *world = *state;
    char source[PATH_MAX + 8], content[80];

    for (size_t n = 0; n < COUNT(ends); n++) {
        for (int writing = 0; writing < 3; writing++) {
            snprintf(content, sizeof(content), "%s", hex_text);
            for (size_t digit = 0; digit < 64; digit++) {
                if (writing == 1 && content[digit] >= 'a')
                    content[digit] = (char)(content[digit] - 'a' + 'A');
                else if (writing == 2 && content[digit] >= 'A' && content[digit] <= 'F')
                    content[digit] = (char)(content[digit] - 'A' + 'a');
            }
            strcat(content, ends[n]);
            file_source(world, content, strlen(content), 0600, source, sizeof(source));
            accept(world, source, hex_secret);
        }
    }
}

static void the_id_is_the_known_one(void **state)
{
    /* Computed with sha256sum over the prefix and the bytes of hex_text. */
    static const uint8_t known[SEALING_KEY_ID_SIZE] = { 0xad, 0x90, 0x21, 0xe1,
                                                        0x8f, 0x5a, 0x84, 0x1d };
    struct world *world = *state;
    struct sealing_key key;
    char source[PATH_MAX + 8];

    file_source(world, hex_secret, sizeof(hex_secret), 0600, source, sizeof(source));
    accept_from(world, world->keyring, source, 0, &key);
    assert_memory_equal(key.id, known, sizeof(known));
}

static void a_file_of_any_other_size_is_refused(void **state)
{
    struct world *world = *state;
    char source[PATH_MAX + 8], content[300], sentence[64];

    for (size_t n = 0; n < sizeof(content); n++)
        content[n] = "0123456789abcdef"[n % 16];
    for (size_t size = 0; size <= sizeof(content); size += size < 70 ? 1 : 23) {
        if (size == 32 || size == 64)
            continue;
        file_source(world, content, size, 0600, source, sizeof(source));
        refuse(world, source, SCHANNEL_R_SEALING_KEY_INVALID);
        snprintf(sentence, sizeof(sentence), "got %s%zu bytes", size < 67 ? "" : "at least ",
                 size < 67 ? size : 67);
        refuse_from(world, world->keyring, source, 0, SCHANNEL_R_SEALING_KEY_INVALID, sentence);
    }
}

static void digits_with_anything_but_one_end_of_line_are_refused(void **state)
{
    static const struct {
        const char *before;
        int digits;
        const char *after;
    } contents[] = { { "", 64, "\r" },       { "", 64, "\n\n" }, { "", 64, "\n\r" },
                     { "", 64, "\r\r\n" },   { "", 64, " " },    { "", 64, " \n" },
                     { "", 64, "\r\n\r\n" }, { " ", 64, "" },    { "\n", 64, "" },
                     { "", 63, "\n" },       { "", 62, "\r\n" }, { "", 63, "\r\n" },
                     { "0x", 64, "" },       { "", 65, "\n" },   { "", 65, "\r\n" },
                     { "", 66, "\r\n" },     { "", 32, "\n" },   { "", 0, "\n" },
                     { "", 0, "\r\n" },      { "", 62, "\n\n" }, { "0x", 62, "\n" } };
    struct world *world = *state;
    char source[PATH_MAX + 8], content[128], digits[67];

    memset(digits, '5', sizeof(digits));
    for (size_t n = 0; n < COUNT(contents); n++) {
        int size = snprintf(content, sizeof(content), "%s%.*s%s", contents[n].before,
                            contents[n].digits, digits, contents[n].after);

        file_source(world, content, (size_t)size, 0600, source, sizeof(source));
        refuse(world, source, SCHANNEL_R_SEALING_KEY_INVALID);
    }
}

static void digits_that_are_not_hexadecimal_are_refused(void **state)
{
    static const char wrong[] = { 'g', 'G', '/', ':', '@', '`', ' ', '-', 'x', '\0', '\n', '\xb0' };
    struct world *world = *state;
    char source[PATH_MAX + 8], content[64];

    for (size_t n = 0; n < sizeof(wrong); n++) {
        for (size_t place = 0; place < 64; place += 9) {
            memcpy(content, hex_text, 64);
            content[place] = wrong[n];
            file_source(world, content, 64, 0600, source, sizeof(source));
            refuse(world, source, SCHANNEL_R_SEALING_KEY_INVALID);
        }
        /* In the last place an end of line only makes it too short. */
        content[63] = wrong[n];
        file_source(world, content, 64, 0600, source, sizeof(source));
        refuse(world, source, SCHANNEL_R_SEALING_KEY_INVALID);
    }
}

/* The sentence goes into logs. */
static void no_sentence_holds_the_contents(void **state)
{
    struct world *world = *state;
    char source[PATH_MAX + 8], content[66];
    struct sealing_key key;

    memset(content, 'z', sizeof(content));
    for (size_t size = 63; size <= 66; size++) {
        file_source(world, content, size, 0600, source, sizeof(source));
        assert_int_equal(sealing_keyring_get(world->keyring, source, 0, &key), 0);
        assert_null(strstr(recorded_errors_get(world->recorded, 0)->sentence, "zzzzzzzz"));
        recorded_errors_forget(world->recorded);
    }
}

static void files_closed_to_others_are_accepted(void **state)
{
    static const mode_t modes[] = { 0600, 0640, 0440, 0400, 0700, 0750, 0611 };
    struct world *world = *state;
    char source[PATH_MAX + 8];

    for (size_t n = 0; n < COUNT(modes); n++) {
        file_source(world, hex_secret, sizeof(hex_secret), modes[n], source, sizeof(source));
        accept(world, source, hex_secret);
    }
}

static void files_open_to_others_are_refused(void **state)
{
    static const mode_t modes[] = { 0604, 0644, 0444, 0620, 0660, 0602, 0606, 0622, 0666, 0777 };
    struct world *world = *state;
    char source[PATH_MAX + 8], mode[32];

    for (size_t n = 0; n < COUNT(modes); n++) {
        file_source(world, hex_secret, sizeof(hex_secret), modes[n], source, sizeof(source));
        refuse(world, source, SCHANNEL_R_SEALING_KEY_EXPOSED);
        snprintf(mode, sizeof(mode), "(mode %04o)", (unsigned)modes[n]);
        refuse_from(world, world->keyring, source, 0, SCHANNEL_R_SEALING_KEY_EXPOSED, mode);
    }
}

static void a_missing_file_is_refused_and_not_made(void **state)
{
    struct world *world = *state;
    char source[PATH_MAX + 8];

    snprintf(source, sizeof(source), "file:%s/nothing", world->directory);
    refuse(world, source, SCHANNEL_R_SEALING_KEY_UNREADABLE);
    snprintf(source, sizeof(source), "file:%s/nothing/there", world->directory);
    refuse(world, source, SCHANNEL_R_SEALING_KEY_UNREADABLE);
    assert_int_equal(count_entries(world->directory), 0);
}

static void a_directory_is_refused(void **state)
{
    struct world *world = *state;
    char source[PATH_MAX + 8];

    snprintf(source, sizeof(source), "file:%s", world->directory);
    refuse(world, source, SCHANNEL_R_SEALING_KEY_INVALID);
}

/* Nobody will ever write into it: a blocking open would wait until the alarm. */
static void a_fifo_is_refused_at_once(void **state)
{
    struct world *world = *state;
    char path[PATH_MAX], source[PATH_MAX + 8];

    name_path(world, "fifo", path, sizeof(path));
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(source, sizeof(source), "file:%s", path);
    refuse(world, source, SCHANNEL_R_SEALING_KEY_INVALID);
}

static void a_file_is_read_every_time(void **state)
{
    struct world *world = *state;
    uint8_t other[SEALING_KEY_SIZE];
    char source[PATH_MAX + 8];

    memset(other, 0x3c, sizeof(other));
    file_source(world, hex_secret, sizeof(hex_secret), 0600, source, sizeof(source));
    accept(world, source, hex_secret);
    file_source(world, other, sizeof(other), 0600, source, sizeof(source));
    accept(world, source, other);
    assert_int_equal(unlink(source + strlen("file:")), 0);
    refuse(world, source, SCHANNEL_R_SEALING_KEY_UNREADABLE);
    file_source(world, hex_text, 64, 0600, source, sizeof(source));
    accept(world, source, hex_secret);
}

/* ---- fd: ---- */

static void fd_source(int fd, char source[32])
{
    snprintf(source, 32, "fd:%d", fd);
}

/* The end of a pipe that holds |content| and no more. */
static int full_pipe(const void *content, size_t size)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], content, size), size);
    assert_int_equal(close(ends[1]), 0);
    return ends[0];
}

static int is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void a_pipe_is_read_once_and_stays_open(void **state)
{
    struct world *world = *state;
    struct sealing_keyring *second;
    char source[32];
    int fd = full_pipe(hex_secret, sizeof(hex_secret));

    fd_source(fd, source);
    for (int times = 0; times < 3; times++) {
        accept(world, source, hex_secret);
        assert_int_equal(is_open(fd), 1);
    }
    /* All of it is gone from the pipe. */
    second = new_keyring(world);
    refuse_from(world, second, source, 0, SCHANNEL_R_SEALING_KEY_INVALID, source);
    sealing_keyring_free(second);
    assert_int_equal(is_open(fd), 1);
    assert_int_equal(close(fd), 0);
    /* Kept by its name, so it does not matter what became of the descriptor. */
    accept(world, source, hex_secret);
}

static void a_descriptor_of_a_file_is_read_from_where_it_stands_and_stays_there(void **state)
{
    struct world *world = *state;
    char path[PATH_MAX], source[32], content[80];
    int fd, length = snprintf(content, sizeof(content), "before %s\r\n", hex_text);

    name_path(world, "inherited", path, sizeof(path));
    /* Its mode is the business of who opened it. */
    write_file(path, content, (size_t)length, 0644);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, 7, SEEK_SET), 7);
    fd_source(fd, source);
    accept(world, source, hex_secret);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 7);
    write_file(path, "", 0, 0600);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    accept(world, source, hex_secret);
    assert_int_equal(is_open(fd), 1);
    assert_int_equal(close(fd), 0);
}

static void *write_slowly(void *argument)
{
    const int fd = *(const int *)argument;

    for (size_t n = 0; n < 64; n++) {
        if (write(fd, &hex_text[n], 1) != 1)
            break;
        sched_yield();
    }
    close(fd);
    return NULL;
}

static void a_pipe_that_is_written_byte_by_byte_is_read_to_its_end(void **state)
{
    struct world *world = *state;
    pthread_t writer;
    char source[32];
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_slowly, &ends[1]), 0);
    fd_source(ends[0], source);
    accept(world, source, hex_secret);
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_int_equal(close(ends[0]), 0);
}

static void what_a_descriptor_holds_is_judged_like_a_file(void **state)
{
    static const size_t sizes[] = { 0, 1, 31, 33, 63, 65, 66, 67, 68, 200 };
    struct world *world = *state;
    char source[32], content[200];
    int fd;

    memset(content, '5', sizeof(content));
    for (size_t n = 0; n < COUNT(sizes); n++) {
        fd = full_pipe(content, sizes[n]);
        fd_source(fd, source);
        refuse_from(world, world->keyring, source, 1, SCHANNEL_R_SEALING_KEY_INVALID, source);
        assert_int_equal(is_open(fd), 1);
        assert_int_equal(close(fd), 0);
    }
    content[20] = 'g';
    fd = full_pipe(content, 64);
    fd_source(fd, source);
    refuse_from(world, world->keyring, source, 1, SCHANNEL_R_SEALING_KEY_INVALID, source);
    assert_int_equal(close(fd), 0);
}

/* What was refused is not kept: the same number may hold a good key later. */
static void a_closed_descriptor_is_refused_and_not_kept(void **state)
{
    struct world *world = *state;
    char source[32];
    int fd = full_pipe(hex_secret, sizeof(hex_secret)), other;

    assert_int_equal(close(fd), 0);
    fd_source(fd, source);
    refuse(world, source, SCHANNEL_R_SEALING_KEY_UNREADABLE);
    other = full_pipe(hex_secret, sizeof(hex_secret));
    if (other != fd) {
        assert_int_equal(dup2(other, fd), fd);
        assert_int_equal(close(other), 0);
    }
    accept(world, source, hex_secret);
    assert_int_equal(close(fd), 0);
    refuse_from(world, world->keyring, "fd:2147483647", 0, SCHANNEL_R_SEALING_KEY_UNREADABLE,
                "fd:2147483647");
}

static void each_descriptor_has_its_own_key(void **state)
{
    struct world *world = *state;
    uint8_t other[SEALING_KEY_SIZE];
    char one_source[32], other_source[32];
    int one_fd, other_fd;

    memset(other, 0x77, sizeof(other));
    one_fd = full_pipe(hex_secret, sizeof(hex_secret));
    other_fd = full_pipe(other, sizeof(other));
    fd_source(one_fd, one_source);
    fd_source(other_fd, other_source);
    accept(world, other_source, other);
    accept(world, one_source, hex_secret);
    accept(world, other_source, other);
    assert_int_equal(close(one_fd), 0);
    assert_int_equal(close(other_fd), 0);
}

static void the_keyring_is_full_after_sixteen_descriptors(void **state)
{
    struct world *world = *state;
    char sources[17][32];
    int fds[17];

    for (size_t n = 0; n < COUNT(fds); n++) {
        fds[n] = full_pipe(hex_secret, sizeof(hex_secret));
        fd_source(fds[n], sources[n]);
    }
    for (size_t n = 0; n < 16; n++)
        accept(world, sources[n], hex_secret);
    refuse_from(world, world->keyring, sources[16], 0, SCHANNEL_R_INVALID_PARAMETER, "seal-key");
    for (size_t n = 0; n < 16; n++)
        accept(world, sources[n], hex_secret);
    for (size_t n = 0; n < COUNT(fds); n++)
        assert_int_equal(close(fds[n]), 0);
}

/* ---- the forms of a source ---- */

static void sources_of_no_form_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",        "fd:",           "fd:-1",         "fd:01",
        "fd:00",   "fd:+1",         "fd: 1",         "fd:1 ",
        "fd:x",    "fd:1x",         "fd:0x1",        "fd:99999999999",
        "fd:-0",   "fd:2147483648", "fd:4294967296", "fd:99999999999999999999999999",
        "fd",      "FD:1",          "file:",         "file",
        "File:/a", "user ",         " user",         "User",
        "users",   "use",           "runtime\n",     "RUNTIME",
        "user:",   "runtime:x",     "/etc/passwd",   "fd:18446744073709551617",
    };
    struct world *world = *state;
    const struct errors *errors = recorded_errors_target(world->recorded);
    char said[160];

    for (size_t n = 0; n < COUNT(wrong); n++) {
        snprintf(said, sizeof(said),
                 "seal-key: expected file:PATH, fd:N, user or runtime, got \"%s\"", wrong[n]);
        assert_int_equal(sealing_key_source_is_valid(errors, wrong[n]), 0);
        expect_one_error(world->recorded, SCHANNEL_R_INVALID_PARAMETER, said);
        refuse(world, wrong[n], SCHANNEL_R_INVALID_PARAMETER);
    }
    assert_int_equal(count_entries(world->directory), 0);
}

/* Whoever takes the parameter for the key itself does not find it in a log. */
static void a_key_given_as_its_source_is_not_shown(void **state)
{
    static const char key[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    struct world *world = *state;
    const struct errors *errors = recorded_errors_target(world->recorded);

    assert_int_equal(sealing_key_source_is_valid(errors, key), 0);
    expect_one_error(world->recorded, SCHANNEL_R_INVALID_PARAMETER, "got 64 other characters");
    assert_int_equal(sealing_key_source_is_valid(errors, key + 32), 0);
    expect_one_error(world->recorded, SCHANNEL_R_INVALID_PARAMETER, "got 32 other characters");
}

/* A form is judged without looking for what it names. */
static void sources_of_the_four_forms_are_valid(void **state)
{
    static const char *const good[] = {
        "file:/nowhere/at/all", "file:relative", "file: ",  "file:fd:-1", "fd:0", "fd:1", "fd:10",
        "fd:2147483647",        "user",          "runtime",
    };
    struct world *world = *state;

    for (size_t n = 0; n < COUNT(good); n++)
        assert_int_equal(
            sealing_key_source_is_valid(recorded_errors_target(world->recorded), good[n]), 1);
    expect_no_error(world->recorded);
    assert_int_equal(count_entries(world->directory), 0);
}

/* ---- user and runtime ---- */

static const char *const state_sources[] = { "user", "runtime" };

/* Where both keep their key when their variables name the test's directory. */
struct places {
    char directory[PATH_MAX], key[PATH_MAX];
};

static void find_places(const struct world *world, struct places *places)
{
    name_path(world, "schannel", places->directory, sizeof(places->directory));
    name_path(world, "schannel/seal.key", places->key, sizeof(places->key));
}

static void make_places(const struct world *world, struct places *places, const void *content,
                        size_t size)
{
    find_places(world, places);
    make_directory(places->directory, 0700);
    write_file(places->key, content, size, 0600);
}

/* The file as it is on disk: 32 bytes, 0600, alone in a directory of 0700. */
static void assert_key_file(const struct places *places, const struct sealing_key *key)
{
    uint8_t content[SEALING_KEY_SIZE + 1];
    int fd = open(places->key, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(read(fd, content, sizeof(content)), SEALING_KEY_SIZE);
    assert_memory_equal(content, key->secret, SEALING_KEY_SIZE);
    assert_int_equal(close(fd), 0);
    assert_int_equal(mode_of(places->key), 0600);
    assert_int_equal(mode_of(places->directory), 0700);
    assert_int_equal(count_entries(places->directory), 1);
}

static void an_export_makes_the_key_and_the_next_reads_it(void **state)
{
    static const uint8_t zero[SEALING_KEY_SIZE];
    struct world *world = *state;
    struct places places;

    find_places(world, &places);
    for (size_t n = 0; n < COUNT(state_sources); n++) {
        struct sealing_keyring *second = new_keyring(world), *third = new_keyring(world);
        struct sealing_key key, again;

        accept_from(world, world->keyring, state_sources[n], 1, &key);
        assert_memory_not_equal(key.secret, zero, sizeof(zero));
        assert_key_file(&places, &key);
        accept_from(world, second, state_sources[n], 1, &again);
        assert_memory_equal(&again, &key, sizeof(key));
        accept_from(world, third, state_sources[n], 0, &again);
        assert_memory_equal(&again, &key, sizeof(key));
        assert_key_file(&places, &key);
        sealing_keyring_free(second);
        sealing_keyring_free(third);
        remove_tree(places.directory);
    }
}

static void every_new_key_is_another(void **state)
{
    struct world *world = *state;
    struct sealing_key keys[4];
    struct places places;

    find_places(world, &places);
    for (size_t n = 0; n < COUNT(keys); n++) {
        struct sealing_keyring *keyring = new_keyring(world);

        accept_from(world, keyring, state_sources[n % 2], 1, &keys[n]);
        for (size_t other = 0; other < n; other++)
            assert_memory_not_equal(keys[n].secret, keys[other].secret, SEALING_KEY_SIZE);
        sealing_keyring_free(keyring);
        remove_tree(places.directory);
    }
}

static void user_and_runtime_are_two_keys(void **state)
{
    struct world *world = *state;
    struct sealing_key user, runtime, again;
    char path[PATH_MAX];

    name_path(world, "runtime", path, sizeof(path));
    make_directory(path, 0700);
    setenv("XDG_RUNTIME_DIR", path, 1);
    accept_from(world, world->keyring, "user", 1, &user);
    accept_from(world, world->keyring, "runtime", 1, &runtime);
    assert_memory_not_equal(user.secret, runtime.secret, SEALING_KEY_SIZE);
    accept_from(world, world->keyring, "user", 0, &again);
    assert_memory_equal(&again, &user, sizeof(user));
}

/* What is made is closed to others whatever the umask is; all parents of the state directory too. */
static void missing_parents_are_made_with_the_key(void **state)
{
    struct world *world = *state;
    struct sealing_key key;
    char base[PATH_MAX], parent[PATH_MAX];
    struct places places;
    mode_t umask_before = umask(0);

    name_path(world, "a", parent, sizeof(parent));
    name_path(world, "a/b c/d", base, sizeof(base));
    name_path(world, "a/b c/d/schannel", places.directory, sizeof(places.directory));
    name_path(world, "a/b c/d/schannel/seal.key", places.key, sizeof(places.key));
    setenv("XDG_STATE_HOME", base, 1);
    accept_from(world, world->keyring, "user", 1, &key);
    umask(umask_before);
    assert_key_file(&places, &key);
    assert_int_equal(mode_of(parent), 0700);
    assert_int_equal(mode_of(base), 0700);
}

static void an_import_finds_no_key_and_makes_none(void **state)
{
    struct world *world = *state;
    struct places places;

    find_places(world, &places);
    for (size_t n = 0; n < COUNT(state_sources); n++) {
        refuse_from(world, world->keyring, state_sources[n], 0, SCHANNEL_R_SEALING_KEY_UNREADABLE,
                    places.directory);
        assert_int_equal(count_entries(world->directory), 0);
        make_directory(places.directory, 0700);
        refuse_from(world, world->keyring, state_sources[n], 0, SCHANNEL_R_SEALING_KEY_UNREADABLE,
                    places.key);
        assert_int_equal(count_entries(places.directory), 0);
        remove_tree(places.directory);
    }
}

static void a_key_that_was_read_once_is_kept(void **state)
{
    struct world *world = *state;
    struct places places;

    for (size_t n = 0; n < COUNT(state_sources); n++) {
        make_places(world, &places, hex_secret, sizeof(hex_secret));
        accept(world, state_sources[n], hex_secret);
        remove_tree(places.directory);
        accept(world, state_sources[n], hex_secret);
        assert_int_equal(count_entries(world->directory), 0);
    }
}

/* A refusal is not remembered: once the place is put right the same keyring reads it. */
static void what_is_put_right_is_accepted(void **state)
{
    struct world *world = *state;
    struct places places;

    make_places(world, &places, hex_secret, sizeof(hex_secret));
    for (size_t n = 0; n < COUNT(state_sources); n++) {
        assert_int_equal(chmod(places.key, 0640), 0);
        refuse_from(world, world->keyring, state_sources[n], 0, SCHANNEL_R_SEALING_KEY_EXPOSED,
                    places.key);
        assert_int_equal(chmod(places.key, 0600), 0);
        accept(world, state_sources[n], hex_secret);
    }
}

/* Refused for an export and an import alike. */
static void refuse_state(struct world *world, enum schannel_reason reason, const char *part)
{
    for (size_t n = 0; n < COUNT(state_sources); n++) {
        refuse_from(world, world->keyring, state_sources[n], 0, reason, part);
        refuse_from(world, world->keyring, state_sources[n], 1, reason, part);
    }
}

static void a_directory_open_to_others_is_refused(void **state)
{
    static const mode_t modes[] = { 0755, 0750, 0711, 0701, 0770, 0702, 0704, 0710, 01777 };
    struct world *world = *state;
    struct places places;

    make_places(world, &places, hex_secret, sizeof(hex_secret));
    for (size_t n = 0; n < COUNT(modes); n++) {
        assert_int_equal(chmod(places.directory, modes[n]), 0);
        refuse_state(world, SCHANNEL_R_SEALING_KEY_EXPOSED, places.directory);
        assert_int_equal(mode_of(places.directory), modes[n]);
    }
}

static void a_key_file_open_to_others_is_refused(void **state)
{
    static const mode_t modes[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0644, 0666 };
    struct world *world = *state;
    struct places places;

    make_places(world, &places, hex_secret, sizeof(hex_secret));
    for (size_t n = 0; n < COUNT(modes); n++) {
        assert_int_equal(chmod(places.key, modes[n]), 0);
        refuse_state(world, SCHANNEL_R_SEALING_KEY_EXPOSED, places.key);
    }
}

static void skip_without_root(void)
{
    print_message("skipped: only root can give files away and be another user\n");
    skip();
}

/* Only root can give files away. */
static void what_belongs_to_another_user_is_refused(void **state)
{
    struct world *world = *state;
    struct places places;

    make_places(world, &places, hex_secret, sizeof(hex_secret));
    if (geteuid() != 0 || chown(places.key, ANOTHER_USER, (gid_t)-1) != 0)
        skip_without_root();
    refuse_state(world, SCHANNEL_R_SEALING_KEY_EXPOSED, places.key);
    assert_int_equal(chown(places.key, 0, (gid_t)-1), 0);
    assert_int_equal(chown(places.directory, ANOTHER_USER, (gid_t)-1), 0);
    refuse_state(world, SCHANNEL_R_SEALING_KEY_EXPOSED, places.directory);
    assert_int_equal(chown(places.directory, 0, (gid_t)-1), 0);
    accept(world, "user", hex_secret);
}

static void symbolic_links_are_not_followed(void **state)
{
    struct world *world = *state;
    struct places places;
    char real_directory[PATH_MAX], real_key[PATH_MAX];

    find_places(world, &places);
    name_path(world, "elsewhere", real_directory, sizeof(real_directory));
    name_path(world, "elsewhere/seal.key", real_key, sizeof(real_key));
    make_directory(real_directory, 0700);
    write_file(real_key, hex_secret, sizeof(hex_secret), 0600);
    assert_int_equal(symlink(real_directory, places.directory), 0);
    refuse_state(world, SCHANNEL_R_NO_STATE_DIRECTORY, places.directory);
    assert_int_equal(unlink(places.directory), 0);

    make_directory(places.directory, 0700);
    assert_int_equal(symlink(real_key, places.key), 0);
    refuse_state(world, SCHANNEL_R_SEALING_KEY_UNREADABLE, places.key);
    /* And one that leads nowhere is not a place to make a key. */
    assert_int_equal(unlink(real_key), 0);
    refuse_state(world, SCHANNEL_R_SEALING_KEY_UNREADABLE, places.key);
    assert_int_equal(exists(real_key), 0);
    assert_int_equal(count_entries(real_directory), 0);
    remove_tree(real_directory);
    assert_int_equal(unlink(places.key), 0);
    remove_tree(places.directory);
    assert_int_equal(symlink(real_directory, places.directory), 0);
    refuse_state(world, SCHANNEL_R_NO_STATE_DIRECTORY, places.directory);
    assert_int_equal(exists(real_directory), 0);
}

static void what_is_no_directory_and_no_file_is_refused(void **state)
{
    struct world *world = *state;
    struct places places;

    find_places(world, &places);
    write_file(places.directory, "", 0, 0600);
    refuse_state(world, SCHANNEL_R_NO_STATE_DIRECTORY, places.directory);
    assert_int_equal(unlink(places.directory), 0);
    make_directory(places.directory, 0700);
    make_directory(places.key, 0700);
    refuse_state(world, SCHANNEL_R_SEALING_KEY_INVALID, places.key);
    assert_int_equal(rmdir(places.key), 0);
    assert_int_equal(mkfifo(places.key, 0600), 0);
    refuse_state(world, SCHANNEL_R_SEALING_KEY_INVALID, places.key);
}

static void a_key_file_of_wrong_contents_is_refused_and_left_alone(void **state)
{
    static const size_t sizes[] = { 0, 31, 33, 65, 100 };
    struct world *world = *state;
    struct places places;
    struct stat status;

    make_places(world, &places, "", 0);
    for (size_t n = 0; n < COUNT(sizes); n++) {
        char content[100];

        memset(content, '5', sizeof(content));
        write_file(places.key, content, sizes[n], 0600);
        refuse_state(world, SCHANNEL_R_SEALING_KEY_INVALID, places.key);
        assert_int_equal(stat(places.key, &status), 0);
        assert_int_equal(status.st_size, sizes[n]);
    }
    assert_int_equal(count_entries(places.directory), 1);
}

static void a_base_that_is_a_file_is_refused(void **state)
{
    struct world *world = *state;
    char base[PATH_MAX], below[PATH_MAX];

    name_path(world, "file", base, sizeof(base));
    name_path(world, "file/below", below, sizeof(below));
    write_file(base, "", 0, 0600);
    setenv("XDG_STATE_HOME", base, 1);
    refuse_from(world, world->keyring, "user", 1, SCHANNEL_R_NO_STATE_DIRECTORY, base);
    setenv("XDG_STATE_HOME", below, 1);
    refuse_from(world, world->keyring, "user", 1, SCHANNEL_R_NO_STATE_DIRECTORY, below);
    setenv("XDG_RUNTIME_DIR", base, 1);
    refuse_from(world, world->keyring, "runtime", 1, SCHANNEL_R_NO_STATE_DIRECTORY, base);
}

static void a_base_that_is_too_long_is_refused(void **state)
{
    struct world *world = *state;
    static char base[2 * PATH_MAX];

    memset(base, 'a', sizeof(base) - 1);
    for (size_t n = 0; n < sizeof(base) - 1; n += 100)
        base[n] = '/';
    for (size_t length = PATH_MAX - 20; length < PATH_MAX + 20; length++) {
        char kept = base[length];

        base[length] = '\0';
        setenv("XDG_STATE_HOME", base, 1);
        /* An import: nothing is to be made at the root of this machine. */
        if (length >= PATH_MAX)
            refuse_from(world, world->keyring, "user", 0, SCHANNEL_R_NO_STATE_DIRECTORY,
                        "seal-key user");
        else if (length + strlen("/schannel/seal.key") >= PATH_MAX)
            refuse_from(world, world->keyring, "user", 0, SCHANNEL_R_NO_STATE_DIRECTORY,
                        "the path is too long");
        else
            /* a sentence that long loses its middle */
            refuse_from(world, world->keyring, "user", 0, SCHANNEL_R_SEALING_KEY_UNREADABLE,
                        ": there is no sealing key yet");
        base[length] = kept;
    }
}

/* The runtime directory is made by the login, not by us, and the user's alone. */
static void a_runtime_directory_that_is_not_ours_alone_is_refused(void **state)
{
    static const mode_t modes[] = { 0755, 0750, 0711, 0701, 0770, 01700, 0777 };
    struct world *world = *state;
    char runtime[PATH_MAX];

    name_path(world, "run", runtime, sizeof(runtime));
    setenv("XDG_RUNTIME_DIR", runtime, 1);
    refuse_from(world, world->keyring, "runtime", 1, SCHANNEL_R_NO_STATE_DIRECTORY,
                "seal-key runtime");
    assert_int_equal(exists(runtime), 0);
    make_directory(runtime, 0700);
    for (size_t n = 0; n < COUNT(modes); n++) {
        assert_int_equal(chmod(runtime, modes[n]), 0);
        refuse_from(world, world->keyring, "runtime", 0, SCHANNEL_R_NO_STATE_DIRECTORY, runtime);
        refuse_from(world, world->keyring, "runtime", 1, SCHANNEL_R_NO_STATE_DIRECTORY,
                    "seal-key runtime");
        assert_int_equal(count_entries(runtime), 0);
    }
}

static void a_runtime_directory_of_another_user_is_refused(void **state)
{
    struct world *world = *state;
    char runtime[PATH_MAX];

    name_path(world, "run", runtime, sizeof(runtime));
    make_directory(runtime, 0700);
    if (geteuid() != 0 || chown(runtime, ANOTHER_USER, (gid_t)-1) != 0)
        skip_without_root();
    setenv("XDG_RUNTIME_DIR", runtime, 1);
    refuse_from(world, world->keyring, "runtime", 0, SCHANNEL_R_NO_STATE_DIRECTORY, runtime);
    refuse_from(world, world->keyring, "runtime", 1, SCHANNEL_R_NO_STATE_DIRECTORY, runtime);
    assert_int_equal(count_entries(runtime), 0);
}

/* ---- what happens in another process ---- */

/* Runs in a child what must not change this process; 0 is good. */
static int status_of_child(int (*run)(struct world *), struct world *world)
{
    pid_t child = fork();
    int status = -1;

    assert_true(child >= 0);
    if (child == 0)
        _exit(run(world));
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/*
 * A good key stands where a relative path would lead.  Which key an ignoring provider finds instead
 * is the machine's business: only that it is not this one.  Imports only, which make nothing.
 */
static int get_with_relative_paths(struct world *world)
{
    struct sealing_key key;

    if (chdir(world->directory) != 0)
        return 2;
    setenv("XDG_STATE_HOME", ".", 1);
    setenv("XDG_RUNTIME_DIR", ".", 1);
    for (size_t n = 0; n < COUNT(state_sources); n++) {
        if (sealing_keyring_get(world->keyring, state_sources[n], 0, &key) &&
            memcmp(key.secret, hex_secret, sizeof(hex_secret)) == 0)
            return 1;
    }
    return 0;
}

static void relative_directories_are_ignored(void **state)
{
    struct world *world = *state;
    struct places places;

    make_places(world, &places, hex_secret, sizeof(hex_secret));
    assert_int_equal(status_of_child(get_with_relative_paths, world), 0);
}

/* An ordinary user with a home: what root would use is a directory of the machine. */
static int make_key_below_home(struct world *world)
{
    struct sealing_key key;

    if (geteuid() == 0 && (setgid(ANOTHER_USER) != 0 || setuid(ANOTHER_USER) != 0))
        return 77;
    /* The directory above it may be closed to everybody but root. */
    if (access(world->directory, W_OK | X_OK) != 0)
        return 77;
    setenv("HOME", world->directory, 1);
    setenv("XDG_STATE_HOME", "relative/state", 1);
    return sealing_keyring_get(world->keyring, "user", 1, &key) ? 0 : 1;
}

static void without_a_state_directory_the_key_is_below_home(void **state)
{
    struct world *world = *state;
    struct places places;
    int status;

    if (geteuid() == 0 && chown(world->directory, ANOTHER_USER, ANOTHER_USER) != 0)
        skip_without_root();
    status = status_of_child(make_key_below_home, world);
    if (status == 77)
        skip_without_root();
    assert_int_equal(status, 0);
    name_path(world, ".local/state/schannel", places.directory, sizeof(places.directory));
    name_path(world, ".local/state/schannel/seal.key", places.key, sizeof(places.key));
    assert_int_equal(mode_of(places.key), 0600);
    assert_int_equal(mode_of(places.directory), 0700);
    assert_int_equal(count_entries(places.directory), 1);
}

/* 1 when an import is refused with this reason and a sentence with |part|. */
static int is_refused(struct world *world, const char *source, enum schannel_reason reason,
                      const char *part)
{
    struct sealing_key key;
    int is_good;

    if (sealing_keyring_get(world->keyring, source, 0, &key) ||
        recorded_errors_count(world->recorded) != 1)
        return 0;
    is_good = recorded_errors_get(world->recorded, 0)->reason == (unsigned)reason &&
              strstr(recorded_errors_get(world->recorded, 0)->sentence, part) != NULL;
    recorded_errors_forget(world->recorded);
    return is_good;
}

/* Becomes an ordinary user without the variables that say where the keys are. */
static int become(uid_t user)
{
    unsetenv("XDG_STATE_HOME");
    unsetenv("XDG_RUNTIME_DIR");
    return setgid(user) == 0 && setuid(user) == 0;
}

static int look_without_home(struct world *world)
{
    static char home[PATH_MAX];
    char part[64];

    if (!become(ANOTHER_USER) || getpwuid(ANOTHER_USER) != NULL)
        return 77;
    snprintf(part, sizeof(part), "/run/user/%d is not ours", ANOTHER_USER);
    setenv("HOME", "relative", 1);
    if (!is_refused(world, "user", SCHANNEL_R_NO_STATE_DIRECTORY, "no home directory is known"))
        return 1;
    memset(home, 'a', sizeof(home) - 1);
    home[0] = '/';
    setenv("HOME", home, 1); /* there is no room for more */
    return !is_refused(world, "user", SCHANNEL_R_NO_STATE_DIRECTORY, "set HOME") ||
           !is_refused(world, "runtime", SCHANNEL_R_NO_STATE_DIRECTORY, part);
}

static void a_user_of_whom_nothing_is_known_has_no_directories(void **state)
{
    int status;

    if (geteuid() != 0)
        skip_without_root();
    status = status_of_child(look_without_home, *state);
    if (status == 77)
        skip_without_root();
    assert_int_equal(status, 0);
}

/* The home that the user database has for "nobody", where nothing ever is. */
static int look_in_home_of_nobody(struct world *world)
{
    const struct passwd *nobody = getpwnam("nobody");
    char path[PATH_MAX];

    if (nobody == NULL || nobody->pw_dir[0] != '/')
        return 77;
    snprintf(path, sizeof(path), "%s/.local/state/schannel: ", nobody->pw_dir);
    if (!become(nobody->pw_uid))
        return 77;
    unsetenv("HOME");
    return !is_refused(world, "user", SCHANNEL_R_SEALING_KEY_UNREADABLE, path);
}

static void without_a_variable_the_home_is_that_of_the_user_database(void **state)
{
    int status;

    if (geteuid() != 0)
        skip_without_root();
    status = status_of_child(look_in_home_of_nobody, *state);
    if (status == 77)
        skip_without_root();
    assert_int_equal(status, 0);
}

/* A child that says it is ready, makes the key when the gate's other end is closed, and tells which
 * one it got. */
static pid_t start_maker(struct world *world, const char *source, const int gate[2],
                         const int answers[2])
{
    struct sealing_keyring *keyring;
    struct sealing_key key;
    uint8_t bytes[1] = { 0 };
    pid_t child = fork();

    if (child != 0)
        return child;
    close(gate[1]);
    keyring = sealing_keyring_new(NULL, NULL, recorded_errors_target(world->recorded));
    /* A forked process seeds anew: that is not to keep the two apart. */
    if (keyring == NULL || RAND_bytes(bytes, 1) != 1 || RAND_priv_bytes(bytes, 1) != 1 ||
        write(answers[1], bytes, 1) != 1 || read(gate[0], bytes, 1) != 0 ||
        !sealing_keyring_get(keyring, source, 1, &key) ||
        write(answers[1], &key, sizeof(key)) != (ssize_t)sizeof(key))
        _exit(1);
    _exit(0);
}

static void two_processes_that_make_the_key_at_once_agree(void **state)
{
    struct world *world = *state;
    struct places places;

    find_places(world, &places);
    for (unsigned times = 0; times < 50; times++) {
        struct sealing_key keys[2];
        pid_t children[2];
        int gate[2], answers[2], status;
        uint8_t ready;

        assert_int_equal(pipe(gate), 0);
        assert_int_equal(pipe(answers), 0);
        for (size_t n = 0; n < 2; n++) {
            children[n] = start_maker(world, state_sources[times % 2], gate, answers);
            assert_true(children[n] > 0);
        }
        close(answers[1]);
        for (size_t n = 0; n < 2; n++)
            assert_int_equal(read(answers[0], &ready, 1), 1);
        close(gate[0]);
        close(gate[1]);
        for (size_t n = 0; n < 2; n++) {
            assert_int_equal(waitpid(children[n], &status, 0), children[n]);
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        }
        for (size_t n = 0; n < 2; n++)
            assert_int_equal(read(answers[0], &keys[n], sizeof(keys[n])), sizeof(keys[n]));
        close(answers[0]);
        assert_memory_equal(&keys[0], &keys[1], sizeof(keys[0]));
        assert_key_file(&places, &keys[0]);
        remove_tree(places.directory);
    }
}

/* ---- threads ---- */

#define THREADS 8

struct getting_thread {
    struct sealing_keyring *keyring;
    const char *source;
    pthread_barrier_t *start;
    pthread_t thread;
    struct sealing_key key;
    int ok;
};

/* The assertions of CMocka are for the test's own thread. */
static void *get_key(void *argument)
{
    struct getting_thread *self = argument;

    pthread_barrier_wait(self->start);
    self->ok = sealing_keyring_get(self->keyring, self->source, 1, &self->key);
    return NULL;
}

/* Eight threads that all get the same key; with |shared| NULL each from a keyring of its own. */
static void get_in_threads(struct world *world, const char *source, struct sealing_keyring *shared,
                           struct sealing_key *key)
{
    struct getting_thread threads[THREADS];
    pthread_barrier_t start;

    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
    for (size_t n = 0; n < THREADS; n++) {
        threads[n] = (struct getting_thread){ .source = source, .start = &start };
        threads[n].keyring = shared != NULL ? shared : new_keyring(world);
        assert_int_equal(pthread_create(&threads[n].thread, NULL, get_key, &threads[n]), 0);
    }
    for (size_t n = 0; n < THREADS; n++) {
        assert_int_equal(pthread_join(threads[n].thread, NULL), 0);
        if (shared == NULL)
            sealing_keyring_free(threads[n].keyring);
    }
    expect_no_error(world->recorded);
    for (size_t n = 0; n < THREADS; n++) {
        assert_int_equal(threads[n].ok, 1);
        assert_memory_equal(&threads[n].key, &threads[0].key, sizeof(threads[0].key));
    }
    assert_int_equal(pthread_barrier_destroy(&start), 0);
    *key = threads[0].key;
}

static void threads_that_make_the_key_at_once_agree(void **state)
{
    struct world *world = *state;
    struct sealing_key key;
    struct places places;

    find_places(world, &places);
    for (unsigned times = 0; times < 20; times++) {
        struct sealing_keyring *keyring = times % 4 < 2 ? new_keyring(world) : NULL;

        get_in_threads(world, state_sources[times % 2], keyring, &key);
        assert_key_file(&places, &key);
        sealing_keyring_free(keyring);
        remove_tree(places.directory);
    }
}

static void threads_share_what_one_of_them_read_from_a_descriptor(void **state)
{
    struct world *world = *state;
    struct sealing_key key;

    for (unsigned times = 0; times < 20; times++) {
        struct sealing_keyring *keyring = new_keyring(world);
        int fd = full_pipe(hex_text, 64);
        char source[32];

        fd_source(fd, source);
        get_in_threads(world, source, keyring, &key);
        assert_memory_equal(key.secret, hex_secret, sizeof(hex_secret));
        assert_int_equal(is_open(fd), 1);
        assert_int_equal(close(fd), 0);
        sealing_keyring_free(keyring);
    }
}

/* ---- without algorithms ---- */

static void a_key_is_given_without_any_provider(void **state)
{
    struct world *world = *state;
    OSSL_LIB_CTX *empty = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *null_provider;
    struct sealing_key key;
    struct sealing_keyring *keyring;
    char source[PATH_MAX + 8];

    assert_non_null(empty);
    null_provider = OSSL_PROVIDER_load(empty, "null");
    assert_non_null(null_provider);
    keyring = sealing_keyring_new(empty, NULL, recorded_errors_target(world->recorded));
    assert_non_null(keyring);
    file_source(world, hex_secret, sizeof(hex_secret), 0600, source, sizeof(source));
    assert_int_equal(sealing_keyring_get(keyring, source, 0, &key), 1);
    sealing_keyring_free(keyring);
    OSSL_PROVIDER_unload(null_provider);
    OSSL_LIB_CTX_free(empty);
}

static void freeing_nothing_is_allowed(void **state)
{
    struct world *world = *state;

    sealing_keyring_free(NULL);
    expect_no_error(world->recorded);
}

#define keyring_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        keyring_test(a_file_of_32_bytes_is_a_key),
        keyring_test(a_file_of_64_hex_digits_is_a_key),
        keyring_test(the_id_is_the_known_one),
        keyring_test(a_file_of_any_other_size_is_refused),
        keyring_test(digits_with_anything_but_one_end_of_line_are_refused),
        keyring_test(digits_that_are_not_hexadecimal_are_refused),
        keyring_test(no_sentence_holds_the_contents),
        keyring_test(files_closed_to_others_are_accepted),
        keyring_test(files_open_to_others_are_refused),
        keyring_test(a_missing_file_is_refused_and_not_made),
        keyring_test(a_directory_is_refused),
        keyring_test(a_fifo_is_refused_at_once),
        keyring_test(a_file_is_read_every_time),
        keyring_test(a_pipe_is_read_once_and_stays_open),
        keyring_test(a_descriptor_of_a_file_is_read_from_where_it_stands_and_stays_there),
        keyring_test(a_pipe_that_is_written_byte_by_byte_is_read_to_its_end),
        keyring_test(what_a_descriptor_holds_is_judged_like_a_file),
        keyring_test(a_closed_descriptor_is_refused_and_not_kept),
        keyring_test(each_descriptor_has_its_own_key),
        keyring_test(the_keyring_is_full_after_sixteen_descriptors),
        keyring_test(sources_of_no_form_are_refused),
        keyring_test(a_key_given_as_its_source_is_not_shown),
        keyring_test(sources_of_the_four_forms_are_valid),
        keyring_test(an_export_makes_the_key_and_the_next_reads_it),
        keyring_test(every_new_key_is_another),
        keyring_test(user_and_runtime_are_two_keys),
        keyring_test(missing_parents_are_made_with_the_key),
        keyring_test(an_import_finds_no_key_and_makes_none),
        keyring_test(a_key_that_was_read_once_is_kept),
        keyring_test(what_is_put_right_is_accepted),
        keyring_test(a_directory_open_to_others_is_refused),
        keyring_test(a_key_file_open_to_others_is_refused),
        keyring_test(what_belongs_to_another_user_is_refused),
        keyring_test(symbolic_links_are_not_followed),
        keyring_test(what_is_no_directory_and_no_file_is_refused),
        keyring_test(a_key_file_of_wrong_contents_is_refused_and_left_alone),
        keyring_test(a_base_that_is_a_file_is_refused),
        keyring_test(a_base_that_is_too_long_is_refused),
        keyring_test(a_runtime_directory_that_is_not_ours_alone_is_refused),
        keyring_test(a_runtime_directory_of_another_user_is_refused),
        keyring_test(relative_directories_are_ignored),
        keyring_test(without_a_state_directory_the_key_is_below_home),
        keyring_test(a_user_of_whom_nothing_is_known_has_no_directories),
        keyring_test(without_a_variable_the_home_is_that_of_the_user_database),
        keyring_test(two_processes_that_make_the_key_at_once_agree),
        keyring_test(threads_that_make_the_key_at_once_agree),
        keyring_test(threads_share_what_one_of_them_read_from_a_descriptor),
        keyring_test(a_key_is_given_without_any_provider),
        keyring_test(freeing_nothing_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
