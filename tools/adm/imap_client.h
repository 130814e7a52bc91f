// A small IMAP client for administration: one command at a time, answers as trees of values. Plain
// TCP or a Unix socket; names travel as UTF-8 once UTF8=ACCEPT is enabled (RFC 6855).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/auth/secret.h"
#include "lib/base/result.h"
#include "lib/net/endpoint.h"
#include "lib/net/stream.h"

namespace postern::tools {

/// What stands in an untagged response: an atom or number, a string, NIL, or a list of these.
struct Value {
  enum class Kind { atom, string, nil, list } kind = Kind::atom;
  std::string text;
  std::vector<Value> items;
};

/// "* LIST (\Noselect) "/" user": name "LIST", three values.
struct Untagged {
  std::string name;  // upper case
  std::vector<Value> values;
};

/// A command that was answered with OK.
struct Answer {
  std::string text;
  std::vector<Untagged> untagged;

  /// The responses of that name.
  [[nodiscard]] std::vector<const Untagged*> all(std::string_view name) const;
};

class ImapClient {
 public:
  /// @error unavailable, timed_out, closed
  static Result<ImapClient> connect(const net::Endpoint& server);

  /// @error auth_failed, privacy_required (the server takes no plaintext here)
  Result<void> login(std::string_view user, const auth::Secret& password);
  /// Sends `command` (no tag, no CRLF) and reads up to its tagged answer.
  /// @error what the response code says, with the server's text; bad_syntax for BAD
  Result<Answer> run(std::string_view command);

  [[nodiscard]] const std::string& greeting() const { return greeting_; }

 private:
  explicit ImapClient(net::Stream stream) : stream_(std::move(stream)) {}
  /// A whole response: literals are taken in, as "{n}" and their octets.
  Result<std::string> read_response();

  net::Stream stream_;
  std::string greeting_;
  unsigned last_tag_ = 0;
};

/// A quoted string. @error bad_syntax  CR, LF or NUL in it
Result<std::string> quoted(std::string_view text);

/// The values of a response, as read by ImapClient.
/// @error bad_syntax
Result<std::vector<Value>> parse_values(std::string_view text);

}  // namespace postern::tools
