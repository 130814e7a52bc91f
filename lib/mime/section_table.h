// The offsets of all sections of a message in a few octets, for the cache: FETCH BODY[…], BINARY[…]
// and SEARCH find their octets without parsing again (RFC 3501 §6.4.5, RFC 3516). The format is in
// doc/section-table.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/mime/message.h"

namespace postern::mime {

std::string section_table(const Message& message);

/// BODY[path], BODY[path.HEADER], BODY[path.TEXT], BODY[path.MIME].
enum class Which { body, header, text, mime };

struct Section {
  Range range;
  Encoding encoding = Encoding::seven_bit;  // of the body; identity for header, text and mime
  bool text = false;                        // a text/* leaf
  std::string_view charset;  // lower case as written, "" if not given; points into the table
};

/// One part as the table has it; `parent` as in Part.
struct SectionPart {
  Kind kind = Kind::leaf;
  Encoding encoding = Encoding::seven_bit;
  bool text = false;
  std::uint32_t parent = kNone;
  Range header;
  Range body;
  std::string_view charset;
};

/// A view on such octets, borrowed. Offsets are checked against `message_size` when it is opened.
class SectionTable {
 public:
  /// @error corrupt        not a table, or offsets that can't be
  /// @error not_supported  a later format version
  static Result<SectionTable> open(std::string_view bytes, std::uint64_t message_size);

  /// @param path  part numbers from 1; {} is the message
  /// @return      nothing when there is no such section: FETCH answers NIL, or "" (RFC 3501 §6.4.5)
  [[nodiscard]] std::optional<Section> find(std::span<const std::uint32_t> path, Which which) const;

  /// All parts in document order; the message is the first. For SEARCH BODY and TEXT.
  [[nodiscard]] std::span<const SectionPart> parts() const { return parts_; }

 private:
  [[nodiscard]] std::optional<std::uint32_t> part_at(std::span<const std::uint32_t> path) const;
  [[nodiscard]] std::uint32_t child(std::uint32_t parent, std::uint32_t number) const;
  std::vector<SectionPart> parts_;
};

}  // namespace postern::mime
