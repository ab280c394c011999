/*
 * The transcript of the hand-off demo, see report.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <openssl/err.h>
#include "report.h"

#define LINE_SIZE 1024

/* One write per line: the processes append to one file. */
static void print_line(const char *who, const char *mark, const char *format, va_list arguments)
{
    char text[LINE_SIZE];

    vsnprintf(text, sizeof(text), format, arguments);
    printf("[%-13s pid %ld uid %ld] %s%s\n", who, (long)getpid(), (long)getuid(), mark, text);
}

void report_open(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
}

void report(const char *who, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line(who, "", format, arguments);
    va_end(arguments);
}

static int print_openssl_error(const char *text, size_t size, void *who)
{
    /* the text ends with a newline of its own */
    report(who, "  %.*s", (int)(size > 0 ? size - 1 : 0), text);
    return 1;
}

int report_failure(const char *who, const char *format, ...)
{
    char name[64];
    va_list arguments;

    va_start(arguments, format);
    print_line(who, "FAILED: ", format, arguments);
    va_end(arguments);
    snprintf(name, sizeof(name), "%s", who);
    ERR_print_errors_cb(print_openssl_error, name);
    return 0;
}

uint64_t report_clock(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}
