// The one pass over a message: headers line by line, bodies from one line with "--" to the next
// (RFC 2046 §5.1). A stack holds the multiparts that are open; every delimiter line is compared
// with all of their boundaries, so an outer one ends the inner ones.
#include <algorithm>

#include "lib/base/text.h"
#include "lib/mime/header_scan.h"
#include "lib/mime/message.h"
#include "lib/mime/parameters.h"
#include "lib/mime/scan.h"
#include "lib/mime/transfer.h"

namespace postern::mime {
namespace {

// A multipart whose end hasn't been seen.
struct OpenMultipart {
  std::uint32_t part = 0;
  std::size_t open_parts = 0;  // size of the stack of open parts, this one included
  std::string boundary;
  std::uint32_t last_child = kNone;
  bool closed = false;  // behind its close-delimiter: what follows is epilogue
};

// A line that is a delimiter of one of the open multiparts.
struct Delimiter {
  std::size_t multipart = 0;  // index into the stack
  bool closes = false;
  Line line;
};

class Parser {
 public:
  Parser(std::string_view bytes, const Limits& limits) : limits_(limits) { message_.bytes = bytes; }

  Message run();

 private:
  struct OpenPart {
    std::uint32_t part;
    std::uint64_t lines_before_body;
  };

  void start_part(std::uint32_t parent, std::uint32_t previous);
  void read_header(Part& part);
  void record(const Field& field, Part& part);
  [[nodiscard]] bool lacks_header(const Line& first) const;
  void classify(Part& part);
  void set_type(Part& part, std::string_view type, std::string_view subtype);
  void apply_content_type(Part& part, std::string_view value);
  void enter_message();
  void enter_multipart(std::uint32_t part, std::string boundary);
  [[nodiscard]] bool may_nest() const;

  [[nodiscard]] std::optional<Delimiter> delimiter_at(std::size_t at) const;
  std::optional<Delimiter> next_delimiter();
  void obey(const Delimiter& delimiter);
  void close_parts(std::size_t keep, std::size_t end, std::uint64_t lines);
  [[nodiscard]] std::size_t line_end_before(std::size_t at) const;

