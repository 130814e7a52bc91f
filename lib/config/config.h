// The configuration: one TOML file, read once at start and again on SIGHUP. Every option stands in
// one table (options.cpp), from which doc/configuration.md is made; asking for a name that is not
// in the table is an ASSERT, an unknown key in the file is refused with line and nearest name.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace postern::config {

enum class Type { boolean, integer, size, duration, text, list, secret };

/// One row of the table. A name with a "*" level ("service.*.listen") stands for any name there.
struct Option {
  std::string_view name;
  Type type;
  std::string_view standard;  // default, as it would be written in the file without quotes
  std::string_view meaning;   // one or two sentences for the manual
  std::int64_t least = 0;     // integer, size (bytes), duration (ms): range, checked at load
  std::int64_t most = INT64_MAX;
};

std::span<const Option> options();

class Config {
 public:
  /// @error bad_syntax  "file:line: what is wrong (did you mean …?)"
  /// @error io
  static Result<Config> load(const std::string& path);
  static Result<Config> parse(std::string_view toml, std::string_view path = "(text)");
  /// "key=value" as on a command line; overrides the file. Lists: comma-separated.
  /// @error bad_syntax
  Result<void> set(std::string_view assignment);

  [[nodiscard]] bool boolean(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] std::uint64_t size(std::string_view name) const;                  // bytes; "64KiB"
  [[nodiscard]] std::chrono::milliseconds duration(std::string_view name) const;  // "30min", "2s"
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view name) const;
  /// A secret's text: the value, or the contents of the file that "file:/path" names.
  [[nodiscard]] Result<std::string> secret(std::string_view name) const;

  /// Names in place of "*": names_under("service") gives {"imap", "lmtp", …}, sorted.
  [[nodiscard]] std::vector<std::string> names_under(std::string_view table) const;
  /// Name -> path of the spool's partitions; `default` is always one of them.
  [[nodiscard]] std::map<std::string, std::string> partitions() const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  [[nodiscard]] const std::string* find(std::string_view name) const;

  std::string path_;
  std::map<std::string, std::string, std::less<>> values_;  // scalars, as checked text
  std::map<std::string, std::vector<std::string>, std::less<>> lists_;
};

}  // namespace postern::config
