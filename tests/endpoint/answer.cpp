#include "tests/endpoint/answer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

namespace jobs_endpoint {
namespace {

/// Messages may quote what a request held: what is no UTF-8 in it must not fail the answer.
std::string print(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_small(char letter) {
  return letter >= 'a' && letter <= 'z';
}

HttpAnswer json_answer(int status, std::string body) {
  return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

}  // namespace

HttpAnswer success_answer(const Json& data, AnswerShape shape) {
  if (shape == AnswerShape::envelope) {
    return json_answer(200, print({{"success", true}, {"data", data}}));
  }
  return json_answer(200, data.is_null() ? std::string() : print(data));
}

HttpAnswer error_answer(const ServiceError& error, AnswerShape shape) {
  if (shape == AnswerShape::envelope) {
    return json_answer(
        error.status(),
        print({{"success", false},
               {"error", {{"code", envelope_code(error.type())}, {"message", error.what()}}}}));
  }
  Json body = {{"message", error.what()}};
  if (!error.members().is_null()) body.update(error.members());
  HttpAnswer answer = json_answer(error.status(), print(body));
  if (!error.type().empty()) answer.headers.emplace_back("x-amzn-ErrorType", error.type());
  return answer;
}

std::string envelope_code(const std::string& error_type) {
  if (error_type == "InvalidRequestException" || error_type == "SerializationException" ||
      error_type == "ValidationException") {
    return "VALIDATION_ERROR";
  }
  const bool is_aws_name = std::any_of(error_type.begin(), error_type.end(), is_small);
  if (!is_aws_name) return error_type.empty() ? "INTERNAL_ERROR" : error_type;
  std::string_view stem = error_type;
  for (const std::string_view ending : {"Exception", "Failure", "Error"}) {
    if (stem.size() > ending.size() && stem.substr(stem.size() - ending.size()) == ending) {
      stem.remove_suffix(ending.size());
    }
  }
  std::string code;
  for (const char letter : stem) {
    const bool capital = letter >= 'A' && letter <= 'Z';
    if (capital && !code.empty()) code.push_back('_');
    code.push_back(is_small(letter) ? static_cast<char>(letter - 'a' + 'A') : letter);
  }
  return code;
}

std::string request_id(std::uint64_t number) {
  std::array<char, 40> text = {};
  const int length = std::snprintf(text.data(), text.size(), "00000000-0000-4000-8000-%012llx",
                                   static_cast<unsigned long long>(number & 0xFFFFFFFFFFFFULL));
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace jobs_endpoint
