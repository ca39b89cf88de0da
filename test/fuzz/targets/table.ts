import { readPatchedFuncs } from '../../../server/src/core/csource/dialects/patched-funcs';
import { fix, manifest, replacement, TEMPLATE } from '../../suse/tree';
import { mutated } from '../mutate';
import { mustLieIn, type Target, WHOLE } from '../target';
import { readOrCheck } from './whole';

const ROWS =
  '# object old new condition\nvmlinux do_one klpp_do_one\nnet_mod two,2 klpp_two IS_ENABLED(CONFIG_NET_MOD)\nblk_mod\tthree\tklpp_three\tdefined(CONFIG_A) && CONFIG_A > 1\n';
const TABLE_WORDS = [
  'vmlinux ',
  ' klpp_x ',
  ',1',
  ',99999999999',
  ' IS_ENABLED(CONFIG_X)',
  ' #if',
  ' 1 ? 2 :',
  '\t',
  '../x ',
  '__SYSCALL(a,b)',
  '\n',
];

/** Tables of patched functions in a tree of SUSE. */
export const table: Target = {
  name: 'table',
  least: 100,
  long: 8_000,
  generate: (random) => ({
    'livepatch.yaml': manifest(['released', 'draft']),
    'v1/livepatch_main.c':
      random.below(4) === 0
        ? mutated(random, TEMPLATE, ['@@KLP_PATCHES_OBJS@@', '@@', '@@KLP_PATCHES_INIT_CALLS@@'])
        : TEMPLATE,
    'v2/livepatch_main.c': TEMPLATE,
    [WHOLE]: random.below(40) === 0 ? 'yes' : '',
    ...fix('v1/', 'bsc1', {
      rows: mutated(random, ROWS, TABLE_WORDS),
      body: replacement('do_one') + replacement('two'),
    }),
    ...fix('v2/', 'bsc1', {
      rows: random.below(2) === 0 ? ROWS : mutated(random, ROWS, TABLE_WORDS),
      body: replacement('three'),
    }),
    ...fix('v2/', 'bsc2', { rows: mutated(random, ROWS, TABLE_WORDS), body: replacement('three') }),
  }),
  run: (input) => {
    for (const [name, text] of Object.entries(input)) {
      if (!name.endsWith('.csv')) continue;
      const { rows, problems } = readPatchedFuncs(text);
      for (const { place } of [...rows, ...problems]) mustLieIn(place, text);
    }
    readOrCheck(input);
  },
};
