/*
 * Reading command line arguments, see arguments.h.
 */
#include <errno.h>
#include <stdlib.h>
#include "arguments.h"

int argument_number(const char *text, unsigned most, unsigned *number)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0' || value > most)
        return 0;
    *number = (unsigned)value;
    return 1;
}
