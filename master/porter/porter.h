// Porter: keeps the door. It accepts and greets connections, holds every quiet one in one epoll
// loop, wakes a free worker for one that has input or news, and takes the session back. It knows
// no protocol and writes only fixed octets. Whatever must survive its death lies in the scoreboard
// and in the descriptor table that it shares with its keeper; everything in this class is made
// anew from these by recover(), at the first start too.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/base/change_board.h"
#include "lib/base/fd.h"
#include "lib/service/message.h"
#include "lib/service/scoreboard.h"
#include "master/porter/heap.h"
#include "master/porter/timers.h"
#include "master/porter/watches.h"

namespace postern::porter {

using service::Goodbye;
using service::kNone;
using service::SessionRow;
using service::SessionState;
using service::WorkerRow;
using service::WorkerState;

/// Descriptors that master left; they live as long as the keeper does.
struct Doors {
  int door = -1;     // fork servers, workers, transportd write; we read
  int control = -1;  // master writes, we read
};

enum class Family { whole, no_keeper, no_master };

class Porter {
 public:
  Porter(service::Scoreboard& scoreboard, ChangeBoard& board, Doors doors);

  enum class Outcome {
    finished,   // told to shut down, and all sessions have ended
    orphaned,   // the keeper died: become the keeper
    no_master,  // master died: end
  };
  /// `family`: asked in each turn.
  Outcome run(Family (*family)());

 private:
  enum class Source : std::uint32_t { door, control, board, listener, worker, session };
  enum class Queue : std::uint8_t { none, input, login, news, held };

  /// What porter alone needs to know of a session; not in shared memory.
  struct Local {
    Queue queue = Queue::none;
    std::int64_t last_news = 0;  // steady ms of the last wake for a change
    bool news_pending = false;   // held back until last_news + kNewsEvery
  };
  struct Pool {
    std::vector<std::uint32_t> idle;  // a stack, so that caches stay hot
    std::deque<std::uint32_t> input, login, news;
    std::uint32_t logins_out = 0;  // workers with a session that hasn't logged in
    std::uint32_t news_out = 0;
    std::uint32_t since_news = 0;  // hand-overs since the last one for news
    std::uint32_t since_login = 0;
    std::int64_t poked_at = 0;
  };

  // recovery.cpp: what a killed predecessor left, made whole.
  void recover();
  void recover_session(std::uint32_t slot);
  void recover_greeting(std::uint32_t slot);
  void recover_out(std::uint32_t slot);
  void recover_worker(std::uint32_t index);
  void close_or_adopt_strays();
  bool adopt(int fd);

  // porter.cpp: the loop.
  void watch_descriptor(int fd, Source source, std::uint32_t index, std::uint32_t events);
  void handle(std::uint64_t tag, std::uint32_t events);
  void run_timers();
  void sweep();
  void tidy();
  void release_free_rows();
  [[nodiscard]] bool nothing_left() const;

  // accept.cpp: new connections.
  void open_listener(std::uint32_t index);
  void accept_from(std::uint32_t index);
  void admit(int fd, std::uint32_t service, bool adopted);
  SessionRow& begin_row(std::uint32_t slot, int fd, std::uint32_t service, std::uint32_t flags);
  /// Why a connection is turned away, or nothing.
  [[nodiscard]] std::string_view refusal(const SessionRow& row) const;
  [[nodiscard]] std::string_view refusal_of_address(const SessionRow& row) const;
  void refuse(int fd, const SessionRow& row, std::string_view why);
  bool may_warn(const std::string& option);
  void turn_away(std::uint32_t slot, std::string_view why);
  [[nodiscard]] bool comes_from_proxy(const SessionRow& row) const;
  void read_proxy_header(std::uint32_t slot);
  void greet(std::uint32_t slot);
  void take_connection(std::string_view message, Fd fd);
  std::uint32_t take_row();
  void start_session(std::uint32_t slot);

  // orders.cpp: master and fork servers.
  void read_door();
  void read_control();
  void take_greetings(std::string_view message);
  void retire_older_workers(std::uint32_t pool);
  void take_worker(std::string_view message, Fd channel);
  void obey(std::string_view message, Fd fd);
  void add_listener(std::uint32_t service, Fd fd);
  void close_listeners(std::uint32_t service);
  void kick(std::string_view user);
  void shut_down();

