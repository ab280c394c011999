/* The end of an input: every key is used once more, in the state that it has.  See stateful.h. */
#include "stateful.h"

#include <string.h>

/* A sequence of operations as an input would choose them, with arguments of our own. */
static void run(struct machine *machine, operation *op, const uint8_t *arguments, size_t size)
{
    machine->input = (struct fuzz_input){ arguments, size };
    op(machine);
}

void drain_keys(struct machine *machine)
{
    for (uint8_t n = 0; n < SLOTS; n++) {
        const struct model_key *model = machine->key[n].model;

        if (model == NULL)
            continue;
        if (model->algorithm->kind == MODEL_CIPHER) {
            const uint8_t direction = model->direction != MODEL_DECRYPT;

            run(machine, bind_cipher, (uint8_t[]){ 0, n, direction, 0 }, 4);
            run(machine, update_cipher, (uint8_t[]){ 0, 37, 1 }, 3);
            run(machine, update_cipher, (uint8_t[]){ 0, 48, 2 }, 3);
        } else if (model->algorithm->kind == MODEL_MAC) {
            run(machine, bind_mac, (uint8_t[]){ 0, n, 0 }, 3);
            run(machine, update_mac, (uint8_t[]){ 0, 37, 1 }, 3);
            run(machine, finish_mac, (uint8_t[]){ 0 }, 1);
        }
    }
}
