/** One line of the table: a ratio measured in one run, and what it may be at most. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: string;
  readonly detail: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0;
}

/** Medians of milliseconds for several pieces of work, interleaved so that the machine's moods hit all alike. */
export function interleaved(rounds: number, works: readonly (() => void)[]): number[] {
  const times: number[][] = works.map(() => []);
  for (const work of works) work();
  for (let round = 0; round < rounds; round++) {
    works.forEach((work, index) => {
      const start = performance.now();
      work();
      times[index]?.push(performance.now() - start);
    });
  }
  return times.map(median);
}

export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    figure.value.toFixed(2),
    `${figure.limit} ${figure.unit}`.trim(),
    figure.value <= figure.limit ? 'holds' : 'DOES NOT HOLD',
    figure.detail,
  ]);
  const head = ['figure', 'measured', 'at most', '', 'detail'];
  const width = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(width[i] ?? 0)).join(' | ')} |`;
  return [line(head), `|${width.map((n) => '-'.repeat(n + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}
