#include "tests/simulation/ledger.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <utility>

#include "tests/simulation/endpoint_model.h"
#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view token_member = R"("clientToken":"r)";
/// Tries of a request that reached the endpoint in vain, and all its tries.
constexpr int max_failures_answered = 4;
constexpr int max_calls = 60;

bool maybe_reached(const HttpOutcome& outcome) {
  const auto* failure = std::get_if<HttpFailure>(&outcome);
  return failure == nullptr || failure->maybe_sent;
}

std::int64_t version_in(std::string_view body) {
  constexpr std::string_view name = R"("versionNumber":)";
  const auto at = body.find(name);
  if (at == std::string_view::npos) return 0;
  std::int64_t version = 0;
  const auto digits = body.substr(at + name.size());
  std::from_chars(digits.data(), digits.data() + digits.size(), version);
  return version;
}

bool is_describe_of(const HttpRequest& request, const Asked& asked) {
  return asked.operation == Operation::update && request.method == "GET" &&
         request.target.starts_with(asked.wanted.target + "?");
}

Event event_of(const HttpOutcome& outcome) {
  const auto* response = std::get_if<HttpResponse>(&outcome);
  if (response == nullptr) {
    switch (std::get<HttpFailure>(outcome).kind) {
      case HttpFailure::Kind::connect:
      case HttpFailure::Kind::refused:
        return Event::no_connection;
      case HttpFailure::Kind::timeout:
        return Event::no_answer;
      case HttpFailure::Kind::credentials:
        return Event::no_credentials;
      default:
        return Event::broken_connection;
    }
  }
  if (response->status == 429) return Event::throttling;
  if (EndpointModel::refuses_credentials(*response)) return Event::refused_credentials;
  if (response->status == 403) return Event::forbidden;
  if (response->status >= 500) return Event::server_error;
  if (response->status >= 400) return Event::refusal;
  return response->body.starts_with('{') ? Event::success : Event::nonsense;
}

/// The code of a reply that is `rejected`.
std::string_view code_in(std::string_view payload) {
  constexpr std::string_view beginning = R"({"code":")";
  promise(payload.starts_with(beginning), "a rejection has a code",
          [&] { return std::string(payload); });
  payload.remove_prefix(beginning.size());
  return payload.substr(0, payload.find('"'));
}

bool is_notification(std::string_view topic) {
  return topic.ends_with("/notify") || topic.ends_with("/notify-next");
}

}  // namespace

Ledger::Ledger(const EngineSettings& settings, std::uint32_t things, Duration lateness)
    : settings_(settings), lateness_(lateness), lines_(things) {}

