// Connection: everything of an IMAP session that outlives a command, as a plain value. It is
// written into the record with which a session is parked, and read back by whatever worker wakes
// it. Format: doc/imap.md, "The parked record".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "imapd/cursor.h"
#include "lib/base/ids.h"
#include "lib/base/result.h"
#include "lib/meta/acl.h"
#include "lib/store/types.h"

namespace postern::imap {

/// What a client has switched on (RFC 5161 §3.1), by ENABLE or by a command that implies it.
namespace enabled {
inline constexpr std::uint32_t condstore = 1, qresync = 2, utf8 = 4;
inline constexpr std::uint32_t all = 7;
}  // namespace enabled

/// Messages [first, last] by uid.
struct UidRange {
  Uid first;
  Uid last;
  friend bool operator==(const UidRange&, const UidRange&) = default;
};

/// The selected mailbox as the client knows it.
struct SelectedMailbox {
  store::ViewMark mark;
  bool read_only = false;
  std::vector<UidRange> recent;     // \Recent for this session, ascending
  std::uint32_t told_keywords = 0;  // how many of the keyword table stood in the last FLAGS
  /// "$": uids of the last SEARCH RETURN (SAVE), ascending; nothing before the first (RFC 5182).
  std::vector<UidRange> saved_search;
};

struct Connection {
  enum class State : std::uint8_t { not_authenticated, authenticated, selected };

  State state = State::not_authenticated;
  std::string idle_tag;  // not empty: in IDLE, and this is its tag

  meta::Identity who;
  std::string authenticated_as;  // differs from who.user for an admin's proxy login
  std::uint64_t user_generation = 0;
  std::uint32_t failed_logins = 0;
  std::uint32_t bad_commands = 0;  // unknown, ill-timed or malformed; ends the session at a limit

  std::uint32_t enabled = 0;
  std::string client_id;      // name and version of ID, for the log
  std::int64_t login_at = 0;  // seconds UTC
  std::uint64_t commands = 0;
  std::uint64_t octets_in = 0;
  std::uint64_t octets_out = 0;

  std::optional<SelectedMailbox> selected;

  [[nodiscard]] bool has(std::uint32_t feature) const { return (enabled & feature) != 0; }
  [[nodiscard]] NameForm name_form() const {
    return has(enabled::utf8) ? NameForm::utf8 : NameForm::modified_utf7;
  }
  [[nodiscard]] bool in_idle() const { return !idle_tag.empty(); }
  void unselect() {
    selected.reset();
    if (state == State::selected) state = State::authenticated;
  }

  /// The record, TLV.
  [[nodiscard]] std::string serialise() const;
  /// @error bad_syntax     not such a record
  /// @error not_supported  it holds something critical that this version doesn't know: say BYE
  static Result<Connection> restore(std::string_view record);
};

}  // namespace postern::imap
