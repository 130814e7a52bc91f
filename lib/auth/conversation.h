// One SASL exchange from its first to its last word, however a protocol carries the words.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lib/auth/auth.h"

namespace postern::auth {

/// Sends a challenge and gives the client's response, both raw. An error ends the exchange.
using Ask = std::function<Result<Secret>(std::string_view challenge)>;

/// Who logged in. What the mechanism says with success goes into `with_success` where the protocol
/// can carry it; otherwise (null) it is one more challenge, whose answer is empty (RFC 4422 §3.5).
/// @error of Exchange::start() and of `ask`
Result<Login> converse(Exchange exchange, std::string_view mechanism,
                       const std::optional<Secret>& initial, const Ask& ask,
                       std::optional<std::string>* with_success = nullptr);

/// initial-response = base64 / "=" (RFC 4954 §4, RFC 5034 §4); an empty text is none.
/// @error bad_syntax
Result<std::optional<Secret>> parse_initial_response(std::string_view text);

/// A response in base64. @error bad_syntax  "*": the client gives up; or not base64
Result<Secret> parse_response(std::string_view text);

}  // namespace postern::auth
