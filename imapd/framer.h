// Framer: reads one complete command (RFC 9051 §2.2.1) with its literals, within limits, and
// decides with the help of a policy what becomes of each literal before its octets come.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imapd/grammar.h"
#include "lib/base/result.h"
#include "lib/net/stream.h"

namespace postern::imap {

/// What is to be done with a literal that the client has announced.
struct LiteralVerdict {
  enum class Kind : std::uint8_t {
    inline_,  // part of the command's text
    hold,     // its octets go to `sink`; the text keeps the head only
    refuse,   // the command fails with `refusal`; the octets, if they come anyway, are dropped
  };
  Kind kind = Kind::inline_;
  net::Sink sink;
  Error refusal;
};
/// Asked with the command so far, the literal's head included (without CRLF).
using LiteralPolicy = std::function<LiteralVerdict(std::string_view text, const LiteralHead& head)>;

struct FrameLimits {
  std::size_t text = 64 << 10;        // octets of a command outside of held literals
  std::uint64_t swallow = 100 << 20;  // most octets of refused literals that are read and dropped
};

/// A command as Cursor takes it, or, with `refused`, as far as it was needed for its tag.
struct Framed {
  std::string text;
  std::vector<std::size_t> held;  // offsets of the heads of held literals
  std::optional<Error> refused;
};

/// Reads one command. Sends "+" for synchronizing literals that are welcome.
/// @error closed, timed_out, unavailable, io  as of the stream
/// @error limit  the client sends more than may be dropped: say BYE
Result<Framed> read_command(net::Stream& stream, const FrameLimits& limits,
                            const LiteralPolicy& policy);

}  // namespace postern::imap
