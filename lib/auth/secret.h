// Secret: a password or a SASL message. Has no log form and no conversion to text, and its octets
// are overwritten when it dies.
#pragma once

#include <string>
#include <string_view>

namespace postern::auth {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view octets) : octets_(octets) {}
  // Copied and wiped: a moved string may leave its octets where nobody overwrites them.
  // NOLINTNEXTLINE(performance-move-constructor-init,cert-oop11-cpp)
  Secret(Secret&& other) noexcept : octets_(other.octets_) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    wipe();
    octets_ = other.octets_;
    other.wipe();
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }

  /// The octets themselves: for the one place that checks or sends them.
  [[nodiscard]] std::string_view reveal() const { return octets_; }

 private:
  void wipe();
  std::string octets_;
};

}  // namespace postern::auth
