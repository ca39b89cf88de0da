/** How each role is painted, in tokens; a theme gives every token its colour. The page's theme is its CSS variables. */
import type { Role } from './scene';

export type Token =
  | 'bg'
  | 'fg'
  | 'muted'
  | 'border'
  | 'card'
  | 'accent'
  | 'accent-soft'
  | 'clean'
  | 'leaves'
  | 'leaves-soft'
  | 'unsafe'
  | 'unsafe-soft'
  | 'refused'
  | 'neutral-soft'
  | 'log';

export type Theme = Readonly<Record<Token, string>>;

export interface Paint {
  readonly fill?: Token;
  readonly stroke?: Token;
  readonly width?: number;
  readonly dash?: string;
}

const card = (stroke: Token, dash?: string): Paint =>
  dash === undefined ? { fill: 'card', stroke } : { fill: 'card', stroke, dash };

export const PAINTS: Readonly<Record<Role, Paint>> = {
  page: { fill: 'bg' },
  card: card('border'),
  'card-draft': card('border', '4 3'),
  'card-released': card('border'),
  'card-faulty': card('unsafe'),
  'card-withdrawn': card('border', '1 3'),
  'card-selected': { stroke: 'accent', width: 2 },
  'rail-draft': { stroke: 'accent', width: 4, dash: '6 4' },
  'rail-released': { stroke: 'accent', width: 4 },
  'rail-faulty': { stroke: 'unsafe', width: 4 },
  'rail-withdrawn': { stroke: 'muted', width: 4, dash: '1 3' },
  ground: { fill: 'bg', stroke: 'border', width: 2 },
  chip: { stroke: 'border' },
  'chip-effect': { stroke: 'leaves', dash: '3 2' },
  cell: { stroke: 'border' },
  'cell-selected': { stroke: 'accent', width: 2 },
  'verdict-clean': { fill: 'card', stroke: 'clean' },
  'verdict-leaves': { fill: 'card', stroke: 'leaves', dash: '6 3' },
  'verdict-unsafe': { fill: 'card', stroke: 'unsafe', width: 2 },
  'verdict-refused': { fill: 'card', stroke: 'refused', dash: '2 3' },
  rule: { stroke: 'border' },
  cursor: { fill: 'accent-soft' },
  'cursor-edge': { stroke: 'accent', width: 2 },
  log: { fill: 'log', stroke: 'border' },
  'log-current': { fill: 'accent-soft' },
  ran: { fill: 'clean', stroke: 'clean', width: 1.5 },
  absent: { fill: 'bg', stroke: 'muted', width: 1.5 },
  skipped: { fill: 'bg', stroke: 'unsafe', width: 1.5, dash: '3 2' },
  'old-code': { fill: 'neutral-soft', stroke: 'border' },
  mixed: { fill: 'accent-soft', stroke: 'border' },
  'new-code': { fill: 'accent-soft', stroke: 'accent' },
  owned: { fill: 'neutral-soft', stroke: 'border' },
  'no-owner': { fill: 'leaves-soft', stroke: 'leaves', dash: '4 2' },
  freed: { fill: 'unsafe-soft', stroke: 'unsafe', width: 2 },
  'in-memory': { fill: 'neutral-soft', stroke: 'border' },
  'arrow-clean': { stroke: 'clean', width: 1.5 },
  'arrow-leaves': { stroke: 'leaves', width: 2, dash: '5 3' },
  'arrow-unsafe': { stroke: 'unsafe', width: 3.5 },
  'arrow-refused': { stroke: 'refused', width: 2, dash: '2 3' },
  text: { fill: 'fg' },
  'text-muted': { fill: 'muted' },
  'text-accent': { fill: 'accent' },
  'text-clean': { fill: 'clean' },
  'text-leaves': { fill: 'leaves' },
  'text-unsafe': { fill: 'unsafe' },
  'text-refused': { fill: 'refused' },
};

export const LIGHT: Theme = {
  bg: '#ffffff',
  fg: '#1f2328',
  muted: '#59636e',
  border: '#c8ced6',
  card: '#f6f8fa',
  accent: '#0a5fc2',
  'accent-soft': '#d6e6fa',
  clean: '#1a7535',
  leaves: '#8a5a00',
  'leaves-soft': '#f7e8c8',
  unsafe: '#b3261e',
  'unsafe-soft': '#f9d9d5',
  refused: '#59636e',
  'neutral-soft': '#e4e8ec',
  log: '#f6f8fa',
};

export const DARK: Theme = {
  bg: '#1f1f1f',
  fg: '#d6d6d6',
  muted: '#a0a0a0',
  border: '#444444',
  card: '#272727',
  accent: '#5cb0ff',
  'accent-soft': '#16405f',
  clean: '#7fd18f',
  leaves: '#dfb45c',
  'leaves-soft': '#4a3a16',
  unsafe: '#f58b78',
  'unsafe-soft': '#5a2722',
  refused: '#b0b0b0',
  'neutral-soft': '#3b3b3b',
  log: '#181818',
};

/** For a page that defines `--k-TOKEN` itself. */
export const PAGE_THEME: Theme = Object.fromEntries(
  Object.keys(LIGHT).map((token) => [token, `var(--k-${token})`]),
) as Theme;
