// The flow: mqtt in -> function -> http request -> function -> mqtt out, with a second way out for
// requests that are refused without a call.

const BROKER = 'broker';
const TLS = 'tls';
const TAB = 'bridge';

const toRequest = `
const thing = msg.topic.split('/')[2];
let request;
try { request = JSON.parse(msg.payload); } catch (error) { request = undefined; }
const valid = typeof request === 'object' && request !== null && !Array.isArray(request);
const refuse = (code, message) => [null, {
  topic: msg.topic + '/rejected',
  payload: {
    code, message,
    clientToken: valid ? request.clientToken : undefined,
    timestamp: Math.floor(Date.now() / 1000)
  }
}];
if (!/^[a-zA-Z0-9:_-]{1,128}$/.test(thing)) return refuse('InvalidTopic', 'The thing name is invalid');
if (!valid) return refuse('InvalidJson', 'The payload is not a JSON object');
return [{
  url: env.get('ENDPOINT') + '/things/' + encodeURIComponent(thing) + '/jobs/$next',
  headers: {'content-type': 'application/json'},
  payload: {
    statusDetails: request.statusDetails,
    stepTimeoutInMinutes: request.stepTimeoutInMinutes
  },
  requested: {topic: msg.topic, clientToken: request.clientToken}
}, null];`;

const toReply = `
let answer;
try { answer = JSON.parse(msg.payload); } catch (error) { answer = undefined; }
const valid = typeof answer === 'object' && answer !== null && !Array.isArray(answer);
const accepted = valid && msg.statusCode >= 200 && msg.statusCode < 300;
const reply = valid ? answer : {message: 'The endpoint answered no JSON object: ' + msg.statusCode};
if (!accepted) {
  const codes = {400: 'InvalidRequest', 404: 'ResourceNotFound', 429: 'RequestThrottled'};
  reply.code = codes[msg.statusCode] || 'InternalError';
}
reply.clientToken = msg.requested.clientToken;
reply.timestamp = Math.floor(Date.now() / 1000);
return {topic: msg.requested.topic + (accepted ? '/accepted' : '/rejected'), payload: reply};`;

function node(id, type, wires, settings) {
  return {id, type, z: TAB, name: '', wires, ...settings};
}

/** The nodes of the flow file, for {broker: URL, endpoint: 'https://HOST:PORT', ca: absolute path}. */
export function flows({broker, endpoint, ca}) {
  return [
    {id: TAB, type: 'tab', label: 'Bridge', disabled: false, info: '',
      env: [{name: 'ENDPOINT', value: endpoint, type: 'str'}]},
    {id: BROKER, type: 'mqtt-broker', name: '', broker, port: '', clientid: 'node-red-bridge',
      autoConnect: true, usetls: false, protocolVersion: '5', keepalive: '60', cleansession: true,
      autoUnsubscribe: true},
    {id: TLS, type: 'tls-config', name: '', cert: '', key: '', ca, certname: '', keyname: '',
      caname: '', servername: '', verifyservercert: true, alpnprotocol: ''},
    node('requests', 'mqtt in', [['to-request']],
      {topic: '$aws/things/+/jobs/start-next', qos: '1', datatype: 'utf8', broker: BROKER,
        nl: false, rap: true, rh: 0, inputs: 0}),
    node('to-request', 'function', [['call'], ['replies']],
      {func: toRequest, outputs: 2, initialize: '', finalize: '', libs: []}),
    node('call', 'http request', [['to-reply']],
      {method: 'PUT', ret: 'txt', paytoqs: 'ignore', url: '', tls: TLS, persist: true, proxy: '',
        insecureHTTPParser: false, authType: '', senderr: false, headers: []}),
    node('to-reply', 'function', [['replies']],
      {func: toReply, outputs: 1, initialize: '', finalize: '', libs: []}),
    node('replies', 'mqtt out', [],
      {topic: '', qos: '1', retain: 'false', broker: BROKER}),
  ];
}
