#include "sieve/managesieved/request.h"

#include <optional>

#include "lib/base/text.h"

namespace postern::managesieved {
namespace {

constexpr std::size_t kMaxQuoted = 1024;  // RFC 5804 §4: quoted is at most 1024 octets
constexpr std::size_t kMaxArguments = 8;

/// literal-c2s = "{" number "+}" CRLF: the length, if the line ends with one.
std::optional<std::uint64_t> literal_at_end(std::string_view line) {
  if (!line.ends_with("+}")) return std::nullopt;
  const auto open = line.rfind('{');
  if (open == std::string_view::npos) return std::nullopt;
  return parse_u64(line.substr(open + 1, line.size() - open - 3));
}

class Scanner {
 public:
  explicit Scanner(Request& out) : out_(out) {}

  /// A piece of the command between literals.
  Result<void> scan(std::string_view text) {
    while (!text.empty()) {
      if (text.front() == ' ') {
        text.remove_prefix(1);
        continue;
      }
      if (out_.arguments.size() >= kMaxArguments)
        return fail(Errc::bad_syntax, "too many arguments");
      TRY(text.front() == '"' ? quoted(text) : word(text));
    }
    return {};
  }

  /// @pre scan() came before: a literal is never the keyword
  Result<void> literal(std::string octets) {
    if (out_.keyword.empty()) return fail(Errc::bad_syntax, "a literal in place of a command");
    out_.arguments.emplace_back(std::move(octets));
    return {};
  }

 private:
  Result<void> quoted(std::string_view& text) {
    std::string value;
    std::size_t i = 1;
    for (; i < text.size() && text[i] != '"'; ++i) {
      if (text[i] == '\\' && ++i == text.size()) break;
      value += text[i];
    }
    if (i >= text.size()) return fail(Errc::bad_syntax, "unclosed string");
    if (!is_utf8(value)) return fail(Errc::bad_syntax, "string is not UTF-8");
    text.remove_prefix(i + 1);
    return literal(std::move(value));
  }

  Result<void> word(std::string_view& text) {
    const auto end = std::min(text.find(' '), text.size());
    const auto value = text.substr(0, end);
    text.remove_prefix(end);
    if (out_.keyword.empty()) {
      out_.keyword = to_upper(value);
      return {};
    }
    const auto number = parse_u64(value);
    if (!number) return fail(Errc::bad_syntax, "neither string nor number");
    out_.arguments.emplace_back(*number);
    return {};
  }

  Request& out_;
};

/// Drops a string that is too large, so that the command can be answered and the next one found.
Result<void> skip(net::Stream& in, std::uint64_t size) {
  constexpr std::uint64_t kMost = 64 << 20;
  constexpr std::uint64_t kPiece = 64 << 10;
  if (size > kMost) return fail(Errc::too_big, "string of {} octets", size);
  for (; size > 0; size -= std::min(size, kPiece))
    TRY(in.read_exactly(static_cast<std::size_t>(std::min(size, kPiece))));
  return {};
}

}  // namespace

Result<std::vector<std::string>> Request::strings(std::size_t count) const {
  std::vector<std::string> out;
  for (const Argument& argument : arguments)
    if (const auto* text = std::get_if<std::string>(&argument)) out.push_back(*text);
  if (out.size() != count || arguments.size() != count)
    return fail(Errc::bad_syntax, "{} takes {} strings", keyword, count);
  return out;
}

// The command is read to its end even when it is wrong, so that the next one is found.
Result<Request> read_request(net::Stream& in, const RequestLimits& limits) {
  Request request;
  Scanner scanner(request);
  std::optional<Error> wrong;
  for (;;) {
    const auto line = TRY(in.read_line(limits.line));
    const auto size = literal_at_end(line.text);
    const auto text = size ? line.text.substr(0, line.text.rfind('{')) : line.text;
    if (const auto done = scanner.scan(text); !done && !wrong) wrong = done.error();
    if (!size) break;
    if (*size > limits.literal) {
      TRY(skip(in, *size));
      request.too_big = true;
      continue;
    }
    auto octets = TRY(in.read_exactly(static_cast<std::size_t>(*size)));
    if (const auto done = scanner.literal(std::move(octets)); !done && !wrong) wrong = done.error();
  }
  if (wrong) return *wrong;
  return request;
}

std::string wire_string(std::string_view text) {
  const bool quotable = text.size() <= kMaxQuoted && is_utf8(text) &&
                        text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
  if (!quotable) return fmt::format("{{{}}}\r\n{}", text.size(), text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

}  // namespace postern::managesieved
