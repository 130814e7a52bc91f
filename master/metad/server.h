// Server: metad's event loop. One thread reads requests from all connections, executes them one by
// one, and writes replies; those that promise durability wait for the Flusher. It never blocks on a
// peer: one that doesn't read its replies is dropped.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "lib/base/fd.h"
#include "lib/base/result.h"
#include "lib/meta/core.h"
#include "lib/meta/service.h"
#include "master/metad/flusher.h"
#include "master/metad/housekeeper.h"

namespace postern::metad {

struct ServerOptions {
  HousekeeperOptions housekeeping;
  std::chrono::milliseconds sweep_every{1000};
};

class Server {
 public:
  /// `listener`: a listening Unix stream socket.
  static Result<std::unique_ptr<Server>> create(meta::Core& core, Fd listener,
                                                ServerOptions options);
  ~Server();

  /// Serves until `stop` (a descriptor: signalfd, pipe) is readable, then answers what was asked
  /// so far. @error io
  Result<void> run(int stop);

 private:
  struct Connection {
    Fd socket;
    meta::ServiceSession session;
    std::string input;
    std::string output;
    std::size_t written = 0;  // of output
    bool closing = false;     // when output is written
    bool watching_output = false;
  };
  /// A reply that is held back until its batch is durable.
  struct Held {
    std::uint64_t batch = 0;
    std::uint64_t connection = 0;
    std::string frame;
  };

  Server(meta::Core& core, Fd listener, ServerOptions options, Fd epoll, Fd event, Fd timer);
  Result<void> watch(int fd, std::uint64_t key, std::uint32_t events);
  void dispatch(std::uint64_t key, std::uint32_t events);
  void accept_all();
  void read_from(Connection& connection);
  bool execute_all(Connection& connection);
  void answer(Connection& connection, const meta::Executed& executed);
  void write_to(Connection& connection);
  void drop(std::uint64_t id);
  void release_durable();
  void finish_backups();
  void sweep();
  void drain();

  meta::Core& core_;
  meta::Service service_;
  Fd listener_;
  Fd epoll_;
  Fd event_;  // flusher and housekeeper have news
  Fd timer_;
  std::unordered_map<std::uint64_t, Connection> connections_;
  std::uint64_t last_id_;
  std::deque<Held> held_;
  std::uint64_t batch_ = 0;
  bool batch_open_ = false;  // replies were held in this round
  bool asked_ = false;       // since the last sweep
  bool resting_ = false;     // nobody has asked since the program's pages were let go
  std::uint64_t sweeps_ = 0;
  Flusher flusher_;
  Housekeeper housekeeper_;
};

}  // namespace postern::metad
