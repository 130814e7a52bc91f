// The trace fields that final delivery puts in front of a message (RFC 5321 §4.4).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::lmtp {

struct TraceFacts {
  std::string return_path;  // without brackets; empty: the null reverse-path
  std::string client;       // what LHLO said
  std::string peer;         // address of the client; empty for a Unix socket
  std::string host;         // this server
  std::string id;           // of the transaction
  bool smtputf8 = false, authenticated = false, tls = false;
  std::string recipient;  // only if there is exactly one, else empty: the recipients share the file
  std::int64_t now = 0;   // seconds UTC
};

/// Return-Path, Delivered-To (one recipient only), Received; each line at most 998 octets.
std::string trace_fields(const TraceFacts& facts);

}  // namespace postern::lmtp