AskedNumber Ledger::number_in(std::string_view payload) {
  const auto at = payload.rfind(token_member);
  promise(at != std::string_view::npos, "a reply has its request's client token",
          [&] { return std::string(payload); });
  AskedNumber number = 0;
  const auto digits = payload.substr(at + token_member.size());
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

std::string Ledger::describe(const Asked& asked) const {
  return asked.topic + " " + asked.wanted.body + " received at " +
         std::to_string(asked.received.time_since_epoch().count()) + ", " +
         std::to_string(asked.calls) + " calls, " + std::to_string(asked.looks) + " looks, " +
         std::to_string(asked.applied) + " times applied, " + std::to_string(asked.replies) +
         " replies, id " + std::to_string(asked.id) + (asked.recorded ? ", recorded" : "") +
         (asked.joined ? ", joined" : "") + (asked.restored ? ", restored" : "");
}

Stage Ledger::stage_of(MonotonicTime now, AskedNumber number) const {
  const auto& asked = asked_[number];
  const auto& line = lines_[asked.thing];
  const bool under_way = line.in_flight == number;
  if (under_way && asked.replies_this_life > 0) return Stage::late;
  const bool held =
      asked.operation == Operation::update && (asked.restored || now >= asked.deadline);
  if (under_way) {
    if (line.last_call == asked.wanted) return held ? Stage::held_calling : Stage::calling;
    return held ? Stage::held_describing : Stage::describing;
  }
  if (asked.calls_this_life > 0) return held ? Stage::held_between_calls : Stage::between_calls;
  if (asked.restored) return Stage::restored;
  return held ? Stage::held_waiting : Stage::waiting;
}

void Ledger::happened(MonotonicTime now, Event event) {
  for (const auto& line : lines_) {
    for (const auto number : line.open) coverage_.count(stage_of(now, number), event);
    if (line.in_flight && asked_[*line.in_flight].replies_this_life > 0) {
      coverage_.count(Stage::late, event);
    }
  }
}

void Ledger::count_reply(MonotonicTime now, AskedNumber number, std::string_view payload) {
  const auto& asked = asked_[number];
  const auto& line = lines_[asked.thing];
  // It is the answer to its own call, or to that of another like it.
  if (line.ended && line.ended_at == now && asked_[*line.ended].wanted == asked.wanted) return;
  const auto stage = stage_of(now, number);
  if (payload.find("the message expired before") != std::string_view::npos) {
    coverage_.count(stage, Event::expiry);
  } else if (asked.given_up) {
    // One that has joined another goes with it, however old it is itself.
    if (!asked.joined) coverage_.count(stage, Event::too_old);
  } else if (now >= asked.deadline && !shutting_down_ &&
             (asked.operation != Operation::update || asked.refused)) {
    coverage_.count(stage, Event::deadline);
  }
}

AskedNumber Ledger::add(Asked asked) {
  asked_.push_back(std::move(asked));
  return static_cast<AskedNumber>(asked_.size() - 1);
}

void Ledger::received(MonotonicTime now, AskedNumber number, const Message& message) {
  auto& asked = asked_[number];
  asked.received = now;
  asked.deadline = now + settings_.deadline;
  // An update is never too late, and what changes nothing not on mere doubt.
  const bool doubt =
      message.kept_for == Duration::max() && asked.operation != Operation::start_next;
  if (asked.operation != Operation::update && !doubt) {
    asked.deadline -= std::min(message.kept_for, settings_.deadline);
  }
  asked.expires_after = message.expires_after;
  if (asked.expires_after && now + *asked.expires_after < asked.deadline) {
    asked.expiry = now + *asked.expires_after;
  }
  lines_[asked.thing].open.push_back(number);
}

void Ledger::taken(MonotonicTime now, AskedNumber number, const Effects& effects) {
  auto& asked = asked_[number];
  promise(effects.recorded.size() <= 1, "at most the message itself is recorded");
  const bool answered = asked.replies_this_life > 0;
  promise(!asked.invalid || answered, "what is no request is refused at once");
  promise(now < asked.deadline || answered, "what has waited too long is refused at once");
  const bool update = asked.operation == Operation::update;
  promise(effects.recorded.empty() || (update && settings_.holding.durable && !answered),
          "only an update that is taken is recorded");
  if (update && !answered) {
    promise(!effects.recorded.empty() || !settings_.holding.durable, "an update is recorded",
            [&] { return describe(asked); });
    asked.recording = settings_.holding.durable;
    if (!asked.recording) note_joined(now, number);
  }
  check_bounds(now, asked.thing);
}

void Ledger::note_joined(MonotonicTime now, AskedNumber number) {
  const auto host = like(number);
  asked_[number].joined = host.has_value();
  if (host) coverage_.count(stage_of(now, *host), Event::repeat);
}

std::optional<AskedNumber> Ledger::like(AskedNumber number) const {
  const auto& open = lines_[asked_[number].thing].open;
  const auto found = std::ranges::find_if(open, [&](AskedNumber other) {
    return other != number && asked_[other].wanted == asked_[number].wanted;
  });
  return found == open.end() ? std::nullopt : std::optional(*found);
}

void Ledger::recorded(MonotonicTime now, const JournalEntry& entry) {
  auto& asked = asked_[number_in(entry.message.payload)];
  promise(asked.topic == entry.message.topic && asked.replies_this_life == 0 && !asked.recorded,
          "a recorded entry is the message that was received");
  asked.recording = false;
  asked.recorded = true;
  asked.recorded_at = now;
  asked.id = entry.number;
  note_joined(now, number_in(entry.message.payload));
}

void Ledger::not_recorded(const JournalEntry& entry) {
  auto& asked = asked_[number_in(entry.message.payload)];
  asked.recording = false;
  promise(asked.replies_this_life == 1, "an update that cannot be kept is rejected at once");
}

void Ledger::check_bounds(MonotonicTime now, std::uint32_t thing) const {
  const auto& open = lines_[thing].open;
  const auto waiting = std::ranges::count_if(open, [&](AskedNumber number) {
    return asked_[number].deadline > now && !asked_[number].restored;
  });
  promise(static_cast<std::size_t>(waiting) <= settings_.queue_per_thing + 1,
          "a thing's queue has a bound", [&] { return std::to_string(waiting); });
  // Each update that is held may have been asked for again by a queue's worth of devices. Those
  // that had been answered before a kill, whose replies the broker had not acknowledged, come in
  // addition.
  const auto stored =
      std::ranges::count_if(open, [&](AskedNumber number) { return asked_[number].replies == 0; });
  promise(std::cmp_less_equal(
              stored, (settings_.holding.max_per_thing + 2) * (settings_.queue_per_thing + 1)),
          "a thing's store has a bound", [&] { return std::to_string(stored); });
}

std::size_t Ledger::awaited(MonotonicTime now) const {
  std::size_t count = 0;
  for (const auto& line : lines_) {
    for (const auto number : line.open) {
      const auto& asked = asked_[number];
      if (!asked.restored && asked.deadline >= now) ++count;
      const auto max_age = settings_.holding.max_age;
      const auto end = asked.restored ? asked.restored_at + std::max<Duration>(max_age, 1h)
                                      : asked.received + max_age;
      promise(now <= end || asked.joined, "an update is given up at its age",
              [&] { return describe(asked); });
    }
  }
  return count;
}

AskedNumber Ledger::call_began(MonotonicTime now, const Call& call) {
  const auto& target = call.request.target;
  std::uint32_t thing = 0;
  constexpr std::string_view prefix = "/things/thing-";
  promise(target.starts_with(prefix), "a call is for a thing", [&] { return target; });
  std::from_chars(target.data() + prefix.size(), target.data() + target.size(), thing);
  auto& line = lines_.at(thing);
  promise(!line.in_flight, "a thing has one call in flight at most", [&] { return target; });
  promise(!line.open.empty(), "a call is made for a device that waits", [&] { return target; });
  const auto number = line.open.front();
  auto& asked = asked_[number];
  const auto& wanted = asked.wanted;
  const bool own = call.request.method == wanted.method && target == wanted.target &&
                   call.request.body == wanted.body;
  coverage_.count(stage_of(now, number), own ? Event::call_begins : Event::describe_begins);
  promise(own || is_describe_of(call.request, asked),
          "the requests of a thing are carried out in arrival order", [&] {
            return call.request.method + " " + target + " " + call.request.body +
                   " is made before " + describe(asked);
          });
  promise(call.id >= line.last_id, "calls of a thing are made in the order of their numbers");
  if (asked.id == 0) asked.id = call.id;
  promise(call.id == asked.id || !asked.recorded, "a recorded update keeps its number",
          [&] { return describe(asked); });
  line.last_id = call.id;
  promise(call.deadline > now && call.deadline <= now + settings_.deadline,
          "a call has time, and not more than a device waits");
  if (own) check_own_call(now, asked);
  ++(own ? asked.calls : asked.looks);
  ++asked.calls_this_life;
  line.in_flight = number;
  line.last_call = {call.request.method, target, call.request.body};
  return number;
}

void Ledger::check_own_call(MonotonicTime now, Asked& asked) const {
  const auto details = [&] { return describe(asked); };
  const bool update = asked.operation == Operation::update;
  promise(!asked.invalid, "what is no request is never carried out", details);
  promise(!asked.final, "what the endpoint has refused is not asked again", details);
  promise(update || now < asked.deadline, "nothing but an update is called after its deadline",
          details);
  promise(!asked.expiry || asked.calls > 0 || asked.restored || now < *asked.expiry,
          "what has expired is not carried out", details);
  promise(update || asked.failures_answered < max_failures_answered,
          "the tries that reach the endpoint are bounded", details);
  promise(update || asked.calls < max_calls, "the tries are bounded", details);
  const auto since = asked.restored ? asked.restored_at : asked.received;
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - since).count();
  promise(asked.calls_this_life < 40 + age * 2, "an update is tried more and more rarely", details);
  // Restored without a look: it may have been carried out in the life before.
  promise(!asked.restored || asked.calls_this_life > 0,
          "a restored update is not sent before its fate is asked for", details);
}

