// The text of a message for searches: see message_text.h.
#include "lib/search/message_text.h"

#include "lib/mime/charset.h"
#include "lib/mime/encoded_word.h"
#include "lib/mime/message.h"
#include "lib/mime/section_table.h"
#include "lib/mime/transfer.h"

namespace postern::search {
namespace {

bool header_contains(std::string_view header, const mime::CasemapNeedle& needle) {
  for (const mime::Field& field : mime::scan_header(header).fields) {
    const std::string_view name = field.name.of(header);
    const std::string value = mime::decode_header(field.value.of(header));
    if (needle.in(value) || needle.in(std::string(name) + ": " + value)) return true;
  }
  return false;
}

bool part_contains(std::string_view body, const mime::SectionPart& part,
                   const mime::CasemapNeedle& needle) {
  const bool plain = part.encoding == mime::Encoding::seven_bit && part.charset.empty();
  if (plain) return needle.in(body);
  const std::string octets = mime::decode_transfer(part.encoding, body);
  return needle.in(mime::to_utf8_or_guess(part.charset, octets));
}

}  // namespace

Result<bool> text_contains(std::string_view message, std::string_view sections,
                           const mime::CasemapNeedle& needle, bool headers) {
  const auto table = TRY(mime::SectionTable::open(sections, message.size()));
  const auto parts = table.parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const mime::SectionPart& part = parts[i];
    const bool nested =
        part.parent != mime::kNone && parts[part.parent].kind == mime::Kind::message;
    if ((nested || (i == 0 && headers)) && header_contains(part.header.of(message), needle))
      return true;
    if (part.text && part_contains(part.body.of(message), part, needle)) return true;
  }
  return false;
}

}  // namespace postern::search
