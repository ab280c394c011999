/* Reads the provider's configuration through the core: see config.h. */
#include "config.h"

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include "schannel/names.h"

static int copy(char **to, const char *from)
{
    *to = from == NULL ? NULL : OPENSSL_strdup(from);
    return from == NULL || *to != NULL;
}

int config_read(struct config *config, const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in)
{
    OSSL_FUNC_core_get_params_fn *get_params = NULL;
    char *seal_key = NULL, *claim_dir = NULL, *trace = NULL;
    OSSL_PARAM request[] = {
        OSSL_PARAM_utf8_ptr(SCHANNEL_PARAM_SEAL_KEY, &seal_key, 0),
        OSSL_PARAM_utf8_ptr(SCHANNEL_PARAM_CLAIM_DIR, &claim_dir, 0),
        OSSL_PARAM_utf8_ptr(SCHANNEL_CONFIG_TRACE, &trace, 0),
        OSSL_PARAM_END,
    };

    for (; in->function_id != 0; in++) {
        if (in->function_id == OSSL_FUNC_CORE_GET_PARAMS)
            get_params = OSSL_FUNC_core_get_params(in);
    }
    if (get_params == NULL || !get_params(core, request))
        return 1;
    return copy(&config->seal_key, seal_key) && copy(&config->claim_dir, claim_dir) &&
           copy(&config->trace, trace);
}

void config_clear(struct config *config)
{
    OPENSSL_free(config->seal_key);
    OPENSSL_free(config->claim_dir);
    OPENSSL_free(config->trace);
    config->seal_key = config->claim_dir = config->trace = NULL;
}
