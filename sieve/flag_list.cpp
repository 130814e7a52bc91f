// Flags and targets of actions that file mail.
#include "sieve/flag_list.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "sieve/checker.h"

namespace postern::sieve {
namespace {

constexpr std::array<std::string_view, 5> kSystemFlags{"\\Answered", "\\Deleted", "\\Draft",
                                                       "\\Flagged", "\\Seen"};

// flag-keyword = atom (RFC 9051 §9)
bool is_keyword(std::string_view flag) {
  constexpr std::string_view kSpecials = "(){%*\"\\]";
  return std::ranges::all_of(flag, [&](char c) {
    return c > ' ' && c < 0x7F && kSpecials.find(c) == std::string_view::npos;
  });
}

// The flag in the spelling to store; empty: not one that a script can set (RFC 5232 §2).
std::string_view valid_flag(std::string_view flag) {
  for (const auto system : kSystemFlags)
    if (iequals(flag, system)) return system;
  return flag.size() <= 255 && is_keyword(flag) ? flag : std::string_view();
}

template <typename Each>
void for_each_flag(const Strings& lists, Each each) {
  for (const auto list : lists)
    for (const auto word : split(list, ' '))
      if (const auto flag = valid_flag(word); !flag.empty()) each(flag);
}

bool is_mailbox_name(std::string_view name) {
  return !name.empty() && is_utf8(name) &&
         std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

}  // namespace

void add_flags(const Strings& lists, std::vector<std::string>& flags) {
  for_each_flag(lists, [&](std::string_view flag) {
    const auto same = [&](const std::string& other) { return iequals(other, flag); };
    if (std::ranges::none_of(flags, same)) flags.emplace_back(flag);
  });
}

void remove_flags(const Strings& lists, std::vector<std::string>& flags) {
  for_each_flag(lists, [&](std::string_view flag) {
    std::erase_if(flags, [&](const std::string& other) { return iequals(other, flag); });
  });
}

std::string join_flags(const std::vector<std::string>& flags) {
  std::string out;
  for (const auto& flag : flags) out.append(out.empty() ? "" : " ").append(flag);
  return out;
}

Result<Target> read_target(Run& run, const Code& code, std::string mailbox,
                           const std::vector<std::string>& otherwise) {
  if (!is_mailbox_name(mailbox))
    return fail(Errc::bad_syntax, "\"{}\" can't be a mailbox's name", mailbox);
  Target target;
  target.mailbox = std::move(mailbox);
  target.create = code.has(Tag::create);
  target.mailbox_id = run.tag_string(code, Tag::mailboxid);
  target.special_use = run.tag_string(code, Tag::specialuse);
  if (const Value* flags = code.find(Tag::flags))
    add_flags(run.strings(*flags), target.flags);
  else
    target.flags = otherwise;
  if (target.flags.size() > run.limits().flags) return fail(Errc::limit, "too many flags");
  return target;
}

Result<std::optional<Target>> read_fcc(Run& run, const Code& code) {
  const Value* fcc = code.find(Tag::fcc);
  if (fcc == nullptr) return std::optional<Target>();
  return std::optional(TRY(read_target(run, code, run.expand(fcc->strings.front()), {})));
}

void check_target(Checker& checker, const Code& code, const Value& mailbox) {
  const Text& name = mailbox.strings.front();
  if (!name.has_variables && !is_mailbox_name(name.text))
    checker.error(name.at, "expected a mailbox's name: not empty, no control characters");
  if (const Value* use = code.find(Tag::specialuse)) {
    const Text& flag = use->strings.front();
    if (!flag.has_variables && (flag.text.size() < 2 || flag.text.front() != '\\' ||
                                !is_keyword(std::string_view(flag.text).substr(1))))
      checker.error(flag.at, "expected a special-use flag, e.g. \"\\\\Junk\"");
  }
}

void check_fcc(Checker& checker, const Code& code) {
  if (const Value* fcc = code.find(Tag::fcc)) {
    check_target(checker, code, *fcc);
    return;
  }
  for (const Tag tag : {Tag::create, Tag::flags, Tag::mailboxid, Tag::specialuse})
    if (const Value* value = code.find(tag))
      checker.error(value->at, "this tag says how ':fcc' files its copy: it needs ':fcc'");
}

}  // namespace postern::sieve