void Ledger::call_ended(MonotonicTime now, AskedNumber number, bool carried_out,
                        const HttpOutcome& outcome) {
  auto& asked = asked_[number];
  auto& line = lines_[asked.thing];
  promise(line.in_flight == number, "the simulation is sound");
  coverage_.count(stage_of(now, number), event_of(outcome));
  line.in_flight.reset();
  line.ended = number;
  line.ended_at = now;
  const auto* response = std::get_if<HttpResponse>(&outcome);
  const int status = response == nullptr ? 0 : response->status;
  const bool own = line.last_call == asked.wanted;
  if (own && carried_out && asked.operation == Operation::update && asked.applied > 0) {
    promise(number >= line.last_applied, "updates take effect in arrival order",
            [&] { return describe(asked) + " after " + describe(asked_[line.last_applied]); });
    line.last_applied = number;
    if (asked.brought_back) line.overwritten_at = now;
  }
  if (status >= 200 && status < 300) line.last_success = now;
  if (own && maybe_reached(outcome) && (status < 200 || status >= 300 || !carried_out)) {
    ++asked.failures_answered;
  }
  // What is refused for its signature was not looked at.
  const bool looked_at = response != nullptr && !EndpointModel::refuses_credentials(*response);
  if (status >= 400 && status < 500 && status != 429 && looked_at) {
    asked.refused = true;
    if (own) asked.final = true;
  }
  if (!own && response != nullptr && carried_out) {
    const bool ended = response->body.find("\"QUEUED\"") == std::string::npos &&
                       response->body.find("\"IN_PROGRESS\"") == std::string::npos;
    if (ended) asked.refused = true;
    line.last_version = version_in(response->body);
  }
}

