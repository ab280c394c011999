/*
 * Every operation of the provider while something fails: each allocation once, at every point, its own
 * and libcrypto's; each call into the C library; each random number.
 *
 * What must hold: the operation fails with one reason of the provider's (or succeeds, with the same
 * result, where what failed is not needed), nothing is leaked or half made, no file is left, and the
 * same operation works right afterwards with the result that it always has.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "run.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include "random_method.h"

#define COLD_RUNS 9 /* of a child: libcrypto counts the providers of a process with 8 bits */

/* Places that only an EVP_SKEY asks, which OpenSSL has from 3.5 on. */
#define VIEWS (OPENSSL_VERSION_PREREQ(3, 5) ? 0 : 2)

OSSL_LIB_CTX *main_libctx;

static OSSL_PROVIDER *main_providers[3];
static struct score *score; /* shared with children */

/* ---- libcrypto's own faults ---- */

/* For OpenSSL 3.0, which nothing else takes the allocator's place of. */
#define EXCEPTIONS_ARE_LISTED (!OPENSSL_VERSION_PREREQ(3, 1) && !WITH_SANITIZER)

/* By the exported functions that lead there, and the one that has the fault. */
static const struct {
    const char *outer, *inner, *why;
} exceptions[] = {
    { "OSSL_STORE_load", "OSSL_DECODER_CTX_new_for_pkey",
      "try_key_value goes on without the decoder context that it did not get" },
    { "OSSL_PROVIDER_try_load", "OSSL_LIB_CTX_new_child",
      "a child context that is half made is leaked, or ends the process" },
    { "OSSL_PROVIDER_try_load", "OSSL_PROVIDER_try_load",
      "a provider that is half loaded is leaked" },
    { "OSSL_PARAM_dup", "OSSL_PARAM_dup",
      "EVP_PKEY_todata: a success is reported, with no parameters" },
};

const char *exception_of(const struct point *point)
{
    for (size_t n = 0; n < COUNT(exceptions); n++) {
        if (point_is_in(point, exceptions[n].outer) && point_is_in(point, exceptions[n].inner))
            return exceptions[n].why;
    }
    return NULL;
}

/* ---- keys of others, in files ---- */

static void path_in_directory(char path[200], const char *name)
{
    snprintf(path, 200, "%s/%s", directory, name);
}

static void write_pair(EVP_PKEY *key, const char *private_name, const char *public_name)
{
    char path[200];
    FILE *file;

    path_in_directory(path, private_name);
    assert_non_null(file = fopen(path, "w"));
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    path_in_directory(path, public_name);
    assert_non_null(file = fopen(path, "w"));
    assert_int_equal(PEM_write_PUBKEY(file, key), 1);
    fclose(file);
}

static void write_der(EVP_PKEY *key, const char *name)
{
    char path[200];
    BIO *file;

    path_in_directory(path, name);
    assert_non_null(file = BIO_new_file(path, "wb"));
    assert_int_equal(i2d_PUBKEY_bio(file, key), 1);
    BIO_free(file);
}

static void write_certificate(EVP_PKEY *key, const char *name)
{
    X509 *certificate = X509_new();
    char path[200];
    FILE *file;

    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    path_in_directory(path, name);
    assert_non_null(file = fopen(path, "w"));
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
    X509_free(certificate);
}

/* What libcrypto keeps once there was no key in a file. */
static void fill_caches(void)
{
    static const struct operation operation = { .detail = "simpleblob" };
    struct scene scene = { .key = NULL };

    spec_read(&scene.spec, "alg=RC4 secret=*16 exportable=#1");
    assert_non_null(scene.key = from_data(scene.spec.list.params));
    spec_read(&scene.spec, "exchange-key=@/a");
    assert_int_equal(act_encode(&scene, &operation), 0);
    scene_free(&scene);
    ERR_clear_error();
}

