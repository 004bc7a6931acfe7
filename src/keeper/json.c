/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/json.h"

#include <stdlib.h>
#include <string.h>

/* The largest whole number that a double holds exactly. */
#define NUMBER_MAX 9007199254740991.0

void
json_text(cJSON *o, const char *key, const char *value)
{
	if (value != NULL)
		cJSON_AddStringToObject(o, key, value);
	else
		cJSON_AddNullToObject(o, key);
}

void
json_number(cJSON *o, const char *key, int64_t value)
{
	cJSON_AddNumberToObject(o, key, (double)value);
}

void
json_bool(cJSON *o, const char *key, bool value)
{
	cJSON_AddBoolToObject(o, key, value);
}

void
json_list(cJSON *o, const char *key, const struct string_list *l)
{
	cJSON *a = cJSON_AddArrayToObject(o, key);
	for (size_t i = 0; i < l->count; i++)
		cJSON_AddItemToArray(a, cJSON_CreateString(l->items[i]));
}

void
json_scope(cJSON *o, const char *key, const struct scope *s)
{
	if (s->kind == SCOPE_GLOBAL) {
		json_text(o, key, "global");
		return;
	}
	cJSON *outer = cJSON_AddObjectToObject(o, key);
	cJSON *inner =
	    cJSON_AddObjectToObject(outer, s->kind == SCOPE_GROUP ? "group" : "workspace");
	json_text(inner, "workspace_id", s->workspace);
	if (s->kind == SCOPE_GROUP)
		json_text(inner, "group_id", s->group);
}

enum av_err
json_print(const cJSON *tree, struct buf *out)
{
	if (tree == NULL)
		return AV_ENOMEM;
	char *text = cJSON_PrintUnformatted(tree);
	if (text == NULL)
		return AV_ENOMEM;
	enum av_err e = buf_append_str(out, text);
	free(text);
	return e;
}

static bool
is_text(const cJSON *v)
{
	return cJSON_IsString(v) && v->valuestring != NULL;
}

static bool
type_fits(char type, const cJSON *v)
{
	const cJSON *i = NULL;
	if (cJSON_IsNull(v))
		return true;
	switch (type) {
	case 's':
		return is_text(v);
	case 'b':
		return cJSON_IsBool(v);
	case 'n':
		return cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble <= NUMBER_MAX &&
		    (double)(int64_t)v->valuedouble == v->valuedouble;
	case 'l':
		cJSON_ArrayForEach(i, v) if (!is_text(i)) return false;
		return cJSON_IsArray(v);
	case 'p':
		cJSON_ArrayForEach(i, v)
		{
			if (!cJSON_IsObject(i) || cJSON_GetArraySize(i) != 2 ||
			    !is_text(cJSON_GetObjectItemCaseSensitive(i, "name")) ||
			    !is_text(cJSON_GetObjectItemCaseSensitive(i, "template")))
				return false;
		}
		return cJSON_IsArray(v);
	default:
		return false;
	}
}

static enum av_err
check_key(const cJSON *root, const cJSON *item, const char *const *spec, struct fault *f)
{
	const char *type = NULL;
	for (size_t i = 0; spec[i] != NULL && type == NULL; i++)
		if (strcmp(spec[i] + 2, item->string) == 0)
			type = spec[i];
	if (type == NULL)
		return fault_set(f, AV_EUSAGE, "unknown_argument", "", "there is no argument %.60s",
		    item->string);
	if (cJSON_GetObjectItemCaseSensitive(root, item->string) != item)
		return fault_set(
		    f, AV_EUSAGE, "duplicate_argument", "", "%s is given twice", type + 2);
	if (!type_fits(type[0], item))
		return fault_set(
		    f, AV_EUSAGE, "argument_type", "", "%s has the wrong type", type + 2);
	return AV_OK;
}

enum av_err
json_args(struct str text, const char *const *spec, cJSON **out, struct fault *f)
{
	const cJSON *item = NULL;
	const char *end = NULL;
	/* cJSON ends a string at an escaped NUL and would hide what follows. */
	bool nul = text.len > 0 &&
	    (memmem(text.p, text.len, "\\u0000", 6) != NULL ||
	        memchr(text.p, '\0', text.len) != NULL);
	cJSON *root =
	    nul || !str_is_utf8(text) ? NULL : cJSON_ParseWithLengthOpts(text.p, text.len, &end, 0);
	if (root == NULL || !cJSON_IsObject(root) || end != text.p + text.len) {
		cJSON_Delete(root);
		return fault_set(f, AV_EUSAGE, "arguments_malformed", "",
		    "the arguments are not one JSON object");
	}
	cJSON_ArrayForEach(item, root)
	{
		enum av_err e = check_key(root, item, spec, f);
		if (e != AV_OK) {
			cJSON_Delete(root);
			return e;
		}
	}
	*out = root;
	return AV_OK;
}

bool
arg_has(const cJSON *args, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(args, key);
	return v != NULL && !cJSON_IsNull(v);
}

struct str
arg_text(const cJSON *args, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(args, key);
	return v != NULL && is_text(v) ? str_trim(str_of(v->valuestring)) : STR_LIT("");
}

bool
arg_bool(const cJSON *args, const char *key)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(args, key));
}

int64_t
arg_number(const cJSON *args, const char *key, int64_t absent)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(args, key);
	return v != NULL && cJSON_IsNumber(v) ? (int64_t)v->valuedouble : absent;
}

enum av_err
arg_list(const cJSON *args, const char *key, struct string_list *out)
{
	const cJSON *i = NULL;
	enum av_err e = AV_OK;
	cJSON_ArrayForEach(i, cJSON_GetObjectItemCaseSensitive(args, key))
	{
		if (e == AV_OK)
			e = string_list_add(out, str_trim(str_of(i->valuestring)));
	}
	return e;
}

enum av_err
arg_pairs(const cJSON *args, const char *key, struct pair_list *out)
{
	const cJSON *i = NULL;
	enum av_err e = AV_OK;
	cJSON_ArrayForEach(i, cJSON_GetObjectItemCaseSensitive(args, key))
	{
		if (e == AV_OK)
			e = pair_list_add(out,
			    str_trim(
			        str_of(cJSON_GetObjectItemCaseSensitive(i, "name")->valuestring)),
			    str_of(cJSON_GetObjectItemCaseSensitive(i, "template")->valuestring));
	}
	return e;
}
