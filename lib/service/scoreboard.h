// The scoreboard: one table in shared memory with a row for each pool of workers, service, worker
// and connection. master makes it; porter alone writes sessions and workers; everybody reads it
// (who, limits, hurry). A row's state word is written last, so a killed porter's successor and
// every reader know what holds. Behind the rows lies the heap with the parked records.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "lib/base/fd.h"
#include "lib/base/result.h"

namespace postern::service {

/// Text of at most N-1 octets in shared memory, cut when longer. Writers are alone; a reader in
/// another process may see a mixture of two values, never beyond the row.
template <std::size_t N>
class FixedText {
 public:
  void set(std::string_view text) {
    const std::size_t size = std::min(text.size(), N - 1);
    text.copy(text_.data(), size);
    std::memset(text_.data() + size, 0, N - size);
  }
  [[nodiscard]] std::string_view view() const {
    return {text_.data(), strnlen(text_.data(), N - 1)};
  }

 private:
  std::array<char, N> text_;
};

inline constexpr std::uint32_t kMaxPools = 16;
inline constexpr std::uint32_t kMaxServices = 32;
inline constexpr std::uint32_t kMaxWorkers = 4096;
inline constexpr std::uint32_t kMaxListeners = 128;
inline constexpr std::uint32_t kLoginRows = 8192;
inline constexpr std::uint32_t kNone = ~0U;
inline constexpr std::size_t kMostNetworks = 4096;  // octets of one list
inline constexpr std::size_t kMostGreeting = 2048;  // octets and one; ManageSieve's has 800

/// The workers of one daemon. Services with the same daemon share them.
struct PoolRow {
  FixedText<32> daemon;                   // "imapd"; empty: row unused
  std::atomic<std::uint32_t> generation;  // raised by a reload; older workers retire
  std::atomic<std::uint32_t> greeted;     // generation whose greetings are below; 0: none yet
  std::atomic<std::uint32_t> workers;     // registered at porter
  std::atomic<std::uint32_t> idle;        // of these, free
  std::atomic<std::uint32_t> waiting;     // sessions that wait for a worker
  std::atomic<std::uint64_t> wakes;
  std::atomic<std::uint64_t> crashes;  // workers that died with a session
  std::int32_t event_fd;               // porter's: pokes the fork server
  std::uint32_t min_spare;
  std::uint32_t max_spare;
  std::uint32_t max_workers;
  std::uint32_t needs_login;  // the login time-out applies; before login whole lines wake
  std::array<FixedText<kMostGreeting>, 4> greeting;  // index: (tls ? 1 : 0) + (loopback ? 2 : 0)
  std::array<FixedText<256>, 5> goodbye;             // index: Goodbye
};

/// What the configuration calls service.<name>: listeners and limits.
struct ServiceRow {
  FixedText<32> name;  // empty: row unused
  std::uint32_t pool;
  std::uint32_t max_connections;
  std::uint32_t max_per_address;
  std::uint32_t max_per_user;
  std::uint32_t max_active_per_user;
  std::int64_t login_timeout;  // ms without a login, 0: none
  // Separated by spaces: peers whose PROXY header is awaited, who may come, who may not.
  FixedText<kMostNetworks> proxy_networks, allow_networks, deny_networks;
  std::atomic<std::uint32_t> connections;
  std::atomic<std::uint64_t> accepted;
  std::atomic<std::uint64_t> refused;
};

struct ListenerRow {
  std::int32_t fd;  // in porter's table; -1: row unused
  std::uint32_t service;
};

enum class WorkerState : std::uint32_t { none, idle, busy };

struct WorkerRow {
  std::atomic<WorkerState> state;
  std::int32_t pid;
  std::int32_t fd;  // porter's end of its channel
  std::uint32_t pool;
  std::uint32_t generation;
  std::uint32_t slot;  // busy: the session that it serves
  std::int64_t since;  // steady ms of the last change of state
  std::uint64_t served;
};

enum class SessionState : std::uint32_t {
  free,
  greeting,  // accepted; the greeting is perhaps written
  quiet,     // porter watches it; the record is valid
  out,       // a worker has it under the number `wake`
  closing,   // the descriptor is perhaps closed
};

/// An address in 16 octets, IPv4 mapped; all zero for a Unix socket.
using AddressBytes = std::array<unsigned char, 16>;

struct WatchWord {
  std::uint32_t slot;
  std::uint32_t reserved;
  std::uint64_t seen;
};

struct SessionRow {
  static constexpr std::uint32_t kTls = 1, kLoopback = 2, kLocal = 4, kLoggedIn = 8, kChanged = 16,
                                 kKick = 32, kProxy = 64, kGreeted = 128, kHandedOver = 256,
                                 kCompressed = 512, kGoesOn = 1024;
  static constexpr std::uint32_t kInlineWatches = 2;

