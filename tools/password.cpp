#include "tools/password.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

namespace postern::tools {
namespace {

/// The terminal doesn't show what is typed while this lives.
class NoEcho {
 public:
  NoEcho() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet) == 0;
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
  }

 private:
  termios before_{};
  bool changed_ = false;
};

}  // namespace

Result<auth::Secret> read_password(std::string_view whose) {
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  const NoEcho
      quiet;  // first: what is typed as soon as the question stands is neither shown nor lost
  if (terminal) fmt::print(stderr, "Password of {}: ", whose);
  std::string line;
  const bool got = static_cast<bool>(std::getline(std::cin, line));
  if (terminal) fmt::print(stderr, "\n");
  if (!got || line.empty())
    return fail(Errc::bad_syntax, "no password: it is the first line of standard input");
  auth::Secret password(line);
  std::ranges::fill(line, '\0');
  return password;
}

}  // namespace postern::tools
