/* One case in N: see sample.h. */
#include "sample.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define VARIABLE "SCHANNEL_TEST_SAMPLE"

/* Cases that ask in turn: one in |every| is tried. */
struct turn {
    size_t every, asked, tried;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pid_t process;
static struct turn thousands = { .every = 1 }, hundreds = { .every = 1 };
static size_t all_rounds, done_rounds;

/* Children that end by exit leave the last word to the process that read the variable. */
static void say_what_was_left_out(void)
{
    if (getpid() == process)
        printf(VARIABLE "=%zu: %zu of %zu cases, %zu of %zu rounds\n", thousands.every,
               thousands.tried + hundreds.tried, thousands.asked + hundreds.asked, done_rounds,
               all_rounds);
}

static void read_variable(void)
{
    const char *text = getenv(VARIABLE);
    char *end;

    if (text == NULL)
        return;
    thousands.every = strtoul(text, &end, 10);
    if (thousands.every == 0 || *end != '\0') {
        fprintf(stderr, VARIABLE " is not a number: %s\n", text);
        exit(2);
    }
    while ((hundreds.every + 1) * (hundreds.every + 1) <= thousands.every)
        hundreds.every++;
    process = getpid();
    if (thousands.every > 1)
        atexit(say_what_was_left_out);
}

int is_sample(void)
{
    pthread_once(&once, read_variable);
    return thousands.every > 1;
}

static int is_its_turn(struct turn *turn)
{
    const int is_chosen = !is_sample() || turn->asked % turn->every == 0;

    turn->asked++;
    turn->tried += (size_t)is_chosen;
    return is_chosen;
}

int is_sampled_of_thousands(void)
{
    return is_its_turn(&thousands);
}

int is_sampled_of_hundreds(void)
{
    return is_its_turn(&hundreds);
}

size_t sampled_rounds(size_t rounds, size_t least)
{
    size_t some = rounds;

    if (is_sample() && least < rounds)
        some = rounds / thousands.every < least ? least : rounds / thousands.every;
    all_rounds += rounds;
    done_rounds += some;
    return some;
}
