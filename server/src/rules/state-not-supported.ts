import type { CType } from '../core/csource/types';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Place } from '../core/place';
import type { RuleContext } from './context';
import type { Finding, Rule } from './rule';

/** klp_state in a livepatch that a tool builds from diffs. */
export const stateNotSupported: Rule = {
  code: 'state-not-supported',
  severity: 'error',
  kind: 'facts',
  replacement: true,
  summary: 'klp_state is used with kpatch-build or klp-build, which never pass the table to the kernel',
  documentation: { page: 'livepatch/system-state', anchor: 'livepatch-system-state-api' },
  page: `
A state is known to the kernel only by the \`states\` of \`struct klp_patch\`. With kpatch-build and klp-build the tool writes
that structure, and neither sets the member: kpatch's livepatch-patch-hook.c has no code for it, and
\`scripts/livepatch/init.c\` of the kernel says that it is still to be done.

## What follows

A \`struct klp_state\` table in a diff is compiled and then belongs to nobody. \`klp_get_state()\` finds nothing in the tool's
patch, \`klp_get_prev_state()\` finds a state only of a predecessor that was built another way, and the check that refuses an
incompatible downgrade sees no state at all. The path for "the first time" is taken every time, after a replacement as well.

## Example

~~~c
/* wrong in a diff: the table is never handed over */
static struct klp_state states[] = {
	{ .id = 1, .version = 1 },
	{ }
};

/* right: a shadow variable stays when the livepatch is replaced, and any successor finds it */
saved = klp_shadow_get_or_alloc(NULL, ACME_SAVED, sizeof(*saved), GFP_KERNEL, NULL, NULL);
~~~

## What to do

Hand things over by shadow variables, or look for what is there by its name. Or write the livepatch as a module.
`,
  check: (context) => context.lineage.versions.flatMap((version) => findingsOf(context, version)),
};

const CALLS = new Set(['klp_get_state', 'klp_get_prev_state']);

function findingsOf(context: RuleContext, version: LineageVersion): Finding[] {
  const { dialect } = version;
  if (dialect !== 'kpatch' && dialect !== 'klp-build') return [];
  const tool = dialect === 'kpatch' ? 'kpatch-build' : 'klp-build';
  const tables = context
    .unitsOf(version)
    .flatMap((unit) => [...unit.variables.values()])
    .filter((variable) => !variable.extern && isState(variable.type));
  const calls = (version.facts?.calls ?? []).filter((call) => CALLS.has(call.callee));
  const finding = (message: string, place: Place, related: Finding['related']): Finding => ({
    code: 'state-not-supported',
    severity: 'error',
    message,
    certainty: 'must',
    place,
    versions: [version.name],
    related,
    fixes: [],
  });
  const related = calls.map((call) => ({ message: `${call.callee}() is called here`, place: call.place }));
  if (tables.length > 0)
    return tables.map(({ name, namePlace }) =>
      finding(
        `${tool} passes no table of states to the kernel: ${name} is never looked at. Hand things over by shadow variables.`,
        namePlace,
        related.slice(0, 3),
      ),
    );
  const [first] = calls;
  if (!first) return [];
  return [
    finding(
      `${first.callee}() finds no state of ${version.name}: ${tool} passes no table of states to the kernel. Hand things over by shadow variables.`,
      first.place,
      related.slice(1, 4),
    ),
  ];
}

function isState(type: CType): boolean {
  if (type.k === 'array') return isState(type.of);
  return type.k === 'struct' && type.tag === 'klp_state';
}
