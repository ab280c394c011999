/*
 * The benchmark: this provider against what a user would take instead, side by side in one process.
 *
 *     build/tests/bench/schannel-bench            every row
 *     build/tests/bench/schannel-bench GROUP...   those of some groups: derivations threads ciphers
 *                                                 macs blobs coders memory hand-offs
 *
 * Both sides use public interfaces only.  Numbers are for reading; nothing passes or fails.  What
 * they were on one machine, and how to read them, is in the manual page schannel-performance(7).
 */
#define _DEFAULT_SOURCE /* getloadavg */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <schannel/names.h>
#include "derivations.h"
#include "rows.h"
#include "timing.h"

static const struct {
    const char *name;
    void (*print)(void);
} groups[] = {
    { "derivations", derivation_rows },
    { "threads", thread_rows },
    { "ciphers", cipher_rows },
    { "macs", mac_rows },
    { "blobs", blob_rows },
    { "coders", coder_rows },
    { "memory", memory_rows },
    { "hand-offs", hand_off_rows },
};

#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static int is_group(const char *name)
{
    for (size_t n = 0; n < GROUPS; n++) {
        if (strcmp(groups[n].name, name) == 0)
            return 1;
    }
    return 0;
}

static int is_wanted(const char *name, int argc, char **argv)
{
    for (int n = 1; n < argc; n++) {
        if (strcmp(argv[n], name) == 0)
            return 1;
    }
    return argc == 1;
}

/* The processor's name, where the system tells. */
static void print_processor(void)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':') != NULL) {
            printf("%s", strchr(line, ':') + 2);
            break;
        }
    }
    if (file != NULL)
        fclose(file);
}

static void print_load(const char *when)
{
    double load = 0;

    if (getloadavg(&load, 1) == 1)
        printf("load average %s: %.2f\n", when, load);
}

static void print_machine(void)
{
    printf("%s\n%ld processors: ", OpenSSL_version(OPENSSL_VERSION), sysconf(_SC_NPROCESSORS_ONLN));
    print_processor();
    print_load("at the start");
}

int main(int argc, char **argv)
{
    OSSL_PROVIDER *standard = OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER *legacy = OSSL_PROVIDER_load(NULL, "legacy");
    OSSL_PROVIDER *empty = load_empty_keys(), *ours;

    for (int n = 1; n < argc; n++) {
        if (!is_group(argv[n])) {
            fprintf(stderr, "schannel-bench: no group of rows is called %s\n", argv[n]);
            return 2;
        }
    }
    OSSL_PROVIDER_set_default_search_path(NULL, MODULE_DIR);
    ours = OSSL_PROVIDER_load(NULL, SCHANNEL_PROVIDER_NAME);
    if (standard == NULL || legacy == NULL || empty == NULL || ours == NULL)
        die("loading the providers");
    print_machine();
    for (size_t n = 0; n < GROUPS; n++) {
        if (!is_wanted(groups[n].name, argc, argv))
            continue;
        printf("\n== %s\n", groups[n].name);
        groups[n].print();
    }
    printf("\n");
    print_load("at the end");
    OSSL_PROVIDER_unload(ours);
    OSSL_PROVIDER_unload(empty);
    OSSL_PROVIDER_unload(legacy);
    OSSL_PROVIDER_unload(standard);
    return 0;
}
