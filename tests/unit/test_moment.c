/*
 * blob/moment: which deadlines have passed, on which clocks, and that "now" is now.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "blob/moment.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define WALL         1700000000u
#define BOOT         5000u

static const uint8_t this_boot[MOMENT_BOOT_ID_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static const uint8_t other_boot[MOMENT_BOOT_ID_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 9 };
static const uint8_t unknown_boot[MOMENT_BOOT_ID_SIZE] = { 0 };

static struct moment moment_of(uint64_t wall, const uint8_t *boot_id, uint32_t boot)
{
    struct moment moment = { .wall = wall, .boot = boot };

    memcpy(moment.boot_id, boot_id, sizeof(moment.boot_id));
    return moment;
}

/* The clocks count whole seconds and a deadline is the last second that is in time. */
static const struct {
    const uint8_t *set_on, *seen_on; /* boots */
    int wall, boot;                  /* seconds after the deadline */
    int is_past, is_long_past;
} rows[] = {
    /* one boot: either clock ends it, both have to agree that it can be forgotten */
    { this_boot, this_boot, -1, -1, 0, 0 },
    { this_boot, this_boot, -1, 0, 0, 0 },
    { this_boot, this_boot, -1, 1, 1, 0 }, /* the wall clock was set back */
    { this_boot, this_boot, 0, -1, 0, 0 },
    { this_boot, this_boot, 0, 0, 0, 0 },
    { this_boot, this_boot, 0, 1, 1, 0 },
    { this_boot, this_boot, 1, -1, 1, 0 }, /* the wall clock was set forward */
    { this_boot, this_boot, 1, 0, 1, 0 },
    { this_boot, this_boot, 1, 1, 1, 1 },
    { this_boot, this_boot, -1000000, 1000, 1, 0 },
    { this_boot, this_boot, 1000000, -1000, 1, 0 },
    /* booted again: the boot clock started again too and says nothing */
    { this_boot, other_boot, -1, -1, 0, 0 },
    { this_boot, other_boot, -1, 1, 0, 0 },
    { this_boot, other_boot, 0, 1, 0, 0 },
    { this_boot, other_boot, 0, 1000, 0, 0 },
    { this_boot, other_boot, 1, -1, 1, 1 },
    { this_boot, other_boot, 1, -1000, 1, 1 },
    { this_boot, other_boot, 1, 1, 1, 1 },
    /* two machines without a boot id are not one boot, nor is one with and one without */
    { unknown_boot, unknown_boot, -1, 1, 0, 0 },
    { unknown_boot, unknown_boot, 0, 1000, 0, 0 },
    { unknown_boot, unknown_boot, 1, -1, 1, 1 },
    { unknown_boot, unknown_boot, 1, 1, 1, 1 },
    { this_boot, unknown_boot, 0, 1, 0, 0 },
    { this_boot, unknown_boot, 1, -1, 1, 1 },
    { unknown_boot, this_boot, 0, 1, 0, 0 },
    { unknown_boot, this_boot, 1, -1, 1, 1 },
};

static void a_deadline_is_past_by_one_clock_and_long_past_by_all(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct moment deadline = moment_of(WALL, rows[n].set_on, BOOT);
        struct moment now = moment_of((uint64_t)((int64_t)WALL + rows[n].wall), rows[n].seen_on,
                                      (uint32_t)((int64_t)BOOT + rows[n].boot));

        if (moment_is_past(&deadline, &now) != rows[n].is_past ||
            moment_is_long_past(&deadline, &now) != rows[n].is_long_past)
            fail_msg("row %zu: past %d, long past %d", n, moment_is_past(&deadline, &now),
                     moment_is_long_past(&deadline, &now));
    }
    print_message("%zu combinations\n", COUNT(rows));
}

/* Whichever byte of the boot id differs, it is another boot. */
static void every_byte_of_the_boot_id_counts(void **state)
{
    struct moment deadline = moment_of(WALL, this_boot, BOOT), now;

    (void)state;
    for (size_t n = 0; n < MOMENT_BOOT_ID_SIZE; n++) {
        now = moment_of(WALL, this_boot, BOOT + 1);
        assert_int_equal(moment_is_past(&deadline, &now), 1);
        now.boot_id[n] ^= 0x80;
        assert_int_equal(moment_is_past(&deadline, &now), 0);
    }
}

static void seconds_are_added_to_both_clocks(void **state)
{
    static const uint32_t seconds[] = { 0, 1, 60, 300, 86400 };

    (void)state;
    for (size_t n = 0; n < COUNT(seconds); n++) {
        struct moment start = moment_of(WALL, this_boot, BOOT);
        struct moment end = moment_add(&start, seconds[n]);

        assert_int_equal(end.wall, WALL + seconds[n]);
        assert_int_equal(end.boot, BOOT + seconds[n]);
        assert_memory_equal(end.boot_id, this_boot, sizeof(this_boot));
        assert_int_equal(start.wall, WALL);
        assert_int_equal(start.boot, BOOT);
    }
}

/* A clock that says nonsense does not bring a deadline back to the beginning of time. */
static void a_sum_stays_at_the_end_of_time(void **state)
{
    struct moment start = moment_of(UINT64_MAX - 59, this_boot, UINT32_MAX - 59), end;

    (void)state;
    end = moment_add(&start, 59);
    assert_true(end.wall == UINT64_MAX && end.boot == UINT32_MAX);
    end = moment_add(&start, 60);
    assert_true(end.wall == UINT64_MAX && end.boot == UINT32_MAX);
    assert_int_equal(moment_is_past(&end, &start), 0);
}

/* The first 16 digits of the file, as the header promises; zeros where there is none. */
static void expected_boot_id(uint8_t id[MOMENT_BOOT_ID_SIZE])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    char digits[3] = "";
    size_t count = 0;

    memset(id, 0, MOMENT_BOOT_ID_SIZE);
    if (file == NULL)
        return;
    for (int next; count < 2 * MOMENT_BOOT_ID_SIZE && (next = getc(file)) != EOF;) {
        if (next == '-')
            continue;
        digits[count % 2] = (char)next;
        if (count++ % 2 == 1)
            id[count / 2 - 1] = (uint8_t)strtoul(digits, NULL, 16);
    }
    fclose(file);
}

static uint64_t seconds_of(clockid_t clock)
{
    struct timespec now;

    assert_int_equal(clock_gettime(clock, &now), 0);
    return (uint64_t)now.tv_sec;
}

static void now_is_what_the_clocks_of_this_machine_say(void **state)
{
    uint64_t wall = seconds_of(CLOCK_REALTIME), boot = 0, boot_after = UINT32_MAX;
    uint8_t boot_id[MOMENT_BOOT_ID_SIZE];
    struct moment now;

    (void)state;
#ifdef CLOCK_BOOTTIME
    boot = seconds_of(CLOCK_BOOTTIME);
#endif
    moment_now(&now);
#ifdef CLOCK_BOOTTIME
    boot_after = seconds_of(CLOCK_BOOTTIME);
#endif
    assert_in_range(now.wall, wall, seconds_of(CLOCK_REALTIME));
    assert_in_range(now.boot, boot, boot_after);
    expected_boot_id(boot_id);
    assert_memory_equal(now.boot_id, boot_id, sizeof(boot_id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_is_past_by_one_clock_and_long_past_by_all),
        cmocka_unit_test(every_byte_of_the_boot_id_counts),
        cmocka_unit_test(seconds_are_added_to_both_clocks),
        cmocka_unit_test(a_sum_stays_at_the_end_of_time),
        cmocka_unit_test(now_is_what_the_clocks_of_this_machine_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
