/*
 * The reader of tests/vectors: see vectors.h.
 * The file is read whole and cut up in place; fields point into it, decoded bytes are kept beside.
 */
#include "vectors.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MAX_FIELDS      256
#define MAX_FILE_SIZE   (16 * 1024 * 1024)
#define MESSAGE_SIZE    1024
#define SEPARATOR       " ="
#define MAX_SHOWN_BYTES 160

struct field {
    const char *name, *value;
    uint8_t *bytes; /* of a value that was asked for as hex */
};

struct vectors {
    const char *file;
    char *text;
    char *next;  /* the first line not yet read */
    size_t line; /* how many lines were read */
    size_t first_line;
    size_t field_count;
    struct field fields[MAX_FIELDS];
};

/* CMocka leaves the test by longjmp; the compiler does not know that. */
static _Noreturn void stop(const char *message)
{
    fail_msg("%s", message);
    abort();
}

static _Noreturn void stop_at(const char *path, const char *message)
{
    fail_msg("%s: %s", path, message);
    abort();
}

void vectors_fail(const struct vectors *vectors, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    const char *name = vectors_string_or(vectors, "Name", vectors_string_or(vectors, "Test", "?"));
    int used = snprintf(message, sizeof(message), "%s:%zu: %s: ", vectors->file,
                        vectors->first_line, name);
    va_list args;

    if (used > 0 && (size_t)used < sizeof(message)) {
        va_start(args, format);
        vsnprintf(message + used, sizeof(message) - (size_t)used, format, args);
        va_end(args);
    }
    stop(message);
}

static char *read_whole(const char *path)
{
    FILE *stream = fopen(path, "rb");
    char *text = malloc(MAX_FILE_SIZE + 1);
    size_t size;

    if (stream == NULL || text == NULL)
        stop_at(path, "cannot be opened");
    size = fread(text, 1, MAX_FILE_SIZE + 1, stream);
    if (ferror(stream) || size > MAX_FILE_SIZE || memchr(text, '\0', size) != NULL)
        stop_at(path, "cannot be read, is too large or holds a NUL byte");
    fclose(stream);
    text[size] = '\0';
    return text;
}

struct vectors *vectors_open(const char *file)
{
    struct vectors *vectors = calloc(1, sizeof(*vectors));
    char path[1024];
    int size = snprintf(path, sizeof(path), "%s/%s", VECTORS_DIR, file);

    if (vectors == NULL || size < 0 || (size_t)size >= sizeof(path))
        stop("no room for a vector file");
    vectors->file = file;
    vectors->text = read_whole(path);
    vectors->next = vectors->text;
    return vectors;
}

static void drop_stanza(struct vectors *vectors)
{
    for (size_t n = 0; n < vectors->field_count; n++)
        free(vectors->fields[n].bytes);
    memset(vectors->fields, 0, sizeof(vectors->fields));
    vectors->field_count = 0;
}

void vectors_close(struct vectors *vectors)
{
    drop_stanza(vectors);
    free(vectors->text);
    free(vectors);
}

/* The next line without its end, NULL at the end of the file. */
static char *next_line(struct vectors *vectors)
{
    char *line = vectors->next;
    char *end;

    if (*line == '\0')
        return NULL;
    end = line + strcspn(line, "\n");
    vectors->next = *end == '\0' ? end : end + 1;
    if (end > line && end[-1] == '\r')
        end--;
    *end = '\0';
    vectors->line++;
    return line;
}

static const struct field *find(const struct vectors *vectors, const char *name)
{
    for (size_t n = 0; n < vectors->field_count; n++) {
        if (strcmp(vectors->fields[n].name, name) == 0)
            return &vectors->fields[n];
    }
    return NULL;
}

static void add_field(struct vectors *vectors, char *line)
{
    char *separator = strstr(line, SEPARATOR);
    char *value;

    if (separator == NULL || separator == line)
        vectors_fail(vectors, "line %zu is no \"Field = value\"", vectors->line);
    *separator = '\0';
    value = separator + strlen(SEPARATOR);
    value += *value == ' ';
    if (find(vectors, line) != NULL)
        vectors_fail(vectors, "line %zu: there is a second %s", vectors->line, line);
    if (vectors->field_count == MAX_FIELDS)
        vectors_fail(vectors, "line %zu: more than %d fields", vectors->line, MAX_FIELDS);
    vectors->fields[vectors->field_count++] = (struct field){ line, value, NULL };
}

int vectors_next(struct vectors *vectors)
{
    char *line;

    drop_stanza(vectors);
    while ((line = next_line(vectors)) != NULL) {
        if (*line == '#')
            continue;
        if (*line == '\0' && vectors->field_count > 0)
            return 1;
        if (*line == '\0')
            continue;
        if (vectors->field_count == 0)
            vectors->first_line = vectors->line;
        add_field(vectors, line);
    }
    return vectors->field_count > 0;
}

