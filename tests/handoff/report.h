/*
 * The transcript of the hand-off demo: lines on standard output that say which process speaks.
 * Called by the two programs and by service.c; tests/demo collects and shows the lines.
 */
#ifndef HANDOFF_REPORT_H
#define HANDOFF_REPORT_H

#include <stdint.h>

/* Makes standard output line-buffered, so that lines of several processes do not mix. */
void report_open(void);

/* One line "[who pid N uid N] text".  |who| is the name of the process. */
void report(const char *who, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for a failure, with what stands on OpenSSL's error queue, which it empties.
 * Always 0, so that a failing function can end with  return report_failure(...). */
int report_failure(const char *who, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A clock that only goes forward, in microseconds. */
uint64_t report_clock(void);

#endif
