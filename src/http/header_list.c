/* SPDX-License-Identifier: Apache-2.0 */
#include "http/header_list.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

/* tchar of RFC 9110 5.6.2, a bit for each ASCII byte. */
static bool
is_token_byte(unsigned char c)
{
	static const uint32_t bits[4] = {0x00000000, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};

	return c < 128 && (bits[c / 32] >> (c % 32) & 1) != 0;
}

bool
header_name_is_valid(struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!is_token_byte((unsigned char)name.p[i]))
			return false;
	return name.len > 0;
}

bool
header_value_is_valid(struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.p[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static char
lower(char c)
{
	return (char)((c >= 'A' && c <= 'Z') ? c - 'A' + 'a' : c);
}

void
header_list_init(struct header_list *l)
{
	*l = (struct header_list){0};
}

/* Name and value are one block: the name, the value, a NUL. */
static void
item_free(struct header_list *l, const struct header *h)
{
	size_t len = h->name.len + h->value.len;
	char *block = (char *)(uintptr_t)h->name.p;

	l->bytes -= len;
	av_wipe(block, len);
	free(block);
}

void
header_list_clear(struct header_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		item_free(l, &l->items[i]);
	free(l->items);
	header_list_init(l);
}

/* Makes a checked copy; `freed` bytes and items are about to leave the list. */
static enum av_err
item_make(const struct header_list *l, struct str name, struct str value, size_t freed_items,
    size_t freed_bytes, struct header *out)
{
	size_t left = HEADER_MAX_BYTES - (l->bytes - freed_bytes);
	char *block;

	value = str_trim(value);
	if (!header_name_is_valid(name) || !header_value_is_valid(value))
		return AV_EFORMAT;
	if (l->count - freed_items >= HEADER_MAX_COUNT)
		return AV_ELIMIT;
	if (name.len > left || value.len > left - name.len)
		return AV_ELIMIT;
	block = malloc(name.len + value.len + 1);
	if (block == NULL)
		return AV_ENOMEM;
	for (size_t i = 0; i < name.len; i++)
		block[i] = lower(name.p[i]);
	if (value.len > 0)
		memcpy(block + name.len, value.p, value.len);
	block[name.len + value.len] = '\0';
	out->name = (struct str){block, name.len};
	out->value = (struct str){block + name.len, value.len};
	return AV_OK;
}

static enum av_err
list_grow(struct header_list *l)
{
	size_t cap = l->cap == 0 ? 16 : l->cap * 2;
	struct header *items;

	if (l->count < l->cap)
		return AV_OK;
	items = realloc(l->items, cap * sizeof(*items));
	if (items == NULL)
		return AV_ENOMEM;
	l->items = items;
	l->cap = cap;
	return AV_OK;
}

enum av_err
header_list_add(struct header_list *l, struct str name, struct str value)
{
	struct header h;
	enum av_err e = list_grow(l);

	if (e == AV_OK)
		e = item_make(l, name, value, 0, 0, &h);
	if (e != AV_OK)
		return e;
	l->items[l->count++] = h;
	l->bytes += h.name.len + h.value.len;
	return AV_OK;
}

enum av_err
header_list_set(struct header_list *l, struct str name, struct str value)
{
	size_t items = 0, bytes = 0, at = l->count, kept = 0;
	struct header h;
	enum av_err e = list_grow(l);

	for (size_t i = 0; i < l->count; i++) {
		if (!str_ieq(l->items[i].name, name))
			continue;
		if (at == l->count)
			at = i;
		items++;
		bytes += l->items[i].name.len + l->items[i].value.len;
	}
	if (e == AV_OK)
		e = item_make(l, name, value, items, bytes, &h);
	if (e != AV_OK)
		return e;
	/* The copy exists before the old fields go: name and value may borrow from them. */
	l->bytes += h.name.len + h.value.len;
	if (items == 0) {
		l->items[l->count++] = h;
		return AV_OK;
	}
	for (size_t i = 0; i < l->count; i++) {
		if (!str_eq(l->items[i].name, h.name)) {
			l->items[kept++] = l->items[i];
			continue;
		}
		item_free(l, &l->items[i]);
		if (i == at)
			l->items[kept++] = h;
	}
	l->count = kept;
	return AV_OK;
}

size_t
header_list_remove(struct header_list *l, struct str name)
{
	size_t kept = 0, gone = 0;
	bool borrowed = false;

	/* `name` may borrow from a field that goes: free that one last. */
	struct header last = {0};
	for (size_t i = 0; i < l->count; i++) {
		struct header *h = &l->items[i];
		if (!str_ieq(h->name, name)) {
			l->items[kept++] = *h;
			continue;
		}
		gone++;
		if (!borrowed && h->name.p == name.p) {
			borrowed = true;
			last = *h;
			continue;
		}
		item_free(l, h);
	}
	if (borrowed)
		item_free(l, &last);
	l->count = kept;
	return gone;
}

static void
remove_listed(struct header_list *l, struct str rest)
{
	struct str item, tail;

	while (rest.len > 0) {
		if (!str_cut(rest, ',', &item, &tail)) {
			item = rest;
			tail = (struct str){rest.p, 0};
		}
		item = str_trim(item);
		if (item.len > 0)
			(void)header_list_remove(l, item);
		rest = tail;
	}
}

enum av_err
header_list_drop_hop(struct header_list *l)
{
	const struct str name = STR_LIT("connection");
	const struct header *h;
	enum av_err e = AV_OK;

	while (e == AV_OK && (h = header_list_find(l, name)) != NULL) {
		struct buf value;

		/* This one goes first: its own list may name it. */
		buf_init(&value, HEADER_MAX_BYTES);
		e = buf_append(&value, h->value.p, h->value.len);
		(void)header_list_remove(l, name);
		if (e == AV_OK)
			remove_listed(l, (struct str){(const char *)value.data, value.len});
		buf_clear(&value);
	}
	return e;
}

const struct header *
header_list_find(const struct header_list *l, struct str name)
{
	for (size_t i = 0; i < l->count; i++)
		if (str_ieq(l->items[i].name, name))
			return &l->items[i];
	return NULL;
}

size_t
header_list_count(const struct header_list *l, struct str name)
{
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++)
		n += str_ieq(l->items[i].name, name);
	return n;
}

/*
 * Names are compared with '_' read as '-': gateways that hand headers on as variables fold the two,
 * so a name in that spelling is the same danger.
 */
static bool
name_starts(struct str name, const char *prefix)
{
	size_t i;

	for (i = 0; prefix[i] != '\0'; i++) {
		char c;
		if (i >= name.len)
			return false;
		c = name.p[i] == '_' ? '-' : lower(name.p[i]);
		if (c != prefix[i])
			return false;
	}
	return true;
}

static bool
name_is(struct str name, const char *word)
{
	return name.len == strlen(word) && name_starts(name, word);
}

/* A word that ends in '*' stands for every name that begins so. */
static bool
name_in(struct str name, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i]);
		if (words[i][len - 1] != '*') {
			if (name_is(name, words[i]))
				return true;
			continue;
		}
		struct str head = {name.p, name.len < len - 1 ? name.len : len - 1};
		char word[32];
		memcpy(word, words[i], len - 1);
		word[len - 1] = '\0';
		if (name_is(head, word))
			return true;
	}
	return false;
}

