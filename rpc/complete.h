/* SPDX-License-Identifier: Apache-2.0 */
/* What may come next on a command line of ovn-xdpctl, for shells. */
#ifndef RPC_COMPLETE_H
#define RPC_COMPLETE_H 1

struct option;

/* A line that stands for the names of files, which the shell knows. */
#define COMPLETE_FILES "@files"

/* Prints, one a line, what the last of the 'n' 'words' may become; they are
 * those behind the program's name.  'options' are those that the program has,
 * up to one without a name, 'socket' is where to ask unless the words say
 * otherwise. */
void complete(int n, char *words[], const struct option *options,
              const char *socket);

#endif /* rpc/complete.h */
