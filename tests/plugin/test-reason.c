/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/reason.c and of the list that it is made from: what clients
 * rely on is that words are words, and each its own. */

#include <config.h>

#include "plugin/reason.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bpf/abi.h"
#include "sset.h"
#include "util.h"

/* Checks that 'word' is of lower-case letters, digits and single hyphens. */
static void
check_word(const char *word)
{
    assert_true(islower((unsigned char) word[0]));
    for (size_t i = 0; word[i]; i++) {
        bool hyphen = word[i] == '-' && isalnum((unsigned char) word[i + 1]);

        if (!hyphen && !islower((unsigned char) word[i])
            && !isdigit((unsigned char) word[i])) {
            fail_msg("%s", word);
        }
    }
}

/* Checks that 'sentence' is one. */
static void
check_sentence(const char *sentence)
{
    size_t len = strlen(sentence);

    assert_true(len > 10);
    assert_true(isupper((unsigned char) sentence[0]));
    assert_true(sentence[len - 1] == '.');
    assert_null(strchr(sentence, '\n'));
}

/* The reasons of endpoints, interfaces, targets and problems. */
static void
test_state_reasons(void **state OVS_UNUSED)
{
    struct sset words = SSET_INITIALIZER(&words);

    assert_string_equal(reason_to_string(REASON_NONE), "");
    assert_int_equal(REASON_NONE, 0);
    for (int i = 1; i < N_STATE_REASONS; i++) {
        check_word(reason_to_string(i));
        check_sentence(reason_sentence(i));
        assert_non_null(sset_add(&words, reason_to_string(i)));
    }
    assert_true(sset_contains(&words, "duplicate-address"));
    sset_destroy(&words);
}

/* The reasons of frames; their numbers are those of the programs. */
static void
test_packet_reasons(void **state OVS_UNUSED)
{
    struct sset words = SSET_INITIALIZER(&words);

    for (int i = 0; i < N_PACKET_REASONS; i++) {
        check_word(packet_reason_to_string(i));
        check_sentence(packet_reason_sentence(i));
        assert_non_null(sset_add(&words, packet_reason_to_string(i)));
        assert_int_equal(packet_reason_is_besides(i),
                         strstr(packet_reason_sentence(i),
                                " Counted besides ") != NULL);
    }
#define PACKET_REASON(NAME, WIRE, SENTENCE) \
    assert_int_equal((int) PACKET_REASON_##NAME, (int) OX_R_##NAME); \
    assert_string_equal(packet_reason_to_string(PACKET_REASON_##NAME), WIRE);
#include "bpf/reason.def"
    sset_destroy(&words);
}

/* A word says which list it is from. */
static void
test_one_meaning(void **state OVS_UNUSED)
{
    for (int i = 0; i < N_STATE_REASONS; i++) {
        for (int j = 0; j < N_PACKET_REASONS; j++) {
            assert_string_not_equal(reason_to_string(i),
                                    packet_reason_to_string(j));
        }
    }
}

/* Runs the tests. */
int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state_reasons),
        cmocka_unit_test(test_packet_reasons),
        cmocka_unit_test(test_one_meaning),
    };

    return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
