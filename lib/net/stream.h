// Stream: a connected socket (TCP or Unix) with buffers on both sides, time limits and counters.
// Works on blocking and non-blocking descriptors alike: the mode belongs to the open socket, which
// porter shares, so it is never changed here.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/net/patience.h"
#include "lib/net/trace.h"

namespace postern::net {

/// Takes octets as they come; an error stops the reading.
using Sink = std::function<Result<void>(std::string_view)>;

/// Zero: no limit.
struct Limits {
  std::chrono::milliseconds read{std::chrono::minutes(30)};   // silence of the peer
  std::chrono::milliseconds write{std::chrono::seconds(60)};  // no octet accepted by the peer
};

/// One line without its line end.
struct Line {
  std::string_view text;  // valid until the next call that reads
  bool crlf = true;       // false: the line ended with a bare LF
};

struct Counters {
  std::uint64_t in = 0;   // octets taken from the socket
  std::uint64_t out = 0;  // octets given to the socket
};

class Stream {
 public:
  static constexpr std::size_t kBuffer = 64 << 10;

  /// `unread`: octets that were read from the socket before and come first.
  explicit Stream(Fd socket, std::string_view unread = {}, Limits limits = {});
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&&) noexcept = default;

  void set_limits(Limits limits) { limits_ = limits; }
  [[nodiscard]] Limits limits() const { return limits_; }
  /// Asked about once a second and at each signal while the stream waits for input; "true" ends
  /// the wait with Errc::unavailable.
  void set_interrupt(std::function<bool()> stop) { stop_ = std::move(stop); }
  /// From now on all octets in both directions are copied to `trace`; null ends it.
  void set_trace(std::unique_ptr<Trace> trace) { trace_ = std::move(trace); }

  // Input. Whatever has to wait for the peer first flushes the output, so nobody flushes by line
  // and pipelined commands are answered together (RFC 2920 §3.2).
  //
  // Errors of all: closed (the peer has ended its side), timed_out, unavailable (interrupted), io.

  /// Octets that are here already.
  [[nodiscard]] std::string_view buffered() const {
    return {in_.get() + in_begin_, in_end_ - in_begin_};
  }
  [[nodiscard]] bool more_input_buffered() const { return in_begin_ != in_end_; }
  /// Takes `size` of buffered() away. @pre size <= buffered().size()
  void consume(std::size_t size) { in_begin_ += size; }
  /// Reads at least one octet more into buffered().
  Result<void> fill();
  /// Whether the socket has more to read, or its end, now or within `patience.wait`; what is
  /// buffered already doesn't count. Flushes the output first. For lingering before a session is
  /// parked.
  Result<bool> wait_readable(Patience patience);

  /// Up to the next LF. The read limit counts for the line as a whole.
  /// @error too_big  more than `most` octets before the LF; they stay buffered: skip_line()
  Result<Line> read_line(std::size_t most);
  /// Drops everything up to and with the next LF.
  Result<void> skip_line();
  /// Exactly `size` octets, in pieces, to `sink`.
  /// @error whatever the sink says
  Result<void> read_exactly(std::uint64_t size, const Sink& sink);
  /// The same into memory. @pre the caller has limited `size`
  Result<std::string> read_exactly(std::size_t size);
  Result<void> skip(std::uint64_t size);
  /// What was read and not consumed, to be parked with the session; the buffer is empty then.
  std::string take_unread();

  // Output. Errors stick: after the first one everything is dropped and flush() tells.

  void write(std::string_view bytes);
  /// At least `size` octets of buffer to format into; then wrote(n). Never null: on a broken
  /// stream the octets go nowhere. @pre size <= kBuffer
  char* room(std::size_t size);
  void wrote(std::size_t size) { out_size_ += size; }
  /// @error closed, timed_out, io
  Result<void> flush();
  /// The peer can't be written to any more.
  [[nodiscard]] bool broken() const { return broken_; }

  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] int fd() const { return socket_.get(); }
  /// Gives the socket back. @pre flushed, and take_unread() was called
  Fd release() { return std::move(socket_); }

 private:
  Result<void> fill_until(std::int64_t deadline);
  Result<bool> poll_input(std::int64_t deadline);
  bool look_until(std::int64_t end) const;
  Result<bool> receive();
  void make_room_for_input();
  void send_all(std::string_view bytes);
  bool send_some(std::string_view& bytes);
  void break_with(Error error);

  Fd socket_;
  Limits limits_;
  std::function<bool()> stop_;
  std::unique_ptr<Trace> trace_;
  Counters counters_;
  std::unique_ptr<char[]> in_;
  std::size_t in_capacity_ = 0;
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  std::unique_ptr<char[]> out_;  // kBuffer octets, made at the first write
  std::size_t out_size_ = 0;
  bool quick_peer_ = false;  // it answered the last time so soon that sleeping took longer
  bool broken_ = false;
  Error broken_by_;
};

}  // namespace postern::net
