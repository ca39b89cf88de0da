import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import {
  COMPARE_REQUEST,
  type CompareResult,
  INIT_REQUEST,
  type InitResult,
  REVISION_REQUEST,
  type RevisionResult,
  TRUSTED_NOTIFICATION,
} from '../../server/src/lsp/protocol';
import { GitRepository } from '../support/git-repository';
import { CAPABILITIES, TestClient } from './client';

const EXAMPLE = resolve(import.meta.dirname, '../../examples/net-fixes');
const V1 = readFileSync(join(EXAMPLE, 'v1/livepatch_net_v1.c'), 'utf8');
const V2 = readFileSync(join(EXAMPLE, 'v2/livepatch_net_v2.c'), 'utf8');
const MANIFEST = `lineage: l
kernel: "6.1"
versions:
  - { version: v1, module: lp_v1, git: { revision: rel/u1 }, sources: "*.c", status: released }
  - { version: v2, module: lp_v2, git: { revision: rel/u2 }, sources: "*.c", status: released }
`;

test('a repository is read once the workspace is trusted, and its revisions can be opened, hovered and compared', async () => {
  await GitRepository.with(async (repository) => {
    repository.write({ 'net.c': V1 });
    repository.commit('rel/u1');
    repository.write({ 'net.c': V2 });
    repository.commit('rel/u2');
    repository.write({ 'livepatch.yaml': MANIFEST });
    const client = new TestClient(repository.folder, CAPABILITIES, { trusted: false });
    try {
      await client.initialized;
      const manifest = pathToFileURL(repository.path('livepatch.yaml')).toString();
      const untrusted = await client.until(manifest, (list) => list.length > 0);
      expect(untrusted.map((it) => it.code)).toEqual(['manifest-invalid', 'manifest-invalid']);
      expect(untrusted[0]?.message).toContain('trust the workspace');
      const untold = await client.connection.sendRequest<InitResult>(INIT_REQUEST, {
        folder: pathToFileURL(repository.folder).toString(),
      });
      expect(untold).toMatchObject({ ok: false, reason: expect.stringContaining('livepatch.yaml is there') });

      await client.connection.sendNotification(TRUSTED_NOTIFICATION);
      await client.until(manifest, (list) => list.every((it) => it.code !== 'manifest-invalid'));
      const uri = client.history.map((it) => it.uri).find((it) => it.startsWith('livepatch-revision:')) ?? '';
      expect(uri).toMatch(/\/rel-u2\/net\.c\?%7B/);
      const found = await client.until(uri, (list) => list.length > 0);
      expect(found.map((it) => it.code)).toContain('unsafe-downgrade');

      // An editor spells URIs in its own way.
      const spelled = uri.replace('livepatch-revision:/', 'livepatch-revision:///').replaceAll('%3A', ':');
      for (const one of [uri, spelled]) {
        const answer = await client.connection.sendRequest<RevisionResult>(REVISION_REQUEST, { uri: one });
        expect(answer).toEqual({ text: V2 });
      }
      const other = uri.replace(/[0-9a-f]{40}/, 'a'.repeat(40));
      for (const one of [other, manifest, 'livepatch-revision:/x?{', 'livepatch-revision:/x'])
        expect(await client.connection.sendRequest(REVISION_REQUEST, { uri: one })).toBeNull();

      await client.connection.sendNotification('textDocument/didOpen', {
        textDocument: { uri, languageId: 'c', version: 1, text: V2 },
      });
      const at = V2.slice(0, V2.indexOf('debugfs_create_')).split('\n');
      const hover = await client.hover(uri, at.length - 1, (at[at.length - 1] ?? '').length + 2);
      expect(JSON.stringify(hover)).toContain('v2');
      const range = found[0]?.range ?? { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
      for (const action of await client.codeActions(uri, range))
        expect(JSON.stringify(action.edit ?? {})).not.toContain('revision:');

      const { pairs } = await client.connection.sendRequest<CompareResult>(COMPARE_REQUEST, { manifest });
      expect(pairs).toEqual([
        {
          from: 'v1',
          to: 'v2',
          files: [
            { name: 'net.c', before: expect.stringContaining('/rel-u1/net.c?'), after: uri, same: false },
          ],
        },
      ]);
    } finally {
      await client.close();
    }
  });
});
