/* The live key: see key.h. */
#include "key/key.h"

#include <stddef.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include "blob/opaque_header.h"
#include "fork_guard.h"
#include "key/handle_table.h"
#include "key/key_trace.h"
#include "key/options.h"
#include "key/transfer.h"

struct key *key_new(struct provctx *provctx)
{
    struct key *key = OPENSSL_zalloc(sizeof(*key));

    if (key == NULL || !fork_lock_init(&key->lock, provctx->fork_guard)) {
        OPENSSL_free(key);
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a key");
        return NULL;
    }
    atomic_init(&key->references, 1);
    key->provctx = provctx;
    key->generation = fork_guard_generation(provctx->fork_guard);
    return key;
}

struct key *key_up_ref(struct key *key)
{
    atomic_fetch_add_explicit(&key->references, 1, memory_order_relaxed);
    return key;
}

static void clear_value(struct key *key)
{
    transfer_free(key->transfer);
    key->transfer = NULL;
    while (key->messages != NULL)
        key_message_end(key->messages);
    if (key->ssl2_mac != NULL)
        mac_value_clear(key->ssl2_mac);
    OPENSSL_free(key->ssl2_mac);
    key->ssl2_mac = NULL;
    if (key->view != NULL)
        OPENSSL_cleanse(key->view->secret, key->view->secret_size);
    if (key->algorithm == NULL)
        return;
    switch (key->algorithm->kind) {
    case KEY_KIND_MASTER:
        if (key->value.master != NULL)
            master_value_clear(key->value.master);
        OPENSSL_free(key->value.master);
        key->value.master = NULL;
        break;
    case KEY_KIND_CIPHER:
        cipher_value_clear(&key->value.cipher);
        break;
    case KEY_KIND_MAC:
        mac_value_clear(&key->value.mac);
        break;
    }
}

void key_message_begin(struct key *key, struct key_message *message)
{
    mac_value_start(key_mac(key), &message->running);
    message->next = key->messages;
    message->link = &key->messages;
    if (message->next != NULL)
        message->next->link = &message->next;
    key->messages = message;
}

void key_message_end(struct key_message *message)
{
    OPENSSL_cleanse(&message->running, sizeof(message->running));
    if (message->link == NULL)
        return;
    *message->link = message->next;
    if (message->next != NULL)
        message->next->link = message->link;
    message->link = NULL;
    message->next = NULL;
}

static void free_view(struct key_view *view)
{
    if (view == NULL)
        return;
    OPENSSL_clear_free(view->secret, view->secret_size);
    OPENSSL_free(view);
}

void key_free(struct key *key)
{
    if (key == NULL || atomic_fetch_sub_explicit(&key->references, 1, memory_order_acq_rel) != 1)
        return;
    if (key->has_handle)
        handle_table_remove(key->provctx->handles, key);
    if (key->has_id)
        key_trace(key, "freed");
    if (!key->retired)
        clear_value(key);
    if (key->options != NULL)
        blob_options_clear(key->options);
    OPENSSL_free(key->options);
    free_view(key->view);
    OPENSSL_free(key->opened);
    fork_lock_destroy(&key->lock);
    /* the value is cleansed */
    OPENSSL_cleanse(key, offsetof(struct key, value));
    OPENSSL_free(key);
}

void key_enter(struct key *key)
{
    fork_lock_enter(&key->lock, FORK_LOCK_RENEW);
}

int key_enter_inherited(struct key *key)
{
    return fork_lock_enter(&key->lock, FORK_LOCK_REFUSE) == FORK_LOCK_TAKEN;
}

static int take_lock(struct key *key)
{
    return key_enter_inherited(key) ||
           RAISE(key->provctx->errors, SCHANNEL_R_INHERITED_OVER_FORK,
                 "fork: another thread was using this key when the process forked, so this process "
                 "cannot know its state");
}

/* Takes the lock of a key that can still be used. */
int key_lock(struct key *key)
{
    if (!take_lock(key))
        return 0;
    if (!key->retired && key->algorithm != NULL)
        return 1;
    key_unlock(key);
    if (key->algorithm == NULL)
        return RAISE(key->provctx->errors, SCHANNEL_R_NO_KEY, "the key object holds no key yet");
    return RAISE(key->provctx->errors, SCHANNEL_R_KEY_RETIRED,
                 "this %s key was destroyed by \"retire\"", key->algorithm->name);
}

