/* The keys of one connection, see session.h. */
#include "session.h"

#include <string.h>
#include <schannel/names.h>

static const char *const write_key_usages[SESSION_SIDES] = {
    [SESSION_CLIENT] = SCHANNEL_USAGE_CLIENT_WRITE_KEY,
    [SESSION_SERVER] = SCHANNEL_USAGE_SERVER_WRITE_KEY,
};
static const char *const write_mac_usages[SESSION_SIDES] = {
    [SESSION_CLIENT] = SCHANNEL_USAGE_CLIENT_WRITE_MAC,
    [SESSION_SERVER] = SCHANNEL_USAGE_SERVER_WRITE_MAC,
};

OSSL_PARAM session_octets(const char *name, const void *data, size_t size)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)data, size);
}

OSSL_PARAM session_text(const char *name, const char *value)
{
    return OSSL_PARAM_construct_utf8_string(name, (char *)(uintptr_t)value, 0);
}

EVP_PKEY *session_import(OSSL_LIB_CTX *libctx, OSSL_PARAM params[])
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(libctx, SCHANNEL_KEY_TYPE, SCHANNEL_PROPERTIES);

    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) <= 0 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static int generate(EVP_PKEY_CTX *ctx, const char *usage, EVP_PKEY **key)
{
    OSSL_PARAM params[] = {
        session_text(SCHANNEL_PARAM_USAGE, usage),
        OSSL_PARAM_END,
    };

    return EVP_PKEY_CTX_set_params(ctx, params) > 0 && EVP_PKEY_generate(ctx, key) > 0;
}

int session_derive(OSSL_LIB_CTX *libctx, enum record_protocol protocol, EVP_PKEY *master,
                   struct session_keys *keys)
{
    /* one generation context is one master hash: it derives all of them */
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, master, SCHANNEL_PROPERTIES);
    int side, ok;

    memset(keys, 0, sizeof(*keys));
    ok = ctx != NULL && EVP_PKEY_keygen_init(ctx) > 0;
    for (side = 0; ok && side < SESSION_SIDES; side++) {
        ok = generate(ctx, write_key_usages[side], &keys->write_key[side]);
        if (ok && protocol != RECORD_SSL2)
            ok = generate(ctx, write_mac_usages[side], &keys->write_mac[side]);
    }
    EVP_PKEY_CTX_free(ctx);
    if (!ok)
        session_free_keys(keys);
    return ok;
}

void session_free_keys(struct session_keys *keys)
{
    int side;

    for (side = 0; side < SESSION_SIDES; side++) {
        EVP_PKEY_free(keys->write_key[side]);
        EVP_PKEY_free(keys->write_mac[side]);
    }
    memset(keys, 0, sizeof(*keys));
}

int session_set_iv(const struct session_keys *keys, const uint8_t *iv, size_t size)
{
    OSSL_PARAM params[] = {
        session_octets(SCHANNEL_PARAM_IV, iv, size),
        OSSL_PARAM_END,
    };

    return EVP_PKEY_set_params(keys->write_key[SESSION_CLIENT], params) &&
           EVP_PKEY_set_params(keys->write_key[SESSION_SERVER], params);
}

int session_set_sequence(const struct session_keys *keys, enum session_side writer,
                         uint64_t sequence)
{
    EVP_PKEY *mac = keys->write_mac[writer];

    return record_set_sequence(mac != NULL ? mac : keys->write_key[writer], sequence);
}

int session_bind(OSSL_LIB_CTX *libctx, enum record_protocol protocol,
                 const struct session_keys *keys, enum session_side own,
                 struct session_records *records)
{
    const enum session_side peer = own == SESSION_CLIENT ? SESSION_SERVER : SESSION_CLIENT;

    memset(records, 0, sizeof(*records));
    if (record_bind(&records->writer, libctx, protocol, keys->write_key[own], keys->write_mac[own],
                    1) &&
        record_bind(&records->reader, libctx, protocol, keys->write_key[peer],
                    keys->write_mac[peer], 0))
        return 1;
    session_release(records);
    return 0;
}

void session_release(struct session_records *records)
{
    record_release(&records->reader);
    record_release(&records->writer);
}

int session_finished(OSSL_LIB_CTX *libctx, EVP_PKEY *master, enum session_side sender,
                     const uint8_t *handshake, size_t handshake_size,
                     uint8_t finished[SESSION_MAX_FINISHED], size_t *size)
{
    OSSL_PARAM params[] = {
        session_text(SCHANNEL_PARAM_USAGE, sender == SESSION_CLIENT
                                               ? SCHANNEL_USAGE_CLIENT_FINISHED
                                               : SCHANNEL_USAGE_SERVER_FINISHED),
        session_octets(SCHANNEL_PARAM_HANDSHAKE, handshake, handshake_size),
        OSSL_PARAM_END,
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(libctx, master, SCHANNEL_PROPERTIES);
    int ok;

    *size = SESSION_MAX_FINISHED;
    ok = ctx != NULL && EVP_PKEY_derive_init_ex(ctx, params) > 0 &&
         EVP_PKEY_derive(ctx, finished, size) > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}
