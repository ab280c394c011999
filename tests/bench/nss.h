/*
 * NSS softoken's derivation of a connection's keys, for comparison: four key objects from a master
 * secret of TLS 1.0, made and destroyed.  nss.c when libnss3-dev was there at build time, else
 * nss_absent.c.  Called by derivation_rows.
 */
#ifndef SCHANNEL_TESTS_BENCH_NSS_H
#define SCHANNEL_TESTS_BENCH_NSS_H

#include "timing.h"

/* 1 with |job| filled, or 0: it is left out, and nss_why_not says why. */
int nss_job(struct job *job);
const char *nss_why_not(void);

#endif
