import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createDatabase, hasPostgres } from '../support/postgres-cluster.ts';

const run = promisify(execFile);

test.for(hasPostgres ? ['files', 'PostgreSQL'] : ['files'])(
  'the demo prints what its traffic adds up to, on %s',
  async (engine) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'demo-'));
    const database = engine === 'files' ? undefined : await createDatabase();
    const env = { ...process.env, DATABASE_URL: database?.url };
    const command = ['bin/demo.js', '--once', '--data-dir', dataDir];
    const { stdout, stderr } = await run(process.execPath, command, { env });
    rmSync(dataDir, { recursive: true });
    await database?.drop();
    expect(stderr).toBe('');
    expect(stdout).toContain('Events received: 142, duplicates among them: 10, stored: 132');
    expect(stdout).toMatch(/alice +example-service +12\n/);
    expect(stdout).toMatch(/kong-air +flights-service +40\n/);
    expect(stdout).toMatch(/bob +example-service +25\n/);
    // 24, 25 and 55 requests at 0.10, LLM calls among them; 75 and 135 tokens at 0.002.
    expect(stdout).toMatch(/Alice +API requests +2\.4\n/);
    expect(stdout).toMatch(/Alice +total +2\.55 USD\n/);
    expect(stdout).toMatch(/Bob +total +2\.5 USD\n/);
    expect(stdout).toMatch(/Kong Air +total +5\.77 USD\n/);
    expect(stdout).toMatch(/Console +http:\/\/127\.0\.0\.1:\d+\n/);
    // 14 calls with 11 tokens of question and 4 of answer each.
    expect(stdout).toMatch(/gpt-4o-mini +request +154\n/);
    expect(stdout).toMatch(/gpt-4o-mini-2024 +response +56\n/);
  },
);
