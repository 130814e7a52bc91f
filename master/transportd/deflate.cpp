#include "master/transportd/deflate.h"

#include <algorithm>

namespace postern::transportd {
namespace {

// 2^13 octets of window and level 5 of memory are 55 KiB instead of 268, at the same ratio for
// mail (measured).
constexpr int kWindowBits = -13;  // negative: raw, without zlib's header (RFC 4978 §4)
constexpr int kMemoryLevel = 5;
constexpr int kLevel = 4;
constexpr std::size_t kDictionary = 1024;
constexpr int kPeerWindowBits = -15;  // whatever a client uses
constexpr std::size_t kPeerWindow = 32 << 10;

Bytef* octets(std::string_view bytes) {
  // zlib reads only; its interface is older than const.
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

Error zlib_error(std::string_view what, const z_stream& stream, int code) {
  return fail(Errc::bad_syntax, "{}: {}", what, stream.msg != nullptr ? stream.msg : zError(code));
}

}  // namespace

void Deflater::End::operator()(z_stream* stream) const {
  deflateEnd(stream);
  delete stream;
}

Result<void> Deflater::begin() {
  std::unique_ptr<z_stream, End> fresh(new z_stream{});
  if (const int code = deflateInit2(fresh.get(), kLevel, Z_DEFLATED, kWindowBits, kMemoryLevel,
                                    Z_DEFAULT_STRATEGY);
      code != Z_OK)
    return zlib_error("deflateInit2", *fresh, code);
  if (!last_.empty())
    deflateSetDictionary(fresh.get(), octets(last_), static_cast<uInt>(last_.size()));
  stream_ = std::move(fresh);
  return {};
}

Result<std::string> Deflater::put(std::string_view bytes) {
  if (!stream_) TRY(begin());
  std::string out(deflateBound(stream_.get(), bytes.size()) + 16, '\0');
  stream_->next_in = octets(bytes);
  stream_->avail_in = static_cast<uInt>(bytes.size());
  std::size_t used = 0;
  do {  // the bound holds for a stream that begins; a flush may need some octets more
    if (used == out.size()) out.resize(out.size() + 256);
    stream_->next_out = octets(out) + used;
    stream_->avail_out = static_cast<uInt>(out.size() - used);
    if (const int code = deflate(stream_.get(), Z_SYNC_FLUSH); code != Z_OK && code != Z_BUF_ERROR)
      return zlib_error("deflate", *stream_, code);
    used = out.size() - stream_->avail_out;
  } while (stream_->avail_out == 0);
  out.resize(used);
  last_.append(bytes.substr(bytes.size() - std::min(bytes.size(), kDictionary)));
  if (last_.size() > kDictionary) last_.erase(0, last_.size() - kDictionary);
  return out;
}

void Inflater::End::operator()(z_stream* stream) const {
  inflateEnd(stream);
  delete stream;
}

Result<void> Inflater::begin() {
  std::unique_ptr<z_stream, End> fresh(new z_stream{});
  if (const int code = inflateInit2(fresh.get(), kPeerWindowBits); code != Z_OK)
    return zlib_error("inflateInit2", *fresh, code);
  if (!window_.empty())
    inflateSetDictionary(fresh.get(), octets(window_), static_cast<uInt>(window_.size()));
  std::string().swap(window_);
  stream_ = std::move(fresh);
  return {};
}

Result<std::size_t> Inflater::take(std::string_view& in, std::span<char> out) {
  if (at_end_ && !in.empty()) return fail(Errc::bad_syntax, "octets behind the last block");
  if (!stream_) TRY(begin());
  stream_->next_in = octets(in);
  stream_->avail_in = static_cast<uInt>(in.size());
  stream_->next_out = reinterpret_cast<Bytef*>(out.data());
  stream_->avail_out = static_cast<uInt>(out.size());
  const int code = inflate(stream_.get(), Z_SYNC_FLUSH);
  if (code != Z_OK && code != Z_BUF_ERROR && code != Z_STREAM_END)
    return zlib_error("inflate", *stream_, code);
  at_end_ = code == Z_STREAM_END;
  // data_type (zlib.h, inflate()): 128 for "behind a block", 64 for "in the last one", and the
  // number of bits that were read and not used. A call that does nothing forgets the 128.
  constexpr int kBetweenBlocks = 128;
  if (code != Z_BUF_ERROR) may_rest_ = (stream_->data_type & 0xff) == kBetweenBlocks;
  in.remove_prefix(in.size() - stream_->avail_in);
  return out.size() - stream_->avail_out;
}

void Inflater::rest() {
  if (!stream_ || !may_rest_) return;
  std::string window(kPeerWindow, '\0');
  uInt size = 0;
  if (inflateGetDictionary(stream_.get(), octets(window), &size) != Z_OK) return;
  window_.assign(window, 0, size);  // only as large as it has to be
  stream_.reset();
}

}  // namespace postern::transportd
