/*
 * The listing of the Schannel CSP's documentation, with EVP: a protocol engine specifies the
 * algorithms on its master key, creates the master hash, derives its keys and uses them.  One program
 * for PCT 1.0, SSL 2.0, SSL 3.0 and TLS 1.0, in the roles of client and server.
 *
 * Written to be read from top to bottom by who ports such an engine: it needs <openssl/evp.h> and
 * <schannel/names.h>.  The CryptoAPI call that a step stands for is named beside it.
 */
#include "fixture.h"

#define DATA_SIZE    48 /* whole blocks of every cipher */
#define MAX_MAC      20
#define MAX_KEY      64
#define RECORDS      3
#define RECORD_TYPE  23
#define TLS1_VERSION 0x0301

/* What the handshake has negotiated, and which of the parameters the protocol knows. */
struct negotiated {
    const char *name;
    const char *master_algorithm; /* CALG_PCT1_MASTER and the like */
    const char *mac_algorithm;
    size_t master_size;
    size_t random_size;
    const char *cipher; /* SCHANNEL_ALG with dwUse SCHANNEL_ENC_KEY */
    unsigned cipher_bits;
    int is_export;       /* INTERNATIONAL_USAGE */
    const char *digest;  /* SCHANNEL_ALG with dwUse SCHANNEL_MAC_KEY */
    size_t clear_size;   /* KP_CLEAR_KEY; 0: none */
    int has_certificate; /* KP_CERTIFICATE */
    size_t iv_size;      /* KP_IV, where it is not derived; 0: none */
};

