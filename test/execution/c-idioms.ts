import type { SnippetSource } from './c-snippets';

/** What the idioms below are made with, in front of the functions in both readings. */
export const IDIOMS = `
struct operations {
	int (*enable)(struct point *, int);
	void (*show)(const char *, const struct point *);
	const char *label;
	u8 weight;
};
typedef struct { u16 id; bool on; s8 delta[3]; } setting_t;
struct entry { int key; struct list_head node; u8 tag; };

#define for_each_setting(p) for ((p) = settings; (p) < settings + ARRAY_SIZE(settings); (p)++)
#define REPORT(what, ...) do { if (what) pr_info("report " __VA_ARGS__); } while (0)
#define FIELD(p, member) ((p)->member)
#define CLAMPED(v, lo, hi) ({ typeof(v) __v = (v); __v < (lo) ? (lo) : __v > (hi) ? (hi) : __v; })

static int add_to(struct point *p, int by) { p->x += by; return p->x < 0 ? -22 : 0; }
static int sub_from(struct point *p, int by) { p->y -= by; return p->y & 1; }
static void show_point(const char *label, const struct point *p) { pr_info("%s %d/%d\\n", label, p->x, p->y); }
static const struct operations operations[] = {
	[RED] = { .enable = add_to, .show = show_point, .label = "add", .weight = 1 },
	[2] = { sub_from, NULL, "sub" },
	{ .label = "none", .weight = 255 },
};
static setting_t settings[3] = { { 1, true, { -1 } }, [2] = { .id = 65535, .delta = { [1] = 127 } } };
static setting_t *find_setting(u16 id)
{
	setting_t *p;

	for_each_setting(p)
		if (p->id == id)
			return p;
	return NULL;
}
static int run(const struct operations *ops, struct point *p, int n)
{
	if (!ops->enable)
		return -95;
	return ops->enable(p, n);
}
`;

