import type { Effect } from '../execution/effects';
import { visitExpression } from '../execution/ir-walk';
import { isDraft, type LineageVersion } from '../lineage/lineage';
import { ownUndo } from '../lineage/own-undo';
import type { Place } from '../place';
import { namesFor } from './build';
import { blockComment } from './c-text';
import { conditionsFor } from './conditions';
import { FaultyCode } from './faulty-code';
import { mergeTables, type TextChange } from './merge';
import { freeId } from './next-version-notes';
import { whatOf } from './patient';
import type { CarriedState } from './states';
import { effectsOf } from './strategy';
import type { Subject } from './subject';

/** How a draft's side effects come into reach of the version that replaces it. */
export interface Replaceable {
  /** Edits of one file of the version; none where nothing can be done. */
  readonly changes: readonly TextChange[];
  /** Those of the places whose side effects the edits publish. */
  readonly done: readonly Place[];
  /** Why the others have to be published by hand, a sentence each. */
  readonly reasons: readonly string[];
}

/** One side effect that is published. */
interface Published {
  readonly effect: Effect;
  readonly at: Place;
  /** What its undo gets, in the version's own words. */
  readonly pointer: string;
  /** Where the variable in it is defined. */
  readonly variable: Place;
  /** The call of the undo with `prev->data` in the place of `pointer`. */
  readonly undo: string;
}

/** Only so does a disable that is reversed leave what was there before, and what was published right. */
const PAIRS: Readonly<Record<string, string>> = { pre_patch: 'post_unpatch', post_patch: 'pre_unpatch' };

/**
 * Publishes, each in a klp_state of its own, what only this version knows of the side effects that it makes at
 * `places`.
 *
 * Every version makes its own, for what is registered lies in its module, and takes away in post_patch what the data
 * of the previous state leads to: a transition that is reversed does not get there, so the predecessor keeps its own.
 * post_patch runs after everything in pre_patch succeeded; what is published is what the unpatch callback undoes.
 */
export function replaceable(
  subject: Subject,
  version: LineageVersion,
  places: readonly Place[],
): Replaceable {
  const refused = (...reasons: readonly string[]): Replaceable => ({ changes: [], done: [], reasons });
  const { facts, name, program, dialect } = version;
  const patch = facts?.patch;
  if (!isDraft(version)) return refused(`${name} is no draft any more.`);
  if (dialect !== 'module') return refused(`${name} is written in the dialect ${dialect}, not in C.`);
  if (subject.lineage.capabilities.has('states') === 'no') return refused('This kernel has no klp_state.');
  if (!patch || !program || places.length === 0)
    return refused(`${name} makes nothing that its successors cannot reach.`);
  if (subject.revisionOf?.(patch.place.file) !== undefined)
    return refused(`${name} stands at a git revision, where nothing can be written.`);
  const code = new FaultyCode(program);
  const effects = effectsOf(subject.transitions, version);
  const reasons: string[] = [];
  const published: Published[] = [];
  for (const at of places) {
    const made = effects.filter(({ by }) => by.place.file === at.file && by.place.start === at.start);
    const [effect] = made;
    const found =
      effect && made.length === 1
        ? publish(subject, version, code, effect)
        : 'no run makes exactly one there';
    if (effect && typeof found !== 'string') published.push({ ...found, effect, at });
    else
      reasons.push(
        `${effect ? whatOf(effect) : 'A side effect'} is to be published by hand: ${String(found)}.`,
      );
  }
  if (published.length === 0) return refused(...reasons);
  // Last made, first undone.
  published.sort((a, b) => b.effect.id - a.effect.id);
  const first = freeId(subject.lineage.versions);
  const states = published.map(
    (_, index): CarriedState => ({ id: first + index, version: 1, own: null, raised: false, from: [] }),
  );
  const texts = new Map(subject.filesOf(version).map((file) => [file, subject.text(file)]));
  const names = namesFor(version.module, '', texts);
  const { file } = patch.place;
  const own = new RegExp(String.raw`^.*\bstruct\s+klp_patch\s+${patch.variable}\b`, 'm').exec(
    subject.text(file),
  );
  let behind = 0;
  const merge = mergeTables(version, (path) => subject.text(path), {
    cleanup: true,
    states,
    mark: '',
    names: { ...names, cleanup: names.wrapper },
    lead: (above, wrapped, needsStates) => {
      behind = above;
      const declared = own && own.index >= above ? `${own[0]};\n\n` : '';
      const entries = states.map(({ id }) => `\t{ .id = ${String(id)}, .version = 1 },\n`).join('');
      const table = needsStates
        ? `static struct klp_state ${names.states}[] = {\n${entries}\t{ }\n};\n\n`
        : '';
      return declared + table + takeOver(names.wrapper, patch.variable, published, first, wrapped);
    },
  });
  if ('message' in merge) return refused(`The tables of ${name} cannot be changed: ${merge.message}.`);
  if (
    merge.changes.some((change) => change.file !== file) ||
    published.some(({ variable }) => variable.file !== file || variable.start > behind)
  )
    return refused(`The tables of ${name} do not stand behind it in one file.`);
  return {
    changes: merge.changes.filter((change) => change.text !== ''),
    done: published.map(({ at }) => at),
    reasons,
  };
}

