// Connection: everything of an LMTP session that outlives a command; a plain value that is parked
// between transactions (format in connection.cpp). A session with an open transaction keeps its
// worker.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace postern::lmtp {

struct Connection {
  std::string lhlo_name;           // empty before LHLO
  std::string authenticated;       // canonical user name, empty without AUTH
  std::uint32_t transactions = 0;  // begun so far: number of the last one
  std::uint32_t delivered = 0;     // copies stored
  std::uint32_t mistakes = 0;      // commands refused for syntax or order

  [[nodiscard]] std::string record() const;
  /// @error bad_syntax     not a record
  /// @error not_supported  a newer one that we must not guess at
  static Result<Connection> restore(std::string_view record);
  friend bool operator==(const Connection&, const Connection&) = default;
};

}  // namespace postern::lmtp
