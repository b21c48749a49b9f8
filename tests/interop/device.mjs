// A device that goes through the steps of a test with the unmodified AWS IoT device SDK v2 for
// JavaScript, as firmware would use it.
//
//   node device.mjs PORT THING PROTOCOL CLIENT STEPS
//
// PROTOCOL: 5 or 3.1.1. CLIENT: v2 (request/response) or classic. STEPS: a JSON list of
//   {"call": OPERATION, "request": {...}}   asks and waits for the reply; thingName is added
//   {"watch": EVENT}                        subscribes to NextJobExecutionChanged or
//                                           JobExecutionsChanged
//   {"await": [EVENT...]}                   waits until each has come since the last call was made
// Prints what the SDK hands out, one line of JSON each, in the order in which the device sees it and
// with the milliseconds since it was connected:
//   {"ms", "step", "accepted" | "rejected": REPLY}, {"ms", "event", "content"}, {"ms", "step"}
// Exits 0 after the last step; a time-out or anything else that is no reply exits 1 with its reason.
import { io, iotjobs, mqtt as mqtt311, mqtt5 } from 'aws-iot-device-sdk-v2';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';

const [portText, thingName, protocol, style, stepsText] = process.argv.slice(2);
const port = Number(portText);
const steps = JSON.parse(stepsText);
const seconds = 15;

function withinLimit(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing in ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function withProtocol5(use) {
  const client = new mqtt5.Mqtt5Client({
    hostName: '127.0.0.1',
    port,
    connectProperties: { clientId: thingName, keepAliveIntervalSeconds: 30 },
  });
  const connected = once(client, 'connectionSuccess');
  client.start();
  await withinLimit(connected, 'connect');
  try {
    return await use(client);
  } finally {
    const stopped = once(client, 'stopped');
    client.stop();
    await stopped;
    client.close();
  }
}

async function withProtocol311(use) {
  const client = new mqtt311.MqttClient();
  const connection = client.new_connection({
    client_id: thingName,
    host_name: '127.0.0.1',
    port,
    clean_session: true,
    keep_alive: 30,
    ping_timeout: 3000,
    protocol_operation_timeout: seconds * 1000,
    socket_options: new io.SocketOptions(),
  });
  await withinLimit(connection.connect(), 'connect');
  try {
    return await use(connection);
  } finally {
    await connection.disconnect();
  }
}

/** The request/response client. */
class V2Jobs {
  #jobs;
  #streams = [];

  constructor(client) {
    const options = {
      maxRequestResponseSubscriptions: 8,
      maxStreamingSubscriptions: 2,
      operationTimeoutInSeconds: seconds,
    };
    this.#jobs = protocol === '5'
      ? iotjobs.IotJobsClientv2.newFromMqtt5(client, options)
      : iotjobs.IotJobsClientv2.newFromMqtt311(client, options);
  }

  async call(operation, request) {
    const method = operation[0].toLowerCase() + operation.slice(1);
    try {
      return { accepted: await this.#jobs[method](request) };
    } catch (error) {
      if (error.modeledError === undefined) throw error;
      return { rejected: error.modeledError };
    }
  }

  async watch(event, listener) {
    const stream = this.#jobs[`create${event}Stream`]({ thingName });
    this.#streams.push(stream);
    stream.on('incomingPublish', ({ message }) => listener(message));
    const status = once(stream, 'subscriptionStatus');
    stream.open();
    const [{ error }] = await withinLimit(status, `watch ${event}`);
    if (error) throw error;
  }

  close() {
    for (const stream of this.#streams) stream.close();
    this.#jobs.close();
  }
}

/** The client that leaves subscribing and telling replies apart to the device. */
class ClassicJobs {
  static #quality = mqtt311.QoS.AtLeastOnce;
  #jobs;
  #subscribed = new Set();
  #waiting = new Map();

  constructor(client) {
    this.#jobs = protocol === '5'
      ? iotjobs.IotJobsClient.newFromMqtt5Client(client)
      : new iotjobs.IotJobsClient(client);
  }

  async #subscribe(operation, request) {
    const key = `${operation} ${request.jobId}`;
    if (this.#subscribed.has(key)) return;
    for (const [ending, name] of [['Accepted', 'accepted'], ['Rejected', 'rejected']]) {
      const replied = (error, reply) => {
        const waiting = this.#waiting.get(reply?.clientToken);
        this.#waiting.delete(reply?.clientToken);
        if (error) throw error;
        if (!waiting) throw new Error(`a reply to nobody: ${JSON.stringify(reply)}`);
        waiting({ [name]: reply });
      };
      await this.#jobs[`subscribeTo${operation}${ending}`](
        request, ClassicJobs.#quality, replied);
    }
    this.#subscribed.add(key);
  }

  async call(operation, request) {
    await this.#subscribe(operation, request);
    const clientToken = randomUUID();
    const reply = new Promise((resolve) => { this.#waiting.set(clientToken, resolve); });
    await this.#jobs[`publish${operation}`]({ ...request, clientToken }, ClassicJobs.#quality);
    return await withinLimit(reply, operation);
  }

  async watch(event, listener) {
    await this.#jobs[`subscribeTo${event}Events`](
      { thingName }, ClassicJobs.#quality, (error, message) => {
        if (error) throw error;
        listener(message);
      });
  }

  close() {}
}

async function walk(client) {
  const jobs = style === 'v2' ? new V2Jobs(client) : new ClassicJobs(client);
  const start = performance.now();
  const print = (line) => {
    const ms = Math.round((performance.now() - start) * 10) / 10;
    console.log(JSON.stringify({ ms, ...line }));
  };
  const cameSinceCall = new Set();
  let wake = () => {};
  const arrivalOf = async (event) => {
    while (!cameSinceCall.has(event)) await new Promise((resolve) => { wake = resolve; });
  };
  try {
    for (const [step, { call, request, watch, await: events }] of steps.entries()) {
      if (call) {
        cameSinceCall.clear();
        print({ step, ...await jobs.call(call, { ...request, thingName }) });
      } else if (watch) {
        await jobs.watch(watch, (content) => {
          print({ event: watch, content });
          cameSinceCall.add(watch);
          wake();
        });
        print({ step });
      } else {
        for (const event of events) await withinLimit(arrivalOf(event), event);
        print({ step });
      }
    }
  } finally {
    jobs.close();
  }
}

try {
  await (protocol === '5' ? withProtocol5 : withProtocol311)(walk);
  process.exit(0);
} catch (error) {
  console.error(`${error} ${JSON.stringify(error?.cause ?? error?.internalError ?? '')}`);
  process.exit(1);
}
