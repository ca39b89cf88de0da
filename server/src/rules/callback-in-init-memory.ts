import type { Init } from '../core/csource/ir';
import type { FunctionItem, Unit, VariableItem } from '../core/csource/unit';
import { visitExpression } from '../core/execution/ir-walk';
import { addressed, type KernelCall } from '../core/execution/reach';
import type { LineageVersion } from '../core/lineage/lineage';
import { functionsOf } from '../core/lineage/version-functions';
import type { Place } from '../core/place';
import { catalogueOf } from './catalogue-of';
import type { RuleContext } from './context';
import { fix } from './edits';
import type { Finding, Fix, Rule } from './rule';

const INIT_CODE = ['__init', '__meminit', '__init_or_module'];
const INIT_DATA = [
  '__initdata',
  '__initconst',
  '__meminitdata',
  '__initdata_or_module',
  '__initconst_or_module',
];
/** Functions that note a function to be called later, with the argument that it stands in. */
const NOTED: Readonly<Record<string, number>> = {
  INIT_WORK: 1,
  INIT_DELAYED_WORK: 1,
  timer_setup: 1,
  hrtimer_setup: 1,
  tasklet_setup: 1,
  call_rcu: 1,
};

/** Callbacks, notifiers and tables that the kernel uses after their memory is gone. */
export const callbackInInitMemory: Rule = {
  code: 'callback-in-init-memory',
  severity: 'error',
  kind: 'facts',
  replacement: false,
  summary: 'a callback, notifier or table stands in __init memory and is used after that is freed',
  documentation: { page: 'livepatch/livepatch', anchor: 'loading' },
  page: `
The kernel frees everything marked \`__init\` and \`__initdata\` as soon as module init has returned. A livepatch lives on
after that: its tables, its replacement functions, its callbacks, and whatever the kernel was given a pointer to. A call
into the freed memory is a crash, days later, when somebody disables the livepatch or a module is loaded.

\`pre_patch\` of vmlinux alone runs while module init does.

## Example

~~~c
static void __init post_unpatch(struct klp_object *obj)	/* wrong */
static struct klp_object objs[] __initdata = {		/* wrong */
static int __init m_init(void)				/* right: the kernel calls it once */
~~~

## What to do

Take the mark away.
`,
  check: (context) => context.lineage.versions.flatMap((version) => checkVersion(context, version)),
};

type Say = (item: FunctionItem | VariableItem, marks: readonly string[], use: string, place: Place) => void;

function checkVersion(context: RuleContext, version: LineageVersion): Finding[] {
  const found = new Map<string, Finding>();
  const say: Say = (item, marks, use, place) => {
    const mark = item.annotations.find((annotation) => marks.includes(annotation));
    if (mark === undefined || found.has(item.name)) return;
    found.set(item.name, {
      code: 'callback-in-init-memory',
      severity: 'error',
      message: `${item.name} is marked ${mark}, so its memory is freed when module init has returned, but ${use}. Take the mark away.`,
      certainty: 'must',
      place: item.namePlace,
      versions: [version.name],
      related: [{ message: 'used here', place }],
      fixes: unmark(context, item, mark),
    });
  };
  const units = context.unitsOf(version);
  ownTables(version, units, say);
  for (const { node } of functionsOf(version))
    for (const call of node.calls) handedOver(context, units, node.unit, call, say);
  return [...found.values()];
}

/** The livepatch's own tables, replacement functions and callbacks. */
function ownTables(version: LineageVersion, units: readonly Unit[], say: Say): void {
  for (const unit of units) {
    for (const item of unit.variables.values()) {
      if (item.extern || !/^klp_(?:patch|object|func|state|callbacks)$/.test(tagOf(item))) continue;
      say(item, INIT_DATA, 'the kernel works with it for as long as the livepatch is loaded', item.namePlace);
    }
  }
  for (const object of version.facts?.patch?.objects ?? []) {
    for (const entry of object.functions ?? []) {
      const item = functionNamed(units, entry.new, null);
      if (item) say(item, INIT_CODE, `it replaces ${entry.old}()`, entry.place);
    }
    for (const { callback, function: name, place } of object.callbacks) {
      if (callback === 'pre_patch' && object.name === null) continue;
      const item = functionNamed(units, name, null);
      const of = object.name ?? 'vmlinux';
      if (item) say(item, INIT_CODE, `it is ${callback} of ${of}, which is called later too`, place);
    }
  }
}

/** What a catalogued call hands to the kernel, and what hangs from it. */
function handedOver(
  context: RuleContext,
  units: readonly Unit[],
  unit: Unit,
  call: KernelCall,
  say: Say,
): void {
  const row = catalogueOf(context).rowsByDo(call.callee)[0];
  const noted = Object.hasOwn(NOTED, call.callee) ? NOTED[call.callee] : undefined;
  const at = new Set([...(row?.holds ?? []), ...(noted === undefined ? [] : [noted])]);
  const use = `${call.callee}() hands it to the kernel`;
  for (const index of at) {
    const arg = call.args[index];
    const name = arg && addressed(arg)?.name;
    if (name !== undefined) hanging(units, unit, name, (item, marks) => say(item, marks, use, call.place), 0);
  }
}

const MAX_DEPTH = 4;

function hanging(
  units: readonly Unit[],
  unit: Unit,
  name: string,
  note: (item: FunctionItem | VariableItem, marks: readonly string[]) => void,
  depth: number,
): void {
  const fn = functionNamed(units, name, unit);
  if (fn) {
    note(fn, INIT_CODE);
    return;
  }
  const item = unit.variables.get(name);
  if (!item || depth > MAX_DEPTH) return;
  note(item, INIT_DATA);
  const init = unit.variable(name)?.init;
  for (const inner of init ? namesIn(init) : []) {
    if (inner !== name) hanging(units, unit, inner, note, depth + 1);
  }
}

function namesIn(init: Init): string[] {
  if (init.k === 'list') return init.elements.flatMap((element) => namesIn(element.init));
  const names: string[] = [];
  visitExpression(init.value, (expr) => {
    if (expr.k === 'name') names.push(expr.name);
  });
  return names;
}

function functionNamed(units: readonly Unit[], name: string, unit: Unit | null): FunctionItem | undefined {
  const own = unit?.functions.get(name);
  if (own) return own;
  return units.map((it) => it.functions.get(name)).find((item) => item !== undefined);
}

function tagOf(item: VariableItem): string {
  let type = item.type;
  while (type.k === 'array') type = type.of;
  return type.k === 'struct' ? type.tag : '';
}

/** The mark with the blanks behind it, where it stands in the item's own text. */
function unmark(context: RuleContext, item: FunctionItem | VariableItem, mark: string): Fix[] {
  const { place } = item;
  const text = context.text(place.file);
  const found = new RegExp(`\\b${mark}\\b[ \\t]*`).exec(text.slice(place.start, place.end));
  if (!found) return [];
  const start = place.start + found.index;
  return [
    fix(`Remove ${mark} from ${item.name}`, [
      { place: { ...place, start, end: start + found[0].length }, text: '' },
    ]),
  ];
}
