// Ledger: whether what devices hear is right.

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "tests/simulation/ledger.h"
#include "tests/simulation/violation.h"

namespace jobs_bridge::simulation {
namespace {

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
