import type { Unit } from '../core/csource/unit';
import type { Catalogue } from '../core/execution/catalogue';
import { addressed, type FunctionNode } from '../core/execution/reach';
import type { LineageVersion } from '../core/lineage/lineage';
import { functionsOf } from '../core/lineage/version-functions';
import { catalogueOf } from './catalogue-of';
import type { Finding, Rule } from './rule';
import { whySleeping } from './sleeping';

/** Where the shadow variable API takes a constructor or destructor. */
const TAKES: Readonly<Record<string, { readonly at: number; readonly what: string }>> = {
  klp_shadow_alloc: { at: 4, what: 'constructor' },
  klp_shadow_get_or_alloc: { at: 4, what: 'constructor' },
  klp_shadow_free: { at: 2, what: 'destructor' },
  klp_shadow_free_all: { at: 1, what: 'destructor' },
};

/** Constructors and destructors of shadow variables that sleep. */
export const shadowConstructorSleeps: Rule = {
  code: 'shadow-constructor-sleeps',
  severity: 'error',
  kind: 'facts',
  replacement: false,
  summary: 'a constructor or destructor of a shadow variable sleeps under a spinlock with interrupts off',
  documentation: { page: 'livepatch/shadow-vars', anchor: 'brief-api-summary' },
  page: `
The kernel calls the constructor of \`klp_shadow_alloc()\` and \`klp_shadow_get_or_alloc()\`, and the destructor of
\`klp_shadow_free()\` and \`klp_shadow_free_all()\`, **with a spinlock held and interrupts off**: nobody else may see the
variable half made. The flags that \`klp_shadow_alloc()\` gets are for its own allocation, which is done before.

Whatever sleeps there, a mutex or an allocation with \`GFP_KERNEL\`, is "scheduling while atomic" and may hang the machine.

## Example

~~~c
static int ctor(void *obj, void *shadow_data, void *ctor_data)
{
	struct acme *a = shadow_data;

	a->buffer = kzalloc(64, GFP_KERNEL);	/* wrong: sleeps */
	return a->buffer ? 0 : -ENOMEM;
}
~~~

Right: allocate before, and hand the memory in as \`ctor_data\`.

~~~c
	void *buffer = kzalloc(64, GFP_KERNEL);

	klp_shadow_get_or_alloc(obj, ACME, sizeof(*a), GFP_KERNEL, ctor, buffer);
~~~

## What to do

Prepare before the call, or use \`GFP_ATOMIC\`. What a destructor cannot free without sleeping it hands to a work item.
`,
  check: (context) => {
    const catalogue = catalogueOf(context);
    return context.lineage.versions.flatMap((version) => checkVersion(version, catalogue));
  },
};

function checkVersion(version: LineageVersion, catalogue: Catalogue): Finding[] {
  const found = new Map<string, Finding>();
  const nodes = functionsOf(version).map(({ node }) => node);
  for (const node of nodes) {
    for (const call of node.calls) {
      const takes = Object.hasOwn(TAKES, call.callee) ? TAKES[call.callee] : undefined;
      const arg = takes && call.args[takes.at];
      const name = arg && addressed(arg);
      const start = name && find(nodes, name.name, node.unit);
      if (!takes || !start) continue;
      for (const inner of called(nodes, start)) {
        for (const sleeping of inner.calls) {
          const why = whySleeping(sleeping, catalogue);
          if (why === null) continue;
          const via = inner === start ? '' : `, which calls ${inner.name}(),`;
          found.set(`${sleeping.place.file}:${sleeping.place.start}`, {
            code: 'shadow-constructor-sleeps',
            severity: 'error',
            message:
              `${start.name}()${via} is the ${takes.what} that ${call.callee}() calls under a spinlock with interrupts off, ` +
              `and ${sleeping.callee}()${why === '' ? '' : ` ${why}`} may sleep. Do it before the call and hand the result in.`,
            certainty: 'must',
            place: sleeping.place,
            versions: [version.name],
            related: [{ message: `${start.name}() is handed over here`, place: call.place }],
            fixes: [],
          });
        }
      }
    }
  }
  return [...found.values()];
}

function find(nodes: readonly FunctionNode[], name: string, unit: Unit): FunctionNode | undefined {
  return (
    nodes.find((node) => node.name === name && node.unit === unit) ?? nodes.find((node) => node.name === name)
  );
}

/** A function and its own functions that it calls, each once. */
function called(nodes: readonly FunctionNode[], start: FunctionNode): Set<FunctionNode> {
  const seen = new Set([start]);
  for (const node of seen) {
    for (const name of node.own) {
      const next = find(nodes, name, node.unit);
      if (next) seen.add(next);
    }
  }
  return seen;
}