void Ledger::disturb(MonotonicTime now, std::uint32_t thing) {
  lines_[thing].disturbed_at = now;
}

void Ledger::ended() {
  for (auto& line : lines_) {
    for (const auto number : line.open) asked_[number].replies_this_life = 0;
    line.open.clear();
    line.in_flight.reset();
    line.ended.reset();
    line.last_id = 0;
    line.last_applied = 0;
  }
  shutting_down_ = false;
}

void Ledger::lost(MonotonicTime now, MonotonicTime recorded, const JournalEntry& entry) {
  promise(now - recorded <= 100ms, "the simulation is sound");
  asked_[number_in(entry.message.payload)].lost = true;
}

void Ledger::restored(MonotonicTime now, const JournalEntry& entry, bool brought_back) {
  const auto number = number_in(entry.message.payload);
  auto& asked = asked_[number];
  promise(asked.recorded && asked.id == entry.number, "the simulation is sound");
  promise(asked.replies == 0 || brought_back || asked.brought_back,
          "what is answered is not taken over by the next bridge", [&] { return describe(asked); });
  asked.brought_back = asked.brought_back || brought_back;
  asked.restored = true;
  asked.joined = like(number).has_value();
  asked.given_up = false;
  asked.restored_at = now;
  asked.replies_this_life = 0;
  asked.calls_this_life = 0;
  asked.final = false;  // that the endpoint refused it may have been forgotten
  lines_[asked.thing].open.push_back(number);
}

bool Ledger::is_all_answered() const {
  return std::ranges::all_of(lines_, [](const Line& line) { return line.open.empty(); });
}

std::size_t Ledger::open_count() const {
  std::size_t count = 0;
  for (const auto& line : lines_) count += line.open.size();
  return count;
}

std::size_t Ledger::longest_line() const {
  std::size_t longest = 0;
  for (const auto& line : lines_) longest = std::max(longest, line.open.size());
  return longest;
}

void Ledger::check_all_done() const {
  for (const auto& asked : asked_) {
    if (asked.recorded) {
      promise(asked.replies > 0 || asked.lost, "every update that was kept is answered",
              [&] { return describe(asked); });
    }
  }
  for (const auto& line : lines_) {
    promise(line.open.empty(), "every request is answered",
            [&] { return describe(asked_[line.open.front()]); });
  }
}