static const struct negotiated rows[] = {
    { "PCT 1.0, RC4, MD5", "PCT1-MASTER", "PCT1-MAC", 16, 32, "RC4", 128, 0, "MD5", 0, 1, 0 },
    { "PCT 1.0, RC2 40, SHA", "PCT1-MASTER", "PCT1-MAC", 16, 32, "RC2-CBC", 40, 0, "SHA1", 11, 1,
      8 },
    { "SSL 2.0, 3DES", "SSL2-MASTER", "SSL2-MAC", 24, 16, "DES-EDE3-CBC", 192, 0, NULL, 0, 0, 8 },
    { "SSL 2.0, RC4 export", "SSL2-MASTER", "SSL2-MAC", 5, 16, "RC4", 128, 0, NULL, 11, 0, 0 },
    { "SSL 3.0, DES, SHA", "SSL3-MASTER", "SSL3-MAC", 48, 32, "DES-CBC", 64, 0, "SHA1", 0, 0, 0 },
    { "SSL 3.0, RC4 export, MD5", "SSL3-MASTER", "SSL3-MAC", 48, 32, "RC4", 40, 1, "MD5", 0, 0, 0 },
    { "TLS 1.0, AES, SHA", "TLS1-MASTER", "TLS1-MAC", 48, 32, "AES-128-CBC", 128, 0, "SHA1", 0, 0,
      0 },
    { "TLS 1.0, RC2 export, MD5", "TLS1-MASTER", "TLS1-MAC", 48, 32, "RC2-CBC", 40, 1, "MD5", 0, 0,
      0 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int has_mac_keys(const struct negotiated *row)
{
    return strcmp(row->mac_algorithm, "SSL2-MAC") != 0;
}

/* One side's keys: hReadKey, hReadMAC, hWriteKey, hWriteMAC.  SSL 2.0 has no MAC keys. */
enum key_place { READ_KEY, READ_MAC, WRITE_KEY, WRITE_MAC, KEY_PLACES };

struct engine {
    const struct negotiated *row;
    int is_client;
    EVP_PKEY *master;
    EVP_PKEY *key[KEY_PLACES];
};

/* ---- Creating the Master Key ---- */

/* CryptImportKey, with the bytes that both sides know after the key exchange. */
static void import_master(struct engine *engine)
{
    uint8_t secret[MAX_KEY];
    OSSL_PARAM params[] = {
        text_param(SCHANNEL_PARAM_ALG, engine->row->master_algorithm),
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_SECRET, secret, engine->row->master_size),
        OSSL_PARAM_construct_end(),
    };

    pattern(secret, sizeof(secret), 1);
    engine->master = from_data(params);
    assert_non_null(engine->master);
}

/* ---- Specifying the Algorithms ---- */

/* CryptSetKeyParam(hMaster, KP_SCHANNEL_ALG, ...), once for encryption and once for the MAC. */
static void specify_algorithms(struct engine *engine)
{
    unsigned bits = engine->row->cipher_bits;
    int is_export = engine->row->is_export;
    OSSL_PARAM encryption[] = {
        text_param(SCHANNEL_PARAM_CIPHER, engine->row->cipher),
        OSSL_PARAM_construct_uint(SCHANNEL_PARAM_CIPHER_BITS, &bits),
        is_export ? OSSL_PARAM_construct_int(SCHANNEL_PARAM_EXPORT, &is_export)
                  : OSSL_PARAM_construct_end(),
        OSSL_PARAM_construct_end(),
    };
    OSSL_PARAM mac[] = {
        text_param(SCHANNEL_PARAM_DIGEST, engine->row->digest),
        OSSL_PARAM_construct_end(),
    };

    assert_int_equal(EVP_PKEY_set_params(engine->master, encryption), 1);
    if (engine->row->digest != NULL)
        assert_int_equal(EVP_PKEY_set_params(engine->master, mac), 1);
}

/* CryptSetKeyParam(hMaster, ...): KP_CLIENT_RANDOM, KP_SERVER_RANDOM, KP_CLEAR_KEY, KP_CERTIFICATE. */
static void set_parameters(struct engine *engine)
{
    static const char certificate[] = "the bytes of the server's certificate";
    const unsigned connection = (unsigned)(engine->row - rows);
    uint8_t client_random[32], server_random[32], clear[16];
    OSSL_PARAM params[5];
    size_t n = 0;

    /* every connection has its own */
    pattern(client_random, sizeof(client_random), 10 + connection);
    pattern(server_random, sizeof(server_random), 20 + connection);
    pattern(clear, sizeof(clear), 30 + connection);
    params[n++] =
        octets_param(SCHANNEL_PARAM_CLIENT_RANDOM, client_random, engine->row->random_size);
    params[n++] =
        octets_param(SCHANNEL_PARAM_SERVER_RANDOM, server_random, engine->row->random_size);
    if (engine->row->clear_size > 0)
        params[n++] = octets_param(SCHANNEL_PARAM_CLEAR_KEY, clear, engine->row->clear_size);
    if (engine->row->has_certificate)
        params[n++] =
            octets_param(SCHANNEL_PARAM_CERTIFICATE, certificate, sizeof(certificate) - 1);
    params[n] = OSSL_PARAM_construct_end();
    assert_int_equal(EVP_PKEY_set_params(engine->master, params), 1);
}

/* ---- Deriving Bulk Encryption and MAC Keys ---- */

/*
 * The usage names the writer (CRYPT_SERVER set or not), the place says who we are: a client reads with
 * what the server writes with.
 */
static const char *usage_of(const struct engine *engine, enum key_place place)
{
    const int writer_is_client = (place == WRITE_KEY || place == WRITE_MAC) == engine->is_client;

    if (place == READ_KEY || place == WRITE_KEY)
        return writer_is_client ? SCHANNEL_USAGE_CLIENT_WRITE_KEY : SCHANNEL_USAGE_SERVER_WRITE_KEY;
    return writer_is_client ? SCHANNEL_USAGE_CLIENT_WRITE_MAC : SCHANNEL_USAGE_SERVER_WRITE_MAC;
}

/* CryptDeriveKey(hProv, CALG_SCHANNEL_ENC_KEY or _MAC_KEY, hMasterHash, CRYPT_EXPORTABLE | ...). */
static void derive_key(struct engine *engine, EVP_PKEY_CTX *master_hash, enum key_place place)
{
    int exportable = 1;
    OSSL_PARAM params[] = {
        text_param(SCHANNEL_PARAM_USAGE, usage_of(engine, place)),
        OSSL_PARAM_construct_int(SCHANNEL_PARAM_EXPORTABLE, &exportable),
        OSSL_PARAM_construct_end(),
    };

    assert_int_equal(EVP_PKEY_CTX_set_params(master_hash, params), 1);
    assert_int_equal(EVP_PKEY_generate(master_hash, &engine->key[place]), 1);
}

/* CryptSetKeyParam(hKey, KP_IV, ...): KEY-ARG of PCT 1.0 and SSL 2.0. */
static void set_iv(const struct engine *engine, enum key_place place)
{
    uint8_t iv[8];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_IV, iv, engine->row->iv_size),
        OSSL_PARAM_construct_end(),
    };

    pattern(iv, sizeof(iv), 5);
    if (engine->row->iv_size > 0)
        assert_int_equal(EVP_PKEY_set_params(engine->key[place], params), 1);
}

