import { expect, test } from 'vitest';
import type { LineageVersion } from '../../server/src/core/lineage/lineage';
import { Transitions } from '../../server/src/core/lineage/transitions';
import type { RuleContext } from '../../server/src/rules/context';
import { type Look, lookAt, seenAlone, seenInUpgrades } from '../../server/src/rules/looks';
import { takeoverVersion } from '../bench/lineages';
import { analyseTexts } from '../support/project';

interface Version {
  readonly source?: string;
  readonly status?: string;
}

/** What a rule gets to see of a lineage of such versions, as far as it looks at pairs. */
async function contextOf(versions: readonly Version[]): Promise<RuleContext> {
  const entries = versions.map(
    ({ status = 'released' }, i) =>
      `  - { version: v${i + 1}, module: lp_v${i + 1}, sources: v${i + 1}.c, status: ${status} }\n`,
  );
  const { lineage } = await analyseTexts({
    'livepatch.yaml': `lineage: looks\nkernel: "6.1"\nversions:\n${entries.join('')}`,
    ...Object.fromEntries(versions.map(({ source = takeoverVersion(1, 1) }, i) => [`v${i + 1}.c`, source])),
  });
  return { lineage, transitions: new Transitions(lineage) } as RuleContext;
}

/** The pairs that a look is asked about which sees what `sees` says. */
function asked(context: RuleContext, sees: (from: LineageVersion, to: LineageVersion) => boolean): string[] {
  const pairs: string[] = [];
  const look: Look<string> = (_, from, to) => {
    pairs.push(`${from.name} ${to.name}`);
    // What a rule would look at.
    context.transitions.transition(from, to);
    return sees(from, to) ? ['something'] : [];
  };
  const seen = [...seenInUpgrades(context, look)];
  expect(seen.every((one) => one.seen === 'something')).toBe(true);
  return pairs;
}

const SIX = ['v1 v2', 'v1 v3', 'v2 v3', 'v1 v4', 'v2 v4', 'v3 v4'];

test('a look that sees nothing in one pair is not repeated in its twins', async () => {
  expect(asked(await contextOf([{}, {}, {}, {}]), () => false)).toEqual(['v1 v2']);
});

test('a look that sees something is asked of every pair', async () => {
  expect(asked(await contextOf([{}, {}, {}, {}]), () => true)).toEqual(SIX);
  expect(asked(await contextOf([{}, {}, {}, {}]), (from, to) => `${from.name}${to.name}` !== 'v2v3')).toEqual(
    // What is silent in the third pair is silent in those behind it.
    ['v1 v2', 'v1 v3', 'v2 v3'],
  );
});

test('two looks do not answer for each other', async () => {
  const context = await contextOf([{}, {}, {}]);
  expect(asked(context, () => false)).toEqual(['v1 v2']);
  expect(asked(context, () => false)).toEqual(['v1 v2']);
});

test('versions of another status are asked about by themselves', async () => {
  expect(asked(await contextOf([{}, {}, {}, { status: 'draft' }]), () => false)).toEqual(['v1 v2', 'v1 v4']);
});

test('versions whose patched functions make other calls are asked about by themselves', async () => {
  const source = takeoverVersion(1, 1).replace(
    'seq_printf(m, "fixed',
    'show_more(m);\n\tseq_printf(m, "fixed',
  );
  expect(asked(await contextOf([{}, {}, { source }, {}]), () => false)).toEqual(['v1 v2', 'v1 v3', 'v3 v4']);
});

test('the way back is another pair', async () => {
  const context = await contextOf([{}, {}]);
  const [first, second] = context.lineage.versions as [LineageVersion, LineageVersion];
  const pairs: string[] = [];
  const look: Look<string> = (_, from, to) => {
    pairs.push(`${from.name} ${to.name}`);
    return [];
  };
  lookAt(context, look, first, second);
  lookAt(context, look, second, first);
  lookAt(context, look, second, first);
  expect(pairs).toEqual(['v1 v2', 'v2 v1']);
});

test('code that asks for names is asked about in every pair', async () => {
  const source = takeoverVersion(1, 1).replace(
    'if (klp_get_prev_state(LEVEL_STATE))\n\t\treturn 0;',
    'if (find_module("other")) return -EBUSY;\n$&',
  );
  expect(asked(await contextOf([{ source }, { source }, { source }, { source }]), () => false)).toEqual(SIX);
});

/** The versions that a look at each by itself is asked about. */
function askedAlone(context: RuleContext, sees: (version: LineageVersion) => boolean): string[] {
  const versions: string[] = [];
  const seen = seenAlone(context, (_, version) => {
    versions.push(version.name);
    // What a rule would look at.
    context.transitions.transition(null, version);
    return sees(version) ? [version.name] : [];
  });
  expect(seen).toEqual(
    versions.filter((name) => context.lineage.versions.some((it) => it.name === name && sees(it))),
  );
  return versions;
}

test('a look at single versions is not repeated in twins of one in which it saw nothing', async () => {
  const source = takeoverVersion(1, 1).replace('level taken over', 'level is taken over');
  expect(askedAlone(await contextOf([{}, {}, { source }, {}]), () => false)).toEqual(['v1', 'v3']);
  expect(askedAlone(await contextOf([{}, {}, { status: 'draft' }]), () => false)).toEqual(['v1', 'v3']);
  expect(askedAlone(await contextOf([{}, {}, {}]), () => true)).toEqual(['v1', 'v2', 'v3']);
});

test('a look at single versions is repeated where code asks for names', async () => {
  const source = takeoverVersion(1, 1).replace(
    'if (klp_get_prev_state(LEVEL_STATE))\n\t\treturn 0;',
    'if (find_module("other")) return -EBUSY;\n$&',
  );
  expect(askedAlone(await contextOf([{ source }, { source }]), () => false)).toEqual(['v1', 'v2']);
});
