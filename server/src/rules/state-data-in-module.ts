import type { Expr, Init } from '../core/csource/ir';
import { placeIn } from '../core/csource/item-places';
import type { CType } from '../core/csource/types';
import type { Unit } from '../core/csource/unit';
import { visitExpressions } from '../core/execution/ir-walk';
import { addressed } from '../core/execution/reach';
import type { LineageVersion } from '../core/lineage/lineage';
import { functionsOf, type VersionFunction } from '../core/lineage/version-functions';
import type { Place } from '../core/place';
import { catalogueOf } from './catalogue-of';
import type { RuleContext } from './context';
import type { Finding, Rule } from './rule';

const ASKS = 'klp_get_prev_state';

/** State data in module memory, and data of the previous state that is freed unasked. */
export const stateDataInModule: Rule = {
  code: 'state-data-in-module',
  severity: 'error',
  kind: 'facts',
  replacement: true,
  summary: "state data lies in the module's memory, or the previous state's data is freed without asking",
  documentation: { page: 'livepatch/system-state', anchor: 'expected-usage' },
  page: `
The \`data\` of a \`klp_state\` is what one version hands to the next. The next one keeps it when the first one's module has
long been removed. So it must not lie **in a module**: static data goes with rmmod, and the pointer leads nowhere.

And it has **one owner at a time**. A version that takes \`data\` over in \`pre_patch\` may still be reversed: then its
\`post_unpatch\` runs, and the previous version goes on with the same data. Freeing it there without asking
\`klp_get_prev_state()\` frees what the previous version works with. Freeing what one has allocated oneself is right.

The address of an object that is registered with the kernel may be published like that, for a successor to unregister it
in its \`post_patch\`, while the old module is still in memory.

## Example

~~~c
static int saved;
	state->data = &saved;				/* wrong */
	state->data = kzalloc(sizeof(int), GFP_KERNEL);	/* right */

static void post_unpatch(struct klp_object *obj)
{
	if (klp_get_prev_state(ACME))			/* reversed: the data is still the other's */
		return;
	kfree(klp_get_state(&patch, ACME)->data);
}
~~~

## What to do

Allocate the data, take it over in \`post_patch\` rather than in \`pre_patch\`, and free it only where there is no previous
state.
`,
  check: (context) =>
    context.lineage.versions.flatMap((version) => [...inModule(context, version), ...freedUnasked(version)]),
};

/** Static variables and functions whose address becomes the data of a state. */
function inModule(context: RuleContext, version: LineageVersion): Finding[] {
  const functions = functionsOf(version);
  const registered = handedToKernel(context, functions);
  const findings = new Map<string, Finding>();
  const say = (name: string, place: Place): void => {
    if (registered.has(name)) return;
    findings.set(
      `${place.file}:${place.start}`,
      finding(
        version,
        place,
        `The data of this state is ${name}, in ${version.module}'s own memory: a successor that takes it over has a pointer that leads nowhere once ${version.module} is removed. Allocate it with kzalloc().`,
      ),
    );
  };
  for (const { node } of functions) {
    visitExpressions(node.ir.body, (expr) => {
      if (expr.k !== 'assign' || expr.op !== '=' || !isStateData(expr.target)) return;
      const name = staticIn(expr.value, node.unit, node.ir.statics);
      if (name) say(name, placeIn(node.ir.positions, expr.at));
    });
  }
  for (const unit of context.unitsOf(version)) {
    for (const item of unit.variables.values()) {
      if (!item.hasInitialiser || tagOf(item.type) !== 'klp_state') continue;
      const variable = unit.variable(item.name);
      if (!variable?.init) continue;
      for (const { value, at } of dataIn(variable.init)) {
        const name = staticIn(value, unit, []);
        if (name) say(name, placeIn(variable.positions, at));
      }
    }
  }
  return [...findings.values()];
}

