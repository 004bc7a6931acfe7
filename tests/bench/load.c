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
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define IN_MAX (256u * 1024u)

struct conn {
	CURL *curl; /* TLS only */
	int fd;
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
	uint32_t *us;
	size_t count, cap;
	uint64_t other, reconnects;
};

static uint64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
open_tls(struct conn *c, const char *host_port)
{
	char url[512];
	curl_socket_t fd = -1;
	snprintf(url, sizeof url, "https://%s/", host_port);
	c->curl = curl_easy_init();
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(c->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c->curl, CURLOPT_CAPATH, NULL);
	CURLcode e = curl_easy_perform(c->curl);
	if (e != CURLE_OK || curl_easy_getinfo(c->curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK) {
		fprintf(stderr, "load: %s: %s\n", url, curl_easy_strerror(e));
		exit(1);
	}
	c->fd = fd;
}

static void
open_plain(struct conn *c, const char *target)
{
	if (strncmp(target, "unix:", 5) == 0) {
		struct sockaddr_un a = { .sun_family = AF_UNIX };
		snprintf(a.sun_path, sizeof a.sun_path, "%s", target + 5);
		c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof a) != 0)
			die(target);
	} else {
		char address[64] = "";
		const char *colon = strrchr(target, ':');
		struct sockaddr_in a = { .sin_family = AF_INET };
		snprintf(address, sizeof address, "%.*s", (int)(colon - target - 4), target + 4);
		a.sin_port = htons((uint16_t)atoi(colon + 1));
		inet_pton(AF_INET, address, &a.sin_addr);
		c->fd = socket(AF_INET, SOCK_STREAM, 0);
		if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof a) != 0)
			die(target);
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	}
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0)
		die("fcntl");
}

static void
conn_open(struct load *l, struct conn *c)
{
	c->curl = NULL;
	c->have = 0;
	if (strncmp(l->target, "tls:", 4) == 0)
		open_tls(c, l->target + 4);
	else
		open_plain(c, l->target);
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		die("epoll_ctl");
}

static void
conn_close(struct load *l, struct conn *c)
{
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	if (c->curl)
		curl_easy_cleanup(c->curl);
	else
		close(c->fd);
}

static void
conn_ask(struct load *l, struct conn *c)
{
	size_t n = 0;
	c->have = 0;
	c->sent_ns = now_ns();
	if (c->curl) {
		if (curl_easy_send(c->curl, l->request, l->request_len, &n) != CURLE_OK)
			n = 0;
	} else {
		ssize_t w = send(c->fd, l->request, l->request_len, MSG_NOSIGNAL);
		n = w < 0 ? 0 : (size_t)w;
	}
	if (n != l->request_len) {
		fprintf(stderr, "load: a request of %zu bytes did not go out at once\n", l->request_len);
		exit(1);
	}
}

/* 1: whole; 0: more is needed; -1: not HTTP. */
static int
response_whole(struct conn *c, int *status)
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

/* Takes what has arrived; the number of bytes, 0 at the end of the connection, -1 for none yet. */
static ssize_t
conn_read(struct conn *c)
{
	size_t room = IN_MAX - 1 - c->have, n = 0;
	if (room == 0) {
		fprintf(stderr, "load: the response is larger than %u bytes\n", IN_MAX);
		exit(1);
	}
	if (c->curl) {
		CURLcode e = curl_easy_recv(c->curl, c->in + c->have, room, &n);
		if (e == CURLE_AGAIN)
			return -1;
		if (e != CURLE_OK)
			n = 0;
	} else {
		ssize_t r = recv(c->fd, c->in + c->have, room, 0);
		if (r < 0 && (errno == EAGAIN || errno == EINTR))
			return -1;
		n = r < 0 ? 0 : (size_t)r;
	}
	c->have += n;
	return (ssize_t)n;
}

static void
conn_ready(struct load *l, struct conn *c)
{
	ssize_t n;
	while ((n = conn_read(c)) > 0) {
		int status = 0;
		int whole = response_whole(c, &status);
		if (whole < 0)
			n = 0;
		if (whole == 1) {
			if (status != l->status)
				l->other++;
			if (l->count == l->cap) {
				l->cap = l->cap ? l->cap * 2 : 65536;
				l->us = realloc(l->us, l->cap * sizeof *l->us);
				if (!l->us)
					die("memory");
			}
			l->us[l->count++] = (uint32_t)((now_ns() - c->sent_ns) / 1000);
			conn_ask(l, c);
			return;
		}
		if (whole < 0)
			break;
	}
	if (n == 0) {
		l->reconnects++;
		conn_close(l, c);
		conn_open(l, c);
		conn_ask(l, c);
	}
}

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
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
	int n = snprintf(l->request, size, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n", argv[5],
	    argv[6], argv[7], strlen(argv[8]));
	for (int i = 9; i < argc; i++)
		n += snprintf(l->request + n, size - (size_t)n, "%s\r\n", argv[i]);
	n += snprintf(l->request + n, size - (size_t)n, "\r\n%s", argv[8]);
	l->request_len = (size_t)n;
}

int
main(int argc, char **argv)
{
	if (argc < 9) {
		fprintf(stderr, "usage: load TARGET CONNECTIONS SECONDS STATUS METHOD PATH HOST BODY [HEADER]...\n");
		return 2;
	}
	struct load l = { .target = argv[1], .status = atoi(argv[4]) };
	size_t conns = strtoul(argv[2], NULL, 10);
	double seconds = strtod(argv[3], NULL);
	request_build(&l, argv, argc);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	l.epoll = epoll_create1(0);
	struct conn *all = calloc(conns, sizeof *all);
	if (!all || l.epoll < 0)
		die("start");
	for (size_t i = 0; i < conns; i++)
		conn_open(&l, &all[i]);
	uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9);
	for (size_t i = 0; i < conns; i++)
		conn_ask(&l, &all[i]);
	while (now_ns() < end) {
		struct epoll_event ev[64];
		int n = epoll_wait(l.epoll, ev, 64, 1000);
		for (int i = 0; i < n; i++)
			conn_ready(&l, ev[i].data.ptr);
	}
	double took = (double)(now_ns() - start) / 1e9;
	if (l.count == 0) {
		fprintf(stderr, "load: no response in %s s\n", argv[3]);
		return 1;
	}
	qsort(l.us, l.count, sizeof *l.us, by_value);
	printf("%zu %.2f %.0f %u %u %u %llu %llu\n", l.count, took, (double)l.count / took,
	    l.us[l.count / 2], l.us[l.count * 99 / 100], l.us[l.count - 1], (unsigned long long)l.other,
	    (unsigned long long)l.reconnects);
	return 0;
}
