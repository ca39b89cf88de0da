/**
 * A second model of the livepatch core, written from the tables of what runs when (sequences E1 to X1, modules coming
 * and going, force, rmmod), not from the kernel's functions, and sharing nothing with the first. Deliberately plain:
 * no log, no nops, no events. One table row, one branch.
 */

export type Kind = 'pre_patch' | 'post_patch' | 'pre_unpatch' | 'post_unpatch';

export interface NaiveObject {
  readonly name: string;
  readonly kinds: readonly Kind[];
  /** ftrace refuses its functions. */
  readonly unpatchable: boolean;
}

export interface NaivePatch {
  readonly name: string;
  readonly replace: boolean;
  readonly objects: readonly NaiveObject[];
  readonly states: ReadonlyMap<number, number>;
  /** Why klp_enable_patch() refuses it whatever is installed, or 0; `late` refusals come after the state check. */
  readonly broken: number;
  readonly late: boolean;
}

/** Wrong on purpose, one at a time: the differential test has to notice each. */
export type Mutation =
  | 'replaced-post-unpatch'
  | 'replaced-pre-unpatch'
  | 'unpatch-backwards'
  | 'post-patch-while-moving'
  | 'pre-unpatch-while-moving'
  | 'reversal-post-patch'
  | 'pre-patch-again-on-reversal'
  | 'post-unpatch-after-failed-pre-patch'
  | 'forced-drops-reference'
  | 'replaced-keeps-reference'
  | 'reversal-stays-stalled'
  | 'busy-before-init'
  | 'refused-module-keeps-earlier'
  | 'old-patch-silent-during-replacement';

export interface NaiveHooks {
  /** The outcome of this pre_patch call: 0 or a negative errno. */
  prePatch(patch: string, object: string): number;
  targetInit(name: string): number;
  busy(): boolean;
  /** "patch.object.kind:state of the target". */
  called(text: string): void;
}

interface Thing {
  name: string;
  references: number;
  state: 'coming' | 'live' | 'going';
}

interface Part {
  readonly of: NaiveObject;
  applied: boolean;
  owesPostUnpatch: boolean;
}

interface Layer {
  readonly patch: NaivePatch;
  readonly parts: Part[];
  on: boolean;
  pinned: boolean;
}

interface Move {
  readonly layer: Layer;
  aim: 'on' | 'off';
  /** Tasks that have not been switched yet. */
  readonly stuck: Set<'sleeper' | 'busy'>;
  forced: boolean;
}

export class NaiveModel {
  readonly memory: Thing[] = [];
  layers: Layer[] = [];
  move: Move | null = null;
  nap: 'none' | 'stall' | 'hold' = 'none';
  readonly #hooks: NaiveHooks;
  readonly #wrong: Mutation | null;
  readonly #patches: ReadonlyMap<string, NaivePatch>;

  constructor(patches: readonly NaivePatch[], hooks: NaiveHooks, wrong: Mutation | null = null) {
    this.#patches = new Map(patches.map((patch) => [patch.name, patch]));
    this.#hooks = hooks;
    this.#wrong = wrong;
  }

  step(verb: string, name: string): number {
    const result = this.#step(verb, name);
    this.#poll();
    return result;
  }

