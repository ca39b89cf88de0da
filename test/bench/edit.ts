import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Disk, Overlay } from '../../server/src/host/files';
import { Project } from '../../server/src/host/project';
import { Units } from '../../server/src/host/units';
import { type Figure, median, percentile } from './measure';

const EDITS = 1_000;

/** A 100 KB version of the example's v2: its own code and many functions that nothing reaches. */
function largeSource(text: string): string {
  const filler: string[] = [];
  let size = text.length;
  for (let i = 0; size < 100_000; i++) {
    const body = `static int filler_${i}(int a, int b)\n{\n\tint sum = 0;\n\n\tfor (int i = 0; i < a; i++) {\n\t\tif (i % 3 == b)\n\t\t\tsum += i * b;\n\t\telse\n\t\t\tsum -= b;\n\t}\n\treturn sum;\n}\n\n`;
    filler.push(body);
    size += body.length;
  }
  const at = text.indexOf('static struct klp_func funcs[]');
  return text.slice(0, at) + filler.join('') + text.slice(at);
}

/** One-character edit to diagnostics against the full open of the same 100 KB file, isolated edits. */
export async function editFigures(root: string): Promise<Figure[]> {
  const folder = join(root, 'examples/net-fixes');
  const manifest = join(folder, 'livepatch.yaml');
  const path = join(folder, 'v2/livepatch_net_v2.c');
  const text = largeSource(readFileSync(path, 'utf8'));
  const open = (): { overlay: Overlay; project: Project; units: Units } => {
    const overlay = new Overlay(new Disk());
    const units = new Units(overlay);
    units.opened(path);
    overlay.set(path, 1, text);
    const project = new Project(manifest, root, overlay, units);
    project.analyse().findings();
    return { overlay, project, units };
  };
  for (let warm = 0; warm < 4; warm++) open().units.dispose();
  const opens: number[] = [];
  for (let i = 0; i < 15; i++) {
    const start = performance.now();
    const { units } = open();
    opens.push(performance.now() - start);
    units.dispose();
  }
  const { overlay, project, units } = open();
  const edits: number[] = [];
  let current = text;
  let version = 1;
  let ran = project.analyse().transitions.ran;
  const before = ran;
  for (let i = 0; i < EDITS; i++) {
    const at = current.indexOf(`sum += i * b`, (i * 331) % (current.length - 2_000));
    const place = at < 0 ? current.indexOf('sum += i * b') : at;
    current = `${current.slice(0, place + 4)}${i % 2 === 0 ? ' ' : ''}${current.slice(place + 4 + (i % 2 === 0 ? 0 : 1))}`;
    if (i % 2 === 1) current = text;
    const start = performance.now();
    overlay.set(path, ++version, current);
    project.analyse().findings();
    if (i >= 20) edits.push(performance.now() - start);
    // As messages come one by one.
    await new Promise((done) => setImmediate(done));
  }
  ran = project.analyse().transitions.ran - before;
  units.dispose();
  const full = median(opens);
  const edit = median(edits);
  const p99 = percentile(edits, 0.99);
  return [
    {
      name: 'edit to diagnostics, 100 KB',
      value: edit / full,
      limit: 0.3,
      unit: '× full open',
      detail: `${edit.toFixed(2)} ms / ${full.toFixed(2)} ms`,
    },
    {
      name: 'edit to diagnostics, 100 KB, p99',
      value: p99 / full,
      limit: 0.6,
      unit: '× full open',
      detail: `${p99.toFixed(2)} ms`,
    },
    { name: `runs after ${EDITS} edits no callback reaches`, value: ran, limit: 0, unit: '', detail: '' },
  ];
}
