// The bridge that a competent Node developer writes by hand: start-next only, and no request signing.

import {readFileSync} from 'node:fs';
import {parseArgs} from 'node:util';
import mqtt from 'mqtt';
import {Pool} from 'undici';

const USAGE = `node bridge.mjs --broker mqtt://HOST:PORT --endpoint https://HOST:PORT --ca FILE
    [--connections N=64] [--client-id ID=node-bridge] [--no-delay]`;
const REQUEST_TIMEOUT_MS = 15_000;
const STOP_LIMIT_MS = 5_000;
const REQUESTS = '$aws/things/+/jobs/start-next';
const THING = /^[a-zA-Z0-9:_-]{1,128}$/;
const CODES = {400: 'InvalidRequest', 404: 'ResourceNotFound', 429: 'RequestThrottled'};

class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

function readOptions() {
  const {values} = parseArgs({
    options: {
      broker: {type: 'string'},
      endpoint: {type: 'string'},
      ca: {type: 'string'},
      connections: {type: 'string', default: '64'},
      'client-id': {type: 'string', default: 'node-bridge'},
      // mqtt.js leaves Nagle's algorithm on, which costs a lone request some 40 ms.
      'no-delay': {type: 'boolean', default: false},
    },
  });
  for (const name of ['broker', 'endpoint', 'ca']) {
    if (!values[name]) throw new Error(`--${name} is missing`);
  }
  const connections = Number(values.connections);
  if (!Number.isInteger(connections) || connections < 1) {
    throw new Error('--connections must be a whole number above 0');
  }
  return {...values, connections, ca: readFileSync(values.ca)};
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const seconds = () => Math.floor(Date.now() / 1000);

function start(options) {
  const pool = new Pool(options.endpoint, {
    connections: options.connections,
    pipelining: 1,
    connect: {ca: options.ca, timeout: REQUEST_TIMEOUT_MS},
    headersTimeout: REQUEST_TIMEOUT_MS,
    bodyTimeout: REQUEST_TIMEOUT_MS,
  });
  const client = mqtt.connect(options.broker, {
    protocolVersion: 5,
    clientId: options['client-id'],
    clean: true,  // a session left behind would keep the broker busy while the next bridge is measured
    resubscribe: false,
    properties: {receiveMaximum: 65535},
  });

  function publish(topic, reply) {
    client.publish(topic, JSON.stringify(reply), {qos: 1}, (error) => {
      if (error) console.error(`cannot publish to ${topic}: ${error.message}`);
    });
  }

  async function startNext(thing, request) {
    if (!THING.test(thing)) throw new Refusal('InvalidTopic', 'The thing name is invalid');
    if (!request) throw new Refusal('InvalidJson', 'The payload is not a JSON object');
    const {statusDetails, stepTimeoutInMinutes} = request;
    const {statusCode, body} = await pool.request({
      method: 'PUT',
      path: `/things/${encodeURIComponent(thing)}/jobs/$next`,
      headers: {'content-type': 'application/json'},
      body: JSON.stringify({statusDetails, stepTimeoutInMinutes}),
    });
    const answer = parseObject(await body.text());
    if (statusCode >= 200 && statusCode < 300) {
      if (!answer) throw new Refusal('InternalError', 'The endpoint answered no JSON object');
      return {outcome: 'accepted', answer};
    }
    const code = CODES[statusCode] ?? 'InternalError';
    return {outcome: 'rejected', answer: {message: `HTTP ${statusCode}`, ...answer, code}};
  }

  async function handle(topic, payload) {
    const request = parseObject(payload.toString());
    const clientToken = request?.clientToken;
    try {
      const {outcome, answer} = await startNext(topic.split('/')[2], request);
      publish(`${topic}/${outcome}`, {...answer, clientToken, timestamp: seconds()});
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(`${topic}: ${error.message}`);
      const [code, message] = error instanceof Refusal
        ? [error.code, error.message]
        : ['InternalError', 'The endpoint cannot be reached'];
      publish(`${topic}/rejected`, {code, message, clientToken, timestamp: seconds()});
    }
  }

  let ready = false;
  client.on('connect', () => {
    if (options['no-delay']) client.stream.setNoDelay(true);
    client.subscribe(REQUESTS, {qos: 1}, (error) => {
      if (error) {
        console.error(`cannot subscribe: ${error.message}`);
      } else if (!ready) {
        ready = true;
        console.log('ready');
      }
    });
  });
  client.on('message', handle);
  client.on('error', (error) => console.error(`broker: ${error.message || error.code}`));

  process.once('SIGTERM', async () => {
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    await pool.close();
    await new Promise(setImmediate);  // the last answers are published
    await client.endAsync();
    process.exit(0);
  });
}

let options;
try {
  options = readOptions();
} catch (error) {
  console.error(`${error.message}\n${USAGE}`);
  process.exit(2);
}
start(options);
