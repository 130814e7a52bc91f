// doc/section-table.md: parts in document order, each offset as a distance from the one
// before, numbers as LEB128.
#include "lib/mime/section_table.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mime/parameters.h"

namespace postern::mime {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kMaxCharset = 255;

// The flags octet.
constexpr unsigned kKindBits = 0x03;
constexpr unsigned kTextBit = 0x04;
constexpr unsigned kEncodingShift = 3;
constexpr unsigned kEncodingBits = 0x07;
constexpr unsigned kCharsetBit = 0x40;

constexpr std::size_t kSmallestPart = 4;  // flags and three numbers

void put_number(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<char>(number | 0x80));
  out.push_back(static_cast<char>(number));
}

std::string charset_of(const Message& message, const Part& part) {
  if (part.type != "text" || part.defaulted) return {};
  std::string name = to_lower(charset(message, part));
  return name.size() <= kMaxCharset ? name : std::string();
}

std::uint64_t child_count(const Message& message, const Part& part) {
  std::uint64_t count = 0;
  for (std::uint32_t child = part.first_child; child != kNone;
       child = message.parts[child].next_sibling)
    ++count;
  return count;
}

void put_part(std::string& out, const Message& message, const Part& part, std::uint64_t behind) {
  const bool leaf = part.kind == Kind::leaf;
  const std::string charset = charset_of(message, part);
  unsigned flags = static_cast<unsigned>(part.kind);
  if (leaf && part.type == "text") flags |= kTextBit;
  if (leaf) flags |= static_cast<unsigned>(part.encoding) << kEncodingShift;
  if (!charset.empty()) flags |= kCharsetBit;
  out.push_back(static_cast<char>(flags));
  put_number(out, part.header.begin - behind);
  put_number(out, part.header.size());
  put_number(out, part.body.size());
  if (part.kind == Kind::multipart) put_number(out, child_count(message, part));
  if (charset.empty()) return;
  out.push_back(static_cast<char>(charset.size()));
  out += charset;
}

Error damaged(std::string_view what) { return fail(Errc::corrupt, "section table: {}", what); }

class TableReader {
 public:
  TableReader(std::string_view in, std::uint64_t message_size)
      : in_(in), message_size_(message_size) {}

  Result<std::vector<SectionPart>> run();

 private:
  // A part whose children are being read; the next one begins at or behind `at`.
  struct Parent {
    std::uint32_t part;
    std::uint64_t children;
    std::uint64_t at;
  };

  Result<std::uint64_t> number();
  Result<unsigned> octet();
  Result<void> part();
  Result<void> range(SectionPart& part, std::uint64_t behind, std::uint64_t end);

  std::string_view in_;
  std::uint64_t message_size_;
  std::uint64_t count_ = 0;
  std::vector<SectionPart> parts_;
  std::vector<Parent> parents_;
};

Result<unsigned> TableReader::octet() {
  if (in_.empty()) return damaged("ends early");
  const auto value = static_cast<unsigned char>(in_.front());
  in_.remove_prefix(1);
  return value;
}

Result<std::uint64_t> TableReader::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 63; shift += 7) {
    const unsigned next = TRY(octet());
    value |= std::uint64_t{next & 0x7F} << shift;
    if ((next & 0x80) == 0) return value;
  }
  return damaged("number too long");
}

Result<std::vector<SectionPart>> TableReader::run() {
  const unsigned version = TRY(octet());
  if (version == 0) return damaged("version 0");
  if (version > kVersion) return fail(Errc::not_supported, "section table of version {}", version);
  count_ = TRY(number());
  if (count_ == 0 || count_ > in_.size() / kSmallestPart) return damaged("number of parts");
  parts_.reserve(count_);
  while (parts_.size() < count_) TRY(part());
  if (!in_.empty() || !parents_.empty()) return damaged("parts missing or left over");
  if (parts_.front().body.end != message_size_) return damaged("another message's");
  return std::move(parts_);
}

