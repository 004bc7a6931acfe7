/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"

#include <stdlib.h>
#include <string.h>

#define RESULT_MAX (64u * 1024u * 1024u)

static const struct option create_options[] = {
    {"provider", "NAME", false, "whose service it is for"},
    {"secret-ref", "REF", false, "vault:secret:ID, as secrets list shows it"},
    {"auth", "KIND", false,
        "header, path, query, multi-header, basic (not yet: oauth2, aws-sigv4, hmac, mtls)"},
    {"host", "HOST", true, "where it may go"},
    {"workspace-id", "ID", false, "only in this workspace"},
    {"group-id", "ID", false, "only in this group"},
    {"header-name", "NAME", false, "auth header (default authorization)"},
    {"value-template", "TEXT", false, "its value (default 'Bearer {{secret}}')"},
    {"query-param", "NAME", false, "auth query (default api_key)"},
    {"path-prefix-template", "TEXT", false, "auth path (default /bot{{secret}})"},
    {"auth-header", "NAME=TEXT", true, "auth multi-header: one header"},
    {"grant-type", "KIND", false, "auth oauth2"},
    {"token-endpoint", "URL", false, "auth oauth2"},
    {"scope", "TEXT", true, "auth oauth2"},
    {"aws-service", "NAME", false, "auth aws-sigv4"},
    {"aws-region", "NAME", false, "auth aws-sigv4"},
    {"hmac-algorithm", "NAME", false, "auth hmac"},
    {"max-policy-mode", "MODE", false, "postgres only"},
    {NULL, NULL, false, NULL},
};

static const struct {
	const char *option;
	const char *key;
} plain[] = {
    {"provider", "provider"},
    {"secret-ref", "secretRef"},
    {"auth", "auth"},
    {"header-name", "headerName"},
    {"value-template", "valueTemplate"},
    {"query-param", "queryParam"},
    {"path-prefix-template", "pathPrefixTemplate"},
    {"grant-type", "grantType"},
    {"token-endpoint", "tokenEndpoint"},
    {"aws-service", "awsService"},
    {"aws-region", "awsRegion"},
    {"hmac-algorithm", "hmacAlgorithm"},
    {"max-policy-mode", "maxPolicyMode"},
};

static const char *const auth_kinds[] = {"header", "path", "query", "multi-header", "basic",
    "oauth2", "o-auth2", "aws-sigv4", "hmac", "mtls"};

static bool
is_auth_kind(const char *v)
{
	for (size_t i = 0; i < sizeof(auth_kinds) / sizeof(auth_kinds[0]); i++) {
		if (strcmp(v, auth_kinds[i]) == 0)
			return true;
	}
	return false;
}

static enum av_err
add_auth_headers(cJSON *o, const struct args *a, struct fault *f)
{
	cJSON *list;
	const char *v;
	size_t pos = 0;

	if (!args_has(a, "auth-header"))
		return AV_OK;
	list = cJSON_AddArrayToObject(o, "authHeaders");
	while ((v = args_next(a, "auth-header", &pos)) != NULL) {
		struct str name, text;
		cJSON *item;
		char *copy;
		if (!str_cut(str_of(v), '=', &name, &text) || str_trim(name).len == 0)
			return fault_set(
			    f, AV_EINVAL, "auth_header", "", "--auth-header takes NAME=TEMPLATE");
		item = cJSON_CreateObject();
		copy = str_dup(str_trim(name));
		bool ok = copy != NULL && cJSON_AddStringToObject(item, "name", copy) != NULL &&
		    cJSON_AddStringToObject(item, "template", text.p) != NULL;
		free(copy);
		if (!ok || !cJSON_AddItemToArray(list, item)) {
			cJSON_Delete(item);
			return fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
		}
	}
	return AV_OK;
}

/* An option that the kind of auth has no use for would be dropped without a word. */
static enum av_err
check_auth_options(const struct args *a, struct fault *f)
{
	static const struct {
		const char *option;
		const char *kinds[2];
	} uses[] = {
	    {"header-name", {"header", "hmac"}},
	    {"value-template", {"header", "hmac"}},
	    {"query-param", {"query", NULL}},
	    {"path-prefix-template", {"path", NULL}},
	    {"auth-header", {"multi-header", NULL}},
	    {"grant-type", {"oauth2", "o-auth2"}},
	    {"token-endpoint", {"oauth2", "o-auth2"}},
	    {"scope", {"oauth2", "o-auth2"}},
	    {"aws-service", {"aws-sigv4", NULL}},
	    {"aws-region", {"aws-sigv4", NULL}},
	    {"hmac-algorithm", {"hmac", NULL}},
	};
	const char *auth = args_value(a, "auth");

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		const char *const *kinds = uses[i].kinds;
		bool fits = auth != NULL &&
		    (strcmp(auth, kinds[0]) == 0 ||
		        (kinds[1] != NULL && strcmp(auth, kinds[1]) == 0));
		if (args_has(a, uses[i].option) && !fits)
			return fault_set(f, AV_EUSAGE, "usage", "",
			    "--%s goes with --auth %s, %s%s", uses[i].option, kinds[0],
			    auth == NULL ? "which is missing" : "not with --auth ",
			    auth == NULL ? "" : auth);
	}
	return AV_OK;
}

