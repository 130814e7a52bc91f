// The options that imapd reads once, in the fork server.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "lib/config/config.h"
#include "lib/meta/namespace.h"

namespace postern::imap {

struct Options {
  std::uint64_t append_limit = 0;  // octets of one message
  std::chrono::milliseconds autologout{0};
  std::chrono::milliseconds idle_keepalive{0};
  std::chrono::milliseconds rights_refresh{0};
  std::size_t max_command = 0;  // octets outside of message literals
  std::uint32_t bad_command_limit = 0;
  std::size_t metadata_max_size = 0;  // octets of one annotation
  std::uint32_t metadata_max_entries = 0;
  std::string sieve_url;      // of the ManageSieve server (RFC 5804 §3), or ""
  std::string admin_contact;  // a URI, or ""
  bool autocreate = false;
  bool start_tls = false;  // some listener of ours offers it
  std::string hostname;
  std::string trace_directory;
  meta::NamespacePrefixes prefixes;

  static Options from(const config::Config& config);
};

}  // namespace postern::imap
