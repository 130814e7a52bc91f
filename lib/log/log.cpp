#include "lib/log/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>
#include <syslog.h>
#include <unistd.h>

#include <memory>

#include "lib/base/text.h"

namespace postern::log {
namespace {

constexpr std::size_t kMaxLine = 4096;

Level least_level = Level::notice;
std::shared_ptr<spdlog::logger> logger;

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::notice:
      return spdlog::level::info;  // spdlog has no notice
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

bool is_plain(char c) { return c > ' ' && c < 127 && c != '"' && c != '\\'; }

void append_escaped(std::string& out, std::string_view value) {
  const bool keep_high = is_utf8(value);
  out += '"';
  for (const char c : value) {
    const auto b = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (b >= ' ' && b != 127 && (b < 128 || keep_high))
      out += c;
    else
      out += fmt::format("\\x{:02x}", b);
  }
  out += '"';
}

void append_value(std::string& out, std::string_view value) {
  bool plain = !value.empty();
  for (const char c : value) plain = plain && is_plain(c);
  if (plain)
    out += value;
  else
    append_escaped(out, value);
}

}  // namespace

void open(std::string_view program, std::string_view target, Level least_shown) {
  least_level = least_shown;
  std::shared_ptr<spdlog::sinks::sink> sink;
  if (target == "syslog") {
    sink = std::make_shared<spdlog::sinks::syslog_sink_mt>(std::string(program), LOG_PID, LOG_MAIL,
                                                           true);
    sink->set_pattern("%v");
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    // Local time with offset; one write() a line, so that lines of many processes never mix.
    sink->set_pattern(fmt::format("%Y-%m-%dT%H:%M:%S.%f%z %l {}[%P] %v", program));
  }
  logger = std::make_shared<spdlog::logger>(std::string(program), std::move(sink));
  logger->set_level(spdlog::level::debug);
  logger->flush_on(spdlog::level::debug);
}

Level least() { return least_level; }

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::notice:
      return "notice";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "error";
}

Result<Level> level_from(std::string_view name) {
  for (const Level level : {Level::debug, Level::notice, Level::warning, Level::error})
    if (name == name_of(level)) return level;
  return fail(Errc::bad_syntax, "'{}' is not debug, notice, warning or error", name);
}

std::string line_of(std::string_view event, std::initializer_list<Field> fields) {
  std::string line = "event=";
  line += event;
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value);
  }
  if (line.size() > kMaxLine) line.resize(kMaxLine);
  return line;
}

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (!logger) open("postern", "stderr", least_level);
  logger->log(spdlog_level(level), line_of(event, fields));
}

}  // namespace postern::log
