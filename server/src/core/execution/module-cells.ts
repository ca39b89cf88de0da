import type { Interpreter } from './interpreter';
import type { Block } from './memory';
import type { Value } from './values';

const STATES = { live: 0, coming: 1, going: 2 } as const;

/** What stands in a module's struct module: its name and state; undefined for other members, which are unknown. */
export function moduleCell(it: Interpreter, block: Block, path: string): Value | undefined {
  const instance = block.owner;
  if (instance === null) return undefined;
  if (path === '.state') return STATES[it.host.moduleState(instance)];
  if (path === '.name') return { k: 'string', text: it.host.moduleName(instance), offset: 0 };
  const index = /^\.name\[(\d+)\]$/.exec(path);
  if (index !== null) return it.host.moduleName(instance).charCodeAt(Number(index[1])) || 0;
  if (it.memory.cell(block, path)?.value !== undefined) return undefined;
  return it.unknowns.named(`${it.host.moduleName(instance)}${path}`, { k: 'unknown', name: '' });
}
