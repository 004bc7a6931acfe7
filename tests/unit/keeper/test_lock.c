/* SPDX-License-Identifier: Apache-2.0 */
#include "house.h"

#include "vault/secret.h"

#define INIT "{\"provider\":\"passphrase\",\"cost\":\"interactive\"}"
#define WORDS "correct horse"

static int
open_locked(void **state)
{
	if (house_open(state) != 0)
		return -1;
	struct house *h = *state;
	if (house_op(h, "init", INIT, WORDS) != AV_OK)
		return -1;
	house_store_key(h);
	return house_op(h, "lock", "{}", "") == AV_OK ? 0 : -1;
}

static uint16_t
release(struct house *h)
{
	struct buf out;
	struct frame f;
	struct keeper_release ask = house_ask("acme/models", "GET", "api.acme.test", "/v1/models");
	uint16_t type = house_release(h, &ask, &out, &f);
	buf_clear(&out);
	return type;
}

static void
test_locked_vault_releases_nothing_and_unlocked_one_does(void **state)
{
	struct house *h = *state;
	assert_null(h->k.vault->kek);
	assert_int_equal(release(h), KEEPER_FAULT);
	assert_int_equal(
	    house_count(h, "SELECT COUNT(*) FROM audit_events WHERE reason = 'vault_locked'"), 1);
	assert_int_equal(house_op(h, "unlock", "{}", WORDS), AV_OK);
	assert_int_equal(release(h), KEEPER_RELEASED);
	assert_int_equal(house_op(h, "lock", "{}", ""), AV_OK);
	assert_int_equal(release(h), KEEPER_FAULT);
}

static void
test_wrong_passphrase_opens_nothing_and_has_a_row(void **state)
{
	struct house *h = *state;
	assert_int_equal(house_op(h, "unlock", "{}", "wrong"), AV_EKEY);
	assert_string_equal(h->fault.reason, "wrong_passphrase");
	assert_true(h->k.vault->locked);
	assert_null(h->k.derivation);
	assert_int_equal(
	    house_count(h, "SELECT COUNT(*) FROM audit_events WHERE kind = 'vault.unlock_failed'"),
	    1);
	assert_int_equal(house_op(h, "unlock", "{}", ""), AV_EUSAGE);
}

static void
test_restart_locks(void **state)
{
	struct house *h = *state;
	assert_int_equal(house_op(h, "unlock", "{}", WORDS), AV_OK);
	house_stop(h);
	house_start(h);
	assert_true(h->k.vault->locked);
	assert_int_equal(house_op(h, "unlock", "{}", WORDS), AV_OK);
	assert_int_equal(release(h), KEEPER_RELEASED);
}

static void
test_rows_changed_while_locked_are_found_at_the_unlock(void **state)
{
	struct house *h = *state;
	house_tamper(h, "DELETE FROM credentials");
	assert_int_equal(house_op(h, "credential.list", "{}", ""), AV_OK);
	assert_int_equal(house_op(h, "unlock", "{}", WORDS), AV_ECORRUPT);
	assert_string_equal(h->fault.reason, "rows_changed");
	assert_int_equal(release(h), KEEPER_FAULT);
}

static void
test_changed_cost_is_no_way_in(void **state)
{
	struct house *h = *state;
	struct passphrase_kdf other = h->k.vault->kdf;
	other.salt[3] ^= 1;
	h->k.vault->kdf = other;
	assert_int_equal(house_op(h, "unlock", "{}", WORDS), AV_EKEY);
}

static void
test_a_result_is_only_for_who_gave_the_same_passphrase(void **state)
{
	struct house *h = *state;
	const struct passphrase_kdf *kdf = &h->k.vault->kdf;
	struct derived d = {0};
	struct fault f = {0};
	bool later = false;
	assert_int_equal(
	    derivation_get(&h->k, kdf, STR_LIT(""), STR_LIT(WORDS), &d, &later, &f), AV_OK);
	assert_true(later);
	assert_true(derivation_fd(&h->k) >= 0);
	derivation_join(&h->k);
	assert_int_equal(derivation_fd(&h->k), -1);
	assert_int_equal(
	    derivation_get(&h->k, kdf, STR_LIT(""), STR_LIT(WORDS), &d, &later, &f), AV_OK);
	assert_false(later);
	assert_non_null(d.key);
	assert_int_equal(
	    derivation_get(&h->k, kdf, STR_LIT(""), STR_LIT("other"), &d, &later, &f), AV_OK);
	assert_true(later);
	derivation_drop(&h->k);
	assert_null(h->k.derivation);
}

