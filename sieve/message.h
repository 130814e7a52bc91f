// The message that a script looks at and may edit: its header with the edits so far, its parts,
// and its versions, so that each action keeps the message as it was when the action ran.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/mime/address.h"
#include "lib/mime/message.h"
#include "sieve/code.h"
#include "sieve/limits.h"

namespace postern::sieve {

class Field {
 public:
  Field(std::string_view name, std::string_view value, std::string_view whole)
      : name_(name), value_(value), whole_(whole) {}
  [[nodiscard]] std::string_view name() const { return name_; }    // empty: a line that is no field
  [[nodiscard]] std::string_view value() const { return value_; }  // folded, encoded
  [[nodiscard]] std::string_view whole() const { return whole_; }  // with its line end
  /// As UTF-8: unfolded, encoded-words decoded, trimmed. Computed once.
  [[nodiscard]] const std::string& text() const;
  /// The value as an address list. Parsed once.
  [[nodiscard]] const std::vector<mime::Address>& addresses() const;
  /// That part of each of its addresses that has it. Computed once for each part, as a run has the
  /// same separators for all its tests.
  [[nodiscard]] const std::vector<std::string>& address_parts(AddressPart part,
                                                              std::string_view separators) const;

 private:
  std::string_view name_;
  std::string_view value_;
  std::string_view whole_;
  mutable std::optional<std::string> text_;
  mutable std::optional<std::vector<mime::Address>> addresses_;
  mutable std::map<AddressPart, std::vector<std::string>> parts_;
};

class Message {
 public:
  /// `octets` must outlive this object. `versions` gets edited copies; [0] stands for `octets`.
  Message(std::string_view octets, std::vector<std::string>& versions, const Limits& limits)
      : octets_(octets), versions_(versions), limits_(limits) {}

  /// Fields of the part's header; part 0 is the message, with edits.
  const std::vector<Field>& fields(std::uint32_t part = 0);
  /// The structure of the message; header edits don't change it (RFC 5293 §7 allows that).
  const mime::Message& structure();
  /// Part numbers in document order, below `top` and with it.
  std::vector<std::uint32_t> parts_below(std::uint32_t top);
  std::vector<std::uint32_t> children(std::uint32_t part);
  /// "1.2" as IMAP counts; "" for part 0.
  std::string path(std::uint32_t part);
  /// Octets of the part with its header.
  std::uint64_t size(std::uint32_t part);
  /// Whether size(0) has to make the edited message first.
  [[nodiscard]] bool is_edited() const { return version_[0] != 0U; }
  /// Decoded content of the part, text in UTF-8; at most what the limits leave. Decoded once.
  std::string_view decoded(std::uint32_t part);
  /// The message as it is now, without what encloses it.
  std::string render();

  void add_field(std::string_view name, std::string_view value, bool last);
  /// Removes the fields for which `unwanted` says so; it sees them in order. @return how many
  std::size_t remove_fields(const std::function<bool(const Field&)>& unwanted);
  /// The part becomes `entity`, its header included; of part 0 the other fields stay. Tests go on
  /// to see the part as it was.
  void replace_part(std::uint32_t part, std::string entity);
  /// What goes before and behind the message (RFC 5703 §6); the last call counts.
  void enclose(std::string before, std::string behind);

  /// Number of the version that an action of now means; `enclosed` false: without enclose's text.
  /// @error limit  too many, or too large together
  Result<std::size_t> version(bool enclosed = true);
  [[nodiscard]] std::string_view line_end();

 private:
  void load_header();
  void append_body(std::string& out);
  void edited();

  std::string_view octets_;  // as received
  std::vector<std::string>& versions_;
  const Limits& limits_;
  std::deque<std::string> kept_;  // text that fields point into
  bool header_loaded_ = false;
  std::vector<Field> header_;
  std::size_t header_size_ = 0;
  std::optional<mime::Message> structure_;
  std::map<std::uint32_t, std::vector<Field>> part_fields_;
  std::map<std::uint32_t, std::string> replaced_;
  std::map<std::uint32_t, std::string> decoded_;
  std::size_t decoded_octets_ = 0;
  std::string before_;
  std::string behind_;
  std::array<std::optional<std::size_t>, 2> version_{0, 0};  // plain, enclosed
  std::size_t version_octets_ = 0;
};

}  // namespace postern::sieve
