// What a client does that keeps a copy of a user's mail: lists the mailboxes, gets messages one by
// one, puts messages up.
#include "tests/bench/load/imap_session.h"
#include "tests/bench/load/message.h"

namespace postern::bench {
namespace {

/// Makes `prefix`0 … `prefix`count-1, and subscribes to every fifth.
void make_names(ImapSession& session, std::string_view prefix, int count) {
  const std::string all = fmt::format("LIST \"\" {}*", prefix);
  if (count_of("* LIST ", session.command(all)) == static_cast<std::size_t>(count)) return;
  for (int i = 0; i < count; ++i) {
    session.try_command(fmt::format("CREATE {}{}", prefix, i));
    if (i % 5 == 0) session.command(fmt::format("SUBSCRIBE {}{}", prefix, i));
  }
}

/// The median time of `command`, whose answer must hold `what` at least `least` times.
double median_ms(ImapSession& session, const std::string& command, std::string_view what, int least,
                 int repeat) {
  std::vector<double> milliseconds;
  for (int i = 0; i < repeat; ++i) {
    const Stopwatch watch;
    const std::string_view answer = session.command(command);
    milliseconds.push_back(watch.seconds() * 1000);
    if (const auto found = count_of(what, answer); found < static_cast<std::size_t>(least))
      die(fmt::format("{}: {} of {} lines", command, found, least));
  }
  return percentile(milliseconds, 0.5);
}

}  // namespace

/// --names N --statused M --repeat R: LIST of all names, of the subscribed ones, and of M with
/// their STATUS, for a user who has N and M mailboxes.
void run_list(const Options& options) {
  const int names = options.number("names", 5000);
  const int statused = options.number("statused", 500);
  const int repeat = options.number("repeat", 10);
  ImapSession session{address_of(options), options.text("user", "user20")};
  make_names(session, "many", names);
  make_names(session, "few", statused);
  const auto ms = [&](const std::string& command, std::string_view what, int least) {
    return median_ms(session, command, what, least, repeat);
  };
  Json{}
      .add("all_ms", ms("LIST \"\" *", "* LIST ", names + statused))
      .add("lsub_ms", ms("LSUB \"\" *", "* LSUB ", names / 5))
      .add("subscribed_ms", ms("LIST (SUBSCRIBED) \"\" *", "* LIST ", names / 5))
      .add("status_ms",
           ms("LIST \"\" few* RETURN (STATUS (MESSAGES UNSEEN))", "* STATUS ", statused))
      .print();
}

/// --mailbox NAME --messages M (what NAME holds): UID FETCH n BODY.PEEK[], one after the other.
void run_singles(const Options& options) {
  const int messages = options.number("messages", 1000);
  ImapSession session{address_of(options), options.text("user", "user1")};
  session.command(fmt::format("SELECT {}", options.text("mailbox", "source")));
  const Stopwatch watch;
  for (int i = 1; i <= messages; ++i)
    session.command(fmt::format("UID FETCH {} (UID BODY.PEEK[])", i));
  Json{}.add("messages_per_s", messages / watch.seconds()).print();
}

/// --mailbox NAME --count N --size OCTETS --connections C: single APPENDs.
void run_appends(const Options& options) {
  const std::string mailbox = options.text("mailbox", "appended");
  const int count = options.number("count", 400);
  const int connections = options.number("connections", 1);
  const auto message = make_message(1, static_cast<std::size_t>(options.number("size", 8192)));
  const std::string user = options.text("user", "user1");
  ImapSession{address_of(options), user}.try_command(fmt::format("CREATE {}", mailbox));
  const Stopwatch watch;
  in_parallel(connections, [&](int) {
    ImapSession session{address_of(options), user};
    for (int i = 0; i < count / connections; ++i) append(session, mailbox, message);
  });
  Json{}.add("messages_per_s", count / connections * connections / watch.seconds()).print();
}

}  // namespace postern::bench
