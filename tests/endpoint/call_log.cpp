#include "tests/endpoint/call_log.h"

#include <map>
#include <utility>

namespace jobs_endpoint {
namespace {

template <typename Counts>
Json counts_shape(const Counts& counts) {
  Json shape = Json::object();
  for (std::size_t index = 0; index < counts.size(); ++index) {
    if (counts[index] == 0) continue;
    shape[std::string(name_of(static_cast<Operation>(index)))] = counts[index];
  }
  return shape;
}

Json call_shape(const Call& call) {
  Json shape = {{"sequence", call.sequence},
                {"connection", call.connection},
                {"operation", name_of(call.operation)}};
  if (!call.thing.empty()) shape["thing"] = call.thing;
  if (!call.job.empty()) shape["jobId"] = call.job;
  shape["status"] = call.status ? Json(*call.status) : Json(nullptr);
  if (!call.fault.empty()) shape["fault"] = call.fault;
  if (!call.access_key.empty()) shape["accessKeyId"] = call.access_key;
  if (!call.client_name.empty()) shape["clientCommonName"] = call.client_name;
  shape["method"] = call.method;
  shape["target"] = call.target;
  shape["contentType"] = call.content_type;
  shape["accept"] = call.accept;
  shape["body"] = call.body;
  shape["arrivedAt"] = precise_seconds(call.arrived_at);
  shape["answeredAt"] = call.answered_at ? Json(precise_seconds(*call.answered_at)) : Json(nullptr);
  return shape;
}

}  // namespace

CallLog::CallLog(std::size_t max_calls, std::size_t max_body_bytes)
    : max_calls_(max_calls), max_body_bytes_(max_body_bytes) {}

std::uint64_t CallLog::arrived(Call call) {
  const auto operation = static_cast<std::size_t>(call.operation);
  ++total_;
  ++operations_[operation];
  if (!call.thing.empty()) ++things_[call.thing][operation];
  call.sequence = next_sequence_++;
  const std::uint64_t sequence = call.sequence;
  body_bytes_ += call.body.size();
  calls_.push_back(std::move(call));
  while (calls_.size() > max_calls_ || body_bytes_ > max_body_bytes_) {
    body_bytes_ -= calls_.front().body.size();
    calls_.pop_front();
  }
  return sequence;
}

void CallLog::answered(std::uint64_t sequence, int status, Instant now) {
  if (calls_.empty() || sequence < calls_.front().sequence || sequence > calls_.back().sequence) {
    return;
  }
  Call& call = calls_[static_cast<std::size_t>(sequence - calls_.front().sequence)];
  call.status = status;
  call.answered_at = now;
}

void CallLog::malformed() {
  ++malformed_;
}

void CallLog::clear() {
  total_ = 0;
  malformed_ = 0;
  operations_ = {};
  things_.clear();
  calls_.clear();
  body_bytes_ = 0;
}

Json CallLog::shape(std::size_t limit, std::string_view thing) const {
  std::vector<const Call*> listed;
  for (auto call = calls_.rbegin(); call != calls_.rend() && listed.size() < limit; ++call) {
    if (thing.empty() || call->thing == thing) listed.push_back(&*call);
  }
  Json calls = Json::array();
  for (auto call = listed.rbegin(); call != listed.rend(); ++call) {
    calls.push_back(call_shape(**call));
  }
  Json things = Json::object();
  for (const auto& [name, counts] : std::map(things_.begin(), things_.end())) {
    if (thing.empty() || name == thing) things[name] = counts_shape(counts);
  }
  return {{"total", total_},
          {"malformed", malformed_},
          {"operations", counts_shape(operations_)},
          {"things", std::move(things)},
          {"calls", std::move(calls)}};
}

}  // namespace jobs_endpoint
