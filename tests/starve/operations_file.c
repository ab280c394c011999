/* Rows of what works on files: the store, the sealing keys, the journal of transfers. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "operation.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/store.h>
#include "points.h"

#define SEALING_FD 70
#define AES_KEY    "alg=AES-128-CBC secret=*16 iv=*16 exportable=#1"
#define SEAL       "seal-key=file:@/a"
#define JOURNAL    SEAL " claim-dir=@/journal"

static void write_in(const struct scene *scene, const char *name)
{
    char path[200];
    FILE *file;

    spec_expand(path, sizeof(path), name);
    assert_non_null(file = fopen(path, "wb"));
    assert_int_equal(fwrite(scene->in, 1, scene->in_size, file), scene->in_size);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void remove_directory(const char *name)
{
    char path[200];

    spec_expand(path, sizeof(path), name);
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_directory(const char *name)
{
    char path[200];

    remove_directory(name); /* of a process that did not survive */
    spec_expand(path, sizeof(path), name);
    assert_int_equal(mkdir(path, 0700), 0);
}

/* ---- the store ---- */

static void prepare_file(struct scene *scene, const struct operation *operation)
{
    prepare_blob(scene, operation);
    make_directory("@/vault");
    write_in(scene, "@/vault/one");
    write_in(scene, "@/vault/two");
}

static void release_file(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    scene_free(scene);
    remove_directory("@/vault");
}

/* Everything that the URI |spec| gives; |made| is the last key. */
static int act_store(struct scene *scene, const struct operation *operation)
{
    char uri[300];
    OSSL_STORE_CTX *store;
    int ok = 1;

    spec_expand(uri, sizeof(uri), operation->spec);
    store = OSSL_STORE_open_ex(uri, libctx, NULL, NULL, NULL, NULL, NULL, NULL);
    while (ok && store != NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info == NULL) {
            ok = OSSL_STORE_eof(store) && !OSSL_STORE_error(store) && ERR_peek_error() == 0;
        } else if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY) {
            EVP_PKEY_free(scene->made);
            scene->made = OSSL_STORE_INFO_get1_PKEY(info);
            give_number(scene, 1);
        } else {
            /* the description says what could not be read */
            give_number(scene, strlen(OSSL_STORE_INFO_get0_NAME(info)));
            ok = OSSL_STORE_INFO_get0_NAME_description(info) != NULL;
        }
        OSSL_STORE_INFO_free(info);
    }
    ok = ok && store != NULL;
    OSSL_STORE_close(store);
    if (!ok) {
        EVP_PKEY_free(scene->made);
        scene->made = NULL;
        scene->out_size = 0;
    }
    return ok;
}

/* ---- sealing keys ---- */

/* Encoders are there; no other sealing key was asked for. */
static void use_encoders(struct scene *scene)
{
    static const struct operation usual = { .detail = "opaqueblob",
                                            .before = SEAL,
                                            .flags = IS_SPENT };

    prepare_blob(scene, &usual);
    scene->in_size = 0;
}

/* "user" and "runtime" are in directories that are not there yet. */
static void prepare_homes(struct scene *scene, const struct operation *operation)
{
    char path[200];

    (void)operation;
    use_encoders(scene);
    make_directory("@/base");
    make_directory("@/run");
    spec_expand(path, sizeof(path), "@/base/state");
    setenv("XDG_STATE_HOME", path, 1);
    spec_expand(path, sizeof(path), "@/run");
    setenv("XDG_RUNTIME_DIR", path, 1);
}

static void release_homes(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    scene_free(scene);
    setenv("XDG_STATE_HOME", directory, 1);
    unsetenv("XDG_RUNTIME_DIR");
    remove_directory("@/base");
    remove_directory("@/run");
}

/* The key file is there, and this library context has not read it. */
static void prepare_homes_with_keys(struct scene *scene, const struct operation *operation)
{
    prepare_homes(scene, operation);
    make_directory("@/base/state");
    make_directory("@/base/state/schannel");
    memset(scene->in, 'k', scene->in_size = 32);
    write_in(scene, "@/base/state/schannel/seal.key");
}

static void prepare_descriptor(struct scene *scene, const struct operation *operation)
{
    char path[200];
    int fd;

    (void)operation;
    use_encoders(scene);
    spec_expand(path, sizeof(path), "@/a");
    assert_true((fd = open(path, O_RDONLY)) >= 0);
    assert_int_equal(dup2(fd, SEALING_FD), SEALING_FD);
    points_count_descriptors(1);
    assert_int_equal(close(fd), 0);
}

