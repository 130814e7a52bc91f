// The grammar of RFC 3501 §9, one function for each rule that ENVELOPE and BODYSTRUCTURE need.
#include "lib/mime/imap_form.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "lib/base/text.h"
#include "lib/mime/address.h"
#include "lib/mime/header.h"
#include "lib/mime/lexer.h"
#include "lib/mime/parameters.h"
#include "lib/mime/scan.h"
#include "lib/mime/transfer.h"

namespace postern::mime {
namespace {

enum class Extensions { none, all };

void append_number(std::string& out, std::uint64_t number) {
  fmt::format_to(std::back_inserter(out), "{}", number);
}

// What neither a quoted string nor, for NUL, a literal may hold.
char sendable(char c) { return c == '\0' || c == '\r' || c == '\n' ? ' ' : c; }

// Runs of octets that can stay as they are make up nearly all of it.
void append_quoted(std::string& out, std::string_view text) {
  const auto is_plain = [](char c) { return c != '"' && c != '\\' && sendable(c) == c; };
  out += '"';
  while (!text.empty()) {
    const auto end = std::ranges::find_if_not(text, is_plain);
    const auto run = static_cast<std::size_t>(end - text.begin());
    out.append(text.substr(0, run));
    text.remove_prefix(run);
    if (text.empty()) break;
    if (text.front() == '"' || text.front() == '\\') out += '\\';
    out += sendable(text.front());
    text.remove_prefix(1);
  }
  out += '"';
}

void append_literal(std::string& out, std::string_view text) {
  fmt::format_to(std::back_inserter(out), "{{{}}}\r\n", text.size());
  std::ranges::transform(text, std::back_inserter(out), sendable);
}

class FormWriter {
 public:
  FormWriter(const Message& message, Form form) : message_(message), form_(form) {}

  void envelope(const Part& part);
  void body(const Part& part, Extensions extensions);
  std::string take() { return std::move(out_); }

 private:
  void string(std::string_view text) { append_string(out_, text, form_); }
  void token(std::string_view lower_case) { append_quoted(out_, to_upper(lower_case)); }
  void nil() { out_ += "NIL"; }
  void space() { out_ += ' '; }
  void nstring(const Part& part, FieldId id);

  void addresses(const Part& part, FieldId id, std::string_view otherwise = "NIL");
  void address(const Address& address);

  void multipart(const Part& part, Extensions extensions);
  void single_part(const Part& part, Extensions extensions);
  void message_rfc822(const Part& part, Extensions extensions);
  void fields(const Part& part);
  void parameters(const std::vector<Parameter>& list, bool add_charset);
  void encoding(const Part& part);
  void extension_data(const Part& part);
  void disposition(const Part& part);
  void language(const Part& part);

  [[nodiscard]] const Part* first_child(const Part& part) const {
    return part.first_child == kNone ? nullptr : &message_.parts[part.first_child];
  }
  [[nodiscard]] const Part* next_sibling(const Part& part) const {
    return part.next_sibling == kNone ? nullptr : &message_.parts[part.next_sibling];
  }

