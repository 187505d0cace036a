// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of an address space by descriptor, in batches, and a look at it.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/kdev_t.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/personality.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "mmfd.h"

#define MMFD_PROT_ALL	(MMFD_PROT_READ | MMFD_PROT_WRITE | MMFD_PROT_EXEC)
#define MMFD_MAP_ALL	(MMFD_MAP_SHARED | MMFD_MAP_PRIVATE | \
			 MMFD_MAP_ANONYMOUS | MMFD_MAP_NOREPLACE)

static_assert(MMFD_PROT_READ == PROT_READ);
static_assert(MMFD_PROT_WRITE == PROT_WRITE);
static_assert(MMFD_PROT_EXEC == PROT_EXEC);

static bool mmfd_range_ok(u64 addr, u64 len)
{
	return len && PAGE_ALIGNED(addr | len) && len <= TASK_SIZE_MAX &&
	       addr <= TASK_SIZE_MAX - len;
}

static bool mmfd_map_ok(const struct mmfd_op *op)
{
	bool private = op->flags & MMFD_MAP_PRIVATE;

	if (op->flags & ~MMFD_MAP_ALL)
		return false;
	if (private == !!(op->flags & MMFD_MAP_SHARED))
		return false;
	if (op->flags & MMFD_MAP_ANONYMOUS)
		return private && op->fd == -1 && !op->offset;
	return op->fd >= 0 && PAGE_ALIGNED(op->offset);
}

static bool mmfd_op_ok(const struct mmfd_op *op)
{
	if (op->reserved || op->prot & ~MMFD_PROT_ALL ||
	    !mmfd_range_ok(op->addr, op->len))
		return false;
	if (op->op == MMFD_OP_MAP)
		return mmfd_map_ok(op);
	if (op->flags || op->offset || op->fd != -1)
		return false;
	if (op->op == MMFD_OP_PROTECT)
		return true;
	return !op->prot && (op->op == MMFD_OP_UNMAP || op->op == MMFD_OP_VDSO);
}

static int mmfd_mmap(const struct mmfd_op *op, struct file *file)
{
	unsigned long flags, ret;

	flags = op->flags & MMFD_MAP_NOREPLACE ? MAP_FIXED_NOREPLACE : MAP_FIXED;
	flags |= op->flags & MMFD_MAP_SHARED ? MAP_SHARED : MAP_PRIVATE;
	if (!file)
		flags |= MAP_ANONYMOUS;
	ret = vm_mmap(file, op->addr, op->len, op->prot, flags, op->offset);
	return IS_ERR_VALUE(ret) ? (int)ret : 0;
}

/*
 * Regular files only, and an anonymous inode is none of them. What a driver maps
 * may be bound to the process that maps it, and a guest must not get at a run page.
 */
static bool mmfd_file_ok(struct file *file)
{
	struct inode *inode = file_inode(file);

	return S_ISREG(inode->i_mode) && !IS_ANON_FILE(inode) &&
	       !is_file_hugepages(file);
}

static int mmfd_map(const struct mmfd_op *op)
{
	if (op->flags & MMFD_MAP_ANONYMOUS)
		return mmfd_mmap(op, NULL);

	CLASS(fd, f)(op->fd);
	if (fd_empty(f))
		return -EBADF;
	if (!mmfd_file_ok(fd_file(f)))
		return -EACCES;
	return mmfd_mmap(op, fd_file(f));
}

static int mmfd_map_vdso(struct mmfd_op *op)
{
	int ret = arch_mmfd_map_vdso(op->addr, op->len);

	if (ret < 0)
		return ret;
	op->offset = ret;
	return 0;
}

/* current->mm is the address space to change. */
static int mmfd_do_op(struct mmfd_op *op)
{
	switch (op->op) {
	case MMFD_OP_MAP:
		return mmfd_map(op);
	case MMFD_OP_UNMAP:
		return vm_munmap(op->addr, op->len);
	case MMFD_OP_VDSO:
		return mmfd_map_vdso(op);
	default:
		return vm_mprotect(op->addr, op->len, op->prot);
	}
}

/*
 * mmfd_check_ops - Set the result of each to what it is if it is not tried
 * Returns -EINVAL if one is malformed.
 */
static int mmfd_check_ops(struct mmfd_op *ops, u32 nr)
{
	int err = 0;
	u32 i;

	for (i = 0; i < nr; i++) {
		ops[i].result = -ECANCELED;
		if (err || mmfd_op_ok(&ops[i]))
			continue;
		err = -EINVAL;
		ops[i].result = err;
	}
	return err;
}

