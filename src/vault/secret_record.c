/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/secret_record.h"

#include "vault/box.h"
#include "vault/secret.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define BODY_VERSION 1u

void
secret_record_clear(struct secret_record *r)
{
	secret_record_forget(r);
	free(r->name);
	free(r->pinned);
	string_list_clear(&r->aliases);
	memset(r, 0, sizeof(*r));
}

void
secret_record_forget(struct secret_record *r)
{
	secret_free(r->value);
	r->value = NULL;
}

void
uuid_make(char out[UUID_LEN + 1])
{
	uint8_t b[16];
	char hex[33];
	randombytes_buf(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	hex_encode(b, sizeof(b), hex);
	size_t o = 0;
	for (size_t i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			out[o++] = '-';
		out[o++] = hex[i];
	}
	out[o] = '\0';
}

bool
uuid_is_valid(struct str s)
{
	if (s.len != UUID_LEN)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
		if (dash ? c != '-' : !hex)
			return false;
	}
	return true;
}

/* U+0080 to U+009F in UTF-8: some terminals take them for the beginning of a command. */
static bool
is_c1(struct str s, size_t i)
{
	return (unsigned char)s.p[i] == 0xc2 && i + 1 < s.len && (unsigned char)s.p[i + 1] < 0xa0;
}

enum av_err
secret_name_check(struct str s, struct fault *f)
{
	if (s.len == 0)
		return fault_set(
		    f, AV_EUSAGE, "name_missing", "Give one with --name", "a secret needs a name");
	if (s.len > SECRET_NAME_MAX)
		return fault_set(f, AV_EUSAGE, "name_too_long", "",
		    "a secret's name is at most %u bytes", SECRET_NAME_MAX);
	if (!str_is_utf8(s))
		return fault_set(
		    f, AV_EUSAGE, "name_not_utf8", "", "a secret's name is UTF-8 text");
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f || is_c1(s, i))
			return fault_set(f, AV_EUSAGE, "name_control_byte", "",
			    "a secret's name has no control bytes");
	return AV_OK;
}

enum av_err
secret_value_check(struct str value, struct fault *f)
{
	if (value.len == 0)
		return fault_set(f, AV_EUSAGE, "value_empty", "Give the value on standard input",
		    "the secret's value is empty");
	if (value.len > SECRET_VALUE_MAX)
		return fault_set(
		    f, AV_EUSAGE, "value_too_long", "", "a secret's value is at most 64 KiB");
	if (memchr(value.p, '\0', value.len) != NULL)
		return fault_set(
		    f, AV_EUSAGE, "value_has_nul", "", "a secret's value has no NUL bytes");
	return AV_OK;
}

enum av_err
secret_record_put(struct store *s, const struct kek *k, const struct secret_record *r)
{
	struct buf b;
	struct frame_writer w;
	buf_init(&b, ROW_BODY_MAX);
	fw_begin(&w, &b, ROW_SECRET);
	fw_u8(&w, BODY_VERSION);
	fw_cstr(&w, r->name);
	string_list_encode(&r->aliases, &w);
	scope_encode(&r->scope, &w);
	fw_cstr(&w, r->pinned);
	fw_u32(&w, r->aad_version);
	fw_u64(&w, r->value_version);
	fw_u64(&w, (uint64_t)r->created_ms);
	fw_u64(&w, (uint64_t)r->updated_ms);
	fw_u64(&w, (uint64_t)r->revoked_ms);
	enum av_err e = fw_end(&w);
	if (e == AV_OK)
		e = row_put(s, k, ROW_SECRET, str_of(r->id),
		    (struct str){
		        (const char *)b.data + FRAME_HEADER_LEN, b.len - FRAME_HEADER_LEN});
	buf_clear(&b);
	return e;
}

static enum av_err
decode_body(const struct row *row, struct secret_record *out)
{
	struct frame f = {
	    .type = ROW_SECRET, .payload = (const uint8_t *)row->body.p, .len = row->body.len};
	struct frame_reader r;
	fr_begin(&r, &f);
	uint8_t version = fr_u8(&r);
	out->name = str_dup(fr_text(&r, SECRET_NAME_MAX));
	enum av_err e = string_list_decode(&r, SECRET_MAX_ALIASES, &out->aliases);
	scope_decode(&r, &out->scope);
	out->pinned = str_dup(fr_text(&r, 128));
	out->aad_version = fr_u32(&r);
	out->value_version = fr_u64(&r);
	out->created_ms = (int64_t)fr_u64(&r);
	out->updated_ms = (int64_t)fr_u64(&r);
	out->revoked_ms = (int64_t)fr_u64(&r);
	if (out->name == NULL || out->pinned == NULL)
		return AV_ENOMEM;
	if (e == AV_OK)
		e = fr_finish(&r);
	return e == AV_OK && version != BODY_VERSION ? AV_EFORMAT : e;
}

enum av_err
secret_record_decode(const struct row *row, struct secret_record *out)
{
	memset(out, 0, sizeof(*out));
	if (!uuid_is_valid(row->id)) {
		memcpy(out->id, "(bad id)", 9);
	} else {
		memcpy(out->id, row->id.p, UUID_LEN);
	}
	enum av_err e = decode_body(row, out);
	if (e == AV_ENOMEM)
		return e;
	if (e != AV_OK || !row->genuine || out->id[0] == '(' ||
	    out->aad_version != SECRET_AAD_VERSION)
		fault_set(&out->fault, AV_ECORRUPT, "secret_row_changed",
		    "Restore vault.db from a backup",
		    "the stored row of secret %s was changed from outside aivault", out->id);
	return AV_OK;
}

