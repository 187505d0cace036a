/* SPDX-License-Identifier: GPL-2.0 */
/* Find a function in the vDSO; a static C library does not call all of them. */
#ifndef _VDSO_H
#define _VDSO_H

#include <elf.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>

struct vdso_tables {
	const char *base; /* to add to a value of the ELF file */
	const Elf64_Sym *symbols;
	const char *strings;
	size_t count;
};

static inline void vdso_read_dynamic(struct vdso_tables *t,
				     const Elf64_Dyn *dyn)
{
	for (; dyn->d_tag != DT_NULL; dyn++) {
		const void *p = t->base + dyn->d_un.d_ptr;

		if (dyn->d_tag == DT_SYMTAB)
			t->symbols = p;
		else if (dyn->d_tag == DT_STRTAB)
			t->strings = p;
		else if (dyn->d_tag == DT_HASH)
			t->count = ((const Elf32_Word *)p)[1];
	}
}

/* Without DT_HASH: the symbols end where the strings begin */
static inline int vdso_tables(struct vdso_tables *t)
{
	const Elf64_Ehdr *head = (void *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Phdr *seg;
	const void *dyn;

	if (!head)
		return 0;
	memset(t, 0, sizeof(*t));
	seg = (const void *)((const char *)head + head->e_phoff);
	for (int i = 0; i < head->e_phnum; i++)
		if (seg[i].p_type == PT_LOAD) {
			t->base = (const char *)head + seg[i].p_offset -
				  seg[i].p_vaddr;
			break;
		}
	for (int i = 0; i < head->e_phnum; i++) {
		dyn = t->base + seg[i].p_vaddr;
		if (seg[i].p_type == PT_DYNAMIC)
			vdso_read_dynamic(t, dyn);
	}
	if (t->symbols && t->strings && !t->count)
		t->count =
			((const char *)t->strings - (const char *)t->symbols) /
			sizeof(*t->symbols);
	return t->symbols && t->strings;
}

/* NULL if there is no vDSO, or no such function in it */
static inline void *vdso_function(const char *name)
{
	struct vdso_tables t;

	if (!vdso_tables(&t))
		return NULL;
	for (size_t i = 0; i < t.count; i++)
		if (t.symbols[i].st_shndx != SHN_UNDEF &&
		    !strcmp(t.strings + t.symbols[i].st_name, name))
			return (void *)(t.base + t.symbols[i].st_value);
	return NULL;
}

#endif /* _VDSO_H */
