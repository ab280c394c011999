/* errors: every reason has its number and its words, and raising hands them to the core whole. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/core_dispatch.h>
#include "errors.h"
#include "recorded_errors.h"

/* The enumeration's last one: a reason added after it must be named here too. */
#define FIRST_REASON SCHANNEL_R_MISSING_PARAMETER
#define LAST_REASON  SCHANNEL_R_NOT_SIGNED

static int set_up(void **state)
{
    *state = recorded_errors_new();
    return 0;
}

static int tear_down(void **state)
{
    recorded_errors_free(*state);
    return 0;
}

static size_t count_reasons(void)
{
    const OSSL_ITEM *reasons = errors_reason_strings();
    size_t count = 0;

    while (reasons[count].id != 0)
        count++;
    return count;
}

static void every_reason_has_a_string(void **state)
{
    const OSSL_ITEM *reasons = errors_reason_strings();

    (void)state;
    for (unsigned reason = FIRST_REASON; reason <= LAST_REASON; reason++) {
        const char *words = NULL;

        for (const OSSL_ITEM *item = reasons; item->id != 0; item++) {
            if (item->id == reason)
                words = item->ptr;
        }
        if (words == NULL || *words == '\0')
            fail_msg("reason %u has no string", reason);
    }
}

static void the_numbers_are_one_to_the_last_each_once(void **state)
{
    const OSSL_ITEM *reasons = errors_reason_strings();

    (void)state;
    assert_int_equal(FIRST_REASON, 1);
    assert_int_equal(count_reasons(), LAST_REASON);
    for (size_t n = 0; n < count_reasons(); n++)
        assert_int_equal(reasons[n].id, n + 1);
    assert_null(reasons[count_reasons()].ptr);
}

/* Callers compare numbers: they stay what the first release gave out. */
static void the_numbers_of_the_interface_stay(void **state)
{
    (void)state;
    assert_int_equal(SCHANNEL_R_MISSING_PARAMETER, 1);
    assert_int_equal(SCHANNEL_R_INVALID_PARAMETER, 2);
    assert_int_equal(SCHANNEL_R_WRONG_KIND_OF_KEY, 7);
    assert_int_equal(SCHANNEL_R_BAD_DECRYPT, 14);
    assert_int_equal(SCHANNEL_R_MALFORMED_BLOB, 19);
    assert_int_equal(SCHANNEL_R_SEAL_DOES_NOT_VERIFY, 22);
    assert_int_equal(SCHANNEL_R_NO_STATE_DIRECTORY, 26);
    assert_int_equal(SCHANNEL_R_LIBCRYPTO_FAILURE, 29);
}

static void no_two_reasons_have_the_same_words(void **state)
{
    const OSSL_ITEM *reasons = errors_reason_strings();

    (void)state;
    for (size_t n = 0; n < count_reasons(); n++) {
        for (size_t other = 0; other < n; other++)
            assert_string_not_equal(reasons[n].ptr, reasons[other].ptr);
    }
}

static void raising_hands_over_reason_sentence_and_place(void **state)
{
    struct recorded_errors *recorded = *state;
    const struct recorded_error *error;
    int line;

    line = __LINE__ + 1;
    RAISE(recorded_errors_target(recorded), SCHANNEL_R_INVALID_LENGTH, "%s: %d of %zu (%02x) 100%%",
          "iv", -3, (size_t)16, 0xau);
    assert_int_equal(recorded_errors_begun(recorded), 1);
    assert_int_equal(recorded_errors_count(recorded), 1);
    error = recorded_errors_get(recorded, 0);
    assert_int_equal(error->reason, SCHANNEL_R_INVALID_LENGTH);
    assert_string_equal(error->sentence, "iv: -3 of 16 (0a) 100%");
    assert_string_equal(error->function, __func__);
    assert_non_null(strstr(error->file, "test_errors.c"));
    assert_in_range(error->line, line, line + 1);
}

static void every_reason_arrives_under_its_own_number(void **state)
{
    struct recorded_errors *recorded = *state;
    char words[32];

    for (unsigned reason = FIRST_REASON; reason <= LAST_REASON; reason++) {
        snprintf(words, sizeof(words), "number %u.", reason);
        RAISE(recorded_errors_target(recorded), (enum schannel_reason)reason, "number %u.", reason);
        expect_one_error(recorded, (enum schannel_reason)reason, words);
    }
}

static void errors_come_in_the_order_of_raising(void **state)
{
    struct recorded_errors *recorded = *state;

    RAISE(recorded_errors_target(recorded), SCHANNEL_R_NO_KEY, "first");
    RAISE(recorded_errors_target(recorded), SCHANNEL_R_KEY_RETIRED, "second");
    assert_int_equal(recorded_errors_begun(recorded), 2);
    assert_int_equal(recorded_errors_count(recorded), 2);
    assert_string_equal(recorded_errors_get(recorded, 0)->sentence, "first");
    assert_int_equal(recorded_errors_get(recorded, 1)->reason, SCHANNEL_R_KEY_RETIRED);
}

static int refuse(const struct errors *errors)
{
    return RAISE(errors, SCHANNEL_R_NOT_SUPPORTED, "no");
}

