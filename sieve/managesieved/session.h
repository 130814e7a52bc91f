// One ManageSieve session (RFC 5804) while a worker serves it. What outlives a command is
// Connection; handlers are rows of the table in command.cpp.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/auth/auth.h"
#include "lib/meta/meta.h"
#include "lib/net/stream.h"
#include "lib/service/daemon.h"
#include "lib/store/scripts.h"
#include "sieve/managesieved/request.h"
#include "sieve/sieve.h"

namespace postern::managesieved {

struct Connection {
  meta::Identity who;  // user empty: not authenticated
  std::uint32_t failed_logins = 0;
  std::uint32_t bad_commands = 0;

  [[nodiscard]] bool authenticated() const { return !who.user.empty(); }
  [[nodiscard]] std::string serialise() const;
  static Result<Connection> restore(std::string_view record);
};

/// What a worker has for all its sessions.
struct Worker {
  auth::Authenticator* auth = nullptr;
  meta::Meta* meta = nullptr;
  std::string trace_directory;
};

/// The capability lines (RFC 5804 §1.7), without the final OK.
std::string capabilities(const config::Config& config, auth::Authenticator& auth,
                         const auth::Channel& channel, bool starttls, std::string_view owner);

class Managesieve {
 public:
  Managesieve(Worker& worker, service::Runtime& runtime, service::Session session);
  service::Outcome serve();
  /// The protocol trace, if the operator wants one of this user.
  void begin_trace();

  Connection conn;
  net::Stream stream;
  service::Facts facts;
  Worker& worker;
  service::Runtime& runtime;

  void ok(std::string_view text = "", std::string_view code = "");
  void no(std::string_view text, std::string_view code = "");
  void no(const Error& error);
  /// BYE, and the end.
  void bye(std::string_view text, std::string_view code = "");
  void end(std::string reason) { ended_ = std::move(reason); }
  void begin_tls() { tls_ = true; }
  void delay(std::chrono::milliseconds delay, std::string reply);
  [[nodiscard]] auth::Channel channel() const;
  [[nodiscard]] bool starttls_offered() const;
  void write_capabilities();

  /// The scripts of the user who is logged in.
  Result<store::Scripts> scripts();
  /// Answers NO with the diagnostics if `text` has errors; warnings go to `warnings`.
  bool check(std::string_view text, std::string& warnings);

 private:
  bool step();
  void answer(const Result<Request>& request);
  void input_failed(const Error& error);
  service::Outcome finish();
  service::Outcome park();

  std::optional<std::string> ended_;
  bool tls_ = false;
  std::chrono::milliseconds delay_{0};
  std::string delayed_;
  std::uint32_t served_ = 0;  // commands of this hand-over
  bool goes_on_ = false;
};

/// One row of the table of commands.
struct Command {
  std::string_view name;  // upper case
  enum class In : std::uint8_t { any, before_login, after_login } in;
  std::size_t most_arguments;
  void (*run)(Managesieve&, const Request&);
};
const Command* find_command(std::string_view name);

}  // namespace postern::managesieved
