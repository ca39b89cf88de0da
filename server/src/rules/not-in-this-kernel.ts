import { isDiffDialect } from '../core/csource/dialects/diffs';
import { rowsByDo, rowsByUndo } from '../core/execution/catalogue';
import type { CallFact, LivepatchFacts } from '../core/execution/fact-types';
import type { Capabilities, Capability, Certain } from '../core/kernel/capabilities';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Place } from '../core/place';
import type { RuleContext } from './context';
import { withDesignator } from './edits';
import type { Finding, Rule } from './rule';
import { listed } from './wording';

/** API that the lineage's kernel does not have. */
export const notInThisKernel: Rule = {
  code: 'not-in-this-kernel',
  severity: 'error',
  kind: 'facts',
  replacement: false,
  summary: "something used here is missing, removed or renamed in the lineage's kernel",
  documentation: { page: 'livepatch/api' },
  page: `
The livepatch API grew release by release, and the kernel's other interfaces come and go as well. This version uses
something that the kernel named in the manifest does not have.

| since | what |
|---|---|
| 4.15 | callbacks, shadow variables |
| 4.17 | constructor and destructor of shadow variables |
| 5.1 | \`.replace\`; \`klp_enable_patch()\` alone is enough, and \`klp_register_patch()\`, \`klp_unregister_patch()\`, \`klp_disable_patch()\` are gone |
| 5.5 | \`klp_state\`, \`klp_get_state()\`, \`klp_get_prev_state()\` |

Before 5.1 a livepatch has to be registered before it is enabled, and a second one cannot replace the first.

Vendors backport: a release with a vendor's suffix (\`5.14.0-427.el9\`) decides nothing by its number. For those, state in
the manifest what you know:

~~~yaml
kernel: { release: "4.18.0-553.el8", has: [replace, callbacks], lacks: [states] }
~~~

## Example

~~~c
/* kernel: "6.1" */
ret = klp_register_patch(&patch);	/* wrong: gone since 5.1 */
return klp_enable_patch(&patch);	/* right, and enough */
~~~

## What to do

Use what the kernel has, or correct \`kernel\` in the manifest. One source for several kernels can decide by
\`LINUX_VERSION_CODE\`; the side that is not compiled for this kernel is not looked at.
`,
  check: (context) =>
    context.lineage.capabilities.known
      ? context.lineage.versions.flatMap((version) =>
          version.facts ? missingIn(context, version, version.facts) : [],
        )
      : [],
};

interface Missing {
  readonly what: string;
  readonly bound: string;
  readonly advice: string;
  readonly place: Place;
}

function missingIn(context: RuleContext, version: LineageVersion, facts: LivepatchFacts): Finding[] {
  const { capabilities } = context.lineage;
  // What a tool writes itself fits the kernel that it builds for.
  const made = isDiffDialect(version.dialect);
  const calls = made ? facts.calls.filter((call) => call.function !== facts.init?.name) : facts.calls;
  const missing = [...inPatches(context, facts, made), ...inCalls(calls, capabilities)];
  return missing.map((item) => ({
    code: 'not-in-this-kernel',
    severity: 'error',
    message: `${item.what} in kernel ${capabilities.release}: ${item.bound}. ${item.advice}`.trim(),
    certainty: 'must',
    place: item.place,
    versions: [version.name],
    related: [],
    fixes: [],
  }));
}

function inPatches(context: RuleContext, facts: LivepatchFacts, made: boolean): Missing[] {
  const { capabilities } = context.lineage;
  const text = (place: Place): string => context.text(place.file);
  const lacks = (capability: Capability): boolean => capabilities.has(capability) === 'no';
  const missing: Missing[] = [];
  for (const patch of facts.patches) {
    if (lacks('replace') && patch.replacePlace && !made) {
      const advice = 'There a livepatch is stacked on the others; callbacks of the older ones stay in force.';
      missing.push({
        what: 'There is no `.replace`',
        bound: 'it came with 5.1',
        advice,
        place: withDesignator(text(patch.replacePlace), patch.replacePlace),
      });
    }
    if (lacks('states') && patch.statesPlace) {
      const advice = 'Hand data on by a shadow variable.';
      missing.push({
        what: 'There are no livepatch states',
        bound: 'they came with 5.5',
        advice,
        place: withDesignator(text(patch.statesPlace), patch.statesPlace),
      });
    }
    const callback = patch.objects?.find((object) => object.callbacks.length > 0)?.callbacks[0];
    if (lacks('callbacks') && callback) {
      const advice = 'The livepatch can only replace functions there.';
      missing.push({
        what: 'There are no callbacks',
        bound: 'they came with 4.15',
        advice,
        place: withDesignator(text(callback.place), callback.place),
      });
    }
  }
  return missing;
}

