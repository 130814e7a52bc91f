// STORE, COPY, MOVE and EXPUNGE of whole mailboxes, and many single STOREs.
#include "tests/bench/load/imap_session.h"

namespace postern::bench {
namespace {

double rate_of(ImapSession& session, std::string_view command, int messages) {
  const Stopwatch watch;
  session.command(command);
  return messages / watch.seconds();
}

void select(ImapSession& session, std::string_view mailbox, int messages) {
  const std::string_view answer = session.command(fmt::format("SELECT {}", mailbox));
  if (answer.find(fmt::format("* {} EXISTS", messages)) == std::string_view::npos)
    die(fmt::format("{} doesn't hold {} messages", mailbox, messages));
}

}  // namespace

/// --mailbox NAME --messages N (what NAME holds) --scratch PREFIX: copies all to PREFIXa, stores
/// flags there, moves all to PREFIXb, marks and expunges them. NAME keeps its messages.
void run_changes(const Options& options) {
  const std::string mailbox = options.text("mailbox", "big");
  const std::string scratch = options.text("scratch", "scratch");
  const int messages = options.number("messages", 100000);
  ImapSession session{address_of(options), options.text("user", "user1")};
  session.command(fmt::format("CREATE {}a", scratch));
  session.command(fmt::format("CREATE {}b", scratch));
  select(session, mailbox, messages);
  Json result;
  result.add("copy_per_s", rate_of(session, fmt::format("COPY 1:* {}a", scratch), messages));
  select(session, scratch + "a", messages);
  result.add("store_per_s", rate_of(session, "STORE 1:* +FLAGS (\\Seen)", messages));
  result.add("move_per_s", rate_of(session, fmt::format("MOVE 1:* {}b", scratch), messages));
  select(session, scratch + "b", messages);
  session.command("STORE 1:* +FLAGS.SILENT (\\Deleted)");
  result.add("expunge_per_s", rate_of(session, "EXPUNGE", messages));
  result.print();
}

/// --mailbox NAME --count N: N STOREs of one message each, one after the other's answer.
void run_single_stores(const Options& options) {
  const int count = options.number("count", 5000);
  ImapSession session{address_of(options), options.text("user", "user1")};
  session.command(fmt::format("SELECT {}", options.text("mailbox", "source")));
  const Stopwatch watch;
  for (int i = 0; i < count; ++i)
    session.command(fmt::format("STORE {} {}FLAGS (\\Flagged)", i / 2 % 1000 + 1, "+-"[i % 2]));
  Json{}.add("stores_per_s", count / watch.seconds()).print();
}

}  // namespace postern::bench
