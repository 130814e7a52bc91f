// The grammar of what FETCH asks for: see fetch_item.h.
#include "imapd/fetch_item.h"

#include <array>

#include "imapd/grammar.h"
#include "imapd/responder.h"
#include "lib/base/text.h"

namespace postern::imap {
namespace {

using Kind = FetchItem::Kind;

struct Plain {
  std::string_view name;
  Kind kind;
};
// Longer names stand before their beginnings.
constexpr std::array kPlain{
    Plain{"ENVELOPE", Kind::envelope},
    Plain{"FLAGS", Kind::flags},
    Plain{"INTERNALDATE", Kind::internal_date},
    Plain{"RFC822.SIZE", Kind::size},
    Plain{"BODYSTRUCTURE", Kind::body_structure},
    Plain{"UID", Kind::uid},
    Plain{"MODSEQ", Kind::modseq},
    Plain{"EMAILID", Kind::email_id},
    Plain{"THREADID", Kind::thread_id},
    Plain{"SAVEDATE", Kind::save_date},
};

struct Macro {
  std::string_view name;
  std::vector<Kind> kinds;
};
const std::array<Macro, 3>& macros() {
  static const std::array<Macro, 3> all{
      Macro{"ALL", {Kind::flags, Kind::internal_date, Kind::size, Kind::envelope}},
      Macro{"FAST", {Kind::flags, Kind::internal_date, Kind::size}},
      Macro{"FULL", {Kind::flags, Kind::internal_date, Kind::size, Kind::envelope, Kind::body}},
  };
  return all;
}

FetchItem plain_item(Kind kind) {
  FetchItem item;
  item.kind = kind;
  return item;
}

// header-list = "(" header-fld-name *(SP header-fld-name) ")"
Result<void> parse_field_names(Cursor& in, Section& section) {
  TRY(in.space());
  section.names = TRY(parenthesized(in, parse_astring));
  return {};
}

// section-text = section-msgtext / "MIME"
// section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
Result<void> parse_section_text(Cursor& in, Section& section) {
  if (in.take_text("HEADER.FIELDS.NOT")) {
    section.part = Section::Part::fields_not;
    return parse_field_names(in, section);
  }
  if (in.take_text("HEADER.FIELDS")) {
    section.part = Section::Part::fields;
    return parse_field_names(in, section);
  }
  if (in.take_text("HEADER"))
    section.part = Section::Part::header;
  else if (in.take_text("TEXT"))
    section.part = Section::Part::text;
  else if (!section.path.empty() && in.take_text("MIME"))
    section.part = Section::Part::mime;
  else
    return in.expected("a section");
  return {};
}

// section-spec = section-msgtext / (section-part ["." section-text])
Result<void> parse_section_spec(Cursor& in, Section& section, bool part_only) {
  if (in.peek() == ']') return {};
  while (in.peek() >= '1' && in.peek() <= '9') {
    section.path.push_back(TRY(parse_nz_number(in)));
    if (!in.take('.')) return {};
    if (in.peek() < '1' || in.peek() > '9') break;
  }
  if (part_only) return in.expected("a part number");
  return parse_section_text(in, section);
}

// partial = "<" number64 "." nz-number64 ">"
Result<void> parse_partial(Cursor& in, Section& section) {
  if (!in.take('<')) return {};
  Section::Partial partial;
  partial.offset = TRY(parse_number64(in));
  TRY(in.expect('.'));
  partial.count = TRY(parse_number64(in));
  if (partial.count == 0) return in.expected("a length from 1");
  section.partial = partial;
  return in.expect('>');
}

std::string part_text(const Section& section) {
  switch (section.part) {
    case Section::Part::whole:
      return "";
    case Section::Part::header:
      return "HEADER";
    case Section::Part::fields:
      return "HEADER.FIELDS";
    case Section::Part::fields_not:
      return "HEADER.FIELDS.NOT";
    case Section::Part::text:
      return "TEXT";
    case Section::Part::mime:
      return "MIME";
  }
  return "";
}

void append_astring(std::string& out, const std::string& text) {
  for (const char c : text)
    if (!is_atom_char(c)) return append_string(out, text, false);
  out += text;
}

// What the answer repeats: "BODY[1.HEADER.FIELDS (Date From)]<0>".
std::string make_label(std::string_view name, const Section& section) {
  std::string label = fmt::format("{}[", name);
  for (const std::uint32_t number : section.path)
    label += (label.back() == '[' ? "" : ".") + std::to_string(number);
  const std::string part = part_text(section);
  if (!part.empty() && !section.path.empty()) label += '.';
  label += part;
  if (!section.names.empty()) {
    label += " (";
    for (const std::string& field : section.names) {
      if (label.back() != '(') label += ' ';
      append_astring(label, field);
    }
    label += ')';
  }
  label += ']';
  if (section.partial) label += fmt::format("<{}>", section.partial->offset);
  return label;
}

// "BODY" [".PEEK"] section [partial]; a bare BODY is the structure without extension data.
Result<FetchItem> parse_body(Cursor& in) {
  FetchItem item;
  const bool peek = in.take_text(".PEEK");
  if (!peek && in.peek() != '[') {
    item.kind = Kind::body;
    return item;
  }
  item.kind = Kind::section;
  item.sets_seen = !peek;
  TRY(in.expect('['));
  TRY(parse_section_spec(in, item.section, false));
  TRY(in.expect(']'));
  TRY(parse_partial(in, item.section));
  item.section.label = make_label("BODY", item.section);
  return item;
}

// "BINARY" [".PEEK"] section-binary [partial] / "BINARY.SIZE" section-binary (RFC 3516 §4.2)
Result<FetchItem> parse_binary(Cursor& in) {
  FetchItem item;
  const bool size = in.take_text(".SIZE");
  const bool peek = !size && in.take_text(".PEEK");
  item.kind = size ? Kind::binary_size : Kind::binary;
  item.sets_seen = !size && !peek;
  TRY(in.expect('['));
  TRY(parse_section_spec(in, item.section, true));
  TRY(in.expect(']'));
  if (!size) TRY(parse_partial(in, item.section));
  item.section.label = make_label(size ? "BINARY.SIZE" : "BINARY", item.section);
  return item;
}

// "RFC822" [".HEADER" / ".TEXT"]: RFC 3501 §6.4.5, the old names of three sections
FetchItem parse_rfc822(Cursor& in) {
  FetchItem item;
  item.kind = Kind::section;
  if (in.take_text(".HEADER")) {
    item.section.part = Section::Part::header;
    item.section.label = "RFC822.HEADER";
    return item;
  }
  item.sets_seen = true;
  const bool text = in.take_text(".TEXT");
  item.section.part = text ? Section::Part::text : Section::Part::whole;
  item.section.label = text ? "RFC822.TEXT" : "RFC822";
  return item;
}

Result<FetchItem> parse_item(Cursor& in) {
  for (const Plain& plain : kPlain)
    if (in.take_word(plain.name)) return plain_item(plain.kind);
  if (in.take_text("BODY")) return parse_body(in);
  if (in.take_text("BINARY")) return parse_binary(in);
  if (in.take_text("RFC822")) return parse_rfc822(in);
  return in.expected("a FETCH item");
}

}  // namespace

Result<std::vector<FetchItem>> parse_fetch_items(Cursor& in) {
  for (const Macro& macro : macros())
    if (in.take_word(macro.name)) {
      std::vector<FetchItem> items;
      for (const Kind kind : macro.kinds) items.push_back(plain_item(kind));
      return items;
    }
  if (in.peek() == '(') return parenthesized(in, parse_item);
  return std::vector<FetchItem>{TRY(parse_item(in))};
}

}  // namespace postern::imap
