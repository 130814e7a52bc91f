// What the commands of `postern` work on, opened when it is first asked for: the configuration, the
// metadata (through a running metad, else by itself), the store, the control socket of master.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/change_board.h"
#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/meta/meta.h"
#include "lib/store/store.h"

namespace postern::tools {

class Context {
 public:
  /// `settings`: key=value, over what the file says. `command` names us in locks and logs.
  Context(std::string config_path, std::vector<std::string> settings, std::string command);
  ~Context();

  /// Loads the configuration. Started as root we become server.user, so that whatever we make
  /// belongs to it.
  Result<void> prepare();
  [[nodiscard]] const config::Config& config() const { return *config_; }
  /// @error in_use, unavailable
  Result<meta::Meta*> meta();
  Result<store::Store*> store();

  /// One request to a running master; gives its answer.
  /// @error unavailable  no server runs
  struct Answer {
    std::string text;
    std::vector<Fd> descriptors;
  };
  Result<Answer> ask_master(std::string_view request);

 private:
  ChangeBoard change_board();

  std::string config_path_;
  std::vector<std::string> settings_;
  std::string command_;
  std::unique_ptr<config::Config> config_;
  Fd master_;  // its control socket, if a server runs
  std::unique_ptr<meta::Meta> meta_;
  std::unique_ptr<ChangeBoard> board_;
  std::unique_ptr<store::Store> store_;
};

/// The mailboxes that `names` mean: names as the administrator writes them, each with its
/// inferiors if `recursive`; all mailboxes if there are none.
/// @error no_such_mailbox, bad_syntax
Result<std::vector<meta::MailboxEntry>> find_mailboxes(meta::Meta& meta,
                                                       const std::vector<std::string>& names,
                                                       bool recursive);

}  // namespace postern::tools