/** How one side effect is published, or why that is no matter of text. */
function publish(
  subject: Subject,
  version: LineageVersion,
  code: FaultyCode,
  effect: Effect,
): Pick<Published, 'pointer' | 'variable' | 'undo'> | string {
  const { row, by } = effect;
  const undo = ownUndo(subject.transitions, version, effect);
  if (!undo || PAIRS[by.during] !== undo.during)
    return `made in ${by.during}, it is not undone in ${PAIRS[by.during] ?? 'a callback'}`;
  if (row.key !== 'pointer' && row.key !== 'handle')
    return 'it is a value or memory that others may use: keep that behind the state';
  if (row.unique && by.during === 'pre_patch')
    return 'there can be one of its name only: make it in post_patch';
  const found = code.at(undo.place, undo.function);
  const call = /^(\w+)\(([^()]*)\)$/.exec(
    subject.text(undo.place.file).slice(undo.place.start, undo.place.end),
  );
  const odd = 'its undo is no call that gets one pointer of the file';
  if (!found || !call) return odd;
  const { unit, fn, expr } = found;
  const words = (call[2] ?? '').split(',').map((word) => word.trim());
  const nameOf = (word: string): string => {
    const name = /^&?(\w+)(?:\.\w+)*$/.exec(word)?.[1] ?? '';
    return fn.locals.some((local) => local.name === name) ? '' : name;
  };
  const own = words.filter((word) => unit.unit.variables.get(nameOf(word))?.extern === false);
  const [pointer = ''] = own;
  const variable = unit.unit.variables.get(nameOf(pointer));
  const isForeign = (word: string): boolean =>
    nameOf(word) !== '' && code.resolve(unit, nameOf(word)).k === 'foreign';
  if (own.length !== 1 || !variable || !words.every((word) => word === pointer || isForeign(word)))
    return odd;
  if (!pointer.startsWith('&') && variable.type.k !== 'pointer') return odd;
  const conditions = (vmlinux: boolean): ReturnType<typeof conditionsFor> => {
    const roots = (version.facts?.patch?.objects ?? [])
      .filter((object) => (object.name === null) === vmlinux)
      .flatMap(({ callbacks }) => callbacks.filter((it) => it.callback === undo.during));
    return conditionsFor(code, unit, fn, expr, new Set(roots.map((it) => it.function)));
  };
  const ownConditions = conditions(true);
  if (!ownConditions || conditions(false)) return 'only callbacks of vmlinux may ask klp_get_prev_state()';
  // A handle that is not there is NULL; whether a block is registered another module cannot ask.
  let alone = row.key !== 'pointer' || ownConditions.length === 0;
  for (const { test } of ownConditions)
    visitExpression(test, (part) => {
      if (
        part.k === 'local' ||
        (part.k === 'name' && !['IS_ERR', 'IS_ERR_OR_NULL', pointer].includes(part.name))
      )
        alone = false;
    });
  if (!alone) return 'its undo hangs on a condition';
  return {
    pointer,
    variable: variable.place,
    undo: `${call[1]}(${words.map((word) => (word === pointer ? 'prev->data' : word)).join(', ')});`,
  };
}

/** The callback that takes away what the predecessor published, and publishes what this version made. */
function takeOver(
  name: string,
  patch: string,
  published: readonly Published[],
  first: number,
  wrapped: string | null,
): string {
  const comment = blockComment([
    'Takes away what the version before published, and publishes what the next one must take away. A reversed transition does not get here.',
  ]);
  const removed = published.map(
    ({ undo }, index) =>
      `\tprev = klp_get_prev_state(${first + index});\n\tif (prev && prev->data)\n\t\t${undo}\n`,
  );
  const kept = published.map(({ effect, pointer }, index) => {
    const data = `\tklp_get_state(&${patch}, ${first + index})->data =`;
    return effect.row.fails === 'errptr' && !pointer.startsWith('&')
      ? `${data} NULL;\n\tif (!IS_ERR(${pointer}))\n\t${data} ${pointer};\n`
      : `${data} ${pointer};\n`;
  });
  return `${comment.join('\n')}
static void ${name}(struct klp_object *obj)
{
	struct klp_state *prev;

${removed.join('\n')}
${wrapped === null ? '' : `\t${wrapped}(obj);\n\n`}${kept.join('')}}

`;
}
