// The table of commands: one file, one row each.
#pragma once

#include <string_view>

#include "lmtpd/session.h"

namespace postern::lmtp {

/// Finds the command of `line`, checks that its time has come, runs it.
Flow run_command(Session& session, std::string_view line);

// Each takes what stands behind its verb and one space.
Flow run_auth(Session& session, std::string_view argument);
Flow run_bdat(Session& session, std::string_view argument);
Flow run_data(Session& session, std::string_view argument);
Flow run_help(Session& session, std::string_view argument);
Flow run_lhlo(Session& session, std::string_view argument);
Flow run_mail(Session& session, std::string_view argument);
Flow run_noop(Session& session, std::string_view argument);
Flow run_quit(Session& session, std::string_view argument);
Flow run_rcpt(Session& session, std::string_view argument);
Flow run_rset(Session& session, std::string_view argument);
Flow run_smtp_hello(Session& session, std::string_view argument);
Flow run_starttls(Session& session, std::string_view argument);
Flow run_vrfy(Session& session, std::string_view argument);

}  // namespace postern::lmtp
