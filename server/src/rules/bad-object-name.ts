import type { ObjectFacts } from '../core/execution/fact-types';
import type { LineageVersion } from '../core/lineage/lineage';
import type { RuleContext } from './context';
import { fixWith, removeElement, replaceWithin, withDesignator } from './edits';
import type { Finding, Fix, Rule } from './rule';

/** MODULE_NAME_LEN with its terminating NUL: 64 minus the size of an unsigned long. */
const LONGEST = 55;

/** The name of an object that can never match a module. */
export const badObjectName: Rule = {
  code: 'bad-object-name',
  severity: 'error',
  kind: 'facts',
  replacement: false,
  summary: 'an object is named so that no module ever matches: "vmlinux", "x.ko", "a-b", or an empty name',
  documentation: { page: 'livepatch/livepatch', anchor: 'metadata' },
  page: `
The \`.name\` of a \`struct klp_object\` is compared with the names of loaded modules, as lsmod shows them. A name that no
module can have is not refused: the kernel takes it for a module that is not loaded yet, waits for ever, and **nothing of
that object is ever patched**, without a word in the log.

| written | what is meant |
|---|---|
| \`"vmlinux"\` | the kernel itself is the object *without* a name |
| \`"acme.ko"\` | the file's name; the module is \`acme\` |
| \`"acme-core"\` | the build turns \`-\` into \`_\`: the module is \`acme_core\` |
| \`"kernel/net/acme"\` | a path; the module is \`acme\` |
| \`"acme "\` | a blank by mistake |
| \`""\` | refused with -EINVAL: sysfs wants a name |

A name of more than ${LONGEST} characters is refused too.

## Example

~~~c
static struct klp_object objs[] = {
	{ .name = "vmlinux", .funcs = funcs },	/* wrong: never patched */
	{ .funcs = funcs },			/* right: the kernel itself */
	{ }
};
~~~

## What to do

Write the name as lsmod shows it, and none for the kernel itself.
`,
  check: (context) =>
    context.lineage.versions.flatMap((version) =>
      (version.facts?.patches ?? [])
        .flatMap((patch) => patch.objects ?? [])
        .flatMap((object) => findingOf(context, version, object) ?? []),
    ),
};

interface Wrong {
  readonly why: string;
  readonly advice: string;
  /** The right name; null for none at all, undefined where it cannot be told. */
  readonly right?: string | null;
}

function judged(name: string): Wrong | null {
  if (name === '') {
    return {
      why: 'An object with an empty name is refused with -EINVAL',
      advice: 'Leave `.name` away for the kernel itself.',
      right: null,
    };
  }
  if (name === 'vmlinux') {
    return {
      why: 'No module is called vmlinux, so nothing of this object is ever patched',
      advice: 'The kernel itself is the object without `.name`.',
      right: null,
    };
  }
  const base = (name.split('/').pop() ?? name).replace(/\.ko(?:\.(?:gz|xz|zst))?$/, '');
  const right = base.replaceAll('-', '_');
  if (right !== name && right !== '') {
    return {
      why: `No module is called ${name}, so nothing of this object is ever patched`,
      advice: `lsmod shows that module as ${right}.`,
      right,
    };
  }
  if (/\s/.test(name)) {
    return {
      why: `No module is called "${name}", so nothing of this object is ever patched`,
      advice: 'A name has no blanks: write it as lsmod shows it.',
    };
  }
  if (name.length > LONGEST) {
    return {
      why: `The name has ${name.length} characters, and a module's name at most ${LONGEST}: the kernel refuses the livepatch with -EINVAL`,
      advice: 'Write the name that lsmod shows.',
    };
  }
  return null;
}

function findingOf(context: RuleContext, version: LineageVersion, object: ObjectFacts): Finding | null {
  if (object.name === null) return null;
  const wrong = judged(object.name);
  if (!wrong) return null;
  return {
    code: 'bad-object-name',
    severity: 'error',
    message: `${wrong.why}. ${wrong.advice}`,
    certainty: 'must',
    place: object.namePlace
      ? withDesignator(context.text(object.namePlace.file), object.namePlace)
      : object.place,
    versions: [version.name],
    related: [],
    fixes: fixesOf(context, object, wrong),
  };
}

function fixesOf(context: RuleContext, object: ObjectFacts, wrong: Wrong): Fix[] {
  if (!object.namePlace || wrong.right === undefined) return [];
  const text = context.text(object.namePlace.file);
  const place = withDesignator(text, object.namePlace);
  const written = `"${object.name ?? ''}"`;
  if (wrong.right !== null) {
    return fixWith(`Change to "${wrong.right}"`, replaceWithin(text, place, written, `"${wrong.right}"`));
  }
  if (/^\.name\s*=\s*"[^"]*"$/.test(text.slice(place.start, place.end))) {
    return fixWith('Remove the name: this is the kernel itself', removeElement(text, place));
  }
  return fixWith('Change to NULL: the kernel itself', replaceWithin(text, place, written, 'NULL'));
}
