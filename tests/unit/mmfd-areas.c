// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for guests, and its pages in areas of address spaces: mmfd_memory_create(),
 * mmfd_map_area(), mmfd_insert() and mmfd_remove(), and which errors they return.
 * Needs CONFIG_MMFD and root.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "mmfd-guest.h"

#define MEMORY_PAGES 8UL
/* The area is larger than the memory, and in two page tables */
#define AREA_PAGES   16UL
#define AREA	     (0x600000UL - AREA_PAGES / 2 * PAGE)
#define AREA_PAGE(i) (AREA + PAGE * (i))
#define NO_FD	     999

#define WRITE_FAULT 2 /* in the error code of a page fault */

static struct guest g;
static int memory;
static uint8_t *seen; /* the memory, as mapped here */

static void expect(int ret, int want, const char *what)
{
	check(ret == want, "%s: %d, not %d", what, ret, want);
}

static uint64_t *seen_page(unsigned long i)
{
	return (uint64_t *)(seen + i * PAGE);
}

/* An area with nothing in it, whatever was there */
static void new_area(void)
{
	expect(mmfd_map_area(g.space, AREA, AREA_PAGES * PAGE, memory), 0,
	       "map the area");
}

static void start_load(uint64_t addr)
{
	GUEST_LOAD(&g, "\x48\x8b\x1f" X_SYSCALL); /* mov (%rdi),%rbx */
	g.page->regs.rdi = addr;
}

static void start_store(uint64_t addr, uint64_t value)
{
	GUEST_LOAD(&g, "\x48\x89\x1f" X_SYSCALL); /* mov %rbx,(%rdi) */
	g.page->regs.rdi = addr;
	g.page->regs.rbx = value;
}

static void loads(uint64_t addr, uint64_t want, const char *what)
{
	start_load(addr);
	check_run(&g, MMFD_EXIT_SYSCALL, what);
	check(g.page->regs.rbx == want, "%s: %#llx, not %#llx", what,
	      (unsigned long long)g.page->regs.rbx, (unsigned long long)want);
}

static void stores(uint64_t addr, uint64_t value, const char *what)
{
	start_store(addr, value);
	check_run(&g, MMFD_EXIT_SYSCALL, what);
}

static void check_fault(uint64_t addr, const char *what)
{
	check_run(&g, MMFD_EXIT_FAULT, what);
	check(g.page->addr == addr, "%s: the fault is elsewhere", what);
}

static void load_faults(uint64_t addr, const char *what)
{
	start_load(addr);
	check_fault(addr, what);
	check(!(g.page->error_code & WRITE_FAULT), "%s: a write", what);
}

static void store_faults(uint64_t addr, const char *what)
{
	start_store(addr, 1);
	check_fault(addr, what);
	check(g.page->error_code & WRITE_FAULT, "%s: no write", what);
}

static void fdinfo_has(const char *want)
{
	char path[64], text[1024];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", memory);
	fd = open(path, O_RDONLY);
	len = read(fd, text, sizeof(text) - 1);
	text[len < 0 ? 0 : len] = '\0';
	check(!!strstr(text, want), "fdinfo has no '%s'", want);
	close(fd);
}

static void a_memory_is_a_file_of_fixed_size(void)
{
	struct stat st;
	char byte = 0;

	check(fcntl(memory, F_GETFD) & FD_CLOEXEC, "memory is inherited");
	check(!fstat(memory, &st) && S_ISREG(st.st_mode), "no regular file");
	expect(st.st_size, MEMORY_PAGES * PAGE, "its size");
	check(ftruncate(memory, PAGE) && errno == EINVAL, "truncated");
	check(read(memory, &byte, 1) < 0 && errno == EINVAL, "read");
	check(write(memory, &byte, 1) < 0 && errno == EINVAL, "written");
	fdinfo_has("mmfd-memory:\t32 kB\n");
	fdinfo_has("mmfd-resident:\t0 kB\n");
	check(!seen[PAGE], "it is not zero");
	fdinfo_has("mmfd-resident:\t4 kB\n");
}

