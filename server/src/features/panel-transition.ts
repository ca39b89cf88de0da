import type { Effect } from '../core/execution/effects';
import { CALLBACK_KINDS, type CallbackCall, type InstanceId } from '../core/kernel/types';
import { type Lineage, versionByName } from '../core/lineage/lineage';
import { rehearsalSteps } from '../core/lineage/run';
import type { Transition } from '../core/lineage/transitions';
import type { Happening, World } from '../core/lineage/world';
import { formatStep, type Step } from '../core/manifest/steps';
import type { Analysis } from './analysis';
import { sourcesFor, type ToSource } from './panel';
import { callbackDeeds } from './panel-callbacks';
import type { PanelLane, PanelSpan, PanelTransition, Rehearsed } from './panel-model';
import { callText, versionText } from './run-text';
import { transitionSentence } from './sentence';

type CallbackLane = Extract<PanelLane, { k: 'callbacks' }>;
type Mark = CallbackLane['marks'][number];

/** One transition told over moments, or null where a name is not a version of the lineage. */
export function panelTransition(
  analysis: Analysis,
  from: string,
  to: string,
  toUri: (file: string) => string,
  rehearsed: (steps: readonly Step[]) => Rehearsed | null = () => null,
): PanelTransition | null {
  const target = versionByName(analysis.lineage, to);
  const origin = from === 'none' ? null : versionByName(analysis.lineage, from);
  if (!target || origin === undefined || origin === target) return null;
  const transition = analysis.transitions.transition(origin, target);
  const steps = rehearsalSteps(analysis.lineage, origin?.name ?? null, target.name);
  const toSource = sourcesFor(analysis, toUri);
  return {
    ...new Telling(analysis.lineage, transition, toSource).tell(actionsFor(transition)),
    callbacks: callbackDeeds(analysis.transitions, transition, toSource),
    rehearsed: rehearsed(steps),
  };
}

function actionsFor(transition: Transition): PanelTransition['actions'] {
  const { from, to } = transition;
  const pair = [from?.name ?? 'none', to.name];
  const rehearse = { command: 'livepatch.rehearse', title: 'Rehearse in a real kernel', arguments: pair };
  if (!from || transition.run.verdict.word === 'clean' || from.index < to.index) return [rehearse];
  return [
    {
      command: 'livepatch.generateCleanupPatch',
      title: `Generate a version that restores ${to.name} and cleans up after ${from.name}`,
      arguments: [to.name, from.name],
    },
    {
      command: 'livepatch.runbook',
      title: `Runbook from ${from.name} to ${to.name}`,
      arguments: pair,
    },
    rehearse,
  ];
}

const ALL_MOVED = 'all tasks have moved';

