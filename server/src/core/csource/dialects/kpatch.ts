import type { Dialect } from './dialect';
import { isDiffs, readDiffs } from './diffs';

/** Diffs for kpatch-build. Its objects come in the reverse of the order in which they are found. */
export const kpatchDialect: Dialect = {
  name: 'kpatch',
  recognises: (files) => isDiffs(files),
  read: (input) =>
    readDiffs(input, {
      macros: 'KPATCH',
      reversed: true,
      init: 'patch_init',
      exit: 'patch_exit',
      duplicate: 'its init refuses the second with -EINVAL, so the livepatch cannot be loaded',
    }),
};
