// Flow: octets of one connection on their way between the client's side and the session's side.
// Non-blocking; at most 64 KiB wait in each direction, and a full side stops reading the other.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace postern::transportd {

/// Octets that wait for one side to take them; memory only while there are some.
class Pending {
 public:
  [[nodiscard]] bool empty() const { return begin_ == bytes_.size(); }
  [[nodiscard]] std::string_view view() const { return std::string_view(bytes_).substr(begin_); }
  void put(std::string_view more) { bytes_.append(more); }
  void take(std::size_t size);
  void clear() { take(bytes_.size() - begin_); }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

/// Octets sent; 0 if the socket is full; -1 if it is broken. Never blocks.
ssize_t send_some(int socket, std::string_view bytes);

/// One buffer for all flows of the process: an idle connection owns none.
inline constexpr std::size_t kScratch = 64 << 10;
std::array<char, kScratch>& scratch();

class Flow {
 public:
  /// What the event loop is to wait for.
  struct Interest {
    bool tcp_in = false, tcp_out = false, plain_in = false, plain_out = false;
    friend bool operator==(const Interest&, const Interest&) = default;
  };

  virtual ~Flow() = default;
  /// Moves what can be moved, up to a fair share; what is left is in interest().
  virtual void pump() = 0;
  [[nodiscard]] virtual bool ended() const = 0;
  [[nodiscard]] virtual const std::string& why_ended() const = 0;
  [[nodiscard]] virtual Interest interest() const = 0;
  /// The client's side, and the session's (-1: not there yet).
  [[nodiscard]] virtual int tcp_fd() const = 0;
  [[nodiscard]] virtual int plain_fd() const = 0;
  /// Octets wait for the client to take them.
  [[nodiscard]] virtual bool owes() const = 0;
  /// Nothing moved for a second: lets memory go.
  virtual void rest() {}
};

}  // namespace postern::transportd
