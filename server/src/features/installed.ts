import type { Lineage, LineageVersion } from '../core/lineage/lineage';
import { versionByName } from '../core/lineage/lineage';
import { because, type Transitions } from '../core/lineage/transitions';
import type { VerdictWord } from '../core/lineage/verdict';
import type { Certainty } from '../core/place';

/** One folder below /sys/kernel/livepatch. What this kernel's sysfs does not have is null. */
export interface InstalledLivepatch {
  readonly name: string;
  readonly enabled: boolean;
  readonly transition: boolean;
  readonly replace: boolean | null;
  /** 1 is the oldest. */
  readonly stackOrder: number | null;
  readonly objects: readonly { readonly name: string; readonly patched: boolean | null }[];
}

/** What a machine's kernel says of itself, read from sysfs and procfs. */
export interface Installed {
  readonly release: string;
  readonly livepatches: readonly InstalledLivepatch[];
  /** All of /proc/modules. */
  readonly modules: readonly { readonly name: string; readonly references: number }[];
}

export interface InstalledAnswer {
  readonly release: string;
  /** Oldest first, where the kernel tells. */
  readonly livepatches: readonly (InstalledLivepatch & { readonly version: string | null })[];
  /** Versions of the lineage that are in memory and not in use: replaced or disabled, waiting for rmmod. */
  readonly leftInMemory: readonly {
    readonly version: string;
    readonly module: string;
    readonly references: number;
  }[];
  /** The version that is enabled now; null where there is none, or several of which none replaces the others. */
  readonly current: string | null;
  /** Where one can go from here: the verdicts that matter now. */
  readonly verdicts: readonly {
    readonly from: string | null;
    readonly to: string;
    readonly verdict: VerdictWord;
    readonly certainty: Certainty;
    readonly because: string;
  }[];
  /** What a person should know before doing anything. */
  readonly notes: readonly string[];
}

/** Matches what is installed with the versions of a lineage, by module name. */
export function installedAnswer(
  lineage: Lineage,
  transitions: Transitions,
  installed: Installed,
): InstalledAnswer {
  const livepatches = [...installed.livepatches]
    .sort((a, b) => (a.stackOrder ?? 0) - (b.stackOrder ?? 0))
    .map((livepatch) => ({ ...livepatch, version: versionOf(lineage, livepatch.name)?.name ?? null }));
  const listed = new Set(livepatches.map(({ name }) => name));
  const current = currentOf(lineage, livepatches);
  const onMachine = livepatches.length > 0;
  const froms = current ?? (onMachine ? undefined : null);
  return {
    release: installed.release,
    livepatches,
    leftInMemory: installed.modules.flatMap(({ name, references }) => {
      const version = versionOf(lineage, name);
      return version && !listed.has(name) ? [{ version: version.name, module: name, references }] : [];
    }),
    current: current?.name ?? null,
    verdicts:
      froms === undefined
        ? []
        : lineage.versions
            .filter((to) => to !== froms)
            .map((to) => {
              const transition = transitions.transition(froms, to);
              const { word, certainty } = transition.run.verdict;
              return {
                from: froms?.name ?? null,
                to: to.name,
                verdict: word,
                certainty,
                because: because(transition),
              };
            }),
    notes: notesOn(lineage, installed, livepatches, current),
  };
}

function versionOf(lineage: Lineage, module: string): LineageVersion | undefined {
  const version = versionByName(lineage, module);
  return version?.module === module ? version : undefined;
}

/** What this machine does with one version, in a few words; null where that is nothing. */
export function installedWords(answer: InstalledAnswer, version: string): string | null {
  const livepatch = answer.livepatches.find((it) => it.version === version);
  if (livepatch) {
    const { transition, enabled } = livepatch;
    return transition
      ? `being ${enabled ? 'enabled' : 'disabled'} on this machine`
      : `${enabled ? 'enabled' : 'disabled'} on this machine`;
  }
  return answer.leftInMemory.some((it) => it.version === version) ? "in this machine's memory" : null;
}

type Matched = InstalledAnswer['livepatches'][number];

/** The only enabled livepatch, if it belongs to the lineage; in a transition, the one that is being enabled. */
function currentOf(lineage: Lineage, livepatches: readonly Matched[]): LineageVersion | null {
  const moving = livepatches.find((it) => it.transition && it.enabled);
  const enabled = moving ? [moving] : livepatches.filter((it) => it.enabled);
  const [only, second] = enabled;
  return only && !second ? (versionOf(lineage, only.name) ?? null) : null;
}

function notesOn(
  lineage: Lineage,
  installed: Installed,
  livepatches: readonly Matched[],
  current: LineageVersion | null,
): string[] {
  const notes: string[] = [];
  const { release } = lineage.capabilities;
  if (release !== '' && installed.release !== '' && !isOfSeries(installed.release, release)) {
    notes.push(`This machine runs ${installed.release}; the lineage is for ${release}.`);
  }
  for (const { name, transition, enabled } of livepatches) {
    if (!transition) continue;
    const way = enabled ? 'being enabled' : 'being disabled';
    notes.push(
      `${name} is ${way}: its transition is pending, and no other livepatch can be loaded or disabled until it ends.`,
    );
  }
  for (const { name, version, enabled } of livepatches) {
    if (version === null && enabled)
      notes.push(
        `${name} is enabled and no version of this lineage: the verdicts assume that nothing else is loaded.`,
      );
  }
  const own = livepatches.filter((it) => it.version !== null && it.enabled && !it.transition);
  if (own.length > 1) {
    notes.push(
      `${own.map((it) => it.version).join(' and ')} are enabled at once: the verdicts of single versions do not answer for that.`,
    );
  }
  const status = current?.entry.status.value;
  if (current && (status === 'faulty' || status === 'withdrawn')) {
    notes.push(`${current.name} is ${status}: klp-lineage runbook --from ${current.name} tells the way out.`);
  }
  return notes;
}

/** "6.1.0-18-amd64" is of "6.1" and of "6.1.0-18", and "6.10" is not of "6.1". */
function isOfSeries(release: string, series: string): boolean {
  return release === series || (release.startsWith(series) && /^[.-]/.test(release.slice(series.length)));
}
