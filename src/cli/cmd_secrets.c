/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"
#include "cli/secret_input.h"

#include <string.h>

#define RESULT_MAX (64u * 1024u * 1024u)

static const struct option create_options[] = {
    {"name", "NAME", false, "the secret's name, for example OPENAI_API_KEY"},
    {"value-file", "FILE", false, "take the value from FILE, byte for byte"},
    {"value", "TEXT", false, "the value itself (others may see it: not advised)"},
    {"scope", "SCOPE", false, "global (default), workspace or group"},
    {"workspace-id", "ID", false, "for --scope workspace and group"},
    {"group-id", "ID", false, "for --scope group"},
    {"alias", "NAME", true, "another name for it"},
    {"enable", "ID", true, "capabilities that it lights up (default all); none: no one"},
    {NULL, NULL, false, NULL},
};

static enum av_err
create_args(struct args *a, cJSON *o, struct fault *f)
{
	enum av_err e;

	if (args_value(a, "name") == NULL || args_value(a, "name")[0] == '\0')
		return fault_set(f, AV_EUSAGE, "usage", "", "--name is required");
	e = json_add_scope(o, a, f);
	if (e != AV_OK)
		return e;
	if (!json_add_option(o, "name", a, "name") || !json_add_options(o, "aliases", a, "alias") ||
	    (args_has(a, "enable") && !json_add_options(o, "enable", a, "enable")))
		return fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
	return AV_OK;
}

static int
run_create(struct args *a)
{
	struct fault f = {0};
	struct buf value;
	char prompt[96];
	cJSON *o = cJSON_CreateObject();
	enum av_err e = create_args(a, o, &f);
	int rc;

	buf_init(&value, SECRET_INPUT_MAX + 4096);
	if (e == AV_OK) {
		(void)snprintf(prompt, sizeof(prompt), "Value of %.64s", args_value(a, "name"));
		e = secret_input(a, prompt, &value, &f);
	}
	if (e == AV_EUSAGE) {
		cJSON_Delete(o);
		rc = usage_fault(&cmd_secrets_create, &f);
	} else if (e != AV_OK) {
		cJSON_Delete(o);
		rc = print_fault(&f);
	} else {
		rc = operator_print(
		    "secrets.create", o, (struct str){(const char *)value.data, value.len}, true);
	}
	buf_clear(&value);
	return rc;
}

const struct command cmd_secrets_create = {
    .name = "secrets create",
    .alias = "",
    .arguments = "--name NAME [OPTIONS]",
    .about = "Store a secret",
    .details =
        "Without --value and --value-file the value is asked for on the terminal, without echo, "
        "or\n"
        "read from standard input when that is no terminal; one newline at its end is dropped.\n"
        "--value-file takes the file's bytes as they are.\n",
    .options = create_options,
    .run = run_create,
};

static const struct option list_options[] = {
    {"scope", "SCOPE", false, "only global, workspace or group"},
    {"workspace-id", "ID", false, "only of this workspace, its groups included"},
    {"group-id", "ID", false, "only of this group"},
    {NULL, NULL, false, NULL},
};

static void
format_scope(const cJSON *scope, char *out, size_t out_len)
{
	const cJSON *w = cJSON_GetObjectItemCaseSensitive(scope, "workspace");
	const cJSON *g = cJSON_GetObjectItemCaseSensitive(scope, "group");

	if (cJSON_IsString(scope))
		(void)snprintf(out, out_len, "%s", scope->valuestring);
	else if (g != NULL)
		(void)snprintf(out, out_len, "group:%s:%s", json_string(g, "workspace_id", "?"),
		    json_string(g, "group_id", "?"));
	else
		(void)snprintf(out, out_len, "workspace:%s", json_string(w, "workspace_id", "?"));
}

static void
print_secret(const cJSON *s)
{
	const cJSON *aliases = cJSON_GetObjectItemCaseSensitive(s, "aliases");
	const cJSON *revoked = cJSON_GetObjectItemCaseSensitive(s, "revokedAtMs");
	const cJSON *alias;
	char scope[300];
	struct buf names;

	buf_init(&names, 4096);
	cJSON_ArrayForEach(alias, aliases)(void) buf_appendf(&names, "%s%s",
	    names.len == 0 ? "" : ", ", cJSON_IsString(alias) ? alias->valuestring : "?");
	format_scope(cJSON_GetObjectItemCaseSensitive(s, "scope"), scope, sizeof(scope));
	print_heading(json_string(s, "name", "?"));
	print_field("ID:", 9, json_string(s, "secretId", "?"));
	print_field("Scope:", 9, scope);
	if (json_string(s, "pinnedProvider", NULL) != NULL)
		print_field("Pinned:", 9, json_string(s, "pinnedProvider", ""));
	if (names.len > 0 && buf_cstr(&names) != NULL)
		print_field("Aliases:", 9, buf_cstr(&names));
	if (cJSON_IsNumber(revoked))
		(void)puts("  REVOKED");
	buf_clear(&names);
}

static int
print_secrets(const struct buf *result)
{
	cJSON *root = cJSON_ParseWithLength((const char *)result->data, result->len);
	const cJSON *s;
	char count[48];
	int n = cJSON_GetArraySize(root);

	if (n == 0) {
		(void)puts("No secrets found.");
	} else {
		cJSON_ArrayForEach(s, root) print_secret(s);
		plural(count, sizeof(count), (uint64_t)n, "secret", "secrets");
		(void)printf("\n%s. -v prints JSON.\n", count);
	}
	cJSON_Delete(root);
	return 0;
}

static int
run_list(struct args *a)
{
	struct fault f = {0};
	struct buf result;
	struct str none = {NULL, 0};
	cJSON *o = cJSON_CreateObject();
	int rc;

	if (args_has(a, "scope")) {
		enum av_err e = json_add_scope(o, a, &f);
		if (e != AV_OK) {
			cJSON_Delete(o);
			return e == AV_EUSAGE ? usage_fault(&cmd_secrets_list, &f)
			                      : print_fault(&f);
		}
	} else if (json_add_context(o, a, &f) != AV_OK) {
		cJSON_Delete(o);
		return print_fault(&f);
	}
	if (args_wants_json(a))
		return operator_print("secrets.list", o, none, false);
	buf_init(&result, RESULT_MAX);
	rc = operator_run("secrets.list", o, none, false, &result, &f) == AV_OK
	    ? print_secrets(&result)
	    : print_fault(&f);
	buf_clear(&result);
	return rc;
}

const struct command cmd_secrets_list = {
    .name = "secrets list",
    .alias = "",
    .arguments = "[OPTIONS]",
    .about = "List secrets, never their values",
    .options = list_options,
    .run = run_list,
};
