// The surrogate of any octets has no UTF-8 in its headers, says the same in its text fields, and is
// made of the same parts.
#include <algorithm>
#include <cstdint>
#include <string>

#include "lib/base/assert.h"
#include "lib/base/text.h"
#include "lib/mime/downgrade.h"
#include "lib/mime/encoded_word.h"
#include "lib/mime/parameters.h"
#include "tests/unit/mime/support.h"

namespace {

using namespace postern;
using namespace postern::mime;

void check_edits(const Message& message, const std::vector<Edit>& edits) {
  std::uint64_t end = 0;
  for (const Edit& edit : edits) {
    ASSERT(edit.range.begin >= end && edit.range.end > edit.range.begin);
    ASSERT(is_ascii(edit.text));
    end = edit.range.end;
    const Message after = parse(edit.text);
    const Message before = parse(message.text(edit.range));
    if (before.fields.front().id != FieldId::subject) continue;
    ASSERT(decode_header(before.text(before.fields.front().value)) ==
           decode_header(after.text(after.fields.front().value)));
  }
}

// Without a field that began a part, a line behind it may begin the body; without a boundary, there
// are no parts.
bool keeps_structure(const Message& message, const std::vector<Edit>& edits) {
  const auto gone = [](const Edit& edit) { return edit.text.empty(); };
  const auto ascii_boundary = [&](const Part& part) {
    const Field* type = message.find(part, FieldId::content_type);
    return type == nullptr || is_ascii(parse_media_type(message.text(type->value)).boundary);
  };
  return std::ranges::none_of(edits, gone) && std::ranges::all_of(message.parts, ascii_boundary);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const Message message = parse(bytes);
  const auto edits = downgrade(message);
  check_edits(message, edits);
  std::string surrogate;
  for (const std::string_view piece : pieces(bytes, {0, bytes.size()}, edits)) surrogate += piece;
  if (!keeps_structure(message, edits)) return 0;
  const Message after = parse(surrogate);
  ASSERT(downgrade(after).empty());
  ASSERT(testing::tree(message) == testing::tree(after));
  return 0;
}
