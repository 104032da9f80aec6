/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's log file, as far as it can be in trouble. */
#ifndef PLUGIN_LOG_FILE_H
#define PLUGIN_LOG_FILE_H 1

#include "plugin/problems.h"

void log_file_check(struct problems *);

#endif /* plugin/log-file.h */
