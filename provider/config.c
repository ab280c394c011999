/* Reads the provider's configuration through the core: see config.h. */
#include "config.h"

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

int config_read(struct config *config, const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in)
{
    OSSL_FUNC_core_get_params_fn *get_params = NULL;
    char *seal_key = NULL;
    OSSL_PARAM request[] = { OSSL_PARAM_utf8_ptr("seal-key", &seal_key, 0), OSSL_PARAM_END };

    for (; in->function_id != 0; in++) {
        if (in->function_id == OSSL_FUNC_CORE_GET_PARAMS)
            get_params = OSSL_FUNC_core_get_params(in);
    }
    if (get_params == NULL || !get_params(core, request) || seal_key == NULL)
        return 1;
    config->seal_key = OPENSSL_strdup(seal_key);
    return config->seal_key != NULL;
}

void config_clear(struct config *config)
{
    OPENSSL_free(config->seal_key);
    config->seal_key = NULL;
}