static int mmfd_do_ops(struct mmfd_space *space, struct mmfd_op *ops, u32 nr, u32 *done)
{
	int err = 0;
	u32 pkru, i;

	if (mutex_lock_killable(&space->lock))
		return -EINTR;
	pkru = arch_mmfd_ops_begin();
	mmfd_use_mm(space->mm);
	for (i = 0; i < nr; i++) {
		err = mmfd_do_op(&ops[i]);
		ops[i].result = err;
		if (err)
			break;
		cond_resched();
	}
	mmfd_unuse_mm();
	arch_mmfd_ops_end(pkru);
	mutex_unlock(&space->lock);
	*done = i;
	return err;
}

static int mmfd_put_results(struct mmfd_op __user *uops, const struct mmfd_op *ops, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		if (put_user(ops[i].result, &uops[i].result) ||
		    put_user(ops[i].offset, &uops[i].offset))
			return -EFAULT;
	}
	return 0;
}

/**
 * mmfd_space_ops - Change an address space
 * @space:	The address space
 * @uops:	The batch
 *
 * Context: Process context at home. May sleep.
 * Return: 0, or the first error: -EINVAL if an element is malformed (nothing is
 * done then), -E2BIG if there are too many, -EBADF and -EACCES for a descriptor
 * that is not one of a regular file or whose access mode does not allow the
 * mapping, -ENODEV and -EOVERFLOW as of mmap(), -EEXIST, -ENOSPC, -ENOMEM, -EPERM,
 * -EINTR if current is being killed, -EOPNOTSUPP if current's personality makes
 * what is readable executable.
 */
long mmfd_space_ops(struct mmfd_space *space, struct mmfd_ops __user *uops)
{
	struct mmfd_op *ops __free(kvfree) = NULL;
	struct mmfd_op __user *uarray;
	struct mmfd_ops batch;
	int err, err2;

	if (copy_from_user(&batch, uops, sizeof(batch)))
		return -EFAULT;
	if (batch.reserved[0] || batch.reserved[1])
		return -EINVAL;
	if (batch.nr > MMFD_OPS_MAX)
		return -E2BIG;
	if (current->personality & READ_IMPLIES_EXEC)
		return -EOPNOTSUPP;
	uarray = u64_to_user_ptr(batch.ops);
	ops = vmemdup_array_user(uarray, batch.nr, sizeof(*ops));
	if (IS_ERR(ops))
		return PTR_ERR(no_free_ptr(ops));

	batch.done = 0;
	err = mmfd_check_ops(ops, batch.nr);
	if (!err)
		err = mmfd_do_ops(space, ops, batch.nr, &batch.done);
	err2 = mmfd_put_results(uarray, ops, batch.nr);
	if (put_user(batch.done, &uops->done))
		err2 = -EFAULT;
	return err ?: err2;
}

static void mmfd_describe(struct mmfd_query *query, struct vm_area_struct *vma)
{
	struct file *file = vma->vm_file;

	query->start = vma->vm_start;
	query->end = vma->vm_end;
	if (vma->vm_flags & VM_READ)
		query->prot |= MMFD_PROT_READ;
	if (vma->vm_flags & VM_WRITE)
		query->prot |= MMFD_PROT_WRITE;
	if (vma->vm_flags & VM_EXEC)
		query->prot |= MMFD_PROT_EXEC;
	if (vma->vm_flags & VM_SHARED)
		query->flags |= MMFD_QUERY_SHARED;
	if (file) {
		struct inode *inode = file_inode(file);

		query->flags |= MMFD_QUERY_FILE;
		query->offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
		query->inode = inode->i_ino;
		query->dev_major = MAJOR(inode->i_sb->s_dev);
		query->dev_minor = MINOR(inode->i_sb->s_dev);
	}
}

/**
 * mmfd_space_query - Describe a mapping
 * @space:	The address space
 * @uquery:	Which one, and the answer
 *
 * Context: Process context. May sleep.
 * Return: 0, -EFAULT, -EINVAL, -ENOENT if there is none, -EINTR.
 */
long mmfd_space_query(struct mmfd_space *space, struct mmfd_query __user *uquery)
{
	struct mmfd_query query, answer = { };
	struct mm_struct *mm = space->mm;
	struct vm_area_struct *vma;

	if (copy_from_user(&query, uquery, sizeof(query)))
		return -EFAULT;
	if (query.reserved[0] || query.reserved[1])
		return -EINVAL;
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = find_vma(mm, query.addr);
	if (vma)
		mmfd_describe(&answer, vma);
	mmap_read_unlock(mm);
	if (!vma)
		return -ENOENT;
	answer.addr = query.addr;
	return copy_to_user(uquery, &answer, sizeof(answer)) ? -EFAULT : 0;
}