static void nothing_is_in_an_area_at_first(void)
{
	struct mmfd_query q;

	new_area();
	check(!mmfd_query(g.space, AREA, &q) && q.start == AREA, "not there");
	check(q.end == AREA + AREA_PAGES * PAGE, "it ends elsewhere");
	check(!q.prot && q.flags == (MMFD_QUERY_FILE | MMFD_QUERY_SHARED),
	      "prot %u, flags %u", q.prot, q.flags);
	load_faults(AREA, "load");
	store_faults(AREA_PAGE(AREA_PAGES - 1), "store");
}

static void pages_are_where_they_were_put(void)
{
	unsigned long i, addr;

	new_area();
	for (i = 0; i < MEMORY_PAGES; i++) {
		*seen_page(i) = 0x1000 + i;
		addr = AREA_PAGE(AREA_PAGES - 1 - i);
		expect(mmfd_insert(g.space, addr, PAGE, READ_WRITE, i * PAGE),
		       0, "insert");
	}
	for (i = 0; i < MEMORY_PAGES; i++) {
		addr = AREA_PAGE(AREA_PAGES - 1 - i);
		loads(addr, 0x1000 + i, "reversed");
		stores(addr, 0x2000 + i, "reversed");
		check(*seen_page(i) == 0x2000 + i, "page %lu is another", i);
	}
	load_faults(AREA_PAGE(AREA_PAGES - 1 - MEMORY_PAGES), "the next one");
}

static void many_are_put_at_once(void)
{
	unsigned long from = AREA_PAGES / 2 - 3, i;

	new_area();
	expect(mmfd_insert(g.space, AREA_PAGE(from), 6 * PAGE, READ_WRITE,
			   2 * PAGE),
	       0, "in two page tables");
	for (i = 0; i < 6; i++) {
		*seen_page(2 + i) = 0x3000 + i;
		loads(AREA_PAGE(from + i), 0x3000 + i, "in order");
	}
	load_faults(AREA_PAGE(from - 1), "before the first");
	load_faults(AREA_PAGE(from + 6), "behind the last");
	expect(mmfd_remove(g.space, AREA_PAGE(from + 2), 2 * PAGE), 0,
	       "remove from two page tables");
	loads(AREA_PAGE(from + 1), 0x3001, "before what was removed");
	load_faults(AREA_PAGE(from + 2), "the first that was removed");
	load_faults(AREA_PAGE(from + 3), "the last that was removed");
	loads(AREA_PAGE(from + 4), 0x3004, "behind what was removed");
}

static void each_place_has_its_own_protection(void)
{
	new_area();
	expect(mmfd_insert(g.space, AREA_PAGE(0), PAGE, READ_WRITE, 0), 0,
	       "insert");
	expect(mmfd_insert(g.space, AREA_PAGE(9), PAGE, MMFD_PROT_READ, 0), 0,
	       "insert again");
	stores(AREA_PAGE(0), 42, "store at the first place");
	loads(AREA_PAGE(9), 42, "load at the second");
	store_faults(AREA_PAGE(9), "store at the second");
	check(*seen_page(0) == 42, "it was written");
}

static void a_write_goes_on_once_it_is_allowed(void)
{
	new_area();
	*seen_page(3) = 5;
	expect(mmfd_insert(g.space, AREA, PAGE, MMFD_PROT_READ, 3 * PAGE), 0,
	       "insert to read");
	loads(AREA, 5, "load");
	start_store(AREA, 6);
	check_fault(AREA, "store");
	check(*seen_page(3) == 5, "it was written");
	expect(mmfd_insert(g.space, AREA, PAGE, READ_WRITE, 3 * PAGE), 0,
	       "insert to write");
	check_run(&g, MMFD_EXIT_SYSCALL, "the same store");
	check(*seen_page(3) == 6, "it was not written");
	expect(mmfd_insert(g.space, AREA, PAGE, MMFD_PROT_READ, 3 * PAGE), 0,
	       "insert to read again");
	store_faults(AREA, "store, not allowed any more");
	loads(AREA, 6, "load again");
}

static void a_page_goes_when_another_one_comes(void)
{
	new_area();
	*seen_page(0) = 10;
	*seen_page(1) = 11;
	expect(mmfd_insert(g.space, AREA, PAGE, READ_WRITE, 0), 0, "the first");
	loads(AREA, 10, "the first");
	expect(mmfd_insert(g.space, AREA, PAGE, READ_WRITE, PAGE), 0,
	       "the second");
	stores(AREA, 12, "the second");
	check(*seen_page(0) == 10 && *seen_page(1) == 12, "it is the first");
}

