// Making a mailbox of any size quickly, opening it, and reading it.
#include "tests/bench/load/imap_session.h"
#include "tests/bench/load/message.h"

namespace postern::bench {
namespace {

bool select_holding(ImapSession& session, std::string_view mailbox, int messages) {
  const std::string_view answer = session.command(fmt::format("SELECT {}", mailbox));
  return answer.find(fmt::format("* {} EXISTS", messages)) != std::string_view::npos;
}

void make_anew(ImapSession& session, std::string_view mailbox) {
  session.try_command(fmt::format("DELETE {}", mailbox));
  session.command(fmt::format("CREATE {}", mailbox));
}

/// Selects `source`, which gets `count` messages of `size` octets unless it has them.
void select_source(ImapSession& session, std::string_view source, int count, std::size_t size,
                   Text text) {
  session.try_command(fmt::format("CREATE {}", source));
  if (select_holding(session, source, count)) return;
  session.command("UNSELECT");
  make_anew(session, source);
  for (int i = 0; i < count; ++i)
    append(session, source, make_message(static_cast<std::size_t>(i), size, text));
  select_holding(session, source, count);
}

/// Makes `mailbox` anew with `wanted` messages by COPY of the selected mailbox's `step`.
void multiply(ImapSession& session, std::string_view mailbox, int step, int wanted) {
  make_anew(session, mailbox);
  for (int made = 0; made < wanted; made += step)
    session.command(fmt::format("COPY 1:{} {}", std::min(step, wanted - made), mailbox));
}

}  // namespace

/// --mailbox NAME --messages N --source NAME --distinct D --size OCTETS --prose 0|1: makes NAME
/// anew with N messages, by COPY from a mailbox of D different ones, which it makes when it isn't
/// there.
void run_fill(const Options& options) {
  constexpr int kStage = 100000;  // Maildir reads its whole folder at each COPY: few large ones
  const std::string mailbox = options.text("mailbox", "big");
  const int wanted = options.number("messages", kStage);
  // Copies of one message stay far below ext4's 65,000 links.
  const int distinct = options.number("distinct", 1000);
  ImapSession session{address_of(options), options.text("user", "user1")};
  select_source(session, options.text("source", "source"), distinct,
                static_cast<std::size_t>(options.number("size", 8192)),
                options.number("prose", 0) == 1 ? Text::prose : Text::few_words);
  const Stopwatch watch;
  if (wanted > kStage) {
    multiply(session, "stage", distinct, kStage);
    select_holding(session, "stage", kStage);
    multiply(session, mailbox, kStage, wanted);
  } else {
    multiply(session, mailbox, distinct, wanted);
  }
  Json{}.add("messages", static_cast<std::size_t>(wanted)).add("seconds", watch.seconds()).print();
}

/// --mailbox NAME --item ITEM --repeat R --compress 0|1 --room OCTETS: FETCH 1:* ITEM, R times in
/// one session, whose buffer has that much room from the start.
/// Prints the rate of the first time and the median of the others, the octets of one answer and how
/// many of them there are on the connection (inside TLS).
void run_fetch(const Options& options) {
  TlsResumption tls;
  ImapSession session{address_of(options), options.text("user", "user1"), &tls};
  session.command(fmt::format("SELECT {}", options.text("mailbox", "big")));
  session.connection().reserve(static_cast<std::size_t>(options.number("room", 0)));
  const std::string command = fmt::format("FETCH 1:* {}", options.text("item", "(UID FLAGS)"));
  std::vector<double> rates;
  std::size_t octets = 0;
  std::size_t received = 0;
  for (int i = 0; i < options.number("repeat", 3); ++i) {
    const Stopwatch watch;
    const std::size_t before = session.connection().received();
    const std::string_view answer = session.command(command);
    const double seconds = watch.seconds();
    octets = answer.size();
    received = session.connection().received() - before;
    rates.push_back(static_cast<double>(count_of(" FETCH (", answer)) / seconds);
  }
  const double first = rates.front();
  if (rates.size() > 1) rates.erase(rates.begin());
  Json{}
      .add("octets", octets)
      .add("received", received)
      .add("first_per_s", first)
      .add("repeated_per_s", percentile(rates, 0.5))
      .print();
}

/// --mailbox NAME --messages M (what NAME holds) --count N: the time of SELECT in N new sessions.
void run_select(const Options& options) {
  const std::string exists = fmt::format("* {} EXISTS", options.number("messages", 0));
  std::vector<double> milliseconds;
  for (int i = 0; i < options.number("count", 20); ++i) {
    ImapSession session{address_of(options), options.text("user", "user1")};
    const std::string command = fmt::format("SELECT {}", options.text("mailbox", "big"));
    const Stopwatch watch;
    const std::string_view answer = session.command(command);
    milliseconds.push_back(watch.seconds() * 1000);
    if (answer.find(exists) == std::string_view::npos)
      die(fmt::format("{}: not {}", command, exists));
    session.command("LOGOUT");
  }
  Json{}.add("p50_ms", percentile(milliseconds, 0.5)).print();
}

}  // namespace postern::bench