static int setup(void **state)
{
    EVP_PKEY *key;
    char path[200];
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(directory));
    setenv("XDG_STATE_HOME", directory, 1);
    unsetenv("XDG_RUNTIME_DIR");
    path_in_directory(path, "a");
    assert_non_null(file = fopen(path, "w"));
    fputs("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", file);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
    path_in_directory(path, "claims");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_non_null(key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024));
    write_pair(key, "rsa.pem", "rsa.pub.pem");
    write_der(key, "rsa.pub.der");
    write_certificate(key, "rsa.crt.pem");
    EVP_PKEY_free(key);
    assert_non_null(key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024));
    write_pair(key, "other.pem", "other.pub.pem");
    EVP_PKEY_free(key);
    assert_non_null(key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
    write_pair(key, "ed25519.pem", "ed25519.pub.pem");
    write_der(key, "ed25519.pub.der");
    EVP_PKEY_free(key);
    libctx = main_libctx = context_open(main_providers);
    sites_find();
    fill_caches();
    score = mmap(NULL, sizeof(*score), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(score != MAP_FAILED);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    context_close(libctx, main_providers);
    munmap(score, sizeof(*score));
    remove_directory("@");
    return access(directory, F_OK) == 0;
}

/* ---- every operation ---- */

static void with_every_operation(void (*function)(const struct operation *, enum point_kind),
                                 enum point_kind kind)
{
    const char *only = getenv("STARVE_ONLY");
    const struct operations rooms[] = { key_operations(),     derivation_operations(),
                                        context_operations(), message_operations(),
                                        blob_operations(),    file_operations(),
                                        skey_operations() };

    memset(score, 0, sizeof(*score));
    for (size_t room = 0; room < COUNT(rooms); room++) {
        for (size_t n = 0; n < rooms[room].count; n++) {
            if ((only != NULL && strstr(rooms[room].rows[n].name, only) == NULL) ||
                ((rooms[room].rows[n].flags & IS_A_MODULE) != 0 && kind != POINT_OURS))
                continue;
            function(&rooms[room].rows[n], kind);
            score->operations++;
        }
    }
}

#ifdef WITH_COUNTERS
extern void __gcov_dump(void);

/* What was counted until then counts. */
static void die_counted(int number)
{
    signal(number, SIG_DFL);
    __gcov_dump();
    raise(number);
}
#else
#define die_counted SIG_DFL
#endif

/* A child process for some runs: libcrypto may not survive them.  Its exit status. */
static int run_child(const struct operation *operation, enum point_kind kind, size_t from)
{
    const size_t most = runs_are_warm(operation, kind) ? SIZE_MAX - from : COLD_RUNS;
    pid_t child;
    int status;

    fflush(stdout);
    assert_true((child = fork()) >= 0);
    if (child == 0) {
        setenv("CMOCKA_TEST_ABORT", "1", 1);
        signal(SIGSEGV, die_counted);
        signal(SIGABRT, die_counted);
        status = (int)run_operation(operation, kind, from, most, score);
        fflush(stdout);
        _exit(status);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* What a child does not survive is an exception, or a fault. */
static void note_end(const struct operation *operation, int status)
{
    score->points++;
    if (exception_of(&score->hit) != NULL) {
        score->excepted++;
        return;
    }
    printf("%s, %zu (%s:%d): the process ends with status %x\n", operation->name, score->number,
           score->hit.name, score->hit.line, (unsigned)status);
    score->bad++;
}

static void run_every_point(const struct operation *operation, enum point_kind kind)
{
    for (size_t from = 1;; from = score->number + 1) {
        int status;

        score->number = 0;
        status = run_child(operation, kind, from);
        if (WIFEXITED(status) && WEXITSTATUS(status) == RUN_FINISHED)
            return;
        if (score->number < from) {
            printf("%s: ends with status %x before anything fails\n", operation->name,
                   (unsigned)status);
            score->bad++;
            return;
        }
        if (!WIFEXITED(status) || WEXITSTATUS(status) != RUN_MORE)
            note_end(operation, status);
    }
}

static void starve(enum point_kind kind, const char *what)
{
    with_every_operation(run_every_point, kind);
    print_message("%s: %zu operations, %zu points: %zu refused, %zu absorbed, %zu excepted\n", what,
                  score->operations, score->points, score->refused, score->absorbed,
                  score->excepted);
    assert_int_equal(score->bad, 0);
    assert_true(score->points > 0);
}

static void without_memory_of_its_own(void **state)
{
    size_t sites, missing;

    (void)state;
    starve(POINT_OURS, "the provider's allocations");
    missing = sites_missing(&sites);
    print_message("%zu places in the sources, %zu of them met\n", sites, sites - missing);
    assert_true(missing <= VIEWS || getenv("STARVE_ONLY") != NULL);
}

#if EXCEPTIONS_ARE_LISTED
static void without_memory_of_libcrypto(void **state)
{
    (void)state;
    starve(POINT_LIBCRYPTO, "libcrypto's allocations");
}
#endif

static void without_files(void **state)
{
    (void)state;
    starve(POINT_FILE, "calls into the C library");
}

static void with_interruptions(void **state)
{
    (void)state;
    starve(POINT_INTERRUPTED, "interrupted reads and writes");
}

static void with_short_transfers(void **state)
{
    (void)state;
    starve(POINT_SHORT, "short reads and writes");
}

static void without_random_numbers(void **state)
{
    (void)state;
    starve(POINT_RANDOM, "random numbers");
}

static void with_failing_calls(void **state)
{
    (void)state;
    starve(POINT_CRYPTO, "calls into libcrypto");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_of_its_own),
        cmocka_unit_test(without_files),
        cmocka_unit_test(with_interruptions),
        cmocka_unit_test(with_short_transfers),
        cmocka_unit_test(without_random_numbers),
        cmocka_unit_test(with_failing_calls),
#if EXCEPTIONS_ARE_LISTED
        cmocka_unit_test(without_memory_of_libcrypto),
#endif
    };

    if (!EXCEPTIONS_ARE_LISTED)
        printf("without failing allocations of libcrypto's: the release build with OpenSSL 3.0 has "
               "them\n");
    if (!points_install() || !random_method_install()) {
        fprintf(stderr, "libcrypto does not take these functions\n");
        return 1;
    }
    cmocka_set_test_filter(getenv("STARVE_TEST"));
    return cmocka_run_group_tests(tests, setup, teardown);
}
