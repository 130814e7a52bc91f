// Connection: all of a POP3 session that outlives a command, as a plain value that can be parked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/ids.h"
#include "lib/base/result.h"
#include "lib/meta/acl.h"
#include "lib/meta/name.h"
#include "lib/store/types.h"

namespace postern::pop3d {

/// RFC 1939 §3: AUTHORIZATION and TRANSACTION; UPDATE is part of QUIT.
enum class State : std::uint8_t { authorization, transaction };

/// The maildrop of a session: a snapshot that never moves (RFC 1939 §3: locked at login; here
/// several sessions may have their own).
struct Maildrop {
  store::ViewMark view;
  meta::MailboxName name;
  meta::Rights rights;
  std::vector<std::uint32_t> deleted;    // message numbers marked by DELE, ascending
  std::vector<std::uint32_t> retrieved;  // to be flagged \Seen at the next pause, ascending
};

struct Connection {
  State state = State::authorization;
  std::string claimed_user;  // of USER, until PASS
  std::uint32_t failed_logins = 0;
  std::uint32_t bad_commands = 0;  // in a row
  bool utf8 = false;               // RFC 6856 §2
  meta::Identity who;
  Maildrop maildrop;

  [[nodiscard]] std::string serialise() const;
  /// @error bad_syntax, not_supported (a critical field that this version doesn't know)
  static Result<Connection> restore(std::string_view record);
};

}  // namespace postern::pop3d
