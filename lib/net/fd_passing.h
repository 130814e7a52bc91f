// Descriptors over Unix sockets (SCM_RIGHTS). One message carries octets and up to kMaxDescriptors
// descriptors; meant for SEQPACKET sockets, works on stream sockets with care.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/fd.h"
#include "lib/base/result.h"

namespace postern::net {

constexpr std::size_t kMaxDescriptors = 8;

enum class Wait : bool { no, yes };

/// Sends `bytes` (not empty) and duplicates of `descriptors` as one message.
/// @error unavailable  Wait::no and the queue is full
/// @error limit        too many descriptors in flight (ETOOMANYREFS)
/// @error closed       the other end has gone
/// @error io
Result<void> send_message(int socket, std::string_view bytes, std::span<const int> descriptors = {},
                          Wait wait = Wait::yes);

struct Message {
  std::string bytes;
  std::vector<Fd> descriptors;  // close-on-exec
};

/// The next message of at most `most` octets.
/// @error unavailable  Wait::no and nothing is there
/// @error closed       end of the stream
/// @error limit        the kernel dropped descriptors: this process has too many open (MSG_CTRUNC)
/// @error too_big      the message was longer: octets are lost
/// @error io
Result<Message> receive_message(int socket, std::size_t most, Wait wait = Wait::yes);

/// Two connected ends, close-on-exec.
struct Pair {
  Fd a, b;
};
Result<Pair> make_seqpacket_pair();
Result<Pair> make_stream_pair();
/// A stream pair between a relay (`a`, non-blocking) and the session behind it (`b`, which takes
/// 512 KiB before it is full: enough for transfers at full speed, measured).
Result<Pair> make_relay_pair();

}  // namespace postern::net