// Whether what devices hear is right.

void Ledger::published(MonotonicTime now, const Effects& effects) {
  // First why, then what: of an update that is given up the reply is right.
  for (const auto& finished : effects.finished) {
    const auto number = number_in("\"clientToken\":" + finished.client_token);
    if (finished.given_up) asked_.at(number).given_up = true;
  }
  std::size_t replies = 0;
  std::size_t repeats = 0;
  const Publication* to_repeat = nullptr;
  for (const auto& publication : effects.publications) {
    if (is_notification(publication.topic)) {
      // A poll's come alone, or before the rejections of what became overdue at the same moment.
      if (replies > 0) {
        ++repeats;
        check_repeat(publication, to_repeat);
      }
      continue;
    }
    promise(replies < effects.finished.size(), "every reply is reported as finished");
    const auto& finished = effects.finished[replies];
    const auto number = number_in("\"clientToken\":" + finished.client_token);
    // One that shares another's answer counts that one's calls.
    promise(std::cmp_greater_equal(finished.calls, asked_.at(number).calls_this_life),
            "what is reported counts the calls that were made",
            [&] { return std::to_string(finished.calls) + ": " + describe(asked_[number]); });
    ++replies;
    reply(now, number, publication);
    if (is_to_be_repeated(asked_[number], publication)) to_repeat = &publication;
    promise(repeats == 0 || to_repeat != &publication, "a reply comes before what repeats it");
  }
  promise(replies == effects.finished.size(), "every reply is reported as finished");
  promise(repeats == (to_repeat != nullptr ? 1 : 0),
          "what was found is repeated once, for the things that are named for it",
          [&] { return std::to_string(repeats); });
}

bool Ledger::is_to_be_repeated(const Asked& asked, const Publication& reply) const {
  const bool next = asked.operation == Operation::start_next || asked.topic.ends_with("/$next/get");
  const auto thing = "thing-" + std::to_string(asked.thing);
  return next && asked.accepted && settings_.notifier.repeat_replies.contains(thing) &&
         reply.payload.find(R"("execution":{)") != std::string::npos;
}

void Ledger::check_repeat(const Publication& publication, const Publication* reply) const {
  const auto details = [&] { return publication.topic + " " + publication.payload; };
  promise(reply != nullptr, "nothing is repeated that was not found", details);
  const auto job = [](const Publication& of) {
    const auto at = of.payload.find(R"("jobId":")");
    return at == std::string::npos ? std::string()
                                   : of.payload.substr(at, of.payload.find(',', at) - at);
  };
  promise(!job(publication).empty() && job(publication) == job(*reply),
          "what is repeated is what was found", details);
  promise(publication.payload.find(R"("jobDocument":)") != std::string::npos &&
              publication.payload.find("thingName") == std::string::npos &&
              publication.payload.find("clientToken") == std::string::npos,
          "what is repeated has the form of notify-next", details);
  promise(publication.topic.ends_with("/notify-next") && publication.thing == reply->thing,
          "what is repeated goes to its own thing", details);
}

/// The rejection of an update that comes when its device waits no more must not name a token that
/// the device has forgotten; all else names it.
void Ledger::check_token(MonotonicTime now, const Asked& asked, AskedNumber number,
                         const Publication& publication) const {
  const bool named = publication.payload.find("\"clientToken\":\"r" + std::to_string(number) +
                                              "\"") != std::string::npos;
  const bool late =
      asked.operation == Operation::update && (asked.restored || now >= asked.deadline);
  const auto details = [&] { return publication.payload + " to " + describe(asked); };
  if (asked.accepted || !late) {
    promise(named, "a reply has its request's client token", details);
  } else {
    promise(publication.payload.find("clientToken") == std::string::npos,
            "a rejection that comes late has no client token", details);
  }
}

