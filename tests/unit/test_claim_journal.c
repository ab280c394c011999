/*
 * blob/claim_journal: the first claim of a token is the only one, claims are forgotten when no clock
 * can bring the blob back, and where a claim cannot be recorded nothing is opened.  All files are
 * made in a new directory that the test removes; it may run as root or as an ordinary user.
 */
#define _DEFAULT_SOURCE     /* setgroups */
#define _XOPEN_SOURCE   700 /* nftw */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
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
#include "blob/claim_journal.h"
#include "recorded_errors.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A user id that is not this one and owns nothing here; used only when this one is root. */
#define ANOTHER_USER 64913
/* Ends a test that hangs; no test waits for it. */
#define HANGING_SECONDS 60
#define THREADS         16
#define THREAD_ROUNDS   50

#define WALL            1700000000u
#define BOOT            5000u

struct world {
    struct recorded_errors *recorded;
    struct claim_journal *journal;
    char directory[512];   /* new, ours, 0700 */
    char claims[PATH_MAX]; /* in it, 0700 */
    char *old_runtime;     /* XDG_RUNTIME_DIR */
    size_t open_descriptors;
};

static const uint8_t this_boot[MOMENT_BOOT_ID_SIZE] = { 0xb0, 1, 2, 3, 4, 5, 6, 7 };
static const uint8_t other_boot[MOMENT_BOOT_ID_SIZE] = { 0xb0, 1, 2, 3, 4, 5, 6, 8 };
static const uint8_t unknown_boot[MOMENT_BOOT_ID_SIZE] = { 0 };

