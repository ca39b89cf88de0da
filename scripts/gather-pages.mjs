/**
 * Takes the rules' pages out of the rules while bundling and puts them beside each other: prose next to prose compresses
 * better than prose between code. A rule whose page is not written as one plain template literal keeps it.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const PAGE = /^ {2}page: (`(?:[^`\\$]|\\.|\$(?!\{))*`),$/m;

/** The text of a rule's file without its page, and the page as it is written there; null where there is none. */
export function withoutPage(text, name) {
  const page = PAGE.exec(text)?.[1];
  if (page === undefined) return null;
  return {
    page,
    text: `import { PAGES } from 'rule-pages';\n${text.replace(PAGE, () => `  page: PAGES.get(${JSON.stringify(name)}),`)}`,
  };
}

/** The esbuild plugin; `root` is the project's folder. */
export function gatherPages(root) {
  const folder = join(root, 'server/src/rules');
  return {
    name: 'gather-pages',
    setup({ onLoad, onResolve }) {
      onLoad({ filter: /[\\/]server[\\/]src[\\/]rules[\\/][\w-]+\.ts$/ }, ({ path }) => {
        const found = withoutPage(readFileSync(path, 'utf8'), basename(path, '.ts'));
        return found === null ? undefined : { contents: found.text, loader: 'ts' };
      });
      onResolve({ filter: /^rule-pages$/ }, ({ path }) => ({ path, namespace: 'rule-pages' }));
      onLoad({ filter: /./, namespace: 'rule-pages' }, () => {
        const pages = readdirSync(folder)
          .filter((file) => file.endsWith('.ts'))
          .sort()
          .flatMap((file) => {
            const name = basename(file, '.ts');
            const found = withoutPage(readFileSync(join(folder, file), 'utf8'), name);
            return found === null ? [] : [`[${JSON.stringify(name)}, ${found.page}]`];
          });
        // A map, since a minifier would put the members of an object back where they came from.
        return { contents: `export const PAGES = new Map([\n${pages.join(',\n')}\n]);`, loader: 'js' };
      });
    },
  };
}
