/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/reach.h"

#include "reach/host.h"

bool
path_prefix_matches(struct str prefix, struct str path)
{
	char last;

	if (prefix.len == 0 || !str_starts(path, prefix))
		return false;
	if (path.len == prefix.len)
		return true;
	last = prefix.p[prefix.len - 1];
	return last == '/' || last == '.' || last == ':' || path.p[prefix.len] == '/';
}

static bool
hosts_allow(const struct string_list *hosts, struct str host)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (host_matches(str_of(hosts->items[i]), host))
			return true;
	return false;
}

static bool
paths_allow(const struct string_list *paths, struct str path)
{
	for (size_t i = 0; i < paths->count; i++)
		if (path_prefix_matches(str_of(paths->items[i]), path))
			return true;
	return false;
}

enum av_err
reach_allows(const struct capability *c, struct str method, struct str host, struct str path,
    struct fault *f)
{
	if (!string_list_has(&c->methods, method))
		return fault_set(f, AV_EPOLICY, "method_not_allowed",
		    "See `aivault capability describe`", "%s does not allow the method %.*s", c->id,
		    method.len > 16 ? 16 : (int)method.len, method.p);
	if (!hosts_allow(&c->hosts, host))
		return fault_set(f, AV_EPOLICY, "host_not_allowed",
		    "See `aivault capability describe`", "%s does not reach the host %.*s", c->id,
		    host.len > 253 ? 253 : (int)host.len, host.p);
	if (!paths_allow(&c->paths, path))
		return fault_set(f, AV_EPOLICY, "path_not_allowed",
		    "See `aivault capability describe`", "%s does not allow the path %.*s", c->id,
		    path.len > 200 ? 200 : (int)path.len, path.p);
	return AV_OK;
}
