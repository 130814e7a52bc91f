// What the configuration says to scripts, read once in the fork server.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/config/config.h"
#include "lib/meta/namespace.h"
#include "sieve/host.h"

namespace postern::site {

struct Settings {
  std::string hostname;
  std::string domain;  // of addresses that are written without one (auth.default_domain)
  meta::NamespacePrefixes prefixes;
  bool autocreate = false;   // sieve.autocreate
  sieve::ScoreSource spam;   // sieve.spamtest_*
  sieve::ScoreSource virus;  // sieve.virustest_*
  /// Lists of the site (sieve.list.*): file by name.
  std::map<std::string, std::string, std::less<>> lists;
  std::vector<std::string> webhooks;  // prefixes of URLs that notify may post to
  std::string address_book;           // a path with "{user}"; empty: the store's own file

  /// @error bad_syntax  of an option of sieve
  static Result<Settings> from(const config::Config& config);

  /// `user` with a domain.
  [[nodiscard]] std::string address_of(const meta::UserName& user) const;
};

}  // namespace postern::site
