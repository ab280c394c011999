/*
 * The rules of suspended contexts: what reading and setting "opaque-blob" refuses, with which
 * reason, and that a refused initialisation leaves the context as it was.
 */
#include "stream.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIME_LIMIT   240 /* seconds, for the whole program */

#define SIZES(array) (array), sizeof(array) / sizeof((array)[0])

static const size_t block_sizes[] = { 48, 16 }, byte_sizes[] = { 60, 1 },
                    record_sizes[] = { 40, 9 };

static const unsigned cipher_ids[] = { RC4_128, DES, DES_EDE, DES_EDE3, AES_128, AES_192, AES_256 };

#define CIPHERS (sizeof(cipher_ids) / sizeof(cipher_ids[0]))

static void make_stream(struct stream *stream, unsigned algorithm)
{
    if (algorithms[algorithm].cipher == NULL)
        stream_init(stream, algorithm, 0, 0, 1, 0, SIZES(record_sizes));
    else if (algorithms[algorithm].block == 1)
        stream_init(stream, algorithm, 1, 0, 0, 0, SIZES(byte_sizes));
    else
        stream_init(stream, algorithm, 1, 0, 0, 0, SIZES(block_sizes));
}

struct blob {
    size_t size;
    uint8_t data[STREAM_MAX_BLOB];
};

static void suspend(struct holder *holder, const struct stream *stream, struct blob *blob)
{
    blob->size = holder_suspend(holder, stream, holder->key != NULL ? OUT_KEY_PARAM : OUT_CONTEXT,
                                blob->data);
}

/* A context with a state of its own at unit |cut|. */
static void make_at(struct holder *holder, const struct stream *stream, size_t cut, size_t *written)
{
    uint8_t out[STREAM_MAX_OUTPUT];

    holder_make(holder, stream, 1);
    holder_run(holder, stream, 0, cut, 0, out, written);
}

/* The blob of a context of |algorithm| at unit |cut|. */
static void make_blob(unsigned algorithm, size_t cut, struct blob *blob)
{
    static struct stream stream;
    struct holder holder;
    size_t written;

    make_stream(&stream, algorithm);
    make_at(&holder, &stream, cut, &written);
    suspend(&holder, &stream, blob);
    holder_free(&holder);
}

