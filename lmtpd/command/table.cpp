// The only place that says in which state a command is legal (RFC 5321 §4.1.4).
#include "lmtpd/command/table.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"

namespace postern::lmtp {
namespace {

enum class In {
  any,
  greeted,      // after LHLO, outside of a transaction
  transaction,  // after MAIL
};

struct Command {
  std::string_view verb;
  In in;
  Flow (*run)(Session&, std::string_view);
};

constexpr std::array kCommands{
    Command{"AUTH", In::greeted, run_auth},
    Command{"BDAT", In::any, run_bdat},  // its octets follow whatever the state is
    Command{"DATA", In::transaction, run_data},
    Command{"EHLO", In::any, run_smtp_hello},
    Command{"HELO", In::any, run_smtp_hello},
    Command{"HELP", In::any, run_help},
    Command{"LHLO", In::any, run_lhlo},
    Command{"MAIL", In::greeted, run_mail},
    Command{"NOOP", In::any, run_noop},
    Command{"QUIT", In::any, run_quit},
    Command{"RCPT", In::transaction, run_rcpt},
    Command{"RSET", In::any, run_rset},
    Command{"STARTTLS", In::greeted, run_starttls},
    Command{"VRFY", In::any, run_vrfy},
};
static_assert(std::ranges::is_sorted(kCommands, {}, &Command::verb));

/// Why the command can't be run now; nullptr if it can.
const char* wrong_order(const Session& session, In in) {
  if (in == In::any) return nullptr;
  if (session.conn.lhlo_name.empty()) return "LHLO first";
  if (in == In::transaction && !session.txn) return "MAIL first";
  if (in == In::greeted && session.txn) return "Not within a transaction";
  return nullptr;
}

}  // namespace

Flow run_command(Session& session, std::string_view line) {
  const auto space = line.find(' ');
  const std::string verb = to_upper(line.substr(0, space));
  const auto row = std::ranges::lower_bound(kCommands, verb, {}, &Command::verb);
  if (row == kCommands.end() || row->verb != verb)
    return session.mistake({500, "5.5.1", "Unknown command"});
  if (const char* const why = wrong_order(session, row->in))
    return session.mistake({503, "5.5.1", why});
  const std::string_view argument =
      space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  return row->run(session, argument);
}

}  // namespace postern::lmtp