/** Walks through a run's happenings once and collects moments, lanes and log. */
class Telling {
  readonly #transition: Transition;
  readonly #toSource: ToSource;
  readonly #lineage: Lineage;
  readonly #world: World;
  readonly #moments: { title: string }[] = [];
  readonly #log: { text: string; kind: 'command' | 'core' | 'module' | 'fault'; moment: number }[] = [];
  readonly #steps: { step: string; result: number; first: number; last: number }[] = [];
  readonly #marks = new Map<string, { lane: CallbackLane; marks: Mark[] }>();
  readonly #modules = new Map<InstanceId, { first: number; freed: number | null }>();
  readonly #effects = new Map<
    number,
    { effect: Effect; first: number; undone: number | null; spans: PanelSpan[] }
  >();
  readonly #tasks: PanelSpan[] = [];
  readonly #replaced = new Map<InstanceId, number>();
  /** Moments of callbacks that have not returned yet. */
  readonly #entered: number[] = [];
  /** Where tasks are from which moment on; while they move, `moving` says so. */
  #code: { first: number; label: string; moving: boolean } = {
    first: 0,
    label: 'in kernel code',
    moving: false,
  };
  /** Whose transition has started. */
  #switching: string | null = null;
  #completed: number | null = null;
  readonly #patched = new Map<InstanceId, number>();

  constructor(lineage: Lineage, transition: Transition, toSource: ToSource) {
    this.#lineage = lineage;
    this.#transition = transition;
    this.#toSource = toSource;
    this.#world = transition.run.end;
  }

  tell(actions: PanelTransition['actions']): Omit<PanelTransition, 'rehearsed' | 'callbacks'> {
    const { run, from, to } = this.#transition;
    run.outcomes.forEach((outcome) => {
      const step = formatStep(outcome.step);
      const first = this.#moment(`% ${step}`);
      this.#log.push({ text: `% ${step}`, kind: 'command', moment: first });
      for (const happening of outcome.happenings) this.#happening(happening);
      this.#steps.push({ step, result: outcome.result, first, last: this.#moments.length - 1 });
    });
    this.#absentMarks();
    const { verdict } = run;
    for (const danger of verdict.dangers) {
      const last = this.#steps[danger.step]?.last ?? this.#moments.length - 1;
      this.#log.push({ text: danger.text, kind: 'fault', moment: last });
    }
    return {
      schema: 1,
      from: from?.name ?? 'none',
      to: to.name,
      verdict: verdict.word,
      certainty: verdict.certainty,
      sentence: transitionSentence(this.#transition),
      unknown: run.unknown.map((reason) => reason.text),
      steps: this.#steps,
      moments: this.#moments,
      lanes: this.#lanes(),
      log: this.#log.sort((a, b) => a.moment - b.moment),
      leftovers: verdict.leftovers.map((leftover) => ({
        effect: leftover.effect.row.noun,
        key: leftover.effect.key,
        hazard: leftover.hazard,
        certainty: leftover.certainty,
        version: leftover.version?.name ?? '',
        source: this.#toSource(leftover.place),
      })),
      actions,
    };
  }

  #moment(title: string): number {
    this.#moments.push({ title });
    return this.#moments.length - 1;
  }

  #now(): number {
    return this.#moments.length - 1;
  }

  #happening(it: Happening): void {
    switch (it.k) {
      case 'log':
        // Said before the core does anything of it: callbacks and what is skipped belong to this moment.
        if (it.debug && / completing \w+ transition$/.test(it.text)) this.#completed = this.#openCompleted();
        if (!it.debug) this.#log.push({ text: it.text, kind: it.origin, moment: this.#now() });
        return;
      case 'calling':
        this.#entered.push(this.#moment(callText(this.#world, it.call)));
        return;
      case 'loaded':
        this.#modules.set(it.instance, { first: this.#now(), freed: null });
        return;
      case 'freed': {
        const life = this.#modules.get(it.instance);
        if (life)
          life.freed = this.#moment(`${this.#world.nameOf(it.instance).module} is removed from memory`);
        return;
      }
      case 'effect':
        this.#effectEvent(it.event);
        return;
      case 'kernel':
        this.#kernelEvent(it.event);
        return;
      case 'unknown':
        return;
    }
  }

  #kernelEvent(event: Extract<Happening, { k: 'kernel' }>['event']): void {
    switch (event.k) {
      case 'called': {
        const moment = this.#entered.pop() ?? this.#now();
        const failed = event.call.callback === 'pre_patch' && event.result < 0;
        this.#mark(event.call, { moment, state: 'ran', because: failed ? `answers ${event.result}` : null });
        return;
      }
      case 'skipped': {
        const by = event.by === null ? '' : ` by ${versionText(this.#world, event.by)}`;
        this.#mark(event.call, { moment: this.#now(), state: 'skipped', because: `${event.because}${by}` });
        return;
      }
      case 'transition': {
        const name = versionText(this.#world, event.patch);
        if (event.phase === 'start') {
          const moment = this.#moment(`tasks begin to move: ${name} ${event.to}`);
          this.#tasksAre('moving', true, moment);
          this.#switching = name;
        } else if (event.phase === 'complete') {
          const moment = this.#completed ?? this.#moment(ALL_MOVED);
          this.#completed = null;
          this.#switching = null;
          this.#tasksAre(`in ${event.to === 'patched' ? `${name}'s code` : 'the code below'}`, false, moment);
          this.#patched.set(event.patch, moment);
        } else this.#moment(`transition of ${name}: ${event.phase}`);
        return;
      }
      case 'replaced':
        this.#replaced.set(event.patch, this.#now());
        return;
      case 'released':
        this.#moment(`${versionText(this.#world, event.patch)} can be removed`);
        return;
      case 'warning':
        this.#log.push({ text: event.text, kind: 'fault', moment: this.#now() });
        return;
    }
  }

  /** A transition that never started has none of this. */
  #openCompleted(): number | null {
    return this.#switching === null ? null : this.#moment(`${ALL_MOVED}: ${this.#switching}`);
  }

  #tasksAre(label: string, moving: boolean, moment: number): void {
    this.#endCode(moment - 1, 'old-code');
    this.#code = { first: moment, label, moving };
  }

  #endCode(last: number, state: 'old-code' | 'new-code'): void {
    const { first, label, moving } = this.#code;
    if (first <= last) this.#tasks.push({ first, last, state: moving ? 'mixed' : state, label });
  }

  #effectEvent(event: Extract<Happening, { k: 'effect' }>['event']): void {
    if (event.k === 'done') {
      this.#effects.set(event.effect.id, {
        effect: event.effect,
        first: this.#now(),
        undone: null,
        spans: [],
      });
    } else if (event.k === 'undone' || event.k === 'ended') {
      const known = this.#effects.get(event.effect.id);
      if (known) known.undone = this.#now();
    } else if (event.k === 'fault') {
      this.#log.push({ text: event.text, kind: 'fault', moment: this.#now() });
    }
  }

  #mark(call: CallbackCall, mark: Omit<Mark, 'callback' | 'source'>): void {
    const object = this.#world.objectOf(call);
    const key = `${call.patch} ${call.object}`;
    let known = this.#marks.get(key);
    if (!known) {
      const version = versionText(this.#world, call.patch);
      known = { lane: { k: 'callbacks', version, object, marks: [] }, marks: [] };
      this.#marks.set(key, known);
    }
    known.marks.push({ ...mark, callback: call.callback, source: this.#sourceOf(call) });
  }

  #sourceOf(call: CallbackCall): Mark['source'] {
    // The run may be of an earlier reading, in which the callback stood elsewhere.
    const version = versionByName(this.#lineage, this.#world.nameOf(call.patch).module);
    const object = version?.facts?.patch?.objects?.[call.object];
    const callback = object?.callbacks.find((it) => it.callback === call.callback);
    return this.#toSource(callback ? (callback.definition ?? callback.place) : null);
  }

  /** A version's vmlinux object without callbacks still gets its lane: what is absent shows as absent. */
  #absentMarks(): void {
    for (const [instance, life] of this.#modules) {
      const version = this.#world.nameOf(instance).version;
      const image = this.#world.machine.image(instance);
      if (!version || !image?.objects) continue;
      image.objects.forEach((object, index) => {
        const marks = this.#marks.get(`${instance} ${index}`)?.marks ?? [];
        const absent = CALLBACK_KINDS.filter(
          (kind) => !object.callbacks.has(kind) && (kind === 'pre_patch' || kind === 'post_patch'),
        );
        if (object.name !== null && marks.length === 0) return;
        for (const callback of absent) {
          const moment = callback === 'pre_patch' ? life.first : (this.#patched.get(instance) ?? life.first);
          this.#mark(
            { patch: instance, object: index, callback, target: null },
            { moment, state: 'absent', because: `no ${callback}` },
          );
        }
      });
    }
  }

  #lanes(): PanelLane[] {
    const end = this.#now();
    const lanes: PanelLane[] = [...this.#marks.values()].map(({ lane, marks }) => ({
      ...lane,
      marks: marks.sort((a, b) => a.moment - b.moment),
    }));
    this.#endCode(end, this.#tasks.length > 0 ? 'new-code' : 'old-code');
    lanes.push({ k: 'tasks', spans: this.#tasks });
    for (const { effect, first, undone } of this.#effects.values()) {
      if (this.#isPassing(first, undone)) continue;
      lanes.push({
        k: 'effect',
        key: effect.key,
        noun: effect.row.noun,
        spans: this.#effectSpans(effect, first, undone ?? end),
        source: this.#toSource(effect.by.place),
      });
    }
    for (const [instance, life] of this.#modules) {
      const name = this.#world.nameOf(instance);
      const last = life.freed === null ? end : Math.max(life.first, life.freed - 1);
      const spans: PanelSpan[] = [{ first: life.first, last, state: 'in-memory', label: 'in memory' }];
      if (life.freed !== null) {
        spans.push({ first: life.freed, last: end, state: 'freed', label: 'freed' });
      }
      lanes.push({ k: 'module', version: name.version?.name ?? name.module, module: name.module, spans });
    }
    return lanes;
  }

  /** Done and undone within one moment: nothing a picture could show. */
  #isPassing(first: number, undone: number | null): boolean {
    return undone !== null && undone === first;
  }

  #effectSpans(effect: Effect, first: number, last: number): PanelSpan[] {
    const owner = versionText(this.#world, effect.by.instance);
    const replaced = this.#isLeft(effect) ? (this.#replaced.get(effect.by.instance) ?? null) : null;
    const freed =
      effect.holds.map((it) => this.#modules.get(it)?.freed ?? null).find((it) => it !== null) ?? null;
    // Each stretch ends where the next one begins.
    const starts: { at: number; state: PanelSpan['state']; label: string }[] = [
      { at: first, state: 'owned', label: `owner: ${owner}` },
    ];
    if (replaced !== null && replaced <= last)
      starts.push({ at: replaced, state: 'no-owner', label: 'no owner' });
    if (freed !== null && freed <= last) {
      const dangerous = effect.row.hazards.includes('use-after-free');
      starts.push({ at: freed, state: 'freed', label: dangerous ? 'use-after-free' : 'stays' });
    }
    return starts.map(({ at, state, label }, i) => {
      const next = starts[i + 1]?.at;
      return { first: at, last: next === undefined ? last : Math.max(at, next - 1), state, label };
    });
  }

  #isLeft(effect: Effect): boolean {
    return this.#transition.run.verdict.leftovers.some((leftover) => leftover.effect.id === effect.id);
  }
}
