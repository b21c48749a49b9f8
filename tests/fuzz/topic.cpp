// Topics that devices choose, under a base that an operator chooses. Input: the base, a newline,
// the topic. An empty base is AWS IoT's.

#include "bridge/jobs/topic.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>

#include "tests/fuzz/input.h"
#include "tests/fuzz/promise.h"

namespace {

using namespace jobs_bridge;
using fuzz::promise;

std::string below_of(const TopicRequest& request) {
  const auto facts = facts_of(request.operation);
  return (request.job ? request.job->text() + "/" : "") + std::string(facts.verb);
}

/// MQTT's rules (MQTT 5.0, section 4.7), told apart from ours.
bool matches(std::string_view filter, std::string_view topic) {
  while (true) {
    const auto end = std::min(filter.find('/'), filter.size());
    const auto level_end = std::min(topic.find('/'), topic.size());
    if (filter.substr(0, end) != "+" && filter.substr(0, end) != topic.substr(0, level_end)) {
      return false;
    }
    if (end == filter.size() || level_end == topic.size()) {
      return end == filter.size() && level_end == topic.size();
    }
    filter.remove_prefix(end + 1);
    topic.remove_prefix(level_end + 1);
  }
}

bool comes_back(const TopicGrammar& grammar, std::string_view topic) {
  const auto brings = [&](const std::string& filter) { return matches(filter, topic); };
  return std::ranges::any_of(grammar.filters(), brings) ||
         std::ranges::any_of(grammar.namespace_filters(), brings);
}

/// A Response Topic is of a narrower set than a job's id.
bool is_printable(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  auto base = input.line();
  if (base.empty()) base = "$aws/things/{thing}/jobs";
  const auto topic = input.rest();
  const auto grammar = TopicGrammar::from_base(base);
  if (!grammar) {
    promise(!grammar.error().empty(), "a base that is refused has a reason");
    return 0;
  }
  // A base without wildcards, as from_base() has them, and a topic that a broker would take.
  if (topic.find_first_of("+#") == topic.npos) {
    promise(grammar->brings_in(topic) == comes_back(*grammar, topic),
            "what the filters bring in is known");
  }
  const auto parsed = grammar->parse(topic);
  if (const auto* request = std::get_if<TopicRequest>(&parsed)) {
    promise(grammar->topic_of(request->thing, below_of(*request)) == topic,
            "a request's topic is the one that its parts make");
    promise(grammar->thing_level(topic) == request->thing.text(), "the thing is the topic's");
    promise(request->job.has_value() == (facts_of(request->operation).job != NamedJob::none),
            "a job is named where the operation has one");
    promise(comes_back(*grammar, topic), "a filter brings in every request");
    for (const auto* suffix : {"/accepted", "/rejected"}) {
      const auto reply = std::string(topic) + suffix;
      promise(std::holds_alternative<NotARequest>(grammar->parse(reply)),
              "a reply's topic is no request");
      promise(!comes_back(*grammar, reply), "no filter brings in a reply");
      const bool ordinary = !request->job || (request->job->text().size() <= 64 &&
                                              is_printable(request->job->text()));
      promise(!ordinary || grammar->allows_response(request->thing, reply),
              "a device may ask for its reply where it would go anyway");
    }
    promise(!grammar->allows_response(request->thing, topic), "no reply goes to a request's topic");
  }
  if (const auto* invalid = std::get_if<InvalidTopic>(&parsed)) {
    promise(!invalid->message.empty(), "an invalid topic has a reason");
  }
  if (const auto thing = ThingName::parse(grammar->thing_level(topic));
      thing && grammar->allows_response(*thing, topic)) {
    promise(!comes_back(*grammar, topic), "no filter brings in what a device wants as its reply");
    promise(topic.find_first_of("+#") == topic.npos || base.find_first_of("+#") != base.npos,
            "a reply's topic holds no wildcard");
    const auto other = ThingName::parse(thing->text() == "other" ? "another" : "other");
    promise(!grammar->allows_response(*other, topic), "a reply goes to its own thing's topics");
  }
  return 0;
}
