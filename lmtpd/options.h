// The options of lmtpd, read once in the fork server.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "lib/config/config.h"
#include "lib/meta/recipient.h"

namespace postern::lmtp {

struct Options {
  std::string hostname;
  std::string trace_directory;
  meta::AddressRules addresses;
  std::chrono::milliseconds idle_timeout{0};
  std::chrono::seconds duplicate_life{0};  // 0: no suppression
  std::uint64_t max_message = 0;           // octets
  std::size_t max_recipients = 0;
  bool autocreate = false;
  bool over_quota_permanent = false;
  bool require_auth = false;
  std::string postmaster;  // who gets the postmaster's mail; "": nobody
  std::string sieve_submission;

  static Options from(const config::Config& config);
};

}  // namespace postern::lmtp
