import { Random } from '../execution/random';

/** Whether this is the long run, `npm run soak`: it takes more of everything that is made from random numbers. */
export const SOAK = process.env.LIVEPATCH_LINEAGE_SOAK === 'true';

/** What `make` makes of the random numbers of each seed from 1 on: `few` in every run, `many` in the long one. */
export function made<T>(few: number, many: number, make: (random: Random) => T): T[] {
  return Array.from({ length: SOAK ? many : few }, (_, i) => make(new Random(i + 1)));
}
