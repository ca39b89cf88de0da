import type { Expr } from '../core/csource/ir';
import { LOADS_MODULES, SYSTEM_QUEUES } from '../core/execution/models/deadlocks';
import type { KernelCall } from '../core/execution/reach';
import { CALLBACK_KINDS } from '../core/kernel/types';
import type { LineageVersion } from '../core/lineage/lineage';
import { functionsOf } from '../core/lineage/version-functions';
import type { Certainty } from '../core/place';
import type { Finding, Rule } from './rule';
import { listed, milder } from './wording';

/** Calls in callbacks that wait for klp_mutex, under which callbacks run. */
export const deadlockInCallback: Rule = {
  code: 'deadlock-in-callback',
  severity: 'error',
  kind: 'facts',
  replacement: false,
  summary: 'a callback waits for something that needs klp_mutex, under which it runs itself',
  documentation: { page: 'livepatch/callbacks', anchor: 'example-use-cases' },
  page: `
Every callback runs under \`klp_mutex\`, one lock for the whole system. Whatever a callback waits for must not need it.

* **Loading a module** takes it, for the kernel asks each livepatch about the new module: \`request_module()\`, and all that
  may load one by itself, such as \`crypto_alloc_shash()\` or \`get_fs_type()\`. The callback waits for modprobe, modprobe
  waits for the lock.
* \`klp_enable_patch()\` takes it.
* A transition is retried, and often ended, by a work item on the system's workqueue, which takes it too. Flushing that
  queue from a callback waits for oneself.

Stopping one's own thread, \`cancel_work_sync()\` of one's own work and \`synchronize_rcu()\` are fine.

## Example

~~~c
static int pre_patch(struct klp_object *obj)
{
	return request_module("acme");	/* never comes back */
}

static int __init m_init(void)
{
	request_module("acme");		/* fine: no lock is held here yet */
	return klp_enable_patch(&patch);
}
~~~

## What to do

Load what is needed in module init before \`klp_enable_patch()\`, or do it in a work item that the callback only queues.
`,
  check: (context) => context.lineage.versions.flatMap(checkVersion),
};

function checkVersion(version: LineageVersion): Finding[] {
  const findings: Finding[] = [];
  for (const { node, from } of functionsOf(version)) {
    const callbacks = CALLBACK_KINDS.filter((kind) => from.has(kind));
    if (callbacks.length === 0) continue;
    for (const call of node.calls) {
      const found = waits(call);
      if (!found) continue;
      const where = callbacks.some((kind) =>
        version.facts?.patch?.objects?.some((object) =>
          object.callbacks.some((it) => it.callback === kind && it.function === node.name),
        ),
      )
        ? listed(callbacks)
        : `${node.name}(), which ${listed(callbacks)} reaches`;
      findings.push({
        code: 'deadlock-in-callback',
        severity: found.certainty === 'may' ? milder('error') : 'error',
        message: `${call.callee}() in ${where} ${found.why}, and callbacks run under klp_mutex: a deadlock. ${found.advice}`,
        certainty: found.certainty,
        place: call.place,
        versions: [version.name],
        related: [],
        fixes: [],
      });
    }
  }
  return findings;
}

interface Waiting {
  readonly certainty: Certainty;
  readonly why: string;
  readonly advice: string;
}

const EARLIER = 'Do it in module init before klp_enable_patch(), or in a work item.';

function waits({ callee, args }: KernelCall): Waiting | null {
  if (callee === 'klp_enable_patch')
    return { certainty: 'must', why: 'waits for klp_mutex', advice: 'Enable it in module init.' };
  if (callee === 'flush_scheduled_work' || (isFlush(callee) && SYSTEM_QUEUES.has(nameOf(args[0])))) {
    const why = "waits for the transition's own work item, which waits for klp_mutex";
    return { certainty: 'must', why, advice: 'Flush or cancel your own work item alone.' };
  }
  const certainty = Object.hasOwn(LOADS_MODULES, callee) ? LOADS_MODULES[callee] : undefined;
  if (certainty === undefined) return null;
  if (callee === 'call_usermodehelper') {
    if (!waitsForHelper(args[3])) return null;
    return { certainty, why: 'waits for a program, which may load a module', advice: EARLIER };
  }
  const why =
    certainty === 'must'
      ? 'loads a module, which waits for klp_mutex'
      : 'may load a module, which waits for klp_mutex';
  return { certainty, why, advice: EARLIER };
}

function isFlush(callee: string): boolean {
  return callee === 'flush_workqueue' || callee === 'drain_workqueue';
}

/** UMH_WAIT_PROC is 2; UMH_NO_WAIT and UMH_WAIT_EXEC come back before the program has done anything. */
function waitsForHelper(arg: Expr | undefined): boolean {
  if (arg?.k === 'int') return Number(arg.value) === 2;
  return nameOf(arg) === 'UMH_WAIT_PROC';
}

function nameOf(expr: Expr | undefined): string {
  if (expr?.k === 'cast') return nameOf(expr.of);
  return expr?.k === 'name' ? expr.name : '';
}