  #step(verb: string, name: string): number {
    if (verb === 'load') return this.#load(name);
    if (verb === 'unload') return this.#unload(name);
    if (verb === 'stall' || verb === 'hold') this.nap = verb;
    if (verb === 'resume') this.nap = 'none';
    if (verb !== 'disable' && verb !== 'enable' && verb !== 'force') return 0;
    const layer = this.layers.find((candidate) => candidate.patch.name === name);
    if (!layer) return -2;
    const moving = this.move?.layer === layer;
    if (verb === 'force') return moving ? this.#force() : -22;
    if (layer.on === (verb === 'enable')) return -22; // row W
    if (moving) return this.#reverse(); // rows V1 to V4
    if (verb === 'enable') return -22; // row W
    if (this.move) return -16; // row D3
    return this.#turnOff(layer); // rows D1, D2, D4
  }

  // Modules

  #load(name: string): number {
    if (this.memory.some((thing) => thing.name === name)) return -17;
    const thing: Thing = { name, references: 0, state: 'coming' };
    this.memory.push(thing);
    const refused = this.#coming(thing);
    if (refused) {
      this.#forget(thing);
      return refused;
    }
    const patch = this.#patches.get(name);
    const result = patch ? this.#turnOn(thing, patch) : this.#hooks.targetInit(name);
    if (result < 0) {
      thing.state = 'going';
      this.#going(thing, this.layers);
      this.#forget(thing);
      return result;
    }
    thing.state = 'live';
    return 0;
  }

  #unload(name: string): number {
    const thing = this.memory.find((candidate) => candidate.name === name);
    if (!thing) return -2;
    if (thing.references > 0) return -11;
    thing.state = 'going';
    this.#going(thing, this.layers);
    this.#forget(thing);
    return 0;
  }

  #forget(thing: Thing): void {
    this.memory.splice(this.memory.indexOf(thing), 1);
  }

  /** Section 1.6, the left column of 1.7, and 1.5 for a refused module. */
  #coming(thing: Thing): number {
    const done: Layer[] = [];
    for (const layer of this.layers) {
      const moving = this.move?.layer === layer;
      for (const part of layer.parts.filter((candidate) => candidate.of.name === thing.name)) {
        let error = this.#call(layer, part, 'pre_patch');
        if (!error && part.of.unpatchable) {
          error = -22;
          this.#call(layer, part, 'post_unpatch');
        }
        if (error) {
          if (this.#wrong !== 'refused-module-keeps-earlier') this.#going(thing, done);
          return error;
        }
        part.applied = true;
        const silent =
          this.#wrong === 'old-patch-silent-during-replacement' && this.move?.layer.patch.replace;
        if (!silent && (!moving || this.#wrong === 'post-patch-while-moving'))
          this.#call(layer, part, 'post_patch');
      }
      done.push(layer);
    }
    return 0;
  }

  /** The right column of 1.7. */
  #going(thing: Thing, layers: readonly Layer[]): void {
    for (const layer of layers) {
      for (const part of layer.parts.filter((candidate) => candidate.of.name === thing.name)) {
        const moving = this.move?.layer === layer;
        if (!moving || this.#wrong === 'pre-unpatch-while-moving') this.#call(layer, part, 'pre_unpatch');
        this.#call(layer, part, 'post_unpatch');
        part.applied = false;
      }
    }
  }

  // Livepatches

  /** Section 1.1, then E1 to E3 and X1. */
  #turnOn(thing: Thing, patch: NaivePatch): number {
    if (patch.broken && !patch.late) return patch.broken;
    for (const { patch: old } of this.layers) {
      for (const [id, version] of old.states) {
        const mine = patch.states.get(id);
        if (mine === undefined ? patch.replace : mine < version) return -22;
      }
    }
    if (this.#wrong === 'busy-before-init' && this.move) return -16;
    if (patch.broken) return patch.broken;
    if (this.move) return -16;
    const parts = patch.objects.map((of) => ({ of, applied: false, owesPostUnpatch: false }));
    const layer: Layer = { patch, parts, on: false, pinned: false };
    for (const part of parts) {
      if (!this.#present(part)) continue;
      let error = this.#call(layer, part, 'pre_patch');
      if (!error && part.of.unpatchable) error = -22;
      if (error) {
        for (const earlier of parts) if (this.#present(earlier)) this.#call(layer, earlier, 'post_unpatch');
        return error;
      }
      part.applied = true;
    }
    this.layers.push(layer);
    layer.on = true;
    thing.references++;
    this.#begin(layer, 'on');
    return 0;
  }

  #turnOff(layer: Layer): number {
    for (const part of layer.parts) if (part.applied) this.#call(layer, part, 'pre_unpatch');
    layer.on = false;
    this.#begin(layer, 'off');
    return 0;
  }

  #begin(layer: Layer, aim: 'on' | 'off'): void {
    this.move = { layer, aim, stuck: new Set(['sleeper', 'busy']), forced: false };
    this.#poll();
  }

  /** Who had been switched has to go back, who had not is where it should be. */
  #reverse(): number {
    const move = this.move;
    if (!move) return -22;
    for (const task of ['sleeper', 'busy'] as const) {
      if (this.#wrong === 'reversal-stays-stalled') move.stuck.add(task);
      else if (!move.stuck.delete(task)) move.stuck.add(task);
    }
    move.forced = false;
    move.aim = move.aim === 'on' ? 'off' : 'on';
    move.layer.on = move.aim === 'on';
    if (move.aim === 'on' && this.#wrong === 'pre-patch-again-on-reversal') {
      for (const part of move.layer.parts) if (part.applied) this.#call(move.layer, part, 'pre_patch');
    }
    return 0;
  }

  /** Section 1.8. */
  #force(): number {
    const move = this.move;
    if (!move) return -22;
    move.forced = true;
    move.stuck.clear();
    if (move.aim === 'off') move.layer.pinned = true;
    else if (move.layer.patch.replace) {
      for (const layer of this.layers) if (layer !== move.layer) layer.pinned = true;
    }
    return 0;
  }

  /** Section 1.3, when every task is where the transition wants it. */
  #poll(): void {
    const move = this.move;
    if (!move) return;
    if (this.nap === 'none') move.stuck.delete('sleeper');
    if (!this.#hooks.busy()) move.stuck.delete('busy');
    if (!move.forced && (this.nap === 'hold' || move.stuck.size > 0)) return;
    const { layer, aim } = move;
    const replaced =
      aim === 'on' && layer.patch.replace ? this.layers.slice(0, this.layers.indexOf(layer)) : [];
    for (const old of replaced) {
      old.on = false;
      for (const part of old.parts) {
        if (!this.#present(part)) continue;
        if (this.#wrong === 'replaced-pre-unpatch') this.#call(old, part, 'pre_unpatch');
        if (this.#wrong === 'replaced-post-unpatch') this.#call(old, part, 'post_unpatch');
      }
    }
    const parts =
      aim === 'off' && this.#wrong === 'unpatch-backwards' ? [...layer.parts].reverse() : layer.parts;
    for (const part of parts) {
      if (!this.#present(part)) continue;
      if (aim === 'off' && this.#wrong === 'reversal-post-patch') this.#call(layer, part, 'post_patch');
      this.#call(layer, part, aim === 'on' ? 'post_patch' : 'post_unpatch');
    }
    this.move = null;
    for (const old of aim === 'off' ? [layer] : replaced) this.#drop(old, aim === 'on');
  }

  #drop(layer: Layer, replaced: boolean): void {
    this.layers = this.layers.filter((candidate) => candidate !== layer);
    if (layer.pinned && this.#wrong !== 'forced-drops-reference') return;
    if (replaced && this.#wrong === 'replaced-keeps-reference') return;
    for (const thing of this.memory) if (thing.name === layer.patch.name) thing.references--;
  }

  #present(part: Part): boolean {
    if (part.of.name === 'vmlinux') return true;
    return this.memory.some((thing) => thing.name === part.of.name);
  }

  #call(layer: Layer, part: Part, kind: Kind): number {
    const has = part.of.kinds.includes(kind);
    if (kind === 'post_unpatch') {
      const owed = part.owesPostUnpatch || this.#wrong === 'post-unpatch-after-failed-pre-patch';
      part.owesPostUnpatch = false;
      if (!owed) return 0;
    }
    let result = 0;
    if (has) {
      const state = this.memory.find((thing) => thing.name === part.of.name)?.state ?? '';
      if (kind === 'pre_patch') result = this.#hooks.prePatch(layer.patch.name, part.of.name);
      this.#hooks.called(`${layer.patch.name}.${part.of.name}.${kind}:${state}=${result}`);
    }
    if (kind === 'pre_patch') part.owesPostUnpatch = result === 0;
    return result;
  }
}
