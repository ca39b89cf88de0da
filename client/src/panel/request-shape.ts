/** Is this a request of the page? Lengths are bounded: what is longer was not made by our page. */
import type { PanelRequest, PanelSource } from '../../../server/src/features/panel-model';
import { isCount, isOneOf, isText, listOf, orNull, record, type Shape } from '../../webview/shape';

const LONGEST_NAME = 20_000;
const LONGEST_PICTURE = 2 ** 28;
const MOST_ARGUMENTS = 100;

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_NAME;
}

const isNames = listOf(isName);
const isArguments: Shape<readonly string[]> = (value): value is readonly string[] =>
  isNames(value) && value.length <= MOST_ARGUMENTS;

/** Lines and columns count from 1. */
function isPosition(value: unknown): value is number {
  return isCount(value) && value >= 1;
}

type Request<T extends PanelRequest['type']> = Extract<PanelRequest, { type: T }>;

const isReady = record<Request<'ready'>>({ type: isOneOf('ready') });
const isSelect = record<Request<'select'>>({ type: isOneOf('select'), from: isName, to: isName });
const isOpen = record<Request<'open'>>({
  type: isOneOf('open'),
  source: record<PanelSource>({ uri: isName, line: isPosition, column: isPosition }),
});
const isAction = record<Request<'action'>>({
  type: isOneOf('action'),
  command: isName,
  arguments: isArguments,
});
const isExported = record<Request<'exported'>>({
  type: isOneOf('exported'),
  format: isOneOf('svg', 'png'),
  data: orNull((value): value is string => isText(value) && value.length <= LONGEST_PICTURE),
});

export function isPanelRequest(value: unknown): value is PanelRequest {
  return isExported(value) || isReady(value) || isSelect(value) || isOpen(value) || isAction(value);
}
