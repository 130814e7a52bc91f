// Content-Type, Content-Disposition and their parameters (RFC 2045 §5.1, RFC 2183, RFC 2231).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/mime/message.h"

namespace postern::mime {

struct Parameter {
  std::string name;   // lower case, without RFC 2231's marks
  std::string value;  // UTF-8: continuations joined, percent and encoded-words decoded
  /// What IMAP shows: continuations joined (RFC 2231 §6), but a value with a charset stays
  /// `charset'language'percent-encoded` and its name ends with '*'.
  std::string wire_name;
  std::string wire_value;
};

/// The first word or type/subtype of such a field, lower case, and its parameters in order.
struct Parameterized {
  std::string main;  // "text/plain", "attachment"; empty when there is none
  std::vector<Parameter> parameters;

  /// The decoded value; null when it isn't there. `name` in lower case.
  [[nodiscard]] const std::string* find(std::string_view name) const;
};

/// Tolerates comments, missing quotes, stray semicolons and 8-bit octets. Reads the first 256
/// parameters of the first 64 KiB.
Parameterized parse_parameterized(std::string_view value);

/// What the parser itself needs of a Content-Type.
struct MediaType {
  std::string type;      // lower case; empty when the value is no type/subtype
  std::string subtype;   // lower case
  std::string boundary;  // of a multipart, without trailing white space (RFC 2046 §5.1.1)
};
MediaType parse_media_type(std::string_view value);

/// UTF-8 as the value of an extended parameter `name*` (RFC 2231 §4): utf-8''percent-encoded.
std::string extended_value(std::string_view utf8);

/// Of the part's own header; `main` is "" without the field.
Parameterized content_type(const Message& message, const Part& part);
Parameterized content_disposition(const Message& message, const Part& part);
/// The charset parameter as it stands, or "" (a text part: us-ascii, RFC 2045 §5.2).
std::string charset(const Message& message, const Part& part);
/// The file name: of the disposition, else of the type's `name`; "" when there is none.
std::string file_name(const Message& message, const Part& part);

}  // namespace postern::mime
