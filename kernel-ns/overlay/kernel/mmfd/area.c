// SPDX-License-Identifier: GPL-2.0
/*
 * Areas of an address space, where pages of a memory are put one by one.
 *
 * What a supervisor has given to a guest is in no order, as what user code has on a
 * machine. With a mapping for each piece of a file, to give and to take a page is to
 * change the tree of mappings. An area is a single mapping, which allows nothing, with
 * page table entries that are set by MMFD_OP_INSERT and cleared by MMFD_OP_REMOVE. So
 * every fault in it is one for the guest's supervisor, and nobody else fills in page
 * tables.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmfd_debug.h>
#include <linux/rmap.h>
#include <linux/security.h>
#include <linux/xarray.h>

#include "mmfd.h"

/* Not called, as no access is allowed there, but a file's mapping has to have it. */
static vm_fault_t mmfd_area_fault(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct mmfd_area_vm_ops = {
	.fault	= mmfd_area_fault,
};

/*
 * Nobody may allow more: the kernel would then fill in page tables. A copy of the
 * address space has the same pages. Which of them were used last is of no interest, as
 * they are not swapped.
 */
static int mmfd_area_mmap_prepare(struct vm_area_desc *desc)
{
	if (mmfd_guard(area_access))
		vma_desc_clear_flags(desc, VMA_MAYREAD_BIT, VMA_MAYWRITE_BIT,
				     VMA_MAYEXEC_BIT);
	vma_desc_set_flags(desc, VMA_MIXEDMAP_BIT, VMA_DONTEXPAND_BIT, VMA_DONTDUMP_BIT,
			   VMA_RAND_READ_BIT);
	desc->vm_ops = &mmfd_area_vm_ops;
	return 0;
}

static const struct file_operations mmfd_area_fops = {
	.mmap_prepare	= mmfd_area_mmap_prepare,
};

/**
 * mmfd_map_area - Make a range one where pages of a memory can be
 * @op:		Where, and the memory's descriptor. What is there is unmapped
 *
 * Context: current->mm is the address space to change. May sleep.
 * Return: 0, -EBADF, -EACCES if it is a descriptor of something else, -ENOMEM,
 * -EPERM, or an error of a security module, which is asked as for a mapping with all
 * permissions.
 */
int mmfd_map_area(const struct mmfd_op *op)
{
	struct file *area;
	unsigned long ret;

	CLASS(fd, f)(op->fd);
	if (fd_empty(f))
		return -EBADF;
	if (fd_file(f)->f_op != &mmfd_memory_fops)
		return -EACCES;
	ret = security_mmap_file(fd_file(f), PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED);
	if (ret)
		return ret;
	area = alloc_file_clone(fd_file(f), O_RDWR, &mmfd_area_fops);
	if (IS_ERR(area))
		return PTR_ERR(area);
	ret = vm_mmap(area, op->addr, op->len, PROT_NONE, MAP_SHARED | MAP_FIXED, 0);
	fput(area);
	return IS_ERR_VALUE(ret) ? (int)ret : 0;
}

static bool mmfd_is_area(struct vm_area_struct *vma)
{
	return vma->vm_ops == &mmfd_area_vm_ops;
}

static struct mmfd_memory *mmfd_memory_of(struct vm_area_struct *area)
{
	return file_inode(area->vm_file)->i_private;
}

static pte_t mmfd_make_pte(struct vm_area_struct *vma, struct folio *folio, u32 prot)
{
	pgprot_t pgprot = vm_get_page_prot(VM_SHARED | calc_vm_prot_bits(prot, 0));
	pte_t pte = pte_mkyoung(folio_mk_pte(folio, pgprot));

	return prot & MMFD_PROT_WRITE ? pte_mkwrite(pte_mkdirty(pte), vma) : pte;
}

/*
 * The page table is locked. Returns how many pages are there that were not, or -EEXIST
 * if what is there has to go before.
 */
static int mmfd_set_pte(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep,
			struct folio *folio, u32 prot)
{
	pte_t entry = mmfd_make_pte(vma, folio, prot), old = ptep_get(ptep);

	if (pte_none(old)) {
		folio_get(folio);
		folio_add_file_rmap_pte(folio, folio_page(folio, 0), vma);
		set_pte_at(vma->vm_mm, addr, ptep, entry);
		return 1;
	}
	if (!pte_same(pte_mkyoung(old),
		      mmfd_make_pte(vma, folio, prot & ~MMFD_PROT_WRITE)))
		return -EEXIST;
	/* Only more is allowed. A CPU that does not know yet, faults. */
	set_pte_at(vma->vm_mm, addr, ptep, entry);
	return 0;
}

/*
 * Set entries of one page table, until there is a page that was not used yet: -EAGAIN,
 * or an entry that is in use: -EEXIST. Sets @done to how many were set before.
 */
static int mmfd_set_ptes(struct vm_area_struct *vma, unsigned long addr,
			 unsigned long index, unsigned int nr, u32 prot,
			 unsigned int *done)
{
	XA_STATE(xas, &mmfd_memory_of(vma)->folios, index);
	struct folio *folio;
	int ret = 0, new = 0;
	unsigned int i;
	spinlock_t *ptl;	/* of the page table */
	pte_t *ptep;

	*done = 0;
	ptep = get_locked_pte(vma->vm_mm, addr, &ptl);
	if (!ptep)
		return -ENOMEM;
	rcu_read_lock();
	for (i = 0; i < nr; i++, addr += PAGE_SIZE) {
		do {
			folio = i ? xas_next(&xas) : xas_load(&xas);
		} while (xas_retry(&xas, folio));
		ret = folio ? mmfd_set_pte(vma, addr, ptep + i, folio, prot) : -EAGAIN;
		if (ret < 0)
			break;
		new += ret;
	}
	rcu_read_unlock();
	add_mm_counter(vma->vm_mm, MM_FILEPAGES, new);
	pte_unmap_unlock(ptep, ptl);
	*done = i;
	return min(ret, 0);
}

/* What mmfd_set_ptes() has stopped at: 0 if it can go on. */
static int mmfd_make_way(struct vm_area_struct *vma, unsigned long addr,
			 unsigned long index, int err)
{
	if (err == -EEXIST) {
		zap_vma_range(vma, addr, PAGE_SIZE);
		return 0;
	}
	if (err == -EAGAIN)
		return PTR_ERR_OR_ZERO(mmfd_memory_folio(mmfd_memory_of(vma), index));
	return err;
}

/* The part of an element that is in one page table of one area. */
static int mmfd_insert_part(struct vm_area_struct *vma, unsigned long addr,
			    unsigned long index, unsigned int nr, u32 prot)
{
	unsigned int done;
	int err;

	do {
		err = mmfd_set_ptes(vma, addr, index, nr, prot, &done);
		addr += done * PAGE_SIZE;
		index += done;
		nr -= done;
		err = mmfd_make_way(vma, addr, index, err);
	} while (!err && nr);
	return err;
}

static bool mmfd_memory_has(struct vm_area_struct *area, unsigned long index,
			    unsigned long nr)
{
	struct mmfd_memory *memory = mmfd_memory_of(area);

	return (index < memory->nr && nr <= memory->nr - index) || !mmfd_guard(memory_end);
}

/**
 * mmfd_insert - Put pages of an area's memory into it
 * @mm:		The address space
 * @op:		Where and which. What is there is replaced
 *
 * Context: Process context. May sleep. Takes mmap_lock.
 * Return: 0, or an error with a part of it done: -ENOENT where there is no area,
 * -ENXIO behind the end of the memory, -ENOMEM, -EINTR if current is being killed.
 */
int mmfd_insert(struct mm_struct *mm, const struct mmfd_op *op)
{
	unsigned long addr = op->addr, end = op->addr + op->len, next, nr;
	unsigned long index = op->offset >> PAGE_SHIFT;
	struct vm_area_struct *vma;
	int err = 0;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	for (; addr < end && !err; addr = next, index += nr) {
		vma = vma_lookup(mm, addr);
		if (!vma || !mmfd_is_area(vma)) {
			err = -ENOENT;
			break;
		}
		next = min(pmd_addr_end(addr, end), vma->vm_end);
		nr = (next - addr) >> PAGE_SHIFT;
		if (!mmfd_memory_has(vma, index, nr))
			err = -ENXIO;
		else if (fatal_signal_pending(current))
			err = -EINTR;
		else
			err = mmfd_insert_part(vma, addr, index, nr, op->prot);
		cond_resched();
	}
	mmap_read_unlock(mm);
	return err;
}

/**
 * mmfd_remove - Take pages out of areas
 * @mm:		The address space
 * @op:		Where; need not be there
 *
 * They cannot be accessed there any more when it returns. What is mapped there outside
 * of areas stays. Page tables stay as well, as long as the area is mapped.
 *
 * Context: Process context. May sleep. Takes mmap_lock.
 * Return: 0, or -EINTR if current is being killed.
 */
int mmfd_remove(struct mm_struct *mm, const struct mmfd_op *op)
{
	unsigned long end = op->addr + op->len, from;
	struct vm_area_struct *vma;
	struct vma_iterator vmi;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma_iter_init(&vmi, mm, op->addr);
	for_each_vma_range(vmi, vma, end) {
		if (!mmfd_is_area(vma))
			continue;
		from = max(op->addr, vma->vm_start);
		zap_vma_range(vma, from, min(end, vma->vm_end) - from);
	}
	mmap_read_unlock(mm);
	return 0;
}
