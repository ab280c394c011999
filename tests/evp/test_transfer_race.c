/*
 * Many processes and one transfer blob: of 64 that race for it exactly one gets the key, and a
 * process that is killed in the middle of its claim may lose the key, but never leaves it to two.
 *
 * The races are run by processes that are forked once and meet at barriers in shared memory; each
 * has a library context of its own.  The sealing key is "runtime", in a directory of the test's own,
 * and the claims are beside it.  Everything ends by itself: the alarm kills the children by their
 * number, and they die with their parent.
 */
#define _GNU_SOURCE /* sched_yield, MAP_ANONYMOUS, nftw */
#include "fixture.h"

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "file_calls.h"
#include "sample.h"

#define WORKERS         64
#define ROUNDS          1000
#define HANGING_SECONDS 900

/* Steps at which a victim does not die: it lives, or its parent kills it after some time. */
#define LIVES         (FILE_CALLS_NEVER + 1)
#define BY_TIMER      FILE_CALLS_NEVER

#define OPENED_BEFORE "blob was opened before"

/* What became of one try to use a blob. */
enum outcome { NOTHING = 0, OPENED, TOLD_SO, WRONG };

/* In memory that all processes share. */
struct shared {
    pthread_barrier_t barrier;
    size_t size;
    unsigned char blob[MAX_BLOB];
    int is_over;
    enum outcome outcomes[WORKERS]; /* of a round */
    char complaint[256];            /* of what was WRONG */
    /* of a process that is killed */
    atomic_int is_trying;
    enum outcome victim, heir;
    unsigned char stream[64]; /* what its cipher gave out, zeros before */
    size_t calls;
    struct file_call call[FILE_CALLS_MAX];
};

static struct shared *shared;
static pid_t children[WORKERS];
static size_t child_count;
static char runtime_directory[128];

/* ---- processes ---- */

/* Only what a handler may call. */
static void give_up(int number)
{
    static const char sentence[] = "the test hangs: giving up\n";

    (void)number;
    for (size_t n = 0; n < child_count; n++) {
        if (children[n] > 0)
            kill(children[n], SIGKILL);
    }
    if (write(STDERR_FILENO, sentence, sizeof(sentence) - 1) < 0)
        _exit(3);
    _exit(2);
}

/* fork; the child does not outlive its parent, and hangs no longer than it. */
static pid_t fork_child(void)
{
    pid_t parent = getpid(), child = fork();

    if (child != 0)
        return child;
    child_count = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(4);
    signal(SIGALRM, SIG_DFL);
    alarm(HANGING_SECONDS);
    return 0;
}

