/* SPDX-License-Identifier: Apache-2.0 */
/* Asks nf_tables for its chains (iptables-nft has its rules there, too), and
 * the older iptables for the names of its tables: which rules these have, it
 * tells nobody but its own tool. */

#include <config.h>

#include "plugin/host-firewall.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* Where attributes begin in a message of netfilter. */
#define NFNL_HEADER_LEN (NLMSG_HDRLEN + sizeof(struct nfgenmsg))

/* NFTA_DEVICE_PREFIX, which is newer than the headers: since Linux 6.17. */
#define DEVICE_PREFIX (NFTA_DEVICE_NAME + 1)

/* Where the older iptables names its tables. */
static const char *const legacy_files[] = {
    "/proc/net/ip_tables_names", "/proc/net/ip6_tables_names",
};

/* Appends the device that 'attr' names to those of 'chain', or as a prefix if
 * it is one: Linux 6.16 leaves out the null byte then. */
static void
add_device(struct host_chain *chain, const struct nlattr *attr, bool prefix)
{
    const char *text = nl_attr_get(attr);
    size_t size = nl_attr_get_size(attr);
    size_t length = strnlen(text, size);

    svec_add_nocopy(prefix || length == size ? &chain->prefixes
                    : &chain->devices, xmemdup0(text, length));
}

/* Fills the devices of 'chain', which 'hook', an NFTA_CHAIN_HOOK, is on. */
static void
parse_devices(struct host_chain *chain, const struct nlattr *hook)
{
    const struct nlattr *device = nl_attr_find_nested(hook, NFTA_HOOK_DEV);
    const struct nlattr *list = nl_attr_find_nested(hook, NFTA_HOOK_DEVS);
    const struct nlattr *attr;
    size_t left;

    if (list) {
        NL_NESTED_FOR_EACH (attr, left, list) {
            add_device(chain, attr, nl_attr_type(attr) == DEVICE_PREFIX);
        }
    } else if (device) {
        add_device(chain, device, false);
    }
}

/* Appends the chain that 'message', of nf_tables, tells of to 'fw', if it is
 * a base chain. */
