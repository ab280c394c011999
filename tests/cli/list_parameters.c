/*
 * Prints every parameter that the provider's tables list, one a line: operation, algorithm, where it
 * is taken or given, type, name.  For manual_parameters.sh, which compares them with the manual.
 */
#include <stdio.h>
#include <string.h>
#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include "dispatch.h"
#include "skey_dispatch.h"

/* How a table is asked for; its arguments are used by no room of ours. */
enum call { OF_PROVIDER, OF_CONTEXT, OF_SELECTION };

struct table {
    int operation_id;
    const char *operation;
    int function_id;
    enum call call;
    const char *where;
};

static const struct table tables[] = {
    { OSSL_OP_KEYMGMT, "KEYMGMT", OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, OF_CONTEXT, "generation" },
    { OSSL_OP_KEYMGMT, "KEYMGMT", OSSL_FUNC_KEYMGMT_IMPORT_TYPES, OF_SELECTION, "import" },
    { OSSL_OP_KEYMGMT, "KEYMGMT", OSSL_FUNC_KEYMGMT_EXPORT_TYPES, OF_SELECTION, "export" },
    { OSSL_OP_KEYMGMT, "KEYMGMT", OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, OF_PROVIDER, "set" },
    { OSSL_OP_KEYMGMT, "KEYMGMT", OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, OF_PROVIDER, "get" },
    { OSSL_OP_SKEYMGMT, "SKEYMGMT", OSSL_FUNC_SKEYMGMT_GEN_SETTABLE_PARAMS, OF_PROVIDER,
      "generation" },
    { OSSL_OP_SKEYMGMT, "SKEYMGMT", OSSL_FUNC_SKEYMGMT_IMP_SETTABLE_PARAMS, OF_PROVIDER, "import" },
    { OSSL_OP_KEYEXCH, "KEYEXCH", OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS, OF_CONTEXT, "set" },
    { OSSL_OP_SIGNATURE, "SIGNATURE", OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, OF_CONTEXT, "set" },
    { OSSL_OP_ASYM_CIPHER, "ASYM_CIPHER", OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS, OF_CONTEXT,
      "set" },
    { OSSL_OP_KDF, "KDF", OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS, OF_CONTEXT, "set" },
    { OSSL_OP_KDF, "KDF", OSSL_FUNC_KDF_GETTABLE_CTX_PARAMS, OF_CONTEXT, "get" },
    { OSSL_OP_CIPHER, "CIPHER", OSSL_FUNC_CIPHER_SETTABLE_CTX_PARAMS, OF_CONTEXT, "set" },
    { OSSL_OP_CIPHER, "CIPHER", OSSL_FUNC_CIPHER_GETTABLE_CTX_PARAMS, OF_CONTEXT, "get" },
    { OSSL_OP_CIPHER, "CIPHER", OSSL_FUNC_CIPHER_GETTABLE_PARAMS, OF_PROVIDER, "algorithm" },
    { OSSL_OP_MAC, "MAC", OSSL_FUNC_MAC_SETTABLE_CTX_PARAMS, OF_CONTEXT, "set" },
    { OSSL_OP_MAC, "MAC", OSSL_FUNC_MAC_GETTABLE_CTX_PARAMS, OF_CONTEXT, "get" },
    { OSSL_OP_ENCODER, "ENCODER", OSSL_FUNC_ENCODER_SETTABLE_CTX_PARAMS, OF_PROVIDER, "encoder" },
    { OSSL_OP_DECODER, "DECODER", OSSL_FUNC_DECODER_SETTABLE_CTX_PARAMS, OF_PROVIDER, "decoder" },
    { OSSL_OP_STORE, "STORE", OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS, OF_PROVIDER, "set" },
};

static const OSSL_PARAM *ask(enum call call, void (*function)(void))
{
    switch (call) {
    case OF_PROVIDER:
        return ((const OSSL_PARAM *(*)(void *))function)(NULL);
    case OF_CONTEXT:
        return ((const OSSL_PARAM *(*)(void *, void *))function)(NULL, NULL);
    case OF_SELECTION:
        break;
    }
    return ((const OSSL_PARAM *(*)(int))function)(OSSL_KEYMGMT_SELECT_ALL);
}

static const char *type_name(unsigned type)
{
    switch (type) {
    case OSSL_PARAM_INTEGER:
        return "integer";
    case OSSL_PARAM_UNSIGNED_INTEGER:
        return "unsigned integer";
    case OSSL_PARAM_UTF8_STRING:
        return "UTF8 string";
    case OSSL_PARAM_OCTET_STRING:
        return "octet string";
    default:
        return "?";
    }
}

static void print(const struct table *table, const OSSL_ALGORITHM *algorithm)
{
    const OSSL_PARAM *param = NULL;

    for (const OSSL_DISPATCH *entry = algorithm->implementation; entry->function_id != 0; entry++) {
        if (entry->function_id == table->function_id)
            param = ask(table->call, entry->function);
    }
    for (; param != NULL && param->key != NULL; param++)
        printf("%s\t%s\t%s\t%s\t%s\n", table->operation, algorithm->algorithm_names, table->where,
               type_name(param->data_type), param->key);
}

int main(void)
{
    for (size_t n = 0; n < sizeof(tables) / sizeof(tables[0]); n++) {
        const OSSL_ALGORITHM *algorithm = schannel_algorithms(tables[n].operation_id);

        for (; algorithm != NULL && algorithm->algorithm_names != NULL; algorithm++)
            print(&tables[n], algorithm);
    }
    return 0;
}
