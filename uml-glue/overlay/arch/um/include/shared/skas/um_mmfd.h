/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mmfd mode: guest code runs in address spaces that are descriptors of the UML
 * kernel's own task. See Documentation/virt/uml/mmfd.rst.
 */
#ifndef __UM_MMFD_H
#define __UM_MMFD_H

#ifdef __UM_HOST__
#include <stdbool.h>
#else
#include <linux/types.h>
#endif

struct mm_id;
struct mm_struct;
struct mmfd_run;
struct task_struct;
struct uml_pt_regs;

/**
 * struct um_vcpu - What one CPU of the guest has in one address space
 * @fd:		descriptor of a virtual CPU; meaningless without @run
 * @run:	the page that it shares with the host's kernel, NULL if it was not
 *		made yet
 * @pass:	TIMECLOCK_*: what it was made to let pass
 * @fp_task:	whose FPU registers it has, or NULL; see mmfd_fp.c
 *
 * Only the CPU that it belongs to changes it, or nobody has the address space.
 * For @fp_task see mmfd_fp.c.
 */
struct um_vcpu {
	int			fd;
	struct mmfd_run		*run;
	unsigned int		pass;
	struct task_struct	*fp_task;
};

/**
 * struct um_space - An address space of the host, for one of the guest
 * @fd:		its descriptor
 * @vcpus:	by number of the guest's CPU
 */
struct um_space {
	int		fd;
	struct um_vcpu	vcpus[];
};

#ifdef CONFIG_UML_MMFD

/* Set once, before the kernel runs */
extern int using_mmfd;

/* arch/um/os-Linux/skas/mmfd.c */
int os_mmfd_space_create(void);
int os_mmfd_vcpu_create(struct um_space *space, struct um_vcpu *vcpu, unsigned int pass);
void os_mmfd_vcpu_destroy(struct um_vcpu *vcpu);
int os_mmfd_xstate_get(struct um_vcpu *vcpu, void *fp, unsigned long size);
int os_mmfd_xstate_set(struct um_vcpu *vcpu, const void *fp, unsigned long size);
int mmfd_map(struct mm_id *mm_id, unsigned long virt, unsigned long len, int prot,
	     int phys_fd, unsigned long long offset);
int mmfd_unmap(struct mm_id *mm_id, unsigned long virt, unsigned long len);
int mmfd_flush(struct mm_id *mm_id);

/* arch/um/os-Linux/skas/mmfd_run.c */
void mmfd_userspace(struct uml_pt_regs *regs);
void mmfd_interrupt(void);

/* arch/um/os-Linux/skas/mmfd_probe.c */
extern const char *mmfd_obstacle;
bool os_mmfd_choose(bool other_named);

/* arch/um/kernel/skas/mmfd.c */
int mmfd_init_context(struct mm_struct *mm);
void mmfd_destroy_context(struct mm_struct *mm);
struct um_vcpu *mmfd_current_vcpu(void);
bool mmfd_begin(void);
void mmfd_end(void);
void mmfd_stop_others(struct mm_struct *mm);

/* arch/um/kernel/skas/mmfd_fp.c */
int __mmfd_fp_load(struct um_vcpu *vcpu);
void __mmfd_fp_save(struct task_struct *task);
void __mmfd_fp_drop(struct task_struct *task);

#else

#define using_mmfd 0

static inline int mmfd_map(struct mm_id *mm_id, unsigned long virt, unsigned long len,
			   int prot, int phys_fd, unsigned long long offset)
{
	return -1;
}

static inline int mmfd_unmap(struct mm_id *mm_id, unsigned long virt, unsigned long len)
{
	return -1;
}

static inline int mmfd_flush(struct mm_id *mm_id) { return -1; }
static inline void mmfd_userspace(struct uml_pt_regs *regs) { }
static inline void mmfd_interrupt(void) { }
static inline bool os_mmfd_choose(bool other_named) { return false; }
static inline int mmfd_init_context(struct mm_struct *mm) { return -1; }
static inline void mmfd_destroy_context(struct mm_struct *mm) { }
static inline void mmfd_stop_others(struct mm_struct *mm) { }
static inline void __mmfd_fp_save(struct task_struct *task) { }
static inline void __mmfd_fp_drop(struct task_struct *task) { }

#endif /* CONFIG_UML_MMFD */

/**
 * mmfd_fp_save() - Have a task's FPU registers in its uml_pt_regs::fp
 * @task:	current, or a task that does not run
 *
 * To be called before they are read there.
 */
static inline void mmfd_fp_save(struct task_struct *task)
{
	if (using_mmfd)
		__mmfd_fp_save(task);
}

/**
 * mmfd_fp_drop() - Have a task's FPU registers loaded from its uml_pt_regs::fp
 * @task:	current, or a task that does not run
 *
 * To be called before they are written there; after mmfd_fp_save(), if not all are.
 */
static inline void mmfd_fp_drop(struct task_struct *task)
{
	if (using_mmfd)
		__mmfd_fp_drop(task);
}

#endif /* __UM_MMFD_H */
