import { placeIn } from '../core/csource/item-places';
import { visitExpressions } from '../core/execution/ir-walk';
import { addressed, type KernelCall } from '../core/execution/reach';
import type { LineageTarget, LineageVersion } from '../core/lineage/lineage';
import { functionsOf, type VersionFunction } from '../core/lineage/version-functions';
import type { Certainty, Place } from '../core/place';
import type { RuleContext } from './context';
import type { Finding, Rule } from './rule';
import { followed, namesTested, TargetData } from './target-data';
import { milder } from './wording';

const KEY_CALL = /^static_(?:branch|key)_(?:enable|disable|inc|dec|slow_inc|slow_dec)/;

/** Callbacks of a module object that use what the module has not made yet, or no longer has. */
export const targetNotInitialised: Rule = {
  code: 'target-not-initialised',
  severity: 'warning',
  kind: 'facts',
  replacement: false,
  summary: "a module object's callback uses what the module's init has not made yet or its exit has freed",
  documentation: { page: 'livepatch/callbacks', anchor: 'callback-types' },
  page: `
When the target module is loaded under a livepatch, \`pre_patch\` and \`post_patch\` of its object run **before the module's
own init**. When it is removed, \`pre_unpatch\` and \`post_unpatch\` run **after its exit**. The module's functions and static
data are in memory; what init allocates is not there yet, and what exit has freed is there no more.

The notifiers of the kernel for new modules come later too: static keys and tracepoints of a coming module are not
registered yet when its \`pre_patch\` and \`post_patch\` run.

\`obj->mod->state\` tells: MODULE_STATE_LIVE where the module runs, MODULE_STATE_COMING and MODULE_STATE_GOING otherwise.
(After a load that failed, the unpatch callbacks see COMING.)

## Example

~~~c
static void acme_post_patch(struct klp_object *obj)
{
	acme_table->limit = 8;		/* wrong: acme_init() allocates the table */
}

static void acme_post_patch(struct klp_object *obj)
{
	if (obj->mod->state == MODULE_STATE_LIVE)
		acme_table->limit = 8;	/* right; and klpp_acme_init() does it for a module that is coming */
}
~~~

## What to do

Look at the module's state or at the pointer, and patch the function of the module that makes what you need.
`,
  check: (context) => context.lineage.versions.flatMap((version) => checkVersion(context, version)),
};

function checkVersion(context: RuleContext, version: LineageVersion): Finding[] {
  const found = new Map<string, Finding>();
  for (const target of context.lineage.targets) {
    const data = new TargetData(target);
    for (const fn of functionsOf(version)) {
      const coming = fn.from.has(`pre_patch@${target.module}`) || fn.from.has(`post_patch@${target.module}`);
      const going =
        fn.from.has(`pre_unpatch@${target.module}`) || fn.from.has(`post_unpatch@${target.module}`);
      if ((!coming && !going) || looksAtState(fn)) continue;
      for (const use of [
        ...(coming ? registrations(fn, target, data) : []),
        ...usesOfData(fn, data, coming, going),
      ]) {
        const key = `${use.place.file}:${use.place.start}`;
        if (!found.has(key)) found.set(key, findingOf(version, target, use));
      }
    }
  }
  return [...found.values()];
}

interface Use {
  readonly what: string;
  readonly place: Place;
  readonly certainty: Certainty;
  readonly related: Place | null;
}

/** Static keys and tracepoints: the kernel hears of a module's own after klp_module_coming(). */
function registrations(fn: VersionFunction, target: LineageTarget, data: TargetData): Use[] {
  return fn.node.calls.flatMap((call): Use[] => {
    const name = registered(call);
    if (name === null || fn.node.unit.variables.get(name)?.extern === false) return [];
    const known = data.defines(name);
    if (!known && (data.known || !name.startsWith(`${target.module}_`))) return [];
    const kind = KEY_CALL.test(call.callee) ? 'static key' : 'tracepoint';
    const what = `the ${kind} ${name} ${known ? 'of' : 'is, if it belongs to'} ${target.module}${known ? ' is' : ','} not registered yet when ${target.module} is just being loaded`;
    return [{ what, place: call.place, certainty: known ? 'must' : 'may', related: null }];
  });
}

function registered(call: KernelCall): string | null {
  const [first] = call.args;
  if (KEY_CALL.test(call.callee)) return first ? (addressed(first)?.name ?? null) : null;
  const trace = /^register_trace_(\w+)$/.exec(call.callee);
  if (trace) return trace[1] ?? null;
  if (call.callee !== 'tracepoint_probe_register') return null;
  const name = first && addressed(first)?.name;
  return name ? name.replace(/^__tracepoint_/, '') : null;
}

/** Pointers of the target that its init sets and its exit frees, followed without a look at them. */
function usesOfData(fn: VersionFunction, data: TargetData, coming: boolean, going: boolean): Use[] {
  const { ir } = fn.node;
  const tested = namesTested(ir);
  const uses: Use[] = [];
  for (const { name, at } of followed(ir)) {
    if (tested.has(name) || fn.node.unit.variables.get(name)?.extern === false) continue;
    const made = coming ? data.madeInInit(name) : null;
    const freed = going ? data.freedInExit(name) : null;
    const place = placeIn(ir.positions, at);
    if (made)
      uses.push({
        what: `${name} is not made yet when ${data.module} is just being loaded: its init does that`,
        place,
        certainty: 'must',
        related: made,
      });
    else if (freed)
      uses.push({
        what: `${name} is freed already when ${data.module} is being removed: its exit has done that`,
        place,
        certainty: 'must',
        related: freed,
      });
  }
  return uses;
}

/** `obj->mod->state`: the callback knows that the module may be coming or going. */
function looksAtState({ node }: VersionFunction): boolean {
  let found = false;
  visitExpressions(node.ir.body, (expr) => {
    if (expr.k === 'member' && expr.name === 'state') found = true;
  });
  return found || node.calls.some((call) => call.callee === 'module_is_live');
}

function findingOf(version: LineageVersion, target: LineageTarget, use: Use): Finding {
  return {
    code: 'target-not-initialised',
    severity: use.certainty === 'may' ? milder('warning') : 'warning',
    message: `This is a callback of ${target.module}, and ${use.what}. Look at obj->mod->state first.`,
    certainty: use.certainty,
    place: use.place,
    versions: [version.name],
    related: use.related ? [{ message: `${target.module} does it here`, place: use.related }] : [],
    fixes: [],
  };
}
