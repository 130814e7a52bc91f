// The shell of posternadm: words of a line, the command that they name, and where its output goes.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "tools/adm/imap_client.h"

namespace postern::tools {

/// One login, and what a command prints to.
class AdmSession {
 public:
  explicit AdmSession(std::function<void(std::string_view)> print) : print_(std::move(print)) {}

  /// To the first address of `server` (see find_server) that answers.
  Result<void> connect(std::string_view server, std::uint16_t default_port = 143);
  Result<void> login(std::string_view user, const auth::Secret& password);
  void disconnect() { client_.reset(); }
  /// @error unavailable  not connected
  Result<Answer> run(std::string_view command);
  /// A line of output; the line end is added.
  void say(std::string_view line) const { print_(line); }
  /// The mailboxes that `pattern` means: itself, or what LIST finds if it has '*' or '%'.
  Result<std::vector<std::string>> mailboxes(const std::string& pattern);

  [[nodiscard]] const std::string& server() const { return server_; }
  [[nodiscard]] const std::string& greeting() const;
  /// Asks for a password without showing it.
  std::function<Result<auth::Secret>(std::string_view user)> ask_password;
  std::optional<int> exit_status;  // set: the shell ends

 private:
  std::function<void(std::string_view)> print_;
  std::optional<ImapClient> client_;
  std::string server_;
};

using Words = std::vector<std::string>;

struct AdmCommand {
  std::string_view name;
  std::string_view aliases;  // separated by spaces
  std::string_view usage;    // the arguments
  std::string_view meaning;
  std::size_t least;  // number of arguments
  std::size_t most;
  Result<void> (*run)(AdmSession& session, const Words& arguments);
};

std::span<const AdmCommand> adm_commands();
/// By name or alias; null if there is none.
const AdmCommand* find_adm_command(std::string_view word);

/// Words separated by spaces; "…" and '…' keep them together, \ takes the next character as it is.
/// ';' outside quotes ends a command: several come back.
/// @error bad_syntax  a quote without its end
Result<std::vector<Words>> split_line(std::string_view line);

/// Runs one command. @error bad_syntax  no such command, or a wrong number of arguments
Result<void> run_words(AdmSession& session, const Words& words);

/// Reads lines with editing, history and completion until "exit" or the end of input; without a
/// terminal it reads plain lines and stops at the first error. Gives the exit status.
int interact(AdmSession& session);

}  // namespace postern::tools
