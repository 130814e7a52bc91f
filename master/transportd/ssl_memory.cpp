#include "master/transportd/ssl_memory.h"

#include <openssl/crypto.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "lib/base/assert.h"

namespace postern::transportd {
namespace {

constexpr std::size_t kSlot = 8192;      // two pages
constexpr std::size_t kSmallest = 4096;  // smaller objects aren't worth it
constexpr std::size_t kStep = 64;        // slots made usable at a time
constexpr std::size_t kWords = kSlot / sizeof(std::uint64_t);
constexpr std::size_t kMaskWords = kWords / 64;

/// A range of addresses, used from its beginning. What was freed last is taken first.
class Slots {
 public:
  bool reserve(std::size_t count) {
    void* const at = mmap(nullptr, count * kSlot, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return false;
    begin_ = usable_end_ = static_cast<std::byte*>(at);
    end_ = begin_ + count * kSlot;
    return true;
  }

  [[nodiscard]] bool owns(const void* pointer) const {
    return pointer >= begin_ && pointer < usable_end_;
  }

  /// nullptr: all are in use.
  void* take() {
    if (dirty_.empty() && clean_.empty() && !grow()) return nullptr;
    auto& from = dirty_.empty() ? clean_ : dirty_;
    void* const slot = from.back();
    from.pop_back();
    return slot;
  }

  void give(void* slot) { dirty_.push_back(slot); }

  void release() {
    for (void* const slot : dirty_) madvise(slot, kSlot, MADV_DONTNEED);
    clean_.insert(clean_.end(), dirty_.begin(), dirty_.end());
    std::vector<void*>().swap(dirty_);
  }

 private:
  bool grow() {
    const std::size_t size = std::min<std::size_t>(kStep * kSlot, end_ - usable_end_);
    if (size == 0 || mprotect(usable_end_, size, PROT_READ | PROT_WRITE) != 0) return false;
    for (std::size_t at = size; at > 0; at -= kSlot) clean_.push_back(usable_end_ + at - kSlot);
    usable_end_ += size;
    return true;
  }

  std::byte* begin_ = nullptr;
  std::byte* usable_end_ = nullptr;
  std::byte* end_ = nullptr;
  std::vector<void*> dirty_, clean_;
};

/// One for the process: OpenSSL's memory functions take no argument of ours.
Slots& slots() {
  static Slots all;
  return all;
}

/// OpenSSL says which of its files asks; in this one SSL_new() alone asks for so much.
bool is_ssl_object(std::size_t size, const char* file) {
  return size > kSmallest && size <= kSlot && file != nullptr &&
         std::string_view(file).ends_with("ssl_lib.c");
}

void* allocate(std::size_t size, const char* file, int) {
  if (is_ssl_object(size, file))
    if (void* const slot = slots().take()) return slot;
  return std::malloc(size);
}

void release(void* pointer, const char*, int) {
  if (slots().owns(pointer)) return slots().give(pointer);
  std::free(pointer);
}

void* reallocate(void* pointer, std::size_t size, const char*, int) {
  if (!slots().owns(pointer)) return std::realloc(pointer, size);
  void* const bigger = std::malloc(size);
  if (bigger == nullptr) return nullptr;
  std::memcpy(bigger, pointer, std::min(size, kSlot));
  slots().give(pointer);
  return bigger;
}

}  // namespace

bool take_over_ssl_memory(std::size_t objects) {
  return slots().reserve(objects) && CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
}

void release_free_ssl_memory() { slots().release(); }

FoldedSsl::~FoldedSsl() { forget(); }

void FoldedSsl::fold(SSL* ssl) {
  if (folded() || !slots().owns(ssl)) return;
  std::array<std::uint64_t, kWords> words;
  std::memcpy(words.data(), ssl, kSlot);
  const auto zeros = std::ranges::count(words, 0U);
  words_.reserve(kMaskWords + kWords - static_cast<std::size_t>(zeros));
  words_.resize(kMaskWords);
  for (std::size_t i = 0; i < kWords; ++i) {
    if (words[i] == 0) continue;
    words_[i / 64] |= std::uint64_t{1} << i % 64;
    words_.push_back(words[i]);
  }
  OPENSSL_cleanse(words.data(), kSlot);
  madvise(ssl, kSlot, MADV_DONTNEED);
}

void FoldedSsl::unfold(SSL* ssl) {
  if (!folded()) return;
  ASSERT(slots().owns(ssl));
  auto* to = reinterpret_cast<std::byte*>(ssl);
  std::size_t next = kMaskWords;
  for (std::size_t i = 0; i < kWords; ++i) {
    if ((words_[i / 64] >> i % 64 & 1) == 0) continue;  // the kernel's fresh page is zero there
    std::memcpy(to + i * sizeof(std::uint64_t), &words_[next++], sizeof(std::uint64_t));
  }
  forget();
}

/// They were keys.
void FoldedSsl::forget() {
  OPENSSL_cleanse(words_.data(), words_.size() * sizeof(std::uint64_t));
  std::vector<std::uint64_t>().swap(words_);
}

}  // namespace postern::transportd
