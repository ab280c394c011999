/*
 * The store, through OSSL_STORE: files with several blobs, sound and damaged ones; what is no file of
 * blobs; directories; and where a search ends.
 */
#include "blob_calls.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT 120 /* seconds: a search that does not end ends the test with a signal */

static char path[96], inside[96];
static struct exported pem; /* one opaque blob */

static int setup(void **state)
{
    OSSL_PARAM params[] = { text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
    EVP_PKEY *key;

    if (fixture_setup(state) != 0)
        return -1;
    params[0] = text_param("seal-key", seal_key_a);
    snprintf(path, sizeof(path), "%s/file", directory);
    snprintf(inside, sizeof(inside), "%s/inside", directory);
    key = secret_key(libctx, "AES-128-CBC", 16);
    assert_int_equal(export_as(key, "pem", params, &pem), 1);
    EVP_PKEY_free(key);
    return 0;
}

/* ---- walking through a store ---- */

static OSSL_STORE_CTX *open_store(const char *name)
{
    char uri[300];

    snprintf(uri, sizeof(uri), "schannel:%s?seal-key=%s", name, seal_key_a);
    return OSSL_STORE_open_ex(uri, libctx, NULL, NULL, NULL, NULL, NULL, NULL);
}

/* What an application sees that looks at everything, as storeutl does. */
struct walk {
    int keys, names, has_failed;
};

static struct walk walk_through(OSSL_STORE_CTX *store)
{
    struct walk walk = { 0, 0, 0 };

    for (int n = 0; !OSSL_STORE_eof(store); n++) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        assert_in_range(n, 0, 100);
        if (info == NULL)
            walk.has_failed |= OSSL_STORE_error(store) && ERR_peek_error() != 0;
        else if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
            walk.keys++;
        else if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_NAME)
            walk.names++;
        OSSL_STORE_INFO_free(info);
    }
    assert_null(OSSL_STORE_load(store));
    OSSL_STORE_close(store);
    return walk;
}

/* The file is made of these, each of them one character: a sound blob "k", one whose base64 text is
 * damaged "d", one whose seal is "s", one of somebody else "o", text "t". */
static void write_parts(const char *parts)
{
    static const char other[] = "-----BEGIN X-----\nAAAA\n-----END X-----\n", text[] = "a text\n";
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    for (; *parts != '\0'; parts++) {
        char copy[2048];
        char *body;

        assert_in_range(pem.size, 300, sizeof(copy) - 1);
        memcpy(copy, pem.data, pem.size);
        copy[pem.size] = '\0';
        body = strchr(copy, '\n') + 1;
        if (*parts == 'd')
            body[20] = '*';
        if (*parts == 's')
            body[200] = body[200] == 'A' ? 'B' : 'A';
        fputs(*parts == 'o' ? other : *parts == 't' ? text : copy, file);
    }
    fclose(file);
}

static void expect_walk(const char *parts, int keys, const char *reason)
{
    OSSL_STORE_CTX *store;
    struct walk walk;

    write_parts(parts);
    store = open_store(path);
    if (store == NULL)
        fail_msg("\"%s\" does not open", parts);
    walk = walk_through(store);
    if (walk.keys != keys || walk.has_failed != (reason != NULL))
        fail_msg("\"%s\": %d keys, %d failures, expected %d and %d", parts, walk.keys,
                 walk.has_failed, keys, reason != NULL);
    if (reason != NULL)
        assert_reason(reason, "");
    else
        assert_no_errors();
}

static void every_key_of_a_file_is_found(void **state)
{
    (void)state;
    expect_walk("k", 1, NULL);
    expect_walk("kk", 2, NULL);
    expect_walk("tkotkot", 2, NULL);
    expect_walk("oookkkttt", 3, NULL);
}

/* A damaged blob neither hides the good one before it nor gets lost at the end. */
static void a_damaged_blob_is_said_where_it_stands(void **state)
{
    (void)state;
    expect_walk("kd", 1, "malformed blob");
    expect_walk("kkodt", 2, "malformed blob");
    expect_walk("ks", 1, "seal does not verify");
    expect_walk("sk", 1, "seal does not verify");
    expect_walk("ksk", 2, "seal does not verify");
    expect_walk("s", 0, "seal does not verify");
    expect_walk("os", 0, "seal does not verify");
}

static void a_file_that_begins_with_a_damaged_blob_does_not_open(void **state)
{
    static const char *const parts[] = { "d", "dk", "od", "ttd" };

    (void)state;
    for (size_t n = 0; n < sizeof(parts) / sizeof(parts[0]); n++) {
        write_parts(parts[n]);
        assert_null(open_store(path));
        assert_reason("malformed blob", "");
    }
}

/* ---- searches end ---- */

/* As many lines as a file may have, with a blob at the end of them or none at all. */
static void a_long_text_is_searched_once(void **state)
{
    FILE *file = fopen(path, "wb");
    OSSL_STORE_CTX *store;

    (void)state;
    alarm(LIMIT);
    assert_non_null(file);
    for (int n = 0; n < (4 << 20) - 4096; n++)
        fputc('\n', file);
    fclose(file);
    assert_null(open_store(path));
    assert_reason("malformed blob", "holds no blob of this provider");
    assert_non_null(file = fopen(path, "ab"));
    assert_int_equal(fwrite(pem.data, 1, pem.size, file), pem.size);
    fclose(file);
    assert_non_null(store = open_store(path));
    assert_int_equal(walk_through(store).keys, 1);
    assert_no_errors();
    unlink(path);
    alarm(0);
}

