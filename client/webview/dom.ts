/** Making elements without markup: text goes in as text, so that no name can become an element. */
import type { PanelSource } from '../../server/src/features/panel-model';
import type { Drawing } from './drawing';
import type { SceneTarget } from './scene';
import { shown } from './shown-text';

const SVG = 'http://www.w3.org/2000/svg';

type Child = Node | string;

/** An element with attributes and children. An attribute that is `false` is left out, `true` is empty. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number | boolean>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== false) node.setAttribute(name, value === true ? '' : String(value));
  node.append(...children);
  return node;
}

/** A button that runs `act`. */
export function button(
  label: string,
  act: () => void,
  attributes: Readonly<Record<string, string | number | boolean>> = {},
): HTMLButtonElement {
  const node = element('button', { type: 'button', ...attributes }, label);
  node.addEventListener('click', act);
  return node;
}

/** A name that other people chose: a button that opens its source, or plain text where that is not known. */
export function sourceLink(
  name: string,
  source: PanelSource | null,
  open: (source: PanelSource) => void,
  className = '',
): HTMLElement {
  if (source === null) return element('span', { class: className }, shown(name));
  const attributes = { class: `link ${className}`.trim(), title: 'Open source' };
  return button(shown(name), () => open(source), attributes);
}

/** `value` as the attribute, if it is not that already: an update touches only what changed. */
export function put(node: Element, name: string, value: string | null): void {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export function putText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** SVG elements of a drawing; what can be clicked is given to `bind`. */
export function svgElement(
  drawing: Drawing,
  bind?: (node: SVGElement, target: SceneTarget, name: string) => void,
): SVGElement {
  const node = document.createElementNS(SVG, drawing.tag);
  for (const [name, value] of Object.entries(drawing.attributes))
    if (name !== 'xmlns') node.setAttribute(name, value);
  if (drawing.name !== undefined && drawing.name !== drawing.text) {
    const title = document.createElementNS(SVG, 'title');
    title.textContent = drawing.name;
    node.append(title);
  }
  if (drawing.text !== undefined) node.append(drawing.text);
  for (const child of drawing.children ?? []) node.append(svgElement(child, bind));
  if (drawing.target !== undefined) bind?.(node, drawing.target, drawing.name ?? drawing.text ?? '');
  return node;
}

/**
 * Scrolls `box`, and nothing around it, just so far that `node` is in view; `head` and `side` are the pixels that
 * sticky headers cover.
 */
export function revealIn(box: Element, node: Element, head = 4, side = 4): void {
  const view = box.getBoundingClientRect();
  const at = node.getBoundingClientRect();
  if (at.top < view.top + head) box.scrollTop -= view.top + head - at.top;
  else if (at.bottom > view.bottom - 4)
    box.scrollTop += Math.min(at.bottom - view.bottom + 4, at.top - view.top - head);
  if (at.left < view.left + side) box.scrollLeft -= view.left + side - at.left;
  else if (at.right > view.right - 4) box.scrollLeft += at.right - view.right + 4;
}

/** `text` with what stands between back quotes as code. */
export function prose(text: string): Node[] {
  return text
    .split('`')
    .map((part, i) => (i % 2 === 1 ? element('code', {}, part) : document.createTextNode(part)));
}
