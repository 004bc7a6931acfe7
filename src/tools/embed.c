/* SPDX-License-Identifier: Apache-2.0 */
/*
 * embed - prints a C file that holds the files named as arguments (policy/embedded.h).
 *
 * Paths are kept as given, so the build names them relative to the source tree. PATH=FILE holds
 * FILE under the name PATH.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
print_file(const char *path, size_t number)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		perror(path);
		return -1;
	}
	printf("static const char file_%zu[] = {", number);
	size_t n = 0;
	int c;
	while ((c = fgetc(f)) != EOF) {
		printf("%s0x%02x,", n % 16 == 0 ? "\n\t" : "", (unsigned)c);
		n++;
	}
	int bad = ferror(f);
	fclose(f);
	/* An array may not be empty, and a byte above 0x7f would not fit a plain char. */
	printf("0x00\n};\n");
	if (bad) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return -1;
	}
	return 0;
}

/* Paths and Lua text are ASCII; anything else would need a cast in every element. */
static int
check_ascii(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		perror(path);
		return -1;
	}
	int c, bad = 0;
	unsigned long line = 1;
	while ((c = fgetc(f)) != EOF && !bad) {
		bad = c > 0x7f || c == 0;
		line += c == '\n';
	}
	fclose(f);
	if (bad) {
		fprintf(stderr, "%s:%lu: a byte outside ASCII\n", path, line);
	}
	return bad ? -1 : 0;
}

int
main(int argc, char **argv)
{
	printf("/* Made by src/tools/embed.c. */\n#include \"policy/embedded.h\"\n\n");
	for (int i = 1; i < argc; i++) {
		const char *file = argv[i];
		char *sign = strchr(argv[i], '=');
		if (sign != NULL) {
			*sign = '\0';
			file = sign + 1;
		}
		if (check_ascii(file) < 0 || print_file(file, (size_t)i) < 0) {
			return EXIT_FAILURE;
		}
	}
	printf("const struct embedded_file embedded_lua[] = {\n");
	for (int i = 1; i < argc; i++) {
		printf("\t{\"%s\", file_%d, sizeof(file_%d) - 1},\n", argv[i], i, i);
	}
	/* A last row without a path, so that the table is never empty. */
	printf("\t{0, 0, 0},\n};\nconst size_t embedded_lua_count = %d;\n", argc - 1);
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
