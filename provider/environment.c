/* The environment: see environment.h. */
#define _GNU_SOURCE /* secure_getenv */
#include "environment.h"

#include <stdlib.h>

const char *environment(const char *name)
{
#ifdef __GLIBC__
    return secure_getenv(name);
#else
    return getenv(name);
#endif
}
