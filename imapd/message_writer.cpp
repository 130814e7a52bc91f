// Writing FETCH answers: see message_writer.h.
#include "imapd/message_writer.h"

#include <algorithm>

#include "imapd/grammar.h"
#include "lib/mime/transfer.h"

namespace postern::imap {
namespace {

using Kind = FetchItem::Kind;
using Part = Section::Part;

bool is_facts(Kind kind) {
  return kind == Kind::envelope || kind == Kind::body || kind == Kind::body_structure;
}
bool is_piece(Kind kind) {
  return kind == Kind::section || kind == Kind::binary || kind == Kind::binary_size;
}
bool is_record(Kind kind) {
  return kind == Kind::email_id || kind == Kind::thread_id || kind == Kind::save_date;
}

bool all_cached(const Section& section) {
  return section.path.empty() && section.part == Part::fields &&
         std::all_of(section.names.begin(), section.names.end(),
                     [](const std::string& name) { return store::header_is_cached(name); });
}

mime::FieldSelector make_selector(const Section& section) {
  const std::vector<std::string_view> names(section.names.begin(), section.names.end());
  return mime::FieldSelector(names, section.part == Part::fields
                                        ? mime::FieldSelector::Show::named
                                        : mime::FieldSelector::Show::not_named);
}

mime::Which which_of(Part part) {
  switch (part) {
    case Part::whole:
      return mime::Which::body;
    case Part::text:
      return mime::Which::text;
    case Part::mime:
      return mime::Which::mime;
    case Part::header:
    case Part::fields:
    case Part::fields_not:
      break;
  }
  return mime::Which::header;
}

}  // namespace

MessageWriter::MessageWriter(Context& ctx, const std::vector<FetchItem>& items)
    : ctx_(ctx),
      mailbox_(*ctx.selected->mailbox),
      flags_(mailbox_, ctx.conn.selected->recent),
      out_(ctx.out.stream()),
      utf8_(ctx.conn.has(enabled::utf8)) {
  for (const FetchItem& item : items) {
    Item& added = items_.emplace_back();
    added.what = &item;
    const Section& section = item.section;
    if (section.part == Part::fields || section.part == Part::fields_not)
      added.selector = make_selector(section);
    added.from_cache = item.kind == Kind::section && all_cached(section);
    sets_seen_ = sets_seen_ || item.sets_seen;
    const bool whole =
        item.kind == Kind::section && section.path.empty() && section.part == Part::whole;
    needs_facts_ = needs_facts_ || is_facts(item.kind) || (is_piece(item.kind) && !whole);
    needs_octets_ = needs_octets_ || (is_piece(item.kind) && !added.from_cache);
    needs_record_ = needs_record_ || is_record(item.kind);
  }
  pieces_.resize(items_.size());
}

Result<void> MessageWriter::write(const Message& message) {
  TRY(look_up(message));
  out_.text("* ");
  out_.number(message.seqnum.value());
  out_.text(" FETCH (");
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (i != 0) out_.octet(' ');
    write_item(message, i);
  }
  out_.text(")\r\n");
  return {};
}

// Everything that can fail, before the line begins.
Result<void> MessageWriter::look_up(const Message& message) {
  table_.reset();
  octets_.reset();
  if (needs_record_) record_ = TRY(mailbox_.record(message.record));
  if (needs_facts_) facts_ = TRY(mailbox_.facts(message.record));
  if (needs_octets_) octets_ = TRY(mailbox_.message(message.record));
  for (std::size_t i = 0; i < items_.size(); ++i)
    if (is_piece(items_[i].what->kind)) TRY(look_up_piece(i));
  return {};
}

Result<const mime::SectionTable*> MessageWriter::table() {
  if (!table_) table_ = TRY(mime::SectionTable::open(facts_.sections, octets_->bytes().size()));
  return &*table_;
}

