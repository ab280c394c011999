/* A clock that a test sets: see fake_clock.h. */
#define _GNU_SOURCE /* syscall */
#include "fake_clock.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int stopped;
static struct timespec stopped_wall, stopped_boot;
static int64_t wall_offset, boot_offset, jump;
static size_t reads, reads_to_jump;

static int real_clock(clockid_t clock, struct timespec *now)
{
    return (int)syscall(SYS_clock_gettime, clock, now);
}

/* Not static and not hidden: this is the one that the module finds. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!stopped || (clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME))
        return real_clock(clock, now);
    *now = clock == CLOCK_REALTIME ? stopped_wall : stopped_boot;
    now->tv_sec += (time_t)(clock == CLOCK_REALTIME ? wall_offset : boot_offset);
    if (clock != CLOCK_REALTIME)
        return 0;
    reads++;
    if (reads_to_jump != 0 && --reads_to_jump == 0)
        wall_offset += jump;
    return 0;
}

void fake_clock_stop(void)
{
    real_clock(CLOCK_REALTIME, &stopped_wall);
    real_clock(CLOCK_BOOTTIME, &stopped_boot);
    /* room to set it back on a machine that was booted a minute ago */
    stopped_boot.tv_sec += 1000000;
    wall_offset = boot_offset = 0;
    reads = reads_to_jump = 0;
    stopped = 1;
}

void fake_clock_release(void)
{
    stopped = 0;
}

void fake_clock_set(int64_t wall_seconds, int64_t boot_seconds)
{
    wall_offset = wall_seconds;
    boot_offset = boot_seconds;
}

void fake_clock_jump_after(size_t count, int64_t seconds)
{
    reads_to_jump = count;
    jump = seconds;
}

size_t fake_clock_reads(void)
{
    return reads;
}