  const Message& message_;
  const Form form_;
  std::string out_;
};

// Absent is NIL, empty is "" (RFC 3501 §7.4.2).
void FormWriter::nstring(const Part& part, FieldId id) {
  const Field* field = message_.find(part, id);
  if (field == nullptr) return nil();
  string(unfold(message_.text(field->value)));
}

// envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP
//            env-cc SP env-bcc SP env-in-reply-to SP env-message-id ")"
void FormWriter::envelope(const Part& part) {
  out_ += '(';
  nstring(part, FieldId::date);
  space();
  nstring(part, FieldId::subject);
  space();
  const std::size_t from_begin = out_.size();
  addresses(part, FieldId::from);
  const std::string from = out_.substr(from_begin);
  for (const FieldId id : {FieldId::sender, FieldId::reply_to}) {
    space();
    addresses(part, id, from);
  }
  for (const FieldId id : {FieldId::to, FieldId::cc, FieldId::bcc}) {
    space();
    addresses(part, id);
  }
  space();
  nstring(part, FieldId::in_reply_to);
  space();
  nstring(part, FieldId::message_id);
  out_ += ')';
}

// env-from = "(" 1*address ")" / nil; a field that stands there twice counts as one list.
void FormWriter::addresses(const Part& part, FieldId id, std::string_view otherwise) {
  bool any = false;
  for (const Field& field : message_.fields_of(part)) {
    if (field.id != id) continue;
    for (const Address& one : parse_address_list(message_.text(field.value))) {
      if (!any) out_ += '(';
      any = true;
      address(one);
    }
  }
  out_ += any ? ")" : otherwise;
}

// address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
// A NIL host would say that this is a group, so a mailbox without a domain has an empty one.
void FormWriter::address(const Address& address) {
  switch (address.kind) {
    case Address::Kind::group_end:
      out_ += "(NIL NIL NIL NIL)";
      return;
    case Address::Kind::group_start:
      out_ += "(NIL NIL ";
      string(address.name);
      out_ += " NIL)";
      return;
    case Address::Kind::mailbox:
      break;
  }
  out_ += '(';
  if (address.has_name) {
    string(address.name);
  } else {
    nil();
  }
  space();
  if (address.route.empty()) {
    nil();
  } else {
    string(address.route);
  }
  space();
  string(address.local_part);
  space();
  string(address.domain);
  out_ += ')';
}

// body = "(" (body-type-1part / body-type-mpart) ")"
void FormWriter::body(const Part& part, Extensions extensions) {
  out_ += '(';
  switch (part.kind) {
    case Kind::multipart:
      multipart(part, extensions);
      break;
    case Kind::message:
      message_rfc822(part, extensions);
      break;
    case Kind::leaf:
      single_part(part, extensions);
      break;
  }
  out_ += ')';
}

// body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
void FormWriter::multipart(const Part& part, Extensions extensions) {
  for (const Part* child = first_child(part); child != nullptr; child = next_sibling(*child))
    body(*child, extensions);
  space();
  token(part.subtype);
  if (extensions == Extensions::none) return;
  space();
  parameters(content_type(message_, part).parameters, false);
  extension_data(part);
}

// body-type-text = media-text SP body-fields SP body-fld-lines; body-type-basic has no lines
void FormWriter::single_part(const Part& part, Extensions extensions) {
  token(part.type);
  space();
  token(part.subtype);
  space();
  fields(part);
  if (part.type == "text") {
    space();
    append_number(out_, part.body_lines);
  }
  if (extensions == Extensions::none) return;
  space();
  nstring(part, FieldId::content_md5);
  extension_data(part);
}

// body-type-msg = media-message SP body-fields SP envelope SP body SP body-fld-lines. RFC 3501 has
// this form for RFC822 alone, RFC 9051 for GLOBAL too.
void FormWriter::message_rfc822(const Part& part, Extensions extensions) {
  if (part.subtype == "global" && form_ == Form::rev1) return single_part(part, extensions);
  token(part.type);
  space();
  token(part.subtype);
  space();
  fields(part);
  const Part& root = *first_child(part);
  space();
  envelope(root);
  space();
  body(root, extensions);
  space();
  append_number(out_, part.body_lines);
  if (extensions == Extensions::none) return;
  space();
  nstring(part, FieldId::content_md5);
  extension_data(part);
}

// body-fields = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets
void FormWriter::fields(const Part& part) {
  if (part.defaulted) {
    parameters({}, part.type == "text");
  } else {
    parameters(content_type(message_, part).parameters, part.type == "text");
  }
  space();
  nstring(part, FieldId::content_id);
  space();
  nstring(part, FieldId::content_description);
  space();
  encoding(part);
  space();
  append_number(out_, part.body.size());
}

// body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
// Text without a charset is US-ASCII (RFC 2045 §5.2), and clients expect to be told.
void FormWriter::parameters(const std::vector<Parameter>& list, bool add_charset) {
  const bool has_charset =
      std::ranges::any_of(list, [](const Parameter& p) { return p.name == "charset"; });
  const bool add = add_charset && !has_charset;
  if (list.empty() && !add) return nil();
  char before = '(';
  for (const Parameter& parameter : list) {
    out_ += std::exchange(before, ' ');
    string(to_upper(parameter.wire_name));
    space();
    string(parameter.wire_value);
  }
  if (add) {
    out_ += before;
    out_ += R"("CHARSET" "US-ASCII")";
  }
  out_ += ')';
}

// body-fld-enc = (DQUOTE ("7BIT" / "8BIT" / …) DQUOTE) / string
void FormWriter::encoding(const Part& part) {
  if (part.encoding != Encoding::unknown) return token(name_of(part.encoding));
  const Field* field = message_.find(part, FieldId::content_transfer_encoding);
  string(to_upper(unfold(message_.text(field->value))));
}

// [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc]]]
void FormWriter::extension_data(const Part& part) {
  space();
  disposition(part);
  space();
  language(part);
  space();
  nstring(part, FieldId::content_location);
}

// body-fld-dsp = "(" string SP body-fld-param ")" / nil
void FormWriter::disposition(const Part& part) {
  Parameterized parsed = content_disposition(message_, part);
  if (parsed.main.empty()) {
    if (parsed.parameters.empty()) return nil();
    parsed.main = "attachment";  // what an unknown one means (RFC 2183 §2.8)
  }
  out_ += '(';
  string(to_upper(parsed.main));
  space();
  parameters(parsed.parameters, false);
  out_ += ')';
}

// body-fld-lang = nstring / "(" string *(SP string) ")"
void FormWriter::language(const Part& part) {
  const Field* field = message_.find(part, FieldId::content_language);
  if (field == nullptr) return nil();
  Lexer in(message_.text(field->value));
  std::vector<std::string_view> tags;
  while (true) {
    in.skip_cfws();
    if (in.at_end()) break;
    const std::string_view tag = in.word(",;(");
    if (!tag.empty()) {
      tags.push_back(tag);
    } else {
      in.skip();
    }
  }
  if (tags.empty()) return nil();
  if (tags.size() == 1) return string(tags.front());
  char before = '(';
  for (const std::string_view tag : tags) {
    out_ += std::exchange(before, ' ');
    string(tag);
  }
  out_ += ')';
}

std::string structure(const Message& message, Form form, Extensions extensions) {
  FormWriter writer(message, form);
  writer.body(message.parts.front(), extensions);
  return writer.take();
}

}  // namespace

std::string envelope(const Message& message, Form form, std::uint32_t part) {
  FormWriter writer(message, form);
  writer.envelope(message.parts.at(part));
  return writer.take();
}

std::string bodystructure(const Message& message, Form form) {
  return structure(message, form, Extensions::all);
}

std::string body(const Message& message, Form form) {
  return structure(message, form, Extensions::none);
}

void append_string(std::string& out, std::string_view text, Form form) {
  if (!has_eight_bit(text) || (form == Form::utf8 && is_utf8(text))) {
    append_quoted(out, text);
  } else {
    append_literal(out, text);
  }
}

}  // namespace postern::mime
