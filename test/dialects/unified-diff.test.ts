import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readUnifiedDiff } from '../../server/src/core/csource/dialects/unified-diff';

/** What was read, with the texts of the lines and their marks. */
function shown(text: string): unknown {
  const { files, problems } = readUnifiedDiff(text);
  return {
    files: files.map(({ from, to, hunks }) => ({
      from,
      to,
      hunks: hunks.map(({ oldStart, newStart, heading, lines }) => ({
        at: [oldStart, newStart],
        heading,
        lines: lines.map(({ kind, start, end }) => `${kind[0]}:${text.slice(start, end)}`),
      })),
    })),
    problems: problems.map(({ message }) => message),
  };
}

const GIT = `From 0123 Mon Sep 17 00:00:00 2001
Subject: [PATCH 1/2] net: count

--- a line of the message that begins like a header
@@ nor is this one

Signed-off-by: A Person <a@example.com>
---
 net/core/dev.c | 3 ++-
 1 file changed, 2 insertions(+), 1 deletion(-)

diff --git a/net/core/dev.c b/net/core/dev.c
index 1111111..2222222 100644
--- a/net/core/dev.c
+++ b/net/core/dev.c
@@ -10,3 +10,4 @@ static int dev_open(struct net_device *dev)
 \tint err;
-\terr = 0;
+\terr = 1;
+\tcount++;
${' '}
--${' '}
2.39.5

`;

test('a mail of git format-patch', () => {
  expect(shown(GIT)).toEqual({
    files: [
      {
        from: 'net/core/dev.c',
        to: 'net/core/dev.c',
        hunks: [
          {
            at: [10, 10],
            heading: 'static int dev_open(struct net_device *dev)',
            lines: ['c:\tint err;', 'r:\terr = 0;', 'a:\terr = 1;', 'a:\tcount++;', 'c:'],
          },
        ],
      },
    ],
    problems: [],
  });
});

test('line breaks of two characters', () => {
  const { files } = readUnifiedDiff(GIT.replaceAll('\n', '\r\n'));
  const lines = files[0]?.hunks[0]?.lines ?? [];
  expect(lines).toHaveLength(5);
  const text = GIT.replaceAll('\n', '\r\n');
  expect(lines.map(({ start, end }) => text.slice(start, end))).toEqual([
    '\tint err;',
    '\terr = 0;',
    '\terr = 1;',
    '\tcount++;',
    '',
  ]);
});

test('diff -u, with times, folders of two trees and one line a side', () => {
  const text = `--- linux-6.1.orig/fs/exec.c\t2024-01-02 03:04:05.000000000 +0000
+++ linux-6.1/fs/exec.c\t2024-01-02 03:05:06.000000000 +0000
@@ -7 +7 @@
-int a;
+int b;
`;
  expect(shown(text)).toEqual({
    files: [
      {
        from: 'fs/exec.c',
        to: 'fs/exec.c',
        hunks: [{ at: [7, 7], heading: '', lines: ['r:int a;', 'a:int b;'] }],
      },
    ],
    problems: [],
  });
});

test.each([
  ['a/fs/a.c', 'fs/a.c'],
  ['linux/fs/a.c', 'fs/a.c'],
  ['./linux/fs/a.c', 'fs/a.c'],
  ['fs/a.c', 'fs/a.c'],
  ['"a/fs/\\303\\244\\".c"', 'fs/ä".c'],
])('the path %s is %s in the kernel tree', (written, path) => {
  const text = `--- ${written}\n+++ ${written}\n@@ -1 +1 @@\n-a\n+b\n`;
  expect(readUnifiedDiff(text).files.map(({ to }) => to)).toEqual([path]);
});

test('new, deleted and renamed files, and no line break at the end', () => {
  const text = `diff --git a/fs/new.c b/fs/new.c
new file mode 100644
index 0000000..1111111
--- /dev/null
+++ b/fs/new.c
@@ -0,0 +1,2 @@
+int a;
+int b;
\\ No newline at end of file
diff --git a/fs/old.c b/fs/old.c
deleted file mode 100644
--- a/fs/old.c
+++ /dev/null
@@ -1 +0,0 @@
-int c;
\\ No newline at end of file
diff --git a/fs/x.c b/fs/y.c
similarity index 90%
rename from fs/x.c
rename to fs/y.c
--- a/fs/x.c
+++ b/fs/y.c
@@ -3 +3 @@ int f(void)
-\ta();
+\tb();
diff --git a/fs/p.c b/fs/q.c
similarity index 100%
rename from fs/p.c
rename to fs/q.c
`;
  const { files, problems } = readUnifiedDiff(text);
  expect(problems).toEqual([]);
  expect(files.map(({ from, to, hunks }) => [from, to, hunks.length])).toEqual([
    [null, 'fs/new.c', 1],
    ['fs/old.c', null, 1],
    ['fs/x.c', 'fs/y.c', 1],
    ['fs/p.c', 'fs/q.c', 0],
  ]);
  expect(files[0]?.hunks[0]?.newStart).toBe(1);
});

