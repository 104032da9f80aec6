/* SPDX-License-Identifier: Apache-2.0 */
/* Hands the files of "ssl:" connections to the library of OVS.
 *
 * The library re-reads a file when its time of modification changes, but takes
 * a pair of key and certificate only if both have changed since it looked
 * last: it would never use one that it saw between the two.  And it forgets a
 * good private key as soon as it is shown a certificate of another one.  So
 * it is shown only pairs that have been tried before. */

#include <config.h>

#include "plugin/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifdef HAVE_OPENSSL
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

#include "stream-ssl.h"
#include "util.h"

#include "plugin/problems.h"

/* A file as it was when it was looked at. */
struct tls_file {
    char *name;                 /* Name, or NULL. */
    struct timespec mtime;      /* Time of modification; 0 if it is not
                                 * there. */
};

/* See plugin/tls.h. */
struct tls {
    struct tls_files options;   /* Of the command line; strings are ours. */
    struct tls_file key;        /* Private key. */
    struct tls_file cert;       /* Certificate. */
    struct tls_file ca;         /* CA certificate. */
    bool bootstrap;             /* It may be made of what a peer shows. */
    struct problems pair_problems; /* Of the key and the certificate. */
    struct problems ca_problems; /* Of the CA certificate. */
    struct problems problems;   /* All of them. */
};

/* Creates the keeper of the files, with 'options', those of the command line,
 * which need not outlive the call. */
struct tls *
tls_create(const struct tls_files *options)
{
    struct tls *tls = xzalloc(sizeof *tls);

    tls->options = (struct tls_files) {
        .private_key = nullable_xstrdup(options->private_key),
        .certificate = nullable_xstrdup(options->certificate),
        .ca_cert = nullable_xstrdup(options->ca_cert),
        .bootstrap = options->bootstrap,
    };
    return tls;
}

/* Frees 'tls'.  The library keeps what it has read. */
void
tls_destroy(struct tls *tls)
{
    if (tls) {
        free(CONST_CAST(char *, tls->options.private_key));
        free(CONST_CAST(char *, tls->options.certificate));
        free(CONST_CAST(char *, tls->options.ca_cert));
        free(tls->key.name);
        free(tls->cert.name);
        free(tls->ca.name);
        problems_destroy(&tls->pair_problems);
        problems_destroy(&tls->ca_problems);
        problems_destroy(&tls->problems);
        free(tls);
    }
}

/* Makes 'file' what the file 'name', or none if that is NULL, is now.  Returns
 * true if that is something else than before. */
static bool
look(struct tls_file *file, const char *name)
{
    struct timespec mtime = { .tv_sec = 0 };
    struct stat s;

    if (name && !stat(name, &s)) {
        mtime = s.st_mtim;
    }
    if (nullable_string_is_equal(file->name, name)
        && mtime.tv_sec == file->mtime.tv_sec
        && mtime.tv_nsec == file->mtime.tv_nsec) {
        return false;
    }
    if (file->name != name) {
        free(file->name);
        file->name = nullable_xstrdup(name);
    }
    file->mtime = mtime;
    return true;
}

/* Returns true if the file 'name' does not exist. */
static bool
is_missing(const char *name)
{
    struct stat s;

    return stat(name, &s) && errno == ENOENT;
}

#ifdef HAVE_OPENSSL
/* Returns what OpenSSL's last error is; forgets it. */
static const char *
last_error(void)
{
    const char *reason = ERR_reason_error_string(ERR_get_error());

    ERR_clear_error();
    return reason ? reason : "cannot be read";
}

/* Returns what is wrong with the private key in the file 'key' or the
 * certificate in 'cert', or NULL.  The caller frees it. */
static char *
try_pair(const char *key, const char *cert)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    char *error = NULL;

    if (SSL_CTX_use_certificate_file(ctx, cert, SSL_FILETYPE_PEM) != 1) {
        error = xasprintf("certificate %s: %s", cert, last_error());
    } else if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1
               || SSL_CTX_check_private_key(ctx) != 1) {
        error = xasprintf("private key %s, certificate %s: %s", key, cert,
                          last_error());
    }
    SSL_CTX_free(ctx);
    return error;
}

/* Returns what is wrong with the CA certificates in the file 'name', or NULL.
 * The caller frees it. */
static char *
try_ca(const char *name)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    char *error = NULL;

    if (SSL_CTX_load_verify_locations(ctx, name, NULL) != 1) {
        error = xasprintf("CA certificate %s: %s", name, last_error());
    }
    SSL_CTX_free(ctx);
    return error;
}
#else
/* Returns what is wrong with any key and certificate. */
static char *
try_pair(const char *key OVS_UNUSED, const char *cert OVS_UNUSED)
{
    return xstrdup("this version was built without TLS");
}

/* Returns what is wrong with any CA certificate. */
static char *
try_ca(const char *name OVS_UNUSED)
{
    return xstrdup("this version was built without TLS");
}
#endif

/* Makes 'problems' the one that 'error', which is taken, speaks of, or none if
 * that is NULL. */
static void
set_problem(struct problems *problems, char *error)
{
    struct problems before = *problems;

    *problems = (struct problems) PROBLEMS_INITIALIZER;
    if (error) {
        problems_add(problems, REASON_TLS_FILES,
                     "%s; what was read before stays in force", error);
        problems_log_new(problems, &before);
        free(error);
    }
    problems_destroy(&before);
}

/* Uses the private key and certificate of 'files' if they have changed and
 * belong together. */
static void
run_pair(struct tls *tls, const struct tls_files *files)
{
    bool changed = look(&tls->key, files->private_key);

    changed |= look(&tls->cert, files->certificate);
    if (!changed) {
        return;
    }

    char *error = NULL;
    if (tls->key.name && tls->cert.name) {
        error = try_pair(tls->key.name, tls->cert.name);
        if (!error) {
            stream_ssl_set_certificate_file(tls->cert.name);
            stream_ssl_set_private_key_file(tls->key.name);
        }
    } else if (tls->key.name || tls->cert.name) {
        error = xasprintf("%s %s has no %s",
                          tls->key.name ? "private key" : "certificate",
                          tls->key.name ? tls->key.name : tls->cert.name,
                          tls->key.name ? "certificate" : "private key");
    }
    set_problem(&tls->pair_problems, error);
}

/* Uses the CA certificate of 'files' if it has changed. */
static void
run_ca(struct tls *tls, const struct tls_files *files)
{
    bool changed = look(&tls->ca, files->ca_cert);
    const char *name = tls->ca.name;

    if (!changed && tls->bootstrap == files->bootstrap) {
        return;
    }
    tls->bootstrap = files->bootstrap;

    char *error = NULL;
    if (name && strcmp(name, "none")
        && !(files->bootstrap && is_missing(name))) {
        error = try_ca(name);
    }
    if (name && !error) {
        stream_ssl_set_ca_cert_file(name, files->bootstrap);
    }
    set_problem(&tls->ca_problems, error);
}

/* Has connections made from now on use the files of 'row', the row of the
 * local database, or if that names none, those of the command line, as they
 * are now.  To be called whenever a connection could be made: it costs three
 * stat() calls. */
void
tls_run(struct tls *tls, const struct tls_files *row)
{
    const struct tls_files *files = row->private_key ? row : &tls->options;

    run_pair(tls, files);
    run_ca(tls, files);
    problems_clear(&tls->problems);
    problems_append(&tls->problems, &tls->pair_problems);
    problems_append(&tls->problems, &tls->ca_problems);
}

/* Returns what cannot be used. */
const struct problems *
tls_problems(const struct tls *tls)
{
    return &tls->problems;
}
