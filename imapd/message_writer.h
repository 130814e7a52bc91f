// MessageWriter: writes "* n FETCH (…)" for one message after another. What comes from columns is
// formatted by hand, envelopes and structures are copied from the cache, sections from the mapped
// message.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imapd/context.h"
#include "imapd/fetch_item.h"
#include "imapd/flag_text.h"
#include "imapd/line_writer.h"
#include "imapd/messages.h"
#include "lib/mime/header.h"
#include "lib/mime/section_table.h"

namespace postern::imap {

class MessageWriter {
 public:
  /// `items` outlive the writer.
  MessageWriter(Context& ctx, const std::vector<FetchItem>& items);

  /// Nothing was written if it fails.
  /// @error expunged       the message's file is gone: the others can still be fetched
  /// @error not_supported  an unknown content transfer encoding (BINARY)
  /// @error corrupt, io
  Result<void> write(const Message& message);
  /// Whether some item marks messages as seen (RFC 9051 §6.4.5).
  [[nodiscard]] bool sets_seen() const { return sets_seen_; }
  /// Gives the stream back to others until the next write().
  void commit() { out_.commit(); }

 private:
  struct Item {
    const FetchItem* what = nullptr;
    std::optional<mime::FieldSelector> selector;  // of a HEADER.FIELDS item
    bool from_cache = false;                      // its fields are all among the cached ones
  };
  /// Octets of a message that were looked up before its line began.
  struct Piece {
    bool there = false;  // false: NIL
    std::string_view octets;
    std::string own;  // what `octets` points into, if they were made
  };

  Result<void> look_up(const Message& message);
  Result<void> look_up_piece(std::size_t number);
  Result<void> look_up_binary(const FetchItem& item, Piece& piece);
  Result<const mime::SectionTable*> table();
  void cut(const Section& section, Piece& piece) const;
  void write_item(const Message& message, std::size_t number);
  void write_columns(const Message& message, const FetchItem& item);
  void write_facts(const FetchItem& item);
  void write_piece(const FetchItem& item, const Piece& piece);

  Context& ctx_;
  store::Mailbox& mailbox_;
  FlagWriter flags_;
  LineWriter out_;
  std::vector<Item> items_;
  std::vector<Piece> pieces_;  // as many as items_
  bool utf8_ = false;
  bool sets_seen_ = false;
  bool needs_facts_ = false;
  bool needs_octets_ = false;

  // Of the message being written.
  store::CachedFacts facts_;
  std::optional<store::MessageBytes> octets_;
  std::optional<mime::SectionTable> table_;
  std::optional<store::Record> record_;
  bool needs_record_ = false;
};

}  // namespace postern::imap
