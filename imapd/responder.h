// Responder: writes answers. Everything goes into the stream's buffer, which is sent when the
// session waits for the client, so the answers to pipelined commands leave together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "imapd/cursor.h"
#include "lib/net/stream.h"

namespace postern::imap {

class Responder {
 public:
  explicit Responder(net::Stream& stream) : stream_(stream) {}

  /// "* " text CRLF; the pieces are joined as they are.
  template <typename... Pieces>
  void untagged(const Pieces&... pieces) {
    stream_.write("* ");
    (write(pieces), ...);
    stream_.write("\r\n");
  }
  void write(std::string_view text) { stream_.write(text); }
  void write(std::uint64_t number);
  void write(std::uint32_t number) { write(std::uint64_t{number}); }

  /// The response code of the tagged reply that will follow, without brackets: "UIDNEXT 5".
  void code(std::string code) { code_ = std::move(code); }
  [[nodiscard]] bool has_code() const { return !code_.empty(); }
  /// tag SP status SP ["[" code "]" SP] text CRLF; forgets the code.
  void tagged(std::string_view tag, std::string_view status, std::string_view text);
  [[nodiscard]] std::string tagged_line(std::string_view tag, std::string_view status,
                                        std::string_view text);
  void bye(std::string_view text) { untagged("BYE ", text); }

  [[nodiscard]] net::Stream& stream() { return stream_; }

 private:
  net::Stream& stream_;
  std::string code_;
};

/// Appends `value` in decimal; returns behind the last digit. `at` has room for 20.
char* put_number(char* at, std::uint64_t value);

/// A string for an answer: quoted where it can be, else a literal. 8-bit octets only in literals
/// unless `utf8`.
void append_string(std::string& out, std::string_view text, bool utf8);

}  // namespace postern::imap
