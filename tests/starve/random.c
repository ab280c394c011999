/*
 * A random number generator that fails when it is told to: see points.h.  libcrypto asks it in every
 * library context, for its own sake too.
 */
#define _DEFAULT_SOURCE /* getentropy */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "random_method.h"

#include <unistd.h>
#include <openssl/rand.h>
#include "points.h"

static int starving_bytes(unsigned char *out, int size)
{
    if (points_meet(POINT_RANDOM, "random", 0))
        return 0;
    for (int done = 0; done < size;) {
        const int part = size - done > 256 ? 256 : size - done;

        if (getentropy(out + done, (size_t)part) != 0)
            return 0;
        done += part;
    }
    return 1;
}

static int starving_status(void)
{
    return 1;
}

int random_method_install(void)
{
    static const RAND_METHOD method = { NULL, starving_bytes, NULL,
                                        NULL, starving_bytes, starving_status };

    return RAND_set_rand_method(&method);
}
