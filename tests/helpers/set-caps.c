// SPDX-License-Identifier: GPL-2.0
/*
 * set-caps - give a file capabilities, as setcap(8) does.
 *
 * usage: set-caps TEXT FILE
 *
 * TEXT is in the form of cap_from_text(3): "cap_sys_time+ep".
 */
#include <stdio.h>
#include <sys/capability.h>

int main(int argc, char **argv)
{
	cap_t caps;

	if (argc != 3) {
		fprintf(stderr, "usage: set-caps TEXT FILE\n");
		return 2;
	}
	caps = cap_from_text(argv[1]);
	if (!caps) {
		perror(argv[1]);
		return 2;
	}
	if (cap_set_file(argv[2], caps)) {
		perror(argv[2]);
		return 1;
	}
	cap_free(caps);
	return 0;
}
