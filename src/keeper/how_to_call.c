/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/how_to_call.h"

#include "keeper/json.h"

#include <stdio.h>
#include <string.h>

static bool
takes_body(const char *method)
{
	return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
	    strcmp(method, "PATCH") == 0;
}

static void
add_request(cJSON *to, const char *method, const char *path)
{
	cJSON *request = cJSON_AddObjectToObject(to, "request");
	json_text(request, "method", method);
	json_text(request, "path", path);
	if (takes_body(method))
		json_text(request, "body", "{}");
}

static void
add_texts(cJSON *o, const char *key, const char *const *texts)
{
	cJSON *a = cJSON_AddArrayToObject(o, key);
	for (size_t i = 0; texts[i] != NULL; i++)
		cJSON_AddItemToArray(a, cJSON_CreateString(texts[i]));
}

static void
add_how_to(cJSON *call, const char *id, const struct capability *cap)
{
	static const char *const notes[] = {"The key is added on the way; never send one.",
	    "Method and path may be left out where there is only one.", NULL};
	char line[1400];
	const char *method = cap->methods.items[0], *path = cap->paths.items[0];
	cJSON *how = cJSON_AddObjectToObject(call, "howTo");
	add_texts(how, "notes", notes);
	cJSON *examples = cJSON_AddArrayToObject(how, "examples");
	cJSON *one = cJSON_CreateObject();
	snprintf(line, sizeof(line), "aivault invoke %s --method %s --path %s%s", id, method, path,
	    takes_body(method) ? " --body '{}'" : "");
	json_text(one, "title", "From the command line");
	json_text(one, "command", line);
	cJSON_AddItemToArray(examples, one);
	cJSON *templates = cJSON_AddObjectToObject(how, "templates");
	add_request(templates, method, path);
	cJSON *envelope = cJSON_AddObjectToObject(templates, "envelope");
	json_text(envelope, "capability", id);
	add_request(envelope, method, path);
}

void
how_to_call(cJSON *o, const char *id, const struct capability *cap)
{
	static const char *const optional[] = {"--header", "--body", "--body-file-path", "--stream",
	    "--timeout-ms", "--credential", "--workspace-id", "--group-id", NULL};
	static const char *const modes[] = {"body", "bodyFilePath", NULL};
	bool one_method = cap->methods.count == 1, one_path = cap->paths.count == 1;
	cJSON *call = cJSON_AddObjectToObject(o, "call");
	cJSON *required = cJSON_AddArrayToObject(call, "requiredFlagsWhenNoRequestPayload");
	if (!one_method)
		cJSON_AddItemToArray(required, cJSON_CreateString("--method"));
	if (!one_path)
		cJSON_AddItemToArray(required, cJSON_CreateString("--path"));
	cJSON *defaults = cJSON_AddObjectToObject(call, "defaults");
	json_text(defaults, "method", one_method ? cap->methods.items[0] : NULL);
	json_text(defaults, "path", one_path ? cap->paths.items[0] : NULL);
	add_texts(call, "optionalFlags", optional);
	add_texts(call, "payloadModes", modes);
	add_how_to(call, id, cap);
}
