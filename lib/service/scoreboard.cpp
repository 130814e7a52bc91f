// Makes and maps the scoreboard: head, session rows, heap, in one memfd.
#include "lib/service/scoreboard.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "lib/base/assert.h"
#include "lib/base/clock.h"

namespace postern::service {
namespace {

constexpr std::uint64_t kMagic = 0x3142537265747350;  // "PsterSB1"
constexpr std::uint32_t kVersion = 2;
constexpr std::uint64_t kPage = 4096;
/// Address space for records: the average is far below, the largest is 64 KiB.
constexpr std::uint64_t kHeapPerSession = 16 * 1024;
constexpr std::uint64_t kLeastHeap = 64U << 20;

constexpr std::uint64_t round_up(std::uint64_t size) { return (size + kPage - 1) / kPage * kPage; }

constexpr std::uint64_t kSessionsOffset = round_up(sizeof(ScoreboardHead));

}  // namespace

Result<Scoreboard> Scoreboard::create(std::uint32_t sessions) {
  Fd memory{memfd_create("postern-scoreboard", MFD_CLOEXEC)};
  if (!memory) return errno_error("memfd_create", "scoreboard");
  const std::uint64_t heap_offset =
      round_up(kSessionsOffset + std::uint64_t{sessions} * sizeof(SessionRow));
  const std::uint64_t heap_size =
      round_up(std::max(kLeastHeap, std::uint64_t{sessions} * kHeapPerSession));
  const std::uint64_t size = heap_offset + heap_size;
  if (ftruncate(memory.get(), static_cast<off_t>(size)) != 0)
    return errno_error("ftruncate", "scoreboard");
  void* map = mmap(nullptr, heap_offset, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (map == MAP_FAILED) return errno_error("mmap", "scoreboard");
  Scoreboard board;
  board.memory_ = std::move(memory);
  board.mapped_ = heap_offset;
  board.head_ = static_cast<ScoreboardHead*>(map);
  ScoreboardHead& head = *board.head_;  // zero-filled by the kernel
  head.magic = kMagic;
  head.version = kVersion;
  head.sessions = sessions;
  head.heap_offset = heap_offset;
  head.heap_size = heap_size;
  head.master_pid = getpid();
  head.started_at = wall_seconds();
  head.next_session_id = 1;
  for (ListenerRow& row : head.listeners) row.fd = -1;
  for (PoolRow& row : head.pools) row.event_fd = -1;
  return board;
}

Result<Scoreboard> Scoreboard::attach(Fd memory, bool with_heap, bool writable) {
  struct stat info {};
  if (fstat(memory.get(), &info) != 0) return errno_error("fstat", "scoreboard");
  const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  if (static_cast<std::uint64_t>(info.st_size) < kSessionsOffset)
    return fail(Errc::corrupt, "scoreboard of {} octets", info.st_size);
  void* first = mmap(nullptr, kPage, PROT_READ, MAP_SHARED, memory.get(), 0);
  if (first == MAP_FAILED) return errno_error("mmap", "scoreboard");
  const auto* head = static_cast<const ScoreboardHead*>(first);
  const bool known = head->magic == kMagic && head->version == kVersion;
  const std::uint64_t size = head->heap_offset + (with_heap ? head->heap_size : 0);
  munmap(first, kPage);
  if (!known) return fail(Errc::corrupt, "scoreboard of another version");
  void* map = mmap(nullptr, size, protection, MAP_SHARED | MAP_NORESERVE, memory.get(), 0);
  if (map == MAP_FAILED) return errno_error("mmap", "scoreboard");
  Scoreboard board;
  board.memory_ = std::move(memory);
  board.mapped_ = size;
  board.head_ = static_cast<ScoreboardHead*>(map);
  return board;
}

Scoreboard::Scoreboard(Scoreboard&& other) noexcept
    : memory_(std::move(other.memory_)),
      head_(std::exchange(other.head_, nullptr)),
      mapped_(std::exchange(other.mapped_, 0)) {}

Scoreboard& Scoreboard::operator=(Scoreboard&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(head_, other.head_);
  std::swap(mapped_, other.mapped_);
  return *this;
}

Scoreboard::~Scoreboard() {
  if (head_ != nullptr) munmap(head_, mapped_);
}

std::span<SessionRow> Scoreboard::sessions() const {
  char* base = reinterpret_cast<char*>(head_);
  return {reinterpret_cast<SessionRow*>(base + kSessionsOffset), head_->sessions};
}

std::span<SessionRow> Scoreboard::used_sessions() const {
  return sessions().first(std::min(head_->sessions_top.load(), head_->sessions));
}

std::span<WorkerRow> Scoreboard::used_workers() const {
  return std::span(head_->workers).first(std::min(head_->workers_top.load(), kMaxWorkers));
}

char* Scoreboard::heap() const {
  ASSERT(mapped_ > head_->heap_offset);
  return reinterpret_cast<char*>(head_) + head_->heap_offset;
}

std::uint32_t Scoreboard::find_pool(std::string_view daemon) const {
  for (std::uint32_t i = 0; i < kMaxPools; ++i)
    if (head_->pools[i].daemon.view() == daemon) return i;
  return kNone;
}

std::uint32_t Scoreboard::find_service(std::string_view name) const {
  for (std::uint32_t i = 0; i < kMaxServices; ++i)
    if (head_->services[i].name.view() == name) return i;
  return kNone;
}

}  // namespace postern::service
