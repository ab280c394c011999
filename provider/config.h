/*
 * What the provider's section of openssl.cnf says.  Read once, while the provider is initialised;
 * immutable afterwards.  Each key is explained in openssl.cnf.sample.
 */
#ifndef SCHANNEL_PROVIDER_CONFIG_H
#define SCHANNEL_PROVIDER_CONFIG_H

#include <openssl/core.h>

struct config {
    /* owned, NULL when not configured */
    char *seal_key;  /* "seal-key" */
    char *claim_dir; /* "claim-dir" */
    char *trace;     /* "trace" */
};

/* 1, or 0 when memory is out.  Values are checked where they are used, so that their errors reach
 * the user of that operation instead of disabling the whole provider. */
int config_read(struct config *config, const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in);
void config_clear(struct config *config);

#endif