  // dispatch.cpp: from quiet to a worker.
  void session_event(std::uint32_t slot, std::uint32_t events);
  /// Whether there is something a worker could act on; closes the session at its end.
  bool has_input(std::uint32_t slot, std::uint32_t events);
  void enqueue(std::uint32_t slot, Queue queue);
  void unqueue(std::uint32_t slot);
  void news_for(std::uint32_t slot);
  void dispatch(std::uint32_t pool);
  std::uint32_t choose(std::uint32_t pool);
  std::uint32_t pop(std::deque<std::uint32_t>& queue, Queue kind);
  void wake(std::uint32_t slot, std::uint32_t worker);
  void send_wake(std::uint32_t slot, std::uint32_t worker);
  void count_out(std::uint32_t slot, int by);
  void unhold(std::uint64_t user_hash);
  void poke(std::uint32_t pool);

  // workers.cpp: from a worker back to quiet, or to the end.
  void read_worker(std::uint32_t index);
  void take_message(std::uint32_t index, std::string_view message, Fd stream);
  void take_park(std::uint32_t index, std::string_view message, Fd stream);
  void replace_stream(std::uint32_t slot, Fd stream);
  void take_end(std::uint32_t index, std::string_view message);
  void take_login(std::uint32_t index, std::string_view message);
  [[nodiscard]] bool is_current(const service::Ticket& ticket, std::uint32_t worker) const;
  void fill_row(std::uint32_t slot, const service::Parked& parked);
  void settle(std::uint32_t slot, const std::vector<service::Watch>& watches);
  void release_worker(std::uint32_t index, bool leaving);
  void retire_worker(std::uint32_t index);
  void drop_worker(std::uint32_t index);
  void lose_worker(std::uint32_t index);

  // sessions.cpp: rows, limits, the end of a session.
  void end_session(std::uint32_t slot, std::string_view reason, bool say_so);
  void end_with_goodbye(std::uint32_t slot, Goodbye why, std::string_view reason);
  void say(std::uint32_t slot, std::string_view text) const;
  void poll_session(std::uint32_t slot, bool input) const;
  void time_session(std::uint32_t slot);
  void session_due(std::uint32_t slot);
  bool quiet_due(std::uint32_t slot, std::int64_t now);
  void count_session(std::uint32_t slot, int by);
  bool set_user(std::uint32_t slot, std::string_view user);
  bool make_room_for(std::uint32_t slot);
  [[nodiscard]] service::Facts facts_of(std::uint32_t slot) const;
  [[nodiscard]] service::Parked record_of(std::uint32_t slot) const;
  [[nodiscard]] service::PoolRow& pool_row(const SessionRow& row) const;
  [[nodiscard]] bool before_login(const SessionRow& row) const;
  Local& local(std::uint32_t slot);

  service::Scoreboard& scoreboard_;
  service::ScoreboardHead& head_;
  std::span<SessionRow> rows_;
  ChangeBoard& board_;
  Doors doors_;
  Heap heap_;
  Timers timers_;
  Watches watches_;
  Fd epoll_;
  Fd reserve_;  // let go to turn connections away at the limit of open files
  std::array<Pool, service::kMaxPools> pools_;
  std::vector<Local> locals_;
  std::vector<std::uint32_t> free_rows_;
  std::unordered_map<std::string, std::uint32_t> by_address_;      // key: /32 or /64
  std::unordered_map<std::uint64_t, std::uint32_t> by_user_;       // key: user_hash
  std::unordered_map<std::uint64_t, std::uint32_t> active_users_;  // sessions out
  std::unordered_map<std::uint64_t, std::deque<std::uint32_t>> held_;
  std::int64_t now_ = 0;  // steady ms, read once a turn of the loop
  std::int64_t swept_at_ = 0;
  std::map<std::string, std::int64_t> warned_;  // option: when its limit was last told of
  std::uint32_t ended_ = 0;                     // sessions since the last tidy()
  bool master_gone_ = false;
};

}  // namespace postern::porter
