/*
 * The handle table: see handle_table.h.  A hash table with chains through the keys themselves, so
 * that adding cannot run out of memory.  Handles are random: their first bytes are the hash.
 */
#include "key/handle_table.h"

#include <string.h>
#include <openssl/crypto.h>
#include "key/key.h"

#define BUCKET_COUNT 1024 /* a power of two */

struct handle_table {
    struct fork_lock lock; /* the chains are sound after every step: renewed in a child */
    struct key *bucket[BUCKET_COUNT];
};

struct handle_table *handle_table_new(struct fork_guard *guard)
{
    struct handle_table *table = OPENSSL_zalloc(sizeof(*table));

    if (table != NULL && !fork_lock_init(&table->lock, guard)) {
        OPENSSL_free(table);
        table = NULL;
    }
    return table;
}

void handle_table_free(struct handle_table *table)
{
    if (table == NULL)
        return;
    fork_lock_destroy(&table->lock);
    OPENSSL_free(table);
}

static struct key **bucket_of(struct handle_table *table, const uint8_t *handle)
{
    return &table->bucket[(handle[0] | (unsigned)handle[1] << 8) & (BUCKET_COUNT - 1)];
}

void handle_table_add(struct handle_table *table, struct key *key)
{
    struct key **bucket = bucket_of(table, key->handle);

    fork_lock_enter(&table->lock, FORK_LOCK_RENEW);
    key->next_handle = *bucket;
    *bucket = key;
    fork_lock_leave(&table->lock);
}

void handle_table_remove(struct handle_table *table, struct key *key)
{
    fork_lock_enter(&table->lock, FORK_LOCK_RENEW);
    for (struct key **link = bucket_of(table, key->handle); *link != NULL;
         link = &(*link)->next_handle) {
        if (*link == key) {
            *link = key->next_handle;
            break;
        }
    }
    fork_lock_leave(&table->lock);
}

/* A key whose count has reached zero is on its way to handle_table_remove: too late for it. */
static int take_reference(struct key *key)
{
    unsigned count = atomic_load_explicit(&key->references, memory_order_relaxed);

    while (count != 0) {
        if (atomic_compare_exchange_weak(&key->references, &count, count + 1))
            return 1;
    }
    return 0;
}

struct key *handle_table_find(struct handle_table *table, struct octets handle)
{
    struct key *found = NULL;

    fork_lock_enter(&table->lock, FORK_LOCK_RENEW);
    for (struct key *key = *bucket_of(table, handle.data); key != NULL; key = key->next_handle) {
        if (memcmp(key->handle, handle.data, KEY_HANDLE_SIZE) == 0) {
            if (take_reference(key))
                found = key;
            break;
        }
    }
    fork_lock_leave(&table->lock);
    return found;
}
