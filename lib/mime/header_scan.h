// Where a header's fields begin and end (RFC 5322 §2.2): the one function that splits headers.
#pragma once

#include <cstddef>
#include <string_view>

#include "lib/mime/message.h"

namespace postern::mime {

/// One line of `bytes`: [begin, end) without and [begin, next) with its line end.
struct Line {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t next = 0;

  [[nodiscard]] bool empty() const { return begin == end && next > end; }
  [[nodiscard]] bool cut() const { return next == end; }  // the input ends before its LF
};

Line line_at(std::string_view bytes, std::size_t begin);

/// The field whose first line is `first`, with its folded lines; `id` is left for the caller to
/// find. `lines` grows by the LFs passed.
Field field_at(std::string_view bytes, const Line& first, std::uint64_t& lines);

}  // namespace postern::mime
