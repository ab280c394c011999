/* Bytes shared by reference: see shared_octets.h. */
#include "key/shared_octets.h"

#include <stdatomic.h>
#include <string.h>
#include <openssl/crypto.h>

struct shared_octets {
    atomic_uint references;
    size_t size;
    uint8_t data[];
};

struct shared_octets *shared_octets_new(struct octets value)
{
    struct shared_octets *shared = OPENSSL_malloc(sizeof(*shared) + value.size);

    if (shared == NULL)
        return NULL;
    atomic_init(&shared->references, 1);
    shared->size = value.size;
    if (value.size != 0)
        memcpy(shared->data, value.data, value.size);
    return shared;
}

struct shared_octets *shared_octets_up_ref(struct shared_octets *shared)
{
    if (shared != NULL)
        atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
    return shared;
}

void shared_octets_free(struct shared_octets *shared)
{
    if (shared != NULL &&
        atomic_fetch_sub_explicit(&shared->references, 1, memory_order_acq_rel) == 1)
        OPENSSL_free(shared);
}

struct octets shared_octets_view(const struct shared_octets *shared)
{
    return shared == NULL ? (struct octets){ NULL, 0 }
                          : (struct octets){ shared->data, shared->size };
}
