// The header fields that this server itself looks for, so that it compares each name once.
#pragma once

#include <cstdint>
#include <string_view>

namespace postern::mime {

enum class FieldId : std::uint8_t {
  other,
  bcc,
  cc,
  content_description,
  content_disposition,
  content_id,
  content_language,
  content_location,
  content_md5,
  content_transfer_encoding,
  content_type,
  date,
  from,
  in_reply_to,
  message_id,
  references,
  reply_to,
  sender,
  subject,
  to,
};

/// Of a name in any case; `other` when it is none of them.
FieldId field_id(std::string_view name);

}  // namespace postern::mime
