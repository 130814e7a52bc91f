// Mail for the load generators: looks like real mail, is the same in every run.
#pragma once

#include <cstddef>
#include <string>

namespace postern::bench {

/// What the text is made of: sixteen words, or thousands as unevenly as people use theirs, so that
/// it compresses as mail does.
enum class Text { few_words, prose };

/// A message of exactly `size` octets (at least 3,000), CRLF, no line starting with a dot. One in
/// two is text/plain, the others multipart/alternative or multipart/mixed with a base64 part.
/// Different numbers give different Message-IDs and texts.
std::string make_message(std::size_t number, std::size_t size, Text text = Text::few_words);

}  // namespace postern::bench
