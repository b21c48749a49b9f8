#include "tests/load/load.h"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <stdexcept>
#include <utility>

namespace jobs_load {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::string_view accepted = "/accepted";
constexpr std::string_view rejected = "/rejected";

std::string random_mark() {
  std::random_device random;
  return "load-" + std::to_string(random()) + "-";
}

steady_clock::duration to_clock(std::chrono::duration<double> time) {
  return std::chrono::duration_cast<steady_clock::duration>(time);
}

std::string code_of(std::string_view payload) {
  const auto document = nlohmann::json::parse(payload, nullptr, false);
  if (!document.is_object()) return "not an object";
  return document.value("code", std::string("no code"));
}

}  // namespace

Load::Load(const Options& options, const std::atomic<bool>& stopping)
    : options_(options),
      stopping_(stopping),
      mark_(random_mark()),
      tally_(options.patience),
      random_(options.seed) {
  if (options_.progress.count() > 0) {
    progress_.emplace(options_.progress, options_.patience, [](const std::string& line) {
      std::fputs(line.c_str(), stdout);
      std::fflush(stdout);
    });
  }
  for (std::size_t thing = 0; thing < options_.things; ++thing) idle_.push_back(thing);
  order_.resize(options_.things);
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::shuffle(order_.begin(), order_.end(), random_);
}

std::string Load::name(std::size_t thing) const {
  return options_.prefix + std::to_string(thing + 1);
}

std::string Load::request_topic(std::size_t thing, Operation operation) const {
  const auto& [before, after] = options_.topic;
  const auto jobs = before + name(thing) + after;
  switch (operation) {
    case Operation::get:
      return jobs + "/get";
    case Operation::describe_next:
      return jobs + "/$next/get";
    case Operation::describe:
      return jobs + "/" + options_.job + "/get";
    case Operation::update:
      return jobs + "/" + options_.job + "/update";
    case Operation::start_next:
      break;
  }
  return jobs + "/start-next";
}

Operation Load::next_operation() {
  const auto& all = options_.operations;
  return all.size() == 1 ? all.front() : all[random_() % all.size()];
}

void Load::connect() {
  const auto when_lost =
      options_.reconnect ? Connection::WhenLost::reconnect : Connection::WhenLost::fail;
  for (std::size_t i = 0; i < options_.connections; ++i) {
    connections_.push_back(std::make_unique<Connection>(
        options_.broker, mark_ + std::to_string(i), when_lost,
        [this](std::string_view topic, std::string_view payload) { take_reply(topic, payload); }));
  }
}

void Load::subscribe() {
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    std::vector<std::string> filters;
    for (std::size_t thing = i; thing < options_.things; thing += connections_.size()) {
      for (const auto operation :
           std::set(options_.operations.begin(), options_.operations.end())) {
        const auto topic = request_topic(thing, operation);
        filters.push_back(topic + std::string(accepted));
        filters.push_back(topic + std::string(rejected));
      }
    }
    connections_[i]->subscribe(filters, options_.qos);
  }
  const auto limit = steady_clock::now() + 60s;
  while (std::any_of(connections_.begin(), connections_.end(),
                     [](const auto& connection) { return connection->unanswered() > 0; }) &&
         !stopping_) {
    if (steady_clock::now() > limit) throw std::runtime_error("no answer to SUBSCRIBE");
    serve(steady_clock::now() + 100ms);
  }
}

void Load::ask(std::size_t thing, Time due, bool counts) {
  const auto operation = next_operation();
  auto& connection = *connections_[thing % connections_.size()];
  if (!connection.usable()) {
    // Only with --reconnect: a device without a connection cannot ask.
    if (progress_) progress_->skipped();
    if (counts) tally_.skipped();
    return;
  }
  const auto sequence = tally_.asked(thing, due, counts);
  if (counts) ++counted_;
  if (progress_) progress_->asked(sequence, name(thing), operation, due);
  connection.publish(
      request_topic(thing, operation),
      std::string(operation == Operation::update ? R"({"status":"IN_PROGRESS",)" : "{") +
          R"("clientToken":")" + mark_ + std::to_string(sequence) + R"("})",
      options_.qos);
}

