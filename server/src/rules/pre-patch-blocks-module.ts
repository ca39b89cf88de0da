import type { Expr } from '../core/csource/ir';
import type { CallbackFacts } from '../core/execution/fact-types';
import { statementsIn, visitExpressions } from '../core/execution/ir-walk';
import type { FunctionNode } from '../core/execution/reach';
import type { LineageVersion } from '../core/lineage/lineage';
import { functionsOf } from '../core/lineage/version-functions';
import type { Finding, Rule } from './rule';
import { errnoText, listed } from './wording';

/** pre_patch of a module object that may refuse the module. */
export const prePatchBlocksModule: Rule = {
  code: 'pre-patch-blocks-module',
  severity: 'warning',
  kind: 'facts',
  replacement: false,
  summary: "a module object's pre_patch may fail, and the target module can then not be loaded at all",
  documentation: { page: 'livepatch/callbacks', anchor: 'callback-types' },
  page: `
\`pre_patch\` of a module object also runs when the module is loaded later, long after the livepatch was enabled. When it
returns an error then, the kernel **refuses the target module**: "refusing to load module". The livepatch stays enabled, so
every further attempt fails as well, for as long as \`pre_patch\` goes on failing. A driver that cannot be loaded is worse
than most things that a livepatch repairs.

Where the only error is that there was no memory, the next attempt may well succeed, and this is an information.

## Example

~~~c
static int acme_pre_patch(struct klp_object *obj)
{
	return acme_supported() ? 0 : -ENODEV;	/* wrong: acme cannot be loaded on such a machine */
}
~~~

Right:

~~~c
static int acme_pre_patch(struct klp_object *obj)
{
	supported = acme_supported();
	return 0;
}
~~~

## What to do

Let the callback do without, and remember that for its partners. What must not fail is prepared in \`pre_patch\` of vmlinux,
which can only refuse the livepatch itself.
`,
  check: (context) => context.lineage.versions.flatMap(checkVersion),
};

function checkVersion(version: LineageVersion): Finding[] {
  const nodes = functionsOf(version).map(({ node }) => node);
  const entries = new Map<FunctionNode, { readonly objects: string[]; readonly finding: Finding }>();
  for (const object of version.facts?.patch?.objects ?? []) {
    const entry = object.callbacks.find((it) => it.callback === 'pre_patch');
    const node = entry && nodes.find((it) => isDefinedAt(it, entry));
    if (!object.name || !entry || !node) continue;
    const results = new Results(nodes).of(node);
    if (results.size === 0) continue;
    const objects = [...(entries.get(node)?.objects ?? []), object.name];
    entries.set(node, { objects, finding: findingOf(version, node, objects, results, entry) });
  }
  return [...entries.values()].map(({ finding }) => finding);
}

/** Two files may have a static function of that name each. */
function isDefinedAt({ name, unit }: FunctionNode, entry: CallbackFacts): boolean {
  return name === entry.function && unit.functions.get(name)?.namePlace.file === entry.definition?.file;
}

function findingOf(
  version: LineageVersion,
  node: FunctionNode,
  objects: readonly string[],
  results: ReadonlySet<string>,
  entry: CallbackFacts,
): Finding {
  const transient = [...results].every((result) => result === '-ENOMEM');
  const modules = listed(objects);
  return {
    code: 'pre-patch-blocks-module',
    severity: transient ? 'information' : 'warning',
    message:
      `${node.name}() may return ${listed([...results].sort())}. As pre_patch of ${modules} it runs also when ${modules} ${objects.length > 1 ? 'are' : 'is'} loaded later, ` +
      `and an error then keeps ${modules} from being loaded at all${transient ? ', until there is memory again' : ''}.`,
    certainty: 'may',
    place: entry.definition ?? entry.place,
    versions: [version.name],
    related: [{ message: `pre_patch of ${modules}`, place: entry.place }],
    fixes: [],
  };
}

/** What a function may return beside 0, in words: `-ENODEV`, "what f() returns". */
class Results {
  readonly #entered = new Set<FunctionNode>();

  constructor(private readonly nodes: readonly FunctionNode[]) {}

  of(node: FunctionNode): Set<string> {
    const results = new Set<string>();
    if (this.#entered.has(node)) return results;
    this.#entered.add(node);
    for (const stmt of statementsIn(node.ir.body)) {
      if (stmt.k === 'return' && stmt.value) this.#value(stmt.value, node, results, new Set());
    }
    return results;
  }

  #value(value: Expr, node: FunctionNode, results: Set<string>, slots: Set<number>): void {
    switch (value.k) {
      case 'int':
        if (Number(value.value) !== 0) results.add(errnoText(Number(value.value)));
        return;
      case 'unary':
        if (value.op === '-' && value.of.k === 'int') {
          if (Number(value.of.value) !== 0) results.add(errnoText(-Number(value.of.value)));
        } else results.add('a value that is not known');
        return;
      case 'cast':
        return this.#value(value.of, node, results, slots);
      case 'comma':
        return this.#value(value.second, node, results, slots);
      case 'conditional':
        this.#value(value.then ?? value.test, node, results, slots);
        return this.#value(value.otherwise, node, results, slots);
      case 'local':
        return this.#local(value.slot, node, results, slots);
      case 'call':
        return this.#call(value, node, results);
      case 'name':
        results.add(`the value of ${value.name}`);
        return;
      default:
        results.add('a value that is not known');
    }
  }

  #call(value: Extract<Expr, { k: 'call' }>, node: FunctionNode, results: Set<string>): void {
    const name = value.callee.k === 'name' ? value.callee.name : '';
    const own = node.own.includes(name)
      ? (this.nodes.find((it) => it.name === name && it.unit === node.unit) ??
        this.nodes.find((it) => it.name === name))
      : undefined;
    if (own) for (const result of this.of(own)) results.add(result);
    else results.add(name === '' ? 'a value that is not known' : `what ${name}() returns`);
  }

  /** A local may hold whatever is assigned to it anywhere. */
  #local(slot: number, node: FunctionNode, results: Set<string>, slots: Set<number>): void {
    if (slots.has(slot)) return;
    slots.add(slot);
    for (const stmt of statementsIn(node.ir.body)) {
      if (stmt.k === 'declare' && stmt.slot === slot && stmt.init?.k === 'value')
        this.#value(stmt.init.value, node, results, slots);
    }
    visitExpressions(node.ir.body, (expr) => {
      if (expr.k === 'assign' && expr.target.k === 'local' && expr.target.slot === slot)
        this.#value(expr.value, node, results, slots);
    });
    if (slot < node.ir.parameters) results.add('a value that is not known');
  }
}
