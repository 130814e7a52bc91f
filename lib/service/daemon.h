// What a daemon (imapd, pop3d, lmtpd, managesieved) is to the runtime: a name, greetings, an
// initialisation that is done once in the fork server, and serve(), which runs a session from the
// moment it has input until it ends or is quiet and can be parked.
//
// The runtime: master starts one fork server a service; that initialises and forks workers. porter
// accepts, greets, and wakes a free worker with a duplicate of the connection's descriptor and the
// session's record; a worker gives the record back to park it. See doc/architecture.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/change_board.h"
#include "lib/base/fd.h"
#include "lib/base/ids.h"
#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/net/patience.h"

namespace postern::service {

/// What is known of a connection from outside the protocol. Plain and serialisable.
struct Facts {
  std::uint64_t session_id = 0;  // unique for the life of the instance, in every log line
  std::string service;           // "imap", "imaps": the name in the configuration
  std::string peer_address;      // "127.0.0.1", "::1", "" for a Unix socket; after PROXY
  std::uint16_t peer_port = 0;
  std::string local_address;
  std::uint16_t local_port = 0;
  bool loopback = false;  // the peer is on this host
  bool tls = false;       // the rest is empty without it
  std::string tls_version, cipher, sni, alpn;
  std::string client_certificate;  // identity mapped from a verified certificate
  std::string channel_binding;     // tls-exporter data, raw
  std::string endpoint_binding;    // tls-server-end-point data, raw
  std::int64_t accepted_at = 0;    // seconds UTC
  bool greeted = false;            // STARTTLS: the client had its greeting before TLS
  bool compressed = false;         // COMPRESS is active (RFC 4978)
};

/// A mailbox that a parked session waits on.
struct Watch {
  std::uint32_t slot = 0;  // ChangeBoard::slot_of
  std::uint64_t seen = 0;  // board value before the last snapshot
};

/// A session as the worker has it while it serves it.
struct Session {
  Facts facts;
  Fd stream;             // blocking socket, plain bytes
  std::string state;     // the daemon's own record (TLV); empty at the first wake
  std::string unread;    // octets read from the peer and not consumed; come before the socket's
  bool changed = false;  // woken because a watched mailbox changed
  bool shutting_down = false;  // the server ends: say goodbye in the protocol's words
};

/// The session ended (the daemon has said goodbye); the runtime closes the connection.
struct Ended {
  std::string reason;  // for the log: "logout", "closed by peer", "timeout"
};

/// Quiet at a command boundary: everything that must outlive this worker.
struct Parked {
  std::string state;  // at most 64 KiB with `unread`
  std::string unread;
  std::vector<Watch> watches;
  std::string user;                         // for limits, who and kick; empty before login
  std::string mailbox;                      // shown by who
  std::string activity;                     // shown by who: "IDLE", "quiet"
  std::chrono::milliseconds autologout{0};  // porter writes `goodbye` and closes after that
  std::string goodbye;                      // "* BYE Autologout…\r\n"
  std::chrono::milliseconds keepalive{0};   // 0: none; porter writes `keepalive_text`
  std::string keepalive_text;               // "* OK Still here\r\n"
  std::chrono::milliseconds not_before{0};  // delayed reply: porter writes `delayed_reply` then
  std::string delayed_reply;
  bool goes_on = false;  // see Runtime::makes_room: the session is woken for `unread` in its turn
};

/// STARTTLS: the worker has consumed the command and written nothing. The runtime passes the
/// connection to transportd, which writes `ok_line` and shakes hands; the session begins anew.
struct StartTls {
  std::string ok_line;
  std::string alpn;          // the protocol's name for ALPN (RFC 7301): "imap"
  bool greet_again = false;  // the protocol has a greeting behind the handshake (RFC 5804 §2.2)
};

/// COMPRESS (RFC 4978): the worker has consumed the command and flushed everything before it. The
/// session is parked behind a relay of transportd, which writes `ok_line` and then compresses;
/// `Parked::unread` is what came behind the command, compressed already.
struct Compress {
  std::string ok_line;
  std::string no_line;  // written instead if no transportd takes the connection
};

struct Outcome {
  enum class Kind { ended, parked, start_tls, compress } kind = Kind::ended;
  Ended ended;
  Parked parked;  // of `compress` too
  StartTls start_tls;
  Compress compress;
};

/// What serve() can ask of the runtime while it runs.
class Runtime {
 public:
  virtual ~Runtime() = default;
  [[nodiscard]] virtual const config::Config& config() const = 0;
  [[nodiscard]] virtual ChangeBoard& board() = 0;
  /// Others are waiting for a worker: don't linger, park at once.
  [[nodiscard]] virtual bool hurry() const = 0;
  /// Whether a session that was served `commands` now, and has sent `unread` octets of more ahead,
  /// lets others have its worker (`service.*.max_pipelined`): it parks with `goes_on`.
  [[nodiscard]] virtual bool makes_room(std::uint32_t, std::size_t) const { return false; }
  /// The instance is ending: finish this command, say goodbye.
  [[nodiscard]] virtual bool stopping() const = 0;
  /// Tells porter who is logged in (limits, who, kick). @error limit
  virtual Result<void> logged_in(std::string_view user) = 0;
  /// Failed logins of (address, user), shared by all processes; gives the delay to apply.
  virtual std::chrono::milliseconds login_failed(std::string_view user) = 0;
  /// Counts a visit of `user`, who may come `burst` times and once more every `interval`; how long
  /// it is too early. Zero: welcome.
  virtual std::chrono::seconds too_early(std::string_view, std::chrono::seconds, std::uint32_t) {
    return std::chrono::seconds{0};
  }
  /// Whether STARTTLS can be offered: transportd runs and has a certificate.
  [[nodiscard]] virtual bool tls_available() const { return false; }
  /// How long to wait for the next command before parking: `service.*.linger`, 0 in a hurry.
  [[nodiscard]] virtual net::Patience linger() const {
    return {.wait = std::chrono::milliseconds{hurry() || stopping() ? 0 : 5}};
  }
};

/// In a greeting: what no other connection has (the timestamp of APOP, RFC 1939 §7).
inline constexpr std::string_view kSessionMark = "{session}";
std::string session_mark(std::uint64_t session_id, std::int64_t accepted_at);

/// Why porter ends a connection without a worker.
enum class Goodbye { shutting_down, internal_error, login_timeout, too_many, kicked };

/// A daemon. One object, made in the fork server; workers have copies by fork.
class Daemon {
 public:
  virtual ~Daemon() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;  // "imapd"
  /// The greeting that porter writes at accept, for a connection with these facts.
  /// Depends on nothing but `tls` and `loopback`: porter asks once for each combination. In place
  /// of kSessionMark porter writes session_mark().
  virtual std::string greeting(const config::Config& config, bool tls, bool loopback) = 0;
  /// The fixed bytes that porter writes before it ends a quiet connection, or one whose worker
  /// died: "* BYE …\r\n". Empty: the connection is closed without a word.
  virtual std::string goodbye(Goodbye) { return {}; }
  /// Whether a session must log in within `service.*.login_timeout` (LMTP has no login). Until then
  /// porter wakes a worker for whole lines only.
  [[nodiscard]] virtual bool needs_login() const { return true; }
  /// Once, in the fork server, before any fork: read configuration, warm ICU and SASL.
  virtual Result<void> prepare(const config::Config& config) = 0;
  /// Once in each worker, after fork: connect to metad, open the store.
  virtual Result<void> start_worker(Runtime& runtime) = 0;
  /// While the worker has no session: does what is due. Milliseconds until it wants to be called
  /// again; nothing: not before the next session.
  virtual std::optional<std::int64_t> rest() { return std::nullopt; }
  /// Before the worker ends in good order: nothing may be left undone.
  virtual void finish() {}
  /// The worker has had nothing to do for some seconds: what it keeps for speed alone may go.
  virtual void tidy() {}
  /// Serves until the session ends or is quiet. Blocking.
  virtual Outcome serve(Session session, Runtime& runtime) = 0;
};

/// main() of every daemon. Reads the inherited descriptors that master set up.
int run(Daemon& daemon, int argc, char** argv);

}  // namespace postern::service
