/* The places in the provider's sources that ask for memory: see run.h. */
#define _DEFAULT_SOURCE     /* MAP_ANONYMOUS */
#define _XOPEN_SOURCE   700 /* nftw */
#include "run.h"

#include <ftw.h>
#include <sys/mman.h>

#define MAX_SITES 200

struct site {
    char file[80];
    int line;
    int is_met;
};

static struct site *sites;
static size_t count;

static int is_allocation(const char *line)
{
    static const char *const calls[] = { "OPENSSL_malloc(", "OPENSSL_zalloc(", "OPENSSL_memdup(",
                                         "OPENSSL_strdup(", "OPENSSL_strndup(" };

    for (size_t n = 0; n < COUNT(calls); n++) {
        if (strstr(line, calls[n]) != NULL)
            return 1;
    }
    return 0;
}

static int read_file(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    const size_t length = strlen(path);
    char line[300];
    FILE *file;

    (void)status;
    (void)walk;
    if (type != FTW_F || length < 2 || strcmp(path + length - 2, ".c") != 0)
        return 0;
    assert_non_null(file = fopen(path, "r"));
    for (int number = 1; fgets(line, sizeof(line), file) != NULL; number++) {
        if (!is_allocation(line))
            continue;
        assert_true(count < MAX_SITES);
        snprintf(sites[count].file, sizeof(sites[count].file), "%s", path + strlen(SOURCE_DIR) + 1);
        sites[count++].line = number;
    }
    fclose(file);
    return 0;
}

void sites_find(void)
{
    sites = mmap(NULL, MAX_SITES * sizeof(*sites), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(sites != MAP_FAILED);
    assert_int_equal(nftw(SOURCE_DIR "/provider", read_file, 8, FTW_PHYS), 0);
}

void sites_note(const struct point *point)
{
    for (size_t n = 0; n < count; n++) {
        if (sites[n].line == point->line && strcmp(sites[n].file, point->name) == 0)
            sites[n].is_met = 1;
    }
}

size_t sites_missing(size_t *total)
{
    size_t missing = 0;

    for (size_t n = 0; n < count; n++) {
        if (sites[n].is_met)
            continue;
        printf("%s:%d: no operation asks for this memory\n", sites[n].file, sites[n].line);
        missing++;
    }
    *total = count;
    return missing;
}
