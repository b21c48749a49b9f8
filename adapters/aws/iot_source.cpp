#include "adapters/aws/iot_source.h"

#include <chrono>

#include "adapters/aws/credential_document.h"

namespace jobs_bridge::aws {

Result<Credentials, SourceFault> IotSource::fetch(MonotonicTime deadline) {
  const auto& host = settings_.provider.host;
  HttpRequest request{.method = "GET",
                      .target = "/role-aliases/" + settings_.role_alias + "/credentials",
                      .body = {},
                      .headers = {{"Accept", "*/*"}},
                      .repeatable = true};
  if (!settings_.thing_name.empty()) {
    request.headers.emplace_back("x-amzn-iot-thingname", settings_.thing_name);
  }
  const auto answer = query_.ask(settings_.provider, request, deadline);
  if (!answer) return Failure{SourceFault{.cause = answer.error().detail}};
  return read_document(*answer, DocumentForm::iot, host + ", role alias " + settings_.role_alias,
                       std::chrono::steady_clock::now(), clock_());
}

}  // namespace jobs_bridge::aws
