/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c - a closed-loop HTTP/1.1 load generator: one thread, one epoll, N kept connections, each
 * with one request under way. Over a unix socket, TCP, or TLS (libcurl makes the connection and
 * carries the bytes; the HTTP is ours either way, so that the three cost the same).
 *
 * load TARGET CONNECTIONS SECONDS STATUS METHOD PATH HOST BODY [HEADER]...
 *   TARGET: unix:PATH | tcp:ADDRESS:PORT | tls:HOST:PORT
 * Prints: requests seconds per_second p50_us p99_us max_us other_status reconnects
 */
#include "conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#define IN_MAX (256u * 1024u)

struct ask {
	struct conn conn;
	size_t have;
	uint64_t sent_ns;
	char in[IN_MAX];
};

struct load {
	const char *target;
	char *request;
	size_t request_len;
	int status;
	int epoll;
	struct times times;
	uint64_t other, reconnects;
};

static void
ask_open(struct load *l, struct ask *c)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
	conn_open(&c->conn, l->target);
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->conn.fd, &ev) != 0)
		die("epoll_ctl");
}

static void
ask_again(struct load *l, struct ask *c)
{
	c->have = 0;
	c->sent_ns = now_ns();
	conn_send(&c->conn, l->request, l->request_len);
}

/* 1: whole; 0: more is needed; -1: not HTTP. */
static int
response_whole(struct ask *c, int *status)
{
	c->in[c->have] = '\0';
	char *end = strstr(c->in, "\r\n\r\n");
	if (!end)
		return 0;
	if (sscanf(c->in, "HTTP/1.1 %d", status) != 1)
		return -1;
	size_t head = (size_t)(end - c->in) + 4;
	for (char *p = strstr(c->in, "\r\n"); p && p < end; p = strstr(p + 2, "\r\n")) {
		if (strncasecmp(p + 2, "content-length:", 15) == 0)
			return c->have >= head + strtoul(p + 17, NULL, 10);
	}
	size_t at = head;
	for (;;) { /* chunked */
		char *eol = at < c->have ? strstr(c->in + at, "\r\n") : NULL;
		if (!eol)
			return 0;
		size_t size = strtoul(c->in + at, NULL, 16);
		at = (size_t)(eol - c->in) + 2 + size + 2;
		if (at > c->have)
			return 0;
		if (size == 0)
			return 1;
	}
}

static void
ask_ready(struct load *l, struct ask *c)
{
	ssize_t n;
	while ((n = conn_read(&c->conn, c->in + c->have, IN_MAX - 1 - c->have)) > 0) {
		int status = 0;
		c->have += (size_t)n;
		int whole = response_whole(c, &status);
		if (whole == 1) {
			if (status != l->status)
				l->other++;
			times_add(&l->times, now_ns() - c->sent_ns);
			ask_again(l, c);
			return;
		}
		if (whole < 0 || c->have == IN_MAX - 1) {
			n = 0;
			break;
		}
	}
	if (n == 0) {
		l->reconnects++;
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, c->conn.fd, NULL);
		conn_close(&c->conn);
		ask_open(l, c);
		ask_again(l, c);
	}
}

static void
request_build(struct load *l, char **argv, int argc)
{
	size_t size = 4096 + strlen(argv[6]) + strlen(argv[8]);
	for (int i = 9; i < argc; i++)
		size += strlen(argv[i]) + 2;
	l->request = malloc(size);
	if (!l->request)
		die("memory");
	int n = snprintf(l->request, size, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n",
	    argv[5], argv[6], argv[7], strlen(argv[8]));
	for (int i = 9; i < argc; i++)
		n += snprintf(l->request + n, size - (size_t)n, "%s\r\n", argv[i]);
	n += snprintf(l->request + n, size - (size_t)n, "\r\n%s", argv[8]);
	l->request_len = (size_t)n;
}

int
main(int argc, char **argv)
{
	if (argc < 9) {
		fprintf(stderr,
		    "usage: load TARGET CONNECTIONS SECONDS STATUS METHOD PATH HOST BODY "
		    "[HEADER]...\n");
		return 2;
	}
	struct load l = {.target = argv[1], .status = atoi(argv[4])};
	size_t conns = strtoul(argv[2], NULL, 10);
	double seconds = strtod(argv[3], NULL);
	request_build(&l, argv, argc);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	l.epoll = epoll_create1(0);
	struct ask *all = calloc(conns, sizeof *all);
	if (!all || l.epoll < 0)
		die("start");
	for (size_t i = 0; i < conns; i++)
		ask_open(&l, &all[i]);
	uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9);
	for (size_t i = 0; i < conns; i++)
		ask_again(&l, &all[i]);
	while (now_ns() < end) {
		struct epoll_event ev[64];
		int n = epoll_wait(l.epoll, ev, 64, 1000);
		for (int i = 0; i < n; i++)
			ask_ready(&l, ev[i].data.ptr);
	}
	double took = (double)(now_ns() - start) / 1e9;
	if (l.times.count == 0) {
		fprintf(stderr, "load: no response in %s s\n", argv[3]);
		return 1;
	}
	times_sort(&l.times);
	printf("%zu %.2f %.0f %u %u %u %llu %llu\n", l.times.count, took,
	    (double)l.times.count / took, l.times.us[l.times.count / 2],
	    l.times.us[l.times.count * 99 / 100], l.times.us[l.times.count - 1],
	    (unsigned long long)l.other, (unsigned long long)l.reconnects);
	return 0;
}
