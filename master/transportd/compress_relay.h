// CompressRelay: one connection with COMPRESS=DEFLATE (RFC 4978). On the client's side are DEFLATE
// blocks (in TLS, where another relay is in front of this one), on the session's side plain octets,
// so that workers and porter know nothing of it and sessions are parked as ever.
#pragma once

#include "lib/base/fd.h"
#include "master/transportd/deflate.h"
#include "master/transportd/flow.h"

namespace postern::transportd {

class CompressRelay final : public Flow {
 public:
  /// `client` may be in blocking mode: it is shared. `ok_line` goes out as it is, before the first
  /// block; `unread` came from the client already.
  CompressRelay(Fd client, Fd session, std::string_view ok_line, std::string_view unread);

  void pump() override;
  [[nodiscard]] bool ended() const override { return ended_; }
  [[nodiscard]] const std::string& why_ended() const override { return why_; }
  [[nodiscard]] Interest interest() const override;
  [[nodiscard]] bool owes() const override { return !to_client_.empty(); }
  [[nodiscard]] int tcp_fd() const override { return client_.get(); }
  [[nodiscard]] int plain_fd() const override { return session_.get(); }
  void rest() override;

 private:
  bool expand();
  bool receive();
  bool pass_in();
  bool compress();
  bool pass_out();
  void finish();
  void end(std::string why);
  [[nodiscard]] bool has_more_in() const { return !from_client_.empty() || more_; }

  Fd client_, session_;
  Deflater out_;
  Inflater in_;
  Pending from_client_;  // blocks that were received and not expanded
  Pending to_session_;
  Pending to_client_;          // compressed
  bool more_ = false;          // the last expansion filled its room: there may be more
  bool client_ended_ = false;  // no more input
  bool told_session_ = false;  // … and the session has seen the end
  bool session_ended_ = false;
  bool ended_ = false;
  std::string why_;
};

}  // namespace postern::transportd
