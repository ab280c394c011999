/*
 * handoff-load: the hand-off as a service under load.  Many clients at once, the demo's process that
 * does handshakes, and an application process that serves what it is given:
 *
 *     a new application process takes over every connection in mid-traffic, and no byte is lost,
 *     sent twice or out of place, and no MAC fails;
 *     the application process is killed: every client is told, the handshake process says that it
 *     reaches nobody and keeps no descriptor, and serves again as soon as there is an application;
 *     the handshake process is killed: connections go on; half a message of it is refused.
 *
 * handoff-load DIR CLIENTS: DIR is the directory of the two programs.  Exit status 0 when all of
 * that held.
 */
#define _XOPEN_SOURCE 700 /* nftw */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <openssl/rand.h>
#include "arguments.h"
#include "load_client.h"
#include "passing.h"
#include "report.h"

#define WHO         "load"
#define MAX_CLIENTS 2000
#define FEW         16  /* clients after a crash */
#define MESSAGES    3   /* of each client, in each phase */
#define TIME_LIMIT  300 /* seconds, of a phase; a quiet machine needs a few */
#define KEY_SIZE    32

struct world {
    const char *programs;
    char directory[64], path[96], key[96], claims[96], port_file[96], log[32];
    unsigned port;
    size_t clients;
    pid_t handshake, application, next;
    int application_log; /* number of the file of the newest application */
};

static void pause_shortly(void)
{
    const struct timespec moment = { .tv_nsec = 10 * 1000 * 1000 };

    nanosleep(&moment, NULL);
}

/* ---- processes ---- */

/* Its output goes to a file of the directory; -1 on failure. */
static pid_t start(const struct world *world, const char *log, char *const arguments[])
{
    char program[PATH_MAX], path[PATH_MAX];
    pid_t child;

    snprintf(program, sizeof(program), "%s/%s", world->programs, arguments[0]);
    snprintf(path, sizeof(path), "%s/%s", world->directory, log);
    unlink(path); /* what a process before it said counts no more */
    child = fork();
    if (child == 0) {
        const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        if (file < 0 || dup2(file, 1) < 0 || dup2(file, 2) < 0)
            _exit(127);
        close(file);
        execv(program, arguments);
        _exit(127);
    }
    return child;
}

static int log_says(const struct world *world, const char *log, const char *words)
{
    char path[PATH_MAX], line[1024];
    FILE *file;
    int found = 0;

    snprintf(path, sizeof(path), "%s/%s", world->directory, log);
    if ((file = fopen(path, "r")) == NULL)
        return 0;
    while (!found && fgets(line, sizeof(line), file) != NULL)
        found = strstr(line, words) != NULL;
    fclose(file);
    return found;
}

static int wait_for_log(const struct world *world, const char *log, const char *words)
{
    const uint64_t limit = report_clock() + UINT64_C(1000000) * TIME_LIMIT;

    while (!log_says(world, log, words)) {
        if (report_clock() > limit)
            return report_failure(WHO, "%s does not say \"%s\"", log, words);
        pause_shortly();
    }
    return 1;
}

