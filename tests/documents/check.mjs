// Holds protocol/asyncapi.json and protocol/openapi.json against the specifications they follow, examples included.
// Whether they say the same as the code and the server is for the Rust tests.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Parser } from '@asyncapi/parser';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const published = (name) => path(`../../protocol/${name}`);

// Severities of the parser: 0 error, 1 warning. What is below is a remark, such as that the specification has a newer version.
const { document, diagnostics } = await new Parser().parse(readFileSync(published('asyncapi.json'), 'utf8'));
const wrong = diagnostics.filter((found) => found.severity <= 1);
for (const { message, path: place } of wrong) console.error(`asyncapi.json: ${place.join('.')}: ${message}`);
if (!document || wrong.length > 0) process.exit(1);
console.log(`asyncapi.json: ${document.allMessages().length} messages, ${document.allOperations().length} operations, valid`);

const lint = ['--config', path('redocly.yaml'), '--format', 'stylish', published('openapi.json')];
const linted = spawnSync(process.execPath, [path('node_modules/@redocly/cli/bin/cli.js'), 'lint', ...lint], {
  stdio: ['ignore', 'inherit', 'inherit'],
  // It neither calls home nor tells of newer versions of itself.
  env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
});
process.exit(linted.status ?? 1);
