// External lists (RFC 6134): the user's address book, and lists of the site. A list is a text file
// of one entry a line; "#" begins a comment, "@example.org" stands for all addresses of a domain. A
// worker holds one of these and remembers files as long as they stay the same.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/meta/meta.h"
#include "sieve/site/settings.h"

namespace postern::site {

class List {
 public:
  explicit List(std::string_view text);
  /// In any case; an address also by its domain.
  [[nodiscard]] bool contains(std::string_view value) const;
  /// Those that are mail addresses, in the order of the file.
  [[nodiscard]] std::vector<std::string> addresses() const;

 private:
  std::vector<std::string> entries_;
  std::unordered_set<std::string> folded_;
};

class SieveLists {
 public:
  /// Both outlive this.
  SieveLists(const config::Config& config, const Settings& settings)
      : config_(config), settings_(settings) {}

  /// The address book is known for every user, with or without a file.
  [[nodiscard]] bool known(std::string_view name) const;
  /// The list called `name`; empty where there is no file. `user`: whose script asks.
  /// @error no_such_object  no list has this name
  /// @error unavailable, io, too_big
  Result<std::shared_ptr<const List>> list(meta::Meta& meta, const meta::UserName& user,
                                           std::string_view name);

 private:
  struct Known {
    std::int64_t changed = 0;  // ns, of the file
    std::int64_t octets = 0;
    std::uint64_t inode = 0;
    std::shared_ptr<const List> list;
  };
  Result<std::string> path_of(meta::Meta& meta, const meta::UserName& user,
                              std::string_view name) const;
  Result<std::shared_ptr<const List>> read(const std::string& path);

  const config::Config& config_;
  const Settings& settings_;
  std::unordered_map<std::string, Known> files_;
};

/// The file of the user's address book: sieve.address_book, else one of the store's own.
/// @error unavailable
Result<std::string> address_book_of(const config::Config& config, const Settings& settings,
                                    meta::Meta& meta, const meta::UserName& user);

}  // namespace postern::site
