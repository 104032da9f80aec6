/* SPDX-License-Identifier: Apache-2.0 */
/* See plugin/acl-text.h.
 *
 * A rule is a union of cubes, and what is shown is a product of lists, one for
 * each field.  The two are the same if there are as many different cubes as
 * the product has elements; else the fields in which cubes differ say nothing
 * and refer to the match. */

#include <config.h>

#include "plugin/acl-text.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "sset.h"
#include "svec.h"
#include "util.h"

#include "plugin/acl-rule.h"

/* Most protocols that are listed one by one, or that are left out. */
#define MAX_LISTED 8

/* Fields of a cube that are shown. */
enum field {
    PROTOCOL,
    SOURCE,
    PORTS,
    ICMP,
    N_FIELDS
};

/* Appends 'word' to the list 'ds'. */
static void
put_element(struct ds *ds, const char *word)
{
    ds_put_format(ds, "%s%s", ds->length ? "," : "", word);
}

/* Returns the list 'ds' of 'n' elements, or all but those if 'negated'.  Frees
 * 'ds'; the caller frees the string. */
static char *
finish_list(struct ds *ds, size_t n, bool negated)
{
    char *list = ds_steal_cstr(ds);

    if (negated) {
        char *negation = xasprintf(n == 1 ? "!%s" : "!{%s}", list);

        free(list);
        return negation;
    }
    return list;
}

/* Appends IP protocol 'protocol' to the list 'ds', by the name that it has in
 * a match of OVN. */
static void
put_protocol(struct ds *ds, int protocol)
{
    char number[8];

    snprintf(number, sizeof number, "%d", protocol);
    put_element(ds, (protocol == IPPROTO_TCP ? "tcp"
                     : protocol == IPPROTO_UDP ? "udp"
                     : protocol == IPPROTO_SCTP ? "sctp"
                     : protocol == IPPROTO_ICMP ? "icmp4"
                     : protocol == IPPROTO_ICMPV6 ? "icmp6"
                     : number));
}

/* Returns how many protocols 'cube' has. */
static size_t
count_protocols(const struct acl_cube *cube)
{
    size_t n = 0;

    for (int i = 0; i < 256; i++) {
        n += acl_cube_has_protocol(cube, i);
    }
    return n;
}

/* Returns the protocols of 'cube'; the caller frees the string. */
static char *
protocol_text(const struct acl_cube *cube)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    size_t n = count_protocols(cube);
    bool negated = n >= 256 - MAX_LISTED;

    if (n == 256) {
        return xstrdup("any");
    } else if (n > MAX_LISTED && !negated) {
        return xstrdup(ACL_TEXT_SEE_MATCH);
    }
    for (int i = 0; i < 256; i++) {
        if (acl_cube_has_protocol(cube, i) != negated) {
            put_protocol(&ds, i);
        }
    }
    return finish_list(&ds, negated ? 256 - n : n, negated);
}

/* Returns true if 'cube' has one of the 'n' 'protocols', and no other. */
static bool
has_only(const struct acl_cube *cube, const uint8_t *protocols, size_t n)
{
    size_t has = 0;

    for (size_t i = 0; i < n; i++) {
        has += acl_cube_has_protocol(cube, protocols[i]);
    }
    return has > 0 && has == count_protocols(cube);
}

/* Returns true if 'range' has all numbers up to 'max'. */
static bool
is_full(const struct acl_range *range, uint16_t max)
{
    return !range->lo && range->hi >= max;
}

/* Returns 'range', or "any" if it has all numbers up to 'max'; the caller
 * frees the string. */
static char *
range_text(const struct acl_range *range, uint16_t max)
{
    return (is_full(range, max) ? xstrdup("any")
            : range->lo == range->hi ? xasprintf("%d", range->lo)
            : xasprintf("%d-%d", range->lo, range->hi));
}

/* Returns the ports of 'cube'; the caller frees the string. */
static char *
ports_text(const struct acl_cube *cube)
{
    static const uint8_t with_ports[] = {
        IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP,
    };

    if (!is_full(&cube->src_port, UINT16_MAX)) {
        return xstrdup(ACL_TEXT_SEE_MATCH);
    }
    return (has_only(cube, with_ports, ARRAY_SIZE(with_ports))
            || !is_full(&cube->dst_port, UINT16_MAX)
            ? range_text(&cube->dst_port, UINT16_MAX) : xstrdup(""));
}

/* Returns type and code of 'cube'; the caller frees the string. */
static char *
icmp_text(const struct acl_cube *cube)
{
    static const uint8_t icmp[] = { IPPROTO_ICMP, IPPROTO_ICMPV6 };
    bool any_code = is_full(&cube->icmp_code, UINT8_MAX);

    if (any_code && is_full(&cube->icmp_type, UINT8_MAX)
        && !has_only(cube, icmp, ARRAY_SIZE(icmp))) {
        return xstrdup("");
    }

    char *type = range_text(&cube->icmp_type, UINT8_MAX);
    if (!any_code) {
        char *code = range_text(&cube->icmp_code, UINT8_MAX);
        char *both = xasprintf("%s/%s", type, code);

        free(type);
        free(code);
        return both;
    }
    return type;
}

