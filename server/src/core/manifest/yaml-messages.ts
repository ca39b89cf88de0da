import type { ErrorCode } from 'yaml';

const MESSAGES: Partial<Record<ErrorCode, string>> = {
  TAB_AS_INDENT: 'YAML does not allow tabs as indentation: use spaces.',
  BLOCK_AS_IMPLICIT_KEY:
    'A colon followed by a blank starts a nested key here: put the value in quotes, or begin a new line.',
  MULTILINE_IMPLICIT_KEY: 'This key runs over several lines: is a colon missing, or the indentation wrong?',
  BLOCK_IN_FLOW: 'An indented block cannot stand inside [ ] or { }.',
  KEY_OVER_1024_CHARS: 'This key is longer than YAML allows (1024 characters).',
  BAD_DQ_ESCAPE: 'Unknown escape in double quotes: write "\\\\" for a backslash, or use single quotes.',
};

/**
 * What to say about an error of the YAML parser; null for those that are reported in another way already.
 * `message` is the parser's own and stands where this table has nothing better.
 */
export function syntaxMessage(code: ErrorCode, message: string): string | null {
  // Aliases, anchors and tags are refused as such, whether or not they resolve.
  if (
    code === 'BAD_ALIAS' ||
    code === 'ALIAS_PROPS' ||
    code === 'MULTIPLE_ANCHORS' ||
    code === 'MULTIPLE_TAGS'
  )
    return null;
  if (code === 'TAG_RESOLVE_FAILED' || code === 'BAD_DIRECTIVE' || code === 'MULTIPLE_DOCS') return null;
  if (code === 'MISSING_CHAR' && message.startsWith('Implicit map keys'))
    return 'A colon is missing after this key.';
  if (code === 'MISSING_CHAR' && message.startsWith('Missing closing "'))
    return 'The closing double quote is missing.';
  if (code === 'MISSING_CHAR' && message.startsWith("Missing closing '"))
    return 'The closing single quote is missing.';
  const own = MESSAGES[code];
  return own ?? `YAML: ${message.split('\n', 1)[0] ?? message}`;
}
