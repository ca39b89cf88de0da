import type { Expr } from '../core/csource/ir';
import { placeIn } from '../core/csource/item-places';
import type { Catalogue } from '../core/execution/catalogue';
import { statementsIn, visitExpression, visitExpressions } from '../core/execution/ir-walk';
import type { FunctionNode } from '../core/execution/reach';
import type { LineageVersion } from '../core/lineage/lineage';
import { functionsOf } from '../core/lineage/version-functions';
import { catalogueOf } from './catalogue-of';
import type { Finding, Rule } from './rule';
import { listed } from './wording';

const VOID_CALLBACKS = ['post_patch', 'pre_unpatch', 'post_unpatch'] as const;

/** Failures in callbacks that cannot pass them on, and that nobody looks at. */
export const ignoredFailure: Rule = {
  code: 'ignored-failure',
  severity: 'warning',
  kind: 'facts',
  replacement: false,
  summary: 'a call that can fail in a callback that returns nothing, and its result is ignored',
  documentation: { page: 'livepatch/callbacks', anchor: 'callback-types' },
  page: `
Only \`pre_patch\` can refuse. \`post_patch\`, \`pre_unpatch\` and \`post_unpatch\` return nothing: what fails there, fails
unseen. When the livepatch is disabled later, the partner undoes something that was never done.

Functions of debugfs are left out: the kernel asks to ignore their results.

## Example

~~~c
static void post_patch(struct klp_object *obj)
{
	register_reboot_notifier(&nb);		/* wrong: and if it fails? */
}

static int pre_patch(struct klp_object *obj)
{
	return register_reboot_notifier(&nb);	/* right: the load is refused */
}
~~~

## What to do

Do what can fail in \`pre_patch\`. What has to wait for \`post_patch\` is prepared in \`pre_patch\`, or its result is looked at
and remembered, so that the undo knows. A cast to void says that it is ignored on purpose.
`,
  check: (context) => {
    const catalogue = catalogueOf(context);
    return context.lineage.versions.flatMap((version) => checkVersion(version, catalogue));
  },
};

function checkVersion(version: LineageVersion, catalogue: Catalogue): Finding[] {
  const functions = functionsOf(version);
  const failing = new FallibleFunctions(
    functions.map(({ node }) => node),
    catalogue,
  );
  return functions.flatMap(({ node, from }): Finding[] => {
    const callbacks = VOID_CALLBACKS.filter((kind) => from.has(kind));
    if (callbacks.length === 0) return [];
    return ignoredCalls(node).flatMap(({ name, at }): Finding[] => {
      const callee = failing.failureOf(name, node);
      if (callee === null) return [];
      const through = callee === name ? '' : `, which passes on that of ${callee}(),`;
      return [
        {
          code: 'ignored-failure',
          severity: 'warning',
          message: `The result of ${name}()${through} is ignored, and ${listed(callbacks)} cannot refuse: a failure goes unseen. Do it in pre_patch, or look at the result.`,
          certainty: 'must',
          place: placeIn(node.ir.positions, at),
          versions: [version.name],
          related: [],
          fixes: [],
        },
      ];
    });
  });
}

interface Ignored {
  readonly name: string;
  readonly at: number;
}

/** Calls whose result nobody reads: statements of their own, and what goes into a variable that is never read. */
function ignoredCalls(node: FunctionNode): Ignored[] {
  const { ir } = node;
  const read = slotsRead(node);
  const found: Ignored[] = [];
  const note = (value: Expr): void => {
    if (value.k === 'call' && value.callee.k === 'name')
      found.push({ name: value.callee.name, at: value.at });
  };
  for (const stmt of statementsIn(ir.body)) {
    if (stmt.k === 'declare' && stmt.init?.k === 'value' && !read.has(stmt.slot)) note(stmt.init.value);
    if (stmt.k !== 'expression') continue;
    const { value } = stmt;
    if (value.k === 'assign' && value.op === '=' && value.target.k === 'local') {
      if (!read.has(value.target.slot)) note(value.value);
    } else note(value);
  }
  return found;
}

/** Locals whose value something uses; being assigned to is not that. */
function slotsRead({ ir }: FunctionNode): Set<number> {
  const read = new Set<number>();
  const written = new Set<Expr>();
  visitExpressions(ir.body, (expr) => {
    if (expr.k === 'assign' && expr.op === '=' && expr.target.k === 'local') written.add(expr.target);
    if (expr.k === 'local' && !written.has(expr)) read.add(expr.slot);
  });
  return read;
}

/** Which functions can fail: those of the catalogue that register something, and own ones that pass a failure on. */
class FallibleFunctions {
  readonly #known = new Map<FunctionNode, string | null>();

  constructor(
    private readonly nodes: readonly FunctionNode[],
    private readonly catalogue: Catalogue,
  ) {}

  /** The kernel function behind a call that can fail; null where it cannot, or nothing says so. */
  failureOf(name: string, caller: FunctionNode): string | null {
    const own = caller.own.includes(name)
      ? (this.nodes.find((node) => node.name === name && node.unit === caller.unit) ??
        this.nodes.find((node) => node.name === name))
      : undefined;
    if (own) return this.#ofOwn(own);
    const row = this.catalogue.rowsByDo(name)[0];
    if (!row || row.family.startsWith('debugfs')) return null;
    return row.fails === 'errno' || row.fails === 'errptr' || (row.fails === 'null' && row.key !== 'heap')
      ? name
      : null;
  }

  /** An own function fails if what it returns comes from a call that can. */
  #ofOwn(node: FunctionNode): string | null {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    this.#known.set(node, null);
    const result = node.ir.returns.k === 'int' && !node.ir.returns.bool ? this.#returned(node) : null;
    this.#known.set(node, result);
    return result;
  }

  #returned(node: FunctionNode): string | null {
    const { ir } = node;
    const slots = new Set<number>();
    let found: string | null = null;
    const look = (value: Expr): void => {
      visitExpression(value, (expr) => {
        if (expr.k === 'call' && expr.callee.k === 'name') found ??= this.failureOf(expr.callee.name, node);
        else if (expr.k === 'local') slots.add(expr.slot);
      });
    };
    for (const stmt of statementsIn(ir.body)) if (stmt.k === 'return' && stmt.value) look(stmt.value);
    for (const stmt of statementsIn(ir.body)) {
      if (stmt.k === 'declare' && stmt.init?.k === 'value' && slots.has(stmt.slot)) look(stmt.init.value);
    }
    visitExpressions(ir.body, (expr) => {
      if (expr.k === 'assign' && expr.target.k === 'local' && slots.has(expr.target.slot)) look(expr.value);
    });
    return found;
  }
}
