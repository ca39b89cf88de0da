import type { InstanceId } from '../kernel/types';
import type { QueuedTask } from './api';
import type { Frame } from './frames';
import { BudgetSpent, type Interpreter } from './interpreter';
import { token } from './ledger';
import { Suspended, TaskTrace } from './traces';
import type { Value } from './values';

/** A function on a suspended task's stack; `instance` null for the kernel's own. */
export interface StackEntry {
  readonly instance: InstanceId | null;
  readonly name: string;
}

/** A queued call. With a trace it has started and is suspended. Never changed, only replaced. */
export interface Task {
  readonly id: number;
  readonly queued: QueuedTask;
  readonly trace: TaskTrace | null;
  readonly stack: readonly StackEntry[];
}

/** How many turns a wait gives the others before it is taken for a deadlock. */
const MAX_ROUNDS = 64;

/**
 * What the kernel calls later: work items, timers, threads. Each gets one turn after the other; a task that sleeps
 * is suspended until its next turn, its stack standing in what it called.
 */
export class TaskList {
  private tasks: Task[] = [];
  private next = 1;
  /** What somebody cancels and waits for: it cannot queue itself anew. */
  private cancelled: string | null = null;
  /** The task whose turn it is. */
  running: QueuedTask | null = null;

  clone(): TaskList {
    const copy = new TaskList();
    copy.tasks = [...this.tasks];
    copy.next = this.next;
    return copy;
  }

  list(): readonly Task[] {
    return this.tasks;
  }

  queue(queued: QueuedTask): boolean {
    const handle = token(queued.handle);
    if (this.waits(handle) || handle === this.cancelled) return false;
    this.tasks.push({ id: this.next++, queued, trace: null, stack: [] });
    return true;
  }

  private waits(handle: string): boolean {
    return this.tasks.some((task) => task.trace === null && token(task.queued.handle) === handle);
  }

  cancel(handle: Value): boolean {
    const wanted = token(handle);
    const before = this.tasks.length;
    this.tasks = this.tasks.filter((task) => task.trace !== null || token(task.queued.handle) !== wanted);
    return this.tasks.length < before;
  }

  /** Every queued and suspended task gets one turn; those queued meanwhile wait for the next round. */
  turns(it: Interpreter, which: (task: Task) => boolean = () => true): boolean {
    let any = false;
    for (const task of this.tasks.slice()) {
      if (!this.tasks.includes(task) || !which(task)) continue;
      any = true;
      this.turn(it, task);
    }
    return any;
  }

  /** Waits until what is queued or under way has ended, all of it for null; what `cancels` waits for is not queued anew. */
  flush(it: Interpreter, handle: Value | null, cancels: boolean): void {
    const wanted = handle === null ? null : token(handle);
    const mine = (task: Task): boolean => wanted === null || token(task.queued.handle) === wanted;
    const own = this.running === null ? null : token(this.running.handle);
    const open = (): boolean => this.tasks.some((task) => mine(task) && token(task.queued.handle) !== own);
    if (!open()) return;
    if (this.canSuspend(it)) throw new Suspended(true);
    const before = this.cancelled;
    if (cancels) this.cancelled = wanted;
    try {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        this.turns(it, mine);
        if (!open()) return;
      }
    } finally {
      this.cancelled = before;
    }
    it.host.unknown({ kind: 'budget', text: 'waiting for a task that does not end', place: null });
  }

  wait(it: Interpreter, ready: () => boolean): boolean {
    if (ready()) return true;
    if (this.canSuspend(it)) throw new Suspended(true);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const any = this.turns(it);
      if (ready()) return true;
      if (!any) return false;
    }
    return false;
  }

  sleep(it: Interpreter): void {
    if (this.canSuspend(it)) throw new Suspended(false);
    if (this.running === null) this.turns(it);
  }

  /** Only a task that was not called by a model (as a constructor is) can be suspended and continued. */
  private canSuspend(it: Interpreter): boolean {
    return this.running !== null && it.modelDepth <= 1;
  }

  private turn(it: Interpreter, task: Task): void {
    const { callee } = task.queued;
    const gone = lostModule(it, task);
    if (gone !== null) {
      this.drop(task);
      const by = task.queued.actor;
      it.host.effect({
        k: 'fault',
        fault: 'use-after-free',
        text: `${gone} runs, but its module is gone`,
        by,
        certainty: 'must',
      });
      return;
    }
    if (typeof callee !== 'object' || callee.k !== 'function' || callee.instance === null) {
      this.drop(task);
      it.library.taskEnded?.(it.state, it.host, task.queued);
      return;
    }
    const saved = {
      trace: it.trace,
      frame: it.frame,
      depth: it.depth,
      modelDepth: it.modelDepth,
      running: this.running,
    };
    const trace = task.trace === null ? new TaskTrace() : task.trace.restart();
    it.trace = trace;
    it.frame = null;
    it.depth = 0;
    it.modelDepth = 0;
    this.running = task.queued;
    if (task.trace === null) this.replace(task, { ...task, trace, stack: [] });
    const current = this.tasks.find((t) => t.id === task.id);
    let ended = true;
    let result: Value = 0;
    try {
      result = it.invoke(
        callee,
        task.queued.args,
        task.queued.kind === 'work' || task.queued.kind === 'delayed' ? 'work' : task.queued.kind,
        null,
      );
    } catch (thrown) {
      if (thrown instanceof Suspended) {
        ended = false;
        const stack = stackOf(it.frame);
        if (current !== undefined) this.replace(current, { ...current, trace, stack });
      } else if (thrown instanceof BudgetSpent || thrown instanceof RangeError) {
        it.host.unknown({ kind: 'budget', text: `${callee.name} runs too long`, place: null });
      } else throw thrown;
    } finally {
      it.trace = saved.trace;
      it.frame = saved.frame;
      it.depth = saved.depth;
      it.modelDepth = saved.modelDepth;
      this.running = saved.running;
    }
    if (
      ended &&
      task.queued.restarts &&
      result === 1 &&
      current !== undefined &&
      this.tasks.includes(current)
    ) {
      this.replace(current, { ...current, trace: null, stack: [] });
    } else if (ended) {
      if (current !== undefined) this.drop(current);
      // One that has queued itself anew is no more at its end than one that the timer starts again.
      if (!this.waits(token(task.queued.handle))) it.library.taskEnded?.(it.state, it.host, task.queued);
    }
    if (ended || task.trace !== null) it.host.tasksMoved();
  }

  private drop(task: Task): void {
    this.tasks = this.tasks.filter((t) => t.id !== task.id);
  }

  private replace(task: Task, by: Task): void {
    this.tasks = this.tasks.map((t) => (t.id === task.id ? by : t));
  }
}

function stackOf(innermost: Frame | null): readonly StackEntry[] {
  const stack: StackEntry[] = [];
  for (let frame = innermost; frame !== null; frame = frame.caller)
    stack.push({ instance: frame.instance, name: frame.name });
  return stack;
}

/** The function of a task that can no longer run, since its module is gone. */
function lostModule(it: Interpreter, task: Task): string | null {
  const { callee } = task.queued;
  if (
    typeof callee === 'object' &&
    callee.k === 'function' &&
    callee.instance !== null &&
    !it.modules.has(callee.instance)
  ) {
    return callee.name;
  }
  const lost = task.stack.find((entry) => entry.instance !== null && !it.modules.has(entry.instance));
  return lost?.name ?? null;
}
