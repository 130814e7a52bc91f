// Header text, charsets, transfer encodings and case mapping: whatever comes in, UTF-8 comes out,
// and pieces decode like the whole.
#include <cstdint>
#include <string>

#include "lib/base/assert.h"
#include "lib/base/text.h"
#include "lib/mime/charset.h"
#include "lib/mime/encoded_word.h"
#include "lib/mime/find.h"
#include "lib/mime/header.h"
#include "lib/mime/transfer.h"

namespace {

using namespace postern;
using namespace postern::mime;

void check_transfer(std::string_view bytes) {
  for (const Encoding encoding : {Encoding::base64, Encoding::quoted_printable}) {
    std::string pieces;
    TransferDecoder decoder(encoding);
    for (std::size_t at = 0; at < bytes.size(); at += 3)
      decoder.decode(bytes.substr(at, 3), pieces);
    decoder.finish(pieces);
    ASSERT(pieces == decode_transfer(encoding, bytes));
  }
}

void check_text(const std::string& text) {
  const std::string encoded = encode_header_text(text);
  const bool printable = text.find_first_of("\r\n") == std::string::npos;
  if (printable && is_utf8(text) && trim(text) == text) ASSERT(decode_header(encoded) == text);
  const std::string mapped = casemap(text);
  ASSERT(is_utf8(text) == is_utf8(mapped));
  ASSERT(contains_casemap(text, text.substr(0, 0)));
  if (is_ascii(text)) ASSERT(contains_casemap(text, to_upper(text)));
  const auto composed = to_nfc(text);
  ASSERT(!composed || to_nfc(*composed).value() == *composed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::string decoded = decode_header(bytes);
  ASSERT(is_utf8(decoded));
  check_text(bytes);
  check_text(decoded);
  ASSERT(is_utf8(base_subject(bytes)));
  check_transfer(bytes);
  const std::size_t line = bytes.find('\n');
  if (line != std::string::npos)
    ASSERT(is_utf8(to_utf8_or_guess(bytes.substr(0, line), bytes.substr(line + 1))));
  return 0;
}
