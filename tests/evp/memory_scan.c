/* Looking for secrets in the memory of this process: see memory_scan.h. */
#include "memory_scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE          4096
#define MAX_MAPS      (1 << 20)
#define MAX_WINDOWS   32768
#define HASH_BITS     18
#define HASH_FACTOR   UINT64_C(0x9E3779B97F4A7C15)
#define PAGEMAP_THERE (UINT64_C(3) << 62) /* present or swapped */
#define PAGEMAP_CHUNK 512
#define SCANNER_STACK 65536
/* The shadow of AddressSanitizer: it holds no data. */
#define TOO_LARGE (UINT64_C(1) << 36)

/* Reading whatever is mapped is the point here. */
#define UNCHECKED __attribute__((no_sanitize("address"), no_sanitize("undefined")))

static uint8_t mask[MARK_MAX_SIZE];
static size_t scanned;

/* The windows of all marks by the hash of their first eight bytes. */
static uint16_t heads[1 << HASH_BITS], nexts[MAX_WINDOWS];
static struct {
    uint16_t mark, offset;
} windows[MAX_WINDOWS];
static uint16_t window_count;
static const struct mark_list *indexed; /* NULL: none, or not as it is now */

static char maps[MAX_MAPS];
static uint64_t pagemap[PAGEMAP_CHUNK];
static int pagemap_fd = -1;

static void die(const char *what)
{
    perror(what);
    abort();
}

void memory_scan_setup(void)
{
    if (getrandom(mask, sizeof(mask), 0) != (ssize_t)sizeof(mask))
        die("getrandom");
    pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (pagemap_fd < 0)
        die("/proc/self/pagemap");
}

/* ---- what stays masked ---- */

void hidden_make(struct hidden *hidden, size_t size)
{
    hidden->size = size;
    if (getrandom(hidden->masked, size, 0) != (ssize_t)size)
        die("getrandom");
}

void hidden_show(const struct hidden *hidden, uint8_t *out)
{
    volatile uint8_t *to = out;

    for (size_t n = 0; n < hidden->size; n++)
        to[n] = hidden->masked[n] ^ mask[n];
}

void hidden_take(struct hidden *hidden, uint8_t *bytes, size_t size)
{
    volatile uint8_t *from = bytes;

    hidden->size = size;
    for (size_t n = 0; n < size; n++) {
        hidden->masked[n] = from[n] ^ mask[n];
        from[n] = 0;
    }
}

/* ---- marks ---- */

static struct mark_list added; /* of the child */

void mark_add(const char *name, const void *bytes, size_t size, size_t run)
{
    struct mark *mark = &added.mark[added.count];
    const uint8_t *from = bytes;

    if (added.count == MARK_MAX || size > MARK_MAX_SIZE || size < run)
        _exit(1);
    added.count++;
    snprintf(mark->name, sizeof(mark->name), "%s", name);
    mark->size = size;
    mark->run = run;
    for (size_t n = 0; n < size; n++)
        mark->masked[n] = from[n] ^ mask[n];
}

static void write_all(int fd, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t written = write(fd, (const char *)data + done, size - done);

        if (written <= 0)
            _exit(1);
        done += (size_t)written;
    }
}

static void read_all(int fd, void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = read(fd, (char *)data + done, size - done);

        if (got <= 0)
            die("a child that computes marks");
        done += (size_t)got;
    }
}

void marks_compute(struct mark_list *list, void (*compute)(const void *), const void *argument)
{
    int ends[2], status;
    pid_t child = -1;

    if (pipe(ends) != 0 || (child = fork()) < 0)
        die("fork");
    if (child == 0) {
        close(ends[0]);
        added.count = 0;
        compute(argument);
        write_all(ends[1], &added, sizeof(added));
        _exit(0);
    }
    close(ends[1]);
    read_all(ends[0], list, sizeof(*list));
    close(ends[0]);
    if (waitpid(child, &status, 0) != child || status != 0)
        die("a child that computes marks");
    indexed = NULL;
}

int marks_have(const struct mark_list *list, const char *name)
{
    for (size_t n = 0; n < list->count; n++) {
        if (strcmp(list->mark[n].name, name) == 0)
            return 1;
    }
    return 0;
}

/* ---- the index ---- */

/* Of eight bytes as a little-endian number, summed up without forming it. */
static size_t hash_masked(const struct mark *mark, size_t offset)
{
    uint64_t sum = 0;

    for (size_t n = 0; n < 8; n++)
        sum += (uint64_t)(uint8_t)(mark->masked[offset + n] ^ mask[offset + n]) *
               (HASH_FACTOR << (8 * n));
    return (size_t)(sum >> (64 - HASH_BITS));
}

static void make_index(const struct mark_list *list)
{
    memset(heads, 0, sizeof(heads));
    window_count = 0;
    indexed = list;
    for (size_t m = 0; m < list->count; m++) {
        const struct mark *mark = &list->mark[m];

        for (size_t offset = 0; offset + mark->run <= mark->size; offset++) {
            size_t hash = hash_masked(mark, offset);

            if (++window_count == MAX_WINDOWS)
                die("too many marks");
            windows[window_count].mark = (uint16_t)m;
            windows[window_count].offset = (uint16_t)offset;
            nexts[window_count] = heads[hash];
            heads[hash] = window_count;
        }
    }
}

/* ---- the scan ---- */

/* Each run of bytes is counted once, at its first window. */
UNCHECKED static int is_found(const struct mark *mark, size_t offset, const volatile uint8_t *at,
                              size_t left, int has_before)
{
    if (left < mark->run)
        return 0;
    for (size_t n = 0; n < mark->run; n++) {
        if (at[n] != (uint8_t)(mark->masked[offset + n] ^ mask[offset + n]))
            return 0;
    }
    return offset == 0 || !has_before ||
           at[-1] != (uint8_t)(mark->masked[offset - 1] ^ mask[offset - 1]);
}

