// See support.h. The grammar is read from RFC 3501 §9, rule by rule.
#include "tests/unit/mime/support.h"

#include "lib/base/text.h"

namespace postern::mime::testing {
namespace {

// Reads the grammar; the first fault is kept and everything after it fails.
class Checker {
 public:
  Checker(std::string_view in, bool utf8) : in_(in), utf8_(utf8) {}

  void expect(char c) {
    if (fault_.empty() && (in_.empty() || in_.front() != c))
      fault("'" + std::string(1, c) + "' expected");
    if (fault_.empty()) in_.remove_prefix(1);
  }
  bool take(std::string_view word) {
    if (!fault_.empty() || !istarts_with(in_, word)) return false;
    in_.remove_prefix(word.size());
    return true;
  }
  void nstring() {
    if (!take("NIL")) string();
  }
  // string = quoted / literal
  std::string string() {
    if (take("\"")) return quoted();
    return literal();
  }
  void number() {
    if (in_.empty() || !ascii_digit(in_.front())) return fault("number expected");
    while (!in_.empty() && ascii_digit(in_.front())) in_.remove_prefix(1);
  }
  void envelope() {
    expect('(');
    nstring();
    expect(' ');
    nstring();
    for (int i = 0; i < 6; ++i) {
      expect(' ');
      address_list();
    }
    expect(' ');
    nstring();
    expect(' ');
    nstring();
    expect(')');
  }
  void body(bool extensible) {
    if (++depth_ > 1000) return fault("too deep");
    expect('(');
    if (in_.starts_with("(")) {
      multipart(extensible);
    } else {
      single(extensible);
    }
    expect(')');
    --depth_;
  }
  std::string result() {
    if (fault_.empty() && !in_.empty()) fault("octets left over");
    return fault_;
  }

 private:
  void fault(const std::string& what) {
    if (fault_.empty()) fault_ = what + " before \"" + std::string(in_.substr(0, 40)) + "\"";
  }
  std::string quoted() {
    std::string text;
    while (fault_.empty()) {
      if (in_.empty()) {
        fault("open quoted string");
        break;
      }
      char c = in_.front();
      in_.remove_prefix(1);
      if (c == '"') break;
      if (c == '\\') {
        if (in_.empty() || (in_.front() != '"' && in_.front() != '\\')) fault("bad escape");
        c = in_.empty() ? ' ' : in_.front();
        if (!in_.empty()) in_.remove_prefix(1);
      }
      if (c == '\0' || c == '\r' || c == '\n') fault("forbidden octet in a quoted string");
      text.push_back(c);
    }
    if (!utf8_ && !is_ascii(text)) fault("octet over 127 in a quoted string");
    if (!is_utf8(text)) fault("quoted string is not UTF-8");
    return text;
  }
  std::string literal() {
    if (!take("{")) {
      fault("string expected");
      return {};
    }
    std::uint64_t size = 0;
    const std::size_t end = in_.find('}');
    if (const auto n = parse_u64(in_.substr(0, std::min(end, in_.size())))) size = *n;
    in_.remove_prefix(std::min(end, in_.size()));
    if (!take("}\r\n") || size > in_.size()) {
      fault("bad literal");
      return {};
    }
    const std::string text(in_.substr(0, size));
    in_.remove_prefix(size);
    if (text.find('\0') != std::string::npos) fault("NUL in a literal");
    return text;
  }
  void address_list() {
    if (take("NIL")) return;
    expect('(');
    if (!in_.starts_with("(")) fault("address expected");
    while (fault_.empty() && in_.starts_with("(")) {
      expect('(');
      nstring();
      for (int i = 0; i < 3; ++i) {
        expect(' ');
        nstring();
      }
      expect(')');
    }
    expect(')');
  }
  void parameters() {
    if (take("NIL")) return;
    expect('(');
    do {
      string();
      expect(' ');
      string();
    } while (fault_.empty() && take(" "));
    expect(')');
  }
  void extension_data() {
    expect(' ');
    if (!take("NIL")) {
      expect('(');
      string();
      expect(' ');
      parameters();
      expect(')');
    }
    expect(' ');
    if (in_.starts_with("(")) {
      expect('(');
      do string();
      while (fault_.empty() && take(" "));
      expect(')');
    } else {
      nstring();
    }
    expect(' ');
    nstring();
  }
  void multipart(bool extensible) {
    while (fault_.empty() && in_.starts_with("(")) body(extensible);
    expect(' ');
    string();
    if (!extensible) return;
    expect(' ');
    parameters();
    extension_data();
  }
  void single(bool extensible) {
    const std::string type = to_lower(string());
    expect(' ');
    const std::string subtype = to_lower(string());
    expect(' ');
    parameters();
    expect(' ');
    nstring();
    expect(' ');
    nstring();
    expect(' ');
    string();
    expect(' ');
    number();
    const bool nested =
        type == "message" && (subtype == "rfc822" || (utf8_ && subtype == "global"));
    if (nested) {
      expect(' ');
      envelope();
      expect(' ');
      body(extensible);
    }
    if (nested || type == "text") {
      expect(' ');
      number();
    }
    if (type == "multipart") fault("multipart without parts");
    if (!extensible) return;
    expect(' ');
    nstring();
    extension_data();
  }

