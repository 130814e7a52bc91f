// Little-endian numbers and tag-length-value records: the forms of all files and of all messages
// between processes.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "lib/base/result.h"

namespace postern {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "formats are mapped as they are");

/// Appends numbers and strings to a buffer.
class WireWriter {
 public:
  template <typename T>
  requires std::is_integral_v<T>
  void put(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    out_.append(raw, sizeof(T));
  }
  /// A 32-bit length, then the bytes.
  void put_bytes(std::string_view bytes) {
    put(static_cast<std::uint32_t>(bytes.size()));
    out_.append(bytes);
  }
  void put_raw(std::string_view bytes) { out_.append(bytes); }
  [[nodiscard]] const std::string& bytes() const& { return out_; }
  [[nodiscard]] std::string bytes() && { return std::move(out_); }

 private:
  std::string out_;
};

/// Whether the octets at the start of `in` are a value of T: a bool is 0 or 1.
template <typename T>
bool is_a([[maybe_unused]] std::string_view in) {
  if constexpr (std::is_same_v<T, bool>)
    return in.front() == 0 || in.front() == 1;
  else
    return true;
}

/// Takes them off again; every take checks that the bytes are there.
class WireReader {
 public:
  explicit WireReader(std::string_view in) : in_(in) {}

  /// @error bad_syntax  the input ends before the value does
  template <typename T>
  requires std::is_integral_v<T> Result<T> take() {
    if (in_.size() < sizeof(T)) return fail(Errc::bad_syntax, "record ends early");
    if (!is_a<T>(in_)) return fail(Errc::bad_syntax, "neither true nor false");
    T value;
    std::memcpy(&value, in_.data(), sizeof(T));
    in_.remove_prefix(sizeof(T));
    return value;
  }
  Result<std::string_view> take_raw(std::size_t size) {
    if (in_.size() < size) return fail(Errc::bad_syntax, "record ends early");
    const std::string_view bytes = in_.substr(0, size);
    in_.remove_prefix(size);
    return bytes;
  }
  Result<std::string_view> take_bytes() {
    const auto size = TRY(take<std::uint32_t>());
    return take_raw(size);
  }
  [[nodiscard]] bool at_end() const { return in_.empty(); }
  [[nodiscard]] std::string_view rest() const { return in_; }

 private:
  std::string_view in_;
};

/// Tag-length-value: 16-bit tag, 32-bit length. Bit 15 of the tag is "critical": a reader that
/// doesn't know such a tag must refuse the record; it skips others.
constexpr std::uint16_t kCriticalTag = 0x8000;

class TlvWriter {
 public:
  void bytes(std::uint16_t tag, std::string_view value) {
    out_.put(tag);
    out_.put_bytes(value);
  }
  template <typename T>
  requires std::is_integral_v<T>
  void number(std::uint16_t tag, T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    bytes(tag, {raw, sizeof(T)});
  }
  [[nodiscard]] std::string take() && { return std::move(out_).bytes(); }

 private:
  WireWriter out_;
};

struct TlvField {
  std::uint16_t tag = 0;
  std::string_view value;

  /// @error bad_syntax  the field has another length
  template <typename T>
  Result<T> number() const {
    if (value.size() != sizeof(T))
      return fail(Errc::bad_syntax, "field {} has length {}", tag, value.size());
    if (!is_a<T>(value)) return fail(Errc::bad_syntax, "field {} is neither true nor false", tag);
    T out;
    std::memcpy(&out, value.data(), sizeof(T));
    return out;
  }
};

class TlvReader {
 public:
  explicit TlvReader(std::string_view in) : in_(in) {}
  [[nodiscard]] bool at_end() const { return in_.at_end(); }
  Result<TlvField> next() {
    TlvField field;
    field.tag = TRY(in_.take<std::uint16_t>());
    field.value = TRY(in_.take_bytes());
    return field;
  }

 private:
  WireReader in_;
};

}  // namespace postern
