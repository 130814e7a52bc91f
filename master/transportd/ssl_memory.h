// Where OpenSSL's SSL objects lie, and how one that rests gives its memory back.
//
// Of the 14 KiB that OpenSSL 3.0 keeps for an idle connection 7.4 KiB are the SSL object itself,
// and four fifths of that are zeros: room for 32 records at a time (SSL_MAX_PIPELINES), of which
// one is used, and for secrets of the longest hashes. So each object has two pages of its own;
// while nobody calls OpenSSL for it, its words that aren't zero are kept elsewhere and the pages go
// back to the kernel. Nothing is known of the object but where it begins and that it is at rest.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace postern::transportd {

/// To be called once, before OpenSSL allocates anything: up to `objects` SSL objects get pages of
/// their own from then on. What doesn't fit, or isn't recognised, comes from malloc as ever and
/// isn't folded. False: OpenSSL refused, all memory comes from malloc.
bool take_over_ssl_memory(std::size_t objects);

/// Pages of objects that were freed go back to the kernel.
void release_free_ssl_memory();

/// The content of an SSL object without its zeros; empty while the object itself has it.
class FoldedSsl {
 public:
  FoldedSsl() = default;
  FoldedSsl(const FoldedSsl&) = delete;
  FoldedSsl& operator=(const FoldedSsl&) = delete;
  ~FoldedSsl();

  /// Until unfold() nobody may call OpenSSL with `ssl`. Does nothing to an object from malloc.
  void fold(SSL* ssl);
  /// The object is as it was. Does nothing if it isn't folded.
  void unfold(SSL* ssl);
  [[nodiscard]] bool folded() const { return !words_.empty(); }

 private:
  void forget();

  std::vector<std::uint64_t> words_;  // a bit for each word of the object, then those that aren't 0
};

}  // namespace postern::transportd
