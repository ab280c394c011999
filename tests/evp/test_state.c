/*
 * A stream cut at every position and moved, within a process and through a chain of up to eight
 * others, ends byte-equal to an uncut run by OpenSSL's own implementation.
 *
 * The workers are forked before anything of OpenSSL exists; each has a library context of its own
 * and gets nothing but a blob and a piece of work.
 */
#include "sample.h"
#include "stream.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS       8
#define MAX_CUTS      WORKERS
#define TIME_LIMIT    600    /* seconds, for the whole program */
#define ANSWER_LIMIT  20     /* seconds, for one piece of work */
#define REMOTE_CHAINS 120    /* per variant of a stream */
#define LOCAL_CHAINS  40     /* random sets of cuts, per variant */
#define SEED          20260u /* of the random sets */

/* ---- ways to go from one holder to the next ---- */

struct route {
    const char *name;
    enum way_out out;
    enum way_in in;
};

static const struct route routes[] = {
    { "opaque-blob of the key", OUT_KEY_PARAM, IN_KEY_PARAM },
    { "opaque-blob of a bound context", OUT_BOUND_CONTEXT, IN_KEY_PARAM },
    { "PEM", OUT_PEM, IN_PEM },
    { "DER", OUT_DER, IN_DER },
    { "opaqueblob", OUT_OPAQUEBLOB, IN_OPAQUEBLOB },
    { "context to context, at the initialisation", OUT_CONTEXT, IN_CONTEXT_INIT },
    { "context to context, set later", OUT_CONTEXT, IN_CONTEXT_SET },
    { "context to key object", OUT_CONTEXT, IN_KEY_PARAM },
    { "key object to context", OUT_KEY_PARAM, IN_CONTEXT_INIT },
    { "context to key object, by a decoder", OUT_CONTEXT, IN_OPAQUEBLOB },
    { "key object to context, by an encoder", OUT_DER, IN_CONTEXT_INIT },
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

static int leaves_context(size_t route)
{
    return routes[route].out == OUT_CONTEXT;
}

static int enters_context(size_t route)
{
    return routes[route].in == IN_CONTEXT_INIT || routes[route].in == IN_CONTEXT_SET;
}

static int is_allowed(const struct stream *stream, size_t route)
{
    return !algorithms[stream->algorithm].no_key_object ||
           (leaves_context(route) && enters_context(route));
}

/* |route|, or the next one after it that starts where the state is. */
static size_t route_from(const struct stream *stream, size_t route, int in_context)
{
    while (leaves_context(route) != in_context || !is_allowed(stream, route))
        route = (route + 1) % ROUTES;
    return route;
}

/* ---- one piece of the way: in this process or in another ---- */

enum { PIECE_FIRST = 1, PIECE_LAST = 2, PIECE_BEGIN = 4, PIECE_BEGUN = 8 };

/* Resume, run some units, suspend. */
struct piece {
    struct stream stream;
    unsigned flags;
    int in_context; /* of the first piece */
    size_t from, to;
    enum way_in in;
    enum way_out out;
    size_t blob_size;
    uint8_t blob[STREAM_MAX_BLOB];
};

struct answer {
    pid_t pid;
    int has_begun; /* the record at |to| */
    size_t out_size, blob_size;
    uint8_t out[STREAM_MAX_OUTPUT], blob[STREAM_MAX_BLOB];
};

static void do_piece(const struct piece *piece, struct answer *answer)
{
    const struct stream *stream = &piece->stream;
    struct holder holder;

    memset(answer, 0, sizeof(*answer));
    answer->pid = getpid();
    if ((piece->flags & PIECE_FIRST) != 0)
        holder_make(&holder, stream, piece->in_context);
    else
        holder_resume(&holder, stream, piece->in, piece->blob, piece->blob_size);
    holder_run(&holder, stream, piece->from, piece->to, (piece->flags & PIECE_BEGUN) != 0,
               answer->out, &answer->out_size);
    if ((piece->flags & PIECE_BEGIN) != 0 && piece->from != piece->to)
        answer->has_begun = holder_begin(&holder, stream, piece->to);
    else if ((piece->flags & PIECE_BEGUN) != 0 && piece->from == piece->to)
        answer->has_begun = 1;
    if ((piece->flags & PIECE_LAST) == 0)
        answer->blob_size = holder_suspend(&holder, stream, piece->out, answer->blob);
    holder_free(&holder);
}

/* ---- workers ---- */

static struct {
    pid_t pid;
    int socket;
} workers[WORKERS];

static int transfer(int socket, void *data, size_t size, int writing)
{
    uint8_t *at = data;

    while (size != 0) {
        struct pollfd ready = { .fd = socket, .events = writing ? POLLOUT : POLLIN };
        ssize_t done;

        if (poll(&ready, 1, ANSWER_LIMIT * 1000) != 1)
            return 0;
        done = writing ? send(socket, at, size, MSG_NOSIGNAL) : recv(socket, at, size, 0);
        if (done <= 0)
            return 0;
        at += done;
        size -= (size_t)done;
    }
    return 1;
}

/* Never returns.  A failed assertion aborts, with its message. */
static void work(int socket)
{
    static struct piece piece;
    static struct answer answer;
    ssize_t size;

    alarm(TIME_LIMIT);
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    fixture_setup(NULL);
    while ((size = recv(socket, &piece, sizeof(piece), MSG_WAITALL)) == sizeof(piece)) {
        do_piece(&piece, &answer);
        if (!transfer(socket, &answer, sizeof(answer), 1))
            abort();
    }
    stream_teardown();
    fixture_teardown(NULL);
    exit(size != 0);
}

static void start_workers(void)
{
    for (size_t n = 0; n < WORKERS; n++) {
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || (workers[n].pid = fork()) < 0)
            abort();
        if (workers[n].pid == 0) {
            for (size_t other = 0; other < n; other++)
                close(workers[other].socket);
            close(ends[0]);
            work(ends[1]);
        }
        close(ends[1]);
        workers[n].socket = ends[0];
    }
}

