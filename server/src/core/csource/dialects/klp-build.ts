import type { Dialect, SourceFile } from './dialect';
import { isDiffs, readDiffs } from './diffs';

/** Diffs for scripts/livepatch/klp-build, which the kernel has since 6.19. */
export const klpBuildDialect: Dialect = {
  name: 'klp-build',
  recognises: (files, release) => isDiffs(files) && usesKlpBuild(files, release),
  read: (input) =>
    readDiffs(input, {
      macros: 'KLP',
      reversed: false,
      init: 'livepatch_mod_init',
      exit: 'livepatch_mod_exit',
      duplicate: 'each defines the same symbol, so the livepatch cannot be linked',
    }),
};

function usesKlpBuild(files: readonly SourceFile[], release: string): boolean {
  const texts = files.map((file) => file.text() ?? '');
  const own =
    /^\+.*(?:linux\/livepatch_helpers\.h|\bKLP_(?:(?:PRE|POST)_(?:UN)?PATCH_CALLBACK|STATIC_CALL|SYSCALL_DEFINE\d)\b)/m;
  if (texts.some((text) => own.test(text))) return true;
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  const has = Number(major) > 6 || (Number(major) === 6 && Number(minor) >= 19);
  return has && !texts.some((text) => /^\+.*(?:kpatch-|\bKPATCH_)/m.test(text));
}
