/* Rows: key derivation in one thread, and how far it is from its physical limit. */
#include <stdio.h>
#include "derivations.h"
#include "limit.h"
#include "nss.h"
#include "rows.h"

void derivation_rows(void)
{
    struct row rows[] = {
        { "TLS1-KDF, 104 bytes", tls1_kdf_104, tls1_prf_104, TIMES_AS_MANY, 3.0 },
        { "TLS1-KDF, 136 bytes", tls1_kdf_136, tls1_prf_136, TIMES_AS_MANY, 3.0 },
        { "SSL3-KDF, 104 bytes", ssl3_kdf_104, ssl3_formula_104, TIMES_AS_MANY, 1.2 },
    };
    const struct compressions needed[] = { tls1_compressions(104), tls1_compressions(136),
                                           ssl3_compressions(104) };
    const struct row objects = { "reconnect, beside empty EVP_PKEYs", tls1_master_keys, empty_keys,
                                 NO_GOAL, 0 };
    struct row reconnect = {
        .what = "reconnect, four key objects",
        .ours = tls1_master_keys,
        .goal = TIMES_AS_MANY,
        .to_reach = 1.5,
    };

    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
        print_limit(needed[n], compare(&rows[n]));
    if (nss_job(&reconnect.theirs)) {
        print_limit(tls1_compressions(104), compare(&reconnect));
    } else {
        const double seconds = measure(&reconnect.ours);

        printf("%-30s  %11s %7.2f us; NSS is left out: %s\n", reconnect.what, reconnect.ours.name,
               1e6 * seconds, nss_why_not());
        print_limit(tls1_compressions(104), seconds);
    }
    compare(&objects);
}
