// Base tests and actions over fields that the oracle's message has. What libsieve is known to get
// wrong (libsieve_defects.tsv) is not made: backslashes, empty keys, address with several fields or
// keys.
#include "tests/oracle/base_script.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace postern::sieve {
namespace {

constexpr std::array<std::string_view, 5> kFields{"Subject", "From", "To", "X-Priority", "Cc"};
constexpr std::array<std::string_view, 4> kAddressFields{"From", "To", "Cc", "Sender"};
constexpr std::array<std::string_view, 10> kKeys{"present",
                                                 "coyote@desert.example.org",
                                                 "roadrunner",
                                                 "*a*",
                                                 "?",
                                                 "3",
                                                 "I have a present for you",
                                                 "*.example.*",
                                                 "DESERT.example.org",
                                                 "zz"};
constexpr std::array<std::string_view, 3> kMatches{":is", ":contains", ":matches"};
constexpr std::array<std::string_view, 3> kParts{":all", ":localpart", ":domain"};
constexpr std::array<std::string_view, 3> kComparators{"", " :comparator \"i;octet\"",
                                                       " :comparator \"i;ascii-casemap\""};
constexpr std::array<std::string_view, 6> kActions{
    "keep;", "discard;", "fileinto \"A\";", "fileinto \"B\";", "redirect \"x@example.com\";",
    "stop;"};

class Generator {
 public:
  explicit Generator(const std::function<std::size_t(std::size_t)>& choose) : choose_(choose) {}

  std::string script() {
    std::string out = "require [\"fileinto\"];\n";
    for (std::size_t n = 1 + choose_(3); n > 0; --n) out += statement(0);
    return out;
  }

 private:
  template <std::size_t N>
  std::string_view one(const std::array<std::string_view, N>& of) {
    return of[choose_(N)];
  }
  template <std::size_t N>
  std::string strings(const std::array<std::string_view, N>& of) {
    if (choose_(2) == 0) return fmt::format("\"{}\"", one(of));
    return fmt::format("[\"{}\", \"{}\"]", one(of), one(of));
  }

  std::string statement(int depth) {
    if (depth > 2 || choose_(3) == 0) return fmt::format("{}\n", one(kActions));
    std::string out = fmt::format("if {} {{ {} }}\n", test(0), statement(depth + 1));
    if (choose_(2) == 0) out += fmt::format("elsif {} {{ {} }}\n", test(0), statement(depth + 1));
    if (choose_(2) == 0) out += fmt::format("else {{ {} }}\n", statement(depth + 1));
    return out;
  }

  std::string test(int depth) {
    switch (choose_(depth > 2 ? 5 : 8)) {
      case 0:
        return fmt::format("header {}{} {} {}", one(kMatches), one(kComparators), strings(kFields),
                           strings(kKeys));
      case 1:
        return fmt::format("address {} {}{} \"{}\" \"{}\"", one(kMatches), one(kParts),
                           one(kComparators), one(kAddressFields), one(kKeys));
      case 2:
        return fmt::format("exists {}", strings(kFields));
      case 3:
        return fmt::format("size :{} {}", choose_(2) == 0 ? "over" : "under", choose_(900));
      case 4:
        return choose_(2) == 0 ? "true" : "false";
      case 5:
        return "not " + test(depth + 1);
      default:
        return fmt::format("{} ({}, {})", choose_(2) == 0 ? "allof" : "anyof", test(depth + 1),
                           test(depth + 1));
    }
  }

  const std::function<std::size_t(std::size_t)>& choose_;
};

}  // namespace

std::string random_base_script(const std::function<std::size_t(std::size_t)>& choose) {
  return Generator(choose).script();
}

}  // namespace postern::sieve
