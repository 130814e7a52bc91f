// Subsets of headers, unfolding, and message ids.
#include "lib/mime/header.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mime/header_scan.h"
#include "lib/mime/lexer.h"

namespace postern::mime {
namespace {

constexpr std::size_t kLongNames = 63;  // lengths from here on share a bit

std::uint64_t length_bit(std::size_t length) {
  return std::uint64_t{1} << std::min(length, kLongNames);
}

bool by_length(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace

std::string unfold(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  while (!value.empty()) {
    const std::size_t stop = std::min(value.find_first_of("\r\n"), value.size());
    out.append(value.substr(0, stop));
    value.remove_prefix(stop);
    if (value.starts_with("\r\n")) {
      value.remove_prefix(2);
    } else if (value.starts_with('\n')) {
      value.remove_prefix(1);
    } else if (!value.empty()) {  // a CR alone ends no line
      out.push_back(value.front());
      value.remove_prefix(1);
    }
  }
  const std::string_view trimmed = trim(out);
  if (trimmed.size() == out.size()) return out;
  return std::string(trimmed);
}

FieldSelector::FieldSelector(std::span<const std::string_view> names, Show show)
    : show_named_(show == Show::named) {
  for (const std::string_view name : names) {
    names_.push_back(to_lower(name));
    lengths_ |= length_bit(name.size());
  }
  std::ranges::sort(names_, by_length);
}

bool FieldSelector::wants(std::string_view name) const {
  if (name.empty()) return !show_named_;
  bool named = false;
  if ((lengths_ & length_bit(name.size())) != 0) {
    named = std::ranges::any_of(names_, [&](const std::string& n) { return iequals(n, name); });
  }
  return named == show_named_;
}

void FieldSelector::append(std::string_view header, std::string& out) const {
  std::uint64_t lines = 0;
  for (std::size_t at = 0; at < header.size();) {
    const Line line = line_at(header, at);
    if (line.empty()) {
      out.append(header.substr(line.begin, line.next - line.begin));
      return;
    }
    const Field field = field_at(header, line, lines);
    if (wants(field.name.of(header))) out.append(field.whole.of(header));
    at = field.whole.end;
  }
}

std::string header_fields(std::string_view header, std::span<const std::string_view> names,
                          FieldSelector::Show show) {
  std::string out;
  FieldSelector(names, show).append(header, out);
  return out;
}

std::vector<std::string> message_ids(std::string_view value) {
  std::vector<std::string> ids;
  Lexer in(value);
  while (true) {
    in.skip_cfws();
    if (in.at_end()) return ids;
    if (!in.looking_at('<')) {  // a phrase of the obsolete form, or junk (RFC 5322 §4.5.4)
      std::string ignored;
      if (in.looking_at('"')) {
        in.quoted_string(ignored);
      } else if (in.word("<(\"").empty()) {
        in.skip();
      }
      continue;
    }
    const std::size_t begin = in.offset();
    while (!in.at_end() && !in.looking_at('>')) in.skip();
    if (!in.take('>')) return ids;
    std::string id(in.from(begin));
    std::erase_if(id, is_space);
    if (id.size() > 2) ids.push_back(std::move(id));
  }
}

}  // namespace postern::mime