/** Names whose address some call registers with the kernel. */
function handedToKernel(context: RuleContext, functions: readonly VersionFunction[]): Set<string> {
  const catalogue = catalogueOf(context);
  const names = new Set<string>();
  for (const { node } of functions) {
    for (const call of node.calls) {
      for (const index of catalogue.rowsByDo(call.callee)[0]?.holds ?? []) {
        const arg = call.args[index];
        const name = arg && addressed(arg)?.name;
        if (name !== undefined) names.add(name);
      }
    }
  }
  return names;
}

function isStateData(target: Expr): boolean {
  if (target.k !== 'member' || target.name !== 'data') return false;
  const { type } = target.of;
  const held = target.arrow && type.k === 'pointer' ? type.to : type;
  return tagOf(held) === 'klp_state';
}

/** The static variable, array or function that the value is the address of. */
function staticIn(value: Expr, unit: Unit, statics: readonly { readonly name: string }[]): string | null {
  if (value.k === 'cast') return staticIn(value.of, unit, statics);
  if (value.k === 'unary' && value.op === '&') return baseOf(value.of, unit, statics);
  if (value.k !== 'name') return null;
  // Functions and arrays are their own address.
  const { k } = unit.variables.get(value.name)?.type ?? value.type;
  return k === 'array' || unit.functions.has(value.name) ? baseOf(value, unit, statics) : null;
}

function baseOf(expr: Expr, unit: Unit, statics: readonly { readonly name: string }[]): string | null {
  if ((expr.k === 'member' && !expr.arrow) || expr.k === 'index') return baseOf(expr.of, unit, statics);
  if (expr.k !== 'name') return null;
  const item = unit.variables.get(expr.name);
  if ((item && !item.extern) || unit.functions.has(expr.name)) return expr.name;
  // A static local is called by its function's name, a dot and its own.
  const isLocal = statics.some((it) => it.name === expr.name);
  return isLocal ? expr.name.slice(expr.name.lastIndexOf('.') + 1) : null;
}

function dataIn(init: Init): { readonly value: Expr; readonly at: number }[] {
  if (init.k === 'value') return [];
  return init.elements.flatMap(({ designators, init: inner }) => {
    const last = designators.at(-1);
    if (inner.k === 'value' && last?.k === 'field' && last.name === 'data')
      return [{ value: inner.value, at: inner.at }];
    return dataIn(inner);
  });
}

/** post_unpatch frees state data that pre_patch took from the previous state, and does not ask for that. */
function freedUnasked(version: LineageVersion): Finding[] {
  const functions = functionsOf(version);
  const takes = functions
    .filter(({ from }) => from.has('pre_patch'))
    .some(({ node }) => takesOver(node.ir.body));
  if (!takes) return [];
  const ends = functions.filter(({ from }) => from.has('post_unpatch'));
  if (ends.some(({ node }) => node.calls.some((call) => call.callee === ASKS))) return [];
  return ends.flatMap(({ node }) =>
    node.calls
      .filter((call) => /^k(?:v|z)?free/.test(call.callee) && call.args[0] && isStateData(bare(call.args[0])))
      .map((call) =>
        finding(
          version,
          call.place,
          `post_unpatch frees the data of a state that pre_patch may have taken from the previous version: when the transition is reversed, that version goes on with freed memory. Ask ${ASKS}() first, or take over in post_patch.`,
        ),
      ),
  );
}

function bare(expr: Expr): Expr {
  return expr.k === 'cast' ? bare(expr.of) : expr;
}

/** `own->data = previous->data`. */
function takesOver(body: Parameters<typeof visitExpressions>[0]): boolean {
  let found = false;
  visitExpressions(body, (expr) => {
    if (expr.k === 'assign' && isStateData(expr.target) && isStateData(bare(expr.value))) found = true;
  });
  return found;
}

function tagOf(type: CType): string {
  if (type.k === 'array') return tagOf(type.of);
  return type.k === 'struct' ? type.tag : '';
}

function finding(version: LineageVersion, place: Place, message: string): Finding {
  return {
    code: 'state-data-in-module',
    severity: 'error',
    message,
    certainty: 'must',
    place,
    versions: [version.name],
    related: [],
    fixes: [],
  };
}
