/* Points and allocations: see points.h. */
#define _GNU_SOURCE /* dladdr1 */
#include "points.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

/* In front of each block; a multiple of what malloc aligns to. */
struct block {
    struct block *older, *younger;
    size_t size;
    const char *file;
    int line;
    int is_ours;
    size_t filler[2];
};

static struct {
    enum point_kind kind;
    size_t number, count;
    struct point *hit; /* NULL: nothing fails */
} armed;

static enum detour passed_over;
static int detours[DETOUR_CODERS + 1];

static struct block *youngest;
static struct holdings holdings;

/* ---- points ---- */

void points_arm(enum point_kind kind, size_t number, struct point *hit)
{
    hit->name = NULL;
    hit->line = 0;
    armed.kind = kind;
    armed.number = number;
    armed.count = 0;
    armed.hit = hit;
}

void points_disarm(void)
{
    armed.hit = NULL;
}

static int is_detour(void)
{
    for (int detour = DETOUR_STORE; detour <= (int)passed_over; detour++) {
        if (detours[detour] != 0)
            return 1;
    }
    return 0;
}

/* A frame of its own, however it is compiled: is_called_back counts them. */
__attribute__((noinline)) int points_meet(enum point_kind kind, const char *name, int line)
{
    if (armed.hit == NULL || kind != armed.kind || is_detour() || ++armed.count != armed.number)
        return 0;
    armed.hit->line = line;
    armed.hit->depth = backtrace(armed.hit->stack, POINT_MAX_STACK);
    armed.hit->name = name;
    return 1;
}

int point_is_in(const struct point *point, const char *name)
{
    for (int n = 0; n < point->depth; n++) {
        const char *at = (const char *)point->stack[n] - 1; /* the call is before the return */
        const ElfW(Sym) *symbol = NULL;
        Dl_info info;

        if (dladdr1(at, &info, (void **)&symbol, RTLD_DL_SYMENT) != 0 && info.dli_sname != NULL &&
            symbol != NULL && at < (const char *)info.dli_saddr + symbol->st_size &&
            strcmp(info.dli_sname, name) == 0)
            return 1;
    }
    return 0;
}

/* libcrypto is called by this program, provider included, and calls it back.  |first|: of the frames
 * that are not the allocator's or the wrapper's. */
static int is_called_back(const struct point *point, int first)
{
    int is_here = 0;
    Dl_info info;

    for (int n = first; n < point->depth; n++) {
        if (dladdr(point->stack[n], &info) == 0)
            continue;
        if (strstr(info.dli_fname, "libcrypto") == NULL)
            is_here |= strstr(info.dli_fname, ".so") == NULL;
        else if (is_here)
            return 1;
    }
    return 0;
}

int point_is_in_provider(const struct point *point)
{
    return is_called_back(point, 3);
}

__attribute__((noinline)) int points_meet_call(const char *name)
{
    return points_meet(POINT_CRYPTO, name, 0) && is_called_back(armed.hit, 3);
}

void points_pass_over(enum detour most)
{
    passed_over = most;
}

void points_count_detours(enum detour detour, int difference)
{
    detours[detour] += difference;
}

void points_count_descriptors(int difference)
{
    holdings.descriptors += (size_t)difference;
}

struct holdings points_holdings(void)
{
    return holdings;
}

/* ---- allocations ---- */

static int is_ours(const char *file)
{
    return file != NULL && strncmp(file, "provider/", 9) == 0;
}

/* The error queue keeps its buffers for the next error. */
static int is_of_the_error_queue(const char *file)
{
    return file != NULL && strstr(file, "crypto/err/") != NULL;
}

static void count_block(const struct block *block, size_t difference)
{
    if (block->is_ours)
        holdings.ours += difference;
    else if (!is_of_the_error_queue(block->file))
        holdings.libcrypto += difference;
}

static void *add(struct block *block, size_t size, const char *file, int line)
{
    if (block == NULL)
        return NULL;
    block->size = size;
    block->file = file;
    block->line = line;
    block->is_ours = is_ours(file);
    block->older = youngest;
    block->younger = NULL;
    if (youngest != NULL)
        youngest->younger = block;
    youngest = block;
    count_block(block, 1);
    return block + 1;
}

static struct block *take(void *data)
{
    struct block *block = (struct block *)data - 1;

    if (block->older != NULL)
        block->older->younger = block->younger;
    if (block->younger != NULL)
        block->younger->older = block->older;
    else
        youngest = block->older;
    count_block(block, (size_t)-1);
    return block;
}

static void *starving_malloc(size_t size, const char *file, int line)
{
    if (size == 0 || points_meet(is_ours(file) ? POINT_OURS : POINT_LIBCRYPTO, file, line))
        return NULL;
    return add(malloc(sizeof(struct block) + size), size, file, line);
}

static void starving_free(void *data, const char *file, int line)
{
    (void)file;
    (void)line;
    if (data != NULL)
        free(take(data));
}

static void *starving_realloc(void *data, size_t size, const char *file, int line)
{
    void *made;
    size_t kept;

    if (data == NULL)
        return starving_malloc(size, file, line);
    if (size == 0) {
        starving_free(data, file, line);
        return NULL;
    }
    if ((made = starving_malloc(size, file, line)) == NULL)
        return NULL;
    kept = ((struct block *)data - 1)->size;
    memcpy(made, data, kept < size ? kept : size);
    starving_free(data, file, line);
    return made;
}

int points_install(void)
{
    return CRYPTO_set_mem_functions(starving_malloc, starving_realloc, starving_free);
}

void points_print_youngest(size_t count)
{
    for (const struct block *block = youngest; block != NULL && count-- > 0; block = block->older)
        printf("    %zu bytes of %s:%d\n", block->size, block->file, block->line);
}