static enum av_err
create_args(const struct args *a, cJSON *o, struct fault *f)
{
	const char *auth = args_value(a, "auth");
	enum av_err e;
	bool ok = cJSON_AddStringToObject(o, "id", a->positional[0]) != NULL;

	if (args_value(a, "provider") == NULL)
		return fault_set(f, AV_EUSAGE, "usage", "", "--provider is required");
	if (args_value(a, "secret-ref") == NULL)
		return fault_set(f, AV_EUSAGE, "usage", "", "--secret-ref is required");
	if (auth != NULL && !is_auth_kind(auth))
		return fault_set(f, AV_EUSAGE, "usage", "",
		    "--auth takes header, path, query, "
		    "multi-header, basic, oauth2, aws-sigv4, hmac or mtls");
	e = check_auth_options(a, f);
	if (e == AV_OK)
		e = json_add_context(o, a, f);
	if (e == AV_OK)
		e = add_auth_headers(o, a, f);
	if (e != AV_OK)
		return e;
	for (size_t i = 0; ok && i < sizeof(plain) / sizeof(plain[0]); i++)
		ok = json_add_option(o, plain[i].key, a, plain[i].option);
	ok = ok && json_add_options(o, "hosts", a, "host");
	if (args_has(a, "scope"))
		ok = ok && json_add_options(o, "scopes", a, "scope");
	return ok ? AV_OK : fault_set(f, AV_ENOMEM, "no_memory", "", "out of memory");
}

static int
run_create(struct args *a)
{
	struct fault f = {0};
	cJSON *o = cJSON_CreateObject();
	enum av_err e = create_args(a, o, &f);

	if (e == AV_OK)
		return operator_print("credential.create", o, (struct str){NULL, 0}, false);
	cJSON_Delete(o);
	return e == AV_EUSAGE ? usage_fault(&cmd_credential_create, &f) : print_fault(&f);
}

const struct command cmd_credential_create = {
    .name = "credential create",
    .alias = "",
    .arguments = "ID --provider NAME --secret-ref REF [OPTIONS]",
    .about = "Say how a secret is put into requests, and for which hosts",
    .options = create_options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run_create,
};

static const struct option no_options[] = {{NULL, NULL, false, NULL}};

static void
append_strings(struct buf *b, const cJSON *list)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)(void) buf_appendf(
	    b, "%s%s", b->len == 0 ? "" : ", ", cJSON_IsString(item) ? item->valuestring : "?");
}

static void
print_credential(const cJSON *c)
{
	const cJSON *auth = cJSON_GetObjectItemCaseSensitive(c, "auth");
	const char *workspace = json_string(c, "workspaceId", NULL);
	const char *group = json_string(c, "groupId", NULL);
	char scope[300];
	struct buf hosts;

	buf_init(&hosts, 16384);
	append_strings(&hosts, cJSON_GetObjectItemCaseSensitive(c, "hosts"));
	if (group != NULL)
		(void)snprintf(scope, sizeof(scope), "group:%s:%s",
		    workspace == NULL ? "?" : workspace, group);
	else if (workspace != NULL)
		(void)snprintf(scope, sizeof(scope), "workspace:%s", workspace);
	else
		(void)snprintf(scope, sizeof(scope), "global");
	print_heading(json_string(c, "id", "?"));
	print_field("Provider:", 10, json_string(c, "provider", "?"));
	if (cJSON_IsString(auth))
		print_field("Auth:", 10, auth->valuestring);
	else if (cJSON_IsObject(auth) && auth->child != NULL)
		print_field("Auth:", 10, auth->child->string);
	if (hosts.len > 0 && buf_cstr(&hosts) != NULL)
		print_field("Hosts:", 10, buf_cstr(&hosts));
	if (json_string(c, "maxPolicyMode", NULL) != NULL)
		print_field("Max policy mode:", 10, json_string(c, "maxPolicyMode", ""));
	print_field("Scope:", 10, scope);
	buf_clear(&hosts);
}

static int
run_list(struct args *a)
{
	struct fault f = {0};
	struct buf result;
	struct str none = {NULL, 0};
	const cJSON *list, *c;
	cJSON *root;
	char count[48];

	if (args_wants_json(a))
		return operator_print("credential.list", NULL, none, false);
	buf_init(&result, RESULT_MAX);
	if (operator_run("credential.list", NULL, none, false, &result, &f) != AV_OK) {
		buf_clear(&result);
		return print_fault(&f);
	}
	root = cJSON_ParseWithLength((const char *)result.data, result.len);
	list = cJSON_GetObjectItemCaseSensitive(root, "credentials");
	cJSON_ArrayForEach(c, list) print_credential(c);
	plural(
	    count, sizeof(count), (uint64_t)cJSON_GetArraySize(list), "credential", "credentials");
	if (cJSON_GetArraySize(list) == 0)
		(void)puts("No credentials found.");
	else
		(void)printf("\n%s.\n", count);
	cJSON_Delete(root);
	buf_clear(&result);
	return 0;
}

const struct command cmd_credential_list = {
    .name = "credential list",
    .alias = "",
    .arguments = "[OPTIONS]",
    .about = "List credentials",
    .options = no_options,
    .run = run_list,
};
