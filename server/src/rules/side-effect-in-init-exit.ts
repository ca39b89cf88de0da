import type { EffectRow } from '../core/execution/catalogue-row';
import { VALUE_WRITE } from '../core/execution/catalogue-synthetic';
import type { LineageVersion } from '../core/lineage/lineage';
import { functionsOf } from '../core/lineage/version-functions';
import type { Place } from '../core/place';
import { catalogueOf } from './catalogue-of';
import type { RuleContext } from './context';
import { isShared } from './handed-over-in-exit';
import { deedsOf } from './own-life';
import type { Finding, RelatedPlace, Rule } from './rule';

/** Work in module init or exit of a livepatch that is replaced or replaces. */
export const sideEffectInInitExit: Rule = {
  code: 'side-effect-in-init-exit',
  severity: 'warning',
  kind: 'facts',
  replacement: true,
  summary: "module init or exit does work: the successor's init runs before the predecessor's exit",
  documentation: { page: 'livepatch/cumulative-patches', anchor: 'limitations' },
  page: `
Module init and exit are about the module's memory, not about the livepatch. With \`.replace\` the two part:

* **Init of the successor runs first**: the predecessor is fully in force then, with all that it registered.
* **Exit of the predecessor runs last**, whenever somebody removes the old module: the successor has long been live. What
  that exit unregisters by name, or writes back, is by then the successor's.
* When the livepatch is disabled and stays in memory, nothing of what init did is undone.
* When \`klp_enable_patch()\` fails, exit is not called at all.

Memory that only the module itself uses may be allocated in init and freed in exit. And work that hangs on a count in a
shadow variable may: as the successor counts up before the predecessor counts down, the first init does it and the last
exit undoes it.

## Example

~~~c
static int __init m_init(void)
{
	proc_mkdir("acme", NULL);		/* wrong: v1's folder is still there when v2 gets here */
	return klp_enable_patch(&patch);
}

static void __exit m_exit(void)
{
	remove_proc_entry("acme", NULL);	/* wrong: v1's exit removes what v2 has taken over */
}
~~~

## What to do

Do it in \`pre_patch\` and undo it in \`post_unpatch\`: these are called for a livepatch that is really enabled and disabled,
and the successor can tell by a state whether to take over.
`,
  check: (context) => context.lineage.versions.flatMap((version) => checkVersion(context, version)),
};

interface Work {
  readonly what: string;
  readonly families: ReadonlySet<string>;
  readonly place: Place;
}

function checkVersion(context: RuleContext, version: LineageVersion): Finding[] {
  const catalogue = catalogueOf(context);
  const done: Work[] = [];
  const undone: Work[] = [];
  for (const { node, from } of functionsOf(version)) {
    for (const { callee, place } of node.calls) {
      const does = catalogue.rowsByDo(callee).filter(matters);
      const undoes = catalogue
        .rowsByUndo(callee)
        .map(({ row }) => row)
        .filter(matters);
      if (from.has('init') && does.length > 0) done.push(work(callee, does, place));
      if (from.has('exit') && undoes.length > 0 && does.length === 0)
        undone.push(work(callee, undoes, place));
    }
  }
  if (version.program) {
    const { run } = context.transitions.transition(null, version);
    for (const { event, by } of deedsOf(run, version)) {
      if (event.k !== 'done' || by.during !== 'init' || event.effect.row.family !== VALUE_WRITE.family)
        continue;
      const what = `the write of ${event.effect.key}`;
      done.push({ what, families: new Set([VALUE_WRITE.family]), place: by.place });
    }
  }
  const own = (work: Work): boolean => !isShared(context, version, work.place);
  const paired = new Set<Work>();
  const findings = done.filter(own).map((work) => {
    const partners = undone.filter((undo) => [...undo.families].some((family) => work.families.has(family)));
    for (const partner of partners) paired.add(partner);
    const related = partners.map((partner) => ({
      message: 'undone here, in module exit',
      place: partner.place,
    }));
    return inInit(version, work, related);
  });
  for (const work of undone) if (!paired.has(work) && own(work)) findings.push(inExit(version, work));
  return findings;
}

/** Memory and references that only the module itself knows of disturb nobody. */
function matters(row: EffectRow): boolean {
  return row.synthetic !== true && row.hazards.some((hazard) => hazard !== 'leak');
}

function work(callee: string, rows: readonly EffectRow[], place: Place): Work {
  return { what: `${callee}()`, families: new Set(rows.map((row) => row.family)), place };
}

function inInit(version: LineageVersion, { what, place }: Work, related: readonly RelatedPlace[]): Finding {
  return said(
    version,
    place,
    `${what} is work of module init: the init of a successor runs while ${version.name} is still in force, and ${version.name}'s exit only when the successor is live. Do it in pre_patch and undo it in post_unpatch.`,
    related,
  );
}

function inExit(version: LineageVersion, { what, place }: Work): Finding {
  return said(
    version,
    place,
    `${what} is work of module exit: after a replacement that runs when somebody removes ${version.name}'s module, and the successor has long been live. Do it in post_unpatch, which runs only when nobody takes over.`,
    [],
  );
}

function said(
  version: LineageVersion,
  place: Place,
  message: string,
  related: readonly RelatedPlace[],
): Finding {
  return {
    code: 'side-effect-in-init-exit',
    severity: 'warning',
    message,
    certainty: 'must',
    place,
    versions: [version.name],
    related,
    fixes: [],
  };
}
