/* One operation with one kind of failure, at every point: see run.h. */
#include "run.h"

#include <stdarg.h>
#include <openssl/crypto.h>
#include "errors.h"

#define MAX_SHOWN      3
#define LIBCRYPTO_STEP 11 /* of its allocations, unless STARVE_ALL is set */

/* What the operation gives when nothing fails. */
struct answer {
    size_t size;
    uint8_t data[MAX_OUT];
};

struct run {
    const struct operation *operation;
    enum point_kind kind;
    struct score *score;
    struct answer answer;
    struct point hit;
    int is_warming, is_repeated, is_bad, is_excepted;
};

static const char *const kind_names[POINT_KINDS] = {
    [POINT_OURS] = "allocation",  [POINT_LIBCRYPTO] = "allocation of libcrypto's",
    [POINT_FILE] = "call",        [POINT_INTERRUPTED] = "interrupted call",
    [POINT_SHORT] = "short call", [POINT_RANDOM] = "call",
    [POINT_CRYPTO] = "call",
};

static void complain(struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void complain(struct run *run, const char *format, ...)
{
    va_list arguments;

    run->is_excepted |= run->hit.name != NULL && exception_of(&run->hit) != NULL;
    run->is_bad = 1;
    if (run->is_excepted)
        return;
    printf("%s, %s %zu (%s:%d): ", run->operation->name, kind_names[run->kind], run->score->number,
           run->hit.name != NULL ? run->hit.name : "none", run->hit.line);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

/* ---- the error queue ---- */

/* Exactly one reason of the provider's, or libcrypto's own when the failure is in what the provider
 * calls back. */
static void check_errors(struct run *run)
{
    size_t all = 0, ours = 0;
    unsigned long error;
    const char *file;
    int reason = 0;

    while ((error = ERR_get_error_all(&file, NULL, NULL, NULL, NULL)) != 0) {
        all++;
        /* Newer libcryptos say themselves that an allocation failed, and where. */
        if (strncmp(file, "provider/", 9) != 0 || ERR_GET_LIB(error) < ERR_LIB_USER)
            continue;
        ours++;
        reason = ERR_GET_REASON(error);
    }
    if (run->kind == POINT_LIBCRYPTO && !point_is_in_provider(&run->hit)) {
        run->score->silent += all == 0;
        return;
    }
    if ((run->operation->flags & IS_LOAD) != 0 || (run->kind == POINT_LIBCRYPTO && ours == 0)
            ? all == 0
            : ours != 1)
        complain(run, "failed with %zu reasons of the provider's, %zu errors in all", ours, all);
    else if (run->kind == POINT_OURS && ours == 1 && reason != SCHANNEL_R_OUT_OF_MEMORY &&
             !point_is_in(&run->hit, "OSSL_DECODER_CTX_new_for_pkey")) /* which does not say why */
        complain(run, "failed with reason %d, not with \"out of memory\"", reason);
}

/* ---- one run ---- */

static int act(struct run *run, struct scene *scene)
{
    scene->out_size = 0;
    return run->operation->act(scene, run->operation);
}

static void prepare(const struct run *run, struct scene *scene)
{
    const struct operation *operation = run->operation;
    struct spec key;

    memset(scene, 0, sizeof(*scene));
    if (operation->spec != NULL && strncmp(operation->spec, "schannel:", 9) != 0)
        spec_read(&scene->spec, operation->spec);
    else
        spec_read(&scene->spec, NULL);
    if (operation->key != NULL) {
        spec_read(&key, operation->key);
        if ((scene->key = from_data(key.list.params)) == NULL) {
            ERR_print_errors_fp(stdout);
            fail_msg("%s: its key cannot be made", operation->name);
        }
    }
    if (operation->prepare != NULL)
        operation->prepare(scene, operation);
    ERR_clear_error();
}

static void release(const struct run *run, struct scene *scene)
{
    if (run->operation->release != NULL)
        run->operation->release(scene, run->operation);
    else
        scene_free(scene);
}

/* What came out: compared with the answer, or made to be it. */
static void check_answer(struct run *run, struct scene *scene, int is_first)
{
    struct answer *answer = &run->answer;

    if (scene->made != NULL && (run->operation->flags & IS_RANDOM) == 0)
        give_made(scene);
    if (is_first) {
        answer->size = scene->out_size;
        memcpy(answer->data, scene->out, answer->size);
    } else if (answer->size != scene->out_size ||
               memcmp(answer->data, scene->out, answer->size) != 0) {
        complain(run, "another result than without failures");
    }
}

/* After a failure nothing is made, and the same is done again with success. */
static void check_refusal(struct run *run, struct scene *scene, const EVP_PKEY *made_before)
{
    const int is_spent = run->kind == POINT_FILE && (run->operation->flags & IS_SPENT) != 0;

    check_errors(run);
    if (run->kind == POINT_INTERRUPTED || run->kind == POINT_SHORT)
        complain(run, "refused");
    if (scene->made != made_before)
        complain(run, "failed, and there is a key");
    if (is_spent) {
        release(run, scene);
        prepare(run, scene);
    }
    if (!act(run, scene)) {
        complain(run, "fails the second time, when nothing else does");
        ERR_print_errors_fp(stdout);
    } else {
        check_answer(run, scene, 0);
    }
}

static void check_holdings(struct run *run, struct holdings before, const char *when)
{
    struct holdings after = points_holdings();

    if (libctx != main_libctx) { /* what a context keeps goes with it, decoders that it knows too */
        after.libcrypto = before.libcrypto;
        if (OPENSSL_VERSION_PREREQ(3, 1))
            after.ours = before.ours;
    }
    if (run->is_warming || (after.ours == before.ours && after.libcrypto <= before.libcrypto &&
                            after.descriptors == before.descriptors))
        return;
    complain(
        run, "%s: %+zd blocks of the provider's, %+zd of libcrypto's, %+zd file descriptors left",
        when, (ssize_t)(after.ours - before.ours), (ssize_t)(after.libcrypto - before.libcrypto),
        (ssize_t)(after.descriptors - before.descriptors));
    if (!run->is_excepted)
        points_print_youngest(MAX_SHOWN);
}

/* In the library context that is there.  1 when the point was met. */
static int run_once(struct run *run, size_t number)
{
    const struct holdings before = points_holdings();
    struct scene scene;
    const EVP_PKEY *made_before;
    int ok;

    run->hit.name = NULL;
    prepare(run, &scene);
    made_before = scene.made;
    points_arm(run->kind, number, &run->score->hit);
    ok = act(run, &scene);
    points_disarm();
    run->hit = run->score->hit;
    if (ok)
        check_answer(run, &scene, number == 0);
    else if (run->hit.name != NULL)
        check_refusal(run, &scene, made_before);
    else {
        ERR_print_errors_fp(stdout);
        complain(run, "fails without a cause");
    }
    if (run->hit.name != NULL && !run->is_bad && !run->is_repeated) {
        run->score->refused += !ok;
        run->score->absorbed += (size_t)ok;
    }
    release(run, &scene);
    ERR_clear_error();
    /* What grows once is kept for the next time; what is lost grows again. */
    if (libctx == main_libctx && !run->is_repeated && run->hit.name != NULL &&
        points_holdings().libcrypto != before.libcrypto) {
        run->is_repeated = 1;
        return run_once(run, number);
    }
    check_holdings(run, before, "afterwards");
    return run->hit.name != NULL;
}

/* In one of its own. */
static int run_cold(struct run *run, size_t number)
{
    const struct holdings before = points_holdings();
    OSSL_PROVIDER *providers[3];
    int met;

    libctx = context_open(providers);
    met = run_once(run, number);
    context_close(libctx, providers);
    libctx = main_libctx;
    ERR_clear_error();
    check_holdings(run, before, "after the library context");
    return met;
}

/* Allocations are met where the library context is warm, since all of a cold one's would take hours;
 * anything else from the first use on. */
int runs_are_warm(const struct operation *operation, enum point_kind kind)
{
    return (kind == POINT_LIBCRYPTO || kind == POINT_OURS) &&
           (operation->flags & (IS_COLD | IS_LOAD)) == 0;
}

static int run_number(struct run *run, size_t number)
{
    int met;

    run->score->number = number;
    run->is_repeated = run->is_bad = run->is_excepted = 0;
    met = runs_are_warm(run->operation, run->kind) ? run_once(run, number) : run_cold(run, number);
    if (met) {
        run->score->points++;
        if (run->kind == POINT_OURS)
            sites_note(&run->hit);
    }
    if (run->is_excepted)
        run->score->excepted++;
    else
        run->score->bad += (size_t)run->is_bad;
    return met;
}

/* Rows that are not flagged otherwise meet everything; all of libcrypto's only those that have to. */
static enum detour detours_passed_over(const struct operation *operation, enum point_kind kind)
{
    if ((operation->flags & IS_WHOLE) != 0)
        return DETOUR_NONE;
    if (kind == POINT_LIBCRYPTO)
        return DETOUR_CODERS;
    return (operation->flags & OPENS_KEYS) != 0 ? DETOUR_STORE : DETOUR_NONE;
}

enum run_result run_operation(const struct operation *operation, enum point_kind kind, size_t from,
                              size_t most, struct score *score)
{
    struct run run = { .operation = operation, .kind = kind, .score = score };
    size_t step = 1;

    points_pass_over(detours_passed_over(operation, kind));
    /* Twice: what is kept for ever is there after the first. */
    run.is_warming = 1;
    (void)run_number(&run, 0);
    run.is_warming = 0;
    (void)run_number(&run, 0);
    if (kind == POINT_LIBCRYPTO && getenv("STARVE_ALL") == NULL)
        step = LIBCRYPTO_STEP;
    for (size_t number = from; number - from < most; number += step) {
        if (!run_number(&run, number))
            return RUN_FINISHED;
    }
    return RUN_MORE;
}
