// Context: what a command may use while it runs. Nothing here outlives the wake of a session; what
// must is a field of Connection.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imapd/connection.h"
#include "imapd/lately.h"
#include "imapd/mail_event.h"
#include "imapd/options.h"
#include "imapd/responder.h"
#include "lib/meta/meta.h"
#include "lib/meta/namespace.h"
#include "lib/service/daemon.h"
#include "lib/store/store.h"

namespace postern::auth {
class Authenticator;
}

namespace postern::imap {

class EventScripts;

/// What a worker holds for all its sessions.
struct Backend {
  store::Store& store;
  meta::Meta& meta;
  const auth::Authenticator& auth;
  const Options& options;
  Lately& lately;
  EventScripts& events;
};

/// The selected mailbox while a worker has the session: opened, with the view that Connection's
/// mark describes.
struct Selected {
  std::shared_ptr<store::Mailbox> mailbox;
  store::View view;
  meta::MailboxEntry entry;  // name and ACL as of `looked_at`
  meta::Rights rights;
  std::int64_t looked_at = 0;  // steady milliseconds
  /// Flag changes with this modseq were made, and told, by the running command.
  ModSeq own_change;
};

/// A mailbox that a command names, found, with the client's rights on it.
struct Found {
  meta::MailboxEntry entry;
  meta::Rights rights;
};

class Context {
 public:
  Context(Connection& connection, Responder& responder, const Backend& backend,
          const service::Facts& connection_facts, service::Runtime& rt)
      : conn(connection), out(responder), back(backend), facts(connection_facts), runtime(rt) {}

  Connection& conn;
  Responder& out;
  const Backend& back;
  const service::Facts& facts;
  service::Runtime& runtime;
  std::string_view tag;
  std::unique_ptr<Selected> selected;  // there in state selected
  /// Message literals of the APPEND that is being read.
  std::vector<store::Staged> staged;
  /// What scripts want to know of the running command; see event_run.h.
  std::vector<MailEvent> events;

  [[nodiscard]] meta::Namespace names() const {
    return meta::Namespace(conn.who, back.options.prefixes);
  }
  /// The server's name for a client's, UTF-8.
  /// @error bad_syntax, no_such_mailbox
  [[nodiscard]] Result<meta::MailboxName> internal_name(std::string_view client) const;
  /// The client's name in wire form.
  [[nodiscard]] std::string wire_name(const meta::MailboxName& name) const;

  /// A mailbox that the client may look up.
  /// @error no_such_mailbox  it isn't there, or the client lacks l (RFC 4314 §6)
  Result<Found> find(const meta::MailboxName& name);
  Result<Found> find(std::string_view client_name);
  /// The same, and the client has `right` on it.
  /// @error no_permission
  Result<Found> find_with(std::string_view client_name, meta::Right right);

  /// From now on the store knows who reads, and the protocol is traced if the operator wants that
  /// of this user. Not before login.
  void begin_user() const;

  /// Looks the rights on the selected mailbox up again if that was not done lately.
  /// @error mailbox_deleted  also when the client may not read it any more
  Result<void> refresh_rights();
  /// The selected mailbox, open for changes that need any of `rights`.
  /// @error no_permission  EXAMINEd, or the rights are not there
  Result<Selected*> changeable(meta::Rights any_of);
};

}  // namespace postern::imap
