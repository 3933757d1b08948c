// An OpenID Provider (npm `oidc-provider`) that serves HTTPS on the loopback interface and does as its standard input says.
//
//   node provider.mjs FOLDER-WITH-NODE_MODULES
//
// The first line of the input is a JSON object of settings: `certificate` and `key` (PEM), `port` (0 lets the system choose),
// `accounts` (claims by account), `servers` (clients by client_credentials, whose account has their name) and `app` (a
// native client: its redirect URI). Each further line is an order, of which all parts may be left out:
//
//   publish   keys, [{kid, alg}, ...]; the first one of an algorithm signs, and a kid that is new gets a new key
//   clock     seconds that its clock is fast
//
// Every line is answered with one object: `issuer`; `fetched`, how often the key set was asked for so far; `connections`, how
// often anyone connected. It ends with its input, so that no test leaves it behind.
//
// A resource indicator says how its access tokens are made: https://AUDIENCE/ALGORITHM, with ?ttl=SECONDS if need be.

import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

// What the library has to say, its warnings that this is no provider for production, is not an answer.
console.info = console.log = console.warn = () => {};

const packages = createRequire(pathToFileURL(`${process.argv[2]}/`));
const { Provider } = await import(pathToFileURL(packages.resolve('oidc-provider')));

const SERVICES = ['ptt', 'video', 'data'];
const SCOPES = SERVICES.map((service) => `3gpp:mc:${service}_key_management_service`);
const KEY_TYPES = {
  RS256: ['rsa', { modulusLength: 2048 }],
  PS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  ES384: ['ec', { namedCurve: 'P-384' }],
  ES512: ['ec', { namedCurve: 'P-521' }],
  EdDSA: ['ed25519', {}],
};

const input = createInterface({ input: process.stdin });
input.on('close', () => process.exit());
const [first] = await once(input, 'line');
const settings = JSON.parse(first);
const keys = new Map();
let application;
let fetched = 0;
let connections = 0;

const systemTime = Date.now;
const server = createServer({ cert: settings.certificate, key: settings.key }, (request, response) => {
  fetched += request.url === '/jwks' ? 1 : 0;
  application(request, response);
});
server.on('connection', () => { connections += 1; });
server.listen(settings.port, '127.0.0.1');
await once(server, 'listening');
const issuer = `https://localhost:${server.address().port}`;

publish([{ kid: 'first', alg: 'RS256' }]);
answer();
input.on('line', (line) => {
  const order = JSON.parse(line);
  if (order.publish) publish(order.publish);
  if (order.clock !== undefined) Date.now = () => systemTime() + order.clock * 1000;
  answer();
});

function answer() {
  process.stdout.write(`${JSON.stringify({ issuer, fetched, connections })}\n`);
}

// A provider has its keys from its first moment on: new keys, new provider. Their accounts and clients are the same.
function publish(wanted) {
  for (const { kid, alg } of wanted.filter(({ kid }) => !keys.has(kid))) {
    const { privateKey } = generateKeyPairSync(...KEY_TYPES[alg]);
    keys.set(kid, { ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' });
  }
  application = new Provider(issuer, configuration(wanted.map(({ kid }) => keys.get(kid)))).callback();
}

function configuration(jwks) {
  const [{ alg }] = jwks;
  const servers = settings.servers.map((name) => ({
    client_id: name,
    client_secret: `${name}-secret`,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  }));
  const app = {
    client_id: 'app',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code'],
    redirect_uris: [settings.app],
    response_types: ['code'],
  };
  return {
    clients: [...servers, app],
    clientDefaults: { id_token_signed_response_alg: alg },
    enabledJWA: { idTokenSigningAlgValues: Object.keys(KEY_TYPES) },
    jwks: { keys: jwks },
    cookies: { keys: ['a key for cookies of tests'] },
    scopes: ['openid', ...SCOPES],
    findAccount: (_, accountId) => accountId in settings.accounts && { accountId, claims: () => ({ sub: accountId }) },
    // All identities, whatever the scope: the KMS chooses among them.
    extraTokenClaims: (_, token) => settings.accounts[token.accountId ?? token.clientId],
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: { enabled: true, getResourceServerInfo },
    },
    formats: {
      // As many providers do.
      customizers: { jwt: (_, token, { payload }) => { payload.nbf = payload.iat; } },
    },
  };
}

function getResourceServerInfo(_, resource) {
  const { hostname, pathname, searchParams } = new URL(resource);
  return {
    audience: hostname,
    scope: SCOPES.join(' '),
    accessTokenFormat: 'jwt',
    accessTokenTTL: Number(searchParams.get('ttl') ?? 300),
    jwt: { sign: { alg: pathname.slice(1) } },
  };
}
