/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/scope.h"

#include <stdio.h>
#include <string.h>

bool
scope_id_is_valid(struct str s)
{
	if (s.len == 0 || s.len > SCOPE_ID_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '@' || c == '-';
		if (!ok)
			return false;
	}
	return true;
}

static enum av_err
take_id(struct str s, const char *flag, char out[SCOPE_ID_MAX + 1], struct fault *f)
{
	if (!scope_id_is_valid(s))
		return fault_set(f, AV_EUSAGE, "bad_scope_id",
		    "Use 1 to 128 letters, digits, '.', '_', '@' or '-'", "%s is not a valid id",
		    flag);
	memcpy(out, s.p, s.len);
	out[s.len] = '\0';
	return AV_OK;
}

enum av_err
scope_make(
    struct str kind, struct str workspace, struct str group, struct scope *out, struct fault *f)
{
	memset(out, 0, sizeof(*out));
	workspace = str_trim(workspace);
	group = str_trim(group);
	if (kind.len == 0 || str_eq_cstr(kind, "global")) {
		if (workspace.len > 0 || group.len > 0)
			return fault_set(f, AV_EUSAGE, "bad_scope", "Name the scope with --scope",
			    "a global scope has no workspace or group");
		return AV_OK;
	}
	if (str_eq_cstr(kind, "workspace"))
		out->kind = SCOPE_WORKSPACE;
	else if (str_eq_cstr(kind, "group"))
		out->kind = SCOPE_GROUP;
	else
		return fault_set(
		    f, AV_EUSAGE, "bad_scope", "Use global, workspace or group", "unknown scope");
	if (workspace.len == 0)
		return fault_set(
		    f, AV_EUSAGE, "workspace_missing", "", "--workspace-id is required");
	if (out->kind == SCOPE_GROUP && group.len == 0)
		return fault_set(f, AV_EUSAGE, "group_missing", "", "--group-id is required");
	if (out->kind == SCOPE_WORKSPACE && group.len > 0)
		return fault_set(f, AV_EUSAGE, "bad_scope", "Use --scope group",
		    "a workspace scope has no group");
	enum av_err e = take_id(workspace, "--workspace-id", out->workspace, f);
	if (e == AV_OK && out->kind == SCOPE_GROUP)
		e = take_id(group, "--group-id", out->group, f);
	return e;
}

enum av_err
scope_of_context(struct str workspace, struct str group, struct scope *out, struct fault *f)
{
	workspace = str_trim(workspace);
	group = str_trim(group);
	const char *kind = group.len > 0 ? "group" : workspace.len > 0 ? "workspace" : "global";
	if (group.len > 0 && workspace.len == 0) {
		memset(out, 0, sizeof(*out));
		return fault_set(f, AV_EINVAL, "group_needs_workspace", "Name the workspace too",
		    "a group is only known inside its workspace");
	}
	enum av_err e = scope_make(str_of(kind), workspace, group, out, f);
	if (e == AV_EUSAGE && f != NULL)
		f->err = AV_EINVAL;
	return e == AV_EUSAGE ? AV_EINVAL : e;
}

bool
scope_eq(const struct scope *a, const struct scope *b)
{
	return a->kind == b->kind && strcmp(a->workspace, b->workspace) == 0 &&
	    strcmp(a->group, b->group) == 0;
}

bool
scope_reaches(const struct scope *owner, const struct scope *context)
{
	if (owner->kind == SCOPE_GLOBAL)
		return true;
	if (context->kind == SCOPE_GLOBAL || strcmp(owner->workspace, context->workspace) != 0)
		return false;
	if (owner->kind == SCOPE_WORKSPACE)
		return true;
	return context->kind == SCOPE_GROUP && strcmp(owner->group, context->group) == 0;
}

void
scope_text(const struct scope *s, char out[SCOPE_TEXT_MAX])
{
	if (s->kind == SCOPE_GROUP)
		snprintf(out, SCOPE_TEXT_MAX, "group:%s:%s", s->workspace, s->group);
	else if (s->kind == SCOPE_WORKSPACE)
		snprintf(out, SCOPE_TEXT_MAX, "workspace:%s", s->workspace);
	else
		snprintf(out, SCOPE_TEXT_MAX, "global");
}

void
scope_encode(const struct scope *s, struct frame_writer *w)
{
	fw_u8(w, (uint8_t)s->kind);
	fw_cstr(w, s->workspace);
	fw_cstr(w, s->group);
}

void
scope_decode(struct frame_reader *r, struct scope *out)
{
	static const char *const kinds[] = {"global", "workspace", "group"};
	uint8_t kind = fr_u8(r);
	struct str ws = fr_text(r, SCOPE_ID_MAX);
	struct str group = fr_text(r, SCOPE_ID_MAX);
	memset(out, 0, sizeof(*out));
	if (r->err == AV_OK &&
	    (kind > SCOPE_GROUP || scope_make(str_of(kinds[kind]), ws, group, out, NULL) != AV_OK))
		r->err = AV_EFORMAT;
}