test('lines that look like headers inside a hunk are its lines', () => {
  const text = `--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1,2 +1,2 @@\n--- a comment of SQL\n+++ i;\n x\n`;
  expect(shown(text)).toMatchObject({
    files: [{ hunks: [{ lines: ['r:-- a comment of SQL', 'a:++ i;', 'c:x'] }] }],
    problems: [],
  });
});

test('an empty line of context that lost its blank', () => {
  const text = `--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n`;
  expect(shown(text)).toMatchObject({ files: [{ hunks: [{ lines: ['c:a', 'c:', 'r:b', 'a:c'] }] }] });
});

test('a hunk that does not hold what its header says', () => {
  const short = `--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1,9 +1,9 @@\n a\ndiff --git a/fs/b.c b/fs/b.c\n--- a/fs/b.c\n+++ b/fs/b.c\n@@ -1 +1 @@\n-a\n+b\n`;
  expect(readUnifiedDiff(short).problems.map(({ message }) => message)).toEqual([
    expect.stringContaining('shorter'),
  ]);
  expect(readUnifiedDiff(short).files).toHaveLength(2);
  const long = `--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1 +1 @@\n-a\n+b\n+c\n`;
  expect(readUnifiedDiff(long).problems.map(({ message }) => message)).toEqual([
    expect.stringContaining('goes on'),
  ]);
});

const PIECES = [
  '--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1,2 +1,3 @@ int f(void)\n a\n+b\n',
  '--- a/fs/a.c\r\n+++ b/fs/a.c\r\n@@ -7,3 +7,2 @@\r\n a\r\n-b\r\n c\r\n',
  '--- a/fs/a.c\n',
  '+++ b/fs/a.c\n',
  'diff --git a/x b/x\n',
  'rename from x\n',
  'rename to y\n',
  '@@ -1,2 +1,3 @@ int f(void)\n',
  '@@ -1 +1 @@\n',
  '@@ -999999999,999999999 +1,0 @@\r\n',
  ' context\n',
  '+added {\n',
  '-removed\n',
  '\\ No newline at end of file\n',
  '\n',
  '\r\n',
  '+',
  '"',
];

test('any text is read, and every stretch lies in it', () => {
  const texts = fc.oneof(
    fc
      .array(fc.oneof(fc.constantFrom(...PIECES), fc.string()), { maxLength: 40 })
      .map((parts) => parts.join('')),
    fc.string({ maxLength: 300, unit: 'binary' }),
  );
  let hunks = 0;
  fc.assert(
    fc.property(texts, (text) => {
      for (const file of readUnifiedDiff(text).files) {
        expect(file.place.end).toBeLessThanOrEqual(text.length);
        for (const { lines } of file.hunks) {
          hunks++;
          for (const { start, end } of lines) {
            expect(start).toBeLessThanOrEqual(end);
            expect(end).toBeLessThanOrEqual(text.length);
            expect(text.slice(start, end)).not.toMatch(/[\n]/);
          }
        }
      }
    }),
    { numRuns: 1_000 },
  );
  expect(hunks).toBeGreaterThan(50);
});

test.each([
  ['many hunks', '@@ -1,3 +1,4 @@ int f(void)\n a\n+b\n c\n d\n'],
  ['hunks that never end', '@@ -1,999999999 +1,999999999 @@\n'],
  ['headers', '--- a/fs/a.c\n+++ b/fs/a.c\n'],
  ['names of files', 'rename from a\nrename to b\n'],
  ['one long line', '+'],
  ['at signs', '@@ '],
  ['a quoted path', '--- "\\303'],
  ['line breaks', '\r\n'],
])('two million characters of %s take no longer than they must', (_, piece) => {
  const text = `--- a/fs/a.c\n+++ b/fs/a.c\n${piece.repeat(2_000_000 / piece.length)}`;
  const start = performance.now();
  readUnifiedDiff(text);
  // A reader that looks again and again at the same text needs minutes.
  expect(performance.now() - start).toBeLessThan(5_000);
});
