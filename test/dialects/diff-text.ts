/** One hunk of a diff: lines with their marks, counted here. */
export interface HunkText {
  /** Line at which it begins, the same on both sides unless `to` says otherwise. */
  readonly at: number;
  readonly to?: number;
  readonly heading?: string;
  /** Lines with ' ', '+' or '-' in front. */
  readonly lines: string;
}

/** A diff of one file in the form of git. */
export function diffOf(path: string, ...hunks: readonly HunkText[]): string {
  const texts = hunks.map(({ at, to = at, heading = '', lines }) => {
    const list = lines.replace(/^\n|\n$/g, '').split('\n');
    const count = (mark: string): number => list.filter((line) => !line.startsWith(mark)).length;
    return `@@ -${at},${count('+')} +${to},${count('-')} @@${heading === '' ? '' : ` ${heading}`}\n${list.join('\n')}\n`;
  });
  return `diff --git a/${path} b/${path}\nindex 1111111..2222222 100644\n--- a/${path}\n+++ b/${path}\n${texts.join('')}`;
}

/** A diff that adds C behind the last function of a file. */
export function appended(path: string, code: string, at = 400): string {
  const added = code
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `+${line}`)
    .join('\n');
  return diffOf(path, { at, heading: 'static int last_one(void)', lines: ` \treturn 0;\n }\n \n${added}` });
}

/** A diff that changes a function, shown in part. */
export function changed(path: string, name: string, at = 100): string {
  return diffOf(path, {
    at,
    heading: `static int ${name}(int n)`,
    lines: ` \tint err;\n \n-\tif (n < 0)\n+\tif (n <= 0)\n \t\treturn -EINVAL;\n \n \terr = 0;`,
  });
}