static enum av_err
make_aad(const struct secret_record *r, struct buf *b, struct str *out)
{
	struct frame_writer w;
	fw_begin(&w, b, 0);
	fw_cstr(&w, r->id);
	scope_encode(&r->scope, &w);
	fw_cstr(&w, r->pinned);
	fw_u64(&w, r->value_version);
	enum av_err e = fw_end(&w);
	if (e != AV_OK)
		return e;
	/* The frame's header gives way to the text that names the purpose. */
	static const char purpose[] = "aivault:secret:3";
	struct buf fields;
	buf_init(&fields, b->max);
	buf_append(&fields, purpose, sizeof(purpose) - 1);
	buf_append(&fields, b->data + FRAME_HEADER_LEN, b->len - FRAME_HEADER_LEN);
	buf_reset(b);
	buf_append(b, fields.data, fields.len);
	e = buf_err(&fields) != AV_OK ? buf_err(&fields) : buf_err(b);
	buf_clear(&fields);
	*out = (struct str){(const char *)b->data, b->len};
	return e;
}

enum av_err
secret_record_seal(struct store *s, const struct kek *k, struct secret_pool *pool,
    const struct secret_record *r, struct str value)
{
	struct buf aad_buf, dek_box, value_box;
	struct str aad = STR_LIT("");
	struct secret *dek = NULL;
	sqlite3_stmt *st = NULL;
	buf_init(&aad_buf, 4096);
	buf_init(&dek_box, 256);
	buf_init(&value_box, SECRET_VALUE_MAX + BOX_OVERHEAD);
	enum av_err e = make_aad(r, &aad_buf, &aad);
	if (e == AV_OK)
		e = secret_new(pool, BOX_KEY_LEN, &dek);
	if (e != AV_OK)
		goto out;
	randombytes_buf(secret_bytes(dek), BOX_KEY_LEN);
	e = kek_seal(k, aad, secret_view(dek), BOX_KEY_LEN, &dek_box);
	if (e == AV_OK)
		e = box_seal(secret_view(dek), aad, value.p, value.len, &value_box);
	if (e == AV_OK)
		e = store_stmt(s,
		    "INSERT INTO secret_values(id, dek_wrapped, value, kek_id) VALUES(?, ?, ?, ?) "
		    "ON CONFLICT(id) DO UPDATE SET dek_wrapped = excluded.dek_wrapped, "
		    "value = excluded.value, kek_id = excluded.kek_id",
		    &st);
	if (e != AV_OK)
		goto out;
	store_bind_text(st, 1, str_of(r->id));
	store_bind_blob(st, 2, dek_box.data, dek_box.len);
	store_bind_blob(st, 3, value_box.data, value_box.len);
	store_bind_text(st, 4, str_of(kek_id(k)));
	e = store_run(st);
out:
	secret_free(dek);
	buf_clear(&aad_buf);
	buf_clear(&dek_box);
	buf_clear(&value_box);
	return e;
}

enum av_err
secret_record_erase(struct store *s, const struct secret_record *r)
{
	sqlite3_stmt *st = NULL;
	enum av_err e = store_stmt(s, "DELETE FROM secret_values WHERE id = ?", &st);
	if (e != AV_OK)
		return e;
	store_bind_text(st, 1, str_of(r->id));
	return store_run(st);
}

static enum av_err
open_value(const struct kek *k, struct secret_pool *pool, struct str aad, struct str dek_box,
    struct str value_box, struct secret **out)
{
	struct secret *dek = NULL, *value = NULL;
	enum av_err e = AV_OK;
	if (dek_box.len != BOX_KEY_LEN + BOX_OVERHEAD || value_box.len < BOX_OVERHEAD ||
	    value_box.len > SECRET_VALUE_MAX + BOX_OVERHEAD)
		return AV_ECORRUPT;
	e = secret_new(pool, BOX_KEY_LEN, &dek);
	if (e == AV_OK)
		e = secret_new(pool, value_box.len - BOX_OVERHEAD, &value);
	if (e == AV_OK)
		e = kek_open(k, aad, dek_box, secret_bytes(dek));
	if (e == AV_OK)
		e = box_open(secret_view(dek), aad, value_box, secret_bytes(value));
	if (e == AV_OK) {
		*out = value;
		value = NULL;
	}
	secret_free(value);
	secret_free(dek);
	return e;
}

enum av_err
secret_record_value(struct store *s, const struct kek *k, struct secret_pool *pool,
    struct secret_record *r, const struct secret **out, struct fault *f)
{
	struct buf aad_buf;
	struct str aad = STR_LIT("");
	sqlite3_stmt *st = NULL;
	bool row = false;
	if (r->value != NULL) {
		*out = r->value;
		return AV_OK;
	}
	if (r->fault.err != AV_OK) {
		*f = r->fault;
		return f->err;
	}
	if (r->revoked_ms != 0)
		return fault_set(f, AV_ENOCRED, "secret_revoked", "Create it again",
		    "the secret %s was deleted", r->id);
	buf_init(&aad_buf, 4096);
	enum av_err e = make_aad(r, &aad_buf, &aad);
	if (e == AV_OK)
		e = store_stmt(s, "SELECT dek_wrapped, value FROM secret_values WHERE id = ?", &st);
	if (e == AV_OK) {
		store_bind_text(st, 1, str_of(r->id));
		e = store_step(st, &row);
	}
	if (e == AV_OK)
		e = row
		    ? open_value(k, pool, aad, store_column(st, 0), store_column(st, 1), &r->value)
		    : AV_ECORRUPT;
	store_done(st);
	buf_clear(&aad_buf);
	if (e == AV_OK)
		*out = r->value;
	else
		fault_set(f, e, e == AV_ECORRUPT ? "secret_corrupt" : "secret_unreadable",
		    "Store the secret again, or restore vault.db from a backup",
		    "the stored value of secret %s cannot be opened", r->id);
	return e;
}