/* The first use of a transfer claims it.  The lock is held, and given up on failure. */
static int settle(struct key *key)
{
    if (key->transfer == NULL)
        return 1;
    if (!transfer_claim(key->provctx, key->transfer)) {
        key_unlock(key);
        return 0;
    }
    transfer_free(key->transfer);
    key->transfer = NULL;
    key_trace(key, "the transfer is claimed");
    return 1;
}

static int check_fork(const struct key *key)
{
    return key->generation == fork_guard_generation(key->provctx->fork_guard) ||
           key->fork_allowed ||
           RAISE(key->provctx->errors, SCHANNEL_R_INHERITED_OVER_FORK,
                 "fork: this key belongs to the parent process, and both would go on from one "
                 "state: move it with a blob, or set its parameter fork to allow");
}

int key_lock_for(struct key *key, enum key_purpose purpose)
{
    return (purpose != KEY_ADVANCE || check_fork(key)) && key_lock(key) &&
           (purpose == KEY_LOOK || settle(key));
}

/* Takes the lock of a key that |fits|; else says what was expected. */
static int lock_fitting(struct key *key, int (*fits)(struct key *, enum key_kind),
                        enum key_kind kind, enum key_purpose purpose, const char *operation)
{
    if ((purpose == KEY_ADVANCE && !check_fork(key)) || !key_lock(key))
        return 0;
    if (fits(key, kind)) {
        if (purpose == KEY_LOOK)
            return 1;
        if (!settle(key))
            return 0;
        key_trace(key, "used by %s", operation);
        return 1;
    }
    key_unlock(key);
    return RAISE(key->provctx->errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
                 "%s: expected a %s key, got a %s key (%s)", operation, key_kind_name(kind),
                 key_kind_name(key->algorithm->kind), key->algorithm->name);
}

static int is_of_kind(struct key *key, enum key_kind kind)
{
    return key->algorithm->kind == kind;
}

static int has_mac(struct key *key, enum key_kind kind)
{
    (void)kind;
    return key_mac(key) != NULL;
}

int key_lock_kind(struct key *key, enum key_kind kind, enum key_purpose purpose,
                  const char *operation)
{
    return lock_fitting(key, is_of_kind, kind, purpose, operation);
}

int key_lock_mac(struct key *key, enum key_purpose purpose, const char *operation)
{
    return lock_fitting(key, has_mac, KEY_KIND_MAC, purpose, operation);
}

struct mac_value *key_mac(struct key *key)
{
    return key->algorithm->kind == KEY_KIND_MAC ? &key->value.mac : key->ssl2_mac;
}

int key_add_ssl2_mac(struct key *key)
{
    key->ssl2_mac = OPENSSL_malloc(sizeof(*key->ssl2_mac));
    if (key->ssl2_mac == NULL)
        return 0;
    mac_value_init(key->ssl2_mac, KEY_PROTOCOL_SSL2, DIGEST_MD5,
                   cipher_value_key(&key->value.cipher));
    return 1;
}

void key_unlock(struct key *key)
{
    fork_lock_leave(&key->lock);
}

int key_claim(struct key *key)
{
    if (!key_lock_for(key, KEY_USE))
        return 0;
    key_unlock(key);
    return 1;
}

void key_reset(struct key *key)
{
    clear_value(key);
    key->algorithm = NULL;
    key->protocol = KEY_PROTOCOL_NONE;
    key->usage = KEY_USAGE_NONE;
    key->exportable = 0;
    key->fork_allowed = 0;
    key->has_id = 0;
    key->origin = KEY_ORIGIN_NONE;
    OPENSSL_free(key->opened);
    key->opened = NULL;
}

int key_retire(struct key *key)
{
    if (!take_lock(key))
        return 0;
    if (!key->retired) {
        key_trace(key, "retired");
        clear_value(key);
    }
    key->retired = 1;
    key_unlock(key);
    return 1;
}

int key_set_exportable(struct key *key, int exportable)
{
    if (exportable && !key->exportable)
        return RAISE(key->provctx->errors, SCHANNEL_R_NOT_EXPORTABLE,
                     "exportable: can be cleared, but never set on a key that is not: ask for it "
                     "when the key is made");
    key->exportable = (uint8_t)exportable;
    return 1;
}

int key_set_options(struct key *key, const struct blob_options *options)
{
    struct blob_options merged = blob_options_merge(options, key->options), copy;
    struct blob_options *kept = key->options;

    if (blob_options_are_empty(options))
        return 1;
    if (kept == NULL)
        kept = OPENSSL_zalloc(sizeof(*kept));
    if (kept == NULL || !blob_options_copy(&copy, &merged)) {
        if (kept != key->options)
            OPENSSL_free(kept);
        return RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a key");
    }
    blob_options_clear(kept);
    *kept = copy;
    key->options = kept;
    return 1;
}

