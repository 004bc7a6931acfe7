/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/agent_view.h"
#include "cli/command.h"
#include "cli/json_args.h"
#include "cli/operator.h"
#include "cli/print.h"

#include <string.h>

#define RESULT_MAX (64u * 1024u * 1024u)

static const struct option no_options[] = {{NULL, NULL, false, NULL}};

static const struct option create_options[] = {
    {"provider", "NAME", false, "whose service (default: the credential's)"},
    {"credential", "ID", false, "the credential that it uses"},
    {"method", "NAME", true, "an allowed method"},
    {"path", "PREFIX", true, "an allowed path prefix"},
    {"host", "HOST", true, "its host (default: the credential's)"},
    {NULL, NULL, false, NULL},
};

static int
run_create(struct args *a)
{
	cJSON *o = cJSON_CreateObject();
	struct fault f;

	if (!args_has(a, "method") || !args_has(a, "path")) {
		cJSON_Delete(o);
		(void)fault_set(&f, AV_EINVAL, "missing_reach",
		    "See: aivault help capability create", "at least one --%s is required",
		    args_has(a, "method") ? "path" : "method");
		return print_fault(&f);
	}
	if (!args_has(a, "provider") && !args_has(a, "credential")) {
		cJSON_Delete(o);
		(void)fault_set(&f, AV_EINVAL, "missing_provider",
		    "See: aivault help capability create",
		    "--provider or --credential is required");
		return print_fault(&f);
	}
	if (cJSON_AddStringToObject(o, "id", a->positional[0]) == NULL ||
	    !json_add_option(o, "provider", a, "provider") ||
	    !json_add_option(o, "credential", a, "credential") ||
	    !json_add_options(o, "methods", a, "method") ||
	    !json_add_options(o, "paths", a, "path") || !json_add_options(o, "hosts", a, "host")) {
		cJSON_Delete(o);
		return print_failure("vault_unavailable", "out of memory", "");
	}
	return operator_print("capability.create", o, (struct str){NULL, 0}, false);
}

const struct command cmd_capability_create = {
    .name = "capability create",
    .alias = "",
    .arguments = "ID --method NAME --path PREFIX [OPTIONS]",
    .about = "Make a capability of your own",
    .options = create_options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run_create,
};

static int
run_with_id(const char *op, struct args *a)
{
	cJSON *o = cJSON_CreateObject();

	if (cJSON_AddStringToObject(o, "id", a->positional[0]) == NULL) {
		cJSON_Delete(o);
		return print_failure("vault_unavailable", "out of memory", "");
	}
	return operator_print(op, o, (struct str){NULL, 0}, false);
}

static int
run_describe(struct args *a)
{
	struct fault f = {0};
	struct str none = {NULL, 0};
	struct buf result;
	cJSON *o = cJSON_CreateObject();
	enum av_err e;
	int rc;

	buf_init(&result, RESULT_MAX);
	(void)cJSON_AddStringToObject(o, "id", a->positional[0]);
	e = operator_run("capability.describe", o, none, false, &result, &f);
	if (e == AV_EOPERATOR)
		e = agent_capability(a->positional[0], &result, &f);
	rc = e == AV_OK ? print_json((struct str){(const char *)result.data, result.len})
	                : print_fault(&f);
	buf_clear(&result);
	return rc;
}

const struct command cmd_capability_describe = {
    .name = "capability describe",
    .alias = "capability args|capability shape|capability inspect",
    .arguments = "ID",
    .about = "Say what a capability allows and how to call it",
    .options = no_options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run_describe,
};

static int
run_enable(struct args *a)
{
	return run_with_id("capability.enable", a);
}

const struct command cmd_capability_enable = {
    .name = "capability enable",
    .alias = "",
    .arguments = "ID",
    .about = "Let agents use a capability again",
    .options = no_options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run_enable,
};

static int
run_disable(struct args *a)
{
	return run_with_id("capability.disable", a);
}

const struct command cmd_capability_disable = {
    .name = "capability disable",
    .alias = "",
    .arguments = "ID",
    .about = "Refuse all calls of a capability",
    .options = no_options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run_disable,
};

