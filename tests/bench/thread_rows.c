/* Rows: derivations in two threads and in 64, compared with fewer of our own. */
#include <stdio.h>
#include "derivations.h"
#include "parallel.h"
#include "rows.h"

static void print_speedup(const char *what, const struct speedup *speedup, const char *to_reach)
{
    printf("  %-28s  %5.2f [%.2f..%.2f] times as many%s; processor time %.2f [%.2f..%.2f] times\n",
           what, speedup->operations.median, speedup->operations.low, speedup->operations.high,
           to_reach, speedup->processor.median, speedup->processor.low, speedup->processor.high);
    fflush(stdout);
}

enum whose { OURS, THEIRS };

static void print_scaling(enum whose whose, const struct job *job)
{
    const struct scaling scaling = measure_scaling(job);
    const int is_ours = whose == OURS;

    printf("%s%s", is_ours ? "" : "OpenSSL's own ", job->name);
    if (job->size != 0)
        printf(", %zu bytes", job->size);
    else if (is_ours)
        printf(", four EVP_PKEYs");
    printf(": %.0f in a second in one thread\n", 1 / scaling.seconds.median);
    print_speedup("2 threads over 1", &scaling.two_over_one, is_ours ? ", to reach 1.90" : "");
    print_speedup("64 threads over 2", &scaling.many_over_two, is_ours ? ", to reach 0.90" : "");
}

void thread_rows(void)
{
    const struct job *const ours[] = { &tls1_kdf_104, &tls1_kdf_136, &tls1_master_keys,
                                       &ssl3_kdf_104, &ssl2_kdf_48,  &pct1_kdf_16 };

    for (size_t n = 0; n < sizeof(ours) / sizeof(ours[0]); n++)
        print_scaling(OURS, ours[n]);
    print_scaling(THEIRS, &tls1_prf_104);
    print_scaling(THEIRS, &hmac_keys);
}
