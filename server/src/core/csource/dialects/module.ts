import type { Dialect } from './dialect';

/** A hand-written module: every .c file is a translation unit as it stands. */
export const moduleDialect: Dialect = {
  name: 'module',
  recognises: () => true,
  read: ({ files }) => ({
    units: files.map(({ file }) => file).filter((file) => file.endsWith('.c')),
    texts: new Map(),
    problems: [],
  }),
};
