/* Moments and deadlines: see moment.h. */
#include "blob/moment.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef CLOCK_BOOTTIME
#define BOOT_CLOCK CLOCK_BOOTTIME
#else
#define BOOT_CLOCK CLOCK_MONOTONIC
#endif

/* Linux: a random UUID that is new with each boot. */
#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Zeros when there is no such file or it does not look like a UUID. */
static void read_boot_id(uint8_t id[MOMENT_BOOT_ID_SIZE])
{
    char text[36];
    int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text));
    size_t digits = 0;

    if (fd >= 0)
        close(fd);
    memset(id, 0, MOMENT_BOOT_ID_SIZE);
    for (ssize_t n = 0; n < got && digits < 2 * MOMENT_BOOT_ID_SIZE; n++) {
        int value = hex_value(text[n]);

        if (value < 0)
            continue; /* the dashes */
        id[digits / 2] = (uint8_t)(id[digits / 2] << 4 | value);
        digits++;
    }
    if (digits < 2 * MOMENT_BOOT_ID_SIZE)
        memset(id, 0, MOMENT_BOOT_ID_SIZE);
}

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now = { 0, 0 };

    return clock_gettime(clock, &now) == 0 && now.tv_sec > 0 ? (uint64_t)now.tv_sec : 0;
}

uint64_t moment_wall_clock(void)
{
    return read_clock(CLOCK_REALTIME);
}

void moment_now(struct moment *now)
{
    now->wall = moment_wall_clock();
    now->boot = (uint32_t)read_clock(BOOT_CLOCK);
    read_boot_id(now->boot_id);
}

struct moment moment_add(const struct moment *moment, uint32_t seconds)
{
    struct moment later = *moment;

    /* Never back to the beginning of time. */
    later.wall = later.wall > UINT64_MAX - seconds ? UINT64_MAX : later.wall + seconds;
    later.boot = later.boot > UINT32_MAX - seconds ? UINT32_MAX : later.boot + seconds;
    return later;
}

static int is_same_boot(const struct moment *a, const struct moment *b)
{
    static const uint8_t unknown[MOMENT_BOOT_ID_SIZE];

    return memcmp(a->boot_id, unknown, sizeof(unknown)) != 0 &&
           memcmp(a->boot_id, b->boot_id, sizeof(unknown)) == 0;
}

int moment_is_past(const struct moment *deadline, const struct moment *now)
{
    return now->wall > deadline->wall ||
           (is_same_boot(deadline, now) && now->boot > deadline->boot);
}

int moment_is_long_past(const struct moment *deadline, const struct moment *now)
{
    return now->wall > deadline->wall &&
           (!is_same_boot(deadline, now) || now->boot > deadline->boot);
}