/** Calls of the livepatch API by capability; of other functions by the catalogue. */
const API: Readonly<
  Record<string, { readonly capability: Capability; readonly bound: string; readonly advice: string }>
> = Object.fromEntries([
  ...['klp_register_patch', 'klp_unregister_patch', 'klp_disable_patch'].map((name) => [
    name,
    {
      capability: 'register-patch',
      bound: 'it was removed in 5.1',
      advice:
        name === 'klp_register_patch'
          ? 'klp_enable_patch() alone is enough there.'
          : 'A livepatch is disabled by writing 0 to its `enabled` in sysfs.',
    },
  ]),
  ...['klp_get_state', 'klp_get_prev_state'].map((name) => [
    name,
    { capability: 'states', bound: 'it came with 5.5', advice: 'Hand data on by a shadow variable.' },
  ]),
  ...[
    'klp_shadow_get',
    'klp_shadow_alloc',
    'klp_shadow_get_or_alloc',
    'klp_shadow_free',
    'klp_shadow_free_all',
  ].map((name) => [name, { capability: 'shadow-variables', bound: 'it came with 4.15', advice: '' }]),
]);

function inCalls(calls: readonly CallFact[], capabilities: Capabilities): Missing[] {
  const missing: Missing[] = [];
  const registers = calls.some((call) => call.callee === 'klp_register_patch');
  for (const { callee, place } of calls) {
    const api = Object.hasOwn(API, callee) ? API[callee] : undefined;
    if (api) {
      if (capabilities.has(api.capability) !== 'no') continue;
      missing.push({ what: `There is no ${callee}()`, bound: api.bound, advice: api.advice, place });
    } else if (callee === 'klp_enable_patch') {
      if (registers || capabilities.has('simple-enable') !== 'no') continue;
      const advice = 'Call klp_register_patch() first.';
      const bound = 'before 5.1 only a registered livepatch can be enabled, and it answers -EINVAL';
      missing.push({ what: 'klp_enable_patch() alone is not enough', bound, advice, place });
    } else {
      const item = inCatalogue(callee, place, capabilities);
      if (item) missing.push(item);
    }
  }
  return missing;
}

interface Bounds {
  readonly since?: string;
  readonly until?: string;
}

function inCatalogue(callee: string, place: Place, capabilities: Capabilities): Missing | null {
  const dos = rowsByDo(callee);
  const undos = rowsByUndo(callee);
  if (dos.length === 0 && undos.length === 0) return null;
  const all: readonly Bounds[] = [...dos, ...undos.map((item) => item.undo)];
  const exists = (bounds: Bounds): Certain => capabilities.api(bounds.since ?? null, bounds.until ?? null);
  if (all.some((bounds) => exists(bounds) !== 'no')) return null;
  // Rows may differ in their bounds: all of them exclude this kernel, so it is either before all or after all.
  const since = all
    .map((bounds) => bounds.since)
    .find((bound) => bound !== undefined && capabilities.api(bound, null) === 'no');
  const until = all.map((bounds) => bounds.until).find((bound) => bound !== undefined);
  const bound =
    since !== undefined ? `it came with ${since}` : `it was removed in ${until ?? 'an earlier release'}`;
  const others = undos.flatMap(({ row }) =>
    row.undo.filter((undo) => undo.name !== callee && exists(undo) === 'yes').map((undo) => `${undo.name}()`),
  );
  const advice =
    others.length > 0 ? `Use ${listed([...new Set(others)].slice(0, 2)).replace(' and ', ' or ')}.` : '';
  return { what: `There is no ${callee}()`, bound, advice, place };
}
