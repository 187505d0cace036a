// SPDX-License-Identifier: GPL-2.0
/*
 * The files in debugfs that turn guards of mmfd off, see <linux/mmfd_debug.h>.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/mmfd_debug.h>
#include <linux/printk.h>

bool mmfd_guard_on[MMFD_NR_GUARDS] = { [0 ... MMFD_NR_GUARDS - 1] = true };

static const char * const mmfd_guard_names[MMFD_NR_GUARDS] = {
#define MMFD_GUARD(name)	#name,
	MMFD_GUARDS(MMFD_GUARD)
#undef MMFD_GUARD
};

static int __init mmfd_guards_init(void)
{
	struct dentry *dir = debugfs_create_dir("mmfd", NULL);
	int i;

	dir = debugfs_create_dir("guards", dir);
	for (i = 0; i < MMFD_NR_GUARDS; i++)
		debugfs_create_bool(mmfd_guard_names[i], 0600, dir, &mmfd_guard_on[i]);
	pr_notice("mmfd: CONFIG_MMFD_DEBUG: this kernel is for tests only\n");
	return 0;
}
late_initcall(mmfd_guards_init);
