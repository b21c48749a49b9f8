#include "adapters/admin/recent_errors.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "bridge/text/utf8.h"

namespace jobs_bridge::admin {
namespace {

auto identity(const ErrorEntry& entry) {
  return std::tie(entry.code, entry.operation, entry.message, entry.cause);
}

void shorten(std::string& text) {
  if (text.size() <= RecentErrors::max_text) return;
  text.resize(shortened(text, RecentErrors::max_text).size());
  text += "...";
}

}  // namespace

void RecentErrors::add(ErrorEntry entry) {
  for (auto* text : {&entry.thing, &entry.message, &entry.cause}) shorten(*text);
  const auto same = std::ranges::find_if(
      kept_, [&](const ErrorEntry& other) { return identity(other) == identity(entry); });
  if (same != kept_.end()) {
    same->several = same->several || same->thing != entry.thing;
    same->thing = std::move(entry.thing);
    same->last = entry.last;
    ++same->count;
    kept_.splice(kept_.begin(), kept_, same);
    return;
  }
  const auto of_thing = [&](const ErrorEntry& other) {
    return !other.several && other.thing == entry.thing;
  };
  const auto of_its_own = std::ranges::count_if(kept_, of_thing);
  if (!entry.thing.empty() && of_its_own >= static_cast<std::ptrdiff_t>(max_per_thing)) {
    const auto oldest = std::find_if(kept_.rbegin(), kept_.rend(), of_thing);
    kept_.erase(std::next(oldest).base());
  } else if (kept_.size() >= most) {
    kept_.pop_back();
  }
  entry.first = entry.last;
  entry.count = 1;
  kept_.push_front(std::move(entry));
}

}  // namespace jobs_bridge::admin