static void refuses(const char *name, const char *says)
{
    assert_null(open_store(name));
    assert_reason("file cannot be read", says);
}

static void what_is_no_file_of_blobs_is_refused_at_once(void **state)
{
    char other[96];
    int file;

    (void)state;
    alarm(LIMIT);
    refuses("/dev/zero", "neither a regular file nor a directory");
    refuses("/nonexistent/file", "No such file");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    refuses(path, "neither a regular file nor a directory");
    unlink(path);
    file = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(ftruncate(file, (off_t)1 << 40), 0);
    close(file);
    refuses(path, "too large");
    unlink(path);
    snprintf(other, sizeof(other), "%s/other", directory);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(symlink(path, other), 0);
    refuses(path, "symbolic links");
    unlink(path);
    unlink(other);
    alarm(0);
}

/* ---- directories ---- */

static void a_directory_gives_what_opens_and_waits_for_nothing(void **state)
{
    static const char *const names[] = { "good.pem",   "fifo",   "huge",    "loop",
                                         "empty",      "text",   ".hidden", "subdirectory",
                                         "unreadable", "damaged" };
    struct exported damaged = pem;
    char name[128];
    OSSL_STORE_CTX *store;
    struct walk walk;

    (void)state;
    damaged.data[damaged.size / 2] = '!';
    alarm(LIMIT);
    assert_int_equal(mkdir(inside, 0700), 0);
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        snprintf(name, sizeof(name), "%s/%s", inside, names[n]);
        switch (n) {
        case 1:
            assert_int_equal(mkfifo(name, 0600), 0);
            break;
        case 3:
            assert_int_equal(symlink(name, name), 0);
            break;
        case 4:
            write_file(name, "", 0);
            break;
        case 5:
            write_file(name, "just a text\n", 12);
            break;
        case 7:
            assert_int_equal(mkdir(name, 0700), 0);
            break;
        case 9:
            write_file(name, damaged.data, damaged.size);
            break;
        default:
            write_file(name, pem.data, pem.size);
            break;
        }
        if (n == 2)
            assert_int_equal(truncate(name, (off_t)1 << 40), 0);
        if (n == 8)
            assert_int_equal(chmod(name, 0), 0);
    }
    assert_non_null(store = open_store(inside));
    walk = walk_through(store);
    /* root reads what nobody may read */
    assert_int_equal(walk.names, geteuid() == 0 ? 2 : 1);
    assert_int_equal(walk.has_failed, 0);
    assert_no_errors();
    for (size_t n = sizeof(names) / sizeof(names[0]); n-- > 0;) {
        snprintf(name, sizeof(name), "%s/%s", inside, names[n]);
        assert_int_equal(n == 7 ? rmdir(name) : unlink(name), 0);
    }
    assert_non_null(store = open_store(inside));
    walk = walk_through(store);
    assert_int_equal(walk.names, 0);
    assert_no_errors();
    assert_int_equal(rmdir(inside), 0);
    alarm(0);
}

static void a_long_reason_ends_with_the_description(void **state)
{
    char name[128], uri[700];
    const char *description;
    OSSL_STORE_CTX *store;
    OSSL_STORE_INFO *info;

    (void)state;
    assert_int_equal(mkdir(inside, 0700), 0);
    snprintf(name, sizeof(name), "%s/good.pem", inside);
    write_file(name, pem.data, pem.size);
    snprintf(uri, sizeof(uri), "schannel:%s?seal-key=file:/%0450d", inside, 7);
    assert_non_null(store = OSSL_STORE_open_ex(uri, libctx, NULL, NULL, NULL, NULL, NULL, NULL));
    assert_non_null(info = OSSL_STORE_load(store));
    assert_non_null(description = OSSL_STORE_INFO_get0_NAME_description(info));
    assert_non_null(strstr(description, ", not opened: "));
    assert_int_equal(strlen(description), 399);
    assert_string_equal(description + 398, "0");
    OSSL_STORE_INFO_free(info);
    OSSL_STORE_close(store);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(rmdir(inside), 0);
    ERR_clear_error();
}

/* The directory takes the last file descriptor. */
static void a_process_out_of_file_descriptors_is_told(void **state)
{
    struct rlimit before, limit;
    OSSL_STORE_CTX *store;
    struct walk walk;
    char name[128];
    int next;

    (void)state;
    alarm(LIMIT);
    assert_int_equal(mkdir(inside, 0700), 0);
    snprintf(name, sizeof(name), "%s/good.pem", inside);
    write_file(name, pem.data, pem.size);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true((next = open("/dev/null", O_RDONLY)) >= 0);
    assert_int_equal(close(next), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)next + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    store = open_store(inside);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_non_null(store);
    assert_null(OSSL_STORE_load(store));
    assert_reason("file cannot be read", "something in it cannot be read");
    walk = walk_through(store);
    assert_int_equal(walk.names, 0);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(rmdir(inside), 0);
    alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_a_file_is_found),
        cmocka_unit_test(a_damaged_blob_is_said_where_it_stands),
        cmocka_unit_test(a_file_that_begins_with_a_damaged_blob_does_not_open),
        cmocka_unit_test(a_long_text_is_searched_once),
        cmocka_unit_test(what_is_no_file_of_blobs_is_refused_at_once),
        cmocka_unit_test(a_directory_gives_what_opens_and_waits_for_nothing),
        cmocka_unit_test(a_long_reason_ends_with_the_description),
        cmocka_unit_test(a_process_out_of_file_descriptors_is_told),
    };

    return cmocka_run_group_tests(tests, setup, fixture_teardown);
}
