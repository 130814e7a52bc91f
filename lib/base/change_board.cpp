// The change board: counters, a dirty bitmap in two levels and one eventfd for the watcher.
#include "lib/base/change_board.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>

#include "lib/base/assert.h"

namespace postern {
namespace {

constexpr std::uint32_t kWords = ChangeBoard::kSlots / 64;
constexpr std::uint32_t kSummaryWords = kWords / 64;

}  // namespace

struct ChangeBoard::Shared {
  std::array<std::atomic<std::uint64_t>, kSlots> values;
  std::array<std::atomic<std::uint64_t>, kWords> dirty;           // one bit a slot
  std::array<std::atomic<std::uint64_t>, kSummaryWords> summary;  // one bit a word of `dirty`
  std::atomic<bool> poked;  // the eventfd is set: other committers save the system call
};

Result<ChangeBoard> ChangeBoard::create() {
  Fd memory{memfd_create("postern-board", MFD_CLOEXEC)};
  if (!memory) return errno_error("memfd_create", "change board");
  if (ftruncate(memory.get(), sizeof(Shared)) != 0) return errno_error("ftruncate", "change board");
  Fd event{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!event) return errno_error("eventfd", "change board");
  return attach(std::move(memory), std::move(event));
}

Result<ChangeBoard> ChangeBoard::attach(Fd memory, Fd event) {
  void* map = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (map == MAP_FAILED) return errno_error("mmap", "change board");
  ChangeBoard board;
  board.shared_ = static_cast<Shared*>(map);
  board.memory_ = std::move(memory);
  board.event_ = std::move(event);
  return board;
}

ChangeBoard ChangeBoard::private_board() {
  auto board = create();
  ASSERT(board.has_value());  // memory or descriptors ran out before the program began
  return std::move(*board);
}

ChangeBoard::ChangeBoard(ChangeBoard&& other) noexcept
    : memory_(std::move(other.memory_)),
      event_(std::move(other.event_)),
      shared_(std::exchange(other.shared_, nullptr)) {}

ChangeBoard& ChangeBoard::operator=(ChangeBoard&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(event_, other.event_);
  std::swap(shared_, other.shared_);
  return *this;
}

ChangeBoard::~ChangeBoard() {
  if (shared_ != nullptr) munmap(shared_, sizeof(Shared));
}

std::uint32_t ChangeBoard::slot_of(const MailboxId& mailbox) {
  return static_cast<std::uint32_t>(std::hash<MailboxId>{}(mailbox)) % kSlots;
}

std::uint64_t ChangeBoard::value(std::uint32_t slot) const {
  return shared_->values[slot % kSlots].load(std::memory_order_acquire);
}

void ChangeBoard::bump(std::uint32_t slot, ModSeq modseq) {
  slot %= kSlots;
  // Mailboxes may share a slot, so the value must change whatever the modseq is.
  auto& value = shared_->values[slot];
  std::uint64_t old = value.load(std::memory_order_relaxed);
  while (!value.compare_exchange_weak(old, std::max(old + 1, modseq.value()))) {
  }
  const std::uint32_t word = slot / 64;
  shared_->dirty[word].fetch_or(std::uint64_t{1} << (slot % 64));
  shared_->summary[word / 64].fetch_or(std::uint64_t{1} << (word % 64));
  if (shared_->poked.exchange(true)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

std::vector<std::uint32_t> ChangeBoard::take_dirty() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto drained = ::read(event_.get(), &count, sizeof count);
  shared_->poked.store(false);  // before the scan: whoever comes later pokes again
  std::vector<std::uint32_t> slots;
  for (std::uint32_t s = 0; s < kSummaryWords; ++s) {
    if (shared_->summary[s].load(std::memory_order_relaxed) == 0) continue;
    for (std::uint64_t words = shared_->summary[s].exchange(0); words != 0; words &= words - 1) {
      const auto word = s * 64 + static_cast<std::uint32_t>(std::countr_zero(words));
      for (std::uint64_t bits = shared_->dirty[word].exchange(0); bits != 0; bits &= bits - 1)
        slots.push_back(word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits)));
    }
  }
  return slots;
}

int ChangeBoard::memory_fd() const { return memory_.get(); }
int ChangeBoard::event_fd() const { return event_.get(); }

}  // namespace postern
