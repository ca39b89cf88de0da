import { workTreePath } from '../blob-names';
import { isDiffDialect } from '../csource/dialects/diffs';
import { identity } from '../lineage/left-behind';
import { isDraft, type LineageVersion } from '../lineage/lineage';
import { goesOff, type Run } from '../lineage/run';
import type { Place } from '../place';
import { Places } from '../places';
import { type Built, build as buildModule } from './build';
import { buildDiffs } from './build-diffs';
import { buildSuse } from './build-suse';
import { type Cast, checkRequest } from './checks';
import { FaultyCode } from './faulty-code';
import { dirname, relativePath } from './layout';
import { type Patient, whatOf } from './patient';
import { Translator } from './portable';
import { prove } from './proof';
import { type Prospect, prospect } from './prospect';
import type { Remedy } from './remedy';
import { planStates, type StatePlan } from './states';
import { effectsOf, leftovers, treat } from './strategy';
import { GIVEN_VALUE } from './strategy-given';
import { usedIds } from './strategy-shadow';
import type { GeneratedVersion, Request, Subject } from './subject';

/** The cleanup version, or why there can be none; each reason is a sentence with its place. */
export type Scaffold =
  | GeneratedVersion
  | {
      readonly ok: false;
      readonly reasons: readonly string[];
      /** Names of kernel variables whose old value nobody hands over, so that the author may give it. */
      readonly asks?: readonly string[];
      /** A version to clean up after that is a draft still, so that it can be made replaceable. */
      readonly draft?: string;
    };

/**
 * Writes a version that is the good one plus callbacks that clean up after the faulty ones. What the faulty versions
 * leave is found by running them against a copy of the good one; each thing is undone by what another module can
 * find of it; the result is run through the model before it is handed out. Writes nothing itself.
 */
export function scaffold(subject: Subject, request: Request): Scaffold {
  const home = dirname(subject.manifestFile);
  const places = new Places(
    (file) => relativePath(home, workTreePath(file)),
    (file) => subject.text(file),
    (file) => subject.revisionOf?.(file),
  );
  const where = (place: Place): string => places.text(place);
  const cast = checkRequest(subject, request, where);
  if (!('good' in cast)) return { ok: false, reasons: cast };
  const values = request.values ?? new Map<string, string>();
  for (const [name, value] of values) {
    if (!GIVEN_VALUE.test(value))
      return {
        ok: false,
        reasons: [`The value of ${name} is an integer or a constant's name, not "${value}".`],
      };
  }
  const states = planStates(cast.good, cast.faulty);
  if (states.problems.length > 0) {
    return {
      ok: false,
      reasons: states.problems.map(({ message, state }) => `${where(state.place)}: ${message}.`),
    };
  }
  const diffs = isDiffDialect(cast.good.dialect);
  const build = diffs ? buildDiffs : cast.good.dialect === 'suse' ? buildSuse : buildModule;
  if (diffs && states.states.length > 0) return { ok: false, reasons: [...statesLost(states), wayOut(cast)] };
  const bare = build(subject, cast, states, [], request.out, where);
  if (!('files' in bare)) return { ok: false, reasons: bare };
  const base = prospect(subject, bare.manifestText, cast.names.version, bare.files, bare.units);
  if (!base)
    return {
      ok: false,
      reasons: ['The manifest cannot be read with the new version in it: repair it first.'],
    };
  const lost = lostIncludes(base, cast, bare, where);
  if (lost.length > 0) return { ok: false, reasons: lost };
  const found = treatAll(subject, cast, states, base, where, values);
  if (found.reasons.length > 0)
    return {
      ok: false,
      reasons: [...found.reasons, wayOut(cast)],
      asks: [...found.asks],
      ...drafts(cast),
    };
  const built = build(subject, cast, states, found.remedies, request.out, where);
  if (!('files' in built)) return { ok: false, reasons: built };
  const result = prospect(subject, built.manifestText, cast.names.version, built.files, built.units);
  if (!result)
    return {
      ok: false,
      reasons: ['The manifest cannot be read with the new version in it: repair it first.'],
    };
  const inLineage = (version: LineageVersion): LineageVersion =>
    result.lineage.versions[version.index] ?? version;
  const proof = prove(result, inLineage(cast.good), cast.faulty.map(inLineage), found.untreated);
  if (proof.faults.length > 0) {
    return {
      ok: false,
      reasons: [
        ...proof.faults.map((fault) => `The generated version would not do: ${fault}.`),
        wayOut(cast),
      ],
    };
  }
  const notes = [
    ...found.notes,
    ...states.notes,
    ...stateNotes(cast, states),
    ...built.notes,
    ...proof.notes,
  ];
  if (found.remedies.length === 0) {
    const nothing =
      found.untreated.size > 0
        ? ''
        : `${cast.faulty.map((version) => version.name).join(', ')} leaves nothing behind: `;
    notes.unshift(`${nothing}${cast.names.version} is ${cast.good.name} under a new name.`);
  }
  // Where nobody installed a faulty version this is all that the new one does: it comes before everything else.
  if (proof.inherited !== null) notes.unshift(proof.inherited);
  return { ok: true, files: built.files, manifestEdits: built.manifestEdits, notes: [...new Set(notes)] };
}

