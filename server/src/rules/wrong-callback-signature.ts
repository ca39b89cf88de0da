import type { CType } from '../core/csource/types';
import type { FunctionItem } from '../core/csource/unit';
import type { CallbackFacts } from '../core/execution/fact-types';
import type { LineageVersion } from '../core/lineage/lineage';
import type { RuleContext } from './context';
import type { Finding, Rule } from './rule';

/** A callback with the wrong result or arguments. */
export const wrongCallbackSignature: Rule = {
  code: 'wrong-callback-signature',
  severity: 'error',
  kind: 'facts',
  replacement: false,
  summary: 'pre_patch returns int, the other callbacks void; all take one struct klp_object *',
  documentation: { page: 'livepatch/callbacks', anchor: 'callback-types' },
  page: `
The kernel calls callbacks through pointers of these types:

~~~c
int  (*pre_patch)(struct klp_object *obj);
void (*post_patch)(struct klp_object *obj);
void (*pre_unpatch)(struct klp_object *obj);
void (*post_unpatch)(struct klp_object *obj);
~~~

Only \`pre_patch\` has a say: a value other than 0 refuses the livepatch, or the target module that is being loaded.

## What follows from a wrong one

A \`pre_patch\` that returns nothing leaves whatever was in the register: the livepatch is refused at random. A result of
one of the others is lost. A missing argument or another type is undefined, and with kernel control-flow integrity the call
is a panic. Recent compilers refuse it; a cast silences them and changes nothing.

kpatch calls the structure \`patch_object\`; that is another name for \`struct klp_object\`.

## Example

~~~c
static void pre_patch(struct klp_object *obj)	/* wrong: int is expected */
static int pre_patch(struct klp_object *obj)	/* right */
~~~
`,
  check: (context) =>
    context.lineage.versions.flatMap((version) =>
      (version.facts?.patches ?? [])
        .flatMap((patch) => patch.objects ?? [])
        .flatMap((object) => object.callbacks)
        .flatMap((callback) => findingOf(context, version, callback) ?? []),
    ),
};

function findingOf(context: RuleContext, version: LineageVersion, callback: CallbackFacts): Finding | null {
  const { definition } = callback;
  if (!definition) return null;
  const unit = context
    .unitsOf(version)
    .find((item) => samePlace(item.functions.get(callback.function)?.namePlace, definition));
  const item = unit?.functions.get(callback.function);
  if (!item) return null;
  const wrong = [resultFault(callback, item), parameterFault(context, item)].filter(
    (fault) => fault !== null,
  );
  if (wrong.length === 0) return null;
  const result = callback.callback === 'pre_patch' ? 'int' : 'void';
  return {
    code: 'wrong-callback-signature',
    severity: 'error',
    message:
      `${callback.function}() is used as ${callback.callback} but ${wrong.join(' and ')}. ` +
      `The kernel calls it as \`${result} ${callback.function}(struct klp_object *obj)\`.`,
    certainty: 'must',
    place: definition,
    versions: [version.name],
    related: [{ message: `used as ${callback.callback} here`, place: callback.place }],
    fixes: [],
  };
}

function samePlace(
  a: { readonly file: string; readonly start: number } | undefined,
  b: { readonly file: string; readonly start: number },
): boolean {
  return a !== undefined && a.file === b.file && a.start === b.start;
}

function resultFault(callback: CallbackFacts, item: FunctionItem): string | null {
  const { returns } = item;
  if (returns.k === 'unknown') return null;
  if (callback.callback === 'pre_patch') {
    if (returns.k === 'void') return 'returns nothing: whether the livepatch is refused is left to chance';
    const isInt = returns.k === 'int' && returns.bits === 32 && returns.signed && !returns.bool;
    return isInt ? null : 'does not return int';
  }
  return returns.k === 'void' ? null : 'returns a value, which nobody looks at';
}

function parameterFault(context: RuleContext, item: FunctionItem): string | null {
  const { parameters } = item;
  if (parameters.length === 0) {
    // `f()` without void says nothing about its parameters.
    const behind = context.text(item.namePlace.file).slice(item.namePlace.end);
    return /^\s*\(\s*void\s*\)/.test(behind) ? 'takes no argument' : null;
  }
  if (parameters.length > 1) return `takes ${parameters.length} arguments`;
  const type = parameters[0]?.type;
  return type && isKnownOther(type) ? 'takes something other than a struct klp_object *' : null;
}

const NAMES = ['klp_object', 'patch_object'];

function isKnownOther(type: CType): boolean {
  if (type.k === 'unknown') return false;
  if (type.k !== 'pointer') return true;
  const { to } = type;
  if (to.k === 'struct') return !NAMES.includes(to.tag);
  return to.k !== 'unknown';
}
