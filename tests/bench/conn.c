/* SPDX-License-Identifier: Apache-2.0 */
#include "conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

uint64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void
die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
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
		fprintf(stderr, "%s: %s\n", url, curl_easy_strerror(e));
		exit(1);
	}
	c->fd = fd;
}

static void
open_plain(struct conn *c, const char *target)
{
	if (strncmp(target, "unix:", 5) == 0) {
		struct sockaddr_un a = {.sun_family = AF_UNIX};
		snprintf(a.sun_path, sizeof a.sun_path, "%s", target + 5);
		c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof a) != 0)
			die(target);
	} else {
		char address[64] = "";
		const char *colon = strrchr(target, ':');
		struct sockaddr_in a = {.sin_family = AF_INET};
		snprintf(address, sizeof address, "%.*s", (int)(colon - target - 4), target + 4);
		a.sin_port = htons((uint16_t)atoi(colon + 1));
		inet_pton(AF_INET, address, &a.sin_addr);
		c->fd = socket(AF_INET, SOCK_STREAM, 0);
		if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof a) != 0)
			die(target);
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	}
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0)
		die("fcntl");
}

void
conn_open(struct conn *c, const char *target)
{
	c->curl = NULL;
	if (strncmp(target, "tls:", 4) == 0)
		open_tls(c, target + 4);
	else
		open_plain(c, target);
}

void
conn_close(struct conn *c)
{
	if (c->curl)
		curl_easy_cleanup(c->curl);
	else
		close(c->fd);
}

void
conn_send(struct conn *c, const char *p, size_t len)
{
	size_t n = 0;
	if (c->curl) {
		if (curl_easy_send(c->curl, p, len, &n) != CURLE_OK)
			n = 0;
	} else {
		ssize_t w = send(c->fd, p, len, MSG_NOSIGNAL);
		n = w < 0 ? 0 : (size_t)w;
	}
	if (n != len) {
		fprintf(stderr, "a request of %zu bytes did not go out at once\n", len);
		exit(1);
	}
}

ssize_t
conn_read(struct conn *c, char *to, size_t room)
{
	size_t n = 0;
	if (c->curl) {
		CURLcode e = curl_easy_recv(c->curl, to, room, &n);
		if (e == CURLE_AGAIN)
			return -1;
		return e == CURLE_OK ? (ssize_t)n : 0;
	}
	ssize_t r = recv(c->fd, to, room, 0);
	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return -1;
	return r < 0 ? 0 : r;
}

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

void
times_add(struct times *t, uint64_t ns)
{
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 65536;
		t->us = realloc(t->us, t->room * sizeof *t->us);
		if (!t->us)
			die("memory");
	}
	t->us[t->count++] = (uint32_t)(ns / 1000);
}

void
times_sort(struct times *t)
{
	qsort(t->us, t->count, sizeof *t->us, by_value);
}
