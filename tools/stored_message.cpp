#include "tools/stored_message.h"

#include <unistd.h>

#include "lib/base/text.h"
#include "lib/mime/address.h"
#include "lib/mime/message.h"

namespace postern::tools {
namespace {

/// The address in the first field called `name`; "" is the null path.
std::optional<std::string> address_in(std::string_view message, std::string_view name) {
  for (const auto& field : mime::scan_header(message).fields) {
    if (!iequals(field.name.of(message), name)) continue;
    const auto list = mime::parse_address_list(field.value.of(message), 16);
    return list.empty() ? std::string() : list.front().addr_spec();
  }
  return std::nullopt;
}

}  // namespace

Result<std::string> read_standard_input() {
  std::string out;
  if (isatty(STDIN_FILENO) != 0) return out;
  char buffer[65'536];
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0) return errno_error("read", "standard input");
    if (got == 0) return out;
    out.append(buffer, static_cast<std::size_t>(got));
  }
}

sieve::EnvelopeView stored_envelope(std::string_view message) {
  sieve::EnvelopeView envelope;
  envelope.from = address_in(message, "Return-Path");
  envelope.to = address_in(message, "Delivered-To");
  return envelope;
}

}  // namespace postern::tools
