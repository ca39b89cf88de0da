import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BUNDLED } from '../../scripts/audit.mjs';

/** The audit of the packages against a registry of the test's own: npm is the real one. */

async function audit(answer: RequestListener, ...args: string[]): Promise<{ said: string; status: unknown }> {
  const cache = mkdtempSync(join(tmpdir(), 'lineage-audit-'));
  const server = createServer(answer);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  try {
    const child = spawn(process.execPath, ['scripts/audit.mjs', ...args], {
      env: {
        ...process.env,
        npm_config_registry: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
        npm_config_fetch_retries: '0',
        // npm keeps what it was told of a hole.
        npm_config_cache: cache,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const status = await new Promise((done) => child.once('close', done));
    return { said, status };
  } finally {
    server.close();
    rmSync(cache, { recursive: true, force: true });
  }
}

/** A registry that knows these holes and nothing else. */
const knowing =
  (holes: Readonly<Record<string, string>>): RequestListener =>
  (request, response) => {
    const advisories = Object.entries(holes).map(([name, severity], id) => [
      name,
      [
        {
          id,
          url: `https://example.org/${id}`,
          title: `hole in ${name}`,
          severity,
          vulnerable_versions: '*',
        },
      ],
    ]);
    response.statusCode = request.url?.includes('advisories/bulk') ? 200 : 404;
    response.end(JSON.stringify(Object.fromEntries(advisories)));
  };

test('a registry that answers no audits is said in one line, and fails where it is required', async () => {
  const refusing: RequestListener = (_, response) => {
    response.statusCode = 405;
    response.end();
  };
  const { said, status } = await audit(refusing);
  expect(said).toMatch(/^audit: NOT DONE, known holes in \d+ packages were not looked up: 405 .*\n$/);
  expect(status).toBe(0);
  expect((await audit(refusing, '--required')).status).toBe(2);
}, 60_000);

test('holes count by where they are', async () => {
  const none = await audit(knowing({}));
  expect(none.said).toMatch(/^audit: \d+ packages, no hole that counts\n$/);
  expect(none.status).toBe(0);
  const small = await audit(knowing({ esbuild: 'moderate' }));
  expect(small.said).toContain(
    'audit: esbuild (development): moderate, does not count: hole in esbuild https://',
  );
  expect(small.status).toBe(0);
  const serious = await audit(knowing({ esbuild: 'high' }));
  expect(serious.said).toContain(
    'audit: esbuild (development): high: hole in esbuild https://example.org/0\n',
  );
  expect(serious.status).toBe(1);
  // Of what is bundled each counts, also deeper down.
  for (const name of ['yaml', 'vscode-jsonrpc']) {
    const ours = await audit(knowing({ [name]: 'low' }));
    expect(ours.said).toContain(`audit: ${name} (bundled): low: hole in ${name} https://`);
    expect(ours.status, name).toBe(1);
  }
}, 120_000);

test('what counts as bundled is what ARCHITECTURE.md names, and CI asks', () => {
  const page = readFileSync('ARCHITECTURE.md', 'utf8');
  const atRunTime = /At run time, bundled: ([\s\S]*?)For development/.exec(page)?.[1] ?? '';
  for (const name of BUNDLED) expect(atRunTime).toContain(`\`${name}\``);
  const named = [...atRunTime.matchAll(/`([\w@/-]+)`/g)].map(([, name]) => name);
  expect(
    named.filter((name) => /^(?:vscode-language|web-tree|tree-sitter|yaml)/.test(name ?? '')).sort(),
  ).toEqual([...BUNDLED].sort());
  expect(readFileSync('.ci/run', 'utf8')).toMatch(/^node scripts\/audit\.mjs$/m);
});
