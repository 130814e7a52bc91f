// Result<T>: what a client, a message, a file or the kernel can make fail. Only this file names
// tl::expected (g++ 12 lacks std::expected).
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace postern {

/// Every kind of failure that a program can act on. Each protocol maps all of them to its own
/// replies in one switch without a default, so a new one doesn't compile until all have an answer.
enum class Errc {
  bad_syntax,       // input doesn't follow its grammar
  not_supported,    // understood, but this server doesn't do it
  no_such_mailbox,  // also: the user lacks the right to know of it
  mailbox_exists,
  mailbox_deleted,  // the mailbox went away while it was used
  has_children,
  no_such_user,
  no_such_object,  // a message, script, annotation … that is not there
  no_permission,
  auth_failed,       // wrong credentials
  privacy_required,  // a plaintext mechanism without TLS
  over_quota,
  limit,        // a configured limit was reached
  too_big,      // one message or literal over its limit
  in_use,       // a lock wasn't had in time, or another session holds it
  unavailable,  // a part of the server is down or restarting: try again
  corrupt,      // a checksum or structure is wrong on disk
  expunged,     // the message is gone for good
  conflict,     // a conditional change lost (UNCHANGEDSINCE)
  closed,       // the peer has gone
  timed_out,
  io,  // the kernel refused
};

/// The name of `code` as log lines show it, e.g. "over_quota".
std::string_view name_of(Errc code);

/// A code for the program and a text for the log. Clients never see the text.
struct Error {
  Errc code = Errc::io;
  std::string text;
};

template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(Error error)
      : tl::expected<T, Error>(tl::unexpect, std::move(error)) {
  }  // NOLINT(google-explicit-constructor)
};

/// What TRY hands on: the value of a Result that has one.
template <typename T>
T take_value(Result<T>&& result) {
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// fail(Errc::corrupt, "index {}: bad magic", path)
template <typename... Args>
Error fail(Errc code, fmt::format_string<Args...> format, Args&&... args) {
  return Error{code, fmt::format(format, std::forward<Args>(args)...)};
}

/// The present errno as an Error with the operation and its object: "open /x: ENOENT".
/// ENOSPC and EDQUOT are io: the caller answers "try again", never "over quota".
Error errno_error(std::string_view operation, std::string_view object, int err = errno);

}  // namespace postern

#define POSTERN_CONCAT_(a, b) a##b
#define POSTERN_CONCAT(a, b) POSTERN_CONCAT_(a, b)
#define POSTERN_TRY_(name, ...)                                  \
  __extension__({                                                \
    auto name = (__VA_ARGS__);                                   \
    if (!name) return ::postern::Error(std::move(name).error()); \
    ::postern::take_value(std::move(name));                      \
  })
/// The value of a Result, or return its error from this function: auto x = TRY(f());
#define TRY(...) POSTERN_TRY_(POSTERN_CONCAT(try_, __COUNTER__), __VA_ARGS__)