static int setup(void **state)
{
    return fixture_setup(state);
}

static int teardown(void **state)
{
    for (size_t n = 0; n < WORKERS; n++) {
        int status = -1;

        close(workers[n].socket);
        assert_int_equal(waitpid(workers[n].pid, &status, 0), workers[n].pid);
        assert_int_equal(status, 0);
    }
    stream_teardown();
    return fixture_teardown(state);
}

static void delegate(size_t worker, struct piece *piece, struct answer *answer)
{
    if (transfer(workers[worker].socket, piece, sizeof(*piece), 1) &&
        transfer(workers[worker].socket, answer, sizeof(*answer), 0)) {
        assert_int_equal(answer->pid, workers[worker].pid);
        assert_int_not_equal(answer->pid, getpid());
        return;
    }
    do_piece(piece, answer); /* does it fail here too, and why? */
    fail_msg("worker %zu gave up: %s, units %zu to %zu", worker, stream_name(&piece->stream),
             piece->from, piece->to);
}

/* ---- chains ---- */

static struct {
    size_t cuts, hops, chains;
} counts[ALGORITHMS];

/* A number below |limit|. */
static size_t pick(unsigned *seed, size_t limit)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % limit;
}

struct chain {
    size_t cuts, cut[MAX_CUTS]; /* in ascending order */
    size_t route[MAX_CUTS];     /* wishes: route_from says which are taken */
    int in_context;             /* where the state starts */
    int begin;                  /* records that come next are begun before the move */
    int is_remote;
    size_t first_worker; /* the others follow */
};

