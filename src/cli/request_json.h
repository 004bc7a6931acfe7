/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request_json.h - `--request` and `--request-file`: a call written as JSON.
 *
 * Either an envelope {capability, credential?, request:{...}} or the request alone:
 * {method, path, headers:[{name,value}]?, body?, bodyFilePath?}. Unknown keys are refused.
 */
#ifndef AV_CLI_REQUEST_JSON_H
#define AV_CLI_REQUEST_JSON_H

#include "cli/invocation.h"

enum av_err request_json_text(struct invocation *v, struct str text, struct fault *f) AV_MUST_USE;
enum av_err request_json_file(struct invocation *v, const char *path, struct fault *f) AV_MUST_USE;

#endif
