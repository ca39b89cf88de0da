import { expect } from 'vitest';
import { imageOf, type ScriptedModule, ScriptedWorld } from './scripted-world';

/** A livepatch that is stacked on the others. */
export const plain = { replace: 'nothing' } as const;

/** Targets m and n, and livepatches of some of them, of which p and q replace nothing; not loaded yet. */
export function world(modules: Record<string, ScriptedModule> = {}): ScriptedWorld {
  return new ScriptedWorld({
    m: {},
    n: {},
    p: { image: imageOf(['vmlinux', 'm', 'n'], plain) },
    q: { image: imageOf(['vmlinux', 'm'], plain) },
    r: { image: imageOf(['vmlinux', 'm']) },
    small: { image: imageOf(['vmlinux']) },
    ...modules,
  });
}

/** A world after these loads, its record empty. */
export function after(...names: string[]): ScriptedWorld {
  const made = world();
  for (const name of names) expect(made.load(name)).toBe(0);
  made.takeCalls();
  made.takeSkipped();
  return made;
}
