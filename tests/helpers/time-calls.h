/* SPDX-License-Identifier: GPL-2.0 */
/* Some time calls, and one that never passes, in instructions that are known. */
#ifndef _TIME_CALLS_H
#define _TIME_CALLS_H

/* No clock has it; the host fails a call with it, if it gets one. */
#define BAD_CLOCK 99

/* Where time_calls() makes them: from the first one on, up to the second one */
extern const char first_call[], after_calls[];

/*
 * @buffer is for a result. A step by the trap flag over a call ends behind the
 * instruction that follows it: hence the nop.
 */
static __attribute__((naked, noinline, noclone)) void
time_calls(__attribute__((unused)) void *buffer)
{
	asm volatile("push %%rbx\n"
		     "mov %%rdi, %%rbx\n"
		     "first_call:\n"
		     /* gettimeofday(buffer, NULL) */
		     "mov $96, %%eax\n"
		     "mov %%rbx, %%rdi\n"
		     "xor %%esi, %%esi\n"
		     "syscall\n"
		     /* clock_gettime(CLOCK_MONOTONIC, buffer) */
		     "mov $228, %%eax\n"
		     "mov $1, %%edi\n"
		     "mov %%rbx, %%rsi\n"
		     "syscall\n"
		     /* time(NULL) */
		     "mov $201, %%eax\n"
		     "xor %%edi, %%edi\n"
		     "syscall\n"
		     /* clock_gettime(CLOCK_REALTIME, NULL) */
		     "mov $228, %%eax\n"
		     "xor %%edi, %%edi\n"
		     "xor %%esi, %%esi\n"
		     "syscall\n"
		     /* clock_gettime(BAD_CLOCK, buffer) */
		     "mov $228, %%eax\n"
		     "mov %0, %%edi\n"
		     "mov %%rbx, %%rsi\n"
		     "syscall\n"
		     /* getppid() */
		     "mov $110, %%eax\n"
		     "syscall\n"
		     "nop\n"
		     "after_calls:\n"
		     "pop %%rbx\n"
		     "ret"
		     :
		     : "i"(BAD_CLOCK));
}

#endif /* _TIME_CALLS_H */
