// Field names found by their length and first letter.
#include "lib/mime/field_id.h"

#include <array>

#include "lib/base/text.h"

namespace postern::mime {
namespace {

struct Known {
  std::string_view name;
  FieldId id;
};

constexpr std::array kKnown{
    Known{"bcc", FieldId::bcc},
    Known{"cc", FieldId::cc},
    Known{"content-description", FieldId::content_description},
    Known{"content-disposition", FieldId::content_disposition},
    Known{"content-id", FieldId::content_id},
    Known{"content-language", FieldId::content_language},
    Known{"content-location", FieldId::content_location},
    Known{"content-md5", FieldId::content_md5},
    Known{"content-transfer-encoding", FieldId::content_transfer_encoding},
    Known{"content-type", FieldId::content_type},
    Known{"date", FieldId::date},
    Known{"from", FieldId::from},
    Known{"in-reply-to", FieldId::in_reply_to},
    Known{"message-id", FieldId::message_id},
    Known{"references", FieldId::references},
    Known{"reply-to", FieldId::reply_to},
    Known{"sender", FieldId::sender},
    Known{"subject", FieldId::subject},
    Known{"to", FieldId::to},
};

constexpr std::size_t kLongest = 25;

// For each length the rows of kKnown with it, as bits.
constexpr std::array<std::uint32_t, kLongest + 1> rows_by_length() {
  std::array<std::uint32_t, kLongest + 1> rows{};
  for (std::size_t i = 0; i < kKnown.size(); ++i) rows[kKnown[i].name.size()] |= 1U << i;
  return rows;
}
constexpr auto kRowsByLength = rows_by_length();

}  // namespace

FieldId field_id(std::string_view name) {
  if (name.size() > kLongest) return FieldId::other;
  for (std::uint32_t rows = kRowsByLength[name.size()]; rows != 0; rows &= rows - 1) {
    const Known& known = kKnown[static_cast<std::size_t>(__builtin_ctz(rows))];
    if (ascii_lower(name.front()) == known.name.front() && iequals(name, known.name))
      return known.id;
  }
  return FieldId::other;
}

}  // namespace postern::mime
