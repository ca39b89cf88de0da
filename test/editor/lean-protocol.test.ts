import { expect, test } from 'vitest';
import { mentionsIn, withoutUncalled, withoutUnmentioned } from '../../scripts/lean-protocol.mjs';

/** As TypeScript writes a namespace of the protocol. */
const LIBRARY = `var Kind;
(function (Kind) {
    Kind.One = 1;
    Kind.Two = 2;
})(Kind || (exports.Kind = Kind = {}));
var Hover;
(function (Hover) {
    Hover.method = 'hover';
    Hover.type = new Request(Hover.method);
    Hover.messageDirection = Direction.both;
})(Hover || (exports.Hover = Hover = {}));
`;

const left = (...users: string[]): string[] =>
  withoutUnmentioned(LIBRARY, mentionsIn([LIBRARY, ...users]))
    .split('\n')
    .flatMap((line) => /^ {4}(\w+\.\w+) =/.exec(line)?.[1] ?? []);

test('what nobody mentions goes, what a member that stays needs is kept', () => {
  expect(left('send(protocol_1.Hover.type);\n  // Kind.One', '/* Hover.messageDirection */')).toEqual([
    'Hover.method',
    'Hover.type',
  ]);
});

test.each([
  ['indexed', 'return protocol_1.Kind[value];'],
  ['handed on', 'nameOf(protocol_1.Kind, value);'],
  ['renamed', "import { Kind as Other } from 'protocol';"],
  ['set to something', 'const Other = protocol_1.Kind;'],
  ['spread', 'const all = { ...Kind, more: 3 };'],
  ['listed', 'for (const name in Kind) use(name);'],
])('a name that is %s keeps all of its members', (_how, use) => {
  expect(left(use, 'Hover.method')).toEqual(['Kind.One', 'Kind.Two', 'Hover.method']);
});

test('a converter hands out what is called anywhere, and calls its own functions still', () => {
  const converter = `    function asRange(value) { return asPosition(value); }
    return {
        asUri,
        asRange,
        asPosition,
        asInlineValue
    };
`;
  const mentions = mentionsIn([converter, 'client.protocol2CodeConverter.asRange(range);']);
  expect(withoutUncalled(converter, mentions)).toBe(`    function asRange(value) { return asPosition(value); }
    return {
        asRange,
    };
`);
});
