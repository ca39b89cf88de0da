import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect } from 'vitest';
import { parseManifest } from '../../server/src/core/manifest/parse';

/** The published schema. */
export const schema = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../schemas/livepatch-manifest.schema.json'), 'utf8'),
);
const validate = new Ajv({ allErrors: false, strictTypes: false, allowUnionTypes: true }).compile(schema);

/** What only the reader can see: what one part of a manifest says about another, and names that need a list. */
const PARSER_ONLY = [
  /^Two (?:versions|modules|targets|scenarios) are called/,
  /is the name of a (?:version|module|target) here/,
  /names (?:a newer version|the version itself)/,
  /no version is called/,
  /No version, module or target is called/,
  /stands in `has` and in `lacks`/,
  /^"-?E[A-Z0-9]+" is not an errno/,
];

function readerAccepts(text: string): { accepts: boolean; said: string[] } {
  const errors = parseManifest('f', text).problems.filter((p) => p.severity === 'error');
  const said = errors
    .map((p) => p.message)
    .filter((message) => !PARSER_ONLY.some((only) => only.test(message)));
  return { accepts: said.length === 0, said };
}

/** Whether both accept a document, given as text and as value; fails where they differ. */
export function expectAgreement(text: string, value: unknown): boolean {
  const accepted = validate(value);
  const { accepts, said } = readerAccepts(text);
  const detail = `${text}\nschema: ${JSON.stringify(validate.errors?.slice(0, 3))}\nreader: ${said.join(' | ')}`;
  expect(accepts, detail).toBe(accepted);
  return accepted;
}
