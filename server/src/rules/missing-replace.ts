import { isDiffDialect } from '../core/csource/dialects/diffs';
import { isDraft, type LineageVersion } from '../core/lineage/lineage';
import type { RuleContext } from './context';
import { appendElement, fix, fixWith, replaceWithin } from './edits';
import { replacePlace } from './placement';
import type { Finding, Fix, Rule } from './rule';
import { namesOf } from './wording';

/** `.replace` is missing in a version while another version of the lineage has it. */
export const missingReplace: Rule = {
  code: 'missing-replace',
  severity: 'warning',
  kind: 'facts',
  replacement: true,
  summary: '`.replace` is missing in a version while another version of the lineage has it',
  documentation: { page: 'livepatch/cumulative-patches', anchor: 'usage' },
  page: `
Other versions of the lineage are cumulative, this one is not: its \`struct klp_patch\` has no \`.replace = true\`, and in C a
member that is not named is false.

## What follows

The kernel stacks such a version on top of the others instead of replacing them. Functions that only an older version
patches stay patched, the older version stays enabled and its module cannot be removed, and disabling this version brings
the older one's functions back into force.

## Example

~~~c
static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
	.replace = true,	/* missing: the version is stacked, not swapped in */
};
~~~

## What to do

Add \`.replace = true\`. Where the lineage mixes both kinds on purpose, suppress the finding with the reason.

kpatch-build and klp-build set it by default, hand-written modules do not.
`,
  check: (context) => context.lineage.versions.flatMap((version) => findingOf(context, version) ?? []),
};

function findingOf(context: RuleContext, version: LineageVersion): Finding | null {
  const patch = version.facts?.patch;
  if (!patch || patch.replace !== false) return null;
  const replacing = context.lineage.versions.filter((other) => other.facts?.patch?.replace === true);
  if (replacing.length === 0) return null;
  // A released one is swept away by the next that replaces: nothing is left to be answered.
  if (!isDraft(version) && replacing.some((other) => other.index > version.index)) return null;
  const others = replacing.map((other) => ({
    message: `${other.name} has it`,
    place: replacePlace(context, other) ?? patch.place,
  }));
  // With diffs it is a flag of the build, which only the manifest knows.
  const flag = isDiffDialect(version.dialect) ? version.entry.replace : null;
  const said = flag
    ? `${version.name} is built not to replace, unlike ${namesOf(replacing)}:`
    : `${version.name} lacks \`.replace = true\`, which ${namesOf(replacing)} ${replacing.length > 1 ? 'have' : 'has'}:`;
  return {
    code: 'missing-replace',
    severity: 'warning',
    message: `${said} the kernel stacks it on what is installed instead of replacing that. ${flag ? 'Build it without that flag.' : 'Add it.'}`,
    certainty: 'must',
    place: flag ? context.manifestPlace(flag.place) : (replacePlace(context, version) ?? patch.place),
    versions: [version.name, ...replacing.map((other) => other.name)],
    related: others.slice(0, 3),
    fixes: fixesOf(context, patch),
  };
}

function fixesOf(
  context: RuleContext,
  patch: NonNullable<NonNullable<LineageVersion['facts']>['patch']>,
): Fix[] {
  const title = 'Add `.replace = true`';
  if (patch.replacePlace === null) {
    const edit = appendElement(context.text(patch.initialiser.file), patch.initialiser, '.replace = true');
    return fixWith(title, edit);
  }
  const edit = replaceWithin(context.text(patch.replacePlace.file), patch.replacePlace, 'false', 'true');
  return edit ? [fix('Change to `.replace = true`', [edit])] : [];
}
