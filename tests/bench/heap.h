/*
 * How much memory the process has.  Called by memory_rows and hand_off_rows.
 */
#ifndef SCHANNEL_TESTS_BENCH_HEAP_H
#define SCHANNEL_TESTS_BENCH_HEAP_H

#include <stddef.h>

/* Bytes that malloc has given out to the main thread, its own overhead included; 0: not known. */
size_t heap_in_use(void);
/* Bytes that are resident; 0: not known. */
size_t resident_memory(void);

#endif
