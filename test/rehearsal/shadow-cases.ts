/**
 * Small uses of the shadow variable API. Each body prints what it saw; `a` and `b` are objects, `data` is what a
 * constructor gets, `ID` is the case's own id.
 */
export const SHADOW_CASES: Readonly<Record<string, string>> = {
  'get before alloc': `
	say("%d", klp_shadow_get(&a, ID) == NULL);`,
  'alloc gives zeroed memory': `
	int *v = klp_shadow_alloc(&a, ID, 2 * sizeof(int), GFP_KERNEL, NULL, NULL);

	say("%d %d %d", v != NULL, v[0], v[1]);`,
  'get finds what alloc made': `
	int *v = klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, NULL, NULL);

	*v = 7;
	say("%d %d", klp_shadow_get(&a, ID) == v, *(int *)klp_shadow_get(&a, ID));`,
  'alloc twice': `
	int *v = klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, NULL, NULL);
	int *w;

	*v = 3;
	w = klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, NULL, NULL);
	say("%d %d", w == NULL, *(int *)klp_shadow_get(&a, ID));`,
  'alloc twice does not call the second constructor': `
	int *v = klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, set_value, &data);

	data = 99;
	say("%d", klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, set_value, &data) == NULL);
	say("%d", *v);`,
  'alloc on two objects': `
	int *v = klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, NULL, NULL);
	int *w = klp_shadow_alloc(&b, ID, sizeof(int), GFP_KERNEL, NULL, NULL);

	*v = 1;
	*w = 2;
	say("%d %d %d", v != w, *(int *)klp_shadow_get(&a, ID), *(int *)klp_shadow_get(&b, ID));`,
  'two ids on one object': `
	int *v = klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, NULL, NULL);
	int *w = klp_shadow_alloc(&a, ID + 1, sizeof(int), GFP_KERNEL, NULL, NULL);

	*v = 5;
	*w = 6;
	say("%d %d", *(int *)klp_shadow_get(&a, ID), *(int *)klp_shadow_get(&a, ID + 1));
	klp_shadow_free_all(ID + 1, NULL);`,
  'the constructor sees object, memory and data': `
	int *v = klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, tell_and_set, &data);

	say("%d", *v);`,
  'a failing constructor': `
	say("%d", klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, refuse, &data) == NULL);
	say("%d", klp_shadow_get(&a, ID) == NULL);`,
  'alloc after a failed constructor': `
	int *v;

	klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, refuse, &data);
	v = klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, set_value, &data);
	say("%d %d", v != NULL, v ? *v : -1);`,
  'get_or_alloc allocates': `
	int *v = klp_shadow_get_or_alloc(&a, ID, sizeof(int), GFP_KERNEL, tell_and_set, &data);

	say("%d %d", v != NULL, *v);`,
  'get_or_alloc gets': `
	int *v = klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, NULL, NULL);
	int *w = klp_shadow_get_or_alloc(&a, ID, sizeof(int), GFP_KERNEL, tell_and_set, &data);

	say("%d %d", v == w, *w);`,
  'get_or_alloc twice': `
	int *v = klp_shadow_get_or_alloc(&a, ID, sizeof(int), GFP_KERNEL, set_value, &data);
	int *w;

	data = 1;
	w = klp_shadow_get_or_alloc(&a, ID, sizeof(int), GFP_KERNEL, set_value, &data);
	say("%d %d", v == w, *w);`,
  'get_or_alloc with a failing constructor': `
	say("%d", klp_shadow_get_or_alloc(&a, ID, sizeof(int), GFP_KERNEL, refuse, &data) == NULL);
	say("%d", klp_shadow_get(&a, ID) == NULL);`,
  'get_or_alloc after a failing constructor': `
	int *v;

	klp_shadow_get_or_alloc(&a, ID, sizeof(int), GFP_KERNEL, refuse, &data);
	v = klp_shadow_get_or_alloc(&a, ID, sizeof(int), GFP_KERNEL, set_value, &data);
	say("%d", *v);`,
  'get after free': `
	klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, NULL, NULL);
	klp_shadow_free(&a, ID, NULL);
	say("%d", klp_shadow_get(&a, ID) == NULL);`,
  'free calls the destructor': `
	klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, set_value, &data);
	klp_shadow_free(&a, ID, tell);
	say("%d", klp_shadow_get(&a, ID) == NULL);`,
  'free of what is not there': `
	klp_shadow_free(&a, ID, tell);
	say("done");`,
  'free twice': `
	klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, set_value, &data);
	klp_shadow_free(&a, ID, tell);
	klp_shadow_free(&a, ID, tell);
	say("done");`,
  'free of one object leaves the other': `
	klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, NULL, NULL);
	klp_shadow_alloc(&b, ID, sizeof(int), GFP_KERNEL, NULL, NULL);
	klp_shadow_free(&a, ID, NULL);
	say("%d %d", klp_shadow_get(&a, ID) == NULL, klp_shadow_get(&b, ID) == NULL);`,
  'free of one id leaves the other': `
	klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, NULL, NULL);
	klp_shadow_alloc(&a, ID + 1, sizeof(int), GFP_KERNEL, NULL, NULL);
	klp_shadow_free(&a, ID, NULL);
	say("%d %d", klp_shadow_get(&a, ID) == NULL, klp_shadow_get(&a, ID + 1) == NULL);
	klp_shadow_free(&a, ID + 1, NULL);`,
  'free and alloc again': `
	int *v = klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, set_value, &data);

	klp_shadow_free(&a, ID, NULL);
	v = klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, NULL, NULL);
	say("%d %d", v != NULL, *v);`,
  'free_all frees every object': `
	klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, NULL, NULL);
	klp_shadow_alloc(&b, ID, sizeof(int), GFP_KERNEL, NULL, NULL);
	klp_shadow_free_all(ID, NULL);
	say("%d %d", klp_shadow_get(&a, ID) == NULL, klp_shadow_get(&b, ID) == NULL);`,
  'free_all calls the destructor for each': `
	count = 0;
	klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, set_value, &data);
	klp_shadow_alloc(&b, ID, sizeof(int), GFP_KERNEL, set_value, &data);
	klp_shadow_alloc(NULL, ID, sizeof(int), GFP_KERNEL, set_value, &data);
	klp_shadow_free_all(ID, add_up);
	say("%d", count);`,
  'free_all leaves other ids': `
	klp_shadow_alloc(&a, ID, sizeof(int), GFP_KERNEL, NULL, NULL);
	klp_shadow_alloc(&a, ID + 1, sizeof(int), GFP_KERNEL, NULL, NULL);
	klp_shadow_free_all(ID, NULL);
	say("%d %d", klp_shadow_get(&a, ID) == NULL, klp_shadow_get(&a, ID + 1) == NULL);
	klp_shadow_free_all(ID + 1, NULL);`,
  'free_all of nothing': `
	klp_shadow_free_all(ID, tell);
	say("done");`,
  'NULL as the object': `
	int *v = klp_shadow_alloc(NULL, ID, sizeof(int), GFP_KERNEL, set_value, &data);

	say("%d %d", klp_shadow_get(NULL, ID) == v, *v);
	say("%d", klp_shadow_get(&a, ID) == NULL);`,
  'NULL is told to constructor and destructor': `
	klp_shadow_alloc(NULL, ID, sizeof(int), GFP_KERNEL, tell_and_set, &data);
	klp_shadow_free(NULL, ID, tell);`,
  'members of one structure are different objects': `
	klp_shadow_alloc(&pair.first, ID, sizeof(int), GFP_KERNEL, NULL, NULL);
	say("%d %d", klp_shadow_get(&pair, ID) == NULL, klp_shadow_get(&pair.second, ID) == NULL);`,
  'an array element and the array are the same object': `
	klp_shadow_alloc(&row[0], ID, sizeof(int), GFP_KERNEL, NULL, NULL);
	say("%d %d", klp_shadow_get(row, ID) == NULL, klp_shadow_get(&row[1], ID) == NULL);`,
  'a structure as the variable': `
	struct two *v = klp_shadow_alloc(&a, ID, sizeof(*v), GFP_KERNEL, NULL, NULL);

	v->second = 4;
	v = klp_shadow_get(&a, ID);
	say("%d %d", v->first, v->second);`,
  'a pointer as the variable': `
	int **v = klp_shadow_alloc(&a, ID, sizeof(*v), GFP_KERNEL, NULL, NULL);

	*v = &b;
	b = 12;
	v = klp_shadow_get(&a, ID);
	say("%d", **v);
	b = 0;`,
  'a heap object as the object': `
	int *heap = kzalloc(sizeof(*heap), GFP_KERNEL);
	int *v = klp_shadow_alloc(heap, ID, sizeof(int), GFP_KERNEL, set_value, &data);

	say("%d", klp_shadow_get(heap, ID) == v);
	klp_shadow_free(heap, ID, tell);
	kfree(heap);`,
};

