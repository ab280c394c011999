/* Rows: resident memory over a million hand-offs of a connection in one process. */
#include <stdio.h>
#include "hand_off.h"
#include "heap.h"
#include "rows.h"
#include "timing.h"

#define HAND_OFFS 1000000
#define STEPS     10

void hand_off_rows(void)
{
    struct mover *mover = mover_new();
    double start = wall_seconds();
    size_t first = 0;

    for (int step = 0; step <= STEPS; step++) {
        const size_t resident = resident_memory();

        if (step == 1)
            first = resident;
        printf("%-30s  %7d done, %zu KiB resident\n", step == 0 ? "hand-offs of four keys" : "",
               step * (HAND_OFFS / STEPS), resident / 1024);
        fflush(stdout);
        for (int n = 0; step < STEPS && n < HAND_OFFS / STEPS; n++)
            mover_move(mover);
    }
    printf("%-30s  %+7ld KiB since the first %d, to be flat; %.0f s\n", "",
           ((long)resident_memory() - (long)first) / 1024, HAND_OFFS / STEPS,
           wall_seconds() - start);
    mover_free(mover);
}
