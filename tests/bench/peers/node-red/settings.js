/** Node-RED's settings: no editor, no admin interface, and nothing that calls out. */
export function settings(directory) {
  return {
    userDir: directory,
    flowFile: 'flows.json',
    credentialSecret: false,
    httpAdminRoot: false,
    httpNodeRoot: false,
    disableEditor: true,
    httpRequestTimeout: 15_000,
    mqttReconnectTime: 1_000,
    externalModules: {
      autoInstall: false,
      palette: {allowInstall: false, allowUpload: false},
      modules: {allowInstall: false},
    },
    telemetry: {enabled: false, updateNotification: false},
    diagnostics: {enabled: false, ui: false},
    logging: {console: {level: 'warn', metrics: false, audit: false}},
  };
}
