// The two directions of COMPRESS=DEFLATE (RFC 4978): raw DEFLATE (RFC 1951) with bounded memory.
// Between two bursts the library's state is dropped; what is kept are the octets that the next
// blocks may refer to: 1 KiB to compress, the sender's window of at most 32 KiB to expand.
#pragma once

#include <zlib.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace postern::transportd {

class Deflater {
 public:
  /// The compressed form of `bytes`, which ends at an octet so that the peer can read all of it.
  Result<std::string> put(std::string_view bytes);
  void rest() { stream_.reset(); }
  /// Whether the library's state is there (some 55 KiB).
  [[nodiscard]] bool resting() const { return !stream_; }

 private:
  struct End {
    void operator()(z_stream* stream) const;
  };
  Result<void> begin();
  std::unique_ptr<z_stream, End> stream_;
  std::string last_;  // the end of what went out, for the next beginning
};

class Inflater {
 public:
  /// Expands from the front of `in`, which it shortens, into `out`. Octets written; less than
  /// `out` has room for: all of `in` is used.
  /// @error bad_syntax  not DEFLATE
  Result<std::size_t> take(std::string_view& in, std::span<char> out);
  /// The sender has closed its stream of blocks: nothing more may come.
  [[nodiscard]] bool at_end() const { return at_end_; }
  /// Drops the state where that is possible: between two blocks, at a whole octet.
  void rest();
  [[nodiscard]] bool resting() const { return !stream_; }

 private:
  struct End {
    void operator()(z_stream* stream) const;
  };
  Result<void> begin();
  std::unique_ptr<z_stream, End> stream_;
  std::string window_;  // while resting
  bool at_end_ = false;
  bool may_rest_ = false;  // it stands between two blocks, at a whole octet
};

}  // namespace postern::transportd
