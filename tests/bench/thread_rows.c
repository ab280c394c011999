/* Rows: derivations in two threads and in 64, compared with fewer of our own. */
#include <stdio.h>
#include "derivations.h"
#include "parallel.h"
#include "rows.h"

static void print_scaling(const struct job *job, size_t size, int is_ours)
{
    const struct scaling scaling = measure_scaling(job);
    char what[40];

    snprintf(what, sizeof(what), size != 0 ? "%s, %zu bytes" : "%s, four key objects", job->name,
             size);
    printf("%-30s  %7.0f in a second; 2 threads %.2f times as many%s, processor time %.2f times; "
           "64 threads %.2f times as many as 2%s, processor time %.2f times\n",
           what, scaling.per_second, scaling.two_over_one.operations,
           is_ours ? ", to reach 1.90" : "", scaling.two_over_one.processor,
           scaling.many_over_two.operations, is_ours ? ", to reach 0.90" : "",
           scaling.many_over_two.processor);
    fflush(stdout);
}

void thread_rows(void)
{
    const struct job *const ours[] = { &tls1_kdf_104, &tls1_kdf_136, &tls1_master_keys,
                                       &ssl3_kdf_104, &ssl2_kdf_48,  &pct1_kdf_16 };

    for (size_t n = 0; n < sizeof(ours) / sizeof(ours[0]); n++)
        print_scaling(ours[n], ours[n]->size, 1);
    print_scaling(&tls1_prf_104, tls1_prf_104.size, 0);
}