  std::string_view in_;
  bool utf8_;
  int depth_ = 0;
  std::string fault_;
};

std::string check_part(const Message& message, std::uint32_t index) {
  const Part& part = message.parts[index];
  if (part.header.begin > part.header.end || part.header.end != part.body.begin ||
      part.body.begin > part.body.end || part.body.end > message.bytes.size())
    return "ranges";
  const auto lines = [&](Range range) {
    std::uint64_t count = 0;
    for (const char c : message.text(range)) count += c == '\n' ? 1 : 0;
    return count;
  };
  if (lines(part.header) != part.header_lines) return "header lines";
  if (lines(part.body) != part.body_lines) return "body lines";
  for (const Field& field : message.fields_of(part)) {
    if (field.whole.begin < part.header.begin || field.whole.end > part.header.end ||
        field.name.begin != field.whole.begin || field.name.end > field.value.begin ||
        field.value.begin > field.value.end || field.value.end > field.whole.end)
      return "field";
  }
  std::uint64_t behind = part.body.begin;
  std::size_t children = 0;
  for (std::uint32_t c = part.first_child; c != kNone; c = message.parts[c].next_sibling) {
    const Part& child = message.parts[c];
    if (c <= index || child.parent != index) return "links";
    if (child.header.begin < behind || child.body.end > part.body.end) return "child outside";
    behind = child.body.end;
    ++children;
  }
  if ((part.kind == Kind::leaf) != (children == 0)) return "kind";
  if (part.kind == Kind::message && children != 1) return "message";
  if (part.kind == Kind::leaf && part.type == "multipart") return "multipart leaf";
  return "";
}

}  // namespace

std::string crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

std::string tree(const Message& message, std::uint32_t part) {
  const Part& top = message.parts[part];
  std::string out = top.type + '/' + top.subtype;
  if (top.first_child == kNone) return out;
  char before = '[';
  for (std::uint32_t c = top.first_child; c != kNone; c = message.parts[c].next_sibling) {
    out += before + tree(message, c);
    before = ' ';
  }
  return out + ']';
}

std::string check_envelope(std::string_view octets, bool utf8) {
  Checker checker(octets, utf8);
  checker.envelope();
  return checker.result();
}

std::string check_body(std::string_view octets, bool extensible, bool utf8) {
  Checker checker(octets, utf8);
  checker.body(extensible);
  return checker.result();
}

std::string check_structure(const Message& message) {
  if (message.parts.empty()) return "no part";
  const Part& root = message.parts.front();
  if (root.header.begin != 0 || root.body.end != message.bytes.size()) return "root";
  for (std::uint32_t i = 0; i < message.parts.size(); ++i) {
    if (i > 0 && message.parts[i].parent >= i) return "order";
    if (std::string fault = check_part(message, i); !fault.empty())
      return "part " + std::to_string(i) + ": " + fault;
  }
  return "";
}

}  // namespace postern::mime::testing
