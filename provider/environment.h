/*
 * The environment, as far as it can be trusted.  Called by provctx and blob/state_directory.
 */
#ifndef SCHANNEL_PROVIDER_ENVIRONMENT_H
#define SCHANNEL_PROVIDER_ENVIRONMENT_H

/* The value of |name|, borrowed.  NULL when it is not set, and always in a set-user-ID program,
 * which does not take directions from its caller's environment. */
const char *environment(const char *name);

#endif
