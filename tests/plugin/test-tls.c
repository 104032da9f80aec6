/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/tls.c, with keys and certificates of their own. */

#include <config.h>

#include "plugin/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "util.h"

#include "plugin/problems.h"

/* Returns the path of the file 'name' of this test; the caller frees it. */
static char *
path_of(const char *name)
{
    const char *dir = getenv("OVN_XDP_TMP");

    return xasprintf("%s/%s", dir ? dir : "/tmp", name);
}

/* Opens the file 'name' for writing. */
static FILE *
create_file(const char *name)
{
    char *path = path_of(name);
    FILE *file;

    unlink(path);
    file = fopen(path, "w");
    assert_non_null(file);
    free(path);
    return file;
}

/* Writes a new private key to the file 'key', and a certificate of it that is
 * signed by itself to the file 'cert'. */
static void
make_pair(const char *key, const char *cert)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    FILE *file;

    assert_non_null(pkey);
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, pkey);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN",
                               MBSTRING_ASC, (const unsigned char *) "test",
                               -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    assert_true(X509_sign(x509, pkey, EVP_sha256()) > 0);

    file = create_file(key);
    assert_true(PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL));
    fclose(file);
    file = create_file(cert);
    assert_true(PEM_write_X509(file, x509));
    fclose(file);
    X509_free(x509);
    EVP_PKEY_free(pkey);
}

/* Makes the file 'to' be the file 'from', which goes. */
static void
move_file(const char *from, const char *to)
{
    char *a = path_of(from);
    char *b = path_of(to);

    assert_int_equal(rename(a, b), 0);
    free(a);
    free(b);
}

/* Returns files of the names given, or NULL, in this test's folder; see
 * free_files(). */
static struct tls_files
files_of(const char *key, const char *cert, const char *ca)
{
    return (struct tls_files) {
        .private_key = key ? path_of(key) : NULL,
        .certificate = cert ? path_of(cert) : NULL,
        .ca_cert = ca ? path_of(ca) : NULL };
}

/* Frees the names in 'files'. */
static void
free_files(struct tls_files *files)
{
    free(CONST_CAST(char *, files->private_key));
    free(CONST_CAST(char *, files->certificate));
    free(CONST_CAST(char *, files->ca_cert));
}

/* Runs 'tls' and checks that it has one problem, whose message has 'text' in
 * it, or none if that is NULL. */
static void
expect(struct tls *tls, const struct tls_files *row, const char *text)
{
    tls_run(tls, row);
    assert_int_equal(tls_problems(tls)->n, text ? 1 : 0);
    if (text) {
        assert_int_equal(tls_problems(tls)->list[0].class, REASON_TLS_FILES);
        assert_non_null(strstr(tls_problems(tls)->list[0].message, text));
    }
}

static const struct tls_files no_files;

/* Nothing is said where nothing is configured. */
static void
test_nothing(void **state OVS_UNUSED)
{
    struct tls *tls = tls_create(&no_files);

    expect(tls, &no_files, NULL);
    expect(tls, &no_files, NULL);
    tls_destroy(tls);
    tls_destroy(NULL);
}

/* A pair that is replaced one file after the other is a problem only in
 * between, whichever comes first, and however often it is looked at. */
static void
test_rotation(void **state OVS_UNUSED)
{
    make_pair("key", "cert");
    struct tls_files options = files_of("key", "cert", "cert");
    struct tls *tls = tls_create(&options);
    expect(tls, &no_files, NULL);

    make_pair("new-key", "new-cert");
    move_file("new-key", "key");
    expect(tls, &no_files, "private key");
    expect(tls, &no_files, "private key");
    move_file("new-cert", "cert");
    expect(tls, &no_files, NULL);

    make_pair("new-key", "new-cert");
    move_file("new-cert", "cert");
    expect(tls, &no_files, "private key");
    move_file("new-key", "key");
    expect(tls, &no_files, NULL);
    tls_destroy(tls);
    free_files(&options);
}

/* What cannot be read is named. */
static void
test_unusable(void **state OVS_UNUSED)
{
    make_pair("key", "cert");
    struct tls_files alone = files_of("key", NULL, NULL);
    struct tls *tls = tls_create(&alone);
    expect(tls, &no_files, "has no certificate");
    tls_destroy(tls);
    free_files(&alone);

    struct tls_files missing = files_of("key", "not-there", "cert");
    tls = tls_create(&missing);
    expect(tls, &no_files, "not-there");
    tls_destroy(tls);
    free_files(&missing);

    fclose(create_file("empty"));
    struct tls_files empty = files_of("key", "cert", "empty");
    tls = tls_create(&empty);
    expect(tls, &no_files, "empty");
    make_pair("new-key", "empty");
    expect(tls, &no_files, NULL);
    tls_destroy(tls);
    free_files(&empty);
}

/* A CA certificate may be missing only where it will be made, or where peers
 * are not checked. */
static void
test_bootstrap(void **state OVS_UNUSED)
{
    make_pair("key", "cert");
    struct tls_files options = files_of("key", "cert", "not-there-either");
    struct tls *tls = tls_create(&options);
    expect(tls, &no_files, "not-there-either");
    tls_destroy(tls);

    options.bootstrap = true;
    tls = tls_create(&options);
    expect(tls, &no_files, NULL);
    make_pair("new-key", "not-there-either");
    expect(tls, &no_files, NULL);
    tls_destroy(tls);
    free_files(&options);

    options = files_of("key", "cert", NULL);
    options.ca_cert = xstrdup("none");
    tls = tls_create(&options);
    expect(tls, &no_files, NULL);
    tls_destroy(tls);
    free_files(&options);
}

/* The row comes first; without one, the options do again. */
static void
test_row(void **state OVS_UNUSED)
{
    make_pair("key", "cert");
    struct tls_files options = files_of("key", "cert", "cert");
    struct tls_files row = files_of("key", "no-such-file", "cert");
    struct tls *tls = tls_create(&options);

    expect(tls, &row, "no-such-file");
    expect(tls, &no_files, NULL);
    expect(tls, &row, "no-such-file");
    tls_destroy(tls);
    free_files(&options);
    free_files(&row);
}

/* Runs the tests. */
int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_unusable),
        cmocka_unit_test(test_bootstrap),
        cmocka_unit_test(test_row),
    };

    return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