/* The exit status; -1 when a signal ended it or nothing did in time. */
static int wait_for_end(pid_t *child)
{
    const uint64_t limit = report_clock() + UINT64_C(1000000) * TIME_LIMIT;
    int status;

    while (waitpid(*child, &status, WNOHANG) == 0) {
        if (report_clock() > limit)
            return -1;
        pause_shortly();
    }
    *child = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void kill_at_once(pid_t *child)
{
    if (*child <= 0)
        return;
    kill(*child, SIGKILL);
    waitpid(*child, NULL, 0);
    *child = 0;
}

static size_t descriptors_of(pid_t process)
{
    char path[64];
    DIR *directory;
    size_t count = 0;

    snprintf(path, sizeof(path), "/proc/%ld/fd", (long)process);
    if ((directory = opendir(path)) == NULL)
        return 0;
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static int falls_to(pid_t process, size_t descriptors)
{
    const uint64_t limit = report_clock() + UINT64_C(1000000) * TIME_LIMIT;

    while (descriptors_of(process) > descriptors) {
        if (report_clock() > limit)
            return report_failure(WHO, "%zu descriptors are open, %zu were before",
                                  descriptors_of(process), descriptors);
        pause_shortly();
    }
    return 1;
}

/* ---- the two programs ---- */

static int start_handshake(struct world *world, size_t connections)
{
    char count[24];
    char *arguments[] = { "handoff-handshake",
                          "--application",
                          world->path,
                          "--port-file",
                          world->port_file,
                          "--seal-key",
                          world->key,
                          "--claim-dir",
                          world->claims,
                          "--connections",
                          count,
                          "--idle",
                          "300",
                          "--provider-path",
                          MODULE_DIR,
                          NULL };
    FILE *file;
    int ok;

    snprintf(count, sizeof(count), "%zu", connections);
    world->handshake = start(world, "handshake", arguments);
    if (world->handshake < 0 || !wait_for_log(world, "handshake", "waiting on 127.0.0.1") ||
        (file = fopen(world->port_file, "r")) == NULL)
        return 0;
    ok = fscanf(file, "%5u", &world->port) == 1;
    fclose(file);
    return ok;
}

static const char *application_log(struct world *world)
{
    snprintf(world->log, sizeof(world->log), "application-%d", world->application_log);
    return world->log;
}

static int start_application(struct world *world, pid_t *process)
{
    char *arguments[] = { "handoff-echo", "--listen",    world->path,   "--seal-key",
                          world->key,     "--claim-dir", world->claims, "--provider-path",
                          MODULE_DIR,     NULL };

    world->application_log++;
    *process = start(world, application_log(world), arguments);
    return *process > 0 && wait_for_log(world, application_log(world), "ready");
}

/* ---- phases ---- */

static int restart(void *argument)
{
    struct world *world = argument;

    return start_application(world, &world->next) && kill(world->application, SIGUSR1) == 0;
}

static int hot_restart(struct world *world, struct clients *clients)
{
    const uint64_t start = report_clock();
    uint64_t opened, restarted;

    if (!clients_run(clients, world->clients, MESSAGES, TIME_LIMIT))
        return report_failure(WHO, "the connections do not come up");
    opened = report_clock();
    report(WHO, "%zu connections at once, opened in %.1f s", world->clients,
           (double)(opened - start) / 1e6);
    if (!clients_run_and(clients, world->clients, 2 * MESSAGES, TIME_LIMIT, restart, world))
        return report_failure(WHO, "traffic does not survive the restart");
    if (wait_for_end(&world->application) != 0 || !log_says(world, "application-1", ", 0 failed"))
        return report_failure(WHO, "the old application process did not end well");
    world->application = world->next;
    world->next = 0;
    if (!clients_run(clients, world->clients, 3 * MESSAGES, TIME_LIMIT))
        return report_failure(WHO, "the new process does not go on");
    restarted = report_clock();
    report(WHO,
           "hot restart with %zu of them in mid-message: all taken over in %.1f s, %llu bytes came "
           "back in order, none lost",
           clients_in_flight(clients), (double)(restarted - opened) / 1e6,
           (unsigned long long)clients_bytes(clients));
    return 1;
}

static int killed_application(struct world *world, struct clients *clients)
{
    const size_t before = descriptors_of(world->handshake);

    kill_at_once(&world->application);
    if (!clients_are_lost(clients, TIME_LIMIT))
        return report_failure(WHO, "not every client knows of the crash");
    if (!clients_are_refused(world->port) ||
        !wait_for_log(world, "handshake", "FAILED: cannot reach"))
        return report_failure(WHO, "the handshake process does not say that nobody serves");
    if (!falls_to(world->handshake, before))
        return 0;
    if (!start_application(world, &world->application) || !clients_run(clients, FEW, 1, TIME_LIMIT))
        return report_failure(WHO, "no service after the crash");
    /* it has failed for one client, and says so at its end */
    if (wait_for_end(&world->handshake) != 1)
        return report_failure(WHO, "the handshake process did not end as it should");
    report(WHO, "application process killed: clients told, handshake process reports it, leaks "
                "nothing, and serves again");
    return 1;
}

/* What a process leaves behind that dies while it hands a connection over. */
static int send_half_a_message(const char *path)
{
    const int channel = passing_connect(path);
    int ok = channel >= 0 && write(channel, "tls>\0\0", 6) == 6;

    if (channel >= 0)
        close(channel);
    return ok;
}

static int killed_handshake(struct world *world, struct clients *clients)
{
    struct clients *more;
    size_t before;
    int ok;

    if (!start_handshake(world, MAX_CLIENTS) || (more = clients_new(FEW, world->port)) == NULL)
        return report_failure(WHO, "no second handshake process");
    ok = clients_run(more, FEW, 1, TIME_LIMIT);
    before = descriptors_of(world->application);
    kill_at_once(&world->handshake);
    ok = ok && clients_are_refused(world->port) && send_half_a_message(world->path) &&
         wait_for_log(world, application_log(world), "what came is no handed-over connection") &&
         falls_to(world->application, before) && clients_run(more, FEW, 2, TIME_LIMIT) &&
         clients_run(clients, FEW, 2, TIME_LIMIT);
    clients_close(clients);
    clients_close(more);
    clients_free(more);
    ok = ok && falls_to(world->application, before - 2 * (size_t)FEW);
    if (!ok)
        return report_failure(WHO, "the application process does not outlive the handshakes");
    kill(world->application, SIGTERM);
    if (wait_for_end(&world->application) != 0)
        return report_failure(WHO, "the application process did not end well");
    report(WHO, "handshake process killed: connections go on, half a message of it is refused, "
                "nothing leaks");
    return 1;
}

static int run(struct world *world)
{
    struct clients *clients;
    int ok;

    /* those of the restart, the one that nobody serves, those after the crash */
    if (!start_handshake(world, world->clients + 1 + FEW) ||
        !start_application(world, &world->application))
        return report_failure(WHO, "the programs do not start");
    clients = clients_new(world->clients, world->port);
    ok = clients != NULL && hot_restart(world, clients) && killed_application(world, clients) &&
         killed_handshake(world, clients);
    clients_free(clients);
    return ok;
}

/* ---- the directory ---- */

/* What a process said of failures. */
static void print_failures(const struct world *world, const char *log)
{
    char path[PATH_MAX], line[1024];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", world->directory, log);
    if ((file = fopen(path, "r")) == NULL)
        return;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strstr(line, "FAILED") != NULL || strstr(line, "rror") != NULL)
            printf("%s: %s", log, line);
    }
    fclose(file);
}

