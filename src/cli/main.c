/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/print.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
unknown_command(int argc, char **argv)
{
	struct fault f;
	const char *later = command_later(argc, argv);

	if (later != NULL)
		return later_failure(later);
	if (argv[0][0] == '-') {
		size_t n = strcspn(argv[0], "=");
		(void)fault_set(&f, AV_EUSAGE, "usage",
		    "Write aivault COMMAND [OPTIONS]; see: aivault help",
		    "options stand behind the command, and %.*s stands before it",
		    n > 60 ? 60 : (int)n, argv[0]);
		return usage_fault(NULL, &f);
	}
	if (!command_is_group(argv[0])) {
		(void)fault_set(&f, AV_EUSAGE, "usage", "", "unknown command %.60s", argv[0]);
		return usage_fault(NULL, &f);
	}
	if (argc < 2) {
		help_group(argv[0], stderr);
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help_group(argv[0], stdout);
		return 0;
	}
	(void)fault_set(
	    &f, AV_EUSAGE, "usage", "", "unknown command %.60s %.60s", argv[0], argv[1]);
	return usage_fault(NULL, &f);
}

static int
run_command(const struct command *c, int argc, char **argv)
{
	struct fault f = {0};
	struct args *a = malloc(sizeof(*a));
	int rc;

	if (a == NULL)
		return print_failure("vault_unavailable", "out of memory", "");
	if (args_parse(a, c->options, argc, argv, &f) != AV_OK) {
		rc = usage_fault(c, &f);
	} else if (a->help) {
		help_command(c, stdout);
		rc = 0;
	} else if (a->positional_count < c->min_positional ||
	    a->positional_count > c->max_positional) {
		(void)fault_set(&f, AV_EUSAGE, "usage", "", "%s takes: %s", c->name,
		    c->arguments[0] == '\0' ? "no arguments" : c->arguments);
		rc = usage_fault(c, &f);
	} else if (((a->output == OUTPUT_JSONL && c != &cmd_audit_export) ||
	               a->output == OUTPUT_CSV) &&
	    c != &cmd_audit) {
		(void)fault_set(&f, AV_EUSAGE, "usage", "", "--output takes table or json here");
		rc = usage_fault(c, &f);
	} else {
		rc = c->run(a);
	}
	free(a);
	return rc;
}

/* A descriptor that is closed would go to the next socket or file, which would then get our output.
 * Its place is taken by one that can be opened and not be used: reading or writing fails. */
static bool
hold_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return false;
	}
	return true;
}

static int
run(int argc, char **argv)
{
	const struct command *c;
	int used;

	if (argc < 2) {
		help_overview(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		(void)puts("aivault " AV_VERSION);
		return 0;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help_overview(stdout);
		return 0;
	}
	c = command_find(argc - 1, argv + 1, &used);
	/* "audit export" is not `audit` with an argument, "secrets" alone is not an unknown word. */
	if (c != NULL && used == 1 && command_later(argc - 1, argv + 1) != NULL)
		c = NULL;
	return c == NULL ? unknown_command(argc - 1, argv + 1)
	                 : run_command(c, argc - 1 - used, argv + 1 + used);
}

int
main(int argc, char **argv)
{
	if (!hold_standard_descriptors())
		return 1;
	/* A reader of our output that goes away ends us with an error, not in the middle of a write. */
	(void)signal(SIGPIPE, SIG_IGN);
	return print_finish(run(argc, argv));
}
