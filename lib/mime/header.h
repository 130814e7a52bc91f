// Header fields as text: unfolding, and the subset of a header that IMAP's HEADER.FIELDS wants.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mime {

/// The value with its line ends taken out (RFC 5322 §2.2.3) and without white space at both ends.
/// Octets are left as they are.
std::string unfold(std::string_view value);

/// Decides which fields of a header HEADER.FIELDS (names) or HEADER.FIELDS.NOT (names) shows
/// (RFC 3501 §6.4.5). Make one and use it for many messages. Lines that are no field are shown by
/// NOT only.
class FieldSelector {
 public:
  enum class Show { named, not_named };
  FieldSelector(std::span<const std::string_view> names, Show show);

  /// Appends to `out` the chosen fields of `header` as they stand, and the empty line that ends it
  /// if `header` has one: a message without a body may lack it (RFC 3501 §6.4.5).
  void append(std::string_view header, std::string& out) const;

 private:
  [[nodiscard]] bool wants(std::string_view name) const;
  std::vector<std::string> names_;  // lower case, ordered by length, then octets
  std::uint64_t lengths_ = 0;       // bit n: some name has n octets (bit 63: 63 and more)
  bool show_named_;
};

/// The same for a single header.
std::string header_fields(std::string_view header, std::span<const std::string_view> names,
                          FieldSelector::Show show);

/// Message ids of a Message-ID, References or In-Reply-To value, each with its angle brackets and
/// without comments or white space inside; in order (RFC 5322 §3.6.4). Words that are no id are
/// skipped.
std::vector<std::string> message_ids(std::string_view value);

/// The base subject of an unfolded, still encoded Subject value, in UTF-8 (RFC 5256 §2.1).
/// `reply_or_forward`, if given, says whether anything was removed that marks one (RFC 5256 §3).
std::string base_subject(std::string_view subject, bool* reply_or_forward = nullptr);

}  // namespace postern::mime
