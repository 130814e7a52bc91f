#include "lib/net/fd_passing.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>

#include "lib/base/assert.h"

namespace postern::net {
namespace {

constexpr std::size_t kControlSize = CMSG_SPACE(kMaxDescriptors * sizeof(int));

/// Every descriptor in the message becomes ours before anything can go wrong.
std::vector<Fd> take_descriptors(msghdr& header) {
  std::vector<Fd> out;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      out.emplace_back(fd);
    }
  }
  return out;
}

void put_descriptors(msghdr& header, char* control, std::span<const int> descriptors) {
  if (descriptors.empty()) return;
  const std::size_t size = descriptors.size_bytes();
  header.msg_control = control;
  header.msg_controllen = CMSG_SPACE(size);
  cmsghdr* const c = CMSG_FIRSTHDR(&header);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(c), descriptors.data(), size);
}

Error message_error(std::string_view operation) {
  switch (errno) {
    case EAGAIN:
    case ENOBUFS:
      return fail(Errc::unavailable, "{}: it would have to wait", operation);
    case ETOOMANYREFS:
      return fail(Errc::limit, "{}: too many descriptors in flight", operation);
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
      return fail(Errc::closed, "{}: the other end has gone", operation);
    default:
      return errno_error(operation, "message");
  }
}

Result<Pair> make_pair(int type) {
  int ends[2];
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0)
    return errno_error("socketpair", "AF_UNIX");
  return Pair{Fd(ends[0]), Fd(ends[1])};
}

}  // namespace

Result<void> send_message(int socket, std::string_view bytes, std::span<const int> descriptors,
                          Wait wait) {
  ASSERT(!bytes.empty() && descriptors.size() <= kMaxDescriptors);
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[kControlSize] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  put_descriptors(header, control, descriptors);
  const int flags = MSG_NOSIGNAL | (wait == Wait::no ? MSG_DONTWAIT : 0);
  for (;;) {
    const ssize_t put = ::sendmsg(socket, &header, flags);
    if (put == static_cast<ssize_t>(bytes.size())) return {};
    if (put >= 0) return fail(Errc::io, "sendmsg: only {} of {} octets", put, bytes.size());
    if (errno != EINTR) return message_error("sendmsg");
  }
}

Result<Message> receive_message(int socket, std::size_t most, Wait wait) {
  // Not a string of `most` octets: making them all zero costs more than the call.
  const auto room = std::make_unique_for_overwrite<char[]>(most);
  Message message;
  alignas(cmsghdr) char control[kControlSize];
  const int flags = MSG_CMSG_CLOEXEC | (wait == Wait::no ? MSG_DONTWAIT : 0);
  for (;;) {
    iovec part{room.get(), most};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const ssize_t got = ::recvmsg(socket, &header, flags);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return message_error("recvmsg");
    message.descriptors = take_descriptors(header);
    // At this process's descriptor limit recvmsg succeeds and the descriptor is gone.
    if ((header.msg_flags & MSG_CTRUNC) != 0)
      return fail(Errc::limit, "recvmsg: descriptors were dropped (raise the open files limit)");
    if ((header.msg_flags & MSG_TRUNC) != 0)
      return fail(Errc::too_big, "recvmsg: message of more than {} octets", most);
    if (got == 0) return fail(Errc::closed, "recvmsg: the other end has gone");
    message.bytes.assign(room.get(), static_cast<std::size_t>(got));
    return message;
  }
}

Result<Pair> make_seqpacket_pair() { return make_pair(SOCK_SEQPACKET); }
Result<Pair> make_stream_pair() { return make_pair(SOCK_STREAM); }

Result<Pair> make_relay_pair() {
  constexpr int kBuffer = 512 << 10;
  Pair pair = TRY(make_stream_pair());
  if (::fcntl(pair.a.get(), F_SETFL, O_RDWR | O_NONBLOCK) != 0)
    return errno_error("fcntl", "O_NONBLOCK");
  // Less than asked for, if the system allows less: slower, not wrong.
  ::setsockopt(pair.b.get(), SOL_SOCKET, SO_SNDBUF, &kBuffer, sizeof kBuffer);
  return pair;
}

}  // namespace postern::net
