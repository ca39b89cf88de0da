import type { Random } from '../../execution/random';
import { FILES, MANIFEST } from '../../features/fixture';
import { mutated } from '../mutate';
import type { Target } from '../target';
import { C_WORDS, randomLivepatch, SOURCES } from './c-text';
import { askEverything, projectOf } from './whole';

/** Where there is much code, some loop has no end, and then all is run again and again up to the bounds: rarely. */
function source(random: Random): string {
  const kind = random.below(40);
  const base =
    kind === 0 ? randomLivepatch(random) : kind < 20 ? randomLivepatch(random, 2, 1) : random.pick(SOURCES);
  return random.below(3) === 0 ? base : mutated(random, base, C_WORDS, SOURCES);
}

/** A lineage of two versions: findings and every answer of editor and command line. */
export const lineage: Target = {
  name: 'lineage',
  least: 3,
  long: 2_000,
  generate: (random) => ({
    ...FILES,
    'livepatch.yaml': MANIFEST,
    'v1.c': source(random),
    'v2.c': source(random),
  }),
  run: (input) => {
    askEverything(projectOf(input), (length) => [
      0,
      length >> 2,
      length >> 1,
      length - (length >> 2),
      length,
    ]);
  },
};
