/* SPDX-License-Identifier: Apache-2.0 */
/* The files of "ssl:" connections: private key, certificate and CA
 * certificate.
 *
 * They are a setting of the whole process.  Row SSL of the local database
 * comes before the command line, as with ovn-controller.  The files may be
 * replaced while the daemon runs, one after the other; what cannot be used is
 * a problem, and the last good ones stay in force. */
#ifndef PLUGIN_TLS_H
#define PLUGIN_TLS_H 1

#include <stdbool.h>

struct problems;
struct tls;

/* Names of files, NULL where there is none. */
struct tls_files {
    const char *private_key;    /* Private key, in PEM. */
    const char *certificate;    /* Its certificate, in PEM. */
    const char *ca_cert;        /* What peers are checked with; "none" does
                                 * not check. */
    bool bootstrap;             /* 'ca_cert' is made of what the first peer
                                 * shows, if it does not exist. */
};

struct tls *tls_create(const struct tls_files *options);
void tls_destroy(struct tls *);
void tls_run(struct tls *, const struct tls_files *row);
const struct problems *tls_problems(const struct tls *);

#endif /* plugin/tls.h */