static int reap(pid_t child)
{
    int status = -1;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* ---- one try: no assertion here, since this runs in children ---- */

/* The last failure: told that the blob was opened before, and nothing else. */
static enum outcome why_not(void)
{
    const char *data = "", *reason, *library;
    int flags, ours = 0;
    unsigned long error;
    enum outcome outcome = WRONG;

    while ((error = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        library = ERR_lib_error_string(error);
        if (library == NULL || strcmp(library, "schannel") != 0)
            continue;
        reason = ERR_reason_error_string(error);
        snprintf(shared->complaint, sizeof(shared->complaint), "%s: %s", reason, data);
        outcome = strcmp(reason, OPENED_BEFORE) == 0 ? TOLD_SO : WRONG;
        ours++;
    }
    return ours == 1 ? outcome : WRONG;
}

/* The blob of this round; nothing is claimed by that. */
static EVP_PKEY *take(OSSL_LIB_CTX *library)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(library, "SCHANNEL", NULL);
    OSSL_PARAM params[] = {
        octets_param("opaque-blob", shared->blob, shared->size),
        text_param("seal-key", "runtime"),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;

    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

/* A cipher context for |key|, whose initialisation claims; its first bytes go to |out|. */
static int encrypt(OSSL_LIB_CTX *library, EVP_PKEY *key, unsigned char *out, int counted,
                   size_t step)
{
    static const unsigned char zeros[sizeof(shared->stream)];
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(library, "SCHANNEL-RC4", NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t handle[KEY_HANDLE_SIZE];
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    size_t size;
    int written,
        ok = EVP_PKEY_get_octet_string_param(key, "key-handle", handle, sizeof(handle), &size);

    shared->is_trying = 1;
    if (counted)
        file_calls_start(step);
    ok = ok && EVP_EncryptInit_ex2(context, cipher, NULL, NULL, bind);
    if (counted)
        shared->calls = file_calls_stop(shared->call);
    ok = ok && EVP_EncryptUpdate(context, out, &written, zeros, sizeof(zeros));
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return ok;
}

static int export_it(EVP_PKEY *key)
{
    uint8_t blob[MAX_BLOB];
    size_t size;

    return EVP_PKEY_get_octet_string_param(key, "opaque-blob", blob, sizeof(blob), &size);
}

static int duplicate(EVP_PKEY *key)
{
    EVP_PKEY *copy = EVP_PKEY_dup(key);

    EVP_PKEY_free(copy);
    return copy != NULL;
}

/* Whatever the processes do with the key, one of them does it. */
static enum outcome try(OSSL_LIB_CTX *library, EVP_PKEY *key, size_t number)
{
    unsigned char out[sizeof(shared->stream)];
    int ok;

    if (key == NULL)
        return WRONG;
    switch (number % 4) {
    case 0:
        ok = export_it(key);
        break;
    case 1:
        ok = duplicate(key);
        break;
    default:
        ok = encrypt(library, key, out, 0, FILE_CALLS_NEVER);
    }
    return ok ? OPENED : why_not();
}

/* A new transfer, in |shared|. */
static void offer_transfer(void)
{
    uint8_t secret[16];
    OSSL_PARAM params[] = {
        text_param("alg", "RC4"),          octets_param("secret", secret, sizeof(secret)),
        text_param("seal-key", "runtime"), text_param("blob-mode", "transfer"),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key;

    pattern(secret, sizeof(secret), 11);
    key = from_data(params);
    assert_non_null(key);
    shared->size = export_blob(key, shared->blob);
    EVP_PKEY_free(key);
}

/* ---- the race ---- */

static OSSL_LIB_CTX *new_library(void)
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();

    if (library == NULL || OSSL_PROVIDER_load(library, "default") == NULL ||
        !OSSL_PROVIDER_set_default_search_path(library, MODULE_DIR) ||
        OSSL_PROVIDER_load(library, "schannel") == NULL)
        return NULL;
    return library;
}

static void work(size_t number)
{
    OSSL_LIB_CTX *library = new_library();

    for (;;) {
        EVP_PKEY *key;

        pthread_barrier_wait(&shared->barrier); /* there is a blob */
        if (shared->is_over)
            _exit(0);
        key = library == NULL ? NULL : take(library);
        pthread_barrier_wait(&shared->barrier); /* everybody has it */
        shared->outcomes[number] = try(library, key, number);
        pthread_barrier_wait(&shared->barrier); /* everybody has tried */
        EVP_PKEY_free(key);
    }
}

static size_t count_outcomes(enum outcome outcome)
{
    size_t count = 0;

    for (size_t n = 0; n < WORKERS; n++)
        count += shared->outcomes[n] == outcome;
    return count;
}

static void start_workers(void)
{
    pthread_barrierattr_t attributes;

    assert_int_equal(pthread_barrierattr_init(&attributes), 0);
    assert_int_equal(pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED), 0);
    assert_int_equal(pthread_barrier_init(&shared->barrier, &attributes, WORKERS + 1), 0);
    pthread_barrierattr_destroy(&attributes);
    for (size_t n = 0; n < WORKERS; n++) {
        children[n] = fork_child();
        if (children[n] == 0)
            work(n);
        if (children[n] < 0)
            give_up(0);
        child_count = n + 1;
    }
}

static size_t stop_workers(void)
{
    size_t failed = 0;

    shared->is_over = 1;
    pthread_barrier_wait(&shared->barrier);
    for (size_t n = 0; n < WORKERS; n++) {
        failed += reap(children[n]) != 0;
        children[n] = 0;
    }
    child_count = 0;
    pthread_barrier_destroy(&shared->barrier);
    return failed;
}

static void of_64_processes_exactly_one_opens_a_transfer(void **state)
{
    const size_t all_rounds = sampled_rounds(ROUNDS, 16);
    size_t winners[WORKERS] = { 0 }, rounds[3] = { 0 }, wrong = 0, different = 0;

    (void)state;
    offer_transfer(); /* also makes the sealing key, before anybody looks for it */
    start_workers();
    for (size_t round = 0; round < all_rounds; round++) {
        size_t opened;

        offer_transfer();
        memset(shared->outcomes, 0, sizeof(shared->outcomes));
        for (size_t n = 0; n < 3; n++)
            pthread_barrier_wait(&shared->barrier);
        opened = count_outcomes(OPENED);
        rounds[opened < 2 ? opened : 2]++;
        wrong += WORKERS - opened - count_outcomes(TOLD_SO);
        for (size_t n = 0; n < WORKERS; n++)
            winners[n] += shared->outcomes[n] == OPENED;
    }
    assert_int_equal(stop_workers(), 0);
    for (size_t n = 0; n < WORKERS; n++)
        different += winners[n] != 0;
    print_message("%zu rounds of %d processes: %zu with one winner, %zu with none, %zu with more; "
                  "%zu of the processes have won\n",
                  all_rounds, WORKERS, rounds[1], rounds[0], rounds[2], different);
    if (wrong != 0)
        fail_msg("%zu tries failed otherwise, the last one with \"%s\"", wrong, shared->complaint);
    assert_int_equal(rounds[1], all_rounds);
    /* otherwise nobody raced */
    assert_in_range(different, 2, WORKERS);
}

/* ---- the calls of a claim ---- */

/* Makes |shared->calls| those of a claim by this process. */
static void claim_counted(void)
{
    EVP_PKEY *key;
    unsigned char out[sizeof(shared->stream)];

    key = take(libctx);
    assert_non_null(key);
    assert_int_equal(encrypt(libctx, key, out, 1, FILE_CALLS_NEVER), 1);
    EVP_PKEY_free(key);
}

/* The place of the call that makes the file of the claim. */
static size_t creating_call(void)
{
    size_t n = 0;

    while (n < shared->calls && shared->call[n].name != 'c')
        n++;
    assert_in_range(n, 0,
                    shared->calls - 1); /* the module does call the functions of this program */
    return n;
}

/* Was |fd| opened before the file of the claim was made, and is it not that file?  (closedir closes
 * unseen, so that the file may have a number that another one had.) */
static int is_directory_of_claim(size_t create, int fd)
{
    int open = 0;

    for (size_t n = 0; n < create; n++) {
        if (shared->call[n].fd == fd)
            open = shared->call[n].name == 'o';
    }
    return open && fd != shared->call[create].fd;
}

/* A crash of the machine cannot be had in a test: the order of the calls is what can be seen. */
static void a_claim_is_on_disk_before_the_key_is_used(void **state)
{
    char names[FILE_CALLS_MAX + 1] = "";
    size_t create, synced_file = 0, synced_directory = 0;

    (void)state;
    offer_transfer();
    claim_counted();
    create = creating_call();
    for (size_t n = 0; n < shared->calls; n++) {
        const struct file_call *call = &shared->call[n];

        names[n] = call->name;
        if (call->name == 'f' && n > create && call->fd == shared->call[create].fd)
            synced_file = n;
        if (call->name == 'f' && n > create && is_directory_of_claim(create, call->fd))
            synced_directory = n;
    }
    print_message("calls of a claim: %s (o open, c create, f fsync, x close)\n", names);
    assert_in_range(synced_file, create + 1, shared->calls);
    assert_in_range(synced_directory, create + 1, shared->calls);
}

/* |error| of the call |name|: the claim is refused.  What then becomes of the blob is returned. */
static enum outcome after_failure(char name, int error)
{
    EVP_PKEY *key, *other;
    EVP_PKEY *copy;
    enum outcome outcome;

    offer_transfer();
    key = take(libctx);
    other = take(libctx);
    assert_non_null(key);
    assert_non_null(other);
    ERR_clear_error();
    file_calls_start(FILE_CALLS_NEVER);
    file_calls_fail(name, error);
    copy = EVP_PKEY_dup(key);
    file_calls_stop(NULL);
    assert_null(copy);
    assert_reason("claim cannot be recorded", strerror(error));
    /* once more with the same object, and then with the other */
    outcome = duplicate(key) ? OPENED : why_not();
    assert_int_equal(duplicate(other), 0);
    assert_reason(OPENED_BEFORE, runtime_directory);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    return outcome;
}

/* A file that was made but may not be on disk is a claim all the same: better lost than twice. */
static void a_claim_that_cannot_be_written_opens_nothing(void **state)
{
    (void)state;
    assert_int_equal(after_failure('c', ENOSPC), OPENED);
    assert_int_equal(after_failure('c', EROFS), OPENED);
    assert_int_equal(after_failure('c', EDQUOT), OPENED);
    assert_int_equal(after_failure('f', EIO), TOLD_SO);
    assert_int_equal(after_failure('f', ENOSPC), TOLD_SO);
}

/* ---- crashes ---- */

static void be_the_victim(size_t step)
{
    EVP_PKEY *key = take(libctx);

    if (key == NULL)
        _exit(5);
    shared->victim = encrypt(libctx, key, shared->stream, 1, step) ? OPENED : why_not();
    EVP_PKEY_free(key);
    _exit(0);
}

static void be_the_heir(void)
{
    EVP_PKEY *key = take(libctx);

    shared->heir = try(libctx, key, 2);
    EVP_PKEY_free(key);
    _exit(0);
}

static uint64_t microseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Counts over all rounds. */
struct tally {
    size_t killed, by_victim, by_heir, lost, twice, wrong;
};

/* A child that dies at |step|, or |delay| microseconds after it began to try.  1: it was killed. */
static int run_victim(size_t step, uint64_t delay)
{
    pid_t child;
    int status;

    shared->victim = shared->heir = NOTHING;
    memset(shared->stream, 0, sizeof(shared->stream));
    shared->is_trying = 0;
    children[0] = child = fork_child();
    if (child == 0)
        be_the_victim(step);
    assert_true(child > 0);
    child_count = 1;
    if (step == BY_TIMER) {
        uint64_t start;

        while (!shared->is_trying && waitpid(child, NULL, WNOHANG | WNOWAIT) == 0)
            sched_yield();
        for (start = microseconds(); microseconds() - start < delay;)
            ;
        kill(child, SIGKILL);
    }
    status = reap(child);
    child_count = 0;
    assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static void run_heir(void)
{
    pid_t child;

    children[0] = child = fork_child();
    if (child == 0)
        be_the_heir();
    assert_true(child > 0);
    child_count = 1;
    assert_int_equal(reap(child), 0);
    child_count = 0;
}

/* 1 when the victim's cipher gave anything out, whatever else it could say. */
static int victim_opened(void)
{
    static const unsigned char zeros[sizeof(shared->stream)];

    return shared->victim == OPENED || memcmp(shared->stream, zeros, sizeof(zeros)) != 0;
}

static void run_crash(size_t step, uint64_t delay, struct tally *tally)
{
    EVP_PKEY *key;
    size_t opened;

    offer_transfer();
    tally->killed += (size_t)run_victim(step, delay);
    run_heir();
    opened = (size_t)victim_opened() + (shared->heir == OPENED);
    tally->by_victim += (size_t)victim_opened();
    tally->by_heir += shared->heir == OPENED;
    tally->lost += opened == 0;
    tally->twice += opened > 1;
    tally->wrong += shared->heir != OPENED && shared->heir != TOLD_SO;
    tally->wrong += shared->victim == TOLD_SO || shared->victim == WRONG;
    /* whoever comes third comes too late */
    ERR_clear_error();
    key = take(libctx);
    assert_non_null(key);
    assert_int_equal(duplicate(key), 0);
    assert_reason(OPENED_BEFORE, runtime_directory);
    EVP_PKEY_free(key);
}

/* How long a victim takes when nobody kills it. */
static uint64_t usual_time(void)
{
    uint64_t start, total = 0;

    for (size_t n = 0; n < 8; n++) {
        EVP_PKEY *key;
        unsigned char out[sizeof(shared->stream)];

        offer_transfer();
        key = take(libctx);
        assert_non_null(key);
        start = microseconds();
        assert_int_equal(encrypt(libctx, key, out, 0, FILE_CALLS_NEVER), 1);
        total += microseconds() - start;
        EVP_PKEY_free(key);
    }
    return total / 8 + 1;
}

static void print_tally(const char *how, size_t rounds, const struct tally *tally)
{
    print_message("%s: %zu rounds, %zu killed, opened by the first process %zu, by the second %zu, "
                  "twice %zu, lost %zu\n",
                  how, rounds, tally->killed, tally->by_victim, tally->by_heir, tally->twice,
                  tally->lost);
}

static void check_tally(size_t rounds, const struct tally *tally)
{
    if (tally->wrong != 0)
        fail_msg("%zu tries failed otherwise, the last one with \"%s\"", tally->wrong,
                 shared->complaint);
    assert_int_equal(tally->twice, 0);
    assert_int_equal(tally->by_victim + tally->by_heir + tally->lost, rounds);
}

static void a_process_killed_at_any_step_of_its_claim_never_leaves_the_key_to_two(void **state)
{
    struct tally tally = { 0 };
    size_t create, steps, rounds;

    (void)state;
    offer_transfer();
    /* in a child, like those to come: what has just been cleaned is not cleaned again here */
    run_victim(LIVES, 0);
    steps = 2 * shared->calls;
    create = creating_call();
    assert_in_range(steps, 12, FILE_CALLS_NEVER - 2);
    rounds = sampled_rounds(ROUNDS, steps);
    for (size_t round = 0; round < rounds; round++) {
        size_t step = round % steps;
        struct tally before = tally;

        run_crash(step, 0, &tally);
        /* a few steps more or less, when the journal is cleaned: the child says how it was */
        if (tally.killed == before.killed)
            continue;
        assert_int_equal(tally.by_victim, before.by_victim); /* it dies inside the claim */
        /* before anything was made the key is not lost, and afterwards it is nobody's */
        if (step + 2 <= 2 * create)
            assert_int_equal(tally.by_heir, before.by_heir + 1);
        if (step > 2 * create + 2)
            assert_int_equal(tally.lost, before.lost + 1);
    }
    print_message("%zu steps, the file is made between steps %zu and %zu\n", steps, 2 * create,
                  2 * create + 1);
    print_tally("killed at every step", rounds, &tally);
    check_tally(rounds, &tally);
    assert_in_range(tally.by_heir, 1, rounds);
    assert_in_range(tally.lost, 1, rounds);
    assert_in_range(tally.killed, rounds - rounds / 8, rounds);
}

static void a_process_killed_at_any_time_never_leaves_the_key_to_two(void **state)
{
    const size_t rounds = sampled_rounds(ROUNDS, 16);
    struct tally tally = { 0 };
    uint64_t usual;

    (void)state;
    usual = usual_time();
    for (size_t round = 0; round < rounds; round++)
        run_crash(BY_TIMER, usual * 3 / 2 * round / rounds, &tally);
    print_message("a claim takes %llu microseconds here\n", (unsigned long long)usual);
    print_tally("killed at any time", rounds, &tally);
    check_tally(rounds, &tally);
    assert_in_range(tally.killed, 1, rounds);
}

/* ---- the group ---- */

static int set_up(void **state)
{
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || fixture_setup(state) != 0)
        return -1;
    snprintf(runtime_directory, sizeof(runtime_directory), "%s/runtime", directory);
    setenv("XDG_RUNTIME_DIR", runtime_directory, 1);
    signal(SIGALRM, give_up);
    alarm(HANGING_SECONDS);
    return mkdir(runtime_directory, 0700);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static int tear_down(void **state)
{
    alarm(0);
    munmap(shared, sizeof(*shared));
    return nftw(runtime_directory, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0
               ? fixture_teardown(state)
               : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_64_processes_exactly_one_opens_a_transfer),
        cmocka_unit_test(a_claim_is_on_disk_before_the_key_is_used),
        cmocka_unit_test(a_claim_that_cannot_be_written_opens_nothing),
        cmocka_unit_test(a_process_killed_at_any_step_of_its_claim_never_leaves_the_key_to_two),
        cmocka_unit_test(a_process_killed_at_any_time_never_leaves_the_key_to_two),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
