import { builtAsC } from '../../../server/src/core/built/as-c';
import { readBuiltModule } from '../../../server/src/core/built/built-module';
import { read } from '../../csource/reader';
import type { Random } from '../../execution/random';
import { damaged } from '../mutate';
import { must, type Target, WHOLE } from '../target';
import { builtLivepatch } from './elf-writer';
import { readOrCheck } from './whole';

/** Built modules, whole and damaged; the manifest names nothing but the .ko. */
export const elf: Target = {
  name: 'elf',
  least: 200,
  long: 55_000,
  generate: (random: Random) => {
    const bytes = builtLivepatch(random);
    const out = random.below(6) === 0 ? bytes : damaged(random, bytes);
    return { 'm.ko': Buffer.from(out).toString('latin1'), [WHOLE]: random.below(60) === 0 ? 'yes' : '' };
  },
  run: (input) => {
    const bytes = Buffer.from(input['m.ko'] ?? '', 'latin1');
    const module = readBuiltModule(bytes);
    if ('problem' in module) {
      must(module.problem !== '', 'no reason');
      return;
    }
    const unit = read(builtAsC(module));
    const known = new Set(['klp_enable_patch', 'made_when_loaded', 'read_when_loaded']);
    for (const name of unit.functions.keys()) must(/^\w+$/.test(name) || known.has(name), name);
    readOrCheck({
      [WHOLE]: input[WHOLE] ?? '',
      'livepatch.yaml': 'lineage: l\nkernel: "6.1"\nversions: [{ version: v1, module: m, built: m.ko }]\n',
      'm.ko': input['m.ko'] ?? '',
    });
  },
};
