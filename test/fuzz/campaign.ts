import { Random } from '../execution/random';
import type { Input, Target } from './target';

export interface Failure {
  /** `seed 7, execution 12` or the name of a kept input. */
  readonly from: string;
  readonly message: string;
  readonly input: Input;
}

export interface Campaign {
  /** New inputs; the kept ones are not counted. */
  readonly executions: number;
  readonly failures: readonly Failure[];
  /** The slowest input, in milliseconds. */
  readonly slowest: { readonly from: string; readonly ms: number };
  /** Whether the time was up before all executions were done. */
  readonly cutShort: boolean;
}

export interface Plan {
  readonly seed: number;
  readonly first: number;
  readonly executions: number;
  /** No execution begins after this, in milliseconds from the start, unless there were fewer than `least`. */
  readonly time: number;
  readonly least: number;
  /** Whether it begins with what was kept of past failures. */
  readonly kept: boolean;
}

/** The input of one execution: each has random numbers of its own, so that any of them can be run by itself. */
export function inputOf(target: Target, seed: number, execution: number): Input {
  return target.generate(new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(execution + 1, 0x85ebca6b)));
}

/** Runs what was kept of past failures, then new inputs. `progress` hears before each execution. */
export function campaign(
  target: Target,
  { seed, first, executions, time, least }: Plan,
  corpus: ReadonlyMap<string, Input>,
  progress: (done: number) => void,
): Campaign {
  const failures: Failure[] = [];
  const seen = new Set<string>();
  let slowest = { from: '', ms: 0 };
  let done = 0;
  const start = performance.now();
  const execute = (from: string, input: Input): void => {
    const before = performance.now();
    try {
      target.run(input);
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      // One fault shows in many inputs; where it was thrown tells them apart well enough.
      const fault = faultOf(message);
      if (!seen.has(fault)) {
        seen.add(fault);
        failures.push({ from, message, input: smaller(target, input, fault) });
      }
    }
    const ms = performance.now() - before;
    if (ms > slowest.ms) slowest = { from, ms: Math.round(ms) };
  };
  for (const [name, input] of corpus) {
    progress(-1);
    execute(name, input);
  }
  let cutShort = false;
  for (let n = first; n < first + executions; n++) {
    if (done >= least && performance.now() - start > time) {
      cutShort = true;
      break;
    }
    progress(n);
    execute(`seed ${seed}, execution ${n}`, inputOf(target, seed, n));
    done++;
  }
  return { executions: done, failures, slowest, cutShort };
}

function faultOf(message: string): string {
  const lines = message.split('\n');
  const at = lines.find((line) => line.startsWith('    at ') && !line.includes('must'));
  return `${(lines[0] ?? '').replace(/\d+/g, 'N').slice(0, 80)} ${at ?? ''}`;
}

/** The input with all taken out that the fault does not need, within a bound. */
function smaller(target: Target, input: Input, fault: string): Input {
  const fails = (candidate: Input): boolean => {
    try {
      target.run(candidate);
    } catch (error) {
      return faultOf(error instanceof Error ? (error.stack ?? error.message) : String(error)) === fault;
    }
    return false;
  };
  let best = input;
  let left = 1_500;
  for (const name of Object.keys(input)) {
    for (let size = (best[name] ?? '').length; size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at < (best[name] ?? '').length && left > 0; left--) {
        const text = best[name] ?? '';
        const candidate = { ...best, [name]: text.slice(0, at) + text.slice(at + size) };
        if (fails(candidate)) best = candidate;
        else at += size;
      }
    }
  }
  return best;
}
