import diagnostics from 'node:diagnostics_channel';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { downloadModel, loadModel, loadTokenizer } from '../../src/index.js';
import { golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { filesOf, hubHash, HubServer, serve, setHubEnvironment, type Fault } from '../support/hub-server.js';

const id = 'org/model';
const weights = 'model.safetensors';
/** Larger than what one read of a socket brings. */
const large = Buffer.alloc(3 << 20, 'weights ');

interface Place {
  readonly server: HubServer;
  readonly cacheDir: string;
  readonly blob: string;
}

/** Runs with a server whose weights are `large`, and an empty cache. They are no safetensors: nothing here reads them. */
async function withHub(body: (place: Place) => Promise<void>, variables: Readonly<Record<string, string>> = {}): Promise<void> {
  const server = await HubServer.start(id, filesOf(golden('sentence', 'normalize')));
  server.files.set(weights, large);
  const home = temporaryFolder();
  setHubEnvironment({ HF_HOME: home, HF_ENDPOINT: server.endpoint, ...variables });
  const cacheDir = path.join(home, 'hub');
  try {
    await body({ server, cacheDir, blob: path.join(cacheDir, 'models--org--model', 'blobs', hubHash(large, true)) });
  } finally {
    await server.stop();
  }
}

/** A fault that meets requests for one file, the first `times` of them. */
function onFile(file: string, times: number, fault: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void): Fault {
  let left = times;
  return (request, response, body) => {
    // The hub redirects to the store: the fault is the store's.
    const isMeant = request.url!.startsWith(`/${file}`) || (file !== weights && request.url!.endsWith(`/${file}`));
    if (!isMeant || left-- <= 0) return false;
    fault(request, response, body);
    return true;
  };
}

function cutAt(bytes: number) {
  return (_: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, bytes), () => setTimeout(() => response.destroy(), 300));
  };
}

/** A broken connection may cost what was received but not yet read: the next request asks for no more than was sent, and not for all. */
function assertWentOn(range: string | undefined, sent: number): void {
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]);
  assert.ok(from > 0 && from <= sent, `${range} after ${sent} bytes`);
}

const incompletes = (blob: string): string[] => readdirSync(path.dirname(blob)).filter((name) => name.endsWith('.incomplete'));
const download = (): Promise<unknown> => downloadModel(id);
const t = suite('hub faults');

for (const [what, status, reason, code, hint] of [
  ['a repository that does not exist', 401, 'RepoNotFound', 'HUB_NOT_FOUND', /spelling/],
  ['404', 404, undefined, 'HUB_NOT_FOUND', /spelling/],
  ['a revision that does not exist', 404, 'RevisionNotFound', 'HUB_NOT_FOUND', /revision/],
  ['401', 401, undefined, 'HUB_UNAUTHORIZED', /HF_TOKEN/],
  ['403', 403, undefined, 'HUB_UNAUTHORIZED', /HF_TOKEN/],
  ['a gated repository', 403, 'GatedRepo', 'HUB_UNAUTHORIZED', /access on http.*org\/model/],
  ['418', 418, undefined, 'HUB_HTTP', /418/],
] as const) {
  t(`tells ${what} as ${code}, without another try`, () =>
    withHub(async ({ server }) => {
      server.fault = (_, response) =>
        response.writeHead(status, reason === undefined ? {} : { 'x-error-code': reason }).end() !== undefined;
      const error = await rejection(download);
      assert.is(error.code, code);
      assert.match(error.message, hint);
      assert.is(server.seen.length, 1);
    }),
  );
}

t('tells a gated file, and loads it with the token', () =>
  withHub(async ({ server }) => {
    server.token = 'hf_secret';
    assert.is((await rejection(download)).code, 'HUB_UNAUTHORIZED');
    const { code, message } = await rejection(() => downloadModel(id, { token: 'hf_wrong' }));
    assert.is(code, 'HUB_UNAUTHORIZED');
    assert.not.match(message, 'hf_wrong');
    await downloadModel(id, { token: 'hf_secret' });
  }),
);