static int copy_value(struct key *to, const struct key *from)
{
    switch (from->algorithm->kind) {
    case KEY_KIND_MASTER:
        to->value.master = OPENSSL_zalloc(sizeof(*to->value.master));
        return to->value.master != NULL && master_value_copy(to->value.master, from->value.master);
    case KEY_KIND_CIPHER:
        cipher_value_copy(&to->value.cipher, &from->value.cipher);
        return from->ssl2_mac == NULL ||
               (to->ssl2_mac = OPENSSL_memdup(from->ssl2_mac, sizeof(*from->ssl2_mac))) != NULL;
    case KEY_KIND_MAC:
        to->value.mac = from->value.mac;
        return 1;
    }
    return 0;
}

static int copy_opened(struct key *to, const struct key *from)
{
    return from->opened == NULL ||
           (to->opened = OPENSSL_memdup(from->opened, sizeof(*from->opened))) != NULL;
}

struct key *key_duplicate(struct key *key)
{
    struct key *copy = key_new(key->provctx);
    int ok = 0;

    if (copy == NULL || !key_lock_for(key, KEY_USE)) {
        key_free(copy);
        return NULL;
    }
    copy->algorithm = key->algorithm;
    copy->protocol = key->protocol;
    copy->usage = key->usage;
    copy->exportable = key->exportable;
    copy->generation = key->generation;
    copy->fork_allowed = key->fork_allowed;
    copy->origin = key->origin;
    ok = (key->options == NULL || key_set_options(copy, key->options)) &&
         ((copy_opened(copy, key) && copy_value(copy, key)) ||
          RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for the copy of a key"));
    key_unlock(key);
    if (ok)
        return copy;
    key_free(copy);
    return NULL;
}

int key_size_is_possible(const struct key *key)
{
    switch (key->algorithm->kind) {
    case KEY_KIND_MASTER:
        return 1;
    case KEY_KIND_CIPHER:
        return key_size_is_valid(key->value.cipher.cipher, key->value.cipher.key_size);
    case KEY_KIND_MAC:
        break;
    }
    return mac_key_size_is_valid(key->protocol, key->value.mac.digest, key->value.mac.key_size);
}

const char *key_origin_name(const struct key *key)
{
    static const char *const names[] = {
        [KEY_ORIGIN_NONE] = NULL,
        [KEY_ORIGIN_GENERATED] = "generated",
        [KEY_ORIGIN_BYTES] = "known bytes",
        [KEY_ORIGIN_PASSWORD] = "password",
        [KEY_ORIGIN_MASTER] = "derived from a master key",
        [KEY_ORIGIN_OPAQUE] = "opaque blob",
        [KEY_ORIGIN_SIMPLE] = "simple blob",
        [KEY_ORIGIN_PLAINTEXT] = "plaintext blob",
    };

    return names[key->origin];
}

unsigned key_bits(const struct key *key)
{
    switch (key->algorithm->kind) {
    case KEY_KIND_MASTER:
        return key->value.master->converted ? 8u * key->value.master->secret_size
                                            : 8u * MASTER_VALUE_MAX_SECRET_SIZE;
    case KEY_KIND_CIPHER:
        return 8u * key->value.cipher.key_size;
    case KEY_KIND_MAC:
        return 8u * key->value.mac.key_size;
    }
    return 0;
}

unsigned key_security_bits(const struct key *key)
{
    unsigned bits = key_bits(key);

    if (key->algorithm->kind != KEY_KIND_CIPHER)
        return bits;
    /* NIST SP 800-57 part 1: triple DES gives 112 bits with three keys, 80 with two. */
    switch (key->value.cipher.cipher->id) {
    case BULK_CIPHER_DES:
        return 56;
    case BULK_CIPHER_DES_EDE:
        return 80;
    case BULK_CIPHER_DES_EDE3:
        return 112;
    case BULK_CIPHER_RC2:
        return bits < key->value.cipher.effective_bits ? bits : key->value.cipher.effective_bits;
    default:
        return bits;
    }
}

struct octets key_secret(const struct key *key)
{
    switch (key->algorithm->kind) {
    case KEY_KIND_MASTER:
        return master_value_secret(key->value.master);
    case KEY_KIND_CIPHER:
        return cipher_value_key(&key->value.cipher);
    case KEY_KIND_MAC:
        break;
    }
    return (struct octets){ key->value.mac.key, key->value.mac.key_size };
}

static int same_octets(struct octets a, struct octets b)
{
    return a.size == b.size && (a.size == 0 || CRYPTO_memcmp(a.data, b.data, a.size) == 0);
}

static int same_secret(const struct key *a, const struct key *b)
{
    if (a->algorithm->kind == KEY_KIND_MASTER &&
        a->value.master->converted != b->value.master->converted)
        return 0;
    if (a->algorithm->kind == KEY_KIND_MAC && a->value.mac.digest != b->value.mac.digest)
        return 0;
    return same_octets(key_secret(a), key_secret(b)) &&
           (a->algorithm->kind != KEY_KIND_CIPHER ||
            same_octets(cipher_value_salt(&a->value.cipher), cipher_value_salt(&b->value.cipher)));
}

int key_equal(struct key *a, struct key *b)
{
    /* Always in the same order, so that two comparisons cannot wait for each other. */
    struct key *first = (uintptr_t)a < (uintptr_t)b ? a : b;
    struct key *second = first == a ? b : a;
    int equal = 0;

    if (a == b)
        return 1;
    if (a->algorithm != b->algorithm || !key_lock(first))
        return 0;
    if (key_lock(second)) {
        equal = same_secret(first, second);
        key_unlock(second);
    }
    key_unlock(first);
    return equal;
}

int key_id_try(struct key *key, char text[KEY_ID_TEXT])
{
    static const char digits[] = "0123456789abcdef";

    if (!key->has_id && RAND_bytes_ex(key->provctx->libctx, key->id, sizeof(key->id), 0) != 1)
        return 0;
    key->has_id = 1;
    for (size_t n = 0; n < KEY_ID_SIZE; n++) {
        text[2 * n] = digits[key->id[n] >> 4];
        text[2 * n + 1] = digits[key->id[n] & 15];
    }
    text[2 * KEY_ID_SIZE] = '\0';
    return 1;
}

int key_id_text(struct key *key, char text[KEY_ID_TEXT])
{
    return key_id_try(key, text) ||
           errors_raise_no_random(key->provctx->errors, key->provctx->libctx, "a key identifier");
}

/* The lock is held. */
static struct key_view *view_of(struct key *key)
{
    if (key->view == NULL && (key->view = OPENSSL_zalloc(sizeof(*key->view))) == NULL)
        RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a view of the key");
    return key->view;
}

const char *key_id_string(struct key *key)
{
    struct key_view *view;
    int ok;

    if (!key_lock(key))
        return NULL;
    view = view_of(key);
    ok = view != NULL && (view->id[0] != '\0' || key_id_text(key, view->id));
    key_unlock(key);
    return ok ? view->id : NULL;
}

static int show_secret(struct key *key, struct key_view *view)
{
    const struct octets bytes = key_secret(key);

    if (view->secret == NULL && (view->secret = OPENSSL_memdup(bytes.data, bytes.size)) != NULL)
        view->secret_size = bytes.size;
    return view->secret != NULL ||
           RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for the key bytes");
}

int key_show_secret(struct key *key, struct octets *secret)
{
    struct key_view *view;
    int ok;

    if (!key_lock(key))
        return 0;
    view = view_of(key);
    ok = view != NULL && show_secret(key, view);
    if (ok)
        *secret = (struct octets){ view->secret, view->secret_size };
    key_unlock(key);
    return ok;
}

int key_get_handle(struct key *key, uint8_t handle[KEY_HANDLE_SIZE])
{
    int ok = 1;

    if (!key_lock(key))
        return 0;
    if (!key->has_handle) {
        ok = RAND_priv_bytes_ex(key->provctx->libctx, key->handle, sizeof(key->handle), 0) == 1;
        key->has_handle = (uint8_t)ok;
        if (ok)
            handle_table_add(key->provctx->handles, key);
    }
    if (ok)
        memcpy(handle, key->handle, KEY_HANDLE_SIZE);
    key_unlock(key);
    return ok || errors_raise_no_random(key->provctx->errors, key->provctx->libctx, "a key handle");
}

struct key *key_by_handle(struct provctx *provctx, struct octets handle)
{
    struct key *key = handle_table_find(provctx->handles, handle);

    if (key == NULL)
        RAISE(provctx->errors, SCHANNEL_R_UNKNOWN_KEY_HANDLE,
              "key-handle: names no live key of this library context (handles do not outlive their "
              "key and are not valid in another process)");
    return key;
}
