// Checks manifests on standard input against Kubernetes' own types and schemas: an unknown key, a wrong type or a
// wrong value is a fault. To be run where package.json beside this is installed.
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { parseAllDocuments } from 'yaml';

const modules = {
  'v1/ConfigMap': 'kubernetes-models/v1',
  'v1/Service': 'kubernetes-models/v1',
  'apps/v1/StatefulSet': 'kubernetes-models/apps/v1',
  'policy/v1/PodDisruptionBudget': 'kubernetes-models/policy/v1',
  'networking.k8s.io/v1/NetworkPolicy': 'kubernetes-models/networking.k8s.io/v1',
  'monitoring.coreos.com/v1/ServiceMonitor': '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
};
const faults = [];
const lines = [];
const objects = parseAllDocuments(fs.readFileSync(0, 'utf8')).map((document) => {
  faults.push(...document.errors.map(String));
  return document.toJS();
});
if (objects.length === 0) faults.push('no manifests');
for (const [index, object] of objects.entries()) {
  const kind = `${object.apiVersion}/${object.kind}`;
  const module = modules[kind];
  if (!module) {
    faults.push(`${kind} is not among the kinds that are checked`);
    continue;
  }
  // The types know every key, the schemas the values.
  lines.push(`import type { I${object.kind} as T${index} } from '${module}/${object.kind}';`);
  lines.push(`export const o${index}: T${index} = ${JSON.stringify(object, null, 1)};`);
  const { [object.kind]: Model } = await import(module);
  try {
    new Model(object).validate();
  } catch (error) {
    faults.push(`${kind} ${object.metadata?.name}: ${error.message}`);
  }
}
const file = path.resolve('manifests.ts');
fs.writeFileSync(file, lines.join('\n'));
const program = ts.createProgram([file], {
  noEmit: true, strict: true, skipLibCheck: true, module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [],
});
for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
  faults.push(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
}
for (const fault of faults) console.error(fault);
console.log(`${objects.length} manifests, ${faults.length} faults`);
process.exit(faults.length ? 1 : 0);
