import type { Expr } from '../core/csource/ir';
import type { CallFact } from '../core/execution/fact-types';
import { statementsIn, visitExpression } from '../core/execution/ir-walk';
import type { LineageVersion } from '../core/lineage/lineage';
import type { RuleContext } from './context';
import { happensTo, isShared } from './handed-over-in-exit';
import type { Finding, Rule } from './rule';
import { KNOWN_ID } from './shadow-layout-changed';
import { milder, namesOf } from './wording';

const FREES = new Set(['klp_shadow_free', 'klp_shadow_free_all']);

/** Shadow variables freed in module_exit. */
export const shadowFreeInExit: Rule = {
  code: 'shadow-free-in-exit',
  severity: 'error',
  kind: 'facts',
  replacement: true,
  summary: 'shadow variables are freed in module exit, which runs while the successor lives',
  documentation: { page: 'livepatch/cumulative-patches', anchor: 'limitations' },
  page: `
Shadow variables belong to no livepatch: they are found by object and id, and they survive replacement, disabling and
rmmod. Module exit of a livepatch that was replaced runs whenever somebody removes the old module, and by then the
**successor is live** and works with the very same variables.

Freeing them there takes the data away from under the new version: its functions find nothing, or read memory that was
freed.

Without \`.replace\` the same code is right: there the module can only be removed once the livepatch was disabled, and
nobody else uses its variables. The kernel's own samples do it that way, and can, for they do not replace.

A count in the shadow variable itself is right as well, if init counts up and exit counts down: the successor's init runs
first, so the count reaches zero only when the last version goes. Then nothing is said.

A condition on the module's own data in front of it may see to that it happens after a disable only: then it is a warning.

## Example

~~~c
/* wrong under .replace */
static void __exit fix_exit(void)
{
	klp_shadow_free_all(SV_LEAK, dtor);
}

/* right: runs when the livepatch is disabled, and not when it is replaced */
static void post_unpatch(struct klp_object *obj)
{
	klp_shadow_free_all(SV_LEAK, dtor);
}
~~~

## What to do

Free them in \`post_unpatch\`: it runs only when nobody takes over. A later version that does not need them any more frees
them in its \`post_patch\`.
`,
  check: (context) =>
    context.lineage.versions.flatMap((version) =>
      (version.facts?.calls ?? [])
        .filter((call) => FREES.has(call.callee) && call.reachedFrom.includes('exit'))
        .flatMap((call) => findingOf(context, version, call) ?? []),
    ),
};

function findingOf(context: RuleContext, version: LineageVersion, call: CallFact): Finding | null {
  const use = version.facts?.shadow.find(
    (item) => item.place.file === call.place.file && item.place.start === call.place.start,
  );
  const id = use && KNOWN_ID.test(use.id) ? use.id : null;
  const sharers = context.lineage.versions.flatMap((other) => {
    const theirs = other.facts?.shadow.find((item) => item.id === id);
    return theirs && other !== version ? [{ other, theirs }] : [];
  });
  const counted = isShared(context, version, call.place);
  if (counted && !sharers.some(({ other }) => happensTo(context, version, other, call.place))) return null;
  const guarded = isGuarded(context, version, call);
  const what = id === null ? 'shadow variables' : `the shadow variables with id ${id}`;
  const names = sharers.map(({ other }) => other);
  const who =
    names.length > 1
      ? `${namesOf(names)}, which use the same id, are`
      : `${names[0] ? `${names[0].name}, which uses the same id,` : 'a successor that works with them'} is`;
  return {
    code: 'shadow-free-in-exit',
    severity: guarded ? milder('error') : 'error',
    message:
      `${call.callee}() in module exit ${guarded ? 'may free' : 'frees'} ${what} when ${version.name}'s module is removed, also after a replacement, while ${who} live${guarded ? ', unless the condition in front of it holds only after a disable' : ''}. ` +
      'Free them in post_unpatch, which runs only when nobody takes over.',
    certainty: guarded ? 'may' : 'must',
    place: call.place,
    versions: [version.name, ...names.map((other) => other.name)],
    related: sharers.map(({ other, theirs }) => ({
      message: `${other.name} uses the id here`,
      place: theirs.place,
    })),
    fixes: [],
  };
}

/** Whether the function asks data of the module before: a flag that its own unpatch callbacks set, most likely. */
function isGuarded(context: RuleContext, version: LineageVersion, call: CallFact): boolean {
  for (const unit of context.unitsOf(version)) {
    const item = unit.functions.get(call.function);
    if (!item || item.place.file !== call.place.file) continue;
    const parameters = new Set(unit.parameters.map(({ variable }) => variable));
    const isOwnData = (expr: Expr): boolean =>
      expr.k === 'name' && unit.variables.has(expr.name) && !parameters.has(expr.name);
    for (const statement of statementsIn(unit.lower(call.function)?.body ?? [])) {
      let asks = false;
      if (statement.k === 'if') visitExpression(statement.test, (expr) => (asks ||= isOwnData(expr)));
      if (asks) return true;
    }
  }
  return false;
}