/* ---- the world of a test ---- */

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static size_t count_descriptors(void)
{
    size_t count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void join(const char *directory, const char *name, char path[PATH_MAX])
{
    int length = snprintf(path, PATH_MAX, "%s/%s", directory, name);

    assert_in_range(length, 1, PATH_MAX - 1);
}

/* A name in the test's directory. */
static void name_path(const struct world *world, const char *name, char path[PATH_MAX])
{
    join(world->directory, name, path);
}

static void make_directory(const char *path, mode_t mode)
{
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static struct claim_journal *new_journal(const struct world *world)
{
    struct claim_journal *journal =
        claim_journal_new(NULL, recorded_errors_target(world->recorded));

    assert_non_null(journal);
    return journal;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    const char *temporary = getenv("TMPDIR"), *runtime = getenv("XDG_RUNTIME_DIR");

    assert_non_null(world);
    *state = world;
    world->old_runtime = runtime != NULL ? strdup(runtime) : NULL;
    snprintf(world->directory, sizeof(world->directory), "%s/schannel-test-XXXXXX",
             temporary != NULL && temporary[0] == '/' ? temporary : "/tmp");
    assert_non_null(mkdtemp(world->directory));
    setenv("XDG_RUNTIME_DIR", world->directory, 1);
    name_path(world, "claims", world->claims);
    make_directory(world->claims, 0700);
    world->recorded = recorded_errors_new();
    world->journal = new_journal(world);
    world->open_descriptors = count_descriptors();
    alarm(HANGING_SECONDS);
    return 0;
}

/* Also the check that no test leaves a descriptor open. */
static int tear_down(void **state)
{
    struct world *world = *state;
    size_t left_open = count_descriptors() - world->open_descriptors;

    alarm(0);
    claim_journal_free(world->journal);
    recorded_errors_free(world->recorded);
    assert_int_equal(nftw(world->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    if (world->old_runtime != NULL)
        setenv("XDG_RUNTIME_DIR", world->old_runtime, 1);
    else
        unsetenv("XDG_RUNTIME_DIR");
    free(world->old_runtime);
    free(world);
    if (left_open != 0)
        print_error("%zu descriptors more are open than before the test\n", left_open);
    return left_open == 0 ? 0 : -1;
}

/* ---- moments, tokens and names ---- */

static struct moment moment_of(uint64_t wall, const uint8_t *boot_id, uint32_t boot)
{
    struct moment moment = { .wall = wall, .boot = boot };

    memcpy(moment.boot_id, boot_id, sizeof(moment.boot_id));
    return moment;
}

/* Seconds after WALL and BOOT, on this boot. */
static struct moment after(uint32_t seconds)
{
    return moment_of(WALL + seconds, this_boot, BOOT + seconds);
}

static void token_of(uint32_t number, uint8_t token[SEAL_CLAIM_SIZE])
{
    memset(token, 0xc7, SEAL_CLAIM_SIZE);
    for (size_t n = 0; n < 4; n++)
        token[n] = (uint8_t)(number >> (24 - 8 * n));
}

/* The name that the header describes, written here once more. */
static void expected_name(char name[80], const uint8_t token[SEAL_CLAIM_SIZE],
                          const struct moment *deadline)
{
    int length = snprintf(name, 80, "%016llx-", (unsigned long long)deadline->wall);

    for (size_t n = 0; n < MOMENT_BOOT_ID_SIZE; n++)
        length += snprintf(name + length, 80 - (size_t)length, "%02x", deadline->boot_id[n]);
    length +=
        snprintf(name + length, 80 - (size_t)length, "-%08lx-", (unsigned long)deadline->boot);
    for (size_t n = 0; n < SEAL_CLAIM_SIZE; n++)
        length += snprintf(name + length, 80 - (size_t)length, "%02x", token[n]);
    assert_int_equal(length, 75);
}

/* An empty file |name| in |directory|. */
static void make_file(const char *directory, const char *name)
{
    char path[PATH_MAX];
    int fd;

    join(directory, name, path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
}

static int exists(const char *directory, const char *name)
{
    char path[PATH_MAX];
    struct stat status;

    join(directory, name, path);
    return lstat(path, &status) == 0;
}

/* How many names a directory has; the last one goes to |name| unless that is NULL. */
static size_t count_entries(const char *path, char name[256])
{
    DIR *directory = opendir(path);
    size_t count = 0;

    assert_non_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (name != NULL)
            snprintf(name, 256, "%s", entry->d_name);
        count++;
    }
    closedir(directory);
    return count;
}

/* ---- claiming ---- */

static int claim(const struct world *world, struct claim_journal *journal, const char *directory,
                 uint32_t number, const struct moment *deadline, const struct moment *now)
{
    uint8_t token[SEAL_CLAIM_SIZE];

    (void)world;
    token_of(number, token);
    return claim_journal_record(journal, directory, token, deadline, now);
}

/* Token |number|, which expires 60 seconds after |now|. */
static void accept(struct world *world, const char *directory, uint32_t number, struct moment now)
{
    struct moment deadline = moment_add(&now, 60);
    int ok = claim(world, world->journal, directory, number, &deadline, &now);

    expect_no_error(world->recorded);
    assert_int_equal(ok, 1);
}

static void refuse(struct world *world, const char *directory, uint32_t number, struct moment now,
                   enum schannel_reason reason, const char *part)
{
    struct moment deadline = moment_add(&now, 60);

    assert_int_equal(claim(world, world->journal, directory, number, &deadline, &now), 0);
    expect_one_error(world->recorded, reason, part);
}

static void a_claim_is_an_empty_file_whose_name_says_when_to_forget_it(void **state)
{
    static const struct {
        struct moment deadline;
        uint8_t token[SEAL_CLAIM_SIZE];
        const char *name;
    } rows[] = {
        { { 0x0000000065f0a1b2, { 0x0f, 0xed, 0xcb, 0xa9, 0x87, 0x65, 0x43, 0x21 }, 0x00c0ffee },
          { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
          "0000000065f0a1b2-0fedcba987654321-00c0ffee-000102030405060708090a0b0c0d0e0f" },
        { { 0xfedcba9876543210, { 0 }, 0 },
          { 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22,
            0x11, 0x00 },
          "fedcba9876543210-0000000000000000-00000000-ffeeddccbbaa99887766554433221100" },
    };
    struct world *world = *state;

    for (size_t n = 0; n < COUNT(rows); n++) {
        struct moment now = after(0);
        char directory[PATH_MAX], path[PATH_MAX], name[256] = "";
        struct stat status;

        name_path(world, n == 0 ? "one" : "two", directory);
        make_directory(directory, 0700);
        assert_int_equal(
            claim_journal_record(world->journal, directory, rows[n].token, &rows[n].deadline, &now),
            1);
        expect_no_error(world->recorded);
        assert_int_equal(count_entries(directory, name), 1);
        assert_string_equal(name, rows[n].name);
        join(directory, name, path);
        assert_int_equal(lstat(path, &status), 0);
        assert_true(S_ISREG(status.st_mode));
        assert_int_equal(status.st_mode & 07777, 0600);
        assert_int_equal(status.st_size, 0);
    }
}

static void the_first_claim_succeeds_and_every_other_is_told_so(void **state)
{
    struct world *world = *state;
    struct claim_journal *another = new_journal(world);
    struct moment now = after(0), later = after(30), deadline = after(60);

    accept(world, world->claims, 1, now);
    for (int n = 0; n < 3; n++)
        refuse(world, world->claims, 1, now, SCHANNEL_R_BLOB_ALREADY_OPENED, world->claims);
    /* another opener, at another time: the deadline is the blob's, so the name is the same */
    assert_int_equal(claim(world, another, world->claims, 1, &deadline, &later), 0);
    expect_one_error(world->recorded, SCHANNEL_R_BLOB_ALREADY_OPENED, "opened before");
    claim_journal_free(another);
    assert_int_equal(count_entries(world->claims, NULL), 1);
}

static void a_claim_of_another_process_counts(void **state)
{
    struct world *world = *state;
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct moment now = after(0), deadline = after(60);
        uint8_t token[SEAL_CLAIM_SIZE];

        token_of(1, token);
        _exit(claim_journal_record(world->journal, world->claims, token, &deadline, &now) == 1 ? 0
                                                                                               : 1);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    refuse(world, world->claims, 1, after(0), SCHANNEL_R_BLOB_ALREADY_OPENED, "opened before");
    accept(world, world->claims, 2, after(0));
}

static void tokens_that_differ_in_one_bit_are_different_blobs(void **state)
{
    struct world *world = *state;
    struct moment now = after(0), deadline = after(60);
    uint8_t token[SEAL_CLAIM_SIZE] = { 0 };

    for (size_t round = 0; round < 2; round++) {
        for (size_t bit = 0; bit <= 8 * SEAL_CLAIM_SIZE; bit++) {
            int ok;

            if (bit < 8 * SEAL_CLAIM_SIZE)
                token[bit / 8] ^= (uint8_t)(1 << bit % 8);
            ok = claim_journal_record(world->journal, world->claims, token, &deadline, &now);
            assert_int_equal(ok, round == 0);
            if (round == 0)
                expect_no_error(world->recorded);
            else
                expect_one_error(world->recorded, SCHANNEL_R_BLOB_ALREADY_OPENED, "");
            if (bit < 8 * SEAL_CLAIM_SIZE)
                token[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    assert_int_equal(count_entries(world->claims, NULL), 8 * SEAL_CLAIM_SIZE + 1);
}

/* Whatever lies at the name, it was not made by this opener; a link is not followed. */
static void anything_with_the_name_of_the_claim_is_a_claim(void **state)
{
    struct world *world = *state;
    struct moment now = after(0), deadline = after(60);
    char name[80], path[PATH_MAX], target[PATH_MAX];
    uint8_t token[SEAL_CLAIM_SIZE];

    name_path(world, "target", target);
    token_of(1, token);
    expected_name(name, token, &deadline);
    join(world->claims, name, path);
    assert_int_equal(symlink(target, path), 0);
    refuse(world, world->claims, 1, now, SCHANNEL_R_BLOB_ALREADY_OPENED, "opened before");
    assert_int_equal(exists(world->directory, "target"), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    refuse(world, world->claims, 1, now, SCHANNEL_R_BLOB_ALREADY_OPENED, "opened before");
}

/* ---- forgetting ---- */

static void only_what_is_a_claim_is_ever_removed(void **state)
{
    /* all of them long past, were they claims */
    static const char *const others[] = {
        "README",
        ".hidden",
        "0",
        "0000000000000001-0000000000000000-00000001-000102030405060708090a0b0c0d0e0",
        "0000000000000001-0000000000000000-00000001-000102030405060708090a0b0c0d0e0f0",
        "0000000000000001-0000000000000000-00000001-000102030405060708090A0B0C0D0E0F",
        "000000000000000A-0000000000000000-00000001-000102030405060708090a0b0c0d0e0f",
        "000000000000000g-0000000000000000-00000001-000102030405060708090a0b0c0d0e0f",
        "0000000000000001-000000000000000x-00000001-000102030405060708090a0b0c0d0e0f",
        "0000000000000001-0000000000000000-0000000 -000102030405060708090a0b0c0d0e0f",
        "0000000000000001-0000000000000000-00000001-00010203040506 708090a0b0c0d0e0f",
        "0000000000000001-0000000000000000-00000001-000102030405060708090a0b0c0d0e0z",
        "0000000000000001_0000000000000000-00000001-000102030405060708090a0b0c0d0e0f",
        "0000000000000001-0000000000000000_00000001-000102030405060708090a0b0c0d0e0f",
        "0000000000000001-0000000000000000-00000001_000102030405060708090a0b0c0d0e0f",
        "0000000000000001-0000000000000000-00000001-000102030405060708090a0b0c0d0e0f.bak",
        "+000000000000001-0000000000000000-00000001-000102030405060708090a0b0c0d0e0f",
        "0x00000000000001-0000000000000000-00000001-000102030405060708090a0b0c0d0e0f",
    };
    static const char claim_name[] =
        "0000000000000001-0000000000000000-00000001-000102030405060708090a0b0c0d0e0f";
    static const char claim_directory[] =
        "0000000000000002-0000000000000000-00000001-000102030405060708090a0b0c0d0e0f";
    struct world *world = *state;
    char path[PATH_MAX];

    for (size_t n = 0; n < COUNT(others); n++)
        make_file(world->claims, others[n]);
    make_file(world->claims, claim_name);
    join(world->claims, claim_directory, path);
    make_directory(path, 0700);
    accept(world, world->claims, 1, after(0));
    for (size_t n = 0; n < COUNT(others); n++) {
        if (!exists(world->claims, others[n]))
            fail_msg("\"%s\" was removed", others[n]);
    }
    assert_int_equal(exists(world->claims, claim_name), 0);
    assert_int_equal(exists(world->claims, claim_directory), 1);
    assert_int_equal(count_entries(world->claims, NULL), COUNT(others) + 2);
}

/* Is a claim of this deadline still there after somebody cleaned |now|? */
static int survives(struct world *world, const struct moment *deadline, const struct moment *now,
                    uint32_t number)
{
    struct claim_journal *journal = new_journal(world);
    struct moment far = moment_add(now, 86400);
    uint8_t token[SEAL_CLAIM_SIZE];
    char directory[PATH_MAX], name[80];
    int found;

    snprintf(name, sizeof(name), "clean-%lu", (unsigned long)number);
    name_path(world, name, directory);
    make_directory(directory, 0700);
    token_of(1, token);
    expected_name(name, token, deadline);
    make_file(directory, name);
    assert_int_equal(claim(world, journal, directory, 2, &far, now), 1);
    expect_no_error(world->recorded);
    found = exists(directory, name);
    assert_int_equal(count_entries(directory, NULL), found ? 2 : 1);
    claim_journal_free(journal);
    return found;
}

static void a_claim_is_forgotten_when_its_deadline_is_long_past_on_all_clocks(void **state)
{
    static const struct {
        const uint8_t *set_on, *seen_on;
        int same_boot;
    } boots[] = {
        { this_boot, this_boot, 1 },       { this_boot, other_boot, 0 },
        { this_boot, unknown_boot, 0 },    { unknown_boot, this_boot, 0 },
        { unknown_boot, unknown_boot, 0 },
    };
    /* seconds after the deadline: the margin is 300 of them, on either clock */
    static const int offsets[] = { -1000, -1, 0, 1, 299, 300, 301, 100000 };
    struct world *world = *state;
    uint32_t count = 0, removed = 0;

    for (size_t b = 0; b < COUNT(boots); b++) {
        for (size_t w = 0; w < COUNT(offsets); w++) {
            for (size_t o = 0; o < COUNT(offsets); o++, count++) {
                struct moment deadline = moment_of(WALL, boots[b].set_on, BOOT);
                struct moment now =
                    moment_of((uint64_t)((int64_t)WALL + offsets[w]), boots[b].seen_on,
                              (uint32_t)((int64_t)BOOT + offsets[o]));
                int forget = offsets[w] > 300 && (!boots[b].same_boot || offsets[o] > 300);

                if (survives(world, &deadline, &now, count) == forget)
                    fail_msg("boots %zu, wall %+d, boot %+d: expected it to be %s", b, offsets[w],
                             offsets[o], forget ? "forgotten" : "kept");
                removed += (uint32_t)forget;
            }
        }
    }
    print_message("%lu combinations, %lu of them forget\n", (unsigned long)count,
                  (unsigned long)removed);
    assert_int_equal(count, 320);
    assert_int_equal(removed, 4 + 4 * 16);
}

/* Setting the wall clock forward and back on one boot must not make room for a second opening. */
static void a_wall_clock_set_forward_and_back_forgets_nothing(void **state)
{
    struct world *world = *state;

    accept(world, world->claims, 1, after(0));
    accept(world, world->claims, 2, moment_of(WALL + 100000, this_boot, BOOT + 1));
    refuse(world, world->claims, 1, after(0), SCHANNEL_R_BLOB_ALREADY_OPENED, "opened before");
}

static void one_journal_cleans_every_directory_it_is_used_with(void **state)
{
    static const char old[] =
        "0000000000000001-0000000000000000-00000001-000102030405060708090a0b0c0d0e0f";
    struct world *world = *state;
    char directories[3][PATH_MAX];

    for (size_t n = 0; n < 3; n++) {
        char name[8];

        snprintf(name, sizeof(name), "c%zu", n);
        name_path(world, name, directories[n]);
        make_directory(directories[n], 0700);
        make_file(directories[n], old);
    }
    /* all within one second */
    for (size_t n = 0; n < 3; n++) {
        accept(world, directories[n], 1, after(0));
        assert_int_equal(exists(directories[n], old), 0);
    }
    /* and again in a later one */
    make_file(directories[2], old);
    accept(world, directories[2], 2, after(1));
    assert_int_equal(exists(directories[2], old), 0);
}

/* ---- the bound ---- */

static void fill(const struct world *world, size_t count)
{
    int directory = open(world->claims, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct moment deadline = after(60);
    uint8_t token[SEAL_CLAIM_SIZE];
    char name[80];

    assert_true(directory >= 0);
    for (size_t n = 0; n < count; n++) {
        int fd;

        token_of((uint32_t)n + 1000, token);
        expected_name(name, token, &deadline);
        fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    close(directory);
}

static void a_directory_holds_65536_claims_and_has_room_again_when_they_expire(void **state)
{
    struct world *world = *state;

    assert_int_equal(CLAIM_MAX_COUNT, 65536);
    fill(world, 65534);
    make_file(world->claims, "another file");
    /* two more, within one second, and a third in that second and in the next */
    accept(world, world->claims, 1, after(0));
    accept(world, world->claims, 2, after(0));
    refuse(world, world->claims, 3, after(0), SCHANNEL_R_CLAIM_NOT_RECORDED, "65536");
    refuse(world, world->claims, 3, after(1), SCHANNEL_R_CLAIM_NOT_RECORDED, world->claims);
    refuse(world, world->claims, 3, after(360), SCHANNEL_R_CLAIM_NOT_RECORDED, "65536");
    assert_int_equal(count_entries(world->claims, NULL), 65537);
    accept(world, world->claims, 3, after(361));
    assert_int_equal(count_entries(world->claims, NULL), 2);
    refuse(world, world->claims, 3, after(361), SCHANNEL_R_BLOB_ALREADY_OPENED, "opened before");
}

/* ---- directories ---- */

static void where_there_is_no_directory_nothing_is_claimed(void **state)
{
    static const struct {
        const char *name, *part;
    } rows[] = {
        { "missing", "cannot be opened" },    { "file", "cannot be opened" },
        { "file/below", "cannot be opened" }, { "missing/below", "cannot be opened" },
        { "dangling", "cannot be opened" },
    };
    struct world *world = *state;
    char path[PATH_MAX];

    make_file(world->directory, "file");
    name_path(world, "dangling", path);
    assert_int_equal(symlink("nowhere", path), 0);
    for (size_t n = 0; n < COUNT(rows); n++) {
        name_path(world, rows[n].name, path);
        refuse(world, path, 1, after(0), SCHANNEL_R_CLAIM_NOT_RECORDED, rows[n].part);
        refuse(world, path, 1, after(0), SCHANNEL_R_CLAIM_NOT_RECORDED, path);
    }
    refuse(world, ".", 1, after(0), SCHANNEL_R_CLAIM_NOT_RECORDED,
           "claim-dir .: is not an absolute path");
    assert_int_equal(exists(world->directory, "missing"), 0);
    /* once it is there, the same claim succeeds: nothing was used up */
    name_path(world, "missing", path);
    make_directory(path, 0700);
    accept(world, path, 1, after(0));
}

static void a_directory_that_everybody_can_write_is_refused_unless_it_is_sticky(void **state)
{
    static const struct {
        mode_t mode;
        int is_good;
    } rows[] = {
        { 0777, 0 },  { 0703, 0 }, { 0772, 0 }, { 02777, 0 }, { 01777, 1 },
        { 01703, 1 }, { 0700, 1 }, { 0770, 1 }, { 0775, 1 },  { 02770, 1 },
    };
    struct world *world = *state;

    for (uint32_t n = 0; n < COUNT(rows); n++) {
        assert_int_equal(chmod(world->claims, rows[n].mode), 0);
        if (rows[n].is_good)
            accept(world, world->claims, n, after(0));
        else
            refuse(world, world->claims, n, after(0), SCHANNEL_R_CLAIM_NOT_RECORDED,
                   "can be written by everybody");
    }
    assert_int_equal(count_entries(world->claims, NULL), 6);
}

/* In a process of an ordinary user: 0 when the claim was refused for the right reason. */
static int refused_read_only(const struct world *world)
{
    struct moment now = after(0), deadline = after(60);
    uint8_t token[SEAL_CLAIM_SIZE];
    const struct recorded_error *error;

    if (geteuid() == 0 &&
        (setgroups(0, NULL) != 0 || setgid(ANOTHER_USER) != 0 || setuid(ANOTHER_USER) != 0))
        return 2;
    token_of(1, token);
    if (claim_journal_record(world->journal, world->claims, token, &deadline, &now) != 0)
        return 3;
    error = recorded_errors_get(world->recorded, 0);
    return recorded_errors_count(world->recorded) == 1 &&
                   error->reason == SCHANNEL_R_CLAIM_NOT_RECORDED &&
                   strstr(error->sentence, "cannot be written") != NULL
               ? 0
               : 4;
}

static void a_directory_that_cannot_be_written_is_refused(void **state)
{
    struct world *world = *state;
    int status = 0;
    pid_t child;

    assert_int_equal(chmod(world->directory, 0711), 0);
    assert_int_equal(chmod(world->claims, 0555), 0);
    child = fork();
    if (child == 0)
        _exit(refused_read_only(world));
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(count_entries(world->claims, NULL), 0);
    assert_int_equal(chmod(world->claims, 0700), 0);
    accept(world, world->claims, 1, after(0));
}

static void the_default_directory_is_made_beside_the_runtime_key(void **state)
{
    struct world *world = *state;
    struct stat status;
    char path[PATH_MAX];
    mode_t mask = umask(0);

    accept(world, NULL, 1, after(0));
    umask(mask);
    name_path(world, "schannel", path);
    assert_int_equal(lstat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    name_path(world, "schannel/claims", path);
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISDIR(status.st_mode));
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(count_entries(path, NULL), 1);
    refuse(world, NULL, 1, after(0), SCHANNEL_R_BLOB_ALREADY_OPENED, path);
    /* it is an ordinary one: named, it holds the same claims */
    refuse(world, path, 1, after(0), SCHANNEL_R_BLOB_ALREADY_OPENED, path);
}

static void a_default_directory_that_is_not_one_is_refused(void **state)
{
    struct world *world = *state;
    char path[PATH_MAX], target[PATH_MAX];

    name_path(world, "schannel", path);
    make_directory(path, 0700);
    name_path(world, "target", target);
    make_directory(target, 0700);

    name_path(world, "schannel/claims", path);
    assert_int_equal(symlink(target, path), 0);
    refuse(world, NULL, 1, after(0), SCHANNEL_R_CLAIM_NOT_RECORDED, path);
    assert_int_equal(count_entries(target, NULL), 0);
    assert_int_equal(unlink(path), 0);

    make_file(world->directory, "schannel/claims");
    refuse(world, NULL, 1, after(0), SCHANNEL_R_CLAIM_NOT_RECORDED, path);
    assert_int_equal(unlink(path), 0);
    accept(world, NULL, 1, after(0));
}

/* Refused with one reason, whichever: nothing is claimed in a place that is not ours alone. */
static void expect_refused(struct world *world)
{
    struct moment now = after(0), deadline = after(60);

    assert_int_equal(claim(world, world->journal, NULL, 1, &deadline, &now), 0);
    assert_int_equal(recorded_errors_count(world->recorded), 1);
    recorded_errors_forget(world->recorded);
}

static void a_default_directory_that_others_can_enter_is_refused(void **state)
{
    static const mode_t modes[] = { 0755, 0750, 0701, 01777, 0777 };
    static const char *const names[] = { "schannel/claims", "schannel" };
    struct world *world = *state;
    char path[PATH_MAX];

    name_path(world, "schannel", path);
    make_directory(path, 0700);
    name_path(world, "schannel/claims", path);
    make_directory(path, 0700);
    for (size_t d = 0; d < COUNT(names); d++) {
        name_path(world, names[d], path);
        for (size_t n = 0; n < COUNT(modes); n++) {
            assert_int_equal(chmod(path, modes[n]), 0);
            expect_refused(world);
        }
        assert_int_equal(chmod(path, 0700), 0);
    }
    /* the runtime directory itself */
    assert_int_equal(chmod(world->directory, 0755), 0);
    expect_refused(world);
    assert_int_equal(chmod(world->directory, 0700), 0);
    /* "schannel" is a link */
    name_path(world, "elsewhere", path);
    make_directory(path, 0700);
    setenv("XDG_RUNTIME_DIR", path, 1);
    name_path(world, "elsewhere/schannel", path);
    assert_int_equal(symlink("../schannel", path), 0);
    expect_refused(world);
    setenv("XDG_RUNTIME_DIR", world->directory, 1);
    accept(world, NULL, 1, after(0));
}

/* A new directory of the test's own, 0700, whose path has |length| characters. */
static void make_deep_directory(const struct world *world, char letter, size_t length,
                                char path[PATH_MAX])
{
    size_t at = strlen(world->directory);

    strcpy(path, world->directory);
    while (at < length) {
        /* no part of 0 characters comes last */
        size_t part = length - at > 202 ? 200 : length - at - 1;

        path[at] = '/';
        memset(path + at + 1, letter, part);
        at += 1 + part;
        path[at] = '\0';
        assert_int_equal(mkdir(path, 0700), 0);
    }
}

static void a_default_directory_whose_path_is_too_long_is_refused(void **state)
{
    struct world *world = *state;
    char runtime[PATH_MAX], claims[PATH_MAX], name[256];
    int directory;

    make_deep_directory(world, 'a', PATH_MAX - strlen("/schannel/claims") - 1, runtime);
    setenv("XDG_RUNTIME_DIR", runtime, 1);
    accept(world, NULL, 1, after(0));
    join(runtime, "schannel/claims", claims);
    assert_int_equal(count_entries(claims, name), 1);
    /* the claim itself has a path that nobody can name */
    directory = open(claims, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(unlinkat(directory, name, 0), 0);
    close(directory);
    make_deep_directory(world, 'b', PATH_MAX - strlen("/schannel/claims"), runtime);
    setenv("XDG_RUNTIME_DIR", runtime, 1);
    refuse(world, NULL, 1, after(0), SCHANNEL_R_NO_STATE_DIRECTORY, ": the path is too long");
    make_deep_directory(world, 'c', PATH_MAX - strlen("/schannel"), runtime);
    setenv("XDG_RUNTIME_DIR", runtime, 1);
    refuse(world, NULL, 1, after(0), SCHANNEL_R_NO_STATE_DIRECTORY, ": the path is too long");
    setenv("XDG_RUNTIME_DIR", world->directory, 1);
}

/* ---- threads ---- */

struct runner {
    pthread_t thread;
    pthread_barrier_t *barrier;
    struct world *world;
    struct claim_journal *journal;
    size_t wins, rounds;
    uint8_t won[THREAD_ROUNDS];
};

static void *run(void *argument)
{
    struct runner *runner = argument;
    struct moment now = after(0), deadline = after(60);

    for (uint32_t round = 0; round < THREAD_ROUNDS; round++) {
        pthread_barrier_wait(runner->barrier);
        runner->won[round] = (uint8_t)claim(runner->world, runner->journal, runner->world->claims,
                                            round, &deadline, &now);
        runner->wins += runner->won[round];
        runner->rounds++;
    }
    return NULL;
}

static void check_threads(struct world *world, int own_journals)
{
    static struct runner runners[THREADS];
    pthread_barrier_t barrier;
    size_t wins = 0;

    memset(runners, 0, sizeof(runners));
    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    for (size_t n = 0; n < THREADS; n++) {
        runners[n].world = world;
        runners[n].barrier = &barrier;
        runners[n].journal = own_journals ? new_journal(world) : world->journal;
    }
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(pthread_create(&runners[n].thread, NULL, run, &runners[n]), 0);
    for (size_t n = 0; n < THREADS; n++)
        pthread_join(runners[n].thread, NULL);
    pthread_barrier_destroy(&barrier);
    for (size_t round = 0; round < THREAD_ROUNDS; round++) {
        size_t winners = 0;

        for (size_t n = 0; n < THREADS; n++)
            winners += runners[n].won[round];
        if (winners != 1)
            fail_msg("round %zu has %zu winners", round, winners);
    }
    for (size_t n = 0; n < THREADS; n++) {
        assert_int_equal(runners[n].rounds, THREAD_ROUNDS);
        wins += runners[n].wins;
        if (own_journals)
            claim_journal_free(runners[n].journal);
    }
    /* every loser was told, once */
    assert_int_equal(recorded_errors_begun(world->recorded), THREADS * THREAD_ROUNDS - wins);
    for (size_t n = 0; n < 16; n++)
        assert_int_equal(recorded_errors_get(world->recorded, n)->reason,
                         SCHANNEL_R_BLOB_ALREADY_OPENED);
    recorded_errors_forget(world->recorded);
    assert_int_equal(count_entries(world->claims, NULL), THREAD_ROUNDS);
}

static void of_16_threads_with_one_token_one_wins(void **state)
{
    check_threads(*state, 0);
}

static void of_16_threads_with_journals_of_their_own_one_wins(void **state)
{
    check_threads(*state, 1);
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_claim_is_an_empty_file_whose_name_says_when_to_forget_it),
        WORLD_TEST(the_first_claim_succeeds_and_every_other_is_told_so),
        WORLD_TEST(a_claim_of_another_process_counts),
        WORLD_TEST(tokens_that_differ_in_one_bit_are_different_blobs),
        WORLD_TEST(anything_with_the_name_of_the_claim_is_a_claim),
        WORLD_TEST(only_what_is_a_claim_is_ever_removed),
        WORLD_TEST(a_claim_is_forgotten_when_its_deadline_is_long_past_on_all_clocks),
        WORLD_TEST(a_wall_clock_set_forward_and_back_forgets_nothing),
        WORLD_TEST(one_journal_cleans_every_directory_it_is_used_with),
        WORLD_TEST(a_directory_holds_65536_claims_and_has_room_again_when_they_expire),
        WORLD_TEST(where_there_is_no_directory_nothing_is_claimed),
        WORLD_TEST(a_directory_that_everybody_can_write_is_refused_unless_it_is_sticky),
        WORLD_TEST(a_directory_that_cannot_be_written_is_refused),
        WORLD_TEST(the_default_directory_is_made_beside_the_runtime_key),
        WORLD_TEST(a_default_directory_that_is_not_one_is_refused),
        WORLD_TEST(a_default_directory_that_others_can_enter_is_refused),
        WORLD_TEST(a_default_directory_whose_path_is_too_long_is_refused),
        WORLD_TEST(of_16_threads_with_one_token_one_wins),
        WORLD_TEST(of_16_threads_with_journals_of_their_own_one_wins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