static void
test_second_init_says_what_there_is(void **state)
{
	struct house *h = *state;
	assert_int_equal(house_op(h, "init", INIT, "another"), AV_OK);
	assert_int_equal(house_op(h, "init", "{\"provider\":\"file\"}", ""), AV_EEXISTS);
	assert_int_equal(house_op(h, "unlock", "{}", "another"), AV_EKEY);
}

static void
read_value(struct house *h, const char *id, char *out, size_t room)
{
	const struct secret *value = NULL;
	struct fault f = {0};
	struct vault *v = h->k.vault;
	assert_int_equal(
	    secret_record_value(v->store, v->kek, v->pool, vault_secret(v, str_of(id)), &value, &f),
	    AV_OK);
	snprintf(out, room, "%.*s", (int)secret_len(value), (const char *)secret_view(value));
}

static void
test_rotated_secret_has_the_new_value_and_the_next_version(void **state)
{
	struct house *h = *state;
	char id[64], args[128], value[64];
	house_store_key(h);
	house_copy_json_text(h, "secretId", id, sizeof(id));
	snprintf(args, sizeof(args), "{\"id\":\"%s\"}", id);
	uint64_t before = h->k.vault->generation;
	assert_int_equal(house_op(h, "secrets.rotate", args, "second-value"), AV_OK);
	assert_true(h->k.vault->generation > before);
	assert_true(vault_secret(h->k.vault, str_of(id))->value_version == 2);
	read_value(h, id, value, sizeof(value));
	assert_string_equal(value, "second-value");
	assert_int_equal(house_op(h, "secrets.rotate", args, ""), AV_EUSAGE);
	assert_int_equal(release(h), KEEPER_RELEASED);
}

static void
test_deleted_secret_has_no_value_no_name_and_no_use(void **state)
{
	struct house *h = *state;
	char id[64], args[128];
	house_store_key(h);
	house_copy_json_text(h, "secretId", id, sizeof(id));
	snprintf(args, sizeof(args), "{\"id\":\"%s\"}", id);
	assert_int_equal(house_op(h, "secrets.delete", args, ""), AV_OK);
	assert_int_equal(house_count(h, "SELECT COUNT(*) FROM secret_values"), 0);
	assert_int_equal(release(h), KEEPER_FAULT);
	assert_int_equal(
	    house_count(h, "SELECT COUNT(*) FROM audit_events WHERE reason = 'secret_deleted'"), 2);
	assert_int_equal(house_op(h, "secrets.rotate", args, "value"), AV_ENOTFOUND);
	assert_int_equal(house_op(h, "secrets.delete", args, ""), AV_ENOTFOUND);
	assert_int_equal(house_op(h, "secrets.delete", "{\"id\":\"none\"}", ""), AV_ENOTFOUND);
	house_store_key(h);
	assert_int_equal(release(h), KEEPER_RELEASED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        test_locked_vault_releases_nothing_and_unlocked_one_does, open_locked, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_wrong_passphrase_opens_nothing_and_has_a_row, open_locked, house_close),
	    cmocka_unit_test_setup_teardown(test_restart_locks, open_locked, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_rows_changed_while_locked_are_found_at_the_unlock, open_locked, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_changed_cost_is_no_way_in, open_locked, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_a_result_is_only_for_who_gave_the_same_passphrase, open_locked, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_second_init_says_what_there_is, open_locked, house_close),
	    cmocka_unit_test_setup_teardown(
	        test_rotated_secret_has_the_new_value_and_the_next_version, house_open,
	        house_close),
	    cmocka_unit_test_setup_teardown(
	        test_deleted_secret_has_no_value_no_name_and_no_use, house_open, house_close),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
