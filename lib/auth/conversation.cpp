#include "lib/auth/conversation.h"

#include "lib/base/text.h"

namespace postern::auth {

Result<Login> converse(Exchange exchange, std::string_view mechanism,
                       const std::optional<Secret>& initial, const Ask& ask,
                       std::optional<std::string>* with_success) {
  Step step = TRY(exchange.start(mechanism, initial));
  while (!step.login) step = TRY(exchange.step(TRY(ask(step.challenge.value_or("")))));
  if (with_success != nullptr)
    *with_success = std::move(step.challenge);
  else if (step.challenge)
    TRY(ask(*step.challenge));
  return std::move(*step.login);
}

Result<std::optional<Secret>> parse_initial_response(std::string_view text) {
  std::optional<Secret> out;
  if (text == "=")
    out.emplace("");
  else if (!text.empty())
    out.emplace(TRY(from_base64(text)));
  return out;
}

Result<Secret> parse_response(std::string_view text) {
  if (text == "*") return fail(Errc::bad_syntax, "cancelled by the client");
  return Secret(TRY(from_base64(text)));
}

}  // namespace postern::auth