/* The provider of "openai/chat-completions" where the row does not say it. */
static void
provider_of(const cJSON *c, char *out, size_t out_len)
{
	const char *id = json_string(c, "id", cJSON_IsString(c) ? c->valuestring : "?");
	const char *p = json_string(c, "provider", NULL);

	if (p != NULL)
		(void)snprintf(out, out_len, "%s", p);
	else
		(void)snprintf(out, out_len, "%.*s", (int)strcspn(id, "/"), id);
}

static void
print_required_secrets(const cJSON *c)
{
	const cJSON *s;

	cJSON_ArrayForEach(s, cJSON_GetObjectItemCaseSensitive(c, "requiredSecrets"))
	{
		if (s->string != NULL)
			(void)printf("    Setup: aivault secrets create --name %s\n", s->string);
	}
}

/* What a heading is for, by the `state` of its capabilities, and the hint under each of them. */
struct heading {
	const char *state;
	const char *title;
	const char *hint; /* before the id; NULL: none */
};

static const struct heading headings[] = {
    {"needs_credential", "Available (needs credential)", NULL},
    {"faulty", "Faulty (see aivault doctor)", NULL},
    {"disabled", "Disabled", "    aivault capability enable "},
    {"locked", "Locked (aivault unlock)", NULL},
    {"ready", "Ready (credential configured)", NULL},
};

static void
print_one(const cJSON *c, const struct heading *h)
{
	const char *id = json_string(c, "id", "?");

	print_field("", 2, id);
	if (h->hint != NULL)
		(void)printf("  %s%s\n", h->hint, id);
}

/* The secrets that one needs; those of the same provider may need others. */
static void
setup_key(const cJSON *c, char *out, size_t out_len)
{
	const cJSON *s;
	size_t n;

	provider_of(c, out, out_len);
	cJSON_ArrayForEach(s, cJSON_GetObjectItemCaseSensitive(c, "requiredSecrets"))
	{
		n = strlen(out);
		(void)snprintf(out + n, out_len - n, " %s", s->string != NULL ? s->string : "");
	}
}

static void
print_group(const cJSON *list, const struct heading *h, uint64_t *count)
{
	bool setup = strcmp(h->state, "needs_credential") == 0;
	char last[400] = "";
	const cJSON *c;

	cJSON_ArrayForEach(c, list)
	{
		char key[400], provider[160];
		if (strcmp(json_string(c, "state", "ready"), h->state) != 0)
			continue;
		if ((*count)++ == 0)
			print_heading(h->title);
		provider_of(c, provider, sizeof(provider));
		if (setup)
			setup_key(c, key, sizeof(key));
		else
			(void)snprintf(key, sizeof(key), "%s", provider);
		if (strcmp(key, last) != 0) {
			(void)printf("  %s\n", provider);
			if (setup)
				print_required_secrets(c);
			memcpy(last, key, sizeof(last));
		}
		print_one(c, h);
	}
}

static void
print_list(const cJSON *root)
{
	const cJSON *registry = cJSON_GetObjectItemCaseSensitive(root, "registryCapabilities");
	const cJSON *own = cJSON_GetObjectItemCaseSensitive(root, "capabilities");
	uint64_t all = 0, n = 0;
	char count[48];

	/* The ready ones are the last. */
	for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++) {
		n = 0;
		print_group(own, &headings[i], &n);
		print_group(registry, &headings[i], &n);
		all += n;
	}
	plural(count, sizeof(count), all, "capability", "capabilities");
	(void)printf("\n%s, %llu ready.\n", count, (unsigned long long)n);
}

static int
run_list(struct args *a)
{
	struct fault f = {0};
	struct buf result;
	struct str none = {NULL, 0};
	cJSON *root;
	enum av_err e;
	int rc;

	buf_init(&result, RESULT_MAX);
	e = operator_run("capability.list", NULL, none, false, &result, &f);
	if (e == AV_EOPERATOR)
		e = agent_capabilities(&result, &f);
	if (e != AV_OK || args_wants_json(a)) {
		rc = e == AV_OK ? print_json((struct str){(const char *)result.data, result.len})
		                : print_fault(&f);
		buf_clear(&result);
		return rc;
	}
	root = cJSON_ParseWithLength((const char *)result.data, result.len);
	print_list(root);
	cJSON_Delete(root);
	buf_clear(&result);
	return 0;
}

const struct command cmd_capability_list = {
    .name = "capability list",
    .alias = "",
    .arguments = "[OPTIONS]",
    .about = "List capabilities and what each provider still needs",
    .options = no_options,
    .run = run_list,
};
