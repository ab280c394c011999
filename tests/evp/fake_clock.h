/*
 * A clock that a test sets: this program's own clock_gettime, which the module's calls resolve to
 * (the program is linked with its symbols exported).  Used by test_transfer.
 *
 * Only the seconds of CLOCK_REALTIME and CLOCK_BOOTTIME are changed, and nothing is until a test
 * says so.  The boot id cannot be changed from here: blob/moment's unit test covers that.
 */
#ifndef SCHANNEL_TESTS_EVP_FAKE_CLOCK_H
#define SCHANNEL_TESTS_EVP_FAKE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Both clocks stop where they are. */
void fake_clock_stop(void);
/* They run again, and are right. */
void fake_clock_release(void);
/* Moves the stopped clocks; they are that far from where they were stopped. */
void fake_clock_set(int64_t wall_seconds, int64_t boot_seconds);
/* The wall clock jumps |seconds| when it has been read |reads| times more. */
void fake_clock_jump_after(size_t reads, int64_t seconds);
/* How often a stopped wall clock was read: 0 when the module does not read this clock at all. */
size_t fake_clock_reads(void);

#endif