/* The same through a pipe, which can be read only once. */
static void prepare_pipe(struct scene *scene, const struct operation *operation)
{
    char digits[65];
    int fds[2];

    (void)operation;
    use_encoders(scene);
    memset(digits, 'a', 64);
    digits[64] = '\n';
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], digits, sizeof(digits)), sizeof(digits));
    assert_int_equal(dup2(fds[0], SEALING_FD), SEALING_FD);
    points_count_descriptors(3);
    close(fds[0]);
    close(fds[1]);
}

static void release_descriptor(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    scene_free(scene);
    close(SEALING_FD);
}

/* ---- transfers ---- */

/* |key| is a transfer that nobody has used. */
static void prepare_transfer(struct scene *scene, const struct operation *operation)
{
    OSSL_PARAM params[MAX_PARAMS + 1];

    prepare_blob(scene, operation);
    params[0] = octets_param("opaque-blob", scene->in, scene->in_size);
    memcpy(params + 1, scene->spec.list.params, (scene->spec.list.count + 1) * sizeof(params[0]));
    EVP_PKEY_free(scene->key);
    assert_non_null(scene->key = from_data(params));
}

static void prepare_runtime_transfer(struct scene *scene, const struct operation *operation)
{
    prepare_homes(scene, operation);
    prepare_transfer(scene, operation);
}

static void prepare_claims(struct scene *scene, const struct operation *operation)
{
    make_directory("@/journal");
    prepare_transfer(scene, operation);
}

static void release_claims(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    scene_free(scene);
    remove_directory("@/journal");
}

static const struct operation rows[] = {
    { "store: opaque", AES_KEY, prepare_file, act_store, "opaqueblob",
      "schannel:@/vault/one?seal-key=file:@/a", SEAL, release_file },
    { "store: opaque PEM", AES_KEY, prepare_file, act_store, "pem",
      "schannel:///@/vault/one?seal-key=file:@%2fa", SEAL, release_file },
    { "store: simple", AES_KEY, prepare_file, act_store, "simpleblob",
      "schannel:@/vault/one?exchange-key=@/rsa.pem&pad-mode=oaep",
      "exchange-key=<@/rsa.pub.der pad-mode=oaep", release_file },
    { "store: signed", AES_KEY, prepare_file, act_store, "signedblob",
      "schannel:@/vault/one?signature-key=@/ed25519.pub.pem&seal-key=file:@/a&expect-serial=%01",
      "signature-key=@/ed25519.pem serial=*1 " SEAL, release_file },
    { "store: directory", AES_KEY, prepare_file, act_store, "opaqueblob",
      "schannel:@/vault?seal-key=file:@/a", SEAL, release_file },
    { "store: directory of PEM", AES_KEY, prepare_file, act_store, "pem",
      "schannel:@/vault?seal-key=file:@/a", SEAL, release_file },
    { "store: directory of simple blobs", AES_KEY, prepare_file, act_store, "simpleblob",
      "schannel:@/vault", "exchange-key=<@/rsa.pub.der", release_file },

    { "seal-key file", AES_KEY, NULL, act_encode, "opaqueblob", SEAL },
    { "seal-key user, new", AES_KEY, prepare_homes, act_encode, "opaqueblob", "seal-key=user", NULL,
      release_homes, IS_COLD },
    { "seal-key user", AES_KEY, prepare_homes_with_keys, act_encode, "opaqueblob", "seal-key=user",
      "seal-key=user", release_homes, IS_COLD },
    { "seal-key runtime, new", AES_KEY, prepare_homes, act_encode, "opaqueblob", "seal-key=runtime",
      NULL, release_homes, IS_COLD },
    { "seal-key fd, a file", AES_KEY, prepare_descriptor, act_encode, "opaqueblob",
      "seal-key=fd:70", NULL, release_descriptor, IS_COLD },
    { "seal-key fd, a pipe", AES_KEY, prepare_pipe, act_encode, "opaqueblob", "seal-key=fd:70",
      NULL, release_descriptor, IS_COLD | IS_SPENT },

    { "claim by export", AES_KEY, prepare_claims, act_export, "opaqueblob", JOURNAL,
      JOURNAL " blob-mode=transfer", release_claims, IS_SPENT },
    { "claim by duplication", "alg=TLS1-MASTER premaster=*48", prepare_claims, act_duplicate,
      "opaqueblob", JOURNAL " audience=us", JOURNAL " audience=us blob-mode=transfer",
      release_claims, IS_SPENT },
    { "claim beside the runtime key", AES_KEY, prepare_runtime_transfer, act_export, "opaqueblob",
      NULL, "blob-mode=transfer", release_homes, IS_COLD | IS_SPENT },
};

struct operations file_operations(void)
{
    return (struct operations){ rows, COUNT(rows) };
}
