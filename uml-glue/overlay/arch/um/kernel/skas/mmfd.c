// SPDX-License-Identifier: GPL-2.0
/*
 * mmfd mode: the address space of the host that belongs to one of the guest, and
 * going there.
 */

#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/sysfs.h>
#include <as-layout.h>
#include <os.h>
#include <skas.h>
#include <um_mmfd.h>

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "mmfd."

/* How often guest code was entered */
static DEFINE_PER_CPU(unsigned long, entries);

/* How long a task waits for a virtual CPU before it asks again */
#define VCPU_RETRY	(HZ / 20 + 1)

static int make_vcpu(struct um_space *space, int cpu)
{
	return os_mmfd_vcpu_create(space, &space->vcpus[cpu], 0);
}

static void free_space(struct um_space *space)
{
	int cpu;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		os_mmfd_vcpu_destroy(&space->vcpus[cpu]);
	os_close_file(space->fd);
	kfree(space);
}

/**
 * mmfd_init_context() - Give an address space of the guest one of the host
 * @mm:		the guest's
 *
 * It has a virtual CPU for the current CPU, so that most often this is where it
 * turns out that descriptors are lacking.
 *
 * Context: Process context, may sleep.
 * Return: 0, or a negative errno
 */
int mmfd_init_context(struct mm_struct *mm)
{
	struct um_space *space;
	int err;

	space = kzalloc_flex(*space, vcpus, nr_cpu_ids);
	if (!space)
		return -ENOMEM;

	err = os_mmfd_space_create();
	if (err < 0) {
		kfree(space);
		return err;
	}
	space->fd = err;

	err = make_vcpu(space, raw_smp_processor_id());
	if (err) {
		free_space(space);
		return err;
	}

	spin_lock_init(&mm->context.fp_lock);
	mm->context.id.pid = -1;
	mm->context.id.space = space;
	return 0;
}

/**
 * mmfd_destroy_context() - Take it away
 * @mm:		the guest's address space, which no task has
 */
void mmfd_destroy_context(struct mm_struct *mm)
{
	struct um_space *space = mm->context.id.space;

	if (!space)
		return;

	mm->context.id.space = NULL;
	free_space(space);
}

/**
 * mmfd_current_vcpu() - The virtual CPU that current is to run on
 *
 * It has current's FPU registers.
 *
 * Context: Process context, may sleep if it returns NULL only.
 * Return: NULL if the host did not make it. Current has waited then, and is to try
 * again when it has looked for signals.
 */
struct um_vcpu *mmfd_current_vcpu(void)
{
	struct um_space *space = current->mm->context.id.space;
	int cpu = raw_smp_processor_id();
	struct um_vcpu *vcpu = &space->vcpus[cpu];
	int err = 0;

	if (unlikely(!vcpu->run))
		err = make_vcpu(space, cpu);
	if (unlikely(err)) {
		pr_warn_ratelimited("mmfd: no virtual CPU for %s[%d]: error %d\n",
				    current->comm, task_pid_nr(current), err);
		schedule_timeout_interruptible(VCPU_RETRY);
		return NULL;
	}

	if (READ_ONCE(current->thread.fp_vcpu) != vcpu && __mmfd_fp_load(vcpu)) {
		force_sig(SIGSEGV);
		return NULL;
	}
	return vcpu;
}

/**
 * mmfd_begin() - This CPU is about to run guest code
 *
 * Until mmfd_end(), whoever takes mappings away interrupts it, and waits for that.
 *
 * Return: false if there is work to do for current first
 */
bool mmfd_begin(void)
{
	raw_cpu_inc(entries);
#ifdef CONFIG_SMP
	cpumask_set_cpu(raw_smp_processor_id(), mm_cpumask(current->mm));
	/* Pairs with that in mmfd_stop_others() */
	smp_mb__after_atomic();
#endif
	return !(read_thread_flags() & _TIF_WORK_MASK);
}

/**
 * mmfd_end() - This CPU does not run guest code any more
 */
void mmfd_end(void)
{
#ifdef CONFIG_SMP
	cpumask_clear_cpu(raw_smp_processor_id(), mm_cpumask(current->mm));
#endif
}

#ifdef CONFIG_SMP
static void nothing(void *unused)
{
}

/**
 * mmfd_stop_others() - Have other CPUs notice that mappings have changed
 * @mm:		the address space, whose changes are marked already
 *
 * When it returns, none of them runs guest code there that it has begun before; what
 * is marked, they do when they go on.
 *
 * Context: Interrupts on. May be called with the page table lock held.
 */
void mmfd_stop_others(struct mm_struct *mm)
{
	/* Pairs with that in mmfd_begin() */
	smp_mb();
	if (cpumask_empty(mm_cpumask(mm)))
		return;

	guard(preempt)();
	smp_call_function_many(mm_cpumask(mm), nothing, NULL, true);
}
#endif

static int param_set_never(const char *val, const struct kernel_param *kp)
{
	return -EPERM;
}

static int param_get_entries(char *buffer, const struct kernel_param *kp)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(entries, cpu);
	return sysfs_emit(buffer, "%lu\n", sum);
}

static const struct kernel_param_ops entries_ops = {
	.set = param_set_never,
	.get = param_get_entries,
};

module_param_cb(entries, &entries_ops, NULL, 0444);

static int __init mmfd_report(void)
{
	if (using_mmfd)
		pr_info("userspace: mmfd: address spaces of this task\n");
	else
		pr_info("userspace: %s (mmfd: %s)\n", using_seccomp ? "seccomp" : "ptrace",
			mmfd_obstacle);
	return 0;
}
early_initcall(mmfd_report);