static void a_removed_page_is_kept_by_its_memory(void)
{
	new_area();
	expect(mmfd_insert(g.space, AREA, PAGE, READ_WRITE, 0), 0, "insert");
	stores(AREA, 77, "store");
	expect(mmfd_remove(g.space, AREA, PAGE), 0, "remove");
	load_faults(AREA, "load");
	store_faults(AREA, "store");
	check(*seen_page(0) == 77, "it has gone");
	expect(mmfd_remove(g.space, AREA, PAGE), 0, "remove again");
	expect(mmfd_insert(g.space, AREA, PAGE, MMFD_PROT_READ, 0), 0,
	       "insert again");
	loads(AREA, 77, "load");
}

static void other_mappings_stay_when_pages_are_removed(void)
{
	stores(GUEST_DATA, 123, "store");
	expect(mmfd_insert(g.space, AREA, PAGE, READ_WRITE, 0), 0, "insert");
	expect(mmfd_remove(g.space, GUEST_CODE, AREA + PAGE - GUEST_CODE), 0,
	       "remove all that there is");
	loads(GUEST_DATA, 123, "load");
	load_faults(AREA, "load from the area");
}

static void what_is_executed_has_to_be_allowed(void)
{
	void *text;

	new_area();
	memcpy(seen, X_SYSCALL, 2);
	GUEST_LOAD(&g, X_SYSCALL);
	g.page->regs.rip = AREA;
	expect(mmfd_insert(g.space, AREA, PAGE, READ_WRITE, 0), 0, "insert");
	check_fault(AREA, "execute");
	expect(mmfd_insert(g.space, AREA, PAGE, READ_EXEC, 0), 0,
	       "insert to execute");
	check_run(&g, MMFD_EXIT_SYSCALL, "execute");
	check(g.page->regs.rip == AREA + 2, "it ran elsewhere");
	text = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, memory, 0);
	check(text != MAP_FAILED && !memcmp(text, X_SYSCALL, 2),
	      "not to execute here");
	munmap(text, PAGE);
}

static void others_may_map_a_memory_and_replace_an_area(void)
{
	new_area();
	*seen_page(0) = 80;
	*seen_page(1) = 81;
	expect(mmfd_insert(g.space, AREA, 3 * PAGE, READ_WRITE, 0), 0,
	       "insert");
	expect(mmfd_map(g.space, AREA_PAGE(1), PAGE, READ_WRITE,
			MMFD_MAP_SHARED, memory, PAGE),
	       0, "map the memory");
	stores(AREA_PAGE(1), 82, "where it is mapped");
	check(*seen_page(1) == 82, "it is another page");
	loads(AREA_PAGE(0), 80, "in the rest of the area");
	expect(mmfd_insert(g.space, AREA_PAGE(1), PAGE, READ_WRITE, 0), -ENOENT,
	       "insert into what is no area any more");
	loads(AREA_PAGE(1), 82, "after a failure");
	expect(mmfd_insert(g.space, AREA_PAGE(2), PAGE, READ_WRITE, 0), 0,
	       "insert into the rest");
	loads(AREA_PAGE(2), 80, "the page of the memory, not of the place");
	expect(mmfd_unmap(g.space, AREA, AREA_PAGES * PAGE), 0, "unmap");
	load_faults(AREA_PAGE(0), "what was unmapped");
	new_area();
	load_faults(AREA_PAGE(0), "a new area");
}

static void a_batch_makes_an_area_and_fills_it(void)
{
	struct mmfd_op ops[3] = {
		{ .op = MMFD_OP_AREA, .fd = memory },
		{ .op = MMFD_OP_INSERT, .fd = -1, .prot = MMFD_PROT_READ },
		{ .op = MMFD_OP_REMOVE, .fd = -1 },
	};
	unsigned int i, done = 9;

	*seen_page(0) = 90;
	for (i = 0; i < 3; i++) {
		ops[i].addr = AREA;
		ops[i].len = PAGE;
	}
	expect(mmfd_ops(g.space, ops, 2, &done), 0, "batch");
	expect(done, 2, "how many were done");
	loads(AREA, 90, "load");
	ops[1].offset = MEMORY_PAGES * PAGE;
	expect(mmfd_ops(g.space, ops, 3, &done), -ENXIO, "batch");
	expect(done, 1, "how many were done before the error");
	expect(ops[1].result, -ENXIO, "the second");
	expect(ops[2].result, -ECANCELED, "the third");
	load_faults(AREA, "load from the new area");
}

