/* The random number generator of the starvation test: points.h has what it does. */
#ifndef SCHANNEL_TESTS_STARVE_RANDOM_METHOD_H
#define SCHANNEL_TESTS_STARVE_RANDOM_METHOD_H

/* 0 when libcrypto does not take it. */
int random_method_install(void);

#endif