Result<void> MessageWriter::look_up_piece(std::size_t number) {
  const Item& item = items_[number];
  const Section& section = item.what->section;
  Piece& piece = pieces_[number];
  piece.there = false;
  if (item.what->kind != Kind::section) return look_up_binary(*item.what, piece);
  if (item.from_cache) {
    piece.own.clear();
    item.selector->append(facts_.headers, piece.own);
    piece.own += "\r\n";
    piece.octets = piece.own;
    piece.there = true;
  } else if (section.path.empty() && section.part == Part::whole) {
    piece.octets = octets_->bytes();
    piece.there = true;
  } else {
    const auto* sections = TRY(table());
    const auto found = sections->find(section.path, which_of(section.part));
    if (!found) return {};
    piece.octets = found->range.of(octets_->bytes());
    piece.there = true;
    if (item.selector) {
      std::string chosen;
      item.selector->append(piece.octets, chosen);
      piece.own = std::move(chosen);
      piece.octets = piece.own;
    }
  }
  cut(section, piece);
  return {};
}

// RFC 3516 §4.2: the part's octets without their content transfer encoding.
Result<void> MessageWriter::look_up_binary(const FetchItem& item, Piece& piece) {
  const auto* sections = TRY(table());
  const auto found = sections->find(item.section.path, mime::Which::body);
  if (!found) return {};
  piece.there = true;
  piece.octets = found->range.of(octets_->bytes());
  if (found->encoding == mime::Encoding::unknown) {
    ctx_.out.code("UNKNOWN-CTE");
    return fail(Errc::not_supported, "unknown content transfer encoding");
  }
  if (found->encoding == mime::Encoding::base64 ||
      found->encoding == mime::Encoding::quoted_printable) {
    piece.own = mime::decode_transfer(found->encoding, piece.octets);
    piece.octets = piece.own;
  }
  cut(item.section, piece);
  return {};
}

void MessageWriter::cut(const Section& section, Piece& piece) const {
  if (!section.partial) return;
  const auto offset = std::min<std::uint64_t>(section.partial->offset, piece.octets.size());
  piece.octets = piece.octets.substr(offset, section.partial->count);
}

void MessageWriter::write_item(const Message& message, std::size_t number) {
  const FetchItem& item = *items_[number].what;
  if (is_facts(item.kind)) return write_facts(item);
  if (is_piece(item.kind)) return write_piece(item, pieces_[number]);
  write_columns(message, item);
}

void MessageWriter::write_columns(const Message& message, const FetchItem& item) {
  switch (item.kind) {
    case Kind::flags:
      out_.text("FLAGS ");
      return flags_.write(out_, message.record, message.uid);
    case Kind::uid:
      out_.text("UID ");
      return out_.number(message.uid.value());
    case Kind::internal_date:
      out_.text("INTERNALDATE ");
      return out_.text(format_date_time(mailbox_.internal_date(message.record),
                                        mailbox_.internal_zone(message.record)));
    case Kind::size:
      out_.text("RFC822.SIZE ");
      return out_.number(mailbox_.size(message.record));
    case Kind::modseq:
      out_.text("MODSEQ (");
      out_.number(mailbox_.modseq(message.record).value());
      return out_.octet(')');
    case Kind::email_id:  // RFC 8474 §5.1: the same for the same octets, wherever they are
      out_.text("EMAILID (M");
      out_.text(std::string_view(record_->guid.hex()).substr(0, 32));
      return out_.octet(')');
    case Kind::thread_id:
      return out_.text("THREADID NIL");
    case Kind::save_date:
      out_.text("SAVEDATE ");
      return out_.text(format_date_time(record_->save_date, 0));
    default:
      return;
  }
}

void MessageWriter::write_facts(const FetchItem& item) {
  switch (item.kind) {
    case Kind::envelope:
      out_.text("ENVELOPE ");
      return out_.text(utf8_ ? facts_.envelope_utf8 : facts_.envelope);
    case Kind::body:
      out_.text("BODY ");
      return out_.text(utf8_ ? facts_.body_utf8 : facts_.body);
    case Kind::body_structure:
      out_.text("BODYSTRUCTURE ");
      return out_.text(utf8_ ? facts_.bodystructure_utf8 : facts_.bodystructure);
    default:
      return;
  }
}

void MessageWriter::write_piece(const FetchItem& item, const Piece& piece) {
  out_.text(item.section.label);
  out_.octet(' ');
  if (item.kind == Kind::binary_size) return out_.number(piece.octets.size());
  if (!piece.there) return out_.text("NIL");
  const bool literal8 =
      item.kind == Kind::binary && piece.octets.find('\0') != std::string_view::npos;
  out_.text(literal8 ? "~{" : "{");
  out_.number(piece.octets.size());
  out_.text("}\r\n");
  out_.text(piece.octets);
}

}  // namespace postern::imap