static void derive_keys(struct engine *engine)
{
    /* CryptCreateHash(hProv, CALG_SCHANNEL_MASTER_HASH, hMaster, 0, &hMasterHash) */
    EVP_PKEY_CTX *master_hash = EVP_PKEY_CTX_new_from_pkey(libctx, engine->master, NULL);

    assert_non_null(master_hash);
    assert_int_equal(EVP_PKEY_keygen_init(master_hash), 1);
    derive_key(engine, master_hash, READ_KEY);
    /* CryptDestroyKey(hMaster): from the first key on the hash has a copy of its own */
    assert_int_equal(EVP_PKEY_set_int_param(engine->master, SCHANNEL_PARAM_RETIRE, 1), 1);
    derive_key(engine, master_hash, WRITE_KEY);
    if (has_mac_keys(engine->row)) {
        derive_key(engine, master_hash, READ_MAC);
        derive_key(engine, master_hash, WRITE_MAC);
    }
    /* CryptDestroyHash(hMasterHash) */
    EVP_PKEY_CTX_free(master_hash);
    set_iv(engine, READ_KEY);
    set_iv(engine, WRITE_KEY);
}

/* ---- Bulk Data Encryption ---- */

/* CryptEncrypt or CryptDecrypt with Final = FALSE: the key goes on where it was. */
static void crypt_with(EVP_PKEY *key, int encrypt, uint8_t data[DATA_SIZE])
{
    char algorithm[32], name[48];
    uint8_t handle[KEY_HANDLE_SIZE];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle)),
        OSSL_PARAM_construct_end(),
    };
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher;
    int written = 0;

    get_handle(key, handle);
    assert_int_equal(
        EVP_PKEY_get_utf8_string_param(key, SCHANNEL_PARAM_ALG, algorithm, sizeof(algorithm), NULL),
        1);
    snprintf(name, sizeof(name), "SCHANNEL-%s", algorithm);
    cipher = EVP_CIPHER_fetch(libctx, name, NULL);
    assert_int_equal(EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, encrypt, params), 1);
    assert_int_equal(EVP_CipherUpdate(ctx, data, &written, data, DATA_SIZE), 1);
    assert_int_equal(written, DATA_SIZE);
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
}

/* ---- MAC Computation ---- */

/* CryptHashData and CryptHashSessionKey, or CALG_HMAC: one record, whose number the key counts. */
static size_t mac_with(const struct engine *engine, EVP_PKEY *key, const uint8_t data[DATA_SIZE],
                       uint8_t out[MAX_MAC])
{
    const int is_tls1 = strcmp(engine->row->mac_algorithm, "TLS1-MAC") == 0;
    const int is_ssl3 = strcmp(engine->row->mac_algorithm, "SSL3-MAC") == 0;
    unsigned type = RECORD_TYPE, version = TLS1_VERSION;
    int record_mode = 1;
    size_t size = DATA_SIZE, written = 0, n = 0;
    uint8_t handle[KEY_HANDLE_SIZE];
    OSSL_PARAM params[6];
    EVP_MAC *mac = EVP_MAC_fetch(libctx, engine->row->mac_algorithm, NULL);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);

    get_handle(key, handle);
    params[n++] =
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle));
    params[n++] = OSSL_PARAM_construct_int(SCHANNEL_PARAM_RECORD_MODE, &record_mode);
    if (is_ssl3 || is_tls1) {
        params[n++] = OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_TYPE, &type);
        params[n++] = OSSL_PARAM_construct_size_t(SCHANNEL_PARAM_RECORD_LENGTH, &size);
    }
    if (is_tls1)
        params[n++] = OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_VERSION, &version);
    params[n] = OSSL_PARAM_construct_end();
    assert_int_equal(EVP_MAC_init(ctx, NULL, 0, params), 1);
    assert_int_equal(EVP_MAC_update(ctx, data, DATA_SIZE), 1);
    assert_int_equal(EVP_MAC_final(ctx, out, &written, MAX_MAC), 1);
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
    return written;
}

/* ---- the whole listing ---- */

static void set_up(struct engine *engine, const struct negotiated *row, int is_client)
{
    memset(engine, 0, sizeof(*engine));
    engine->row = row;
    engine->is_client = is_client;
    import_master(engine);
    specify_algorithms(engine);
    set_parameters(engine);
    derive_keys(engine);
}

static void tear_down(struct engine *engine)
{
    EVP_PKEY_free(engine->master);
    for (int place = 0; place < KEY_PLACES; place++)
        EVP_PKEY_free(engine->key[place]);
}

