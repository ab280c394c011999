/*
 * Random sequences of EVP calls against a model.  Each byte of the input chooses an operation, which
 * takes its arguments from the bytes behind it: see stateful.h.
 */
#include "stateful.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Twice in the table, twice as often. */
static const struct {
    const char *name;
    operation *run;
} operations[] = {
    { "import_key", import_key },
    { "generate_key", generate_key },
    { "derive_key", derive_key },
    { "duplicate_key", duplicate_key },
    { "share_key", share_key },
    { "free_key", free_key },
    { "retire_key", retire_key },
    { "export_blob", export_blob },
    { "import_blob", import_blob },
    { "import_damaged", import_damaged },
    { "set_key", set_key },
    { "export_bytes", export_bytes },
    { "compare_keys", compare_keys },
    { "bind_cipher", bind_cipher },
    { "rebind_cipher", rebind_cipher },
    { "start_cipher", start_cipher },
    { "set_iv", set_iv },
    { "set_padding", set_padding },
    { "update_cipher", update_cipher },
    { "update_cipher", update_cipher },
    { "finish_cipher", finish_cipher },
    { "duplicate_cipher", duplicate_cipher },
    { "move_cipher", move_cipher },
    { "free_cipher", free_cipher },
    { "process_message", process_message },
    { "bind_mac", bind_mac },
    { "start_mac", start_mac },
    { "restart_mac", restart_mac },
    { "set_record", set_record },
    { "set_sequence", set_sequence },
    { "update_mac", update_mac },
    { "update_mac", update_mac },
    { "finish_mac", finish_mac },
    { "duplicate_mac", duplicate_mac },
    { "move_mac", move_mac },
    { "free_mac", free_mac },
    { "sign_message", sign_message },
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* To understand a find: set FUZZ_TRACE, and each operation is named. */
static int trace;

int outcome(struct machine *machine, int ok, int expected)
{
    fuzz_expect(ok == expected, expected ? "success, as the model" : "failure, as the model");
    if (trace)
        fprintf(stderr, "  %s\n", ok ? "ok" : "refused");
    (void)fuzz_outcome(ok);
    if (!ok)
        check_keys(machine);
    return ok;
}

void pattern(struct machine *machine, uint8_t *out, size_t size)
{
    const unsigned seed = fuzz_u8(&machine->input);

    for (size_t n = 0; n < size; n++)
        out[n] = (uint8_t)(seed + 31 * n);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    trace = getenv("FUZZ_TRACE") != NULL;
    fuzz_setup();
    model_setup();
    keys_setup();
    ciphers_setup();
    macs_setup();
    return 0;
}

static void clear(struct machine *machine)
{
    for (size_t n = 0; n < SLOTS / 2; n++) {
        drop_cipher(&machine->cipher[n]);
        drop_mac(&machine->mac[n]);
        machine->blob[n].size = 0;
    }
    for (size_t n = 0; n < SLOTS; n++)
        drop_key(&machine->key[n]);
    for (size_t n = 0; n < machine->made_count; n++) {
        fuzz_expect(machine->made[n]->references == 0, "a model without references");
        free(machine->made[n]);
    }
    machine->made_count = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine machine;

    machine.input = (struct fuzz_input){ data, size };
    for (size_t n = 0; n < MAX_OPERATIONS && machine.input.size != 0; n++) {
        const size_t row = fuzz_u8(&machine.input) % OPERATIONS;

        if (trace)
            fprintf(stderr, "%s\n", operations[row].name);
        operations[row].run(&machine);
    }
    check_keys(&machine);
    drain_keys(&machine);
    clear(&machine);
    return 0;
}
