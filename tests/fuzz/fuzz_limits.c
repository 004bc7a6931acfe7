/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a byte (bit 0: limits.conf, else the lines that the supervisor sends its broker), then the
 * text. What is taken is in range, what is not changes nothing, and what the one says the other
 * understands. */
#include "broker/options.h"
#include "daemon/limits.h"

#include "base/io.h"

#include "scratch.h"

#include <string.h>

#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

static void
check_options(const struct broker_options *o)
{
	MUST(o->max_connections >= 1 && o->max_connections <= 100000);
	MUST(o->max_per_caller >= 1 && o->max_per_caller <= 100000);
	MUST(o->first_byte_ms >= 1000 && o->first_byte_ms <= 86400u * 1000);
	MUST(o->idle_ms >= 1000 && o->idle_ms <= 86400u * 1000);
	MUST(o->judge_deadline_ms >= 1);
}

static void
read_file(const uint8_t *data, size_t size)
{
	const char *path = scratch_file(data, size);
	struct limits l, before;
	struct broker_options o;
	struct fault f = {0};
	int fd = -1;

	limits_init(&l);
	MUST(limits_give(&l, 1, "7", &f) == AV_OK);
	before = l;
	if (limits_read(&l, path, &f) != AV_OK) {
		MUST(f.err == AV_EINVAL && f.message[0] != '\0' && f.remedy[0] != '\0');
		MUST(memcmp(&l, &before, sizeof(l)) == 0);
	}
	MUST(l.values[1] == 7);
	broker_options_init(&o);
	MUST(limits_pipe(&l, &fd) == AV_OK && broker_options_read(&o, fd) == AV_OK);
	io_close(&fd);
	check_options(&o);
	MUST(o.max_connections == l.values[0] && o.max_per_caller == 7);
	MUST(o.first_byte_ms == 1000 * l.values[2] && o.idle_ms == 1000 * l.values[3]);
}

static void
read_lines(const uint8_t *data, size_t size)
{
	struct broker_options o, before;
	int ends[2];

	MUST(pipe(ends) == 0 && io_write_all(ends[1], data, size) == AV_OK);
	io_close(&ends[1]);
	broker_options_init(&o);
	before = o;
	if (broker_options_read(&o, ends[0]) != AV_OK)
		MUST(memcmp(&o, &before, sizeof(o)) == 0);
	io_close(&ends[0]);
	check_options(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > 2 * LIMITS_FILE_MAX)
		return 0;
	if ((data[0] & 1) != 0)
		read_file(data + 1, size - 1);
	else
		read_lines(data + 1, size - 1);
	return 0;
}
