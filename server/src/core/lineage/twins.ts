import { formatStep, type Step } from '../manifest/steps';
import type { Lineage, LineageVersion } from './lineage';
import type { VerdictWord } from './verdict';
import type { World } from './world';

/**
 * Versions that differ in nothing but their names do the same under the same circumstances, with the names changed. Most
 * versions of a cumulative livepatch leave the callbacks of the one before as they were: what one of them did need not be
 * carried out for each of the others.
 */

/** What a way came to that showed nothing which belongs to one version alone: no place, no effect that stays. */
export interface Outcome {
  readonly word: VerdictWord;
  readonly fallible: readonly string[];
  /** Steps of the interpreter. */
  readonly spent: number;
  /** What calls without an end had cost before it; in it they cost nothing. */
  readonly before: number;
  readonly end: StateName;
}

/** A state's key in which the versions are called by their turn, and which version each turn is. */
export interface StateName {
  readonly shape: string;
  readonly modules: readonly string[];
}

/** The versions of a way by their turn of appearance, and the way told by those turns. */
export interface Plot {
  readonly cast: readonly LineageVersion[];
  readonly text: string;
}

/** What begins a turn or a name in a key: a character that no module's name has. */
const MARK = '\u0001';

export class Twins {
  readonly #lineage: Lineage;
  /** The class of each version by name: the same number for twins. */
  readonly #classes = new Map<string, number>();
  readonly #modules: ReadonlySet<string>;
  /** Modules of versions that have a twin. */
  readonly #twinned = new Set<string>();
  readonly #outcomes = new Map<string, Outcome>();

  constructor(lineage: Lineage) {
    this.#lineage = lineage;
    this.#modules = new Set(lineage.versions.map((version) => version.module));
    const groups = groupsOf(lineage);
    for (const [number, group] of groups.entries()) {
      for (const version of group) {
        this.#classes.set(version.name, number);
        if (group.length > 1) this.#twinned.add(version.module);
      }
    }
  }

  /** The same number for a version and its twins; null where it has none. */
  classOf({ name, module }: LineageVersion): number | null {
    return this.#twinned.has(module) ? (this.#classes.get(name) ?? null) : null;
  }

  /** The plot of a way: that of the state before it, `own` steps further. */
  plotOf(before: Plot, own: readonly Step[]): Plot {
    const cast = [...before.cast];
    let text = before.text;
    for (const step of own) {
      if ('name' in step && this.#classes.has(step.name)) {
        let turn = cast.findIndex((version) => version.name === step.name);
        if (turn < 0) {
          turn = cast.length;
          cast.push(this.#lineage.versions.find((it) => it.name === step.name) as LineageVersion);
        }
        text += `${formatStep({ ...step, name: `${MARK}${turn}` })};`;
      } else text += `${formatStep(step)};`;
    }
    return { cast, text };
  }

  /** Whether another way can have the same plot. */
  isTwinned({ cast }: Plot, version: LineageVersion | null): boolean {
    return (
      (version !== null && this.#twinned.has(version.module)) ||
      cast.some(({ module }) => this.#twinned.has(module))
    );
  }

  /** What is known of this way from one that twins of its versions went. */
  outcomeOf(plot: Plot): Outcome | undefined {
    const known = this.#outcomes.get(this.#nameOf(plot));
    return known && { ...known, end: { ...known.end, modules: modulesIn(plot, known.end) } };
  }

  /** Keeps what a way came to, for its twins. Not where code looked at names as it ran. */
  keep(plot: Plot, world: World, outcome: Outcome): void {
    if (world.namesWereAsked) return;
    const modules = outcome.end.modules.map(
      (module) => `${plot.cast.findIndex((version) => version.module === module)}`,
    );
    this.#outcomes.set(this.#nameOf(plot), { ...outcome, end: { ...outcome.end, modules } });
  }

  /** Names the state that a world is in: the same whoever has a twin, for trials are kept while twins come and go. */
  stateOf(world: World): StateName {
    const modules = world.kernel.modules().flatMap(({ name }) => (this.#modules.has(name) ? [name] : []));
    const shape = world.key((module) => {
      const turn = modules.indexOf(module);
      return turn < 0 ? module : `${MARK}${turn}`;
    });
    return { shape, modules };
  }

  #nameOf({ cast, text }: Plot): string {
    return `${text}\n${cast.map((version) => this.#classes.get(version.name)).join()}`;
  }
}

/** A state's name as one text. */
export function stateText({ shape, modules }: StateName): string {
  return `${shape}${MARK}${modules.join()}`;
}

function modulesIn(plot: Plot, { modules }: StateName): string[] {
  return modules.map((turn) => plot.cast[Number(turn)]?.module ?? '');
}

/** The versions in groups of twins; most groups have one member. */
function groupsOf(lineage: Lineage): LineageVersion[][] {
  const nameless = namelessIn(lineage);
  const groups = new Map<unknown, LineageVersion[]>();
  for (const version of lineage.versions) {
    const key = nameless.has(version) ? version.nameless : version;
    const group = groups.get(key);
    if (group) group.push(version);
    else groups.set(key, [version]);
  }
  return [...groups.values()];
}

/** The versions whose names stand nowhere in code that does something with them. */
function namelessIn({ versions, targets }: Lineage): ReadonlySet<LineageVersion> {
  // Who may leave what to whom goes by the order of versions.
  if (versions.some((version) => version.entry.keeps.length > 0)) return new Set();
  const names = new Set(versions.map((version) => version.name));
  const strings = [...versions, ...targets].flatMap((it) => it.strings);
  return new Set(
    versions.filter(
      ({ name, module, nameless }) =>
        nameless !== null &&
        // A step that names it means it alone.
        (name === module || !names.has(module)) &&
        !strings.some((text) => text.includes(module)),
    ),
  );
}