#define NAME_IN(name, words) name_in((name), (words), sizeof(words) / sizeof((words)[0]))

bool
header_is_hop_by_hop(struct str name)
{
	static const char *const words[] = {"connection", "keep-alive", "proxy-connection", "te",
	    "trailer", "trailers", "transfer-encoding", "upgrade"};

	return NAME_IN(name, words);
}

bool
header_is_reserved(struct str name)
{
	static const char *const words[] = {"host", "content-length", "expect", "sec-websocket-*",
	    "x-http-method-override", "x-http-method", "x-method-override", "x-original-url",
	    "x-original-uri", "x-rewrite-url", "x-rewrite-uri", "x-original-method",
	    "x-original-host", "x-host", "forwarded", "x-forwarded-*", "aivault-*",
	    "http2-settings"};

	return header_is_hop_by_hop(name) || NAME_IN(name, words);
}

bool
header_is_auth_class(struct str name)
{
	static const char *const words[] = {"authorization", "proxy-authorization", "cookie",
	    "x-api-key", "api-key", "x-auth-token"};

	return NAME_IN(name, words);
}

bool
header_is_response_safe(struct str name)
{
	static const char *const words[] = {
	    "set-cookie", "set-cookie2", "www-authenticate", "proxy-*", "aivault-*"};

	return !header_is_hop_by_hop(name) && !NAME_IN(name, words);
}
