#include "adapters/aws/credential_renewal.h"

#include <chrono>
#include <memory>
#include <utility>

namespace jobs_bridge::aws {
namespace {

using namespace std::chrono_literals;

constexpr Duration between_forced_renewals = 10s;
constexpr Duration between_renewals_of_ending = 1s;
constexpr Duration about_to_end = 5s;
/// A failure that repeats is logged again after so long; in between at debug.
constexpr Duration report_interval = 5min;

}  // namespace

void CredentialRenewal::begin_fetch() {
  forced_ = false;
  ++begun_;
}

CredentialRenewal::Report CredentialRenewal::take(MonotonicTime now,
                                                  Result<Credentials, SourceFault> outcome,
                                                  std::string source, bool can_change) {
  if (!outcome) return failed(now, outcome.error().cause);
  ++renewals_;
  const bool recovered = !std::exchange(fault_, {}).empty();
  reported_fault_.clear();
  obtained_ = now;
  schedule_.succeeded(now, *outcome, can_change);
  const bool first = credentials_ == nullptr;
  Report report;
  auto before = std::exchange(source_name_, std::move(source));
  // Another source is another identity, which may have other permissions.
  if (!first && before != source_name_) report.former_source = std::move(before);
  const bool others = first || !credentials_->same_keys(*outcome);
  if (others) report.kind = Report::Kind::renewed;
  if (first || recovered) report.kind = Report::Kind::available;
  if (others || credentials_->expires != outcome->expires) {
    credentials_ = std::make_shared<const Credentials>(std::move(outcome).value());
  }
  return report;
}

CredentialRenewal::Report CredentialRenewal::failed(MonotonicTime now, const std::string& cause) {
  ++failures_;
  fault_ = cause;
  schedule_.failed(now);
  const bool valid = current(now) != nullptr;
  const bool news =
      cause != reported_fault_ || valid != reported_valid_ || now - reported_at_ >= report_interval;
  if (news) {
    reported_fault_ = cause;
    reported_valid_ = valid;
    reported_at_ = now;
  }
  return {.kind = valid ? Report::Kind::old_ones_serve : Report::Kind::none_valid,
          .repeated = !news};
}

CredentialsPointer CredentialRenewal::current(MonotonicTime now) const {
  return credentials_ && !credentials_->expired(now) ? credentials_ : nullptr;
}

std::string CredentialRenewal::why_none(const std::string& source) const {
  const std::string state = credentials_ ? "credentials have expired" : "no credentials";
  return state + ": " + (fault_.empty() ? "no answer yet from " + source : fault_);
}

CredentialsPointer CredentialRenewal::others(MonotonicTime now,
                                             const CredentialsPointer& refused) const {
  auto valid = current(now);
  return valid && valid != refused && !valid->same_keys(*refused) ? valid : nullptr;
}

CredentialRenewal::Others CredentialRenewal::other_than(MonotonicTime now,
                                                        const CredentialsPointer& refused) {
  if (auto found = others(now, refused)) return {.credentials = std::move(found)};
  // Credentials about to expire were refused for that, and new ones will be accepted.
  const bool ending = refused->expires && *refused->expires - now < about_to_end;
  const auto pause = ending ? between_renewals_of_ending : between_forced_renewals;
  const bool may_force = !forced_at_ || now - *forced_at_ >= pause;
  if (may_force) {
    forced_at_ = now;
    forced_ = true;
  }
  // The outcome of the renewal is awaited, this one or the one that another caller has just forced.
  if (forced_) return {.awaited = begun_ + 1, .forced = may_force};
  if (!has_outcome(begun_)) return {.awaited = begun_};
  return {};
}

CredentialRenewal::State CredentialRenewal::state(MonotonicTime now, std::string source) const {
  State state;
  state.source = std::move(source);
  state.fault = fault_;
  state.obtained = obtained_;
  state.renewals = renewals_;
  state.failures = failures_;
  if (!credentials_) return state;
  state.valid = !credentials_->expired(now);
  state.access_key_id = credentials_->access_key_id;
  state.expiration = credentials_->expiration;
  state.expires = credentials_->expires;
  return state;
}

}  // namespace jobs_bridge::aws
