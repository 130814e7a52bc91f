// Scripts: the Sieve scripts of one user, as plain files of the user's directory in the partition
// (<partition>/u/<aa>/<user-id>/sieve/NAME.sieve), the active one named in the file `active`.
// Knows nothing of the language. Changes are durable when a call returns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/meta/meta.h"

namespace postern::store {

/// <partition>/u/<aa>/<user-id>: what belongs to a user and to no mailbox.
std::string user_directory(const config::Config& config, const meta::UserRecord& user);
/// The same, made if it isn't there.
Result<std::string> make_user_directory(const config::Config& config, const meta::UserRecord& user);

struct ScriptInfo {
  std::string name;
  std::uint64_t size = 0;  // octets
  bool active = false;
};

struct ScriptLimits {
  std::uint64_t script_octets = 0;
  std::uint32_t scripts = 0;
  std::uint64_t total_octets = 0;
  /// From the options sieve.max_script_size, sieve.max_scripts and sieve.max_storage.
  static ScriptLimits from(const config::Config& config);
};

class Scripts {
 public:
  static Scripts of(const config::Config& config, const meta::UserRecord& user);

  /// Where the user's address book is, if there is one: a text file beside the scripts.
  [[nodiscard]] std::string address_book() const { return directory_ + "/addresses"; }
  /// @error over_quota  larger than all scripts together may be
  Result<void> put_address_book(std::string_view text);

  /// RFC 5804 §1.6: UTF-8, no control characters or line separators, not empty; at most 512 octets,
  /// which is room for 128 characters.
  /// @error bad_syntax
  static Result<void> check_name(std::string_view name);

  /// In the order of names. No directory means no scripts.
  Result<std::vector<ScriptInfo>> list() const;
  /// @error no_such_object
  Result<std::string> get(std::string_view name) const;
  /// Whether a script of `size` octets would fit under `name`.
  /// @error too_big (one script), limit (number), over_quota (sum)
  Result<void> have_space(std::string_view name, std::uint64_t size) const;
  /// @error as have_space()
  Result<void> put(std::string_view name, std::string_view text);
  /// @error no_such_object, in_use (it is the active one)
  Result<void> remove(std::string_view name);
  /// @error no_such_object, conflict (the new name is taken)
  Result<void> rename(std::string_view from, std::string_view to);
  /// "" deactivates. @error no_such_object
  Result<void> activate(std::string_view name);
  /// The active script's name; nothing without one, or when its file is gone.
  Result<std::optional<std::string>> active() const;
  struct Named {
    std::string name;
    std::string text;
  };
  /// active() and get() in one, for deliveries: what is there is opened once.
  Result<std::optional<Named>> active_script() const;

 private:
  Scripts(std::string directory, ScriptLimits limits)
      : directory_(std::move(directory)), limits_(limits) {}
  [[nodiscard]] std::string path_of(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> name_of_file(std::string_view file) const;
  /// Where a name is too long for a file: writes it down before the script, forgets it after.
  Result<void> note_name(std::string_view name) const;
  void forget_name(std::string_view name) const;
  [[nodiscard]] bool exists(std::string_view name) const;
  Result<std::string> active_name() const;
  Result<void> make_directories() const;
  Result<void> sync_directory() const;

  std::string directory_;
  ScriptLimits limits_;
};

}  // namespace postern::store
