/* SPDX-License-Identifier: Apache-2.0 */
/* Who may operate (I8), and what a refusal leaves behind. */
#include "house.h"

#include <sys/wait.h>

static void
test_i8_only_the_owner_and_root_may_operate(void **state)
{
	(void)state;
	/* Process 1 is nobody's child here and not our parent. */
	if (getppid() == 1)
		skip();
	assert_true(operator_peer_is_allowed(&(struct peer){1000, 1000, 1}, 1000));
	assert_true(operator_peer_is_allowed(&(struct peer){0, 0, 1}, 1000));
	assert_false(operator_peer_is_allowed(&(struct peer){1001, 1000, 1}, 1000));
	assert_false(operator_peer_is_allowed(&(struct peer){1000, 1000, 0}, 1000));
	assert_false(operator_peer_is_allowed(&(struct peer){1000, 1000, -1}, 1000));
}

static void
test_i8_own_family_is_refused(void **state)
{
	int gate[2];
	char byte;
	(void)state;
	assert_false(operator_peer_is_allowed(&(struct peer){geteuid(), 0, getpid()}, geteuid()));
	assert_false(operator_peer_is_allowed(&(struct peer){geteuid(), 0, getppid()}, geteuid()));
	/* A child of ours stands for a brother: it has our parent among its ancestors. */
	assert_int_equal(pipe(gate), 0);
	pid_t child = fork();
	if (child == 0) {
		close(gate[1]);
		_exit(read(gate[0], &byte, 1) < 0);
	}
	assert_true(child > 0);
	assert_false(operator_peer_is_allowed(&(struct peer){geteuid(), 0, child}, geteuid()));
	close(gate[0]);
	close(gate[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	/* Gone: it cannot be told who it was. */
	assert_false(operator_peer_is_allowed(&(struct peer){geteuid(), 0, child}, geteuid()));
}

static void
test_i8_refused_call_does_nothing_and_is_audited(void **state)
{
	struct house *h = *state;
	struct operator_request q = {OPERATOR_PROTOCOL, STR_LIT("capability.disable"),
	    STR_LIT("{\"id\":\"acme/chat\"}"), STR_LIT("")};
	struct operator_reply reply;
	struct peer peer = {4242, 4242, 1};
	struct buf in, out;
	struct frame f;
	size_t used = 0;
	house_store_key(h);
	buf_init(&in, FRAME_MAX);
	buf_init(&out, FRAME_MAX);
	assert_int_equal(operator_request_encode(&q, &in), AV_OK);
	assert_int_equal(frame_parse(in.data, in.len, &f, &used), AV_OK);
	assert_int_equal(operator_handle(&h->k, &peer, true, &f, &out), AV_OK);
	assert_int_equal(frame_parse(out.data, out.len, &f, &used), AV_OK);
	assert_int_equal(operator_reply_decode(&f, &reply), AV_OK);
	assert_int_equal(reply.fault.err, AV_EOPERATOR);
	assert_false(vault_capability_is_disabled(h->k.vault, STR_LIT("acme/chat")));
	assert_int_equal(house_count(h,
	                     "SELECT COUNT(*) FROM audit_events WHERE kind = "
	                     "'operator.denied' AND caller_uid = 4242"),
	    1);
	buf_clear(&in);
	buf_clear(&out);
}

static void
test_second_init_keeps_the_vault(void **state)
{
	struct house *h = *state;
	char first[80], second[80];
	assert_int_equal(house_op(h, "init", "{\"provider\":\"env\"}", ""), AV_ENOTSUP);
	assert_int_equal(house_op(h, "init", "{\"provider\":\"passphrase\"}", ""), AV_EUSAGE);
	assert_null(h->k.vault);
	assert_int_equal(house_op(h, "init", "{\"provider\":\"file\"}", ""), AV_OK);
	snprintf(first, sizeof(first), "%s", h->k.vault->kek_id);
	assert_int_equal(house_op(h, "init", "{}", ""), AV_OK);
	assert_int_equal(
	    house_op(h, "init", "{\"filePath\":\"/elsewhere/kek.key\"}", ""), AV_EEXISTS);
	snprintf(second, sizeof(second), "%s", h->k.vault->kek_id);
	assert_string_equal(first, second);
}

static void
test_bad_secret_makes_no_vault(void **state)
{
	struct house *h = *state;
	assert_int_equal(
	    house_op(h, "secrets.create", "{\"name\":\"a\",\"create\":true}", ""), AV_EUSAGE);
	assert_null(h->k.vault);
	assert_int_equal(house_op(h, "secrets.create", "{\"name\":\"a\"}", "v"), AV_ENOVAULT);
	assert_null(h->k.vault);
	assert_int_equal(house_op(h, "credential.list", "{}", ""), AV_ENOVAULT);
	assert_null(h->k.vault);
}

static void
test_seal_of_a_change_is_whole_behind_a_name_of_escapes(void **state)
{
	struct house *h = *state;
	char args[512] = "{\"create\":true,\"name\":\"";
	for (int i = 0; i < 64; i++)
		strcat(args, "\xc3\xa9");
	strcat(args, "\"}");
	assert_int_equal(house_op(h, "secrets.create", args, HOUSE_CANARY), AV_OK);
	assert_int_equal(house_count(h,
	                     "SELECT COUNT(*) FROM audit_events WHERE kind = 'secret.create' AND "
	                     "note GLOB '\\xc3\\xa9*...; generation=[0-9]* digest=*' AND "
	                     "length(note) - instr(note, 'digest=') = 6 + 64"),
	    1);
}

int
main(void)
{
#define HOUSE_TEST(t) cmocka_unit_test_setup_teardown(t, house_open, house_close)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_i8_only_the_owner_and_root_may_operate),
	    cmocka_unit_test(test_i8_own_family_is_refused),
	    HOUSE_TEST(test_i8_refused_call_does_nothing_and_is_audited),
	    HOUSE_TEST(test_second_init_keeps_the_vault),
	    HOUSE_TEST(test_bad_secret_makes_no_vault),
	    HOUSE_TEST(test_seal_of_a_change_is_whole_behind_a_name_of_escapes),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
