// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of guests: a file without a page cache.
 *
 * Its pages are not swapped or moved, and none is taken from it as long as it is there.
 * So nobody ever has to find out where a page is mapped, and it can be in an area of
 * an address space (area.c) with any number.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/security.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "mmfd.h"

#define MMFD_MEMORY_MAGIC	0x6d6d6664

static struct vfsmount *mmfd_mnt;

/**
 * mmfd_memory_folio - A page, which is made if it is not there
 * @memory:	Of a file that is open or mapped
 * @index:	The number of the page, less than mmfd_memory::nr
 *
 * Context: Process context. May sleep.
 * Return: The page, zeroed if it is new, and then charged to current's cgroup. It stays
 * as long as the file; or -ENOMEM.
 */
struct folio *mmfd_memory_folio(struct mmfd_memory *memory, unsigned long index)
{
	struct folio *folio = xa_load(&memory->folios, index), *other;

	if (folio)
		return folio;
	folio = folio_alloc(GFP_HIGHUSER | __GFP_ZERO | __GFP_ACCOUNT, 0);
	if (!folio)
		return ERR_PTR(-ENOMEM);
	__folio_mark_uptodate(folio);
	other = xa_cmpxchg(&memory->folios, index, NULL, folio, GFP_KERNEL_ACCOUNT);
	if (!other) {
		atomic_long_inc(&memory->resident);
		return folio;
	}
	folio_put(folio);
	return xa_is_err(other) ? ERR_PTR(xa_err(other)) : other;
}

static vm_fault_t mmfd_memory_fault(struct vm_fault *vmf)
{
	struct mmfd_memory *memory = file_inode(vmf->vma->vm_file)->i_private;
	struct folio *folio;

	if (vmf->pgoff >= memory->nr)
		return VM_FAULT_SIGBUS;
	folio = mmfd_memory_folio(memory, vmf->pgoff);
	if (IS_ERR(folio))
		return vmf_error(PTR_ERR(folio));
	folio_get(folio);
	vmf->page = folio_page(folio, 0);
	return 0;
}

static const struct vm_operations_struct mmfd_memory_vm_ops = {
	.fault	= mmfd_memory_fault,
};

static int mmfd_memory_mmap_prepare(struct vm_area_desc *desc)
{
	desc->vm_ops = &mmfd_memory_vm_ops;
	return 0;
}

static void mmfd_memory_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct mmfd_memory *memory = file_inode(file)->i_private;

	seq_printf(m, "mmfd-memory:\t%lu kB\nmmfd-resident:\t%lu kB\n",
		   memory->nr << (PAGE_SHIFT - 10),
		   atomic_long_read(&memory->resident) << (PAGE_SHIFT - 10));
}

const struct file_operations mmfd_memory_fops = {
	.mmap_prepare	= mmfd_memory_mmap_prepare,
	.show_fdinfo	= mmfd_memory_show_fdinfo,
};

static int mmfd_memory_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			       struct iattr *attr)
{
	return attr->ia_valid & ATTR_SIZE ? -EINVAL : simple_setattr(idmap, dentry, attr);
}

static const struct inode_operations mmfd_memory_iops = {
	.setattr	= mmfd_memory_setattr,
};

static void mmfd_memory_free(struct mmfd_memory *memory)
{
	struct folio *folio;
	unsigned long index;

	xa_for_each(&memory->folios, index, folio) {
		folio_put(folio);
		cond_resched();
	}
	xa_destroy(&memory->folios);
	kfree(memory);
}

static void mmfd_evict_inode(struct inode *inode)
{
	clear_inode(inode);
	if (inode->i_private)
		mmfd_memory_free(inode->i_private);
}

static const struct super_operations mmfd_super_ops = {
	.statfs		= simple_statfs,
	.evict_inode	= mmfd_evict_inode,
};

static struct inode *mmfd_memory_inode(u64 size)
{
	struct mmfd_memory *memory = kzalloc_obj(*memory, GFP_KERNEL_ACCOUNT);
	struct inode *inode;
	int err;

	if (!memory)
		return ERR_PTR(-ENOMEM);
	xa_init(&memory->folios);
	memory->nr = size >> PAGE_SHIFT;
	inode = new_inode(mmfd_mnt->mnt_sb);
	if (!inode) {
		kfree(memory);
		return ERR_PTR(-ENOMEM);
	}
	inode->i_private = memory;
	inode->i_ino = get_next_ino();
	inode->i_mode = S_IFREG | 0600;
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	inode->i_op = &mmfd_memory_iops;
	simple_inode_init_ts(inode);
	i_size_write(inode, size);
	clear_nlink(inode);
	err = security_inode_init_security_anon(inode, &QSTR("[mmfd-memory]"), NULL);
	if (err) {
		iput(inode);
		return ERR_PTR(err);
	}
	return inode;
}

/**
 * mmfd_memory_create - Make memory
 * @ucreate:	Its size, and flags
 *
 * Context: Process context. May sleep.
 * Return: Its descriptor, -EFAULT, -EINVAL, -EFBIG if a file cannot be that large,
 * -EMFILE, -ENFILE, -ENOMEM, or an error of a security module.
 */
long mmfd_memory_create(struct mmfd_memory_create __user *ucreate)
{
	struct mmfd_memory_create create;
	struct inode *inode;
	struct file *file;
	int fd_flags;

	if (copy_from_user(&create, ucreate, sizeof(create)))
		return -EFAULT;
	if (create.flags & ~MMFD_MEMORY_CLOEXEC || !create.size ||
	    !PAGE_ALIGNED(create.size) ||
	    memchr_inv(create.reserved, 0, sizeof(create.reserved)))
		return -EINVAL;
	if (create.size > MAX_LFS_FILESIZE)
		return -EFBIG;
	inode = mmfd_memory_inode(create.size);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	file = alloc_file_pseudo(inode, mmfd_mnt, "[mmfd-memory]", O_RDWR | O_LARGEFILE,
				 &mmfd_memory_fops);
	if (IS_ERR(file)) {
		iput(inode);
		return PTR_ERR(file);
	}
	fd_flags = create.flags & MMFD_MEMORY_CLOEXEC ? O_CLOEXEC : 0;
	return FD_ADD(fd_flags, file);
}

/* Supervisors that are kernels execute what is in their memory. */
static int mmfd_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, MMFD_MEMORY_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &mmfd_super_ops;
	fc->s_iflags &= ~SB_I_NOEXEC;
	return 0;
}

static struct file_system_type mmfd_fs = {
	.name			= "mmfd",
	.init_fs_context	= mmfd_init_fs_context,
	.kill_sb		= kill_anon_super,
};

static int __init mmfd_memory_init(void)
{
	mmfd_mnt = kern_mount(&mmfd_fs);
	return PTR_ERR_OR_ZERO(mmfd_mnt);
}
fs_initcall(mmfd_memory_init);
