import { compileFunction } from 'node:vm';
import { expect, test } from 'vitest';
import { HELPERS, helperModule, helpersIn, withSharedHelpers } from '../../scripts/shared-helpers.mjs';

/** As TypeScript begins a file that hands on what others export. */
const BIND = `var __createBinding = (this && this.__createBinding) || (function(o, m, k) {
    o[k] = m[k];
});
`;
const STAR = `var __exportStar = (this && this.__exportStar) || function(m, exports) {
    for (var p in m) if (p !== "default" && !(p in exports)) __createBinding(exports, m, p);
};
`;
const ONE = `"use strict";\n${BIND}${STAR}exports.two = exports.a = void 0;\n__exportStar(require('./two'), exports);\nexports.a = 1;\nexports.two = 'own';\n`;

const helpers = helpersIn(['exports.c = 3;\n', ONE]);

/** What a text exports, where the helpers and './two' can be required. */
function exportsOf(text: string): Record<string, unknown> {
  const run = (source: string, modules: Record<string, unknown>): Record<string, unknown> => {
    const exported: Record<string, unknown> = {};
    compileFunction(source, ['exports', 'require'])(exported, (name: string) => modules[name]);
    return exported;
  };
  return run(text, { [HELPERS]: run(helperModule(helpers), {}), './two': { two: 2, three: 3, default: 0 } });
}

test('a file with the one copy exports what it exported', () => {
  const shared = withSharedHelpers(ONE, helpers);
  expect(shared).toBe(
    `var { __exportStar } = require("${HELPERS}");\n"use strict";\nexports.two = exports.a = void 0;\n__exportStar(require('./two'), exports);\nexports.a = 1;\nexports.two = 'own';\n`,
  );
  expect(exportsOf(shared)).toEqual({ two: 'own', three: 3, a: 1 });
  expect(exportsOf(ONE)).toEqual({ two: 'own', three: 3, a: 1 });
});

test('a helper of the same name that is another one stays', () => {
  const other = ONE.replace('o[k] = m[k];', 'o[k] = m[k] + 1;');
  const shared = withSharedHelpers(other, helpers);
  expect(shared).toContain('m[k] + 1');
  expect(shared).not.toContain('function(m, exports)');
});

test('what is announced is not, where nothing asks for it', () => {
  expect(withSharedHelpers('exports.c = exports.d = void 0;\nexports.c = 3;\n', helpers)).toBe(
    'exports.c = 3;\n',
  );
});

test('a file without helpers stays as it is', () => {
  expect(withSharedHelpers('exports.c = 3;\n', helpers)).toBe('exports.c = 3;\n');
});
