// Which script decides for a user, compiled. A worker holds one of these for all its sessions and
// remembers what it has compiled; a script is known by its octets, so a changed one is never
// missed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/meta/meta.h"
#include "sieve/sieve.h"

namespace postern::site {

class SieveScripts {
 public:
  /// `config` outlives this. Uses sieve.default_script and sieve.global_directory.
  /// `environment`: what scripts may use here.
  explicit SieveScripts(const config::Config& config, sieve::Environment environment = {});

  struct Chosen {
    std::string name;  // for the log: of the active script, or the path of the default one
    /// Nothing: the user has none, and all mail is kept.
    std::shared_ptr<const sieve::Script> script;
    std::optional<sieve::RunError> error;  // why it is no script of this engine
  };
  /// The user's active script, else the site's default one.
  /// @error unavailable, io
  Result<Chosen> script_of(meta::Meta& meta, const meta::UserName& user);
  /// One of the user's scripts, active or not. @error no_such_object, unavailable, io
  Result<Chosen> script_named(meta::Meta& meta, const meta::UserName& user, std::string_view name);
  /// The administrator's. @error io
  Result<Chosen> script_at(const std::string& path);
  /// The text for include; nothing if there is none of this name.
  Result<std::optional<std::string>> text_of(meta::Meta& meta, const meta::UserName& user,
                                             sieve::Location location, std::string_view name);

 private:
  struct Compiled {
    std::shared_ptr<const sieve::Script> script;
    std::optional<sieve::RunError> error;
  };
  struct Known {
    std::int64_t until = 0;  // steady milliseconds
    std::optional<meta::UserRecord> record;
  };

  Result<std::optional<meta::UserRecord>> record_of(meta::Meta& meta, const meta::UserName& user);
  const Compiled& compiled(std::string text);
  Chosen chosen(std::string name, std::string text);

  const config::Config& config_;
  sieve::Environment environment_;
  std::string default_path_;
  std::string global_directory_;
  std::unordered_map<std::string, Compiled> compiled_;  // by text
  std::size_t octets_ = 0;                              // of the texts
  std::unordered_map<std::string, Known> users_;
};

}  // namespace postern::site
