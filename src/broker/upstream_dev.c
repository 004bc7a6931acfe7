/* SPDX-License-Identifier: Apache-2.0 */
/* The development switches of the upstream side; only in builds with AV_DEV. */
#include "broker/upstream_state.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef AV_DEV

/* "host=ip:port": for URLs without a port to ip:port, for others to their own port at ip. */
static enum av_err
dev_add_resolve(struct upstream_dev *d, struct str item)
{
	struct str host, to;
	struct curl_slist *l;
	char line[640];
	size_t colon;

	if (!str_cut(item, '=', &host, &to) || host.len == 0 || to.len == 0 || to.len > 300)
		return AV_EFORMAT;
	for (colon = to.len; colon > 0 && to.p[colon - 1] != ':'; colon--)
		continue;
	if (colon < 2)
		return AV_EFORMAT;
	(void)snprintf(line, sizeof(line), "%.*s:443:%.*s", STR_FMT(host), STR_FMT(to));
	l = curl_slist_append(d->connect_to, line);
	if (l == NULL)
		return AV_ENOMEM;
	d->connect_to = l;
	(void)snprintf(line, sizeof(line), "%.*s::%.*s:", STR_FMT(host), (int)(colon - 1), to.p);
	l = curl_slist_append(d->connect_to, line);
	if (l == NULL)
		return AV_ENOMEM;
	d->connect_to = l;
	return header_list_set(&d->exempt, host, (struct str){"", 0});
}

enum av_err
upstream_dev_init(struct upstream_dev *d)
{
	struct str rest = str_of(getenv("AIVAULT_DEV_RESOLVE")), item, tail;
	enum av_err e = AV_OK;

	header_list_init(&d->exempt);
	while (rest.len > 0 && e == AV_OK) {
		if (!str_cut(rest, ',', &item, &tail)) {
			item = rest;
			tail = (struct str){rest.p, 0};
		}
		item = str_trim(item);
		if (item.len > 0)
			e = dev_add_resolve(d, item);
		rest = tail;
	}
	if (e != AV_OK)
		log_error("AIVAULT_DEV_RESOLVE is not a list of host=ip:port");
	d->other_ports = str_to_bool(getenv("AIVAULT_DEV_ALLOW_NON_DEFAULT_PORTS"));
	return e;
}

#else

enum av_err
upstream_dev_init(struct upstream_dev *d)
{
	header_list_init(&d->exempt);
	return AV_OK;
}

#endif

void
upstream_dev_clear(struct upstream_dev *d)
{
	curl_slist_free_all(d->connect_to);
	d->connect_to = NULL;
	header_list_clear(&d->exempt);
}
