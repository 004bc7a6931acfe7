/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/json_args.h"

#include "cli/when.h"

#include <string.h>

static bool
is_blank(const char *s)
{
	return s == NULL || s[strspn(s, " \t")] == '\0';
}

bool
json_add_option(cJSON *o, const char *key, const struct args *a, const char *name)
{
	const char *v = args_value(a, name);

	return v == NULL || cJSON_AddStringToObject(o, key, v) != NULL;
}

bool
json_add_options(cJSON *o, const char *key, const struct args *a, const char *name)
{
	cJSON *list = cJSON_AddArrayToObject(o, key);
	const char *v;
	size_t pos = 0;

	while (list != NULL && (v = args_next(a, name, &pos)) != NULL) {
		cJSON *item = cJSON_CreateString(v);
		if (!cJSON_AddItemToArray(list, item)) {
			cJSON_Delete(item);
			return false;
		}
	}
	return list != NULL;
}

enum av_err
json_add_context(cJSON *o, const struct args *a, struct fault *f)
{
	if (args_has(a, "group-id") && is_blank(args_value(a, "workspace-id")))
		return fault_set(f, AV_EINVAL, "workspace_missing", "Name the group's workspace",
		    "--workspace-id is required with --group-id");
	if (!json_add_option(o, "workspaceId", a, "workspace-id") ||
	    !json_add_option(o, "groupId", a, "group-id"))
		return fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
	return AV_OK;
}

enum av_err
json_add_time(cJSON *o, const char *key, const struct args *a, const char *name, struct fault *f)
{
	const char *v = args_value(a, name);
	int64_t ms;

	if (v == NULL)
		return AV_OK;
	if (when_parse(str_of(v), &ms) != AV_OK)
		return fault_set(f, AV_EUSAGE, "usage", "",
		    "--%s takes 10m, 1h, 7d, a date like 2026-01-31T12:00:00Z, or ms since 1970",
		    name);
	return cJSON_AddNumberToObject(o, key, (double)ms) != NULL
	    ? AV_OK
	    : fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
}

enum av_err
json_add_scope(cJSON *o, const struct args *a, struct fault *f)
{
	const char *scope = args_value(a, "scope");
	bool group, workspace;

	if (scope == NULL)
		scope = "global";
	group = strcmp(scope, "group") == 0;
	workspace = group || strcmp(scope, "workspace") == 0;
	if (!workspace && strcmp(scope, "global") != 0)
		return fault_set(
		    f, AV_EUSAGE, "usage", "", "--scope takes global, workspace or group");
	if (workspace && is_blank(args_value(a, "workspace-id")))
		return fault_set(f, AV_EINVAL, "workspace_missing", "",
		    "--workspace-id is required for --scope %s", scope);
	if (group && is_blank(args_value(a, "group-id")))
		return fault_set(
		    f, AV_EINVAL, "group_missing", "", "--group-id is required for --scope group");
	if ((!workspace && args_has(a, "workspace-id")) || (!group && args_has(a, "group-id")))
		return fault_set(f, AV_EINVAL, "scope_mismatch",
		    "Set --scope, or leave the id away", "--scope %s takes no such id", scope);
	if (cJSON_AddStringToObject(o, "scope", scope) == NULL ||
	    !json_add_option(o, "workspaceId", a, "workspace-id") ||
	    !json_add_option(o, "groupId", a, "group-id"))
		return fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
	return AV_OK;
}

const char *
json_string(const cJSON *o, const char *key, const char *dflt)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsString(v) ? v->valuestring : dflt;
}

cJSON *
json_parse(struct str text)
{
	const char *end = NULL;
	cJSON *root = text.len == 0 ? NULL : cJSON_ParseWithLengthOpts(text.p, text.len, &end, 0);

	for (; root != NULL && end < text.p + text.len; end++) {
		if (*end == '\0' || strchr(" \t\r\n", *end) == NULL) {
			cJSON_Delete(root);
			return NULL;
		}
	}
	return root;
}
