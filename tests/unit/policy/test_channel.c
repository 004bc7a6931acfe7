/* SPDX-License-Identifier: Apache-2.0 */
/* The judge as a process of its own, over its real descriptors, confined as far as this build is. */
#include "harness.h"

#include "base/io.h"
#include "policy/channel.h"
#include "wire/control.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs beside the built-in ones: its checks run into both limits. */
static const char hungry[] =
    "return provider \"zz\" {\n"
    "  secrets = { ZZ_KEY = \"secret\" }, hosts = { \"api.example.com\" },\n"
    "  auth = auth.header(\"authorization\", \"Bearer {{secret}}\"),\n"
    "  capability \"time\" { methods = { \"GET\" }, paths = { \"/\" },\n"
    "    check = function() while true do end end },\n"
    "  capability \"memory\" { methods = { \"GET\" }, paths = { \"/\" },\n"
    "    check = function() local s = \"x\" while true do s = s .. s end end },\n"
    "  capability \"fine\" { methods = { \"GET\" }, paths = { \"/\" },\n"
    "    check = function() return allow() end },\n"
    "}\n";

struct process {
	pid_t pid;
	int control;
	int broker;
	struct buf in;
};

static void
run_child(int control)
{
	if (control != CONTROL_FD) {
		dup2(control, CONTROL_FD);
		close(control);
	}
	struct judge *j = calloc(1, sizeof(*j));
	struct sandbox_limits limits = {SANDBOX_CHECK_MS, SANDBOX_MEMORY_BYTES};
	struct embedded_file *files = calloc(embedded_lua_count + 1, sizeof(*files));
	if (j == NULL || files == NULL) {
		_exit(2);
	}
	memcpy(files, embedded_lua, embedded_lua_count * sizeof(*files));
	files[embedded_lua_count] =
	    (struct embedded_file){"capabilities/zz.lua", hungry, sizeof(hungry) - 1};
	enum av_err e = judge_init(j, files, embedded_lua_count + 1, &limits);
	if (e == AV_OK) {
		e = channel_run(j);
		judge_clear(j);
	}
	free(j);
	free(files);
	_exit(e == AV_OK ? 0 : 1);
}

static void
give_channel(struct process *p, enum control_tag tag, int *ours)
{
	int pair[2];
	assert_int_equal(io_socketpair(pair), AV_OK);
	assert_int_equal(io_send_fds(p->control, (unsigned char)tag, &pair[1], 1), AV_OK);
	close(pair[1]);
	*ours = pair[0];
}

static void
start(struct process *p)
{
	int pair[2];
	unsigned char tag;
	int fds[1];
	size_t n = 1;
	assert_int_equal(io_socketpair(pair), AV_OK);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0) {
		close(pair[0]);
		run_child(pair[1]);
	}
	close(pair[1]);
	p->control = pair[0];
	buf_init(&p->in, 8u * 1024u * 1024u);
	assert_int_equal(io_recv_fds(p->control, &tag, fds, &n), AV_OK);
	assert_int_equal(tag, CONTROL_READY);
	give_channel(p, CONTROL_BROKER_JUDGE, &p->broker);
}

