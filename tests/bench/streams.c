/* SPDX-License-Identifier: Apache-2.0 */
/*
 * streams.c - reads N event streams at once and measures how old each event is when its first byte
 * comes: events.py writes the time (CLOCK_MONOTONIC, ns, 20 digits) into it just before it sends.
 *
 * streams TARGET CONNECTIONS SECONDS METHOD PATH HOST BODY [HEADER]...
 * Prints: events p50_us p99_us max_us ended
 */
#include "conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define MARK "data: "
#define MARK_LEN (sizeof(MARK) - 1)
#define STAMP_LEN 20u
#define EVENT_LEN (MARK_LEN + STAMP_LEN)

struct stream {
	struct conn conn;
	char in[4096];
	size_t have;
};

/* Takes the events out of what has come; a piece of one stays for the next read. */
static void
stream_scan(struct stream *s, struct times *times, uint64_t now)
{
	size_t at = 0;
	while (at + EVENT_LEN <= s->have) {
		char stamp[STAMP_LEN + 1];
		if (memcmp(s->in + at, MARK, MARK_LEN) != 0) {
			at++;
			continue;
		}
		memcpy(stamp, s->in + at + MARK_LEN, STAMP_LEN);
		stamp[STAMP_LEN] = '\0';
		times_add(times, now - strtoull(stamp, NULL, 10));
		at += EVENT_LEN;
	}
	memmove(s->in, s->in + at, s->have - at);
	s->have -= at;
}

int
main(int argc, char **argv)
{
	char request[4096];
	struct times times = {0};
	unsigned ended = 0;
	if (argc < 8) {
		fprintf(stderr,
		    "usage: streams TARGET CONNECTIONS SECONDS METHOD PATH HOST BODY "
		    "[HEADER]...\n");
		return 2;
	}
	size_t count = strtoul(argv[2], NULL, 10);
	int n = snprintf(request, sizeof request,
	    "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n", argv[4], argv[5], argv[6],
	    strlen(argv[7]));
	for (int i = 8; i < argc; i++)
		n += snprintf(request + n, sizeof request - (size_t)n, "%s\r\n", argv[i]);
	n += snprintf(request + n, sizeof request - (size_t)n, "\r\n%s", argv[7]);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	int epoll = epoll_create1(0);
	struct stream *all = calloc(count, sizeof *all);
	if (!all || epoll < 0)
		die("start");
	for (size_t i = 0; i < count; i++) {
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &all[i]};
		conn_open(&all[i].conn, argv[1]);
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].conn.fd, &ev) != 0)
			die("epoll_ctl");
		conn_send(&all[i].conn, request, (size_t)n);
	}
	/* The first second is that of the handshakes. */
	uint64_t warm = now_ns() + 1000000000u,
	         end = warm + (uint64_t)(strtod(argv[3], NULL) * 1e9);
	while (now_ns() < end) {
		struct epoll_event ev[64];
		int ready = epoll_wait(epoll, ev, 64, 100);
		for (int i = 0; i < ready; i++) {
			struct stream *s = ev[i].data.ptr;
			ssize_t got;
			while ((got = conn_read(
			            &s->conn, s->in + s->have, sizeof s->in - s->have)) > 0) {
				uint64_t now = now_ns();
				s->have += (size_t)got;
				if (now < warm)
					times.count = 0;
				stream_scan(s, &times, now);
			}
			if (got == 0) {
				ended++;
				epoll_ctl(epoll, EPOLL_CTL_DEL, s->conn.fd, NULL);
			}
		}
	}
	if (times.count == 0) {
		fprintf(stderr, "streams: no event in %s s\n", argv[3]);
		return 1;
	}
	times_sort(&times);
	printf("%zu %u %u %u %u\n", times.count, times.us[times.count / 2],
	    times.us[times.count * 99 / 100], times.us[times.count - 1], ended);
	return 0;
}
