/* SPDX-License-Identifier: Apache-2.0 */
/* Tests what plugin/acl-flow.c, acl-entry.c, acl-nat.c and acl-snat.c make of
 * all flows that ovn-northd wrote for the fixtures: those that idl/sb-db.c
 * hands out, which test-sb-acl.c compares with the files that are read
 * here. */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "idl/sb-acl.h"
#include "openvswitch/dynamic-string.h"
#include "plugin/acl-entry.h"
#include "plugin/acl-flow.h"
#include "plugin/acl-snat.h"
#include "tests/db/db-dump.h"
#include "tests/db/db-server.h"
#include "tests/plugin/acl-words.h"
#include "util.h"

/* Stages by the words of the files. */
static const struct {
    const char *word;           /* Word. */
    enum sb_acl_stage stage;    /* What it stands for. */
} stages[] = {
    { "pre", SB_ACL_PRE },
    { "eval", SB_ACL_EVAL },
    { "from", SB_ACL_FROM },
    { "switch-lb", SB_ACL_SWITCH_LB },
    { "router-dnat", SB_ACL_ROUTER_DNAT },
    { "router-snat", SB_ACL_ROUTER_SNAT },
    { "router-policy", SB_ACL_ROUTER_POLICY },
};

/* Stores in '*stage' what 'word' stands for.  Returns false if that is another
 * file's. */
static bool
find_stage(const char *word, enum sb_acl_stage *stage)
{
    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        if (!strcmp(stages[i].word, word)) {
            *stage = stages[i].stage;
            return true;
        }
    }
    return false;
}

/* Appends to 's' what becomes of 'sb', a flow of the stage 'word'. */
static void
put_flow(const struct sb_acl_flow *sb, const char *word, struct ds *s)
{
    char *text;

    if (sb->stage == SB_ACL_PRE || sb->stage == SB_ACL_EVAL) {
        struct acl_flow flow;

        acl_flow_parse(sb, &flow);
        text = acl_flow_to_text(&flow);
        acl_flow_destroy(&flow);
    } else if (sb->stage == SB_ACL_FROM) {
        struct acl_entry entry;

        acl_entry_parse(sb, &entry);
        text = acl_entry_to_text(&entry);
        acl_entry_destroy(&entry);
    } else if (sb->stage == SB_ACL_ROUTER_SNAT) {
        struct acl_snat snat;
        struct acl_nat nat;

        acl_snat_parse(sb, &snat, &nat);
        text = acl_snat_to_text(&snat, &nat);
        acl_snat_destroy(&snat);
        acl_nat_destroy(&nat);
    } else {
        struct acl_nat nat;

        acl_nat_parse(sb, &nat);
        text = acl_nat_to_text(&nat);
        acl_nat_destroy(&nat);
    }
    ds_put_format(s, "%s %d %s\n    %s\n", word, sb->priority, sb->match,
                  text);
    free(text);
}

/* Appends to 's' what becomes of 'line' of the file, if it is a flow:
 * "flow STAGE PRIORITY dp=DATAPATHS MATCH -> ACTIONS". */
static void
put_line(char *line, struct ds *s)
{
    static const char arrow[] = " -> ";
    struct sb_acl_flow sb = { .priority = 0 };
    char word[32];
    int n;

    if (sscanf(line, "flow %31s %d dp=%*s %n", word, &sb.priority, &n) != 2
        || !find_stage(word, &sb.stage)) {
        return;
    }
    sb.match = line + n;
    sb.actions = strstr(sb.match, arrow);
    assert_non_null(sb.actions);
    *sb.actions = '\0';
    sb.actions += strlen(arrow);
    put_flow(&sb, word, s);
}

/* Checks that the flows in the file 'flows' become what 'golden' says. */
static void
check(const char *flows, const char *golden)
{
    char *text = db_read_golden(flows);
    char *expected = db_read_golden(golden);
    struct ds s = DS_EMPTY_INITIALIZER;
    char *save = NULL;

    for (char *line = strtok_r(text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        put_line(line, &s);
    }
    if (strcmp(ds_cstr(&s), expected)) {
        /* Too long for fail_msg(). */
        fprintf(stderr, "%s is not:\n%s", golden, ds_cstr(&s));
        fail();
    }
    ds_destroy(&s);
    free(expected);
    free(text);
}

/* OVN 23.03. */
static void
test_2303(void **state OVS_UNUSED)
{
    check("sb-2303-acl.txt", "acl-2303.txt");
}

/* OVN 24.03. */
static void
test_2403(void **state OVS_UNUSED)
{
    check("sb-2403-acl.txt", "acl-2403.txt");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_2303),
        cmocka_unit_test(test_2403),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
