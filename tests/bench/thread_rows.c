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

static void print_scaling(const char *what, const struct job *job, int has_goal)
{
    const struct scaling scaling = measure_scaling(job);

    printf("%s: %.0f in a second in one thread\n", what, 1 / scaling.seconds.median);
    print_speedup("2 threads over 1", &scaling.two_over_one, has_goal ? ", to reach 1.90" : "");
    print_speedup("64 threads over 2", &scaling.many_over_two, has_goal ? ", to reach 0.90" : "");
}

void thread_rows(void)
{
    static const struct {
        const char *what;
        const struct job *job;
        int has_goal;
    } rows[] = {
        { "TLS1-KDF, 104 bytes", &tls1_kdf_104, 1 },
        { "TLS1-KDF, 136 bytes", &tls1_kdf_136, 1 },
        { "SSL3-KDF, 104 bytes", &ssl3_kdf_104, 1 },
        { "SSL2-KDF, 48 bytes", &ssl2_kdf_48, 1 },
        { "PCT1-KDF, 16 bytes", &pct1_kdf_16, 1 },
        { "TLS1-MASTER, four EVP_PKEYs", &tls1_master_keys, 1 },
        { "TLS1-KDF, 104 bytes, and four empty EVP_PKEYs", &empty_keys, 0 },
        { "OpenSSL's own TLS1-PRF, 104 bytes", &tls1_prf_104, 0 },
        { "OpenSSL's own HMAC, four EVP_PKEYs", &hmac_keys, 0 },
    };

    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
        print_scaling(rows[n].what, rows[n].job, rows[n].has_goal);
}
