// ENVELOPE, BODY and BODYSTRUCTURE as octets that can be sent as they are (RFC 3501 §7.4.2, §9).
// Any message gives a form that follows the ABNF.
#pragma once

#include <string>

#include "lib/mime/message.h"

namespace postern::mime {

enum class Form {
  rev1,  // RFC 3501: octets over 127 only in literals
  utf8,  // RFC 9051 and UTF8=ACCEPT (RFC 6855 §3): UTF-8 in quoted strings, message/global nested
};

/// The value alone, without "ENVELOPE ". Encoded-words are left as they are; NUL, CR and LF inside
/// a value become spaces.
/// @param part  whose header: 0, or the child of a message/rfc822 part
std::string envelope(const Message& message, Form form = Form::rev1, std::uint32_t part = 0);

/// With extension data.
std::string bodystructure(const Message& message, Form form = Form::rev1);
/// Without: the answer to FETCH BODY.
std::string body(const Message& message, Form form = Form::rev1);

/// False: both forms of this message are the same octets, and only one need be stored.
inline bool forms_differ(const Message& message) {
  return message.eight_bit_header || message.global_part;
}

/// One nstring's content as IMAP takes it: quoted where `form` allows, else a literal.
void append_string(std::string& out, std::string_view text, Form form);

}  // namespace postern::mime
