// Fields by memchr from line to line; folded lines begin with white space (RFC 5322 §2.2.3).
#include "lib/mime/header_scan.h"

#include <algorithm>
#include <cstring>

namespace postern::mime {
namespace {

// ftext of RFC 5322 §3.6.8 without the colon.
constexpr bool is_name_char(char c) { return c > 32 && c < 127 && c != ':'; }

// The length of a field name at the start of `line`, or 0 when no colon follows it. White space
// before the colon is RFC 5322 §4.5's.
std::size_t name_length(std::string_view line, std::size_t& colon) {
  std::size_t length = 0;
  while (length < line.size() && is_name_char(line[length])) ++length;
  colon = length;
  while (colon < line.size() && (line[colon] == ' ' || line[colon] == '\t')) ++colon;
  return colon < line.size() && line[colon] == ':' ? length : 0;
}

bool is_folded(std::string_view bytes, std::size_t at) {
  return at < bytes.size() && (bytes[at] == ' ' || bytes[at] == '\t');
}

}  // namespace

Line line_at(std::string_view bytes, std::size_t begin) {
  const void* found = begin < bytes.size()
                          ? std::memchr(bytes.data() + begin, '\n', bytes.size() - begin)
                          : nullptr;
  if (found == nullptr) return {begin, bytes.size(), bytes.size()};
  const auto lf = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
  const bool cr = lf > begin && bytes[lf - 1] == '\r';
  return {begin, cr ? lf - 1 : lf, lf + 1};
}

Field field_at(std::string_view bytes, const Line& first, std::uint64_t& lines) {
  Line last = first;
  lines += last.cut() ? 0 : 1;
  while (!last.cut() && is_folded(bytes, last.next)) {
    last = line_at(bytes, last.next);
    lines += last.cut() ? 0 : 1;
  }
  Field field;
  std::size_t colon = 0;
  const std::string_view line = bytes.substr(first.begin, first.end - first.begin);
  const std::size_t length = name_length(line, colon);
  field.name = {first.begin, first.begin + length};
  field.value = {length > 0 ? first.begin + colon + 1 : first.begin, last.end};
  field.whole = {first.begin, last.next};
  return field;
}

HeaderBlock scan_header(std::string_view header, std::uint32_t max_fields) {
  HeaderBlock block;
  std::uint64_t lines = 0;
  while (block.size < header.size()) {
    const Line line = line_at(header, block.size);
    if (line.empty()) {
      block.size = line.next;
      break;
    }
    Field field = field_at(header, line, lines);
    field.id = field_id(field.name.of(header));
    block.size = field.whole.end;
    if (block.fields.size() < max_fields) block.fields.push_back(field);
  }
  return block;
}

}  // namespace postern::mime
