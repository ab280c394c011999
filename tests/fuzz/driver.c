/*
 * Runs a fuzz target on inputs that exist already, for compilers without libFuzzer.
 *
 *     fuzz_TARGET FILE|DIRECTORY...    a file NAME.txt is a corpus: one input a line, in hex
 *     fuzz_TARGET                      one input from standard input, as AFL gives it
 *
 * Prints how many inputs were run; no input at all is a failure.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "fuzz.h"

static size_t count;

static void run(const uint8_t *data, size_t size)
{
    /* exactly as long as the input, so that AddressSanitizer sees the first byte behind it */
    uint8_t *exact = malloc(size != 0 ? size : 1);

    fuzz_expect(exact != NULL, "memory");
    if (size != 0)
        memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    count++;
}

/* All of |file|, which the caller frees. */
static uint8_t *read_all(FILE *file, size_t *size)
{
    size_t room = 4096, got;
    uint8_t *data = malloc(room);

    *size = 0;
    while (data != NULL && (got = fread(data + *size, 1, room - *size, file)) != 0) {
        *size += got;
        if (*size == room) {
            room *= 2;
            data = realloc(data, room);
        }
    }
    fuzz_expect(data != NULL, "memory");
    return data;
}

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = digit != '\0' ? strchr(digits, digit) : NULL;

    return found != NULL ? (int)(found - digits) : -1;
}

/* One line of a corpus: an input, a comment, or nothing. */
static void run_line(char *line)
{
    uint8_t *out = (uint8_t *)line;
    size_t size = 0;

    if (line[0] == '#' || line[0] == '\0')
        return;
    if (strcmp(line, "-") == 0) { /* the empty input */
        run(out, 0);
        return;
    }
    for (; line[2 * size] != '\0'; size++) {
        int high = hex_value(line[2 * size]);
        int low = high < 0 ? -1 : hex_value(line[2 * size + 1]);

        fuzz_expect(low >= 0, "an even number of hex digits in each line of the corpus");
        out[size] = (uint8_t)(high << 4 | low);
    }
    run(out, size);
}

static void run_corpus(FILE *file)
{
    size_t size;
    char *text = (char *)read_all(file, &size);

    text = realloc(text, size + 1);
    fuzz_expect(text != NULL, "memory");
    text[size] = '\0';
    for (char *line = text, *end; *line != '\0'; line = end) {
        end = line + strcspn(line, "\n");
        if (*end != '\0')
            *end++ = '\0';
        run_line(line);
    }
    free(text);
}

static void run_path(const char *path);

static void run_directory(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    char name[4096];

    fuzz_expect(directory != NULL, "a directory that can be read");
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        run_path(name);
    }
    closedir(directory);
}

static void run_path(const char *path)
{
    const char *ending = strrchr(path, '.');
    struct stat status;
    uint8_t *data;
    size_t size;
    FILE *file;

    fuzz_expect(stat(path, &status) == 0, "an input that exists");
    if (S_ISDIR(status.st_mode)) {
        run_directory(path);
        return;
    }
    file = fopen(path, "rb");
    fuzz_expect(file != NULL, "an input that can be read");
    if (ending != NULL && strcmp(ending, ".txt") == 0) {
        run_corpus(file);
    } else {
        data = read_all(file, &size);
        run(data, size);
        free(data);
    }
    (void)fclose(file);
}

int main(int argc, char **argv)
{
    (void)LLVMFuzzerInitialize(&argc, &argv);
    if (argc == 1) {
        size_t size;
        uint8_t *data = read_all(stdin, &size);

        run(data, size);
        free(data);
    }
    for (int n = 1; n < argc; n++)
        run_path(argv[n]);
    printf("%zu inputs\n", count);
    return count != 0 ? 0 : 1;
}
