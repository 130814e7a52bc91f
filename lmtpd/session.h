// Session: an LMTP session between two parkings (lib/service/daemon.h), and what the commands in
// command/ do to it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/meta/acl.h"
#include "lib/net/stream.h"
#include "lib/service/daemon.h"
#include "lmtpd/backend.h"
#include "lmtpd/connection.h"
#include "lmtpd/reply.h"
#include "lmtpd/transaction.h"

namespace postern::lmtp {

/// What a command leaves behind: nothing, and the session goes on; or how the wake ends.
using Flow = std::optional<service::Outcome>;

class Session {
 public:
  Session(service::Session wake, service::Runtime& runtime, const Backend& backend);
  service::Outcome serve();

  // For the commands.
  void say(const Reply& reply) { stream.write(reply.line()); }
  /// A refusal for wrong syntax or order: counts, and ends sessions that make too many.
  Flow mistake(const Reply& reply);
  /// The stream failed, or the server ends.
  Flow broken(const Error& error);
  Flow end(const Reply& reply, std::string reason);
  /// Says `reply` after `delay`, with the session parked meanwhile.
  Flow park_with(const Reply& reply, std::chrono::milliseconds delay);
  void begin_transaction(Sender sender);
  /// The trace fields and staging for the transaction's text.
  [[nodiscard]] std::unique_ptr<Receiver> make_receiver() const;
  /// The text is complete: delivers it or says why not, once for each recipient.
  void finish_transaction();
  /// Whom the ACLs see as the sender.
  [[nodiscard]] meta::Identity sender_identity() const;
  [[nodiscard]] bool over_tcp() const { return !facts.peer_address.empty(); }
  [[nodiscard]] bool offers_auth() const { return back.options.require_auth && over_tcp(); }

  [[nodiscard]] bool offers_tls() const {
    return !facts.tls && over_tcp() && runtime.tls_available() &&
           runtime.config().text("service." + facts.service + ".tls") == "starttls";
  }

  Connection conn;
  std::optional<Transaction> txn;
  net::Stream stream;
  const service::Facts facts;
  service::Runtime& runtime;
  const Backend& back;

 private:
  Flow resume(std::string_view record);
  Flow at_boundary();
  Flow serve_command();
  service::Outcome park();

  std::string record_;  // from the last parking
  bool shutting_down_;
  std::uint32_t served_ = 0;  // commands of this hand-over
};

}  // namespace postern::lmtp
