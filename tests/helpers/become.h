/* SPDX-License-Identifier: GPL-2.0 */
/* Become another user, in a session of its own: whom it kills is its own affair. */
#ifndef _BECOME_H
#define _BECOME_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void become(uid_t uid)
{
	setsid();
	if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid)) {
		perror("cannot become that user");
		exit(2);
	}
}

#endif /* _BECOME_H */
