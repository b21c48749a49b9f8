// Writes the flow into a directory and runs Node-RED on it, in this process.

import {mkdirSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import {join, resolve} from 'node:path';
import {parseArgs} from 'node:util';
import RED from 'node-red';
import {flows} from './flows.js';
import {settings} from './settings.js';

const USAGE = `node start.mjs --broker mqtt://HOST:PORT --endpoint https://HOST:PORT --ca FILE
    --directory DIRECTORY [--connections N=64]`;

function readOptions() {
  const {values} = parseArgs({
    options: {
      broker: {type: 'string'},
      endpoint: {type: 'string'},
      ca: {type: 'string'},
      directory: {type: 'string'},
      connections: {type: 'string', default: '64'},
    },
  });
  for (const name of ['broker', 'endpoint', 'ca', 'directory']) {
    if (!values[name]) throw new Error(`--${name} is missing`);
  }
  const connections = Number(values.connections);
  if (!Number.isInteger(connections) || connections < 1) {
    throw new Error('--connections must be a whole number above 0');
  }
  return {
    broker: values.broker,
    endpoint: new URL(values.endpoint).origin,
    ca: resolve(values.ca),
    directory: resolve(values.directory),
    connections,
  };
}

/** Node-RED does not say when its subscriptions stand: the broker's SUBACK does. */
function announceSubscription() {
  const {client} = RED.nodes.getNode('broker');
  client.on('packetreceive', function listener(packet) {
    if (packet.cmd !== 'suback') return;
    client.removeListener('packetreceive', listener);
    if (packet.granted[0] < 0x80) console.log('ready');
    else console.error('The broker refuses the subscription');
  });
}

async function run(options) {
  // The http request node makes its own agent and offers no limit: this is the default that it takes.
  http.Agent.defaultMaxSockets = options.connections;
  mkdirSync(options.directory, {recursive: true});
  writeFileSync(join(options.directory, 'flows.json'), JSON.stringify(flows(options), null, 2));

  RED.init(http.createServer(), settings(options.directory));
  RED.events.once('flows:started', announceSubscription);
  process.once('SIGTERM', async () => {
    await RED.stop();
    process.exit(0);
  });
  await RED.start();
}

let options;
try {
  options = readOptions();
} catch (error) {
  console.error(`${error.message}\n${USAGE}`);
  process.exit(2);
}
await run(options);