/* The first piece is done here, each of the next ones by a worker of its own. */
static void run_chain(const struct stream *stream, const struct chain *chain)
{
    static struct piece piece;
    static struct answer answer;
    uint8_t out[STREAM_MAX_OUTPUT];
    size_t size = 0;
    int in_context = chain->in_context;

    if (!is_sampled_of_thousands())
        return;
    piece.stream = *stream;
    piece.in_context = in_context;
    piece.from = 0;
    memset(&answer, 0, sizeof(answer));
    for (size_t n = 0; n <= chain->cuts; n++) {
        piece.flags = (n == 0 ? PIECE_FIRST : 0u) | (n == chain->cuts ? PIECE_LAST : 0u) |
                      (chain->begin ? PIECE_BEGIN : 0u) | (answer.has_begun ? PIECE_BEGUN : 0u);
        piece.to = n == chain->cuts ? stream->units : chain->cut[n];
        piece.blob_size = answer.blob_size;
        memcpy(piece.blob, answer.blob, answer.blob_size);
        if (n != 0)
            piece.in = routes[route_from(stream, chain->route[n - 1], in_context)].in;
        if (n != 0)
            in_context = enters_context(route_from(stream, chain->route[n - 1], in_context));
        if (n != chain->cuts)
            piece.out = routes[route_from(stream, chain->route[n], in_context)].out;
        if (n != 0 && chain->is_remote)
            delegate((chain->first_worker + n - 1) % WORKERS, &piece, &answer);
        else
            do_piece(&piece, &answer);
        assert_in_range(size + answer.out_size, 0, stream->expected_size);
        memcpy(out + size, answer.out, answer.out_size);
        size += answer.out_size;
        piece.from = piece.to;
    }
    assert_int_equal(size, stream->expected_size);
    if (memcmp(out, stream->expected, size) != 0)
        fail_msg("%s: wrong bytes; %zu cuts, the first at unit %zu, by %s", stream_name(stream),
                 chain->cuts, chain->cut[0], routes[chain->route[0]].name);
    counts[stream->algorithm].cuts += chain->cuts;
    if (chain->is_remote) {
        counts[stream->algorithm].hops += chain->cuts;
        counts[stream->algorithm].chains++;
    }
}

static struct chain random_chain(const struct stream *stream, unsigned *seed, size_t most)
{
    struct chain chain = { .cuts = 1 + pick(seed, most) };

    for (size_t n = 0; n < chain.cuts; n++) {
        size_t cut = pick(seed, stream->units + 1), at = n;

        for (; at > 0 && chain.cut[at - 1] > cut; at--)
            chain.cut[at] = chain.cut[at - 1];
        chain.cut[at] = cut;
        chain.route[n] = pick(seed, ROUTES);
    }
    chain.in_context = algorithms[stream->algorithm].no_key_object || (pick(seed, 2) != 0);
    chain.begin = pick(seed, 2) != 0;
    chain.first_worker = pick(seed, WORKERS);
    return chain;
}

/* ---- which streams ---- */

/* Sizes of the plain texts: off block borders with padding, on them without, and around the 64 and
 * 128 bytes of the digests. */
static const size_t padded[] = { 21, 0, 16 }, unpadded[] = { 48, 16 };
static const size_t bytes[] = { 36, 1 }, records[] = { 43, 0, 52 }, message[] = { 130, 3 };
static const size_t short_padded[] = { 18 }, short_unpadded[] = { 16, 16 };
static const size_t short_records[] = { 9, 0, 14 }, short_bytes[] = { 20 };

#define SIZES(array) (array), sizeof(array) / sizeof((array)[0])

/* Calls |check| with every variant of every algorithm. */
static void for_every_stream(int is_short, void (*check)(const struct stream *))
{
    static struct stream stream;

    for (unsigned a = 0; a < RC4_ANY; a++) {
        for (int variant = 0; variant < 4; variant++) {
            int first = variant & 1, second = variant >> 1;

            if (algorithms[a].cipher == NULL && second)
                continue;
            if (algorithms[a].block == 1 && second)
                continue;
            if (algorithms[a].cipher == NULL && first && is_short)
                stream_init(&stream, a, 0, 0, 1, 0, SIZES(short_records));
            else if (algorithms[a].cipher == NULL && first)
                stream_init(&stream, a, 0, 0, 1, 0, SIZES(records));
            else if (algorithms[a].cipher == NULL && is_short)
                stream_init(&stream, a, 0, 0, 0, 0, SIZES(short_bytes));
            else if (algorithms[a].cipher == NULL)
                stream_init(&stream, a, 0, 0, 0, 0, SIZES(message));
            else if (algorithms[a].block == 1 && is_short)
                stream_init(&stream, a, first, 0, 0, 0, SIZES(short_bytes));
            else if (algorithms[a].block == 1)
                stream_init(&stream, a, first, 0, 0, 0, SIZES(bytes));
            else if (second && is_short)
                stream_init(&stream, a, first, 1, 0, 0, SIZES(short_padded));
            else if (second)
                stream_init(&stream, a, first, 1, 0, 0, SIZES(padded));
            else if (is_short)
                stream_init(&stream, a, first, 0, 0, 0, SIZES(short_unpadded));
            else
                stream_init(&stream, a, first, 0, 0, 0, SIZES(unpadded));
            check(&stream);
        }
    }
}