/* Appends 'atom', an element of a source, to the list 'ds': a single address
 * without its length. */
static void
put_atom(struct ds *ds, const char *atom)
{
    const char *slash = strchr(atom, '/');
    bool single = slash && !strcmp(slash, strchr(atom, ':') ? "/128" : "/32");
    char *text = xmemdup0(atom, single ? slash - atom : strlen(atom));

    put_element(ds, text);
    free(text);
}

/* Returns true if the name of the protocol of 'cube' says of which family its
 * packets are. */
static bool
names_family(const struct acl_cube *cube)
{
    static const uint8_t icmp4[] = { IPPROTO_ICMP };
    static const uint8_t icmp6[] = { IPPROTO_ICMPV6 };

    return (cube->ip4 != cube->ip6
            && has_only(cube, cube->ip4 ? icmp4 : icmp6, 1));
}

/* Returns the source of 'cube'; the caller frees the string. */
static char *
source_text(const struct acl_cube *cube)
{
    const struct acl_source *source = &cube->source;
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (source->any) {
        return xstrdup((cube->ip4 && cube->ip6) || names_family(cube) ? "any"
                       : cube->ip4 ? "0.0.0.0/0"
                       : cube->ip6 ? "::/0" : "none");
    }
    for (size_t i = 0; i < source->atoms.n; i++) {
        put_atom(&ds, source->atoms.names[i]);
    }
    return finish_list(&ds, source->atoms.n, source->negated);
}

/* Adds the fields of 'cube' to 'lists', each to its own if it is not there,
 * and all together to 'cubes'. */
static void
add_cube(const struct acl_cube *cube, struct svec lists[N_FIELDS],
         struct sset *cubes)
{
    char *fields[N_FIELDS] = {
        [PROTOCOL] = protocol_text(cube),
        [SOURCE] = source_text(cube),
        [PORTS] = ports_text(cube),
        [ICMP] = icmp_text(cube),
    };
    struct ds all = DS_EMPTY_INITIALIZER;

    for (int i = 0; i < N_FIELDS; i++) {
        ds_put_format(&all, "%s ", fields[i]);
        if (!svec_contains_unsorted(&lists[i], fields[i])) {
            svec_add(&lists[i], fields[i]);
        }
        free(fields[i]);
    }
    sset_add(cubes, ds_cstr(&all));
    ds_destroy(&all);
}

/* Makes one word of the two families of 'sources', if that is all. */
static void
merge_families(struct svec *sources)
{
    if (sources->n == 2
        && svec_contains_unsorted(sources, "0.0.0.0/0")
        && svec_contains_unsorted(sources, "::/0")) {
        svec_clear(sources);
        svec_add(sources, "any");
    }
}

/* Returns the elements of 'list', whose number is known to say all if 'exact',
 * and frees what it holds.  The caller frees the string. */
static char *
take_list(struct svec *list, bool exact)
{
    char *text = (exact || list->n < 2
                  ? svec_join(list, ",", "") : xstrdup(ACL_TEXT_SEE_MATCH));

    svec_destroy(list);
    return text;
}

/* Fills 'text' with what 'rule' matches. */
void
acl_text_init(struct acl_text *text, const struct acl_rule *rule)
{
    struct svec lists[N_FIELDS] = {
        SVEC_EMPTY_INITIALIZER, SVEC_EMPTY_INITIALIZER,
        SVEC_EMPTY_INITIALIZER, SVEC_EMPTY_INITIALIZER,
    };
    struct sset cubes = SSET_INITIALIZER(&cubes);
    size_t product = 1;
    bool exact, said = true;

    for (size_t i = 0; i < rule->n_cubes; i++) {
        add_cube(&rule->cubes[i], lists, &cubes);
    }
    for (int i = 0; i < N_FIELDS; i++) {
        product *= lists[i].n;
        said = said && !svec_contains_unsorted(&lists[i], ACL_TEXT_SEE_MATCH);
    }
    exact = product == sset_count(&cubes);
    sset_destroy(&cubes);
    merge_families(&lists[SOURCE]);
    *text = (struct acl_text) {
        .protocol = take_list(&lists[PROTOCOL], exact),
        .source = take_list(&lists[SOURCE], exact),
        .ports = take_list(&lists[PORTS], exact),
        .icmp = take_list(&lists[ICMP], exact),
        .exact = exact && said,
    };
}

/* Frees what 'text' holds. */
void
acl_text_destroy(struct acl_text *text)
{
    free(text->protocol);
    free(text->source);
    free(text->ports);
    free(text->icmp);
}
