// Encoded-words in header text (RFC 2047), decoded for people and made for mail of our own.
#pragma once

#include <string>
#include <string_view>

namespace postern::mime {

/// A field's value as UTF-8 text: unfolded, encoded-words decoded, white space between two of them
/// dropped. Octets over 127 outside are UTF-8 (RFC 6532) or else windows-1252. An encoded-word that
/// is broken or of an unknown charset stays as it is.
std::string decode_header(std::string_view value);

/// UTF-8 text for an unstructured field or a phrase: itself if it is plain ASCII that needs no
/// encoding, else encoded-words of at most 75 octets, folded with CRLF SP.
std::string encode_header_text(std::string_view utf8);

}  // namespace postern::mime
