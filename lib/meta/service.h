// Service: executes one request of a Client on a Core and gives the reply. What metad does between
// reading a frame and writing one; knows no sockets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/meta/core.h"
#include "lib/meta/wire.h"

namespace postern::meta {

/// One connection of a client.
struct ServiceSession {
  std::uint64_t id = 0;  // owns reservations
  std::string instance;  // empty before hello
};

struct Executed {
  std::string reply;     // a reply's payload; empty: nothing is answered
  bool durable = false;  // hold the reply back until the log is flushed
  bool close = false;    // after the reply
  std::string backup;    // not empty: a backup into this directory, whose end is the reply
  std::uint64_t sequence = 0;
};

class Service {
 public:
  explicit Service(Core& core) : core_(core) {}

  /// Never fails: what is wrong is in the reply.
  Executed execute(ServiceSession& session, std::string_view request);

 private:
  Executed hello(ServiceSession& session, std::uint64_t sequence, WireReader& in);
  Executed backup(std::uint64_t sequence, WireReader& in);
  Executed run(ServiceSession& session, const wire::RequestHead& head, const WireReader& in);
  /// The reply of a mutation that was committed before its answer was lost; empty if none was.
  Result<std::string> repeated(const ServiceSession& session, std::uint64_t sequence);

  Core& core_;
};

}  // namespace postern::meta