static void make_master_blob(struct blob *blob)
{
    uint8_t secret[48];
    OSSL_PARAM params[] = { text_param("alg", "TLS1-MASTER"), octets_param("secret", secret, 48),
                            text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
    EVP_PKEY *key;

    pattern(secret, sizeof(secret), 5);
    key = from_data(params);
    assert_non_null(key);
    blob->size = export_blob(key, blob->data);
    EVP_PKEY_free(key);
}

static int get_params(const struct holder *holder, OSSL_PARAM params[])
{
    return holder->mac != NULL ? EVP_MAC_CTX_get_params(holder->mac, params)
                               : EVP_CIPHER_CTX_get_params(holder->cipher, params);
}

static int set_params(const struct holder *holder, OSSL_PARAM params[])
{
    return holder->mac != NULL ? EVP_MAC_CTX_set_params(holder->mac, params)
                               : EVP_CIPHER_CTX_set_params(holder->cipher, params);
}

/* Initialises again, in the direction of the stream, with |params| and maybe key bytes. */
static int initialise(const struct holder *holder, const struct stream *stream, const uint8_t *key,
                      OSSL_PARAM params[])
{
    if (holder->mac != NULL)
        return EVP_MAC_init(holder->mac, key, key != NULL ? stream->key_size : 0, params);
    return EVP_CipherInit_ex2(holder->cipher, NULL, key, NULL, stream->encrypt, params);
}

static size_t count_files(const char *path)
{
    DIR *files = opendir(path);
    struct dirent *file;
    size_t count = 0;

    while (files != NULL && (file = readdir(files)) != NULL)
        count += file->d_name[0] != '.';
    if (files != NULL)
        closedir(files);
    return count;
}

static void remove_files(const char *path)
{
    DIR *files = opendir(path);
    struct dirent *file;
    char name[400];

    while (files != NULL && (file = readdir(files)) != NULL) {
        snprintf(name, sizeof(name), "%s/%s", path, file->d_name);
        if (strcmp(file->d_name, ".") != 0 && strcmp(file->d_name, "..") != 0)
            unlink(name);
    }
    if (files != NULL)
        closedir(files);
    rmdir(path);
}

/* ---- a size query ---- */

static void a_size_query_needs_no_sealing_key_and_makes_none(void **state)
{
    static struct stream stream;

    (void)state;
    for (unsigned a = 0; a < RC4_ANY; a++) {
        char path[128];
        OSSL_PARAM size[] = { OSSL_PARAM_construct_octet_string("opaque-blob", NULL, 0),
                              OSSL_PARAM_construct_end() };
        OSSL_PARAM user[] = { text_param("seal-key", "user"), OSSL_PARAM_construct_end() };
        OSSL_PARAM missing[] = { text_param("seal-key", "file:/nowhere/at/all"),
                                 OSSL_PARAM_construct_end() };
        OSSL_PARAM real[] = { text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
        struct holder holder;
        struct blob blob;
        size_t written;

        make_stream(&stream, a);
        make_at(&holder, &stream, 21, &written);
        assert_int_equal(set_params(&holder, user), 1);
        assert_int_equal(get_params(&holder, size), 1);
        snprintf(path, sizeof(path), "%s/schannel", directory);
        assert_int_not_equal(access(path, F_OK), 0);
        assert_int_equal(set_params(&holder, missing), 1);
        assert_int_equal(get_params(&holder, size), 1);
        assert_no_errors();
        /* the size is the right one, and the state did not move */
        assert_int_equal(set_params(&holder, real), 1);
        suspend(&holder, &stream, &blob);
        assert_int_equal(size[0].return_size, blob.size);
        holder_finish(&holder, &stream, 21, written);
        holder_free(&holder);
    }
}

/* What a "transfer" needs; the caller removes the directory. */
struct transfer {
    char claims[128];
    OSSL_PARAM params[4];
};

static void make_transfer(struct transfer *transfer, const char *name)
{
    snprintf(transfer->claims, sizeof(transfer->claims), "%s/%s", directory, name);
    assert_int_equal(mkdir(transfer->claims, 0700), 0);
    transfer->params[0] = text_param("blob-mode", "transfer");
    transfer->params[1] = text_param("claim-dir", transfer->claims);
    transfer->params[2] = text_param("seal-key", seal_key_a);
    transfer->params[3] = OSSL_PARAM_construct_end();
}

static void a_size_query_on_a_transfer_claims_nothing(void **state)
{
    static struct stream stream;
    struct transfer transfer;
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM size[] = { OSSL_PARAM_construct_octet_string("opaque-blob", NULL, 0),
                          OSSL_PARAM_construct_end() };
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    struct holder holder;
    struct blob blob;
    EVP_PKEY *key;

    (void)state;
    make_transfer(&transfer, "claims-size");
    make_stream(&stream, AES_128);
    holder_make(&holder, &stream, 0);
    assert_int_equal(EVP_PKEY_set_params(holder.key, transfer.params), 1);
    suspend(&holder, &stream, &blob);
    holder_free(&holder);
    {
        OSSL_PARAM import[] = { octets_param("opaque-blob", blob.data, blob.size),
                                transfer.params[1], transfer.params[2],
                                OSSL_PARAM_construct_end() };

        key = from_data(import);
        assert_non_null(key);
        /* bound by a set, which is no use of the key */
        get_handle(key, handle);
        holder.cipher = EVP_CIPHER_CTX_new();
        assert_int_equal(
            EVP_CipherInit_ex2(holder.cipher, stream_cipher(&stream), NULL, NULL, 1, NULL), 1);
        assert_int_equal(EVP_CIPHER_CTX_set_params(holder.cipher, bind), 1);
        assert_int_equal(EVP_CIPHER_CTX_get_params(holder.cipher, size), 1);
        assert_int_not_equal(size[0].return_size, 0);
        assert_int_equal(count_files(transfer.claims), 0);
        EVP_PKEY_free(key);
        /* and so another can open it, once: its bound context can be read then */
        key = from_data(import);
        assert_non_null(key);
        EVP_CIPHER_CTX_free(holder.cipher);
        holder.cipher = stream_bind_cipher(&stream, key);
        assert_int_not_equal(count_files(transfer.claims), 0);
        holder_finish(&holder, &stream, 0, 0);
        EVP_PKEY_free(key);
        EVP_CIPHER_CTX_free(holder.cipher);
    }
    assert_no_errors();
    remove_files(transfer.claims);
}

static void a_transfer_of_a_context_resumes_once(void **state)
{
    static struct stream stream;
    static const unsigned ids[] = { RC4_128, AES_256, MAC_SHA1 };

    (void)state;
    for (size_t n = 0; n < sizeof(ids) / sizeof(ids[0]); n++) {
        struct transfer transfer;
        struct holder holder, other;
        struct blob blob;
        size_t written;

        make_transfer(&transfer, "claims-once");
        make_stream(&stream, ids[n]);
        make_at(&holder, &stream, 21, &written);
        assert_int_equal(set_params(&holder, transfer.params), 1);
        suspend(&holder, &stream, &blob);
        holder_free(&holder);
        {
            OSSL_PARAM resume[] = { octets_param("opaque-blob", blob.data, blob.size),
                                    transfer.params[1], transfer.params[2],
                                    OSSL_PARAM_construct_end() };

            /* contexts of another kind cannot take it, and do not use it up */
            for (unsigned a = RC4_128; a <= MAC_SHA1; a++) {
                if (a == ids[n] || (ids[n] == MAC_SHA1 && a == MAC_MD5))
                    continue;
                make_stream(&stream, a);
                holder_make(&other, &stream, 1);
                assert_int_equal(initialise(&other, &stream, NULL, resume), 0);
                assert_reason("wrong kind of key", "opaque-blob");
                holder_free(&other);
                assert_int_equal(count_files(transfer.claims), 0);
            }

            make_stream(&stream, ids[n]);
            holder_make(&holder, &stream, 1);
            assert_int_equal(initialise(&holder, &stream, NULL, resume), 1);
            holder_make(&other, &stream, 1);
            assert_int_equal(initialise(&other, &stream, NULL, resume), 0);
            assert_reason("blob was opened before", "");
            holder_finish(&holder, &stream, 21, written);
            holder_finish(&other, &stream, 0, 0);
            holder_free(&holder);
            holder_free(&other);
        }
        remove_files(transfer.claims);
    }
}

/* ---- refusals ---- */

/* |params| are refused by an initialisation and by a set, and the context goes on. */
static void check_refused(unsigned algorithm, const uint8_t *key, OSSL_PARAM params[],
                          const char *reason, const char *detail)
{
    static struct stream stream;
    size_t refused = 0;

    make_stream(&stream, algorithm);
    for (size_t cut = 0; cut <= stream.units; cut += cut < 34 ? 1 : 5) {
        struct holder holder, resumed;
        struct blob blob;
        size_t written;

        make_at(&holder, &stream, cut, &written);
        assert_int_equal(initialise(&holder, &stream, key, params), 0);
        assert_reason(reason, detail);
        if (key == NULL) {
            assert_int_equal(set_params(&holder, params), 0);
            assert_reason(reason, detail);
        }
        /* it goes on from where it was, with the sealing key that it had */
        suspend(&holder, &stream, &blob);
        holder_resume(&resumed, &stream, IN_CONTEXT_INIT, blob.data, blob.size);
        holder_finish(&resumed, &stream, cut, written);
        holder_free(&resumed);
        holder_finish(&holder, &stream, cut, written);
        holder_free(&holder);
        refused++;
    }
    assert_true(refused > 30);
}

static void key_bytes_beside_a_blob_are_a_conflict(void **state)
{
    static const unsigned ids[] = { RC4_128, DES_EDE3, AES_128, AES_256, MAC_MD5, MAC_SHA1 };
    uint8_t key[32];

    (void)state;
    pattern(key, sizeof(key), 1);
    for (size_t n = 0; n < sizeof(ids) / sizeof(ids[0]); n++) {
        struct blob blob;

        make_blob(ids[n], 3, &blob);
        {
            OSSL_PARAM params[] = { octets_param("opaque-blob", blob.data, blob.size),
                                    text_param("seal-key", seal_key_a),
                                    OSSL_PARAM_construct_end() };
            OSSL_PARAM both[] = { params[0], params[1], octets_param("key", key, 20),
                                  OSSL_PARAM_construct_end() };

            check_refused(ids[n], key, params, "conflicting parameters",
                          "opaque-blob: excludes key bytes");
            if (algorithms[ids[n]].cipher == NULL)
                check_refused(ids[n], NULL, both, "conflicting parameters",
                              "opaque-blob: excludes key bytes");
        }
    }
}

static void a_key_handle_beside_a_blob_is_a_conflict(void **state)
{
    static struct stream stream;

    (void)state;
    for (unsigned a = 0; a < MAC_SHORT; a++) {
        uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
        struct holder holder;
        struct blob blob;

        make_blob(a, 3, &blob);
        make_stream(&stream, a);
        holder_make(&holder, &stream, 0);
        get_handle(holder.key, handle);
        {
            OSSL_PARAM params[] = { octets_param("opaque-blob", blob.data, blob.size),
                                    octets_param("key-handle", handle, sizeof(handle)),
                                    text_param("seal-key", seal_key_a),
                                    OSSL_PARAM_construct_end() };

            check_refused(a, NULL, params, "conflicting parameters",
                          "key-handle: excludes opaque-blob");
        }
        holder_finish(&holder, &stream, 0, 0);
        holder_free(&holder);
    }
}

static void the_blob_of_anything_else_is_the_wrong_kind_of_key(void **state)
{
    static const unsigned ids[] = { RC4_128, DES_EDE3, AES_128, AES_256, MAC_SHA1 };
    struct blob blob;

    (void)state;
    for (size_t context = 0; context < 5; context++) {
        for (size_t n = 0; n <= 5; n++) {
            if (n == context)
                continue;
            if (n == 5)
                make_master_blob(&blob);
            else
                make_blob(ids[n], 21, &blob);
            {
                OSSL_PARAM params[] = { octets_param("opaque-blob", blob.data, blob.size),
                                        text_param("seal-key", seal_key_a),
                                        OSSL_PARAM_construct_end() };

                check_refused(ids[context], NULL, params, "wrong kind of key", "opaque-blob");
            }
        }
    }
}

static void a_wrong_or_damaged_seal_is_refused(void **state)
{
    (void)state;
    for (unsigned a = 0; a < RC4_ANY; a++) {
        struct blob blob;

        make_blob(a, 21, &blob);
        {
            OSSL_PARAM wrong[] = { octets_param("opaque-blob", blob.data, blob.size),
                                   text_param("seal-key", seal_key_b), OSSL_PARAM_construct_end() };
            OSSL_PARAM right[] = { wrong[0], text_param("seal-key", seal_key_a),
                                   OSSL_PARAM_construct_end() };
            OSSL_PARAM garbled[] = { octets_param("opaque-blob", "nonsense", 8),
                                     text_param("seal-key", seal_key_a),
                                     OSSL_PARAM_construct_end() };

            check_refused(a, NULL, wrong, "sealed with another key", "sealed with key");
            blob.data[blob.size - 1] ^= 1;
            check_refused(a, NULL, right, "seal does not verify", "");
            check_refused(a, NULL, garbled, "malformed blob", "");
        }
    }
}

static void the_seal_key_of_an_earlier_call_is_used_too(void **state)
{
    static struct stream stream;

    (void)state;
    for (unsigned a = 0; a < RC4_ANY; a++) {
        struct holder holder, resumed;
        struct blob blob;
        size_t written;

        make_stream(&stream, a);
        make_at(&holder, &stream, 21, &written);
        suspend(&holder, &stream, &blob);
        holder_free(&holder);
        {
            OSSL_PARAM resume[] = { octets_param("opaque-blob", blob.data, blob.size),
                                    OSSL_PARAM_construct_end() };

            /* set at its making: holder_make gives the seal-key with the key bytes */
            holder_make(&resumed, &stream, 1);
            assert_int_equal(initialise(&resumed, &stream, NULL, resume), 1);
            holder_finish(&resumed, &stream, 21, written);
            holder_free(&resumed);
        }
    }
    assert_no_errors();
}

static void a_context_without_a_key_has_no_blob(void **state)
{
    static struct stream stream;

    (void)state;
    for (unsigned a = 0; a < MAC_SHORT; a++) {
        uint8_t data[STREAM_MAX_BLOB];
        OSSL_PARAM whole[] = { octets_param("opaque-blob", data, sizeof(data)),
                               OSSL_PARAM_construct_end() };
        OSSL_PARAM size[] = { OSSL_PARAM_construct_octet_string("opaque-blob", NULL, 0),
                              OSSL_PARAM_construct_end() };
        OSSL_PARAM digest[] = { text_param("digest", algorithms[a].digest),
                                OSSL_PARAM_construct_end() };
        struct holder holder = { NULL, NULL, NULL };

        make_stream(&stream, a);
        if (algorithms[a].cipher == NULL) {
            holder.mac = EVP_MAC_CTX_new(stream_mac(&stream));
            assert_int_equal(EVP_MAC_CTX_set_params(holder.mac, digest), 1);
        } else {
            holder.cipher = EVP_CIPHER_CTX_new();
            assert_int_equal(
                EVP_CipherInit_ex2(holder.cipher, stream_cipher(&stream), NULL, NULL, 1, NULL), 1);
        }
        assert_int_equal(get_params(&holder, whole), 0);
        assert_reason("no key", "");
        assert_int_equal(get_params(&holder, size), 0);
        assert_reason("no key", "");
        holder_free(&holder);
    }
}

/* ---- directions ---- */

static void a_resumed_partial_block_cannot_turn_round_without_an_iv(void **state)
{
    static struct stream stream;

    (void)state;
    for (size_t n = 1; n < CIPHERS; n++) {
        for (int encrypt = 0; encrypt < 2; encrypt++) {
            for (size_t cut = 0; cut <= 17; cut++) {
                const size_t block = algorithms[cipher_ids[n]].block;
                uint8_t iv[16], out[64], expected[64];
                struct holder holder, other;
                struct blob blob;
                size_t written;
                int some = 0;

                stream_init(&stream, cipher_ids[n], encrypt, 0, 0, 0, SIZES(block_sizes));
                make_at(&holder, &stream, cut, &written);
                suspend(&holder, &stream, &blob);
                {
                    OSSL_PARAM resume[] = { octets_param("opaque-blob", blob.data, blob.size),
                                            text_param("seal-key", seal_key_a),
                                            OSSL_PARAM_construct_end() };

                    /* the context that is refused goes on, in its own direction */
                    holder_make(&other, &stream, 1);
                    assert_int_equal(
                        EVP_CipherInit_ex2(other.cipher, NULL, NULL, NULL, !encrypt, resume),
                        cut % block == 0);
                    if (cut % block != 0)
                        assert_reason("partial block", "direction");
                    assert_no_errors();
                    if (cut % block != 0)
                        holder_finish(&other, &stream, 0, 0);

                    /* with an IV it starts a new chain, as OpenSSL's own does */
                    pattern(iv, sizeof(iv), 123);
                    assert_int_equal(
                        EVP_CipherInit_ex2(other.cipher, NULL, NULL, iv, !encrypt, resume), 1);
                    EVP_CIPHER_CTX_set_padding(other.cipher, 0);
                    assert_int_equal(EVP_CipherUpdate(other.cipher, out, &some, stream.text, 48),
                                     1);
                    assert_int_equal(some, 48);
                }
                {
                    EVP_CIPHER *cipher =
                        EVP_CIPHER_fetch(libctx, algorithms[cipher_ids[n]].cipher, NULL);
                    EVP_CIPHER_CTX *own = EVP_CIPHER_CTX_new();
                    uint8_t key[256];

                    stream_secret(&stream, key);
                    assert_int_equal(EVP_CipherInit_ex2(own, cipher, key, iv, !encrypt, NULL), 1);
                    EVP_CIPHER_CTX_set_padding(own, 0);
                    assert_int_equal(EVP_CipherUpdate(own, expected, &some, stream.text, 48), 1);
                    assert_memory_equal(out, expected, 48);
                    EVP_CIPHER_CTX_free(own);
                    EVP_CIPHER_free(cipher);
                }
                holder_finish(&holder, &stream, cut, written);
                holder_free(&holder);
                holder_free(&other);
            }
        }
    }
    assert_no_errors();
}

/* ---- what a resumed context does next ---- */

static void a_resumed_cbc_context_starts_again_like_openssls(void **state)
{
    static struct stream stream;

    (void)state;
    for (size_t n = 1; n < CIPHERS; n++) {
        struct holder holder;
        struct blob blob;
        size_t written;

        make_stream(&stream, cipher_ids[n]);
        make_at(&holder, &stream, 21, &written);
        suspend(&holder, &stream, &blob);
        holder_free(&holder);
        holder_resume(&holder, &stream, IN_CONTEXT_INIT, blob.data, blob.size);
        /* neither key nor IV: the original IV again */
        assert_int_equal(initialise(&holder, &stream, NULL, NULL), 1);
        EVP_CIPHER_CTX_set_padding(holder.cipher, 0);
        holder_finish(&holder, &stream, 0, 0);
        holder_free(&holder);
    }
    assert_no_errors();
}

static void key_bytes_replace_a_resumed_state(void **state)
{
    static struct stream stream;

    (void)state;
    for (unsigned a = 0; a < MAC_SHORT; a++) {
        uint8_t secret[256];
        uint64_t sequence = algorithms[a].first_sequence;
        OSSL_PARAM again[] = { OSSL_PARAM_construct_uint64("sequence", &sequence),
                               OSSL_PARAM_construct_end() };
        OSSL_PARAM digest[] = { again[0], text_param("digest", algorithms[a].digest),
                                OSSL_PARAM_construct_end() };
        struct holder holder;
        struct blob blob;
        uint8_t iv[16];

        if (algorithms[a].is_salted)
            continue;
        make_blob(a, 21, &blob);
        make_stream(&stream, a);
        stream_secret(&stream, secret);
        pattern(iv, sizeof(iv), 77);
        holder_resume(&holder, &stream, IN_CONTEXT_INIT, blob.data, blob.size);
        if (holder.mac != NULL)
            assert_int_equal(EVP_MAC_init(holder.mac, secret, stream.key_size, digest), 1);
        else
            assert_int_equal(EVP_CipherInit_ex2(holder.cipher, NULL, secret,
                                                algorithms[a].block > 1 ? iv : NULL, 1, NULL),
                             1);
        if (holder.cipher != NULL)
            EVP_CIPHER_CTX_set_padding(holder.cipher, 0);
        holder_finish(&holder, &stream, 0, 0);
        holder_free(&holder);
    }
    assert_no_errors();
}

/* EVP_MAC_init with nothing drops the half-absorbed message of a resumed context, and only that. */
static void a_resumed_mac_begins_its_record_again(void **state)
{
    static const unsigned ids[] = { MAC_MD5, MAC_SHA1, MAC_SHORT, MAC_LONG };
    static struct stream stream;

    (void)state;
    for (size_t n = 0; n < 4; n++) {
        struct holder holder;
        struct blob blob;
        size_t written;

        make_stream(&stream, ids[n]);
        make_at(&holder, &stream, 46, &written); /* 5 bytes into the second record */
        suspend(&holder, &stream, &blob);
        holder_free(&holder);
        holder_resume(&holder, &stream, IN_CONTEXT_INIT, blob.data, blob.size);
        assert_int_equal(EVP_MAC_init(holder.mac, NULL, 0, NULL), 1);
        holder_finish(&holder, &stream, 41, written);
        holder_free(&holder);
    }
    assert_no_errors();
}

/* ---- RC4 keys that no key object has ---- */

static void rc4_states_of_odd_keys_go_into_contexts_only(void **state)
{
    static struct stream stream;
    size_t refused = 0;

    (void)state;
    for (size_t size = 1; size <= 256; size++) {
        struct holder holder;
        struct blob blob;
        size_t written;

        stream_init(&stream, RC4_ANY, 1, 0, 0, size, SIZES(byte_sizes));
        make_at(&holder, &stream, 17, &written);
        suspend(&holder, &stream, &blob);
        holder_free(&holder);

        holder.key = import_blob(blob.data, blob.size, seal_key_a);
        if (size < 5 || size > 16) {
            assert_null(holder.key);
            assert_reason("wrong kind of key", "context");
            refused++;
        } else {
            assert_non_null(holder.key);
            holder_finish(&holder, &stream, 17, written);
            holder_free(&holder);
        }
        /* twice over contexts, since the longest keys live on in the permutation only */
        holder_resume(&holder, &stream, IN_CONTEXT_INIT, blob.data, blob.size);
        suspend(&holder, &stream, &blob);
        holder_free(&holder);
        holder_resume(&holder, &stream, IN_CONTEXT_SET, blob.data, blob.size);
        holder_finish(&holder, &stream, 17, written);
        holder_free(&holder);
    }
    assert_int_equal(refused, 244);
    assert_no_errors();
}

static void mac_states_of_odd_keys_go_into_contexts_only(void **state)
{
    static const unsigned ids[] = { MAC_SHORT, MAC_LONG };

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct blob blob;
        EVP_PKEY *key;

        make_blob(ids[n], 21, &blob);
        key = import_blob(blob.data, blob.size, seal_key_a);
        /* HMAC takes a key longer than a block as its digest, which is as long as a key object's */
        if (ids[n] == MAC_SHORT) {
            assert_null(key);
            assert_reason("wrong kind of key", "context");
        }
        EVP_PKEY_free(key);
    }
}

static int teardown(void **state)
{
    stream_teardown();
    return fixture_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_size_query_needs_no_sealing_key_and_makes_none),
        cmocka_unit_test(a_size_query_on_a_transfer_claims_nothing),
        cmocka_unit_test(a_transfer_of_a_context_resumes_once),
        cmocka_unit_test(key_bytes_beside_a_blob_are_a_conflict),
        cmocka_unit_test(a_key_handle_beside_a_blob_is_a_conflict),
        cmocka_unit_test(the_blob_of_anything_else_is_the_wrong_kind_of_key),
        cmocka_unit_test(a_wrong_or_damaged_seal_is_refused),
        cmocka_unit_test(the_seal_key_of_an_earlier_call_is_used_too),
        cmocka_unit_test(a_context_without_a_key_has_no_blob),
        cmocka_unit_test(a_resumed_partial_block_cannot_turn_round_without_an_iv),
        cmocka_unit_test(a_resumed_cbc_context_starts_again_like_openssls),
        cmocka_unit_test(key_bytes_replace_a_resumed_state),
        cmocka_unit_test(a_resumed_mac_begins_its_record_again),
        cmocka_unit_test(rc4_states_of_odd_keys_go_into_contexts_only),
        cmocka_unit_test(mac_states_of_odd_keys_go_into_contexts_only),
    };

    alarm(TIME_LIMIT);
    return cmocka_run_group_tests(tests, fixture_setup, teardown);
}
