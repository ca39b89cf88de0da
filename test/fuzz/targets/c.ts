import { liveTrees } from '../../../server/src/core/csource/tree';
import { read } from '../../csource/reader';
import { mutated, stretch } from '../mutate';
import { must, mustLieIn, type Target } from '../target';
import { C_WORDS, randomLivepatch, SOURCES } from './c-text';

/** C text to a unit, every body and initialiser lowered. */
export const c: Target = {
  name: 'c',
  least: 500,
  long: 880_000,
  generate: (random) => {
    const kind = random.below(4);
    if (kind === 0) {
      const parts = Array.from({ length: random.below(random.below(4) === 0 ? 60 : 15) }, () =>
        random.pick(C_WORDS),
      );
      return { 'main.c': parts.join(random.pick(['', ' ', '\n'])) };
    }
    const base = kind === 1 ? randomLivepatch(random) : random.pick(SOURCES);
    return { 'main.c': mutated(random, stretch(random, base, 400, 20), C_WORDS, SOURCES) };
  },
  run: (input) => {
    const text = input['main.c'] ?? '';
    const unit = read(text, { 'other.h': '#define STR "other"\nstruct other { int a; };\n' });
    for (const [name, item] of unit.functions) {
      const { place, namePlace } = item;
      if (place.file === 'main.c') mustLieIn(place, text);
      if (namePlace.file === 'main.c') mustLieIn(namePlace, text);
      unit.lower(name);
    }
    for (const name of unit.variables.keys()) unit.variable(name);
    for (const { place } of unit.calls) if (place.file === 'main.c') mustLieIn(place, text);
    for (const { place } of unit.suppressions) if (place.file === 'main.c') mustLieIn(place, text);
    unit.fingerprint([...unit.functions.keys()]);
    must(liveTrees() === 0, `${liveTrees()} trees are left`);
  },
};
