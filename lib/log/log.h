// Logging: one event, one line, key=value, event name first (STYLE: "noun.verb"). Every key stands
// in doc/log-keys.tsv. Goes to syslog (facility mail) or stderr, as configured.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include "lib/base/result.h"

namespace postern::log {

enum class Level { debug, notice, warning, error };

/// One key=value. Passwords, SASL responses and message text have types that don't convert to it.
struct Field {
  std::string_view key;
  std::string value;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  template <typename T>
  requires(!std::is_convertible_v<const T&, std::string_view>) Field(std::string_view k, const T& v)
      : key(k), value(fmt::format("{}", v)) {}
};

/// Where lines go and which are dropped; once, before threads or forks.
/// `target`: "syslog" or "stderr". `program` is syslog's ident.
void open(std::string_view program, std::string_view target, Level least);
Level least();

std::string_view name_of(Level level);
/// @error bad_syntax
Result<Level> level_from(std::string_view name);

/// The line without time and process: "event=… key=value …".
std::string line_of(std::string_view event, std::initializer_list<Field> fields);

/// Values with spaces, quotes, control or non-UTF-8 octets are quoted and escaped; a line is cut
/// at 4 KiB.
void write(Level level, std::string_view event, std::initializer_list<Field> fields);

}  // namespace postern::log

/// LOG(notice, "mailbox.expunge", {"user", user}, {"uids", set});
#define LOG(level, event, ...)                                                   \
  do {                                                                           \
    if (::postern::log::Level::level >= ::postern::log::least())                 \
      ::postern::log::write(::postern::log::Level::level, event, {__VA_ARGS__}); \
  } while (false)
