import type { LineageVersion } from '../core/lineage/lineage';
import { isDraft, isWanted } from '../core/lineage/lineage';
import { allEffects, type PatchedEffect, type ShadowContent } from '../core/lineage/patched-effects';
import { functionsOf } from '../core/lineage/version-functions';
import type { Certainty } from '../core/place';
import { catalogueOf } from './catalogue-of';
import type { RuleContext } from './context';
import type { Finding, Rule } from './rule';
import { milder } from './wording';

/** An id that means the same in every version: a number, the name of a constant, or a text. */
export const KNOWN_ID = /^(?:0x[0-9a-f]+|[A-Z_][A-Z0-9_]*|".*")$/;

/** A shadow id that means something else in a later version. */
export const shadowLayoutChanged: Rule = {
  code: 'shadow-layout-changed',
  severity: 'error',
  kind: 'run',
  replacement: true,
  summary: 'a shadow id is used again with another size or type, while variables of the old form live on',
  documentation: { page: 'livepatch/shadow-vars', anchor: 'use-cases' },
  page: `
Shadow variables live until somebody frees them: those that v1 attached to its objects are still there when v2 has taken
over. \`klp_shadow_get()\` and \`klp_shadow_get_or_alloc()\` answer **what is there, whatever its size**: the size that v2
passes counts for new ones only. A larger struct is then read and written beyond the end of the memory that v1 allocated; a
struct with other members is read as something else.

## Example

~~~c
struct acme { int count; };			/* v1 */
struct acme { int count; u64 stamp; };		/* v2: wrong under the same id */

	struct acme *a = klp_shadow_get_or_alloc(obj, ACME, sizeof(*a), GFP_KERNEL, NULL, NULL);
~~~

## What to do

Take a new id for the new form. Where the old data is still of use, look for the old id and copy what it says; free the old
ones in \`post_patch\` with \`klp_shadow_free_all()\`.
`,
  check: (context) => context.lineage.versions.flatMap((to) => (isWanted(to) ? changedIn(context, to) : [])),
};

type Use = PatchedEffect & { readonly shadow: ShadowContent };

function changedIn(context: RuleContext, to: LineageVersion): Finding[] {
  const findings = new Map<string, Finding>();
  const later = usesOf(context, to);
  for (const use of later) {
    const { id } = use.shadow;
    if (findings.has(id) || freesAll(to, id)) continue;
    for (const from of context.lineage.versions.slice(0, to.index).reverse()) {
      const theirs = usesOf(context, from).filter((other) => other.shadow.id === id);
      const made = theirs.find((other) => other.k === 'allocates');
      if (!made) continue;
      const found = difference(made.shadow, use.shadow);
      if (found) findings.set(id, findingOf(from, made, to, use, found));
      // What is older has been compared with this one already.
      break;
    }
  }
  return [...findings.values()];
}

/** What a local variable holds is not known. */
function usesOf(context: RuleContext, version: LineageVersion): Use[] {
  return allEffects(version, catalogueOf(context)).filter(
    (effect): effect is Use =>
      (effect.k === 'allocates' || effect.k === 'finds') &&
      effect.shadow !== null &&
      KNOWN_ID.test(effect.shadow.id),
  );
}

/** Whether the version's own callbacks free every variable of that id. */
function freesAll(version: LineageVersion, id: string): boolean {
  const uses = version.facts?.shadow ?? [];
  return functionsOf(version).some(
    ({ node, from }) =>
      (from.has('pre_patch') || from.has('post_patch')) &&
      uses.some((use) => use.api === 'klp_shadow_free_all' && use.id === id && use.function === node.name),
  );
}

interface Difference {
  readonly words: string;
  readonly certainty: Certainty;
}

function difference(a: ShadowContent, b: ShadowContent): Difference | null {
  if (a.size !== null && b.size !== null && a.size !== b.size)
    return { words: `${a.size} bytes there and ${b.size} here`, certainty: 'must' };
  if (a.layout !== null && b.layout !== null) {
    return a.layout === b.layout
      ? null
      : {
          words: `${a.type} there and ${b.type} here`.concat(a.type === b.type ? ' with other members' : ''),
          certainty: 'must',
        };
  }
  if (a.type === null || b.type === null || a.type === b.type) return null;
  const structs = a.type.startsWith('struct') && b.type.startsWith('struct');
  return { words: `${a.type} there and ${b.type} here`, certainty: structs ? 'may' : 'must' };
}

function findingOf(
  from: LineageVersion,
  made: Use,
  to: LineageVersion,
  use: Use,
  found: Difference,
): Finding {
  const onTo = isDraft(to) || !isDraft(from);
  const [stands, other] = onTo ? [to, from] : [from, to];
  const [place, otherPlace] = onTo ? [use.place, made.place] : [made.place, use.place];
  const may = found.certainty === 'may' ? ' may' : '';
  return {
    code: 'shadow-layout-changed',
    severity: may ? milder('error') : 'error',
    message:
      `The shadow variables with id ${use.shadow.id} have${may ? ' (it may be)' : ''} another form in ${to.name} than in ${from.name}: ${onTo ? found.words : found.words.replace('there', 'here').replace(/here$/, 'there')}. ` +
      `Those that ${from.name} made live on, and ${to.name} takes them for its own. Use another id, or free the old ones in ${to.name}'s post_patch.`,
    certainty: found.certainty,
    place,
    versions: [stands.name, other.name],
    related: [{ message: `${other.name} ${onTo ? 'makes' : 'uses'} them here`, place: otherPlace }],
    run: [`load ${from.name}`, `load ${to.name}`],
    fixes: [],
  };
}
