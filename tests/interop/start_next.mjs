// start-next with the unmodified AWS IoT device SDK v2 for JavaScript, as firmware would use it.
//
//   node start_next.mjs PORT THING PROTOCOL CLIENT
//
// PROTOCOL: 5 or 3.1.1. CLIENT: v2 (request/response) or classic. Prints the reply as one line of
// JSON and exits 0; a rejection, a time-out or anything else exits 1 with its reason.
import { io, iotjobs, mqtt as mqtt311, mqtt5 } from 'aws-iot-device-sdk-v2';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';

const [port, thing, protocol, style] = [
  Number(process.argv[2]), process.argv[3], process.argv[4], process.argv[5]];
const seconds = 15;

async function withProtocol5(use) {
  const client = new mqtt5.Mqtt5Client({
    hostName: '127.0.0.1',
    port,
    connectProperties: { clientId: thing, keepAliveIntervalSeconds: 30 },
  });
  const connected = once(client, 'connectionSuccess');
  client.start();
  await connected;
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
    client_id: thing,
    host_name: '127.0.0.1',
    port,
    clean_session: true,
    keep_alive: 30,
    ping_timeout: 3000,
    protocol_operation_timeout: seconds * 1000,
    socket_options: new io.SocketOptions(),
  });
  await connection.connect();
  try {
    return await use(connection);
  } finally {
    await connection.disconnect();
  }
}

async function startNextV2(client) {
  const options = {
    maxRequestResponseSubscriptions: 4,
    maxStreamingSubscriptions: 2,
    operationTimeoutInSeconds: seconds,
  };
  const jobs = protocol === '5'
    ? iotjobs.IotJobsClientv2.newFromMqtt5(client, options)
    : iotjobs.IotJobsClientv2.newFromMqtt311(client, options);
  try {
    return await jobs.startNextPendingJobExecution({ thingName: thing });
  } finally {
    jobs.close();
  }
}

async function startNextClassic(client) {
  const jobs = protocol === '5'
    ? iotjobs.IotJobsClient.newFromMqtt5Client(client)
    : new iotjobs.IotJobsClient(client);
  const QoS = mqtt311.QoS.AtLeastOnce;
  const request = { thingName: thing, clientToken: randomUUID() };
  return await new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('no reply')), seconds * 1000).unref();
    const replied = (error, reply) => {
      if (error) reject(error);
      else if (reply.clientToken !== request.clientToken) reject(new Error('foreign token'));
      else resolve(reply);
    };
    const refused = (error, reply) => reject(error ?? new Error(JSON.stringify(reply)));
    (async () => {
      await jobs.subscribeToStartNextPendingJobExecutionAccepted(request, QoS, replied);
      await jobs.subscribeToStartNextPendingJobExecutionRejected(request, QoS, refused);
      await jobs.publishStartNextPendingJobExecution(request, QoS);
    })().catch(reject);
  });
}

const withClient = protocol === '5' ? withProtocol5 : withProtocol311;
const startNext = style === 'v2' ? startNextV2 : startNextClassic;
try {
  const reply = await withClient(startNext);
  console.log(JSON.stringify(reply));
  process.exit(0);
} catch (error) {
  console.error(`${error} ${JSON.stringify(error?.modeledError ?? error?.cause ?? '')}`);
  process.exit(1);
}