/* The key that authenticates: SSL 2.0 uses the bulk key. */
static EVP_PKEY *mac_key(const struct engine *engine, enum key_place place)
{
    return has_mac_keys(engine->row) ? engine->key[place + READ_MAC - READ_KEY]
                                     : engine->key[place];
}

/* Records from one engine to the other. */
static void send_records(const struct engine *from, const struct engine *to)
{
    for (unsigned record = 0; record < RECORDS; record++) {
        uint8_t plain[DATA_SIZE], data[DATA_SIZE], sent_mac[MAX_MAC], expected_mac[MAX_MAC];
        size_t mac_size;

        pattern(plain, sizeof(plain), record);
        memcpy(data, plain, sizeof(data));
        mac_size = mac_with(from, mac_key(from, WRITE_KEY), data, sent_mac);
        crypt_with(from->key[WRITE_KEY], 1, data);
        assert_memory_not_equal(data, plain, sizeof(data));
        crypt_with(to->key[READ_KEY], 0, data);
        assert_memory_equal(data, plain, sizeof(data));
        assert_int_equal(mac_with(to, mac_key(to, READ_KEY), data, expected_mac), mac_size);
        assert_memory_equal(expected_mac, sent_mac, mac_size);
    }
}

static void both_roles_use_their_keys_against_each_other(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        struct engine client, server;

        set_up(&client, &rows[n], 1);
        set_up(&server, &rows[n], 0);
        send_records(&client, &server);
        send_records(&server, &client);
        send_records(&client, &server);
        tear_down(&client);
        tear_down(&server);
        print_message("           %s\n", rows[n].name);
    }
    assert_no_errors();
}

/* What one side writes with, the other reads with: the same key, and no other is. */
static void read_and_write_keys_agree(void **state)
{
    static const enum key_place peer_of[KEY_PLACES] = { WRITE_KEY, WRITE_MAC, READ_KEY, READ_MAC };

    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        struct engine client, server;

        set_up(&client, &rows[n], 1);
        set_up(&server, &rows[n], 0);
        for (int own = 0; own < KEY_PLACES; own++)
            for (int other = 0; other < KEY_PLACES; other++) {
                if (client.key[own] == NULL || server.key[other] == NULL)
                    continue;
                assert_int_equal(EVP_PKEY_eq(client.key[own], server.key[other]) == 1,
                                 peer_of[own] == (enum key_place)other);
                assert_int_equal(EVP_PKEY_eq(client.key[own], client.key[other]) == 1,
                                 own == other);
            }
        tear_down(&client);
        tear_down(&server);
    }
    ERR_clear_error(); /* libcrypto's, about keys of different types */
}

/* The key's bytes; at most |MAX_KEY|. */
static size_t bytes_of(EVP_PKEY *key, uint8_t bytes[MAX_KEY])
{
    OSSL_PARAM *params = NULL;
    const OSSL_PARAM *secret;
    const void *data = NULL;
    size_t size = 0;

    assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params), 1);
    secret = OSSL_PARAM_locate_const(params, SCHANNEL_PARAM_SECRET);
    assert_non_null(secret);
    assert_int_equal(OSSL_PARAM_get_octet_string_ptr(secret, &data, &size), 1);
    assert_true(size <= MAX_KEY);
    memcpy(bytes, data, size);
    OSSL_PARAM_free(params);
    return size;
}

/*
 * Over all protocols, bulk keys and MAC keys: not even their first five bytes are the same twice.
 * Keys of SSL 2.0 do not give their bytes away, since they are more than these: the test before has
 * compared them.
 */
static void no_two_keys_are_equal(void **state)
{
    uint8_t bytes[ROWS * KEY_PLACES][MAX_KEY];
    size_t count = 0;

    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        struct engine client;

        if (!has_mac_keys(&rows[n]))
            continue;
        set_up(&client, &rows[n], 1);
        for (int place = 0; place < KEY_PLACES; place++)
            assert_true(bytes_of(client.key[place], bytes[count++]) >= 5);
        tear_down(&client);
    }
    assert_int_equal(count, 6 * KEY_PLACES);
    for (size_t one = 0; one < count; one++)
        for (size_t other = 0; other < one; other++)
            assert_memory_not_equal(bytes[one], bytes[other], 5);
    assert_no_errors();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_roles_use_their_keys_against_each_other),
        cmocka_unit_test(read_and_write_keys_agree),
        cmocka_unit_test(no_two_keys_are_equal),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
