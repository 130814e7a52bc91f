#include "tools/adm/imap_client.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"

namespace postern::tools {
namespace {

constexpr std::size_t kLongestLine = 1U << 20;
constexpr std::size_t kLongestLiteral = 16U << 20;
constexpr int kDeepest = 50;
constexpr std::chrono::seconds kLimit(120);

struct CodeRow {
  std::string_view code;  // RFC 5530 §3, RFC 9208 §4.3
  Errc errc;
};
constexpr std::array kCodes{
    CodeRow{"ALREADYEXISTS", Errc::mailbox_exists},
    CodeRow{"AUTHENTICATIONFAILED", Errc::auth_failed},
    CodeRow{"AUTHORIZATIONFAILED", Errc::no_permission},
    CodeRow{"CANNOT", Errc::not_supported},
    CodeRow{"HASCHILDREN", Errc::has_children},
    CodeRow{"INUSE", Errc::in_use},
    CodeRow{"LIMIT", Errc::limit},
    CodeRow{"NONEXISTENT", Errc::no_such_mailbox},
    CodeRow{"NOPERM", Errc::no_permission},
    CodeRow{"OVERQUOTA", Errc::over_quota},
    CodeRow{"PRIVACYREQUIRED", Errc::privacy_required},
    CodeRow{"UNAVAILABLE", Errc::unavailable},
};

/// "[NOPERM] text" or "text" behind NO.
Error refused(std::string_view text) {
  Errc code = Errc::conflict;
  if (text.starts_with('[')) {
    const auto end = text.find_first_of(" ]");
    const auto word = text.substr(1, end - 1);
    for (const auto& row : kCodes)
      if (iequals(row.code, word)) code = row.errc;
  }
  return fail(code, "{}", text);
}

/// Values from left to right; literals stand as "{n}" CRLF and their octets.
class Parser {
 public:
  explicit Parser(std::string_view in) : in_(in) {}

  Result<std::vector<Value>> values(bool inside, int depth) {
    if (depth > kDeepest) return fail(Errc::bad_syntax, "lists too deep");
    std::vector<Value> out;
    for (;;) {
      while (in_.starts_with(' ')) in_.remove_prefix(1);
      if (in_.empty() && !inside) return out;
      if (in_.empty()) return fail(Errc::bad_syntax, "a list without its end");
      if (in_.front() == ')') {
        if (!inside) return fail(Errc::bad_syntax, "a ')' too many");
        in_.remove_prefix(1);
        return out;
      }
      out.push_back(TRY(value(depth)));
    }
  }

 private:
  Result<Value> value(int depth) {
    if (in_.front() == '(') {
      in_.remove_prefix(1);
      auto items = TRY(values(true, depth + 1));
      return Value{Value::Kind::list, {}, std::move(items)};
    }
    if (in_.front() == '"') return quoted_string();
    if (in_.front() == '{') return literal();
    const auto end = std::min(in_.find_first_of(" ()"), in_.size());
    Value atom{Value::Kind::atom, std::string(in_.substr(0, end)), {}};
    if (iequals(atom.text, "NIL")) atom = {Value::Kind::nil, {}, {}};
    in_.remove_prefix(end);
    return atom;
  }
  Result<Value> quoted_string() {
    Value out{Value::Kind::string, {}, {}};
    for (std::size_t i = 1; i < in_.size(); ++i) {
      if (in_[i] == '"') {
        in_.remove_prefix(i + 1);
        return out;
      }
      if (in_[i] == '\\' && ++i == in_.size()) break;
      out.text += in_[i];
    }
    return fail(Errc::bad_syntax, "a string without its end");
  }
  Result<Value> literal() {
    const auto end = in_.find("}\r\n");
    const auto size =
        end == std::string_view::npos ? std::nullopt : parse_u64(in_.substr(1, end - 1));
    if (!size || in_.size() - end - 3 < *size)
      return fail(Errc::bad_syntax, "a literal without its octets");
    Value out{Value::Kind::string, std::string(in_.substr(end + 3, *size)), {}};
    in_.remove_prefix(end + 3 + *size);
    return out;
  }