void Ledger::reply(MonotonicTime now, AskedNumber number, const Publication& publication) {
  promise(number < asked_.size(), "a reply is to a request");
  auto& asked = asked_[number];
  const auto details = [&] {
    return publication.topic + " " + publication.payload + " to " + describe(asked);
  };
  promise(asked.replies_this_life == 0, "a request gets one reply", details);
  auto& open = lines_[asked.thing].open;
  const auto at = std::ranges::find(open, number);
  promise(at != open.end(), "a reply is to a request that waits", details);
  count_reply(now, number, publication.payload);
  open.erase(at);
  ++asked.replies_this_life;
  ++asked.replies;
  asked.replied = now;
  ++replies_;

  const bool accepted = !publication.payload.starts_with(R"({"code":)");
  asked.accepted = accepted;
  const auto topic = asked.response_topic.empty()
                         ? asked.topic + (accepted ? "/accepted" : "/rejected")
                         : asked.response_topic;
  check_token(now, asked, number, publication);
  promise(publication.topic == topic, "a reply goes where its device listens", details);
  promise(publication.correlation_data == asked.correlation, "a reply has its correlation data",
          details);
  promise(publication.payload.find("\"timestamp\":") != std::string::npos,
          "a reply has a timestamp", details);
  const bool update = asked.operation == Operation::update;
  promise(update || now <= asked.deadline + lateness_, "a reply comes in time", details);
  promise(publication.payload.find("\"thingName\"") == std::string::npos,
          "a reply does not repeat what its topic says", details);
  // The documents of the endpoint's jobs name their thing.
  if (const auto name = publication.payload.find("\"for\":\""); name != std::string::npos) {
    const auto thing = "\"for\":\"thing-" + std::to_string(asked.thing) + "\"";
    promise(publication.payload.compare(name, thing.size(), thing) == 0,
            "a reply is about its own thing", details);
  }
  if (accepted) {
    ++accepted_;
    promise(!asked.invalid, "what is no request is not accepted", details);
    check_accepted(now, asked);
  } else {
    code_in(publication.payload);
    check_rejected(now, asked, publication.payload);
  }
}

void Ledger::check_accepted(MonotonicTime now, const Asked& asked) const {
  const auto details = [&] { return describe(asked); };
  const auto& line = lines_[asked.thing];
  promise(line.last_success == now, "what is accepted was answered by the endpoint just now",
          details);
  if (asked.operation != Operation::update) return;
  promise(asked.applied > 0 || asked.joined || asked.expected_version == 0 ||
              line.last_version > asked.expected_version,
          "an update that is accepted has moved the version on", details);
  if (!asked.marked) return;
  promise(asked.applied > 0, "an update that is accepted was carried out", details);
}

void Ledger::check_rejected(MonotonicTime now, const Asked& asked, std::string_view reply) const {
  const auto details = [&] {
    return std::to_string(now.time_since_epoch().count()) + " " + std::string(reply) + " for " +
           describe(asked);
  };
  if (asked.operation != Operation::update) return;
  const bool at_once = (now == asked.received || asked.recording) && !asked.restored;
  const bool expired =
      asked.expires_after &&
      (asked.restored || (asked.calls == 0 && now >= asked.received + *asked.expires_after)) &&
      reply.find("expired") != std::string_view::npos;
  const bool rejected_at_stop = shutting_down_ && !settings_.holding.durable;
  const bool disturbed = lines_[asked.thing].disturbed_at >= asked.received;
  // One that joined another shares its fate.
  promise(at_once || asked.invalid || expired || rejected_at_stop || asked.given_up ||
              asked.refused || asked.joined || !settings_.holding.durable,
          "an update is held until the endpoint has decided", details);
  // An endpoint that refuses to say what became of it.
  const bool unknown =
      ((asked.refused || asked.joined) &&
       reply.find("not known whether the update was carried out") != std::string_view::npos) ||
      (expired && reply.find("not sent again") != std::string_view::npos);
  // By one before it, whose end in the journal was undone: carried out anew, it moved the version.
  const bool overwritten =
      asked.restored && lines_[asked.thing].overwritten_at >= asked.restored_at;
  promise(asked.applied == 0 || disturbed || overwritten || unknown || asked.given_up ||
              rejected_at_stop || asked.replies > 1,
          "an update that was carried out is not rejected", details);
  if (asked.given_up) {
    const auto least = std::min<Duration>(settings_.holding.max_age, std::chrono::hours(1));
    promise(asked.joined || now - asked.received >= settings_.holding.max_age ||
                (asked.restored && now - asked.restored_at >= least),
            "an update is not given up early", details);
  }
}

}  // namespace jobs_bridge::simulation
