import type { LivepatchFacts, ObjectFacts, PatchFacts } from '../core/execution/fact-types';
import type { LineageVersion } from '../core/lineage/lineage';
import type { Place } from '../core/place';
import type { RuleContext } from './context';
import { appendElement, fix, fixWith, lastLine, lineAfter, lineBefore } from './edits';
import type { Finding, Fix, Rule } from './rule';

/** Something without which the module is no working livepatch. */
export const notALivepatch: Rule = {
  code: 'not-a-livepatch',
  severity: 'error',
  kind: 'facts',
  replacement: false,
  summary: 'something is missing that makes a module a livepatch',
  documentation: { page: 'livepatch/livepatch', anchor: 'livepatch-module' },
  page: `
A livepatch is a module with a few things that nothing checks when it is built.

| missing | what follows |
|---|---|
| \`MODULE_INFO(livepatch, "Y")\` | \`klp_enable_patch()\` answers -EINVAL: the module is not marked as a livepatch |
| \`.mod = THIS_MODULE\`, \`.objs\`, \`.funcs\` of an object | -EINVAL |
| \`.old_name\` or \`.new_func\` of a function | -EINVAL, from \`klp_init_func()\`; a name of 512 characters or more as well |
| \`MODULE_LICENSE("GPL")\` or a compatible one | \`klp_enable_patch\` is exported to GPL modules only: unknown symbol |
| the empty element \`{ }\` at the end of an array | the kernel reads on behind the array: whatever lies there is taken for functions or objects |
| what stands behind an empty element, or an object with callbacks and neither \`.name\` nor \`.funcs\` | the table ends there: the kernel never sees it, and says nothing |
| a call of \`klp_enable_patch()\` in module init | the module loads and patches nothing |
| \`module_exit()\` | the module can never be removed, not even when another livepatch has replaced it: rmmod answers -EBUSY |

A function that stands twice in an object, or an object that stands twice, is too much: sysfs has a folder for each, and
the second answers -EEXIST. \`.old_sympos\` 0 and 1 are one folder.

## Example

~~~c
static struct klp_func funcs[] = {
	{ .old_name = "acme_open", .new_func = klpp_acme_open },
	{ }					/* ends the list */
};

static int __init acme_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit acme_exit(void)
{
}

module_init(acme_init);
module_exit(acme_exit);
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
~~~
`,
  check: (context) =>
    context.lineage.versions.flatMap((version) =>
      version.facts && isModuleDialect(version) ? missingIn(context, version, version.facts) : [],
    ),
};

/** The tools behind the other dialects add all this themselves. */
function isModuleDialect(version: LineageVersion): boolean {
  return version.dialect === 'module';
}

/** Licences that the loader takes as compatible with the GPL. */
const GPL = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);

type Say = (message: string, place: Place, fixes?: readonly Fix[], first?: Place | null) => void;

function missingIn(context: RuleContext, version: LineageVersion, facts: LivepatchFacts): Finding[] {
  const units = context.unitsOf(version);
  // What is absent may stand in a file that could not be read.
  const allRead = version.unread.length === 0 && units.every((unit) => unit.missingIncludes.length === 0);
  const findings: Finding[] = [];
  const say: Say = (message, place, fixes = [], first = null) => {
    findings.push({
      code: 'not-a-livepatch',
      severity: 'error',
      message,
      certainty: 'must',
      place,
      versions: [version.name],
      related: first ? [{ message: 'the first', place: first }] : [],
      fixes,
    });
  };

  const { patch } = facts;
  if (!patch) {
    if (allRead && facts.complete && facts.patches.length === 0) {
      const message = `${version.name} defines no struct klp_patch: its sources are not those of a livepatch.`;
      say(message, context.manifestPlace(version.entry.sources[0]?.place ?? version.entry.module.place));
    }
    return findings;
  }
  const text = (place: Place): string => context.text(place.file);

  if (allRead && !facts.livepatchInfo) {
    const line = 'MODULE_INFO(livepatch, "Y");';
    const edit = facts.license
      ? lineAfter(text(facts.license.place), facts.license.place, line)
      : lastLine(text(patch.place), patch.place, line);
    const message =
      'MODULE_INFO(livepatch, "Y") is missing: klp_enable_patch() answers -EINVAL, for the module is not marked as a livepatch.';
    say(message, patch.place, [fix(`Add ${line.slice(0, -1)}`, [edit])]);
  }
  // The argument may be a macro: then nothing is known of it.
  const isWritten =
    facts.license !== null &&
    within(text(facts.license.place), facts.license.place).includes(`"${facts.license.text}"`);
  if (facts.license && isWritten && !GPL.has(facts.license.text)) {
    const message = `The licence "${facts.license.text}" is not compatible with the GPL: klp_enable_patch() is exported to GPL modules only, so the module cannot be linked.`;
    say(message, facts.license.place);
  } else if (allRead && !facts.license) {
    const line = 'MODULE_LICENSE("GPL");';
    const message =
      'MODULE_LICENSE() is missing: klp_enable_patch() is exported to GPL modules only, so the module cannot be linked.';
    say(message, patch.place, [
      fix('Add MODULE_LICENSE("GPL")', [lastLine(text(patch.place), patch.place, line)]),
    ]);
  }
  membersOf(context, patch, say);
  if (patch.complete && patch.settled) entriesOf(patch, say);
  if (allRead && facts.enables === false) {
    const message = facts.init
      ? `${facts.init.name}() never calls klp_enable_patch(): the module loads and patches nothing.`
      : 'There is no module_init() that calls klp_enable_patch(): the module loads and patches nothing.';
    say(message, facts.init?.place ?? patch.place);
  }
  const init = units.find((unit) => unit.moduleInit)?.moduleInit;
  if (allRead && init && !facts.exit) {
    const name = init.function.endsWith('_init')
      ? init.function.replace(/_init$/, '_exit')
      : `${init.function}_exit`;
    const source = text(init.place);
    const before = lineBefore(source, init.place, `static void __exit ${name}(void)\n{\n}\n`);
    const after = lineAfter(source, init.place, `module_exit(${name});`);
    const message =
      'module_exit() is missing: a module with init and without exit can never be removed, not even after another livepatch has replaced it.';
    say(
      message,
      init.place,
      init.function === 'init_module' ? [] : [fix('Add an empty exit function', [before, after])],
    );
  }
  return findings;
}