  std::atomic<SessionState> state;
  std::int32_t fd;  // in porter's table, for the connection's whole life
  std::uint64_t id;
  std::uint32_t wake;  // number of the last hand-over to a worker
  std::uint32_t worker;
  std::uint32_t service;
  std::uint32_t flags;
  std::atomic<std::uint64_t> record;  // an Extent: the worker's park message; 0: none yet
  std::atomic<std::uint64_t> facts;   // an Extent: Facts of TLS or PROXY; 0: the row says all
  std::int64_t accepted_at;           // seconds UTC
  std::int64_t since;                 // steady ms of the last change of state
  std::int64_t login_by;              // steady ms until which a login must come, 0: none
  std::int64_t autologout_at;         // steady ms, 0: never
  std::int64_t keepalive_at;
  std::int64_t keepalive_every;
  std::int64_t reply_at;  // the delayed reply
  std::uint64_t user_hash;
  std::uint32_t watch_count;
  std::uint16_t peer_port;
  std::uint16_t local_port;
  AddressBytes peer;
  AddressBytes local;
  std::array<WatchWord, kInlineWatches> watches;  // more are in the record
  FixedText<16> activity;
  FixedText<40> tls;  // version and cipher
  FixedText<64> user;
  FixedText<64> mailbox;
};

/// Counts failed logins of one (address, user): 32 bits of key, 8 of count, 24 of age.
using LoginRow = std::atomic<std::uint64_t>;

/// When a user may fetch mail again: see PollLimit.
using PollRow = std::atomic<std::uint64_t>;

struct ScoreboardHead {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t sessions;  // rows
  std::uint64_t heap_offset;
  std::uint64_t heap_size;
  std::int32_t master_pid;
  std::int64_t started_at;                     // seconds UTC
  std::atomic<std::uint64_t> next_session_id;  // 1…
  std::atomic<std::uint32_t> sessions_top;     // rows at and above were never used
  std::atomic<std::uint32_t> workers_top;
  std::atomic<std::uint32_t> stopping;  // the instance ends
  std::atomic<std::uint32_t> porter_starts;
  std::atomic<std::int32_t> porter_pid;
  std::array<PoolRow, kMaxPools> pools;
  std::array<ServiceRow, kMaxServices> services;
  std::array<ListenerRow, kMaxListeners> listeners;
  std::array<LoginRow, kLoginRows> logins;
  std::array<PollRow, kLoginRows> polls;
  std::array<WorkerRow, kMaxWorkers> workers;
};

class Scoreboard {
 public:
  /// A new scoreboard with room for `sessions` connections. Only pages that are used cost memory.
  static Result<Scoreboard> create(std::uint32_t sessions);
  /// The scoreboard behind an inherited or received descriptor.
  /// `with_heap`: porter; others see no parked record. `writable`: false for tools.
  /// @error corrupt  not a scoreboard of this version
  static Result<Scoreboard> attach(Fd memory, bool with_heap, bool writable = true);

  Scoreboard(Scoreboard&& other) noexcept;
  Scoreboard& operator=(Scoreboard&& other) noexcept;
  ~Scoreboard();

  [[nodiscard]] ScoreboardHead& head() const { return *head_; }
  /// All rows; those at and above head().sessions_top were never used.
  [[nodiscard]] std::span<SessionRow> sessions() const;
  /// The rows that may be in use.
  [[nodiscard]] std::span<SessionRow> used_sessions() const;
  [[nodiscard]] std::span<WorkerRow> used_workers() const;
  /// Start of the heap. Only when attached with it.
  [[nodiscard]] char* heap() const;
  [[nodiscard]] int memory_fd() const { return memory_.get(); }
  /// Index of the pool or service of that name, kNone if there is none.
  [[nodiscard]] std::uint32_t find_pool(std::string_view daemon) const;
  [[nodiscard]] std::uint32_t find_service(std::string_view name) const;

 private:
  Scoreboard() = default;
  Fd memory_;
  ScoreboardHead* head_ = nullptr;
  std::size_t mapped_ = 0;
};

}  // namespace postern::service
