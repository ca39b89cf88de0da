import type { ObjectFacts } from '../core/execution/fact-types';
import { isDraft } from '../core/lineage/lineage';
import type { RuleContext } from './context';
import { moduleObjectOf } from './effect-story';
import { type Placed, replacePlace, upgradesLeaving } from './placement';
import type { Finding, Rule } from './rule';
import { listed, listedUpTo, milder, namesOf, theEffect } from './wording';

/** An object with callbacks is missing from the successor, and what those callbacks did stays. */
export const lostObject: Rule = {
  code: 'lost-object',
  severity: 'warning',
  kind: 'run',
  replacement: true,
  summary:
    'an object whose callbacks did something is missing from the successor, so nothing runs for it any more',
  documentation: { page: 'livepatch/callbacks', anchor: 'how-it-works' },
  page: `
A version lists an object (a module, or vmlinux) whose callbacks do something. The version that replaces it does not list
that object at all.

## What the kernel does

During the transition it makes an object of its own that leads the functions back to the original ones. That object has
**no callbacks**, and it is gone before \`post_patch\` of the new version runs. The old version's callbacks are not called
either. So nothing at all runs for the object: what its callbacks did stays, and when the module is loaded again, nobody
prepares it any more.

## Example

~~~c
/* v1 */
static struct klp_object objs[] = {
	{ .name = "acme", .funcs = acme_funcs, .callbacks = { .pre_patch = hook, .post_unpatch = unhook } },
	{ .funcs = funcs },
	{ }
};

/* v2: acme is gone from the list, and with it the only code that knows of the hook */
static struct klp_object objs[] = {
	{ .funcs = funcs },
	{ }
};
~~~

Right: v2 keeps the object, with an empty function list if need be, and cleans up in its callbacks.

~~~c
static struct klp_func no_funcs[] = { { } };

static struct klp_object objs[] = {
	{ .name = "acme", .funcs = no_funcs, .callbacks = { .post_patch = unhook_v1 } },
	{ .funcs = funcs },
	{ }
};
~~~

## What to do

Keep the object in the list for as long as something of it may be installed, with callbacks that take over or undo.
\`.funcs\` must not be NULL, but the array may be empty.
`,
  check: (context) => {
    const groups = new Map<string, { readonly placed: Placed[]; readonly object: ObjectFacts }>();
    for (const placed of upgradesLeaving(context)) {
      const object = objectOf(placed);
      if (!object || !isMissing(object, placed)) continue;
      const key = `${placed.stands.name} ${placed.from.name} ${object.name ?? ''}`;
      const group = groups.get(key);
      if (group) group.placed.push(placed);
      else groups.set(key, { placed: [placed], object });
    }
    return [...groups.values()].flatMap(({ placed, object }) => findingOf(context, placed, object) ?? []);
  },
};

/** The object whose callback made the effect; undefined for what no callback made. */
function objectOf(placed: Placed): ObjectFacts | undefined {
  const module = moduleObjectOf(placed.run, placed.from, placed.effect);
  return placed.from.facts?.patch?.objects?.find(
    (object) =>
      object.name === module && object.callbacks.some((item) => item.callback === placed.effect.by.during),
  );
}

/** Whether the successor that the finding is about is known not to have the object. */
function isMissing(object: ObjectFacts, placed: Placed): boolean {
  const successor = placed.at === 'successor' ? placed.stands : placed.to[0];
  const patch = successor?.facts?.patch;
  if (!patch?.objects || !patch.complete) return false;
  return !patch.objects.some((item) => item.name === object.name);
}

function findingOf(context: RuleContext, group: readonly Placed[], object: ObjectFacts): Finding | null {
  const placed = group[0];
  if (!placed) return null;
  const { from, stands, at, steps } = placed;
  const missing = (at === 'successor' ? [stands] : placed.to).filter(
    (version) => version.facts?.patch?.objects?.some((item) => item.name === object.name) === false,
  );
  const name = object.name ?? 'vmlinux';
  const callbacks = listed(object.callbacks.map((item) => item.callback));
  const effects = listedUpTo(
    group.map((item) => theEffect(item.effect)),
    3,
  );
  const certainty = group.some((item) => item.certainty === 'must') ? 'must' : 'may';
  const successor = missing[0] ?? stands;
  const onSuccessor = at === 'successor';
  const successorPlace = successor.facts?.patch?.objectsPlace ?? replacePlace(context, successor);
  return {
    code: 'lost-object',
    severity: certainty === 'may' ? milder('warning') : 'warning',
    message:
      `${namesOf(missing)} ${missing.length > 1 ? 'do' : 'does'} not list the object ${name}, whose callbacks in ${from.name} (${callbacks}) ` +
      `made ${effects}: the object that the kernel puts in its place has no callbacks, so nothing runs for ${name}. ` +
      `Keep ${name} in the list, with callbacks that take over or undo.`,
    certainty,
    place: onSuccessor ? (successorPlace ?? placed.place) : object.place,
    versions: onSuccessor ? [stands.name, from.name] : [from.name, ...missing.map((version) => version.name)],
    related: onSuccessor
      ? [{ message: `${from.name} lists ${name} here`, place: object.place }]
      : successorPlace
        ? [
            {
              message: `the objects of ${successor.name}${isDraft(successor) ? ', a draft' : ''}`,
              place: successorPlace,
            },
          ]
        : [],
    run: steps,
    fixes: [],
  };
}