const char *vectors_field_name(const struct vectors *vectors, size_t n)
{
    return n < vectors->field_count ? vectors->fields[n].name : NULL;
}

int vectors_has(const struct vectors *vectors, const char *field)
{
    return find(vectors, field) != NULL;
}

int vectors_has_hex(const struct vectors *vectors, const char *field)
{
    const struct field *found = find(vectors, field);
    size_t digits;

    if (found == NULL)
        return 0;
    digits = strspn(found->value, "0123456789abcdefABCDEF");
    return digits % 2 == 0 && found->value[digits] == '\0';
}

static const struct field *require(const struct vectors *vectors, const char *name)
{
    const struct field *found = find(vectors, name);

    if (found == NULL)
        vectors_fail(vectors, "the stanza has no field %s", name);
    return found;
}

const char *vectors_string(const struct vectors *vectors, const char *field)
{
    return require(vectors, field)->value;
}

const char *vectors_string_or(const struct vectors *vectors, const char *field,
                              const char *otherwise)
{
    return vectors_has(vectors, field) ? vectors_string(vectors, field) : otherwise;
}

uint32_t vectors_integer(const struct vectors *vectors, const char *field)
{
    const char *text = vectors_string(vectors, field);
    const int base = strncmp(text, "0x", 2) == 0 ? 16 : 10;
    char *end = NULL;
    unsigned long long number = strtoull(text, &end, base);

    if (!isdigit((unsigned char)*text) || *end != '\0' || number > UINT32_MAX)
        vectors_fail(vectors, "%s is no 32-bit number: \"%.40s\"", field, text);
    return (uint32_t)number;
}

uint32_t vectors_integer_or(const struct vectors *vectors, const char *field, uint32_t otherwise)
{
    return vectors_has(vectors, field) ? vectors_integer(vectors, field) : otherwise;
}

struct octets vectors_hex(struct vectors *vectors, const char *field)
{
    struct field *found = &vectors->fields[require(vectors, field) - vectors->fields];
    const size_t size = strlen(found->value) / 2;

    if (!vectors_has_hex(vectors, field))
        vectors_fail(vectors, "%s is no hexadecimal byte string: \"%.40s\"", field, found->value);
    if (found->bytes == NULL) {
        /* One byte more than needed: malloc(0) may be NULL. */
        if ((found->bytes = malloc(size + 1)) == NULL)
            stop("no memory for a vector");
        hex_decode(found->value, found->bytes, size);
    }
    return (struct octets){ found->bytes, size };
}

struct octets vectors_hex_or(struct vectors *vectors, const char *field, struct octets otherwise)
{
    return vectors_has(vectors, field) ? vectors_hex(vectors, field) : otherwise;
}

void vectors_expect(struct vectors *vectors, const char *field, struct octets actual)
{
    const struct octets expected = vectors_hex(vectors, field);
    char shown[2 * MAX_SHOWN_BYTES + 1] = "";

    if (actual.size == expected.size &&
        (actual.size == 0 || memcmp(actual.data, expected.data, actual.size) == 0))
        return;
    for (size_t n = 0; n < actual.size && n < MAX_SHOWN_BYTES; n++)
        snprintf(shown + 2 * n, 3, "%02x", actual.data[n]);
    vectors_fail(vectors, "%s: expected %s (%zu bytes), got %s (%zu bytes)", field,
                 vectors_string(vectors, field), expected.size, shown, actual.size);
}

static int digit_value(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = strchr(digits, tolower((unsigned char)digit));

    return digit == '\0' || found == NULL ? -1 : (int)(found - digits);
}

size_t hex_decode(const char *hex, uint8_t *out, size_t room)
{
    size_t digits = 0;

    for (; *hex != '\0'; hex++) {
        const int value = digit_value(*hex);

        if (*hex == ' ')
            continue;
        if (value < 0 || digits / 2 == room)
            stop("a test's hexadecimal text is malformed or too long");
        if (digits % 2 == 0)
            out[digits / 2] = (uint8_t)(value << 4);
        else
            out[digits / 2] = (uint8_t)(out[digits / 2] | value);
        digits++;
    }
    if (digits % 2 != 0)
        stop("a test's hexadecimal text has an odd number of digits");
    return digits / 2;
}

void expect_hex(struct octets actual, const char *hex)
{
    uint8_t expected[1024];
    const size_t size = hex_decode(hex, expected, sizeof(expected));

    assert_int_equal(actual.size, size);
    if (size > 0)
        assert_memory_equal(actual.data, expected, size);
}
