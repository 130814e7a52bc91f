// Protocol trace of one session: an operator makes the folder <trace directory>/<user>, and from
// then on each session of that user writes what passes into a file of its own there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/base/fd.h"

namespace postern::net {

class Trace {
 public:
  enum class From { client, server };

  /// The file <directory>/<user>/<service>-<session>.trace (mode 0600), appended to, or null if
  /// the folder isn't there or can't be written. Begin it only after login: until then clients
  /// send passwords. Sessions without a user are traced in the folder "@<service>".
  static std::unique_ptr<Trace> begin(const std::string& directory, std::string_view user,
                                      std::string_view service, std::uint64_t session);
  /// One line with direction, time and number of octets, then the octets. Errors are ignored:
  /// a full disk must not disturb the session.
  void add(From from, std::string_view bytes);

 private:
  explicit Trace(Fd file) : file_(std::move(file)) {}
  Fd file_;
};

}  // namespace postern::net