/** Lines as they stand in drivers: error paths, tables of operations, lists, strings, switches. */
export function idiomLines(source: SnippetSource, target: string): string[] {
  const r = source.random;
  const n = source.number();
  const e = (depth = 1): string => source.expression(depth);
  const type = source.integerType();
  switch (r.below(12)) {
    case 0:
      return [
        `{ int err${n}, got${n} = 0; if ((${e()}) & 1) { err${n} = -12; goto fail_a${n}; }`,
        `got${n} |= 1; if ((${e()}) & 2) { err${n} = -17; goto fail_b${n}; } got${n} |= 2; err${n} = run(&operations[(${e()}) & 3], &(struct point){ 1, 2 }, (${e()}) & 63); if (err${n}) goto fail_c${n};`,
        `got${n} |= 4; goto done${n}; fail_c${n}: got${n} &= ~2; fail_b${n}: got${n} &= ~1; fail_a${n}: got${n} |= 8; done${n}: pr_info("err %d got %d\\n", err${n}, got${n}); }`,
      ];
    case 1:
      return [
        `{ struct point at${n} = { ${e()}, ${e()} }; const struct operations *o${n}; for (o${n} = operations; o${n} < operations + ARRAY_SIZE(operations); o${n}++) {`,
        `pr_info("%s %d %u\\n", o${n}->label ?: "(null)", run(o${n}, &at${n}, (${e()}) & 15), o${n}->weight); if (o${n}->show) o${n}->show(o${n}->label, &at${n}); } ${target} = at${n}.y; }`,
      ];
    case 2:
      return [
        `{ u64 l${n} = (u64)(${e()}) << ((${e()}) & 63), m${n} = (u64)(${e()}) >> ((${e()}) & 63); s64 a${n} = (s64)(${e()}) >> ((${e()}) & 63); l${n} ^= m${n} << 7 | m${n} >> 57; m${n} |= 1;`,
        `pr_info("%llx %#llx %lld %d %lX\\n", l${n}, m${n}, a${n}, (int)(l${n} > (u64)a${n}), 1UL << ((${e()}) & 63)); }`,
      ];
    case 3:
      return [
        `{ LIST_HEAD(head${n}); struct entry pool${n}[4], *it${n}, *tmp${n}; for (int i = 0; i < 4; i++) { pool${n}[i].key = (${e()}) + i; pool${n}[i].tag = i; if ((${e()}) & (1 << i)) list_add(&pool${n}[i].node, &head${n}); else list_add_tail(&pool${n}[i].node, &head${n}); }`,
        `list_for_each_entry(it${n}, &head${n}, node) { if (it${n}->tag == 3) continue; pr_cont("%d:%u ", it${n}->key, it${n}->tag); }`,
        `list_for_each_entry_safe(it${n}, tmp${n}, &head${n}, node) if (it${n}->key & 1) list_del(&it${n}->node);`,
        `list_for_each_entry_reverse(it${n}, &head${n}, node) pr_cont("<%u", it${n}->tag); pr_cont(" %d\\n", list_empty(&head${n})); if (!list_empty(&head${n})) ${target} = list_first_entry(&head${n}, struct entry, node)->tag; }`,
      ];
    case 4:
      return [
        `{ char buf${n}[24]; int len${n}; const char *w${n}[] = { "eth0", "eth", "lo", "" }; len${n} = snprintf(buf${n}, ${r.pick(['sizeof(buf' + n + ')', '5', '1'])}, "%s-%d/%02x", w${n}[(${e()}) & 3], (int)(${e()}), (u8)(${e()}));`,
        `pr_info("%s %d %d\\n", buf${n}, len${n}, (int)strlen(buf${n})); pr_info("%d %d %d [%.*s] [%-*d]\\n", strcmp(w${n}[(${e()}) & 3], "eth0") == 0, strncmp(buf${n}, "eth", 3) == 0, strcmp(buf${n}, w${n}[1]) > 0, 2, w${n}[0], 5, len${n}); }`,
      ];
    case 5:
      return [
        `switch ((${r.pick(['s8', 'u8', 's64', 'int', 'enum colour'])})(${e()})) { case -1: pr_info("minus\\n"); fallthrough; case RED: ${target} = 3; break; default: pr_info("other\\n"); if (${e()}) break; fallthrough; case GREEN ... LAST: switch ((${e()}) & 3) { case 1: ${target} = 1; case 2: pr_info("in\\n"); break; case 3: goto out${n}; } pr_info("after\\n"); }`,
        `out${n}:;`,
      ];
    case 6:
      return [
        `{ setting_t *p${n} = find_setting((${e()}) & 1 ? 65535 : (u16)(${e()})), c${n}; if (p${n}) { c${n} = *p${n}; p${n}->on = ${e()}; c${n}.delta[2] += ${e()}; FIELD(p${n}, delta[0])--; pr_info("%u %d %d %d\\n", p${n}->id, p${n}->on, c${n}.delta[2], p${n}->delta[0]); }`,
        `REPORT(!p${n}, "none %d\\n", ${r.below(9)}); for_each_setting(p${n}) pr_cont("%u%c", p${n}->id, p${n}->on ? '+' : '-'); pr_cont("\\n"); }`,
      ];
    case 7:
      return [
        `{ int i${n} = 0, j${n}, sum${n} = 0; do { if (++i${n} == 3) continue; for (j${n} = i${n}; ; j${n}++) { if (j${n} > 6) break; if (sum${n} > ${20 + r.below(40)}) goto out${n}; sum${n} += j${n} ^ ((${e()}) & 7); } } while (i${n} < 5); out${n}: pr_info("sum %d %d\\n", sum${n}, i${n}); }`,
      ];
    case 8:
      return [
        `pr_info("%d %d %d %lu %d\\n", CLAMPED((int)(${e()}), -5, 100), min_t(int, ${e()}, 7), max_t(s16, ${e()}, ${e()}), (unsigned long)DIV_ROUND_UP((u32)(${e()}) & 0xffff, 7), !!(BIT((${e()}) & 31) & (u32)(${e()})));`,
        `{ ${type} a${n} = ${e()}, b${n} = ${e()}; swap(a${n}, b${n}); pr_info("%lld %lld\\n", (long long)a${n}, (long long)b${n}); }`,
      ];
    case 9:
      return [
        `{ struct packet a${n} = { .kind = 3, .total = ${e()} }, b${n}; struct packet *list${n}[] = { &a${n}, &b${n}, NULL }, **pp${n}; memset(&b${n}, 0, sizeof(b${n})); memcpy(b${n}.data, (u8 []){ 1, 2, ${r.below(256)} }, 3); b${n}.at = a${n}.at; b${n}.total = a${n}.total + 1;`,
        `for (pp${n} = list${n}; *pp${n}; pp${n}++) { (*pp${n})->length += 7; pr_cont("%u %lld %u;", (*pp${n})->length, (long long)(*pp${n})->total, (*pp${n})->data[2]); } pr_cont("%d\\n", (int)(pp${n} - list${n})); }`,
      ];
    case 10:
      return [
        `{ enum colour c${n} = (${e()}) & 1 ? BLUE : GREEN; bool b${n} = (${e()}) & 2; const bool both${n} = b${n} && c${n} == BLUE; ${type} v${n} = b${n} ? c${n} : -c${n}; b${n} = b${n} + 5; pr_info("%d %d %d %lld %d\\n", c${n}, b${n}, both${n}, (long long)v${n}, (bool)(v${n} & 0x100)); }`,
      ];
    default:
      return [
        `pr_info("[%#010x|%-8x|%08X|%+lld|%.3s|%3c|%-3c|%hhx]\\n", (u32)(${e()}) | 1, (u32)(${e()}), (u32)(${e()}), (long long)(${e()}), "abcdef", 'a' + (int)((${e()}) & 7), 'z', (u8)(${e()}));`,
      ];
  }
}