  const Limits limits_;
  Message message_;
  std::vector<OpenPart> open_;
  std::vector<OpenMultipart> multiparts_;
  std::string pending_boundary_;  // of the part whose header was just read
  std::size_t at_ = 0;
  std::uint64_t lines_ = 0;  // LFs before at_
};

Message Parser::run() {
  constexpr std::size_t kUsualFields = 32;
  message_.fields.reserve(kUsualFields);
  start_part(kNone, kNone);
  while (const auto delimiter = next_delimiter()) obey(*delimiter);
  close_parts(0, message_.bytes.size(), lines_);
  return std::move(message_);
}

// Reads the header at `at_`, and goes on into the children of a message/rfc822, until it stands at
// the body of a leaf or at the preamble of a multipart.
void Parser::start_part(std::uint32_t parent, std::uint32_t previous) {
  const auto index = static_cast<std::uint32_t>(message_.parts.size());
  Part& part = message_.parts.emplace_back();
  part.parent = parent;
  if (previous != kNone) {
    message_.parts[previous].next_sibling = index;
  } else if (parent != kNone) {
    message_.parts[parent].first_child = index;
  }
  read_header(part);
  open_.push_back({index, lines_});
  classify(part);
  if (part.kind == Kind::message) return start_part(index, kNone);
  if (part.kind == Kind::multipart) enter_multipart(index, std::move(pending_boundary_));
}

// Whether a body part begins without any header: RFC 2046 §5.1 wants an empty line there, but some
// software leaves it out, and its text must not pass for a header.
bool Parser::lacks_header(const Line& first) const {
  if (multiparts_.empty() || first.empty()) return false;
  const std::string_view line = message_.bytes.substr(first.begin, first.end - first.begin);
  if (line.starts_with("From ") || line.starts_with(">From ")) return false;
  std::uint64_t ignored = 0;
  return field_at(message_.bytes, first, ignored).name.empty();
}

void Parser::read_header(Part& part) {
  const std::uint64_t lines_before = lines_;
  part.header.begin = at_;
  part.first_field = static_cast<std::uint32_t>(message_.fields.size());
  bool first = true;
  while (at_ < message_.bytes.size() && !delimiter_at(at_)) {
    const Line line = line_at(message_.bytes, at_);
    if (line.empty()) {
      at_ = line.next;
      ++lines_;
      break;
    }
    if (first && lacks_header(line)) break;
    first = false;
    Field field = field_at(message_.bytes, line, lines_);
    field.id = field_id(message_.text(field.name));
    at_ = field.whole.end;
    record(field, part);
  }
  part.header.end = part.body.begin = at_;
  part.header_lines = lines_ - lines_before;
  if (has_eight_bit(message_.text(part.header))) message_.eight_bit_header = true;
}

void Parser::record(const Field& field, Part& part) {
  if (message_.fields.size() >= limits_.fields) {
    message_.limits_reached = true;
    return;
  }
  message_.fields.push_back(field);
  ++part.field_count;
}

// RFC 2045 §5.2: without a Content-Type text/plain; in a multipart/digest message/rfc822
// (RFC 2046 §5.1.5).
void Parser::classify(Part& part) {
  const Field* encoding = message_.find(part, FieldId::content_transfer_encoding);
  if (encoding != nullptr) part.encoding = parse_encoding(message_.text(encoding->value));
  const Field* type = message_.find(part, FieldId::content_type);
  if (type != nullptr) return apply_content_type(part, message_.text(type->value));
  part.defaulted = true;
  const bool in_digest =
      part.parent != kNone && message_.parts[part.parent].is("multipart", "digest");
  if (in_digest) return set_type(part, "message", "rfc822");
  set_type(part, "text", "plain");
}

void Parser::apply_content_type(Part& part, std::string_view value) {
  const MediaType media = parse_media_type(value);
  if (media.type.empty()) {
    part.defaulted = true;
    return set_type(part, "text", "plain");
  }
  pending_boundary_ = media.boundary;
  set_type(part, media.type, media.subtype);
}

// Decides what the part is made of. An encoded message/rfc822, which RFC 2046 §5.2.1 forbids, can't
// be looked into, and IMAP has no form for one that isn't: it is shown as octets to be saved.
void Parser::set_type(Part& part, std::string_view type, std::string_view subtype) {
  part.type = type;
  part.subtype = subtype;
  const bool encoded =
      part.encoding == Encoding::base64 || part.encoding == Encoding::quoted_printable;
  const bool message = type == "message" && (subtype == "rfc822" || subtype == "global");
  const bool multipart = type == "multipart" && !pending_boundary_.empty();
  if ((message && !encoded) || multipart) {
    if (may_nest()) {
      part.kind = message ? Kind::message : Kind::multipart;
      if (message && subtype == "global") message_.global_part = true;
      return;
    }
    message_.limits_reached = true;
  } else if (type == "multipart") {  // no boundary: nothing can be found in it
    part.defaulted = true;
    part.type = "text";
    part.subtype = "plain";
    return;
  } else if (!message) {
    return;
  }
  part.type = "application";
  part.subtype = "octet-stream";
}

// The new part is already on the stack; its child must fit too.
bool Parser::may_nest() const {
  return open_.size() <= limits_.depth && message_.parts.size() < limits_.parts;
}

void Parser::enter_multipart(std::uint32_t part, std::string boundary) {
  OpenMultipart open;
  open.part = part;
  open.open_parts = open_.size();
  open.boundary = std::move(boundary);
  multiparts_.push_back(std::move(open));
}

// RFC 2046 §5.1.1: it is enough that the line begins with "--" and the boundary. Where several open
// boundaries fit, one that leaves nothing else on the line wins, then the longest, then the
// innermost.
std::optional<Delimiter> Parser::delimiter_at(std::size_t at) const {
  if (multiparts_.empty() || !message_.bytes.substr(at).starts_with("--")) return std::nullopt;
  const Line line = line_at(message_.bytes, at);
  const std::string_view text = message_.bytes.substr(at + 2, line.end - at - 2);
  std::optional<Delimiter> best;
  std::size_t best_rank = 0;
  for (std::size_t i = multiparts_.size(); i-- > 0;) {
    const std::string& boundary = multiparts_[i].boundary;
    if (!text.starts_with(boundary)) continue;
    std::string_view rest = text.substr(boundary.size());
    const bool closes = rest.starts_with("--");
    if (closes) rest.remove_prefix(2);
    const bool exact = trim(rest).empty();
    const std::size_t rank = boundary.size() + (exact ? text.size() + 1 : 0);
    const bool better = !best || rank > best_rank;
    // Software that gives an inner multipart the boundary of the outer one: closed, it is done.
    const bool takes_over = best && rank == best_rank && multiparts_[best->multipart].closed;
    if (!better && !takes_over) continue;
    best = Delimiter{i, closes || line.cut(), line};
    best_rank = rank;
  }
  // A closed multipart's own boundary in its epilogue is text.
  if (best && multiparts_[best->multipart].closed) return std::nullopt;
  return best;
}

// Moves to the next delimiter line, or to the end of the message.
std::optional<Delimiter> Parser::next_delimiter() {
  const std::string_view bytes = message_.bytes;
  if (multiparts_.empty()) {
    lines_ += count_lines(bytes.substr(at_));
    at_ = bytes.size();
    return std::nullopt;
  }
  while (at_ < bytes.size()) {
    const Dashes dashes = find_dashes(bytes, at_);
    at_ = dashes.at;
    lines_ += dashes.lines;
    if (at_ == bytes.size()) break;
    if (const auto delimiter = delimiter_at(at_)) return delimiter;
    const Line line = line_at(bytes, at_);
    lines_ += line.cut() ? 0 : 1;
    at_ = line.next;
  }
  return std::nullopt;
}

// The line end before a delimiter belongs to it (RFC 2046 §5.1.1).
std::size_t Parser::line_end_before(std::size_t at) const {
  if (at == 0 || message_.bytes[at - 1] != '\n') return at;
  return at >= 2 && message_.bytes[at - 2] == '\r' ? at - 2 : at - 1;
}

void Parser::obey(const Delimiter& delimiter) {
  multiparts_.resize(delimiter.multipart + 1);
  OpenMultipart& multipart = multiparts_.back();
  const std::size_t end = line_end_before(at_);
  close_parts(multipart.open_parts, end, lines_ - (end < at_ ? 1 : 0));
  at_ = delimiter.line.next;
  lines_ += delimiter.line.cut() ? 0 : 1;
  if (delimiter.closes) {
    multipart.closed = true;
  } else if (message_.parts.size() >= limits_.parts) {
    message_.limits_reached = true;
    multipart.closed = true;
  } else {
    const auto child = static_cast<std::uint32_t>(message_.parts.size());
    const std::uint32_t previous = std::exchange(multipart.last_child, child);
    start_part(multipart.part, previous);  // may grow multiparts_
  }
}

// Ends all open parts but the `keep` outermost at `end`, before which there are `lines` LFs. A
// header without an empty line may reach behind it: then the body is empty, and the parts around it
// end there too.
void Parser::close_parts(std::size_t keep, std::size_t end, std::uint64_t lines) {
  for (; open_.size() > keep; open_.pop_back()) {
    Part& part = message_.parts[open_.back().part];
    if (part.body.begin > end) {
      end = part.body.begin;
      lines = open_.back().lines_before_body;
    }
    part.body.end = end;
    part.body_lines = lines - open_.back().lines_before_body;
    if (part.kind == Kind::multipart && part.first_child == kNone) {
      part.kind = Kind::leaf;  // no delimiter came: its text is all that there is to show
      part.defaulted = true;
      part.type = "text";
      part.subtype = "plain";
    }
  }
}

}  // namespace

Message parse(std::string_view message, const Limits& limits) {
  return Parser(message, limits).run();
}

const Field* Message::find(const Part& part, FieldId id) const {
  const auto own = fields_of(part);
  const auto found = std::ranges::find(own, id, &Field::id);
  return found == own.end() ? nullptr : &*found;
}

const Field* Message::find(const Part& part, std::string_view name) const {
  const auto own = fields_of(part);
  const auto found = std::ranges::find_if(own, [&](const Field& field) {
    return !field.name.empty() && iequals(text(field.name), name);
  });
  return found == own.end() ? nullptr : &*found;
}

std::vector<const Field*> Message::find_all(const Part& part, std::string_view name) const {
  std::vector<const Field*> found;
  for (const Field& field : fields_of(part))
    if (!field.name.empty() && iequals(text(field.name), name)) found.push_back(&field);
  return found;
}

}  // namespace postern::mime
