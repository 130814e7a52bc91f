// Strong<Tag, T>: a number that can't be mixed with another of the same representation.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <cstddef>
#include <functional>

namespace postern {

template <typename Tag, typename T>
class Strong {
 public:
  using value_type = T;
  constexpr Strong() = default;
  constexpr explicit Strong(T value) : value_(value) {}
  [[nodiscard]] constexpr T value() const { return value_; }
  constexpr Strong next() const { return Strong(static_cast<T>(value_ + 1)); }
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;

 private:
  T value_{};
};

}  // namespace postern

template <typename Tag, typename T>
struct std::hash<postern::Strong<Tag, T>> {
  std::size_t operator()(const postern::Strong<Tag, T>& x) const {
    return std::hash<T>()(x.value());
  }
};

template <typename Tag, typename T>
struct fmt::formatter<postern::Strong<Tag, T>> : fmt::formatter<T> {
  template <typename Context>
  auto format(const postern::Strong<Tag, T>& x, Context& ctx) const {
    return fmt::formatter<T>::format(x.value(), ctx);
  }
};