UNCHECKED static void scan_bytes(struct mark_list *list, enum region region, const uint8_t *from,
                                 size_t size)
{
    const volatile uint8_t *bytes = from;
    uint64_t word = 0;

    scanned += size;
    for (size_t n = 0; n < size; n++) {
        size_t hash;

        word = word >> 8 | (uint64_t)bytes[n] << 56;
        if (n < 7)
            continue;
        hash = (size_t)((word * HASH_FACTOR) >> (64 - HASH_BITS));
        for (uint16_t w = heads[hash]; w != 0; w = nexts[w]) {
            struct mark *mark = &list->mark[windows[w].mark];

            if (is_found(mark, windows[w].offset, bytes + n - 7, size - (n - 7), n > 7))
                mark->found[region]++;
        }
    }
}

/* A page of zeros holds no part of a mark that has no zeros in a row. */
UNCHECKED static int is_empty(const uint8_t *page)
{
    const volatile uint64_t *words = (const volatile uint64_t *)(const void *)page;
    uint64_t all = 0;

    for (size_t n = 0; n < PAGE / sizeof(*words) && all == 0; n++)
        all |= words[n];
    return all == 0;
}

/* The pages of one mapping that are there, in stretches as long as possible. */
static void scan_mapping(struct mark_list *list, enum region region, uintptr_t start, uintptr_t end)
{
    uintptr_t stretch = 0;

    for (uintptr_t at = start; at < end;) {
        size_t pages = (end - at) / PAGE < PAGEMAP_CHUNK ? (end - at) / PAGE : PAGEMAP_CHUNK;
        ssize_t wanted = (ssize_t)(pages * sizeof(pagemap[0]));

        if (pread(pagemap_fd, pagemap, (size_t)wanted, (off_t)(at / PAGE * sizeof(pagemap[0]))) !=
            wanted)
            die("/proc/self/pagemap");
        for (size_t n = 0; n < pages; n++, at += PAGE) {
            int is_there = (pagemap[n] & PAGEMAP_THERE) != 0 && !is_empty((const uint8_t *)at);

            if (is_there && stretch == 0)
                stretch = at;
            if (!is_there && stretch != 0) {
                scan_bytes(list, region, (const uint8_t *)stretch, at - stretch);
                stretch = 0;
            }
        }
    }
    if (stretch != 0)
        scan_bytes(list, region, (const uint8_t *)stretch, end - stretch);
}

static void read_maps(void)
{
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t filled = 0;
    ssize_t got;

    if (fd < 0)
        die("/proc/self/maps");
    while ((got = read(fd, maps + filled, sizeof(maps) - 1 - filled)) > 0)
        filled += (size_t)got;
    close(fd);
    if (got < 0 || filled == sizeof(maps) - 1)
        die("/proc/self/maps");
    maps[filled] = '\0';
}

/* start-end perms offset device inode path.  |before|: of a mapping that ends where this one starts,
 * else REGION_ANONYMOUS; what follows the data of a program without a name is its .bss. */
static enum region region_of(const char *line, const char *line_end, enum region before)
{
    const char *path = memchr(line, '[', (size_t)(line_end - line));

    if (path != NULL && strncmp(path, "[stack", 6) == 0)
        return REGION_STACK;
    if (path != NULL && strncmp(path, "[heap]", 6) == 0)
        return REGION_HEAP;
    if (memchr(line, '/', (size_t)(line_end - line)) != NULL || before == REGION_DATA)
        return REGION_DATA;
    return REGION_ANONYMOUS;
}

static void scan_regions(struct mark_list *list, int only_stack)
{
    enum region region = REGION_ANONYMOUS;
    uintptr_t previous_end = 0;

    if (indexed != list)
        make_index(list);
    for (size_t m = 0; m < list->count; m++)
        memset(list->mark[m].found, 0, sizeof(list->mark[m].found));
    scanned = 0;
    read_maps();
    for (char *line = maps, *line_end; *line != '\0'; line = line_end + 1) {
        char *rest;
        uintptr_t start = strtoul(line, &rest, 16), end = strtoul(rest + 1, &rest, 16);

        if ((line_end = strchr(line, '\n')) == NULL)
            die("/proc/self/maps");
        region = region_of(line, line_end, start == previous_end ? region : REGION_ANONYMOUS);
        previous_end = end;
        if (rest[1] == 'r' && rest[2] == 'w' && end - start < TOO_LARGE &&
            (region == REGION_STACK || !only_stack))
            scan_mapping(list, region, start, end);
    }
}

void memory_scan(struct mark_list *list)
{
    scan_regions(list, 0);
}

/* The scan of the stack runs on another one, so that it changes nothing there but the few bytes of
 * the call that switches. */
static ucontext_t caller, scanner;
static uint8_t scanner_stack[SCANNER_STACK];
static struct mark_list *scanner_list;

static void scan_on_request(void)
{
    for (;;) {
        scan_regions(scanner_list, 1);
        swapcontext(&scanner, &caller);
    }
}

void memory_scan_stack(struct mark_list *list)
{
    scanner_list = list;
    if (scanner.uc_stack.ss_sp == NULL) {
        getcontext(&scanner);
        scanner.uc_stack.ss_sp = scanner_stack;
        scanner.uc_stack.ss_size = sizeof(scanner_stack);
        scanner.uc_link = NULL;
        makecontext(&scanner, scan_on_request, 0);
    }
    swapcontext(&caller, &scanner);
}

const char *region_name(enum region region)
{
    static const char *const names[] = { "stack", "heap", "anonymous", "data" };

    return names[region];
}

size_t memory_scan_size(void)
{
    return scanned;
}