  std::string_view in_;
};

/// The number in "…{123}" at the end of a line.
std::optional<std::uint64_t> literal_size(std::string_view line) {
  if (!line.ends_with('}')) return std::nullopt;
  const auto open = line.rfind('{');
  if (open == std::string_view::npos) return std::nullopt;
  return parse_u64(line.substr(open + 1, line.size() - open - 2));
}

/// "word rest"
std::pair<std::string_view, std::string_view> first_word(std::string_view text) {
  const auto space = text.find(' ');
  if (space == std::string_view::npos) return {text, {}};
  return {text.substr(0, space), text.substr(space + 1)};
}

/// Status responses have text behind them, not values.
bool has_text(std::string_view name) {
  constexpr std::array kTexts{"OK", "NO", "BAD", "BYE", "PREAUTH"};
  return std::ranges::find(kTexts, name) != kTexts.end();
}

}  // namespace

Result<std::vector<Value>> parse_values(std::string_view text) {
  return Parser(text).values(false, 0);
}

Result<std::string> quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == '\0') return fail(Errc::bad_syntax, "a line end in a name");
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::vector<const Untagged*> Answer::all(std::string_view name) const {
  std::vector<const Untagged*> out;
  for (const auto& response : untagged)
    if (response.name == name) out.push_back(&response);
  return out;
}

Result<ImapClient> ImapClient::connect(const net::Endpoint& server) {
  Fd socket = TRY(net::connect_to(server, kLimit));
  ImapClient client(net::Stream(std::move(socket), {}, {.read = kLimit, .write = kLimit}));
  client.greeting_ = TRY(client.read_response());
  if (client.greeting_.starts_with("* OK") || client.greeting_.starts_with("* PREAUTH"))
    return client;
  return fail(Errc::unavailable, "{}: {}", server.text(), client.greeting_);
}

Result<std::string> ImapClient::read_response() {
  std::string out;
  for (;;) {
    const auto line = TRY(stream_.read_line(kLongestLine));
    out += line.text;
    const auto size = literal_size(line.text);
    if (!size) return out;
    if (*size > kLongestLiteral) return fail(Errc::too_big, "a literal of {} octets", *size);
    out += "\r\n";
    out += TRY(stream_.read_exactly(static_cast<std::size_t>(*size)));
  }
}

Result<Answer> ImapClient::run(std::string_view command) {
  const std::string tag = fmt::format("a{}", ++last_tag_);
  stream_.write(tag);
  stream_.write(" ");
  stream_.write(command);
  stream_.write("\r\n");
  TRY(stream_.flush());
  Answer answer;
  for (;;) {
    const std::string response = TRY(read_response());
    const auto [head, rest] = first_word(response);
    const auto [word, text] = first_word(rest);
    const std::string name = to_upper(word);
    if (head == tag) {
      answer.text = text;
      if (name == "OK") return answer;
      if (name == "NO") return refused(text);
      return fail(Errc::bad_syntax, "{}", text);
    }
    if (head != "*") return fail(Errc::not_supported, "unexpected \"{}\"", response);
    // A number comes before the name: "* 3 EXISTS".
    if (name == "BYE") return fail(Errc::closed, "{}", text);
    if (has_text(name)) continue;
    auto values = TRY(parse_values(text));
    answer.untagged.push_back({name, std::move(values)});
  }
}

Result<void> ImapClient::login(std::string_view user, const auth::Secret& password) {
  const std::string name = TRY(quoted(user));
  TRY(run("LOGIN " + name + ' ' + TRY(quoted(password.reveal()))));
  // Names as they are from now on; a server without UTF-8 takes and gives ASCII names only.
  static_cast<void>(run("ENABLE UTF8=ACCEPT"));
  return {};
}

}  // namespace postern::tools
