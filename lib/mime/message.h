// The structure of a message: header fields and the tree of MIME parts, as offsets into its octets
// (RFC 5322 §2.2, RFC 2045 §5, RFC 2046 §5). One pass, linear time; no input makes it fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/mime/field_id.h"

namespace postern::mime {

/// Octets [begin, end) of the message.
struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  [[nodiscard]] std::uint64_t size() const { return end - begin; }
  [[nodiscard]] bool empty() const { return begin == end; }
  [[nodiscard]] std::string_view of(std::string_view bytes) const {
    return bytes.substr(begin, size());
  }
  friend bool operator==(const Range&, const Range&) = default;
};

/// One header field, or a line of a header that is none (no colon, no name): then `name` is empty
/// and `value` is the line.
struct Field {
  FieldId id = FieldId::other;
  Range name;   // without white space before the colon
  Range value;  // behind the colon, folded as it stands, without its last line end
  Range whole;  // from the name to behind the last line end
};

/// Content-Transfer-Encoding (RFC 2045 §6).
enum class Encoding : std::uint8_t {
  seven_bit,
  eight_bit,
  binary,
  quoted_printable,
  base64,
  unknown,  // not to be decoded: BINARY answers UNKNOWN-CTE (RFC 3516 §4.3)
};

/// How far a hostile message is followed. What lies beyond is one leaf, application/octet-stream.
struct Limits {
  std::uint32_t depth = 100;      // multiparts and nested messages inside each other
  std::uint32_t parts = 10'000;   // in the whole message
  std::uint32_t fields = 65'536;  // header fields of all parts that are recorded
};

constexpr std::uint32_t kNone = 0xffffffff;

/// What a part is made of, after all repair: the wire forms are built from this.
enum class Kind : std::uint8_t {
  leaf,
  multipart,  // at least one child
  message,    // message/rfc822 or message/global: exactly one child, the nested message's root
};

/// A MIME entity (RFC 2045 §2.4). Part 0 is the message; parts stand in document order.
struct Part {
  Kind kind = Kind::leaf;
  Encoding encoding = Encoding::seven_bit;
  /// The type is the default one: Content-Type is missing or broken (RFC 2045 §5.2), or it
  /// promises a multipart that isn't there.
  bool defaulted = false;
  std::uint32_t parent = kNone;
  std::uint32_t first_child = kNone;
  std::uint32_t next_sibling = kNone;
  std::uint32_t first_field = 0;  // index into Message::fields
  std::uint32_t field_count = 0;
  Range header;  // with the empty line that ends it, where there is one
  Range body;    // header.end == body.begin
  /// LFs in the header and in the body; a line that the end of the part cuts is not counted.
  std::uint64_t header_lines = 0;
  std::uint64_t body_lines = 0;
  /// Lower case, after repair: what IMAP shows. content_type() of parameters.h has what is written.
  std::string type;
  std::string subtype;

  [[nodiscard]] bool is(std::string_view wanted_type, std::string_view wanted_subtype) const {
    return type == wanted_type && subtype == wanted_subtype;
  }
};

struct Message {
  std::string_view bytes;  // borrowed: must outlive this object
  std::vector<Part> parts;
  std::vector<Field> fields;      // those of part 0 first, then in order of the parts
  bool eight_bit_header = false;  // some header, also of a nested part, has octets over 127
  bool global_part = false;       // there is a message/global part
  bool limits_reached = false;    // something lies beyond Limits

  [[nodiscard]] std::span<const Field> fields_of(const Part& part) const {
    return std::span(fields).subspan(part.first_field, part.field_count);
  }
  [[nodiscard]] std::string_view text(Range range) const { return range.of(bytes); }
  /// The first field with this name in the part's header; null if there is none.
  [[nodiscard]] const Field* find(const Part& part, FieldId id) const;
  [[nodiscard]] const Field* find(const Part& part, std::string_view name) const;
  /// All of them, in order.
  [[nodiscard]] std::vector<const Field*> find_all(const Part& part, std::string_view name) const;
};

/// Takes any octets. Lines end with LF; a CR before it belongs to the line end, other CRs and NULs
/// are content. A header ends at its first empty line, at a boundary, or at the end.
Message parse(std::string_view message, const Limits& limits = {});

/// Scans one header block alone: `header` starts at a field; stops behind the first empty line.
/// Offsets count from the start of `header`. For whoever needs fields but no structure.
/// `Range end` of the block is the end of the last field, plus the empty line.
struct HeaderBlock {
  std::vector<Field> fields;
  std::uint64_t size = 0;  // with the empty line
};
HeaderBlock scan_header(std::string_view header, std::uint32_t max_fields = 65'536);

}  // namespace postern::mime
