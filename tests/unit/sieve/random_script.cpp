// Walks the tables; strings come from pools that fit the argument's name or the tag.
#include "tests/unit/sieve/random_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "sieve/row.h"

namespace postern::sieve {
namespace {

using Pool = std::vector<std::string_view>;

const Pool kWords{"",        "a",   "present", "*",     "*a*b*",         "?",      "${1}", "${v}",
                  "3",       "äöü", "x y",     "${0}*", "\\\\*lit\\\\?", "[a-z]+", "1",    "ASCII",
                  "(a|b)*c", ".*"};
const std::map<std::string_view, Pool> kByArgument{
    {"a mailbox", {"A", "INBOX", "Lists/${1}", "x${v}"}},
    {"mailboxes", {"A", "B", "INBOX"}},
    {"mailbox ids", {"F1", "F2"}},
    {"an address", {"a@example.com", "B <b@example.com>", "${v}@example.com"}},
    {"header field names",
     {"Subject", "From", "To", "Received", "Content-Type", "Content-Disposition", "X-${v}"}},
    {"a header field's name", {"Subject", "X-A", "Date", "Received", "X-${v}"}},
    {"parts of the envelope", {"from", "to", "auth", "notify", "orcpt", "bymode"}},
    {"a date part", {"year", "weekday", "iso8601", "std11", "julian", "zone", "hour"}},
    {"flags", {"\\\\Seen", "a b", "\\\\Flagged x", "${v}"}},
    {"special-use flags", {"\\\\Junk", "\\\\Sent"}},
    {"a variable", {"v", "w"}},
    {"variables", {"v", "w"}},
    {"names of variables", {"g", "h"}},
    {"a variable's name", {"v", "w", "global.g"}},
    {"a method's URI", {"mailto:a@example.com", "log:", "https://example.com/${v}"}},
    {"URIs", {"mailto:a@example.com", "xmpp:a@b"}},
    {"a capability", {"online"}},
    {"capabilities", {"fileinto", "copy"}},
    {"a script's name", {"inner", "self", "missing"}},
    {"a program", {"learn"}},
    {"times", {"09:00:00", "23:30"}},
    {"an item's name", {"name", "location", "x"}},
    {"names of lists", {":addrbook:default"}},
};
const std::map<Tag, Pool> kByTag{
    {Tag::comparator, {"i;octet", "i;ascii-casemap", "i;ascii-numeric", "i;unicode-casemap"}},
    {Tag::value, {"gt", "ge", "lt", "le", "eq", "ne"}},
    {Tag::count, {"gt", "ge", "lt", "le", "eq", "ne"}},
    {Tag::zone, {"+0200", "-0330"}},
    {Tag::tzid, {"Europe/Berlin", "America/New_York"}},
    {Tag::weekdays, {"0", "3"}},
    {Tag::flags, {"\\\\Seen", "x y"}},
    {Tag::addflags, {"x"}},
    {Tag::removeflags, {"\\\\Seen"}},
    {Tag::from, {"me@example.com"}},
    {Tag::importance, {"1", "2", "3"}},
    {Tag::options, {"a=b"}},
    {Tag::notify, {"NEVER", "SUCCESS,DELAY"}},
    {Tag::ret, {"FULL", "HDRS"}},
    {Tag::bymode, {"notify", "return"}},
    {Tag::bytimeabsolute, {"2030-01-01T00:00:00Z"}},
    {Tag::specialuse, {"\\\\Junk"}},
    {Tag::mailboxid, {"F1"}},
    {Tag::fcc, {"Sent"}},
    {Tag::mailbox, {"A"}},
    {Tag::content, {"text", "", "message", "multipart", "application/pdf"}},
    {Tag::param, {"charset", "filename", "name"}},
    {Tag::name, {"loop"}},
    {Tag::header, {"Subject", "From"}},
};

class Generator {
 public:
  explicit Generator(const Choose& choose) : choose_(choose) {}