static int
wait_for(struct process *p)
{
	int status = -1;
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	if (p->broker >= 0) {
		close(p->broker);
	}
	close(p->control);
	buf_clear(&p->in);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static struct judge_ask
simple_ask(uint64_t id)
{
	return (struct judge_ask){
	    .ask_id = id,
	    .now_ms = 1700000000000,
	    .provider = STR_LIT("openai"),
	    .capability = STR_LIT("openai/chat-completions"),
	    .credential = STR_LIT("openai"),
	    .method = STR_LIT("POST"),
	    .host = STR_LIT("api.openai.com"),
	    .path = STR_LIT("/v1/chat/completions"),
	    .query = STR_LIT(""),
	};
}

static void
send_buf(struct process *p, struct buf *b)
{
	assert_int_equal(io_write_all(p->broker, b->data, b->len), AV_OK);
	buf_reset(b);
}

/* The next verdict; its strings live until the following call. */
static void
read_verdict(struct process *p, size_t *used, struct judge_verdict *v)
{
	struct frame f;
	enum av_err e;
	buf_consume(&p->in, *used);
	while ((e = frame_parse(p->in.data, p->in.len, &f, used)) == AV_ETRUNC) {
		size_t n;
		bool again;
		assert_int_equal(io_read_some(p->broker, &p->in, 65536, &n, &again), AV_OK);
		assert_true(n > 0);
	}
	assert_int_equal(e, AV_OK);
	assert_int_equal(f.type, JUDGE_VERDICT);
	assert_int_equal(judge_verdict_decode(&f, v), AV_OK);
}

static void
test_asks_are_answered_in_order_and_stop_ends_it(void **state)
{
	(void)state;
	struct process p;
	struct buf out;
	size_t used = 0;
	start(&p);
	buf_init(&out, 1024 * 1024);
	for (uint64_t i = 0; i < 200; i++) {
		struct judge_ask a = simple_ask(i);
		if (i % 2 == 1) {
			a.capability = STR_LIT("openai/none-such");
		}
		assert_int_equal(judge_ask_encode(&a, &out), AV_OK);
	}
	send_buf(&p, &out);
	for (uint64_t i = 0; i < 200; i++) {
		struct judge_verdict v;
		read_verdict(&p, &used, &v);
		assert_int_equal(v.ask_id, i);
		assert_int_equal(v.kind, i % 2 == 1 ? VERDICT_DENY : VERDICT_ALLOW);
		assert_true(i % 2 == 0 || str_eq_cstr(v.reason, "policy_error"));
		judge_verdict_clear(&v);
	}
	buf_clear(&out);
	assert_int_equal(io_send_fds(p.control, CONTROL_STOP, NULL, 0), AV_OK);
	assert_int_equal(wait_for(&p), 0);
}

static void
test_closed_control_socket_ends_it(void **state)
{
	(void)state;
	struct process p;
	start(&p);
	shutdown(p.control, SHUT_RDWR);
	assert_int_equal(wait_for(&p), 0);
}

static void
test_broker_channel_may_be_replaced(void **state)
{
	(void)state;
	struct process p;
	struct buf out;
	struct judge_verdict v;
	size_t used = 0;
	int keeper;
	start(&p);
	buf_init(&out, 1024 * 1024);
	give_channel(&p, CONTROL_KEEPER_JUDGE, &keeper);
	struct judge_ask a = simple_ask(1);
	assert_int_equal(judge_ask_encode(&a, &out), AV_OK);
	send_buf(&p, &out);
	read_verdict(&p, &used, &v);
	judge_verdict_clear(&v);
	/* Half a frame is left behind: the next broker must not inherit it. */
	assert_int_equal(judge_ask_encode(&a, &out), AV_OK);
	assert_int_equal(io_write_all(p.broker, out.data, 20), AV_OK);
	buf_reset(&out);
	close(p.broker);
	give_channel(&p, CONTROL_BROKER_JUDGE, &p.broker);
	buf_reset(&p.in);
	used = 0;
	a = simple_ask(2);
	assert_int_equal(judge_ask_encode(&a, &out), AV_OK);
	send_buf(&p, &out);
	read_verdict(&p, &used, &v);
	assert_int_equal(v.ask_id, 2);
	assert_int_equal(v.kind, VERDICT_ALLOW);
	judge_verdict_clear(&v);
	buf_clear(&out);
	close(keeper);
	assert_int_equal(io_send_fds(p.control, CONTROL_STOP, NULL, 0), AV_OK);
	assert_int_equal(wait_for(&p), 0);
}

static void
test_limits_set_by_cli_hold_for_a_capability_without_script(void **state)
{
	(void)state;
	struct process p;
	struct buf out;
	struct judge_verdict v;
	size_t used = 0;
	start(&p);
	buf_init(&out, 1024 * 1024);
	struct policy_instance limit = {.policy = STR_LIT("rate_limit"), .param_count = 1};
	limit.params[0] = (struct policy_param){STR_LIT("per_minute"), 2};
	for (uint64_t i = 0; i < 3; i++) {
		struct judge_ask a = simple_ask(i);
		a.provider = STR_LIT("");
		a.capability = STR_LIT("acme/things");
		a.policies = &limit;
		a.policy_count = 1;
		assert_int_equal(judge_ask_encode(&a, &out), AV_OK);
	}
	send_buf(&p, &out);
	for (uint64_t i = 0; i < 3; i++) {
		read_verdict(&p, &used, &v);
		assert_int_equal(v.kind, i < 2 ? VERDICT_ALLOW : VERDICT_DENY);
		assert_int_equal(v.charge_count, i < 2 ? 1 : 0);
		if (i == 0) {
			assert_true(
			    str_eq_cstr(v.charges[0].key, "acme/things|rate_limit|set|all"));
			assert_int_equal(v.charges[0].limit, 2);
		}
		if (i == 2) {
			assert_true(str_eq_cstr(v.reason, "rate_limit"));
			assert_true(v.retry_after >= 59 && v.retry_after <= 61);
		}
		judge_verdict_clear(&v);
	}
	buf_clear(&out);
	assert_int_equal(io_send_fds(p.control, CONTROL_STOP, NULL, 0), AV_OK);
	assert_int_equal(wait_for(&p), 0);
}

/* Asks for acme/things with two calls a minute; whether it may go. */
static bool
ask_limited(struct process *p, size_t *used, uint64_t id)
{
	struct policy_instance limit = {.policy = STR_LIT("rate_limit"), .param_count = 1};
	struct judge_ask a = simple_ask(id);
	struct judge_verdict v;
	struct buf out;
	limit.params[0] = (struct policy_param){STR_LIT("per_minute"), 2};
	a.provider = STR_LIT("");
	a.capability = STR_LIT("acme/things");
	a.policies = &limit;
	a.policy_count = 1;
	buf_init(&out, 1024 * 1024);
	assert_int_equal(judge_ask_encode(&a, &out), AV_OK);
	send_buf(p, &out);
	buf_clear(&out);
	read_verdict(p, used, &v);
	assert_int_equal(v.ask_id, id);
	bool may = v.kind == VERDICT_ALLOW;
	judge_verdict_clear(&v);
	return may;
}

static void
test_counts_of_the_keeper_stand_before_the_first_ask(void **state)
{
	(void)state;
	static struct counts_fill m = {.key = STR_LIT("acme/things|rate_limit|set|all"),
	    .window_s = 60,
	    .steps = {{1700000000000 - 30000, 1}},
	    .step_count = 1};
	struct process p;
	struct buf out;
	size_t used = 0;
	int pair[2];
	start(&p);
	buf_init(&out, 1024 * 1024);
	assert_int_equal(counts_clear_encode(&out), AV_OK);
	assert_int_equal(counts_fill_encode(&m, &out), AV_OK);
	assert_int_equal(io_socketpair(pair), AV_OK);
	assert_int_equal(io_write_all(pair[0], out.data, out.len), AV_OK);
	assert_int_equal(io_send_fds(p.control, CONTROL_KEEPER_JUDGE, &pair[1], 1), AV_OK);
	close(pair[1]);
	/* A new broker comes over the same control socket: the judge has heard of the keeper by then. */
	close(p.broker);
	give_channel(&p, CONTROL_BROKER_JUDGE, &p.broker);
	assert_true(ask_limited(&p, &used, 1));
	assert_false(ask_limited(&p, &used, 2));
	/* Told anew, its own count is forgotten and the keeper's stands. */
	assert_int_equal(io_write_all(pair[0], out.data, out.len), AV_OK);
	uint64_t id = 3;
	while (!ask_limited(&p, &used, id)) {
		id++;
		assert_true(id < 100000);
	}
	assert_false(ask_limited(&p, &used, id + 1));
	buf_clear(&out);
	close(pair[0]);
	assert_int_equal(io_send_fds(p.control, CONTROL_STOP, NULL, 0), AV_OK);
	assert_int_equal(wait_for(&p), 0);
}

static void
test_refunded_charge_can_be_taken_again(void **state)
{
	(void)state;
	struct charge c = {
	    STR_LIT("rate_limit"), STR_LIT("acme/things|rate_limit|set|all"), 1, 2, 60};
	struct counts_refund refund = {&c, 1};
	struct process p;
	struct buf out;
	size_t used = 0;
	int keeper;
	start(&p);
	give_channel(&p, CONTROL_KEEPER_JUDGE, &keeper);
	buf_init(&out, 1024 * 1024);
	assert_true(ask_limited(&p, &used, 1));
	assert_true(ask_limited(&p, &used, 2));
	assert_false(ask_limited(&p, &used, 3));
	/* From the broker, in order with its asks. */
	assert_int_equal(counts_refund_encode(&refund, &out), AV_OK);
	send_buf(&p, &out);
	assert_true(ask_limited(&p, &used, 4));
	assert_false(ask_limited(&p, &used, 5));
	/* From the keeper, whenever it comes. */
	assert_int_equal(counts_refund_encode(&refund, &out), AV_OK);
	assert_int_equal(io_write_all(keeper, out.data, out.len), AV_OK);
	uint64_t id = 6;
	while (!ask_limited(&p, &used, id)) {
		id++;
		assert_true(id < 100000);
	}
	assert_false(ask_limited(&p, &used, id + 1));
	buf_clear(&out);
	close(keeper);
	assert_int_equal(io_send_fds(p.control, CONTROL_STOP, NULL, 0), AV_OK);
	assert_int_equal(wait_for(&p), 0);
}

static void
test_confined_judge_survives_limits_and_loads_the_script_anew(void **state)
{
	(void)state;
	static const char *const asked[] = {"zz/time", "zz/fine", "zz/memory", "zz/fine"};
	static const char *const reasons[] = {"policy_timeout", "", "policy_memory", ""};
	struct process p;
	struct buf out;
	struct judge_verdict v;
	size_t used = 0;
	start(&p);
	buf_init(&out, 1024 * 1024);
	for (uint64_t i = 0; i < 4; i++) {
		struct judge_ask a = simple_ask(i);
		a.provider = STR_LIT("zz");
		a.capability = str_of(asked[i]);
		assert_int_equal(judge_ask_encode(&a, &out), AV_OK);
	}
	send_buf(&p, &out);
	for (uint64_t i = 0; i < 4; i++) {
		read_verdict(&p, &used, &v);
		assert_int_equal(v.kind, i % 2 == 1 ? VERDICT_ALLOW : VERDICT_DENY);
		assert_true(str_eq_cstr(v.reason, reasons[i]));
		assert_int_equal(v.limit_hit, i % 2 == 0);
		judge_verdict_clear(&v);
	}
	buf_clear(&out);
	assert_int_equal(io_send_fds(p.control, CONTROL_STOP, NULL, 0), AV_OK);
	assert_int_equal(wait_for(&p), 0);
}

static void
test_body_of_another_ask_is_never_read(void **state)
{
	(void)state;
	struct process p;
	struct buf out;
	struct judge_verdict v;
	size_t used = 0;
	start(&p);
	buf_init(&out, 1024 * 1024);
	assert_int_equal(judge_body_encode(7, STR_LIT("{}"), &out), AV_OK);
	struct judge_ask a = simple_ask(8);
	a.has_body = 1;
	a.body_size = 2;
	assert_int_equal(judge_ask_encode(&a, &out), AV_OK);
	send_buf(&p, &out);
	read_verdict(&p, &used, &v);
	assert_int_equal(v.kind, VERDICT_DENY);
	assert_true(str_eq_cstr(v.reason, "policy_error"));
	judge_verdict_clear(&v);
	buf_clear(&out);
	assert_int_equal(io_send_fds(p.control, CONTROL_STOP, NULL, 0), AV_OK);
	assert_int_equal(wait_for(&p), 0);
}

/* A broker that writes much and reads late: nothing is lost, nothing stalls. */
static void
test_thousands_of_asks_before_the_first_verdict_is_read(void **state)
{
	(void)state;
	enum { ASKS = 40000 };
	struct process p;
	struct buf out;
	size_t used = 0;
	start(&p);
	buf_init(&out, 64u * 1024u * 1024u);
	for (uint64_t i = 0; i < ASKS; i++) {
		struct judge_ask a = simple_ask(i);
		assert_int_equal(judge_ask_encode(&a, &out), AV_OK);
	}
	pid_t writer = fork();
	assert_true(writer >= 0);
	if (writer == 0) {
		_exit(io_write_all(p.broker, out.data, out.len) == AV_OK ? 0 : 1);
	}
	int status = -1;
	for (uint64_t i = 0; i < ASKS; i++) {
		struct judge_verdict v;
		read_verdict(&p, &used, &v);
		assert_int_equal(v.ask_id, i);
		assert_int_equal(v.kind, VERDICT_ALLOW);
		judge_verdict_clear(&v);
	}
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
	buf_clear(&out);
	assert_int_equal(io_send_fds(p.control, CONTROL_STOP, NULL, 0), AV_OK);
	assert_int_equal(wait_for(&p), 0);
}

static void
test_malformed_frame_ends_it_with_an_error(void **state)
{
	(void)state;
	struct process p;
	start(&p);
	assert_int_equal(io_write_all(p.broker, "\xff\xff\xff\xff\xff\xff\xff\xff", 8), AV_OK);
	assert_int_equal(wait_for(&p), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_asks_are_answered_in_order_and_stop_ends_it),
	    cmocka_unit_test(test_closed_control_socket_ends_it),
	    cmocka_unit_test(test_broker_channel_may_be_replaced),
	    cmocka_unit_test(test_limits_set_by_cli_hold_for_a_capability_without_script),
	    cmocka_unit_test(test_counts_of_the_keeper_stand_before_the_first_ask),
	    cmocka_unit_test(test_refunded_charge_can_be_taken_again),
	    cmocka_unit_test(test_confined_judge_survives_limits_and_loads_the_script_anew),
	    cmocka_unit_test(test_body_of_another_ask_is_never_read),
	    cmocka_unit_test(test_thousands_of_asks_before_the_first_verdict_is_read),
	    cmocka_unit_test(test_malformed_frame_ends_it_with_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
