#include "master/transportd/compress_relay.h"

#include <sys/socket.h>

#include <cerrno>

namespace postern::transportd {
namespace {

// 16 KiB of blocks can be 16 MiB of octets, but only 64 KiB of these exist at a time, and the
// session takes them line by line under its own limits.
constexpr std::size_t kMostBlocks = 16 << 10;
constexpr int kRounds = 16;  // then others have their turn

}  // namespace

CompressRelay::CompressRelay(Fd client, Fd session, std::string_view ok_line,
                             std::string_view unread)
    : client_(std::move(client)), session_(std::move(session)) {
  to_client_.put(ok_line);
  from_client_.put(unread);
}

void CompressRelay::end(std::string why) {
  ended_ = true;
  if (why_.empty()) why_ = std::move(why);
}

void CompressRelay::pump() {
  bool moved = true;
  for (int round = 0; moved && !ended_ && round < kRounds; ++round) {
    moved = pass_in();
    moved |= receive();
    moved |= expand();
    moved |= pass_out();
    moved |= compress();
  }
  if (!ended_) finish();
}

/// Octets of the client.
bool CompressRelay::receive() {
  if (client_ended_ || has_more_in() || !to_session_.empty()) return false;
  const ssize_t got = recv(client_.get(), scratch().data(), kMostBlocks, MSG_DONTWAIT);
  if (got > 0) {
    from_client_.put({scratch().data(), static_cast<std::size_t>(got)});
    return true;
  }
  if (got < 0 && errno == EINTR) return true;
  client_ended_ = got == 0 || errno != EAGAIN;
  return false;
}

bool CompressRelay::expand() {
  if (!has_more_in() || !to_session_.empty()) return false;
  std::string_view blocks = from_client_.view();
  const std::size_t before = blocks.size();
  const auto size = in_.take(blocks, scratch());
  if (!size) {
    end(size.error().text);
    return false;
  }
  from_client_.take(before - blocks.size());
  more_ = *size == scratch().size();
  to_session_.put({scratch().data(), *size});
  if (in_.at_end() && from_client_.empty()) client_ended_ = true;
  pass_in();
  return true;
}

bool CompressRelay::pass_in() {
  if (to_session_.empty()) return false;
  const ssize_t sent = send_some(session_.get(), to_session_.view());
  if (sent < 0) {  // it doesn't read any more; what it has written still goes out
    to_session_.clear();
    from_client_.clear();
    more_ = false;
    client_ended_ = told_session_ = true;
    return false;
  }
  to_session_.take(static_cast<std::size_t>(sent));
  return sent > 0;
}

bool CompressRelay::compress() {
  if (session_ended_ || !to_client_.empty()) return false;
  const ssize_t got = recv(session_.get(), scratch().data(), scratch().size(), MSG_DONTWAIT);
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) {
    session_ended_ = got == 0 || errno != EAGAIN;
    return false;
  }
  const auto blocks = out_.put({scratch().data(), static_cast<std::size_t>(got)});
  if (!blocks) {
    end(blocks.error().text);
    return false;
  }
  to_client_.put(*blocks);
  pass_out();
  return true;
}

bool CompressRelay::pass_out() {
  if (to_client_.empty()) return false;
  const ssize_t sent = send_some(client_.get(), to_client_.view());
  if (sent < 0) {
    end("connection lost");
    return false;
  }
  to_client_.take(static_cast<std::size_t>(sent));
  return sent > 0;
}

void CompressRelay::finish() {
  if (client_ended_ && !told_session_ && to_session_.empty() && !has_more_in()) {
    shutdown(session_.get(), SHUT_WR);
    told_session_ = true;
  }
  if (!session_ended_ || !to_client_.empty()) return;
  shutdown(client_.get(), SHUT_WR);  // others may have duplicates of the socket
  end("session ended");
}

Flow::Interest CompressRelay::interest() const {
  return {.tcp_in = !client_ended_ && !has_more_in() && to_session_.empty(),
          .tcp_out = !to_client_.empty(),
          .plain_in = !session_ended_ && to_client_.empty(),
          .plain_out = has_more_in() || !to_session_.empty()};
}

void CompressRelay::rest() {
  if (to_client_.empty()) out_.rest();
  if (!has_more_in() && to_session_.empty()) in_.rest();
}

}  // namespace postern::transportd
