/* SPDX-License-Identifier: Apache-2.0 */
/* Input: the payload of a manifest frame. What can be decoded encodes to the same bytes; what is
 * valid keeps the promises that the keeper builds on. */
#include "reach/builtin.h"
#include "reach/host.h"
#include "reach/reach.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

static void
check_valid(const struct manifest *m)
{
	for (size_t i = 0; i < m->capability_count; i++) {
		const struct capability *c = &m->capabilities[i];
		MUST(id_is_valid(str_of(c->id)));
		MUST(manifest_capability(m, str_of(c->id)) == c);
		MUST(c->hosts.count > 0 && c->methods.count > 0 && c->paths.count > 0);
		for (size_t k = 0; k < c->paths.count; k++)
			MUST(path_prefix_matches(
			    str_of(c->paths.items[k]), str_of(c->paths.items[k])));
		for (size_t k = 0; k < c->hosts.count; k++) {
			struct str name;
			uint16_t port;
			MUST(host_parse(str_of(c->hosts.items[k]), true, &name, &port, NULL) ==
			    AV_OK);
			if (!str_starts(name, STR_LIT("*.")))
				MUST(reach_allows(c, str_of(c->methods.items[0]), name,
				         str_of(c->paths.items[0]), NULL) == AV_OK);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame frame = {BUILTIN_FRAME, data, size};
	struct fault f = {0};
	struct manifest *m = NULL;
	struct frame_reader r;
	struct frame_writer w;
	struct builtin b;
	struct buf out;
	enum av_err valid;

	buf_init(&out, 2u * FRAME_MAX);
	fr_begin(&r, &frame);
	if (manifest_decode(&r, &m) != AV_OK || fr_finish(&r) != AV_OK)
		goto out;
	fw_begin(&w, &out, BUILTIN_FRAME);
	manifest_encode(m, &w);
	MUST(fw_end(&w) == AV_OK);
	MUST(out.len == FRAME_HEADER_LEN + size);
	MUST(memcmp(out.data + FRAME_HEADER_LEN, data, size) == 0);
	valid = manifest_validate(m, &f);
	MUST(valid == AV_OK || f.reason[0] != '\0');
	if (valid == AV_OK)
		check_valid(m);
	MUST(builtin_load(&b, out.data, out.len) == valid);
	builtin_clear(&b);
out:
	manifest_free(m);
	buf_clear(&out);
	return 0;
}
