// Encoded-words in header text (RFC 2047), decoded for people and made for mail of our own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postern::mime {

/// A field's value as UTF-8 text: unfolded, encoded-words decoded, white space between two of them
/// dropped. Octets over 127 outside are UTF-8 (RFC 6532) or else windows-1252. An encoded-word that
/// is broken or of an unknown charset stays as it is.
std::string decode_header(std::string_view value);

/// Whether UTF-8 text can't stand in a header as it is: not plain ASCII, with controls or what
/// looks like an encoded-word, or longer than a line may be.
bool needs_encoding(std::string_view text);

/// UTF-8 text as encoded-words of at most 75 octets, for an unstructured field, a phrase or a
/// comment; at least one.
std::vector<std::string> encoded_words(std::string_view utf8);

/// UTF-8 text for an unstructured field or a phrase: itself if it is plain ASCII that needs no
/// encoding, else encoded-words of at most 75 octets, folded with CRLF SP.
std::string encode_header_text(std::string_view utf8);

}  // namespace postern::mime
