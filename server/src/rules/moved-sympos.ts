import type { FunctionEntry, ObjectFacts } from '../core/execution/fact-types';
import { ERRNO } from '../core/kernel/types';
import { isDraft, isWanted, type LineageVersion } from '../core/lineage/lineage';
import { formatStep, type Step } from '../core/manifest/steps';
import type { RuleContext } from './context';
import { load } from './effect-story';
import { isReplacedIn, replaces } from './pair-runs';
import type { Finding, Rule } from './rule';

/** The same function name, another position in the symbol table. */
export const movedSympos: Rule = {
  code: 'moved-sympos',
  severity: 'warning',
  kind: 'run',
  replacement: true,
  summary: 'old_sympos of a function differs from that in an earlier version: another function is patched',
  documentation: { page: 'livepatch/livepatch', anchor: 'livepatch-module' },
  page: `
Several functions of an object can have the same name: static ones of different files. \`.old_sympos\` says which of them is
meant, by its position among them in the symbol table, from 1; 0 says that the name is unique.

For the kernel, object, name and position together are the function. A version that has the same name at another
position patches **another function**: the one that was patched before returns to the original while the new version
takes over. In a lineage for one kernel that is a mistake in one of the two.

0 and 1 are the same position since Linux 6.19, and in updates of older branches; before that they are two entries to the kernel, although
they mean one function.

## Example

~~~c
/* v1 */
{ .old_name = "get_next", .new_func = klpp_get_next, .old_sympos = 2 },

/* v2: the third of that name, and the second is as it was without any livepatch */
{ .old_name = "get_next", .new_func = klpp_get_next, .old_sympos = 3 },
~~~

## What to do

Look the function up in \`/proc/kallsyms\` of the kernel that the lineage is for, count the lines with its name in the
object, and use that position in all versions. Where both functions shall be patched, list both.
`,
  check: (context) => context.lineage.versions.flatMap((to) => movedIn(context, to)),
};

interface Moved {
  readonly entry: FunctionEntry;
  readonly before: FunctionEntry;
  readonly object: ObjectFacts;
}

function movedIn(context: RuleContext, to: LineageVersion): Finding[] {
  if (!isWanted(to) || !replaces(to)) return [];
  const answeredLater =
    !isDraft(to) && context.lineage.versions.some((next) => next.index > to.index && isDraft(next));
  if (answeredLater) return [];
  const older = context.lineage.versions.filter((version) => version.index < to.index).reverse();
  const told = new Set<string>();
  const findings: Finding[] = [];
  for (const from of older) {
    const steps = [load(from), load(to)];
    const moved = movedBetween(context, from, to).filter(
      ({ entry, object }) => !told.has(nameOf(object, entry)),
    );
    for (const item of moved) told.add(nameOf(item.object, item.entry));
    // A version that has the name where it is now is what the older ones were to be compared with.
    for (const object of from.facts?.patch?.objects ?? [])
      for (const entry of object.functions ?? []) told.add(nameOf(object, entry));
    if (moved.length === 0) continue;
    const run = context.transitions.runOf(steps, [from, to]);
    // The nop for the old position and the new entry have one name in sysfs.
    const refused = run.verdict.refusals.some((item) => item.step === 1 && item.result === -ERRNO.EEXIST);
    if (!refused && !isReplacedIn(run, from)) continue;
    findings.push(...moved.map((item) => findingOf(from, to, item, refused, steps)));
  }
  return findings;
}

function movedBetween(context: RuleContext, from: LineageVersion, to: LineageVersion): Moved[] {
  const position = (entry: FunctionEntry): number =>
    entry.sympos === 0 && context.lineage.capabilities.has('sympos-0-is-1') !== 'no' ? 1 : entry.sympos;
  const moved: Moved[] = [];
  for (const object of to.facts?.patch?.objects ?? []) {
    const now = object.functions ?? [];
    const then = (from.facts?.patch?.objects ?? [])
      .filter((item) => item.name === object.name)
      .flatMap((item) => item.functions ?? []);
    for (const entry of now) {
      const same = then.filter((item) => item.old === entry.old);
      if (entry.old === '' || same.some((item) => position(item) === position(entry))) continue;
      // One that is still listed has not moved: the version patches one function more.
      const before = same.find(
        (item) => !now.some((other) => other.old === item.old && position(other) === position(item)),
      );
      if (before) moved.push({ entry, before, object });
    }
  }
  return moved;
}

function nameOf(object: ObjectFacts, entry: FunctionEntry): string {
  return `${object.name ?? ''}:${entry.old}`;
}

function findingOf(
  from: LineageVersion,
  to: LineageVersion,
  moved: Moved,
  refused: boolean,
  steps: readonly Step[],
): Finding {
  const { entry, before, object } = moved;
  const where = object.name === null ? '' : ` of ${object.name}`;
  const unsure = entry.sympos === 0 || before.sympos === 0;
  const what = unsure
    ? `to the kernel these are two functions${refused ? `, and it refuses ${to.name} with -EEXIST` : ''}`
    : `number ${before.sympos} returns to the original when ${to.name} replaces ${from.name}`;
  return {
    code: 'moved-sympos',
    severity: 'warning',
    message:
      `${to.name} patches ${entry.old}()${where} at position ${entry.sympos}, ${from.name} at position ${before.sympos}: ` +
      `${what}. Use the position that it has in this kernel in every version.`,
    certainty: 'must',
    place: entry.place,
    versions: [to.name, from.name],
    related: [{ message: `${from.name} has old_sympos ${before.sympos} here`, place: before.place }],
    run: steps.map(formatStep),
    fixes: [],
  };
}