/** The kernel refuses a successor without the states of what it replaces, and the tools pass none to it. */
function statesLost(states: StatePlan): string[] {
  return states.states.map(
    (state) =>
      `State ${String(state.id)} of ${state.from.join(', ')}: the kernel takes no successor without it, and a livepatch from diffs has no states.`,
  );
}

/** A file as C: the marks of a diff are blanks, so that offsets stay. */
function plainText(subject: Subject, file: string): string {
  const text = subject.text(file);
  return /\.(?:patch|diff)$/.test(file) ? text.replace(/^[+ ]/gm, ' ') : text;
}

interface Treated {
  readonly remedies: readonly Remedy[];
  readonly reasons: readonly string[];
  readonly notes: readonly string[];
  /** Effects that stay although somebody might call them left over. */
  readonly untreated: ReadonlySet<string>;
  /** Variables whose value could be given. */
  readonly asks: ReadonlySet<string>;
}

function treatAll(
  subject: Subject,
  cast: Cast,
  states: StatePlan,
  base: Prospect,
  where: (place: Place) => string,
  values: ReadonlyMap<string, string>,
): Treated {
  const remedies: Remedy[] = [];
  const asks = new Set<string>();
  const known = new Set<string>();
  const reasons: string[] = [];
  const notes: string[] = [];
  const untreated = new Set<string>();
  const good = base.lineage.versions[cast.good.index] ?? cast.good;
  const ownEffects = new Set(effectsOf(base.transitions, good).map(identity));
  for (const named of cast.faulty) {
    const version = base.lineage.versions[named.index];
    if (!version?.program) continue;
    const effects = leftovers(base.transitions, version, base.added);
    if (effects === null) {
      const refusal = base.transitions.transition(version, base.added).run.verdict.refusals[0];
      reasons.push(
        `A copy of ${good.name} cannot be loaded over ${version.name}: the kernel answers ${refusal?.result ?? 'an error'} before any cleanup could run.`,
      );
      continue;
    }
    const code = new FaultyCode(version.program);
    const patient: Patient = {
      version,
      code,
      translator: new Translator(code),
      capabilities: base.lineage.capabilities,
      transitions: base.transitions,
      states: states.ranges.get(version.name) ?? new Map(),
      text: (file) => plainText(subject, file),
      shared: usedIds(good),
      hasStates: !isDiffDialect(cast.good.dialect),
      values,
      where,
    };
    const both = effects.find(
      (effect) => ownEffects.has(identity(effect)) && effect.row.family !== 'shadow variable',
    );
    if (both) {
      reasons.push(
        `${where(both.by.place)}: ${whatOf(both)} is made by ${version.name} and by ${good.name} alike: whose it is when ${cast.names.version} is loaded cannot be told.`,
      );
      continue;
    }
    for (const effect of effects) known.add(effect.key);
    const waiting = maybeWaiting(base.transitions.transition(version, base.added).run);
    const treatment = treat(patient, effects, good);
    remedies.push(...treatment.remedies);
    notes.push(...treatment.notes);
    for (const { effect, refusal } of treatment.refused) {
      const text = `${where(effect.by.place)}: ${whatOf(effect)} of ${version.name}`;
      if (refusal.onlyLeaks) {
        untreated.add(identity(effect));
        notes.push(
          `${text} stays, as it does when ${version.name} is disabled: ${refusal.because}. It is memory that nobody uses.`,
        );
        continue;
      }
      if (waiting.has(identity(effect))) {
        untreated.add(identity(effect));
        notes.push(
          `${text} may still wait when ${cast.names.version} is loaded, and cannot be ended by it: ${refusal.because}. Load ${cast.names.version} after it has gone off.`,
        );
        continue;
      }
      reasons.push(`${text} cannot be undone by ${cast.names.version}: ${refusal.because}.`);
      if (effect.row.key !== 'value' || effect.row.synthetic !== true || values.has(effect.key)) continue;
      asks.add(effect.key);
      reasons.push(
        `If you know what ${effect.key} has to be without ${version.name}, give it: klp-lineage scaffold … --value ${effect.key}=VALUE.`,
      );
    }
    for (const { id, because } of treatment.refusedShadows) {
      reasons.push(
        `Shadow variables ${id} of ${version.name} cannot be freed by ${cast.names.version}: ${because}.`,
      );
    }
    notes.push(...unread(version, base, where));
  }
  for (const name of values.keys())
    if (!known.has(name))
      reasons.push(
        `A value is given for ${name}, which ${cast.faulty.map((version) => version.name).join(' and ')} does not leave changed.`,
      );
  const clash = clashOf(remedies);
  if (clash) reasons.push(clash);
  const merged = withoutTwins(remedies);
  for (const remedy of merged) notes.push(told(remedy, where));
  return {
    remedies: [...merged.filter((item) => !item.last), ...merged.filter((item) => item.last)],
    reasons,
    notes,
    untreated,
    asks,
  };
}

