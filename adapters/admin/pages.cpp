#include "adapters/admin/pages.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "adapters/admin/access.h"
#include "adapters/admin/readiness.h"
#include "adapters/admin/status_json.h"
#include "bridge/text/hex.h"

namespace jobs_bridge::admin {
namespace {

constexpr const char* json_type = "application/json";
constexpr const char* metrics_type = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* html_type = "text/html; charset=utf-8";
constexpr std::array<std::string_view, 5> paths{"/", "/healthz", "/readyz", "/metrics",
                                                "/api/status"};

PageAnswer in_words(int status, std::string text) {
  return {.status = status, .body = std::move(text) + "\n"};
}

PageAnswer not_found() {
  std::string text = "Not found. The available pages:\n";
  for (const auto path : paths) text += "  " + std::string(path) + "\n";
  return {.status = 404, .body = std::move(text)};
}

bool is_open_to_all(std::string_view path) {
  return path == "/healthz" || path == "/";
}

/// Whether text/plain comes before JSON in what the client accepts.
bool prefers_text(std::string_view accept) {
  const auto text = accept.find("text/plain");
  return text != std::string_view::npos && text < accept.find("json");
}

std::string nonce() {
  std::array<char, 16> random{};
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    throw std::runtime_error("the kernel has no random numbers");
  }
  std::string text;
  for (const char c : random) append_hex(text, c);
  return text;
}

PageAnswer dashboard() {
  constexpr std::string_view placeholder = "{{nonce}}";
  const auto once = nonce();
  auto page = dashboard_page();
  for (auto at = page.find(placeholder); at != std::string::npos;
       at = page.find(placeholder, at + once.size())) {
    page.replace(at, placeholder.size(), once);
  }
  const auto policy = "default-src 'none'; script-src 'nonce-" + once + "'; style-src 'nonce-" +
                      once +
                      "'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                      "frame-ancestors 'none'";
  return {.status = 200,
          .content_type = html_type,
          .body = std::move(page),
          .headers = {{"Content-Security-Policy", policy}}};
}

}  // namespace

Pages::Pages(Rules rules, Snapshot snapshot, const Metrics& metrics)
    : rules_(std::move(rules)), snapshot_(std::move(snapshot)), metrics_(metrics) {}

Pages::StatusPointer Pages::status() {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (!status_ || now - taken_ >= rules_.snapshot_lasts) {
    status_.reset();
    auto fresh = std::make_shared<Status>(snapshot_());
    fresh->process = read_process_usage();
    status_ = std::move(fresh);
    taken_ = now;
  }
  return status_;
}

std::optional<PageAnswer> Pages::refusal(const PageRequest& request) const {
  if (request.hosts.size() > 1) return in_words(400, "More than one Host header.");
  // A client of HTTP/1.0 may send none; a browser always does.
  if (rules_.loopback && !request.hosts.empty() && !names_loopback(request.hosts.front())) {
    return in_words(421,
                    "This listener answers only to names of the loopback interface, such as "
                    "localhost, so that pages of other sites cannot read it.");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    auto answer = in_words(405, "Only GET and HEAD are allowed.");
    answer.headers.emplace_back("Allow", "GET, HEAD");
    return answer;
  }
  if (!rules_.token.empty() && !is_open_to_all(request.path) &&
      !shows_token(request.authorization, rules_.token)) {
    auto answer = in_words(401, "This needs the header: Authorization: Bearer <admin token>");
    answer.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"jobs-bridge\"");
    return answer;
  }
  return std::nullopt;
}

PageAnswer Pages::ready(const PageRequest& request) {
  const auto verdict = readiness(*status());
  const auto code = verdict.ready() ? 200 : 503;
  if (prefers_text(request.accept)) return {.status = code, .body = readiness_text(verdict)};
  return {.status = code, .content_type = json_type, .body = readiness_json(verdict) + "\n"};
}

PageAnswer Pages::page(const PageRequest& request) {
  if (request.path == "/healthz") {
    status();
    return in_words(200, "ok");
  }
  if (request.path == "/readyz") return ready(request);
  if (request.path == "/metrics") {
    return {.content_type = metrics_type, .body = metrics_.text(*status())};
  }
  if (request.path == "/api/status") {
    const auto now = status();
    return {.content_type = json_type, .body = status_json(*now, readiness(*now)) + "\n"};
  }
  if (request.path == "/") return dashboard();
  return not_found();
}

PageAnswer Pages::answer(const PageRequest& request) {
  auto refused = refusal(request);
  auto answer = refused ? *std::move(refused) : page(request);
  const auto is_policy = [](const auto& header) {
    return header.first == "Content-Security-Policy";
  };
  if (std::ranges::none_of(answer.headers, is_policy)) {
    answer.headers.emplace_back("Content-Security-Policy",
                                "default-src 'none'; frame-ancestors 'none'");
  }
  return answer;
}

}  // namespace jobs_bridge::admin