static int make_directory(struct world *world)
{
    uint8_t key[KEY_SIZE];
    FILE *file;
    int ok;

    /* Where a service has its runtime directory too: every connection writes eight claims, and waits
     * until the file system has them. */
    snprintf(world->directory, sizeof(world->directory), "%s/schannel-load.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(world->directory) == NULL)
        return 0;
    snprintf(world->path, sizeof(world->path), "%s/socket", world->directory);
    snprintf(world->key, sizeof(world->key), "file:%s/key", world->directory);
    snprintf(world->claims, sizeof(world->claims), "%s/claims", world->directory);
    snprintf(world->port_file, sizeof(world->port_file), "%s/port", world->directory);
    umask(S_IRWXG | S_IRWXO);
    if (mkdir(world->claims, S_IRWXU) != 0 || RAND_bytes(key, sizeof(key)) != 1 ||
        (file = fopen(world->key + strlen("file:"), "w")) == NULL)
        return 0;
    ok = fwrite(key, sizeof(key), 1, file) == 1;
    return fclose(file) == 0 && ok;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *where)
{
    (void)about;
    (void)type;
    (void)where;
    return remove(path);
}

int main(int argc, char **argv)
{
    static struct world world;
    struct rlimit files;
    unsigned count = 0;
    int ok;

    if (argc != 3 || !argument_number(argv[2], MAX_CLIENTS, &count) || count < FEW)
        return 2;
    world.programs = argv[1];
    world.clients = count;
    report_open();
    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    ok = make_directory(&world) && run(&world);
    kill_at_once(&world.handshake);
    kill_at_once(&world.application);
    kill_at_once(&world.next);
    if (!ok)
        print_failures(&world, "handshake");
    for (; !ok && world.application_log > 0; world.application_log--)
        print_failures(&world, application_log(&world));
    nftw(world.directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return ok ? 0 : 1;
}