/** What goes off once, and may or may not have done so by then. */
function maybeWaiting({ verdict }: Run): ReadonlySet<string> {
  return new Set(
    verdict.dangers.flatMap(({ effect, certainty }) =>
      effect && certainty === 'may' && goesOff(effect) ? [identity(effect)] : [],
    ),
  );
}

/** The same thing left by two faulty versions is undone once. */
function withoutTwins(remedies: readonly Remedy[]): Remedy[] {
  const seen = new Set<string>();
  return remedies.filter((remedy) => {
    const key = `${JSON.stringify(remedy.guard)}\n${remedy.declarations.join('\n')}\n${remedy.body.filter((line) => !line.startsWith('pr_info(')).join('\n')}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Two faulty versions whose state entries look alike and yet ask for different things. */
function clashOf(remedies: readonly Remedy[]): string | null {
  for (const a of remedies) {
    for (const b of remedies) {
      if (
        a.guard.k !== 'state' ||
        b.guard.k !== 'state' ||
        a.version === b.version ||
        a.guard.id !== b.guard.id
      )
        continue;
      const apart = a.guard.to < b.guard.from || b.guard.to < a.guard.from;
      const same = remedies.some((other) => other.version === b.version && other.body[0] === a.body[0]);
      if (!apart && !same) {
        return `${a.version.name} and ${b.version.name} declare state ${String(a.guard.id)} with the same version but leave different things: which of them was installed cannot be told. Make one cleanup version for each.`;
      }
    }
  }
  return null;
}

function told(remedy: Remedy, where: (place: Place) => string): string {
  const at = remedy.place ? ` (${where(remedy.place)})` : '';
  return `${remedy.what} of ${remedy.version.name}${at}: ${remedy.explanation}`;
}

function stateNotes({ good, names }: Cast, states: StatePlan): string[] {
  return states.states
    .filter((state) => state.own === null)
    .map(
      (state) =>
        `State ${String(state.id)} of ${state.from.join(', ')} is carried on with version ${state.version}. ${good.name}, which lacks it, cannot replace ${names.version}: to go back there, disable ${names.version} first.`,
    );
}

/** What of a faulty version could not be followed, so that it may leave more than was found. */
function unread(version: LineageVersion, base: Prospect, where: (place: Place) => string): string[] {
  const notes: string[] = [];
  const reasons = base.transitions
    .transition(null, version)
    .run.unknown.filter((reason) => reason.kind !== 'unknown-branch' && reason.kind !== 'may-stall');
  for (const reason of reasons.slice(0, 5)) {
    notes.push(
      `${reason.place ? `${where(reason.place)}: ` : ''}of ${version.name} this could not be followed: ${reason.text}. Check that it leaves nothing behind.`,
    );
  }
  if (reasons.length > 5)
    notes.push(`${reasons.length - 5} more calls of ${version.name} could not be followed.`);
  if (version.facts && !version.facts.complete)
    notes.push(`The sources of ${version.name} could be read in part only: it may leave more behind.`);
  return notes;
}

/** Files that the good version includes and its copy would not find. */
function lostIncludes(base: Prospect, cast: Cast, built: Built, where: (place: Place) => string): string[] {
  const missing = (version: LineageVersion): Map<string, Place> =>
    new Map(
      (version.program?.units ?? []).flatMap((unit) =>
        unit.missingIncludes.map((item) => [item.name, item.place] as const),
      ),
    );
  const before = missing(cast.good);
  const reasons: string[] = [];
  for (const [name] of missing(base.added)) {
    if (before.has(name)) continue;
    const file = built.layout.outside[0];
    reasons.push(
      `${cast.good.name} includes "${name}"${file === undefined ? '' : ` (${where({ file, start: 0, end: 0 }).replace(/:1$/, '')})`}, which its copy in ${built.layout.folder} would not find: choose a folder beside that of ${cast.good.name}.`,
    );
  }
  return reasons;
}

function drafts({ faulty }: Cast): { readonly draft?: string } {
  const draft = faulty.find(isDraft);
  return draft ? { draft: draft.name } : {};
}

function wayOut({ good, faulty }: Cast): string {
  const [last] = faulty.toReversed();
  if (!last) return '';
  return (
    (isDraft(last)
      ? `${last.name} is a draft: in the editor, "Livepatch: Make This Version Replaceable" publishes in a klp_state what its undo needs. `
      : '') +
    `Instead: disable ${last.name} (echo 0 > /sys/kernel/livepatch/${last.module}/enabled), wait until that folder is gone, ` +
    `rmmod ${last.module}, then load ${good.name}. Between the two nothing is patched. ` +
    `With every check: klp-lineage runbook --from ${last.name} --to ${good.name}.`
  );
}
