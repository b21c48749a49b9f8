// aedes 1 with TLS, a certificate each, and the rules of deploy/mosquitto's ACL in code.
//
//   node aedes.mjs PORT CERTIFICATES [REDIS-PORT]
import { Aedes } from 'aedes';
import fs from 'node:fs';
import tls from 'node:tls';

const [port, certificates, redisPort] = process.argv.slice(2);
let cluster = {};
if (redisPort) {
  const { default: persistence } = await import('aedes-persistence-redis');
  const { default: emitter } = await import('mqemitter-redis');
  const connection = { host: '127.0.0.1', port: Number(redisPort) };
  cluster = { id: `node-${port}`, mq: emitter(connection), persistence: persistence(connection) };
}
const bridge = 'jobs-bridge';
const requests = /^(start-next|get|[^/]+\/(get|update)|[^/]+\/[^/]+\/(get|update))$/;
const heard = /^(notify|notify-next|(start-next|get|[^/]+\/(get|update))\/[^/]+)$/;
const nameOf = (client) => client.conn.getPeerCertificate?.().subject?.CN ?? '';
const below = (client, topic) => {
  const base = `$aws/things/${nameOf(client)}/jobs/`;
  return topic.startsWith(base) ? topic.slice(base.length) : '';
};
const broker = await Aedes.createBroker({
  ...cluster,
  // The client id is the certificate's name: nobody takes another's place.
  authenticate: (client, _user, _password, done) => done(null, client.id === nameOf(client)),
  authorizePublish: (client, packet, done) =>
    done(nameOf(client) === bridge || requests.test(below(client, packet.topic)) ? null : new Error('not authorised')),
  authorizeSubscribe: (client, wanted, done) =>
    done(null, nameOf(client) === bridge || heard.test(below(client, wanted.topic)) ? wanted : null),
});
const read = (name) => fs.readFileSync(`${certificates}/${name}`);
const server = tls.createServer({
  cert: read('broker.pem'), key: read('broker.key'), ca: read('ca.pem'), requestCert: true, rejectUnauthorized: true,
}, broker.handle);
server.on('tlsClientError', () => {});
server.listen(Number(port), '127.0.0.1');
