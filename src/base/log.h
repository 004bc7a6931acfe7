/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - one line a message, on standard error: `<program>[pid]: <level>: <text>`.
 *
 * There is no way to log a secret by type: struct secret has no text form, and callers log names
 * and ids only. Control bytes and bytes above 0x7e in the text are escaped as \xNN; a line is cut
 * at 1,024 bytes. The program's name is the one piece of process-wide state.
 */
#ifndef AV_BASE_LOG_H
#define AV_BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_open(const char *program, enum log_level max);
void log_msg(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...) log_msg(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_msg(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_msg(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