static void refused_memories(void)
{
	expect(mmfd_memory_create(g.dev, 0), -EINVAL, "of no size");
	expect(mmfd_memory_create(g.dev, PAGE + 1), -EINVAL, "of an odd size");
	expect(mmfd_memory_create(g.dev, 1ULL << 63), -EFBIG, "too large");
	expect(mmfd_memory_create(NO_FD, PAGE), -EBADF, "of no descriptor");
	expect(mmfd_memory_create(g.space, PAGE), -ENOTTY, "of a space");
	expect(mmfd_memory_create(memory, PAGE), -ENOTTY, "of a memory");
}

static void refused_areas(void)
{
	struct mmfd_query q;

	expect(mmfd_map_area(g.space, GUEST_NONE, PAGE, NO_FD), -EBADF,
	       "area of no descriptor");
	expect(mmfd_map_area(g.space, GUEST_NONE, PAGE, g.memory), -EACCES,
	       "area of a memfd");
	expect(mmfd_map_area(g.space, GUEST_NONE, PAGE, g.space), -EACCES,
	       "area of a space");
	expect(mmfd_map_area(NO_FD, GUEST_NONE, PAGE, memory), -EBADF,
	       "area in no space");
	expect(mmfd_map_area(g.dev, GUEST_NONE, PAGE, memory), -ENOTTY,
	       "area in the device");
	expect(mmfd_map_area(g.space, GUEST_NONE + 1, PAGE, memory), -EINVAL,
	       "area at an odd address");
	check(!mmfd_query(g.space, GUEST_NONE, &q) && q.start > GUEST_NONE,
	      "something is there");
}

static void malformed_inserts(void)
{
	expect(mmfd_insert(NO_FD, AREA, PAGE, READ_WRITE, 0), -EBADF,
	       "into no space");
	expect(mmfd_insert(g.dev, AREA, PAGE, READ_WRITE, 0), -ENOTTY,
	       "into the device");
	expect(mmfd_insert(g.space, AREA, PAGE, 0, 0), -EINVAL,
	       "without permission");
	expect(mmfd_insert(g.space, AREA, PAGE, MMFD_PROT_WRITE, 0), -EINVAL,
	       "to write only");
	expect(mmfd_insert(g.space, AREA, PAGE, READ_WRITE | 8, 0), -EINVAL,
	       "with an unknown permission");
	expect(mmfd_insert(g.space, AREA + 1, PAGE, READ_WRITE, 0), -EINVAL,
	       "at an odd address");
	expect(mmfd_insert(g.space, AREA, PAGE, READ_WRITE, 1), -EINVAL,
	       "from an odd offset");
	expect(mmfd_insert(g.space, -PAGE, PAGE, READ_WRITE, 0), -EINVAL,
	       "at the kernel's addresses");
	expect(mmfd_remove(g.dev, AREA, PAGE), -ENOTTY, "from the device");
	expect(mmfd_remove(NO_FD, AREA, PAGE), -EBADF, "from no space");
	expect(mmfd_remove(g.space, AREA, PAGE + 1), -EINVAL,
	       "remove an odd length");
}

static void inserts_beyond_an_end(void)
{
	const uint64_t size = MEMORY_PAGES * PAGE;

	new_area();
	expect(mmfd_insert(g.space, AREA, PAGE, READ_WRITE, size), -ENXIO,
	       "beyond the memory");
	expect(mmfd_insert(g.space, AREA, PAGE, READ_WRITE, -PAGE), -ENXIO,
	       "far beyond the memory");
	expect(mmfd_insert(g.space, AREA, size + PAGE, READ_WRITE, 0), -ENXIO,
	       "more than the memory has");
	expect(mmfd_insert(g.space, AREA_PAGE(AREA_PAGES - 1), 2 * PAGE,
			   READ_WRITE, 0),
	       -ENOENT, "beyond the area");
}