void
host_firewall_parse(struct host_firewall *fw, const struct ofpbuf *message)
{
    static const struct nl_policy policy[] = {
        [NFTA_CHAIN_TABLE] = { .type = NL_A_STRING },
        [NFTA_CHAIN_NAME] = { .type = NL_A_STRING },
        [NFTA_CHAIN_HOOK] = { .type = NL_A_NESTED, .optional = true },
        [NFTA_CHAIN_POLICY] = { .type = NL_A_BE32, .optional = true },
        [NFTA_CHAIN_USE] = { .type = NL_A_BE32, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct nlattr *hook, *number;

    if (message->size < NFNL_HEADER_LEN
        || !nl_policy_parse(message, NFNL_HEADER_LEN, policy, attrs,
                            ARRAY_SIZE(policy))) {
        return;
    }
    hook = attrs[NFTA_CHAIN_HOOK];
    number = hook ? nl_attr_find_nested(hook, NFTA_HOOK_HOOKNUM) : NULL;
    if (!number || nl_attr_get_size(number) != sizeof(ovs_be32)) {
        return;
    }

    if (fw->n_chains >= fw->allocated) {
        fw->chains = x2nrealloc(fw->chains, &fw->allocated,
                                sizeof *fw->chains);
    }
    const struct nfgenmsg *header = ofpbuf_at_assert(message, NLMSG_HDRLEN,
                                                     sizeof *header);
    fw->chains[fw->n_chains++] = (struct host_chain) {
        .family = header->nfgen_family,
        .hook = ntohl(nl_attr_get_be32(number)),
        .table = xstrdup(nl_attr_get_string(attrs[NFTA_CHAIN_TABLE])),
        .name = xstrdup(nl_attr_get_string(attrs[NFTA_CHAIN_NAME])),
        .n_rules = (attrs[NFTA_CHAIN_USE]
                    ? ntohl(nl_attr_get_be32(attrs[NFTA_CHAIN_USE])) : 0),
        .drops = attrs[NFTA_CHAIN_POLICY]
                 && !nl_attr_get_be32(attrs[NFTA_CHAIN_POLICY]),
    };
    parse_devices(&fw->chains[fw->n_chains - 1], hook);
}

/* Reads the chains of nf_tables into 'fw'.  Returns 0 or a positive errno. */
static int
dump_chains(struct host_firewall *fw)
{
    uint64_t stub[NL_DUMP_BUFSIZE / sizeof(uint64_t)];
    struct ofpbuf request, message, buffer;
    struct nfgenmsg *header;
    struct nl_dump dump;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, sizeof *header,
                        (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETCHAIN,
                        NLM_F_REQUEST);
    header = ofpbuf_put_zeros(&request, sizeof *header);
    header->version = NFNETLINK_V0;
    nl_dump_start(&dump, NETLINK_NETFILTER, &request);
    ofpbuf_uninit(&request);

    ofpbuf_use_stub(&buffer, stub, sizeof stub);
    while (nl_dump_next(&dump, &message, &buffer)) {
        host_firewall_parse(fw, &message);
    }
    ofpbuf_uninit(&buffer);
    return nl_dump_done(&dump);
}

/* Stores the words in the file 'path', separated by spaces, in '*wordsp', ""
 * if there is no such file.  Returns 0 or a positive errno. */
static int
read_words(const char *path, char **wordsp)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    FILE *file = fopen(path, "r");
    int error = file || errno == ENOENT ? 0 : errno;
    char word[64];

    while (file && fscanf(file, "%63s", word) == 1) {
        ds_put_format(&ds, "%s%s", ds.length ? " " : "", word);
    }
    if (file) {
        fclose(file);
    }
    *wordsp = ds_steal_cstr(&ds);
    return error;
}

/* Returns true if the running kernel has nf_tables built in. */
static bool
is_built_in(void)
{
    struct utsname name;
    char line[256];
    bool found = false;

    if (uname(&name)) {
        return false;
    }
    char *path = xasprintf("/lib/modules/%s/modules.builtin", name.release);
    FILE *file = fopen(path, "r");
    while (file && !found && fgets(line, sizeof line, file)) {
        found = strstr(line, "/nf_tables.ko") != NULL;
    }
    if (file) {
        fclose(file);
    }
    free(path);
    return found;
}

/* Returns true if nf_tables may have rules: to ask it would load its module
 * where nobody has yet.  A kernel without modules loads none. */
static bool
may_have_rules(void)
{
    return !access("/sys/module/nf_tables", F_OK)
           || access("/proc/modules", F_OK) || is_built_in();
}

/* Fills '*fw' with what there is now. */
void
host_firewall_get(struct host_firewall *fw)
{
    memset(fw, 0, sizeof *fw);
    fw->error = may_have_rules() ? dump_chains(fw) : 0;
    if (fw->error == EINVAL || fw->error == EOPNOTSUPP
        || fw->error == EPROTONOSUPPORT) {
        fw->error = 0;          /* There is no nf_tables in this kernel. */
    }
    for (size_t i = 0; i < ARRAY_SIZE(legacy_files); i++) {
        int error = read_words(legacy_files[i], &fw->legacy[i]);

        fw->legacy_error = error ? error : fw->legacy_error;
    }
}

/* Frees what 'fw' holds. */
void
host_firewall_uninit(struct host_firewall *fw)
{
    for (size_t i = 0; i < fw->n_chains; i++) {
        svec_destroy(&fw->chains[i].devices);
        svec_destroy(&fw->chains[i].prefixes);
        free(fw->chains[i].table);
        free(fw->chains[i].name);
    }
    free(fw->chains);
    free(fw->legacy[0]);
    free(fw->legacy[1]);
}
