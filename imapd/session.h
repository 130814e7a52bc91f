// Session: serves one connection from the moment it has input until it ends or is quiet at a
// command boundary and can be parked.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "imapd/command/command.h"
#include "imapd/context.h"
#include "imapd/framer.h"
#include "lib/service/daemon.h"

namespace postern::imap {

class Session {
 public:
  Session(service::Session wake, service::Runtime& runtime, const Backend& backend);
  service::Outcome serve();

 private:
  using Step = std::optional<service::Outcome>;  // nothing: go on

  Step resume(std::string_view record);
  Step at_boundary();
  Step idle_boundary();
  Step serve_command();
  Step handle(const Framed& framed);
  Step handle_tagged(const Framed& framed, Cursor& in);
  Step finish(const Command* command, const Completion& completion);
  Step reply(std::string_view name, const Completion& completion);
  Step count_mistake();
  Step start_tls();
  Step compress();
  Step read_failed(const Error& error);
  Step selected_lost(const Error& error);
  LiteralVerdict judge_literal(std::string_view text, const LiteralHead& head);
  [[nodiscard]] FrameLimits frame_limits() const;
  [[nodiscard]] bool has_line() const;

  service::Outcome park();
  service::Outcome park_at_boundary();
  service::Outcome end(std::string_view reason);
  service::Outcome bye(std::string_view text, std::string_view reason);

  service::Session wake_;
  service::Runtime& runtime_;
  const Backend& back_;
  net::Stream stream_;
  Connection conn_;
  Responder out_;
  Context ctx_;
  std::string tag_;
  std::uint32_t served_ = 0;  // commands of this hand-over
};

}  // namespace postern::imap