/* ---- tests ---- */

static void check_uncut(const struct stream *stream)
{
    for (int in_context = algorithms[stream->algorithm].no_key_object; in_context < 2;
         in_context++) {
        struct chain chain = { .in_context = in_context };

        run_chain(stream, &chain);
    }
}

static void an_uncut_stream_is_what_openssl_makes_of_it(void **state)
{
    (void)state;
    for_every_stream(0, check_uncut);
    for_every_stream(1, check_uncut);
    assert_no_errors();
}

static int begins_record(const struct stream *stream, size_t at)
{
    size_t start = 0;

    for (size_t n = 0; stream->record && n < stream->messages; n++) {
        if (start == at)
            return 1;
        start += stream->size[n] + 1;
    }
    return 0;
}

static void check_every_cut(const struct stream *stream)
{
    for (size_t route = 0; route < ROUTES; route++) {
        for (size_t cut = 0; is_allowed(stream, route) && cut <= stream->units; cut++) {
            struct chain chain = {
                .cuts = 1, .cut = { cut }, .route = { route }, .in_context = leaves_context(route)
            };

            run_chain(stream, &chain);
            chain.begin = 1;
            if (begins_record(stream, cut))
                run_chain(stream, &chain);
        }
    }
}

static void a_stream_cut_at_any_position_continues_by_every_way_of_moving(void **state)
{
    (void)state;
    for_every_stream(0, check_every_cut);
    assert_no_errors();
}

/* The ways of moving take turns; encoders and decoders, which are slow, do so less often. */
static size_t way_of_turn(size_t turn)
{
    static const size_t quick[] = { 0, 1, 5, 6, 7, 8 };

    return turn % 8 == 0 ? turn / 8 % ROUTES : quick[turn % 6];
}

static void check_every_pair(const struct stream *stream)
{
    static size_t turn;

    for (size_t first = 0; first <= stream->units; first++) {
        for (size_t second = first; second <= stream->units; second++, turn++) {
            struct chain chain = { .cuts = 2,
                                   .cut = { first, second },
                                   .route = { way_of_turn(turn), way_of_turn(turn / 6 + 3) },
                                   .in_context = algorithms[stream->algorithm].no_key_object ||
                                                 leaves_context(way_of_turn(turn)),
                                   .begin = turn / 7 % 2 == 0 };

            run_chain(stream, &chain);
        }
    }
}

static void a_short_stream_cut_at_any_two_positions_continues(void **state)
{
    (void)state;
    for_every_stream(1, check_every_pair);
    assert_no_errors();
}

static void check_random_cuts(const struct stream *stream)
{
    static unsigned seed = SEED;

    for (size_t n = 0; n < LOCAL_CHAINS; n++) {
        struct chain chain = random_chain(stream, &seed, MAX_CUTS);

        run_chain(stream, &chain);
    }
}

static void a_stream_cut_at_up_to_eight_positions_continues(void **state)
{
    (void)state;
    for_every_stream(0, check_random_cuts);
    assert_no_errors();
}

static void check_processes(const struct stream *stream)
{
    static unsigned seed = SEED + 1;

    for (size_t n = 0; n < REMOTE_CHAINS; n++) {
        struct chain chain = random_chain(stream, &seed, MAX_CUTS);

        chain.is_remote = 1;
        if (n % 4 == 0) { /* as far as it goes */
            for (; chain.cuts < MAX_CUTS; chain.cuts++) {
                chain.cut[chain.cuts] = stream->units;
                chain.route[chain.cuts] = pick(&seed, ROUTES);
            }
        }
        run_chain(stream, &chain);
    }
}