t('takes the token from HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH or HF_HOME, unless told not to', () =>
  withHub(async ({ server }) => {
    server.token = 'hf_secret';
    const home = process.env['HF_HOME']!;
    const file = path.join(home, 'elsewhere');
    writeFileSync(file, 'hf_secret\n');
    for (const variables of [{ HF_TOKEN: ' hf_secret\n' }, { HUGGING_FACE_HUB_TOKEN: 'hf_secret' }, { HF_TOKEN_PATH: file }]) {
      setHubEnvironment({ HF_HOME: temporaryFolder(), HF_ENDPOINT: server.endpoint, ...variables });
      await loadTokenizer(id);
    }
    writeFileSync(path.join(home, 'token'), 'hf_secret\n');
    setHubEnvironment({ HF_HOME: home, HF_ENDPOINT: server.endpoint, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' });
    assert.is((await rejection(() => loadTokenizer(id))).code, 'HUB_UNAUTHORIZED');
    delete process.env['HF_HUB_DISABLE_IMPLICIT_TOKEN'];
    await loadTokenizer(id);
  }),
);

t('never sends the token to another host, nor back again after one', () =>
  withHub(async ({ server }) => {
    server.token = 'hf_secret';
    process.env['HF_TOKEN'] = 'hf_secret';
    const back = `${server.endpoint}/${id}/resolve/back`;
    server.fault = (request, response, body) => {
      if (request.url!.startsWith(`/${weights}`)) return response.writeHead(302, { location: back }).end() !== undefined;
      if (!request.url!.endsWith('/back')) return false;
      serve(request, response, large);
      return body.length === 0;
    };
    await download();
    assert.equal(
      server.seenByStore.map(({ authorization }) => authorization),
      [undefined],
    );
    const [last, ...others] = server.seen.toReversed();
    assert.equal([last!.url, last!.authorization], [`/${id}/resolve/back`, undefined]);
    assert.ok(others.every(({ authorization }) => authorization === 'Bearer hf_secret'));
  }),
);

t('follows a renamed repository, with the token, on the same host', () =>
  withHub(async ({ server }) => {
    server.token = 'hf_secret';
    process.env['HF_TOKEN'] = 'hf_secret';
    server.fault = (request, response) => {
      if (!request.url!.includes('old')) return false;
      return response.writeHead(307, { location: request.url!.replace('old', id) }).end() !== undefined;
    };
    await loadTokenizer('old');
    assert.ok(existsSync(path.join(process.env['HF_HOME']!, 'hub', 'models--old', 'refs', 'main')));
  }),
);

for (const [what, location] of [
  ['to a file', 'file:///etc/passwd'],
  ['to nowhere', 'http://'],
  ['in circles', `/model.safetensors`],
] as const) {
  t(`refuses a redirect ${what}`, () =>
    withHub(async ({ server }) => {
      server.fault = onFile(weights, Infinity, (_, response) => response.writeHead(302, { location }).end());
      const { code, message } = await rejection(download);
      assert.is(code, 'HUB_HTTP');
      assert.match(message, /redirect/);
      assert.not.match(message, 'secret');
    }),
  );
}

for (const status of [500, 503, 429, 408]) {
  t(`tries again after ${status}`, () =>
    withHub(async ({ server, blob }) => {
      let failures = 2;
      server.fault = (_, response) => failures-- > 0 && response.writeHead(status, { 'retry-after': '0' }).end() !== undefined;
      await download();
      assert.equal(readFileSync(blob), large);
    }),
  );
}

t("gives up when a server's error does not pass", () =>
  withHub(async ({ server }) => {
    server.fault = (_, response) => response.writeHead(502).end() !== undefined;
    const { code, message } = await rejection(download);
    assert.is(code, 'HUB_HTTP');
    assert.match(message, /502/);
    assert.is(server.seen.length, 5);
  }),
);

t('does not wait for a server that asks for an hour', () =>
  withHub(async ({ server }) => {
    server.fault = (_, response) => response.writeHead(429, { 'retry-after': '3600' }).end() !== undefined;
    assert.is((await rejection(download)).code, 'HUB_HTTP');
    assert.is(server.seen.length, 1);
  }),
);

t('goes on by Range where a body was cut off', () =>
  withHub(async ({ server, blob }) => {
    server.fault = onFile(weights, 1, cutAt(1 << 20));
    await download();
    assert.equal(readFileSync(blob), large);
    const [first, second, ...others] = server.seenByStore.map(({ range }) => range);
    assert.equal([first, others], [undefined, []]);
    assertWentOn(second, 1 << 20);
    assert.equal(incompletes(blob), []);
  }),
);

t('goes on in the next download where one has failed for good', () =>
  withHub(async ({ server, blob, cacheDir }) => {
    server.fault = (request, response, body) => {
      if (!request.url!.startsWith(`/${weights}`)) return false;
      if (request.headers.range === undefined) cutAt(2 << 20)(request, response, body);
      else response.writeHead(500).end();
      return true;
    };
    assert.is((await rejection(download)).code, 'HUB_HTTP');
    assert.is(incompletes(blob).length, 1);
    assert.not.ok(existsSync(blob));
    assert.not.ok(existsSync(path.join(cacheDir, 'models--org--model', 'refs', 'main')));
    server.fault = () => false;
    await download();
    assertWentOn(server.seenByStore.at(-1)!.range, 2 << 20);
    assert.equal(readFileSync(blob), large);
    assert.equal(incompletes(blob), []);
  }),
);

t('begins anew where the piece left behind is damaged', () =>
  withHub(async ({ server, blob }) => {
    await loadTokenizer(id);
    writeFileSync(`${blob}.0123abcd.incomplete`, Buffer.alloc(1 << 20));
    await download();
    assert.equal(readFileSync(blob), large);
    assert.equal(
      server.seenByStore.map(({ range }) => range),
      [`bytes=${1 << 20}-`, undefined],
    );
  }),
);

t('begins anew where the server ignores Range', () =>
  withHub(async ({ server, blob }) => {
    let requests = 0;
    server.fault = onFile(weights, 2, (request, response, body) => {
      if (requests++ === 0) cutAt(1 << 20)(request, response, body);
      else response.end(body);
    });
    await download();
    assert.equal(readFileSync(blob), large);
  }),
);

t('refuses another part than was asked for', () =>
  withHub(async ({ server, blob }) => {
    let requests = 0;
    server.fault = onFile(weights, Infinity, (request, response, body) => {
      if (requests++ === 0) return cutAt(1 << 20)(request, response, body);
      response.writeHead(206, { 'content-range': `bytes 5-${body.length - 1}/${body.length}` }).end(body.subarray(5));
    });
    assert.is((await rejection(download)).code, 'HUB_HTTP');
    assert.not.ok(existsSync(blob));
  }),
);

for (const file of [weights, 'tokenizer.json']) {
  t(`refuses ${file} with a wrong hash, and keeps nothing of it`, () =>
    withHub(async ({ server, blob }) => {
      const wrong = (body: Buffer): Buffer => Buffer.concat([body.subarray(0, -1), Buffer.from('!')]);
      server.fault = onFile(file, Infinity, (_, response, body) => response.end(wrong(body)));
      const { code, message } = await rejection(download);
      assert.is(code, 'HUB_CHECKSUM');
      assert.match(message, file);
      assert.not.ok(existsSync(blob));
      assert.equal(incompletes(blob), []);
      server.fault = () => false;
      await download();
      assert.equal(readFileSync(blob), large);
    }),
  );
}

t('fetches a file again whose content was damaged once on its way', () =>
  withHub(async ({ server, blob }) => {
    server.fault = onFile(weights, 1, (_, response, body) => response.end(Buffer.alloc(body.length)));
    await download();
    assert.equal(readFileSync(blob), large);
  }),
);

t('refuses a body that does not end', () =>
  withHub(async ({ server, blob }) => {
    server.fault = onFile(weights, Infinity, (_, response, body) => {
      const more = (): void => void (response.write(body) ? setImmediate(more) : response.once('drain', more));
      more();
    });
    const { code, message } = await rejection(download);
    assert.is(code, 'HUB_HTTP');
    assert.match(message, /more than/);
    assert.not.ok(existsSync(blob));
  }),
);

for (const [what, fault] of [
  ['does not answer', () => undefined],
  [
    'falls silent in a body',
    (_: IncomingMessage, response: ServerResponse, body: Buffer) => response.writeHead(200).write(body.subarray(0, 9)),
  ],
] as const) {
  t(`gives up on a server that ${what}`, () =>
    withHub(
      async ({ server }) => {
        server.fault = onFile(weights, Infinity, fault);
        // Counted where they are sent: on a busy machine an attempt may end before a server has seen it.
        let attempts = 0;
        const count = (event: unknown): void => {
          const { path: asked } = (event as { request: ClientRequest }).request;
          if (asked.includes('/resolve/') && asked.endsWith(weights)) attempts++;
        };
        diagnostics.subscribe('http.client.request.start', count);
        const { code, message } = await rejection(download).finally(() => diagnostics.unsubscribe('http.client.request.start', count));
        assert.is(code, 'HUB_UNREACHABLE');
        assert.match(message, /nothing for 200 ms/);
        assert.is(attempts, 5);
      },
      { HF_HUB_DOWNLOAD_TIMEOUT: '0.2' },
    ),
  );
}

t('waits for a server that is slow but steady, longer than the timeout', () =>
  withHub(
    async ({ server, blob }) => {
      server.fault = onFile(weights, 1, (_, response, body) => {
        let sent = 0;
        const timer = setInterval(() => {
          response.write(body.subarray(sent, (sent += body.length / 8)));
          if (sent >= body.length) response.end(() => clearInterval(timer));
        }, 250);
      });
      await download();
      assert.equal(readFileSync(blob), large);
      assert.is(server.seenByStore.length, 1);
    },
    { HF_HUB_DOWNLOAD_TIMEOUT: '1.5' },
  ),
);

t('tells a connection that is refused, with a remedy', async () => {
  setHubEnvironment({ HF_HOME: temporaryFolder(), HF_ENDPOINT: 'http://127.0.0.1:1' });
  const { code, message } = await rejection(download);
  assert.is(code, 'HUB_UNREACHABLE');
  assert.match(message, /ECONNREFUSED/);
  assert.match(message, /HF_ENDPOINT/);
});

t('refuses a listing that is not one', () =>
  withHub(async ({ server }) => {
    const { sha, siblings } = server.listing();
    const with_ = (change: object): string => JSON.stringify({ sha, siblings: [{ ...siblings[0], ...change }] });
    for (const listing of [
      'no JSON',
      '[]',
      JSON.stringify({ sha: '../../main', siblings }),
      JSON.stringify({ sha }),
      with_({ blobId: '../../../x' }),
      with_({ blobId: undefined }),
      with_({ size: -1 }),
      with_({ lfs: { sha256: 'x', size: 1 } }),
    ]) {
      server.fault = (_, response) => response.end(listing) !== undefined;
      assert.is((await rejection(download)).code, 'HUB_HTTP', listing.slice(0, 90));
    }
  }),
);

t("stops with the signal's reason and goes on later", () =>
  withHub(async ({ server, blob }) => {
    const reason = new Error('enough');
    assert.is(await downloadModel(id, { signal: AbortSignal.abort(reason) }).catch((error: unknown) => error), reason);
    const controller = new AbortController();
    server.fault = onFile(weights, 1, (_, response, body) => {
      response.writeHead(200).write(body.subarray(0, 1 << 20), () => setTimeout(() => controller.abort(reason), 300));
    });
    assert.is(await downloadModel(id, { signal: controller.signal }).catch((error: unknown) => error), reason);
    await download();
    assertWentOn(server.seenByStore.at(-1)!.range, 1 << 20);
    assert.equal(readFileSync(blob), large);
  }),
);

t('passes on what onProgress throws', () =>
  withHub(async () => {
    const thrown = new Error('mine');
    const onProgress = (): void => {
      throw thrown;
    };
    assert.is(await downloadModel(id, { onProgress }).catch((error: unknown) => error), thrown);
    await download();
  }),
);

t('repairs a damaged cached file: by its size always, by its hash with verify', () =>
  withHub(async ({ blob }) => {
    await download();
    writeFileSync(blob, 'short');
    await download();
    assert.equal(readFileSync(blob), large);
    writeFileSync(blob, Buffer.alloc(large.length));
    await download();
    assert.not.equal(readFileSync(blob), large);
    await downloadModel(id, { verify: true });
    assert.equal(readFileSync(blob), large);
  }),
);

t('tells a cache that cannot be written', async () => {
  const server = await HubServer.start(id, filesOf(golden('sentence', 'normalize')));
  const file = path.join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  setHubEnvironment({ HF_HUB_CACHE: file, HF_HOME: temporaryFolder(), HF_ENDPOINT: server.endpoint });
  assert.is((await rejection(() => loadModel(id))).code, 'IO');
  await server.stop();
});

t('refuses settings of the environment that are none', async () => {
  for (const [name, value] of [
    ['HF_ENDPOINT', 'huggingface.co'],
    ['HF_ENDPOINT', 'ftp://127.0.0.1'],
    ['HF_HUB_DOWNLOAD_TIMEOUT', 'soon'],
    ['HF_HUB_ETAG_TIMEOUT', '0'],
  ] as const) {
    setHubEnvironment({ HF_HOME: temporaryFolder(), [name]: value });
    const { code, message } = await rejection(download);
    assert.is(code, 'INVALID_OPTION');
    assert.match(message, name);
  }
});

t.run();