static void the_value_of_raising_is_zero(void **state)
{
    struct recorded_errors *recorded = *state;

    assert_int_equal(refuse(recorded_errors_target(recorded)), 0);
    expect_one_error(recorded, SCHANNEL_R_NOT_SUPPORTED, "no");
    assert_int_equal(refuse(NULL), 0);
    expect_no_error(recorded);
}

/* ---- a core that offers less ---- */

static int upcalls_made;

static void count_new_error(const OSSL_CORE_HANDLE *core)
{
    (void)core;
    upcalls_made++;
}

static void count_sentence(const OSSL_CORE_HANDLE *core, uint32_t reason, const char *format,
                           va_list arguments)
{
    (void)core, (void)reason, (void)format, (void)arguments;
    upcalls_made += 100;
}

static int upcalls_of_one_error(const OSSL_DISPATCH *in)
{
    struct errors *errors = errors_new(NULL, in);

    assert_non_null(errors);
    upcalls_made = 0;
    assert_int_equal(refuse(errors), 0);
    errors_free(errors);
    return upcalls_made;
}

static void raising_to_nobody_does_nothing(void **state)
{
    static const OSSL_DISPATCH nothing[] = { { 0, NULL } };
    static const OSSL_DISPATCH only_new[] = {
        { OSSL_FUNC_CORE_NEW_ERROR, (void (*)(void))count_new_error },
        { 0, NULL },
    };
    static const OSSL_DISPATCH only_sentence[] = {
        { OSSL_FUNC_CORE_VSET_ERROR, (void (*)(void))count_sentence },
        { 0, NULL },
    };

    (void)state;
    upcalls_made = 0;
    errors_raise(NULL, __FILE__, __LINE__, __func__, SCHANNEL_R_NO_KEY, "%s", "nothing");
    assert_int_equal(upcalls_made, 0);
    assert_int_equal(upcalls_of_one_error(nothing), 0);
    assert_int_equal(upcalls_of_one_error(only_new), 0);
    assert_int_equal(upcalls_of_one_error(only_sentence), 0);
    errors_free(NULL);
}

static void a_core_without_debug_places_still_gets_the_error(void **state)
{
    static const OSSL_DISPATCH without_debug[] = {
        { OSSL_FUNC_CORE_VSET_ERROR, (void (*)(void))count_sentence },
        { OSSL_FUNC_CORE_GET_PARAMS, NULL },
        { OSSL_FUNC_CORE_NEW_ERROR, (void (*)(void))count_new_error },
        { 0, NULL },
    };

    (void)state;
    assert_int_equal(upcalls_of_one_error(without_debug), 101);
}

/* ---- marks ---- */

static int count_mark(const OSSL_CORE_HANDLE *core)
{
    (void)core;
    upcalls_made++;
    return 1;
}

static int count_kept(const OSSL_CORE_HANDLE *core)
{
    (void)core;
    upcalls_made += 10;
    return 1;
}

static int count_dropped(const OSSL_CORE_HANDLE *core)
{
    (void)core;
    upcalls_made += 100;
    return 1;
}

static int upcalls_of_marks(const OSSL_DISPATCH *in, int keep)
{
    struct errors *errors = errors_new(NULL, in);

    assert_non_null(errors);
    upcalls_made = 0;
    errors_mark(errors);
    errors_unmark(errors, keep);
    errors_free(errors);
    return upcalls_made;
}

static void a_mark_is_the_cores_and_taken_away_with_or_without_what_came_after(void **state)
{
    static const OSSL_DISPATCH everything[] = {
        { OSSL_FUNC_CORE_SET_ERROR_MARK, (void (*)(void))count_mark },
        { OSSL_FUNC_CORE_CLEAR_LAST_ERROR_MARK, (void (*)(void))count_kept },
        { OSSL_FUNC_CORE_POP_ERROR_TO_MARK, (void (*)(void))count_dropped },
        { 0, NULL },
    };
    static const OSSL_DISPATCH nothing[] = { { 0, NULL } };

    (void)state;
    assert_int_equal(upcalls_of_marks(everything, 0), 101);
    assert_int_equal(upcalls_of_marks(everything, 1), 11);
    assert_int_equal(upcalls_of_marks(nothing, 0), 0);
    assert_int_equal(upcalls_of_marks(nothing, 1), 0);
}

/* ---- errors of the system ---- */

static void a_number_that_the_system_does_not_know_is_told_as_a_number(void **state)
{
    struct system_text text;

    (void)state;
    assert_string_equal(errors_system_text(ENOENT, &text), "No such file or directory");
    assert_non_null(strstr(errors_system_text(123456, &text), "123456"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_a_string),
        cmocka_unit_test(the_numbers_are_one_to_the_last_each_once),
        cmocka_unit_test(the_numbers_of_the_interface_stay),
        cmocka_unit_test(no_two_reasons_have_the_same_words),
        cmocka_unit_test_setup_teardown(raising_hands_over_reason_sentence_and_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_reason_arrives_under_its_own_number, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(errors_come_in_the_order_of_raising, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_value_of_raising_is_zero, set_up, tear_down),
        cmocka_unit_test(raising_to_nobody_does_nothing),
        cmocka_unit_test(a_core_without_debug_places_still_gets_the_error),
        cmocka_unit_test(a_mark_is_the_cores_and_taken_away_with_or_without_what_came_after),
        cmocka_unit_test(a_number_that_the_system_does_not_know_is_told_as_a_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