/** The cases in order, each in a function of its own, called from the module's init. */
export function shadowModule(): string {
  const names = Object.keys(SHADOW_CASES);
  const functions = names.map(
    (name, index) => `
/* ${name} */
static void case_${index}(void)
{
#define ID ${100 + 10 * index}
	int data = 42;
${SHADOW_CASES[name] ?? ''}

	(void)data;
	klp_shadow_free_all(ID, NULL);
#undef ID
}
`,
  );
  const calls = names.map((_, index) => `\tpr_info("case ${index}\\n");\n\tcase_${index}();\n`);
  return `#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/slab.h>

#define say(format, ...) pr_info(format "\\n", ##__VA_ARGS__)

struct two {
	int first;
	int second;
};

static int a, b, count;
static int row[2];
static struct two pair;

static const char *name_of(void *obj)
{
	if (!obj)
		return "NULL";
	return obj == &a ? "a" : "other";
}

static int set_value(void *obj, void *shadow, void *data)
{
	*(int *)shadow = *(int *)data;
	return 0;
}

static int tell_and_set(void *obj, void *shadow, void *data)
{
	say("constructor of %s: %d, %d", name_of(obj), *(int *)shadow, *(int *)data);
	*(int *)shadow = *(int *)data + 1;
	return 0;
}

static int refuse(void *obj, void *shadow, void *data)
{
	say("refused for %s", name_of(obj));
	return -EINVAL;
}

static void tell(void *obj, void *shadow)
{
	say("destructor of %s: %d", name_of(obj), *(int *)shadow);
}

static void add_up(void *obj, void *shadow)
{
	count += *(int *)shadow;
}
${functions.join('')}
static int __init shadow_cases_init(void)
{
${calls.join('')}	return 0;
}

static void __exit shadow_cases_exit(void)
{
}

module_init(shadow_cases_init);
module_exit(shadow_cases_exit);
MODULE_LICENSE("GPL");
`;
}
