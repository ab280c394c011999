/*
 * Reading command line arguments.  Called by application.c and handshake.c.
 */
#ifndef HANDOFF_ARGUMENTS_H
#define HANDOFF_ARGUMENTS_H

/* A decimal number of at most |most|.  1, or 0 when |text| is none. */
int argument_number(const char *text, unsigned most, unsigned *number);

#endif