bool Load::has_asked_all(Time now) const {
  if (stopping_) return true;
  if (options_.requests > 0) return counted_ >= options_.requests;
  return now >= measuring_ + to_clock(options_.duration);
}

Time Load::next_due() const {
  return start_ +
         to_clock(std::chrono::duration<double>(static_cast<double>(due_count_) / options_.rate));
}

void Load::ask_what_is_due(Time now) {
  const bool counts = now >= measuring_;
  if (options_.rate <= 0) {
    while (tally_.outstanding() < options_.in_flight && !idle_.empty() && !has_asked_all(now)) {
      const auto thing = idle_.front();
      idle_.pop_front();
      ask(thing, steady_clock::now(), counts);
    }
    return;
  }
  for (auto next = next_due(); next <= now && !has_asked_all(next); next = next_due()) {
    ask(order_[next_in_order_], next, next >= measuring_);
    next_in_order_ = (next_in_order_ + 1) % order_.size();
    ++due_count_;
  }
}

void Load::take_reply(std::string_view topic, std::string_view payload) {
  // Found by its mark and not parsed: at tens of thousands a second the measuring must cost little.
  const auto mark = payload.find(mark_);
  if (mark == std::string_view::npos) return;
  Reply reply{};
  const char* begin = payload.data() + mark + mark_.size();
  if (std::from_chars(begin, payload.data() + payload.size(), reply.sequence).ec != std::errc()) {
    return;
  }
  if (topic.ends_with(rejected)) reply.rejection = code_of(payload);
  replies_.push_back(std::move(reply));
}

void Load::account_for_replies() {
  const auto now = steady_clock::now();
  for (const auto thing : tally_.expire(now)) free(thing);
  for (auto& reply : std::exchange(replies_, {})) {
    if (progress_) progress_->answered(reply.sequence, reply.rejection, now);
    const auto thing = tally_.answered(reply.sequence, now);
    if (!thing) continue;
    if (!reply.rejection.empty()) tally_.rejected(reply.rejection);
    free(*thing);
  }
}

void Load::free(std::size_t thing) {
  if (options_.rate <= 0) idle_.push_back(thing);
}

void Load::serve(Time until) {
  std::vector<pollfd> polled;
  for (const auto& connection : connections_) {
    const int events = POLLIN | (connection->wants_to_write() ? POLLOUT : 0);
    polled.push_back({connection->socket(), static_cast<short>(events), 0});
  }
  const auto now = steady_clock::now();
  const auto left = std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(until - now));
  const timespec limit{static_cast<time_t>(left / 1s), static_cast<long>((left % 1s).count())};
  if (ppoll(polled.data(), polled.size(), &limit, nullptr) > 0) {
    for (std::size_t i = 0; i < polled.size(); ++i) {
      const int events = polled[i].revents;
      if (events != 0) connections_[i]->ready((events & ~POLLOUT) != 0, (events & POLLOUT) != 0);
    }
  }
  account_for_replies();
  if (now < next_tending_) return;
  next_tending_ = now + 1s;
  for (const auto& connection : connections_) connection->tend();
  if (progress_) {
    progress_->tick(now, static_cast<std::size_t>(
                             std::count_if(connections_.begin(), connections_.end(),
                                           [](const auto& each) { return each->usable(); })));
  }
}

Tally::Summary Load::run() {
  connect();
  subscribe();
  start_ = steady_clock::now();
  measuring_ = start_ + to_clock(options_.warm_up);
  for (auto now = start_; !has_asked_all(now); now = steady_clock::now()) {
    ask_what_is_due(now);
    auto until = steady_clock::now() + 100ms;
    // Not a moment later: what the generator is late by would count as the gateway's.
    if (options_.rate > 0) until = std::min(until, next_due());
    serve(until);
  }
  const auto limit = steady_clock::now() + to_clock(options_.patience);
  while (tally_.outstanding() > 0 && steady_clock::now() < limit) {
    serve(steady_clock::now() + 100ms);
  }
  if (progress_) progress_->finish(steady_clock::now());
  return tally_.summary();
}

}  // namespace jobs_load
