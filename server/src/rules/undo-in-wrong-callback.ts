import type { Actor } from '../core/execution/effects';
import { CALLBACK_KINDS, type CallbackKind } from '../core/kernel/types';
import { identity } from '../core/lineage/left-behind';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Run } from '../core/lineage/run';
import type { Certainty } from '../core/place';
import { movedTo } from './callback-edits';
import { renamedCallback } from './callback-table';
import type { RuleContext } from './context';
import { seenAlone } from './looks';
import {
  deedsOf,
  dependingOn,
  plainLife,
  plainSteps,
  reversedLoad,
  type Stays,
  staying,
  stepsOf,
  undoerOf,
  wasLoaded,
  waysAlone,
} from './own-life';
import type { Finding, Fix, Rule } from './rule';
import { consequence, hazardOf, milder, theEffect } from './wording';

/** An undo in a callback that is not the partner of the one that did it. */
export const undoInWrongCallback: Rule = {
  code: 'undo-in-wrong-callback',
  severity: 'error',
  kind: 'run',
  replacement: false,
  summary: 'an undo stands in a callback that is not the partner of the one that did it',
  documentation: { page: 'livepatch/callbacks', anchor: 'callback-types' },
  page: `
The pairs are \`pre_patch\` / \`post_unpatch\` and \`post_patch\` / \`pre_unpatch\`. When a transition is reversed while the
livepatch is being enabled, or another object refuses, **only \`post_unpatch\` follows \`pre_patch\`**: \`post_patch\` has not
run yet, and \`pre_unpatch\` is not called.

* What \`pre_patch\` did and only \`pre_unpatch\` undoes then stays for ever.
* What \`post_unpatch\` undoes and only \`post_patch\` does was never done: an unregistration of something that is not
  registered, a value written "back" that was never saved.

In both cases a plain load and disable works, which is why tests do not show it.

## Example

~~~c
static struct klp_callbacks wrong = { .pre_patch = add_notifier, .pre_unpatch = remove_notifier };
static struct klp_callbacks right = { .pre_patch = add_notifier, .post_unpatch = remove_notifier };
~~~

## What to do

Move the undo to the partner. An undo in \`post_unpatch\` of something that \`post_patch\` did is right only if it looks
whether it was done at all, and then a reversed disable still does it twice.
`,
  check: (context) => seenAlone(context, checkVersion),
};

function checkVersion(context: RuleContext, version: LineageVersion): Finding[] {
  if (!hasCallbacks(version)) return [];
  const accept = wasLoaded(version);
  const plain = waysAlone(context, version, plainLife(version));
  const reversed = waysAlone(context, version, reversedLoad(version));
  const always = staying(version, plain, accept);
  const findings = new Map<string, Finding>();
  for (const [id, stays] of staying(version, reversed, accept)) {
    if (always.has(id) || !isCallback(stays.leftover.effect.by.during)) continue;
    const finding = stayingFinding(context, version, stays);
    findings.set(key(finding), finding);
  }
  const usual = new Set(plain.flatMap(({ run }) => undoneWithoutDoing(run, version).map((it) => it.id)));
  for (const { run, decision } of reversed) {
    if (!accept(run)) continue;
    for (const wrong of undoneWithoutDoing(run, version)) {
      if (usual.has(wrong.id)) continue;
      const certainty = decision ? 'may' : wrong.certainty;
      const finding = vainFinding(context, version, wrong, certainty, decision?.id ?? null, run);
      if (!findings.has(key(finding))) findings.set(key(finding), finding);
    }
  }
  return [...findings.values()];
}

/** An effect that a reversal leaves and a plain disable does not. */
function stayingFinding(context: RuleContext, version: LineageVersion, stays: Stays): Finding {
  const { effect } = stays.leftover;
  const { certainty } = stays;
  const undoer = undoerOf(context, version, identity(effect));
  const stuck = consequence(effect, hazardOf(effect), version.module, certainty);
  const made = effect.by.during === 'post_unpatch';
  const message = made
    ? `post_unpatch writes ${theEffect(effect)} also when ${version.name} is disabled before post_patch has run: there was nothing to put back, and it ${stuck}.`
    : `${undoer?.during ?? 'A callback'} undoes ${theEffect(effect)}, which ${effect.by.during} made, and is not called when ${version.name} is disabled before it is fully enabled: it ${stuck}.`;
  const advice = made ? ' Undo in pre_unpatch what post_patch does.' : ' Undo it in post_unpatch.';
  return {
    code: 'undo-in-wrong-callback',
    severity: certainty === 'may' ? milder('error') : 'error',
    message: `${message}${dependingOn(stays.when)}${advice}`,
    certainty,
    place: made ? effect.by.place : (undoer?.place ?? effect.by.place),
    versions: [version.name],
    related:
      undoer && !made ? [{ message: `done here, in ${effect.by.during}`, place: effect.by.place }] : [],
    run: stepsOf(stays, version),
    fixes: made
      ? moved(context, version, effect.by, 'pre_unpatch')
      : undoer
        ? moved(context, version, undoer, 'post_unpatch')
        : [],
  };
}

interface Vain {
  readonly id: string;
  readonly by: Actor;
  readonly what: string;
  readonly certainty: Certainty;
}

/** What post_unpatch undoes although it is not in force, and what goes wrong when it tries. */
function undoneWithoutDoing(run: Run, version: LineageVersion): Vain[] {
  return deedsOf(run, version).flatMap(({ event, by }): Vain[] => {
    if (by.during !== 'post_unpatch') return [];
    const id = `${by.place.file}:${by.place.start}`;
    if (event.k === 'undone-without')
      return [
        {
          id,
          by,
          what: `undoes the ${event.row.noun} ${event.key}, which was never made`,
          certainty: 'must',
        },
      ];
    if (event.k === 'fault')
      return [{ id, by, what: `runs into this: ${event.text}`, certainty: event.certainty }];
    return [];
  });
}

function vainFinding(
  context: RuleContext,
  version: LineageVersion,
  { by, what }: Vain,
  certainty: Certainty,
  when: string | null,
  run: Run,
): Finding {
  return {
    code: 'undo-in-wrong-callback',
    severity: certainty === 'may' ? milder('error') : 'error',
    message:
      `When ${version.name} is disabled before it is fully enabled, post_patch has not run, and post_unpatch ${what}.` +
      `${dependingOn(when)} Undo in pre_unpatch what post_patch does.`,
    certainty,
    place: by.place,
    versions: [version.name],
    related: [],
    run: plainSteps(run),
    fixes: moved(context, version, by, 'pre_unpatch'),
  };
}

function moved(context: RuleContext, version: LineageVersion, by: Actor, to: CallbackKind): readonly Fix[] {
  const from = CALLBACK_KINDS.find((kind) => kind === by.during);
  if (!from) return [];
  const renamed = renamedCallback(context, version, by.function, from, to);
  return renamed.length > 0 ? renamed : movedTo(context, version, by, to);
}

function isCallback(during: string): boolean {
  return (CALLBACK_KINDS as readonly string[]).includes(during);
}

function hasCallbacks(version: LineageVersion): boolean {
  return (version.facts?.patch?.objects ?? []).some((object) => object.callbacks.length > 0);
}

function key({ place }: Finding): string {
  return `${place.file}:${place.start}`;
}
