// mailto URIs of notify (RFC 6068, RFC 5436).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::sieve {

struct Mailto {
  std::vector<std::string> to;
  std::vector<std::string> cc;
  std::optional<std::string> subject;
  std::string body;
};

/// Nothing if `uri` is no mailto URI with at least one recipient. Other fields of the URI are
/// ignored (RFC 5436 §2.7 calls several unsafe).
std::optional<Mailto> parse_mailto(std::string_view uri);

}  // namespace postern::sieve
