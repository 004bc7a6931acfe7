/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/agent_view.h"

#include "cli/answer.h"
#include "cli/json_args.h"
#include "http/target.h"

/* Moves `from`'s value, where there is one, under another name. */
static void
move(cJSON *from, const char *name, cJSON *to, const char *as)
{
	cJSON *v = cJSON_DetachItemFromObjectCaseSensitive(from, name);

	if (v != NULL && !cJSON_AddItemToObject(to, as, v))
		cJSON_Delete(v);
}

/* `id_key` and `reach_key`: what the two answers call the capability and its reach. */
static cJSON *
reshape(cJSON *told, const char *id_key, const char *reach_key)
{
	static const char *const rest[] = {"credential", "credentials", "limits", "call"};
	cJSON *o = cJSON_CreateObject();
	cJSON *reach, *hosts;

	move(told, "id", o, id_key);
	move(told, "provider", o, "provider");
	if (json_string(told, "about", "")[0] != '\0')
		move(told, "about", o, "about");
	(void)cJSON_AddStringToObject(o, "state", "ready");
	reach = cJSON_AddObjectToObject(o, reach_key);
	if (json_string(told, "host", NULL) != NULL) {
		hosts = cJSON_AddArrayToObject(reach, "hosts");
		cJSON *host = cJSON_DetachItemFromObjectCaseSensitive(told, "host");
		if (!cJSON_AddItemToArray(hosts, host))
			cJSON_Delete(host);
	}
	move(told, "methods", reach, "methods");
	move(told, "paths", reach, "pathPrefixes");
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		move(told, rest[i], o, rest[i]);
	return o;
}

static enum av_err
put(cJSON *o, struct buf *out, struct fault *f)
{
	char *text = cJSON_PrintUnformatted(o);
	enum av_err e;

	buf_reset(out);
	e = text == NULL ? AV_ENOMEM : buf_append_str(out, text);
	cJSON_free(text);
	cJSON_Delete(o);
	return e == AV_OK ? e : fault_set(f, e, "no_memory", "", "out of memory");
}

static cJSON *
parse(const struct answer *a)
{
	return cJSON_ParseWithLength((const char *)a->body.data, a->body.len);
}

enum av_err
agent_capabilities(struct buf *out, struct fault *f)
{
	struct header_list none;
	struct answer answer;
	enum av_err e;

	header_list_init(&none);
	answer_init(&answer);
	e = answer_fetch(&answer, "/aivault/capabilities", &none, false, f);
	if (e == AV_OK) {
		cJSON *told = parse(&answer), *o = cJSON_CreateObject(), *c;
		cJSON *list = cJSON_AddArrayToObject(o, "capabilities");
		cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(told, "capabilities"))
		{
			cJSON *one = reshape(c, "id", "allow");
			if (!cJSON_AddItemToArray(list, one))
				cJSON_Delete(one);
		}
		cJSON_Delete(told);
		e = put(o, out, f);
	}
	answer_clear(&answer);
	header_list_clear(&none);
	return e;
}

enum av_err
agent_capability(const char *id, struct buf *out, struct fault *f)
{
	struct header_list none;
	struct answer answer;
	enum av_err e;

	if (!id_is_valid(str_of(id)))
		return fault_set(f, AV_ENOCAP, "capability_id", "See: aivault capability list",
		    "capability not found: %.100s is no capability id", id);
	header_list_init(&none);
	answer_init(&answer);
	e = answer_fetch_capability(&answer, id, &none, f);
	if (e == AV_OK) {
		cJSON *told = parse(&answer);
		cJSON *o = reshape(told, "capability", "allowed");
		cJSON_Delete(told);
		e = put(o, out, f);
	}
	answer_clear(&answer);
	header_list_clear(&none);
	return e;
}
