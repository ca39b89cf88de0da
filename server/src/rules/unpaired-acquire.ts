import { identity } from '../core/lineage/left-behind';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Step } from '../core/manifest/steps';
import type { RuleContext } from './context';
import { load, unload } from './effect-story';
import { seenAlone } from './looks';
import {
  dependingOn,
  disable,
  plainLife,
  type Stays,
  staying,
  stepsOf,
  wasLoaded,
  waysAlone,
} from './own-life';
import type { Finding, Rule } from './rule';
import { consequence, hazardOf, milder, theEffect } from './wording';

const ACQUIRING: Readonly<Record<string, string>> = { pre_patch: 'post_unpatch', post_patch: 'pre_unpatch' };

/** What a callback does and no callback undoes, not even when the livepatch is simply disabled and removed. */
export const unpairedAcquire: Rule = {
  code: 'unpaired-acquire',
  severity: 'error',
  kind: 'run',
  replacement: false,
  summary: 'pre_patch or post_patch acquires something that nothing releases when the livepatch is disabled',
  documentation: { page: 'livepatch/callbacks', anchor: 'callback-types' },
  page: `
A callback did something that outlives the call, the livepatch was disabled and its module removed, and it is still there.
Nothing will ever undo it: a second load does it again, and what points into the module points to freed memory.

The pairs are \`pre_patch\` / \`post_unpatch\` and \`post_patch\` / \`pre_unpatch\`.

The finding comes from a run, so a guard counts: where the undo stands in the code and is not reached, this is said.

## Example

~~~c
static int pre_patch(struct klp_object *obj)
{
	return register_reboot_notifier(&nb);	/* and nobody unregisters it */
}
~~~

Right:

~~~c
static void post_unpatch(struct klp_object *obj)
{
	unregister_reboot_notifier(&nb);
}
~~~

## What to do

Undo in \`post_unpatch\` what \`pre_patch\` did, and in \`pre_unpatch\` what \`post_patch\` did. If the change shall stay for
good, say so with \`keeps\` in the manifest.
`,
  check: (context) => seenAlone(context, unpaired),
};

function unpaired(context: RuleContext, version: LineageVersion): Finding[] {
  const found = new Map<string, Stays>();
  for (const steps of lives(context, version)) {
    const ways = waysAlone(context, version, steps);
    for (const [id, stays] of staying(version, ways, wasLoaded(version))) {
      const known = found.get(id);
      if (!known || (known.certainty === 'may' && stays.certainty === 'must')) found.set(id, stays);
    }
  }
  return [...found.values()].flatMap((stays) => findingOf(version, stays) ?? []);
}

/** A target module may come later and go earlier than the livepatch. */
function lives(context: RuleContext, version: LineageVersion): Step[][] {
  const result = [plainLife(version)];
  const objects = version.facts?.patch?.objects ?? [];
  for (const { module } of context.lineage.targets) {
    if (!objects.some((object) => object.name === module && object.callbacks.length > 0)) continue;
    const comes: Step = { k: 'load', name: module, params: [] };
    const goes: Step = { k: 'unload', name: module };
    result.push([goes, load(version), comes, disable(version), unload(version)]);
    result.push([load(version), goes, disable(version), unload(version)]);
  }
  return result;
}

function findingOf(version: LineageVersion, stays: Stays): Finding | null {
  const { leftover, certainty } = stays;
  const { effect } = leftover;
  const partner = ACQUIRING[effect.by.during];
  if (partner === undefined) return null;
  const stuck = consequence(effect, hazardOf(effect), version.module, certainty);
  const { during } = effect.by;
  const nobody =
    certainty === 'must'
      ? `Nothing undoes what ${during} does here:`
      : `What ${during} does here is not always undone:`;
  return {
    code: 'unpaired-acquire',
    severity: certainty === 'may' ? milder('error') : 'error',
    message:
      `${nobody} when ${version.name} is disabled and removed, ${theEffect(effect)} ${stuck}.` +
      `${dependingOn(stays.when)} Undo it in ${partner}.`,
    certainty,
    place: effect.by.place,
    versions: [version.name],
    related: [],
    run: stepsOf(stays, version),
    fixes: [],
    cause: `${version.name}:alone:${identity(effect)}`,
  };
}