static void no_area_no_change(void)
{
	struct mmfd_query before, after;

	stores(GUEST_DATA, 321, "store");
	check(!mmfd_query(g.space, GUEST_DATA, &before), "query");
	expect(mmfd_insert(g.space, GUEST_DATA, PAGE, MMFD_PROT_READ, 0),
	       -ENOENT, "insert into another mapping");
	check(!mmfd_query(g.space, GUEST_DATA, &after), "query");
	check(!memcmp(&before, &after, sizeof(after)), "it is another mapping");
	loads(GUEST_DATA, 321, "load");
	stores(GUEST_DATA, 322, "store again");

	expect(mmfd_insert(g.space, GUEST_NONE, PAGE, MMFD_PROT_READ, 0),
	       -ENOENT, "insert into nothing");
	check(!mmfd_query(g.space, GUEST_NONE, &after), "query");
	check(after.start > GUEST_NONE, "something is there");
	load_faults(GUEST_NONE, "load");
}

static void protections_come_with_the_pages_only(void)
{
	new_area();
	*seen_page(0) = 55;
	expect(mmfd_insert(g.space, AREA, PAGE, MMFD_PROT_READ, 0), 0,
	       "insert");
	expect(mmfd_protect(g.space, AREA, PAGE, READ_WRITE), -EACCES,
	       "protect to write");
	expect(mmfd_protect(g.space, AREA, PAGE, MMFD_PROT_READ), -EACCES,
	       "protect to read");
	loads(AREA, 55, "load");
	store_faults(AREA, "store");
}

/* In the caller's own address space, of which fork(2) makes the copy. */
static void a_copy_has_the_same_pages(void)
{
	int self = mmfd_create(g.dev, MMFD_CREATE_SELF), status;
	volatile uint64_t *page;
	pid_t pid;

	page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(mmfd_map_area(self, (uintptr_t)page, PAGE, memory), 0,
	       "area of its own");
	expect(mmfd_insert(self, (uintptr_t)page, PAGE, READ_WRITE, 5 * PAGE),
	       0, "insert");
	*page = 500;
	check(*seen_page(5) == 500, "it is another page");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		status = *page != 500;
		*page = 501;
		_exit(status);
	}
	waitpid(pid, &status, 0);
	check(!status, "the child's status is %#x", status);
	check(*page == 501 && *seen_page(5) == 501, "the child's is another");
	munmap((void *)page, PAGE);
	close(self);
}

static void pages_outlive_the_descriptor(void)
{
	close(memory);
	expect(mmfd_insert(g.space, AREA, PAGE, READ_WRITE, 6 * PAGE), 0,
	       "insert");
	stores(AREA, 66, "store");
	check(*seen_page(6) == 66, "it is another page");
	munmap(seen, MEMORY_PAGES * PAGE);
	loads(AREA, 66, "load");
	expect(mmfd_insert(g.space, AREA_PAGE(1), PAGE, READ_WRITE, 6 * PAGE),
	       0, "insert again");
	loads(AREA_PAGE(1), 66, "load what nobody else has");
}

static bool memory_open(void)
{
	memory = mmfd_memory_create(g.dev, MEMORY_PAGES * PAGE);
	if (!check(memory >= 0, "no memory: %s", strerror(-memory)))
		return false;
	seen = mmap(NULL, MEMORY_PAGES * PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED, memory, 0);
	return check(seen != MAP_FAILED, "mmap: %s", strerror(errno));
}

int main(void)
{
	if (!guest_open(&g, 0) || !memory_open())
		return check_result();
	a_memory_is_a_file_of_fixed_size();
	nothing_is_in_an_area_at_first();
	pages_are_where_they_were_put();
	many_are_put_at_once();
	each_place_has_its_own_protection();
	a_write_goes_on_once_it_is_allowed();
	a_page_goes_when_another_one_comes();
	a_removed_page_is_kept_by_its_memory();
	other_mappings_stay_when_pages_are_removed();
	what_is_executed_has_to_be_allowed();
	others_may_map_a_memory_and_replace_an_area();
	a_batch_makes_an_area_and_fills_it();
	refused_memories();
	refused_areas();
	malformed_inserts();
	inserts_beyond_an_end();
	no_area_no_change();
	protections_come_with_the_pages_only();
	a_copy_has_the_same_pages();
	pages_outlive_the_descriptor();
	guest_close(&g);
	return check_result();
}
