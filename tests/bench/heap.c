/* How much memory the process has: see heap.h. */
#define _GNU_SOURCE /* mallinfo2 */
#include "heap.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

size_t heap_in_use(void)
{
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    return mallinfo2().uordblks;
#else
    return 0;
#endif
}

size_t resident_memory(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long total, resident = 0;

    if (file == NULL)
        return 0;
    if (fscanf(file, "%lu %lu", &total, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}