function within(text: string, place: Place): string {
  return text.slice(place.start, place.end);
}

function membersOf(context: RuleContext, patch: PatchFacts, say: Say): void {
  const text = (place: Place): string => context.text(place.file);
  if (!patch.mod.set && patch.complete) {
    const edit = appendElement(text(patch.initialiser), patch.initialiser, '.mod = THIS_MODULE');
    const message = `${patch.variable} has no \`.mod\`: klp_enable_patch() answers -EINVAL.`;
    say(
      message,
      patch.mod.place ?? patch.place,
      patch.mod.place ? [] : fixWith('Add `.mod = THIS_MODULE`', edit),
    );
  }
  if (patch.objects === null && patch.complete) {
    say(
      `${patch.variable} has no \`.objs\`: klp_enable_patch() answers -EINVAL.`,
      patch.objectsPlace ?? patch.place,
    );
  }
  for (const object of patch.objects ?? []) {
    if (object.functions !== null || !patch.complete) continue;
    const name = object.name ?? 'vmlinux';
    say(
      `The object ${name} has no \`.funcs\`: klp_enable_patch() answers -EINVAL. An object that only has callbacks points to an array with nothing but its end, { }.`,
      object.place,
    );
  }
  for (const { array, name, place } of patch.unterminated) {
    // A compound literal has no name of its own.
    const which = /^\w+$/.test(name) ? `The array ${name}` : 'This array';
    say(
      `${which} of ${array} lacks its end, the empty element { }: the kernel reads on behind it.`,
      place,
      fixWith('Add the empty element { }', appendElement(text(place), place, '{ }')),
    );
  }
}

/** KSYM_NAME_LEN since 6.1, with the terminating NUL; before, it was less. */
const KSYM_NAME_LEN = 512;

/** What klp_init_object() and klp_init_func() refuse, and what they never see. */
function entriesOf(patch: PatchFacts, say: Say): void {
  for (const { array, what, name, place } of patch.unseen) {
    const follows = {
      objects: 'nothing of this object is patched, and its callbacks never run',
      functions: 'this function is not patched',
      states: 'this state is not declared',
    }[array];
    say(
      what === 'behind'
        ? `An empty element in front of this one ends ${name}: ${follows}, without a word in the log.`
        : `An object with neither \`.name\` nor \`.funcs\` ends ${name}: its callbacks never run, without a word in the log. An object that only has callbacks points to an array with nothing but its end, { }.`,
      place,
    );
  }
  const objects = patch.objects ?? [];
  const tables = new Set<number>();
  for (const [index, object] of objects.entries()) {
    const same = objects.slice(0, index).filter(({ name }) => name === object.name);
    const [first] = same;
    // Two callbacks of a kind for one object have a rule of their own.
    if (first && !same.some((it) => sharesCallback(it, object)))
      say(
        `The object ${object.name ?? 'vmlinux'} stands in the table twice: klp_enable_patch() answers -EEXIST for the second.`,
        object.place,
        [],
        first.place,
      );
    // Two objects may point to one array.
    const table = object.functions?.[0]?.place.start ?? -1;
    if (!tables.has(table)) functionsOf(object, say);
    tables.add(table);
  }
}

function sharesCallback(a: ObjectFacts, b: ObjectFacts): boolean {
  return a.callbacks.some(({ callback }) => b.callbacks.some((other) => other.callback === callback));
}

function functionsOf({ name, functions }: ObjectFacts, say: Say): void {
  const known = new Map<string, Place>();
  for (const { old, new: replacement, sympos, place } of functions ?? []) {
    const refused = 'klp_enable_patch() answers -EINVAL, for klp_init_func() refuses it.';
    if (old === '') {
      say(`This function has no \`.old_name\`: ${refused}`, place);
      continue;
    }
    if (replacement === '') say(`The function ${old} has no \`.new_func\`: ${refused}`, place);
    if (old.length >= KSYM_NAME_LEN)
      say(
        `This name has ${old.length} characters, and a function's name less than ${KSYM_NAME_LEN}: ${refused}`,
        place,
      );
    const folder = `${old},${sympos || 1}`;
    const first = known.get(folder);
    if (!first) known.set(folder, place);
    else
      say(
        `The function ${old} of ${name ?? 'vmlinux'} stands in the table twice: klp_enable_patch() answers -EEXIST for the second.`,
        place,
        [],
        first,
      );
  }
}
