// postern check and postern reconstruct: what is wrong with mailboxes, and making it right.
#include "lib/store/check.h"

#include <fmt/format.h>
#include <sysexits.h>

#include <nlohmann/json.hpp>

#include "tools/command/commands.h"

namespace postern::tools {
namespace {

/// Left-overs and cache records cost time at most: a bad cache record is rebuilt when it is asked
/// for, and after a power cut there are always some.
bool is_damage(const store::Finding& finding) {
  using Kind = store::Finding::Kind;
  return finding.kind != Kind::stale && finding.kind != Kind::cache && !finding.repaired;
}

void print(const meta::MailboxName& mailbox, const store::Finding& finding, bool json) {
  if (json) {
    nlohmann::json row{{"mailbox", mailbox.text()},
                       {"kind", std::string(store::name_of(finding.kind))},
                       {"what", finding.what},
                       {"repaired", finding.repaired}};
    if (finding.uid) row["uid"] = finding.uid->value();
    fmt::print("{}\n", row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  fmt::print("{}: {}{}: {}{}\n", mailbox.text(), store::name_of(finding.kind),
             finding.uid ? fmt::format(" uid {}", *finding.uid) : std::string(), finding.what,
             finding.repaired ? " (repaired)" : "");
}

struct Total {
  std::size_t mailboxes = 0;
  std::size_t damaged = 0;  // findings that are damage and stay
  int status() const { return damaged > 0 ? EX_DATAERR : EX_OK; }
};

/// A mailbox that went away while we looked is nobody's damage.
bool is_gone(Errc code) { return code == Errc::mailbox_deleted || code == Errc::no_such_mailbox; }

template <typename Work>
Total each_mailbox(const std::vector<meta::MailboxEntry>& entries, bool json, Work&& work) {
  Total total;
  for (const auto& entry : entries) {
    const Result<std::vector<store::Finding>> found = work(entry);
    ++total.mailboxes;
    if (!found) {
      if (is_gone(found.error().code)) continue;
      fmt::print(stderr, "{}: {}: {}\n", entry.name.text(), name_of(found.error().code),
                 found.error().text);
      ++total.damaged;
      continue;
    }
    for (const auto& finding : *found) {
      print(entry.name, finding, json);
      total.damaged += is_damage(finding) ? 1 : 0;
    }
  }
  return total;
}

}  // namespace

Result<int> check(const Arguments& arguments, Context& context) {
  meta::Meta* const meta = TRY(context.meta());
  store::Store* const store = TRY(context.store());
  TRY(store->drain_outbox(SIZE_MAX));  // a header that is only late isn't damaged
  const store::CheckOptions options{.full = arguments.has("--full"),
                                    .repair = arguments.has("--repair")};
  const auto entries =
      TRY(find_mailboxes(*meta, arguments.list("mailbox"), arguments.has("--recursive")));
  const Total total = each_mailbox(entries, arguments.has("--json"), [&](const auto& entry) {
    return store::check(*store, entry, options);
  });
  fmt::print(stderr, "{} mailboxes checked, {} damages\n", total.mailboxes, total.damaged);
  return total.status();
}

Result<int> reconstruct(const Arguments& arguments, Context& context) {
  meta::Meta* const meta = TRY(context.meta());
  store::Store* const store = TRY(context.store());
  const auto entries =
      TRY(find_mailboxes(*meta, arguments.list("mailbox"), arguments.has("--recursive")));
  const Total total = each_mailbox(
      entries, false, [&](const auto& entry) { return store::reconstruct(*store, entry); });
  fmt::print(stderr, "{} mailboxes reconstructed, {} damages left\n", total.mailboxes,
             total.damaged);
  return total.status();
}

}  // namespace postern::tools