static void a_stream_moved_through_up_to_eight_processes_continues(void **state)
{
    (void)state;
    for_every_stream(0, check_processes);
    assert_no_errors();
}

static void rc4_contexts_with_keys_of_any_size_move_through_processes(void **state)
{
    static struct stream stream;
    unsigned seed = SEED + 2;

    (void)state;
    for (size_t size = 1; size <= 256; size++) {
        stream_init(&stream, RC4_ANY, size % 2 == 0, 0, 0, size, SIZES(bytes));
        for (size_t n = 0; n < 3; n++) {
            struct chain chain = random_chain(&stream, &seed, MAX_CUTS);

            chain.is_remote = n != 0;
            run_chain(&stream, &chain);
        }
    }
    assert_no_errors();
}

/* A message with "final-reset": the state is that of the start again, with IV and salt. */
static void reset(EVP_PKEY *key)
{
    uint8_t in[16] = { 0 }, out[32];
    size_t size = sizeof(out);
    int yes = 1;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_int("final-reset", &yes),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);

    assert_int_equal(EVP_PKEY_encrypt_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
    assert_int_equal(EVP_PKEY_encrypt(context, out, &size, in, sizeof(in)), 1);
    EVP_PKEY_CTX_free(context);
}

/* What no byte of a running stream tells: the original IV and the salt move as well. */
static void a_moved_key_finds_back_to_its_start(void **state)
{
    static struct stream stream;
    uint8_t blob[STREAM_MAX_BLOB], out[STREAM_MAX_OUTPUT];

    (void)state;
    for (unsigned a = RC4_40; a <= AES_256; a++) {
        for (size_t route = 0; route < ROUTES; route++) {
            for (size_t cut = 0; cut <= 48; cut += 16) {
                struct holder holder;
                size_t size;

                stream_init(&stream, a, 1, 0, 0, 0, SIZES(unpadded));
                holder_make(&holder, &stream, leaves_context(route));
                holder_run(&holder, &stream, 0, cut, 0, out, &size);
                size = holder_suspend(&holder, &stream, routes[route].out, blob);
                holder_free(&holder);
                holder_resume(&holder, &stream, routes[route].in, blob, size);
                if (enters_context(route)) {
                    size = holder_suspend(&holder, &stream, OUT_CONTEXT, blob);
                    holder_free(&holder);
                    holder_resume(&holder, &stream, IN_KEY_PARAM, blob, size);
                }
                reset(holder.key);
                holder_finish(&holder, &stream, 0, 0);
                holder_free(&holder);
            }
        }
    }
    assert_no_errors();
}

static void the_counts_are_what_was_promised(void **state)
{
    (void)state;
    for (size_t n = 0; n < ALGORITHMS; n++) {
        print_message("%-26s %6zu cuts, %5zu hops between processes in %4zu chains\n",
                      algorithms[n].label, counts[n].cuts, counts[n].hops, counts[n].chains);
        if (!is_sample())
            assert_true(counts[n].chains >= 240);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_uncut_stream_is_what_openssl_makes_of_it),
        cmocka_unit_test(a_stream_cut_at_any_position_continues_by_every_way_of_moving),
        cmocka_unit_test(a_short_stream_cut_at_any_two_positions_continues),
        cmocka_unit_test(a_stream_cut_at_up_to_eight_positions_continues),
        cmocka_unit_test(a_stream_moved_through_up_to_eight_processes_continues),
        cmocka_unit_test(rc4_contexts_with_keys_of_any_size_move_through_processes),
        cmocka_unit_test(a_moved_key_finds_back_to_its_start),
        cmocka_unit_test(the_counts_are_what_was_promised),
    };

    start_workers();
    alarm(TIME_LIMIT);
    return cmocka_run_group_tests(tests, setup, teardown);
}
