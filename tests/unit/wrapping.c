/* Arithmetic that wraps, compiled as the provider is: SCHANNEL_SANITIZE_INTEGERS ends the process. */
#include <stdio.h>

int main(int argc, char **argv)
{
    unsigned number = (unsigned)argc;

    (void)argv;
    for (int n = 0; n < 2; n++)
        number--;
    printf("goes on, with %u\n", number);
    return 0;
}
