// Content-Transfer-Encodings (RFC 2045 §6): decoding, tolerant of what mail really contains.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/mime/message.h"

namespace postern::mime {

/// Decodes in pieces of any size.
class TransferDecoder {
 public:
  explicit TransferDecoder(Encoding encoding) : encoding_(encoding) {}
  /// Appends what `in` makes complete. base64: octets outside the alphabet are skipped, "=" ends a
  /// group; quoted-printable: a broken "=XY" stays as it is.
  void decode(std::string_view in, std::string& out);
  /// Appends what is left at the end of the input.
  void finish(std::string& out);

 private:
  void base64(std::string_view in, std::string& out);
  static std::size_t base64_groups(std::string_view in, std::string& out);
  void quoted_printable(std::string_view in, std::string& out);
  bool continue_escape(char c, std::string& out);

  Encoding encoding_;
  std::uint32_t bits_ = 0;  // base64: up to three sextets
  unsigned sextets_ = 0;
  std::string held_;  // quoted-printable: "=", "=X", or white space before a line end
};

/// The whole at once. `unknown` is left as it is.
std::string decode_transfer(Encoding encoding, std::string_view in);

/// Of a Content-Transfer-Encoding value, comments allowed; `unknown` for other words.
Encoding parse_encoding(std::string_view value);
/// "base64", "quoted-printable", …; "" for unknown.
std::string_view name_of(Encoding encoding);

}  // namespace postern::mime
