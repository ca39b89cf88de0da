import type { FileScopeCall } from '../csource/unit';
import type { Frame } from './frames';
import type { Interpreter } from './interpreter';
import type { Block, Memory } from './memory';
import type { FunctionValue } from './values';

/** Members that take the function named in a defining macro that the front end left as it stands. */
const FUNCTION_MEMBER = /WORK|TIMER|TASKLET/;

/**
 * What a variable holds that only a macro of unknown body defines (`DEFINE_THING(name, function)`): zeroes, and the
 * function where the macro's name says what it makes.
 */
export function declaredContent(
  _it: Interpreter,
  frame: Frame,
  memory: Memory,
  block: Block,
  call: FileScopeCall,
): void {
  if (!FUNCTION_MEMBER.test(call.macro)) return;
  const name = call.args[1];
  const ref = name === undefined ? null : frame.image.resolve(frame.unit, name);
  if (ref?.k !== 'function' || name === undefined) return;
  const value: FunctionValue = {
    k: 'function',
    name,
    instance: frame.instance,
    ...(ref.static ? { unit: ref.unit.index } : {}),
  };
  memory.store(block, '.func', value, { k: 'unknown', name: '' }, null, -1);
}
