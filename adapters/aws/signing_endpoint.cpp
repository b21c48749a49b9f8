#include "adapters/aws/signing_endpoint.h"

#include <exception>
#include <utility>
#include <variant>

#include "adapters/aws/signer.h"
#include "bridge/jobs/outcome.h"

namespace jobs_bridge::aws {
namespace {

HttpFailure unsent(std::string cause) {
  return {HttpFailure::Kind::credentials, false, std::move(cause)};
}

class SigningExchange final : public Exchange {
 public:
  SigningExchange(std::unique_ptr<Exchange> exchange, const SigningEndpoint::Settings& settings,
                  CredentialKeeper& credentials, SigningClock& clock,
                  const std::atomic<bool>& stopped)
      : exchange_(std::move(exchange)),
        host_(settings.host),
        signer_(settings.region),
        credentials_(credentials),
        clock_(clock),
        stopped_(stopped) {}

  HttpOutcome perform(const HttpRequest& request, MonotonicTime deadline) override {
    try {
      auto known = credentials_.current(deadline);
      if (stopped_) return HttpFailure{HttpFailure::Kind::stopped, false, "stopped"};
      if (!known) return unsent(known.error());
      auto credentials = *std::move(known);
      auto signed_at = clock_.now();
      auto outcome = send(request, *credentials, signed_at, deadline);
      auto* response = std::get_if<HttpResponse>(&outcome);
      if (response == nullptr) return outcome;
      const auto refusal = read_refusal(*response);
      // Other credentials of the same role would be denied access too, so they are not worth
      // waiting for.
      if (refusal == Refusal::none || refusal == Refusal::access) return outcome;
      // Only a refusal of the signature may be about the time.
      if (refusal != Refusal::credentials || !clock_.correct(response->date, signed_at)) {
        auto others = credentials_.other_than(credentials, deadline);
        if (!others) return outcome;
        credentials = std::move(others);
      }
      return send(request, *credentials, clock_.now(), deadline);
    } catch (const std::exception& error) {
      try {
        return unsent(error.what());
      } catch (const std::exception&) {
        return unsent({});
      }
    }
  }

 private:
  HttpOutcome send(const HttpRequest& request, const Credentials& credentials,
                   std::int64_t signed_at, MonotonicTime deadline) {
    auto outcome =
        exchange_->perform(signer_.sign(request, host_, credentials, signed_at), deadline);
    if (const auto* response = std::get_if<HttpResponse>(&outcome)) clock_.observe(response->date);
    return outcome;
  }

  const std::unique_ptr<Exchange> exchange_;
  const std::string host_;
  Signer signer_;
  CredentialKeeper& credentials_;
  SigningClock& clock_;
  const std::atomic<bool>& stopped_;
};

}  // namespace

void SigningEndpoint::stop() {
  stopped_ = true;
  endpoint_.stop();
  credentials_.stop();
}

std::unique_ptr<Exchange> SigningEndpoint::open() {
  return std::make_unique<SigningExchange>(endpoint_.open(), settings_, credentials_, clock_,
                                           stopped_);
}

}  // namespace jobs_bridge::aws
