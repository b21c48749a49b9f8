// World: a call on its way to the endpoint and back.

#include <algorithm>
#include <chrono>
#include <utility>

#include "bridge/jobs/outcome.h"
#include "tests/simulation/world.h"

namespace jobs_bridge::simulation {
namespace {

std::string describe(std::uint64_t call, const Fate& fate) {
  auto text = "call " + std::to_string(call) + " ends: ";
  if (const auto* response = std::get_if<HttpResponse>(&fate.outcome)) {
    text += std::to_string(response->status) + " " + response->error_type + " " + response->body;
  } else {
    const auto& failure = std::get<HttpFailure>(fate.outcome);
    if (failure.kind == HttpFailure::Kind::credentials) return text + "nothing to sign it with";
    text += failure.kind == HttpFailure::Kind::connect   ? "no connection"
            : failure.kind == HttpFailure::Kind::timeout ? "no answer in time"
                                                         : "the connection broke";
  }
  return fate.carried_out && !fate.answered ? text + " (carried out)" : text;
}

/// Whether other credentials may help, as adapters/aws/signing_endpoint sees it.
bool may_be_for_credentials(Fate& fate) {
  auto* response = std::get_if<HttpResponse>(&fate.outcome);
  if (response == nullptr || fate.answered) return false;
  const auto refusal = read_refusal(*response);
  return refusal == Refusal::credentials || refusal == Refusal::unexplained;
}

bool refuses_credentials(const Fate& fate) {
  const auto* response = std::get_if<HttpResponse>(&fate.outcome);
  return response != nullptr && EndpointModel::refuses_credentials(*response);
}

}  // namespace

void World::go_on(std::uint64_t call, const std::function<void(Under&)>& step) {
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;  // it ended with the bridge
  if (!is_stalled()) return step(found->second);
  agenda_.at(stalled_until_, [this, call, step] { go_on(call, step); });
}

void World::begin_call(const Bridge::Begun& begun) {
  const auto call = next_call_++;
  tell("bridge", [&] {
    const auto& request = begun.call().request;
    return "calls " + request.method + " " + request.target + " " + request.body + " (call " +
           std::to_string(call) +
           (begun.asked ? " for r" + std::to_string(*begun.asked) : std::string(", a poll")) + ")";
  });
  auto& under = calls_.emplace(call, Under{.begun = begun}).first->second;
  if (shape_.credentials_life == Duration::zero()) return send_call(call, under);
  credentials_.current(now_, begun.call().deadline,
                       [this, call](const auto& found) { sign_call(call, found); });
}

void World::sign_call(std::uint64_t call, const aws::CredentialsPointer& credentials) {
  go_on(call, [this, call, credentials](Under& under) {
    under.credentials = credentials;
    if (credentials) return send_call(call, under);
    under.fate.outcome = HttpFailure{
        .kind = HttpFailure::Kind::credentials, .maybe_sent = false, .detail = "simulated"};
    agenda_.at(now_, [this, call] { go_on(call, [&](Under& it) { end_call(call, it); }); });
  });
}

void World::send_call(std::uint64_t call, Under& under) {
  under.signed_at = now_;
  const auto left = under.begun.call().deadline - now_;
  const bool signed_well = !under.credentials || credentials_.accepts(now_, *under.credentials);
  under.fate = endpoint_.meet(now_, under.begun.call().request, under.begun.quota,
                              std::max(left, Duration::zero()), signed_well);
  agenda_.at(now_ + under.fate.takes,
             [this, call] { go_on(call, [this, call](Under& it) { hear_answer(call, it); }); });
}

void World::hear_answer(std::uint64_t call, Under& under) {
  if (!under.credentials || under.again || !may_be_for_credentials(under.fate)) {
    return end_call(call, under);
  }
  if (refuses_credentials(under.fate)) {
    if (signing_.refused++ == 0) ++signing_.worlds;
    under.refused = true;
  }
  credentials_.other_than({.credentials = under.credentials,
                           .signed_at = under.signed_at,
                           .heard_at = now_,
                           .deadline = under.begun.call().deadline},
                          [this, call](const aws::CredentialsPointer& others) {
                            go_on(call, [this, call, others](Under& it) {
                              if (!others) return end_call(call, it);
                              it.credentials = others;
                              send_again(call, it);
                            });
                          });
}

void World::send_again(std::uint64_t call, Under& under) {
  tell("bridge", [&] {
    return "sends call " + std::to_string(call) + " once more, with " +
           under.credentials->access_key_id;
  });
  under.again = true;
  send_call(call, under);
}

void World::end_call(std::uint64_t call, Under& under) {
  auto [begun, fate] = std::pair(std::move(under.begun), std::move(under.fate));
  if (under.refused && under.again) {
    ++signing_.sent_again;
    const bool answered = std::holds_alternative<HttpResponse>(fate.outcome);
    if (answered && !refuses_credentials(fate)) ++signing_.accepted_then;
  }
  calls_.erase(call);
  if (fate.carried_out) {
    auto* asked = begun.asked ? &ledger_.asked(*begun.asked) : nullptr;
    auto response = endpoint_.carry_out(begun.call().request, asked);
    if (fate.answered) fate.outcome = std::move(response);
  }
  tell("endpoint", [&, &fate = fate] { return describe(call, fate); });
  bridge_->call_ended(clock(), begun, fate.carried_out, fate.outcome);
}

}  // namespace jobs_bridge::simulation
