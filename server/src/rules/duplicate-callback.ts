import type { Init, VariableIr } from '../core/csource/ir';
import { placeIn } from '../core/csource/item-places';
import type { CType } from '../core/csource/types';
import { CALLBACK_KINDS } from '../core/kernel/types';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Place } from '../core/place';
import type { RuleContext } from './context';
import type { Finding, Rule } from './rule';

/** Two callbacks of a kind for one object. */
export const duplicateCallback: Rule = {
  code: 'duplicate-callback',
  severity: 'error',
  kind: 'facts',
  replacement: false,
  summary: 'there are two callbacks of a kind for one object',
  documentation: { page: 'livepatch/callbacks', anchor: 'callback-types' },
  page: `
A \`struct klp_object\` has one pointer for each kind of callback, and an object, vmlinux or one module, stands in a livepatch
once.

## What follows

| written as | what becomes of the second |
|---|---|
| a diff for kpatch-build | its init says "extra pre-patch callback for object" and answers -EINVAL: the livepatch cannot be loaded |
| a diff for klp-build | each macro defines a symbol that is named after the object: the linker refuses it |
| \`.pre_patch\` twice in one initialiser | the last one counts, the first never runs; the compiler only warns |
| two objects of one name in a module | the second cannot be added to sysfs: \`klp_enable_patch()\` answers -EEXIST |

With diffs it happens across files: two files that are both part of vmlinux have one object, whichever file the macro is in.

## Example

~~~c
/* in fs/exec.c */
KPATCH_PRE_PATCH_CALLBACK(exec_pre_patch);

/* in fs/open.c of the same diff, or of another one of the version: the same object, vmlinux */
KPATCH_PRE_PATCH_CALLBACK(open_pre_patch);
~~~

## What to do

Keep one of the macros and call the other function from the first one.
`,
  check: (context) =>
    context.lineage.versions.flatMap((version) => [
      ...inDiffs(version),
      ...inInitialisers(context, version),
      ...inTwoObjects(version),
    ]),
};

function finding(
  version: LineageVersion,
  message: string,
  place: Place,
  related: Finding['related'],
): Finding {
  return {
    code: 'duplicate-callback',
    severity: 'error',
    message,
    certainty: 'must',
    place,
    versions: [version.name],
    related,
    fixes: [],
  };
}

/** The dialect finds them: in the module that it makes only the first one is left. */
function inDiffs(version: LineageVersion): Finding[] {
  return version.problems
    .filter((problem) => problem.code === 'duplicate-callback')
    .map(({ message, place, related = [] }) => finding(version, message, place, related));
}

function inInitialisers(context: RuleContext, version: LineageVersion): Finding[] {
  const found: Finding[] = [];
  for (const unit of context.unitsOf(version)) {
    for (const { name, type, extern } of unit.variables.values()) {
      if (extern || !isObject(type)) continue;
      const variable = unit.variable(name);
      if (variable?.init) visit(variable.init, variable);
    }
  }
  return found;

  function visit(init: Init, variable: VariableIr): void {
    if (init.k !== 'list') return;
    const seen = new Map<string, Init>();
    const note = (kind: string, value: Init): void => {
      const first = seen.get(kind);
      if (!first) seen.set(kind, value);
      else
        found.push(
          finding(
            version,
            `\`.${kind}\` is set twice for one object: only this one counts, the first is never called.`,
            placeIn(variable.positions, value.at),
            [{ message: 'the first', place: placeIn(variable.positions, first.at) }],
          ),
        );
    };
    for (const { designators, init: value } of init.elements) {
      const path = designators.map((one) => (one.k === 'field' ? one.name : '[]'));
      if (path[0] === 'callbacks' && path.length === 2) note(path[1] ?? '', value);
      else if (path[0] === 'callbacks' && path.length === 1 && value.k === 'list') {
        for (const inner of value.elements) {
          const [field] = inner.designators;
          if (field?.k === 'field' && inner.designators.length === 1) note(field.name, inner.init);
        }
      } else visit(value, variable);
    }
  }
}

function isObject(type: CType): boolean {
  if (type.k === 'array') return isObject(type.of);
  return type.k === 'struct' && type.tag === 'klp_object';
}

function inTwoObjects(version: LineageVersion): Finding[] {
  const objects = version.facts?.patch?.objects ?? [];
  const found: Finding[] = [];
  for (const kind of CALLBACK_KINDS) {
    const first = new Map<string | null, Place>();
    for (const { name, callbacks } of objects) {
      const own = callbacks.find((callback) => callback.callback === kind);
      if (!own) continue;
      const known = first.get(name);
      if (!known) first.set(name, own.place);
      else
        found.push(
          finding(
            version,
            `${own.function}() is a second ${kind} for ${name ?? 'vmlinux'}, which stands in the table twice: klp_enable_patch() answers -EEXIST for the second.`,
            own.place,
            [{ message: 'the first', place: known }],
          ),
        );
    }
  }
  return found;
}
