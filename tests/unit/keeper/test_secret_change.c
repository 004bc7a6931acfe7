/* SPDX-License-Identifier: Apache-2.0 */
/* What a change of a secret leaves in the audit log. */
#include "house.h"

#define MANY 70

static void
test_deletion_has_a_row_for_every_credential_that_it_ends(void **state)
{
	struct house *h = *state;
	char id[64], args[256];
	house_store_key(h);
	assert_int_equal(house_op(h, "secrets.create", "{\"name\":\"MANY\"}", HOUSE_CANARY), AV_OK);
	house_copy_json_text(h, "secretId", id, sizeof(id));
	for (int i = 0; i < MANY; i++) {
		snprintf(args, sizeof(args),
		    "{\"id\":\"c%d\",\"provider\":\"many\",\"auth\":\"header\","
		    "\"hosts\":[\"a.test\"],\"secretRef\":\"vault:secret:%s\"}",
		    i, id);
		assert_int_equal(house_op(h, "credential.create", args, ""), AV_OK);
	}
	snprintf(args, sizeof(args), "{\"id\":\"%s\"}", id);
	assert_int_equal(house_op(h, "secrets.delete", args, ""), AV_OK);
	assert_int_equal(house_count(h,
	                     "SELECT COUNT(DISTINCT credential) FROM audit_events "
	                     "WHERE kind = 'credential.disable' AND reason = 'secret_deleted'"),
	    MANY);
	assert_int_equal(
	    house_count(h, "SELECT COUNT(*) FROM audit_events WHERE kind = 'secret.revoke'"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        test_deletion_has_a_row_for_every_credential_that_it_ends, house_open, house_close),
	};
	if (box_init() != AV_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
