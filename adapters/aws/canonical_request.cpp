#include "adapters/aws/canonical_request.h"

#include <algorithm>
#include <array>

#include "bridge/text/ascii.h"
#include "bridge/text/percent_encoding.h"

namespace jobs_bridge::aws {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

void append_path(std::string& to, std::string_view path, PathForm form) {
  auto segments = split(path, '/');
  // A path begins with a slash, so there is nothing before the first.
  if (!segments.empty()) segments.erase(segments.begin());
  std::vector<std::string_view> kept;
  bool directory = false;  // whether the path ends in a slash
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto segment = segments[i];
    const bool last = i + 1 == segments.size();
    if (form == PathForm::as_sent) {
      kept.push_back(segment);
      continue;
    }
    if (last) directory = segment.empty() || segment == "." || segment == "..";
    if (segment.empty() || segment == ".") continue;
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else {
      kept.push_back(segment);
    }
  }
  if (kept.empty()) to += '/';
  for (const auto segment : kept) {
    to += '/';
    append_percent_encoded(to, segment);
  }
  if (directory && !kept.empty()) to += '/';
}

void append_query(std::string& to, std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  for (const auto part : split(query, '&')) {
    if (part.empty()) continue;
    const auto equals = std::min(part.find('='), part.size());
    std::string name;
    append_percent_encoded(name, percent_decoded(part.substr(0, equals)));
    std::string value;
    if (equals < part.size())
      append_percent_encoded(value, percent_decoded(part.substr(equals + 1)));
    parameters.emplace_back(std::move(name), std::move(value));
  }
  std::ranges::sort(parameters);
  bool first = true;
  for (const auto& [name, value] : parameters) {
    if (!first) to += '&';
    first = false;
    to.append(name).append("=").append(value);
  }
}

/// Headers that are changed, added or removed on the way, or that both sides could not compute
/// alike.
bool is_left_out(std::string_view name) {
  constexpr std::array<std::string_view, 10> names = {
      "authorization", "connection", "expect",     "keep-alive",        "te",
      "trailer",       "upgrade",    "user-agent", "transfer-encoding", "x-amzn-trace-id"};
  return std::ranges::find(names, name) != names.end();
}

/// Without space around it, and with one where there were several or a line was folded.
void append_trimmed(std::string& to, std::string_view value) {
  bool gap = false;
  bool begun = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      gap = begun;
      continue;
    }
    if (gap) to += ' ';
    gap = false;
    begun = true;
    to += c;
  }
}

void append_headers(CanonicalRequest& request, const HeaderList& headers) {
  std::vector<std::pair<std::string, std::string_view>> chosen;
  chosen.reserve(headers.size());
  for (const auto& [name, value] : headers) {
    auto known_as = lower_case(name);
    if (!is_left_out(known_as)) chosen.emplace_back(std::move(known_as), value);
  }
  // Of several with one name the order of arrival counts.
  std::ranges::stable_sort(chosen, {},
                           [](const auto& header) -> const std::string& { return header.first; });
  const std::string* before = nullptr;
  for (const auto& [name, value] : chosen) {
    if (before != nullptr && *before == name) {
      request.text.back() = ',';
    } else {
      request.text.append(name) += ':';
      if (before != nullptr) request.signed_headers += ';';
      request.signed_headers += name;
    }
    append_trimmed(request.text, value);
    request.text += '\n';
    before = &name;
  }
}

}  // namespace

CanonicalRequest canonical_request(std::string_view method, std::string_view target,
                                   const HeaderList& headers, std::string_view body_hash,
                                   PathForm form) {
  constexpr std::size_t usual_size = 2048;  // a session token is most of it
  const auto mark = std::min(target.find('?'), target.size());
  CanonicalRequest request;
  request.text.reserve(usual_size);
  request.text.append(method) += '\n';
  append_path(request.text, target.substr(0, mark), form);
  request.text += '\n';
  append_query(request.text, target.substr(std::min(mark + 1, target.size())));
  request.text += '\n';
  append_headers(request, headers);
  request.text.append("\n").append(request.signed_headers).append("\n").append(body_hash);
  return request;
}

}  // namespace jobs_bridge::aws