Result<void> TableReader::part() {
  const bool root = parts_.empty();
  if (!root && parents_.empty()) return damaged("a part without a parent");
  SectionPart part;
  const unsigned flags = TRY(octet());
  const unsigned encoding = flags >> kEncodingShift & kEncodingBits;
  if ((flags & kKindBits) > static_cast<unsigned>(Kind::message) ||
      encoding > static_cast<unsigned>(Encoding::unknown) || flags >= 2 * kCharsetBit)
    return damaged("flags");
  part.kind = static_cast<Kind>(flags & kKindBits);
  part.encoding = static_cast<Encoding>(encoding);
  part.text = (flags & kTextBit) != 0;
  part.parent = root ? kNone : parents_.back().part;
  TRY(range(part, root ? 0 : parents_.back().at,
            root ? message_size_ : parts_[part.parent].body.end));
  std::uint64_t child_count = part.kind == Kind::message ? 1 : 0;
  if (part.kind == Kind::multipart) child_count = TRY(number());
  if (part.kind == Kind::multipart && child_count == 0) return damaged("an empty multipart");
  if ((flags & kCharsetBit) != 0) {
    const unsigned size = TRY(octet());
    if (size > in_.size()) return damaged("charset");
    part.charset = in_.substr(0, size);
    in_.remove_prefix(size);
  }
  if (!root) {
    parents_.back().at = part.body.end;
    if (--parents_.back().children == 0) parents_.pop_back();
  }
  if (child_count > 0)
    parents_.push_back({static_cast<std::uint32_t>(parts_.size()), child_count, part.body.begin});
  parts_.push_back(part);
  return {};
}

Result<void> TableReader::range(SectionPart& part, std::uint64_t behind, std::uint64_t end) {
  const std::uint64_t distance = TRY(number());
  const std::uint64_t header = TRY(number());
  const std::uint64_t body = TRY(number());
  // Each is compared with what is left, so that no sum overflows.
  if (distance > end - behind || header > end - behind - distance ||
      body > end - behind - distance - header)
    return damaged("a part outside its parent");
  part.header = {behind + distance, behind + distance + header};
  part.body = {part.header.end, part.header.end + body};
  return {};
}

}  // namespace

std::string section_table(const Message& message) {
  std::string out(1, kVersion);
  put_number(out, message.parts.size());
  // Where the next child of each part may begin.
  std::vector<std::uint64_t> behind;
  behind.reserve(message.parts.size());
  for (const Part& part : message.parts) {
    std::uint64_t root = 0;
    std::uint64_t& before = part.parent == kNone ? root : behind[part.parent];
    put_part(out, message, part, before);
    before = part.body.end;
    behind.push_back(part.body.begin);
  }
  return out;
}

Result<SectionTable> SectionTable::open(std::string_view bytes, std::uint64_t message_size) {
  SectionTable table;
  table.parts_ = TRY(TableReader(bytes, message_size).run());
  return table;
}

std::uint32_t SectionTable::child(std::uint32_t parent, std::uint32_t number) const {
  for (std::uint32_t i = parent + 1; i < parts_.size(); ++i)
    if (parts_[i].parent == parent && --number == 0) return i;
  return kNone;
}

// RFC 3501 §6.4.5: numbers count the parts of a multipart; whatever else a message is has one part,
// number 1; numbers behind a message/rfc822 part are those of the message in it.
std::optional<std::uint32_t> SectionTable::part_at(std::span<const std::uint32_t> path) const {
  std::uint32_t at = 0;
  bool is_message = true;  // `at` is a message's root, not yet taken as a part
  for (const std::uint32_t number : path) {
    if (!is_message && parts_[at].kind == Kind::message) {
      at = child(at, 1);
      is_message = true;
    }
    if (number == 0) return std::nullopt;
    if (parts_[at].kind == Kind::multipart) {
      at = child(at, number);
      if (at == kNone) return std::nullopt;
    } else if (!is_message || number != 1) {
      return std::nullopt;
    }
    is_message = false;
  }
  return at;
}

std::optional<Section> SectionTable::find(std::span<const std::uint32_t> path, Which which) const {
  const auto found = part_at(path);
  if (!found) return std::nullopt;
  const SectionPart* part = &parts_[*found];
  const auto plain = [](Range range) { return Section{range, Encoding::seven_bit, false, {}}; };
  if (which == Which::mime && !path.empty()) return plain(part->header);
  if (which == Which::body && path.empty()) return plain({part->header.begin, part->body.end});
  if (which == Which::body) return Section{part->body, part->encoding, part->text, part->charset};
  if (which == Which::mime || (!path.empty() && part->kind != Kind::message)) return std::nullopt;
  if (!path.empty()) part = &parts_[child(*found, 1)];
  return plain(which == Which::header ? part->header : part->body);
}

}  // namespace postern::mime
