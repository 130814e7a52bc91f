#include "master/transportd/flow.h"

#include <sys/socket.h>

#include <cerrno>

namespace postern::transportd {

void Pending::take(std::size_t size) {
  begin_ += size;
  if (begin_ < bytes_.size()) return;
  std::string().swap(bytes_);
  begin_ = 0;
}

ssize_t send_some(int socket, std::string_view bytes) {
  for (;;) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
  }
}

std::array<char, kScratch>& scratch() {
  static std::array<char, kScratch> buffer;
  return buffer;
}

}  // namespace postern::transportd