  std::string script() {
    std::string out = "require [";
    for (const auto& row : capabilities())
      if (row.announced) out.append(out.back() == '[' ? "\"" : ",\"").append(row.name).append("\"");
    out += "];\n";
    for (std::size_t n = 1 + choose_(6); n > 0; --n) out += command(0);
    return out;
  }

 private:
  std::string command(std::size_t depth) {
    const auto& row = all_commands()[choose_(all_commands().size())];
    const bool branch = row.name == "elsif" || row.name == "else";
    const bool lost = row.name == "require" || (row.name == "break" && loops_ == 0) ||
                      (row.name == "extracttext" && loops_ == 0);
    if (branch || row.name == "if" || (depth > 3 && row.tail == Tail::block)) return choice(depth);
    if (lost) return "keep;\n";
    std::string out(row.name);
    out += arguments(row);
    if (row.tail == Tail::none) return out + ";\n";
    ++loops_;
    out += " {\n" + body(depth) + "}\n";
    --loops_;
    return out;
  }

  std::string choice(std::size_t depth) {
    if (depth > 3) return "stop;\n";
    std::string out = "if " + test(0) + " {\n" + body(depth) + "}\n";
    if (choose_(2) == 1) out += "elsif " + test(0) + " {\n" + body(depth) + "}\n";
    if (choose_(2) == 1) out += "else {\n" + body(depth) + "}\n";
    return out;
  }

  std::string body(std::size_t depth) {
    std::string out;
    for (std::size_t n = choose_(4); n > 0; --n) out += command(depth + 1);
    return out;
  }

  std::string test(std::size_t depth) {
    const auto& row = all_tests()[choose_(all_tests().size())];
    if (row.tail == Tail::none) return std::string(row.name) + arguments(row);
    if (depth > 3) return "true";
    if (row.tail == Tail::test) return "not " + test(depth + 1);
    std::string out = std::string(row.name) + " (" + test(depth + 1);
    for (std::size_t n = choose_(3); n > 0; --n) out += ", " + test(depth + 1);
    return out + ")";
  }

  std::string arguments(const Row& row) {
    std::string out;
    std::vector<std::uint8_t> groups;
    for (const auto& set : row.tags) {
      for (const auto& tag : set) {
        const bool needed = row.name == "size" && groups.empty() && tag.tag == Tag::under;
        if (!needed && choose_(5) != 1) continue;
        if (tag.group != 0 && std::find(groups.begin(), groups.end(), tag.group) != groups.end())
          continue;
        groups.push_back(tag.group);
        out += fmt::format(" :{}", tag.name);
        const auto pool = kByTag.find(tag.tag);
        out += value(tag.value, pool == kByTag.end() ? kWords : pool->second);
      }
    }
    for (std::size_t i = 0; i < row.arity(); ++i) {
      if (i == 0 && row.first_optional && choose_(2) == 1) continue;
      if (i + 1 == row.arity() && row.last_optional && choose_(2) == 1) continue;
      const auto pool = kByArgument.find(row.arg_names[i]);
      out += value(row.args[i], pool == kByArgument.end() ? kWords : pool->second);
    }
    return out;
  }

  std::string value(Arg arg, const Pool& pool) {
    if (arg == Arg::none) return {};
    if (arg == Arg::number) return fmt::format(" {}", choose_(200));
    if (arg == Arg::string || choose_(2) == 1)
      return fmt::format(" \"{}\"", pool[choose_(pool.size())]);
    std::string out = fmt::format(" [\"{}\"", pool[choose_(pool.size())]);
    for (std::size_t n = choose_(3); n > 0; --n)
      out += fmt::format(", \"{}\"", pool[choose_(pool.size())]);
    return out + "]";
  }

  const Choose& choose_;
  std::size_t loops_ = 0;
};

}  // namespace

std::string random_script(const Choose& choose) { return Generator(choose).script(); }

}  // namespace postern::sieve
